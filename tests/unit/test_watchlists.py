"""The promises of the in-stream matcher."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mentions.query import And, Everything, Not, Or, Phrase, Query, Word, matches, parse
from mentions.watchlists import Matcher, Watchlist
from tests.contracts.store_cases import judged, said

LETTERS = st.sampled_from("abc")
LITERALS = LETTERS.map(Word) | st.lists(LETTERS, min_size=2, max_size=3).map(lambda words: Phrase(tuple(words)))


def compound(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    parts = st.lists(inner | inner.map(Not), min_size=1, max_size=3).map(tuple)
    return parts.map(And) | parts.map(Or)


QUERIES: st.SearchStrategy[Query] = st.recursive(LITERALS, compound, max_leaves=8)
TEXTS = st.lists(LETTERS, max_size=8).map(" ".join)


def test_a_text_belongs_to_every_watchlist_that_holds_of_it_in_alphabetical_order() -> None:
    wanted = {"stations": "station", "arrests": '"was arrested"', "music": "music NOT police"}
    matcher = Matcher(Watchlist(name, parse(query), "test", "desk") for name, query in wanted.items())
    assert matcher.match("a man was arrested at the station") == ("arrests", "stations")
    assert matcher.match("police stationed near music") == ()
    assert matcher.match("") == ()


def test_no_watchlists_match_nothing() -> None:
    assert Matcher([]).match("police") == ()


def test_a_watchlist_of_everything_holds_of_everything() -> None:
    assert Matcher([Watchlist("all", Everything())]).match("") == ("all",)


@given(st.lists(QUERIES, max_size=6), TEXTS)
def test_the_matcher_agrees_with_the_searches_one_by_one(queries: list[Query], text: str) -> None:
    watchlists = [Watchlist(f"w{at}", query) for at, query in enumerate(queries)]
    expected = tuple(sorted(each.name for each in watchlists if matches(each.query, judged(said(1, text)))))
    assert Matcher(watchlists).match(text) == expected
