"""The promises of the query language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentions.facets import FIELDS
from mentions.mention import Mood, Rag, Reach, Verdict, Voice
from mentions.merging import cleaned
from mentions.normalise import tokens, tokens_with_spans
from mentions.query import (
    And,
    Everything,
    Field,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    QueryError,
    ScoreRange,
    TimeRange,
    Word,
    matches,
    parse,
    predicate,
)
from tests.contracts.store_cases import judged, said

A, B, C = Word("a"), Word("b"), Word("c")
RED, AMBER, OWN = Field("rag", "red"), Field("rag", "amber"), Field("own", "yes")
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PIECES = st.sampled_from(
    ["a", "b", "AND", "OR", "NOT", *"()~*'&:[]{}#@", '"', "a b", "x:y", "NEAR/3", "👮", "rag:", "date:", "sentiment:[",
     " TO ", "now-1d", "2026-10-01", "-0.3", "ab*", "~5", "#a", "@b@c", "\\", "/", "reach:", "own:no", "lang:en"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", Everything()),
        ("  \n", Everything()),
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a NOT b", And((A, Not(B)))),
        ("NOT b a", And((Not(B), A))),
        ("a AND NOT (b OR c)", And((A, Not(Or((B, C)))))),
        ("a (NOT b NOT c)", And((A, Not(B), Not(C)))),
        ("NOT NOT a", A),
        ("and or not", And((Word("and"), Word("or"), Word("not")))),
        ('"a b"', Phrase(("a", "b"))),
        ("“a b”", Phrase(("a", "b"))),
        ('"AND"', Word("and")),
        ('a"b c"', And((A, Phrase(("b", "c"))))),
        ("don't-stop", Phrase(("don't", "stop"))),
        ("#Riot, @met_police: Café", And((Word("#riot"), Word("@met_police"), Word("cafe")))),
        ("@name@a.social ＃tag", And((Word("@name@a.social"), Word("#tag")))),
        ("pol* #sto* @met*", And((Prefix("pol"), Prefix("#sto"), Prefix("@met")))),
        ('"a b a"~5', Near(("a", "b"), 5)),
        ('"a a"~5', A),
        ("platform:Reddit", Field("platform", "reddit")),
        ("BOROUGH:croydon", Field("borough", "croydon")),
        ('source:"BBC – News"', Field("source", "bbc news")),
        ('watchlist:("Stop & search" OR b)', Or((Field("watchlist", "stop search"), Field("watchlist", "b")))),
        ("rag:(red OR amber) NOT own:yes", And((Or((RED, AMBER)), Not(OWN)))),
        ("own:no a", And((Not(OWN), A))),
        ("NOT platform:x", Not(Field("platform", "x"))),
        ("debate:true lang:en-GB", And((Field("debate", "yes"), Field("lang", "en")))),
        ("sentiment:negative", Field("sentiment", "neg")),
        ("sentiment:[* TO -0.3]", ScoreRange(None, -0.3)),
        ("sentiment:{0 TO 1]", ScoreRange(0, 1, False, True)),
        ("date:2026-10-01", TimeRange(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC))),
        ("date:[2026-10-01 TO now-1d]", TimeRange(datetime(2026, 10, 1, tzinfo=UTC), NOW - DAY + TICK)),
        ("date:[* TO 2026-10-01]", TimeRange(None, datetime(2026, 10, 2, tzinfo=UTC))),
        ("date:{2026-10-01 TO *]", TimeRange(datetime(2026, 10, 2, tzinfo=UTC), None)),
        ("date:[* TO 2026-10-01}", TimeRange(None, datetime(2026, 10, 1, tzinfo=UTC))),
        ("date:[2026-10-01T09:30+01:00 TO *]", TimeRange(datetime(2026, 10, 1, 8, 30, tzinfo=UTC), None)),
        ("reach:[medium TO *]", Or((Field("reach", "medium"), Field("reach", "wide")))),
        ("a OR b AND NOT c", Or((A, And((B, Not(C)))))),
        ("w1 w2", And((Word("w1"), Word("w2")))),
        ("police - van", And((Word("police"), Word("van")))),
        ("Topic was: knives", And((Word("topic"), Word("was"), Word("knives")))),
        ("a & b ...", And((A, B))),
        ("what? 12:30", And((Word("what"), Phrase(("12", "30"))))),
        ("👮", Word("👮")),
    ],
)
def test_a_search_is_read_as_promised(text: str, tree: Query) -> None:
    assert parse(text, NOW) == tree


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("NOT a", 0, "police NOT music"),
        ("a OR NOT b", 5, "police NOT music"),
        ("(NOT a) OR b", 0, "police NOT music"),
        ("a AND", 5, "last operator"),
        ("OR a", 0, "quote it"),
        ("a NOT", 5, "last operator"),
        ("a ()", 3, "parentheses"),
        ("(a", 0, "end it with )"),
        ("a)", 1, "take it out"),
        ('a "b', 2, 'another "'),
        ('a "!"', 2, "put words between"),
        ("...", 0, "at least one word"),
        ("rug:red", 0, 'did you mean "rag:"'),
        ("a x:y", 2, "fields are platform"),
        ("https://example.org/a", 0, "quotes"),
        ("p*", 0, "two letters"),
        ("don't-st*", 0, "two letters"),
        ("wom?n", 0, "polic*"),
        ("*lice", 0, "polic*"),
        ("pol*ce", 0, "polic*"),
        ("polise~", 0, "polic*"),
        ('"a b"~', 0, "number up to 100"),
        ('"a b"~101', 0, "number up to 100"),
        ("a^2", 0, "order of time"),
        ("/a.b/", 0, "prefix*"),
        ("[1 TO 2]", 0, "sentiment:["),
        ("a NEAR/5 b", 2, "any order"),
        ("rag:blue", 0, "none, green, amber, red"),
        ("own:maybe", 0, "yes, no"),
        ("rag: red", 0, "right behind the colon"),
        ("rag:>amber", 0, "TO *]"),
        ("source:BBC*", 0, "all of it"),
        ("lang:english!", 0, "lang:en"),
        ("borough:(a b)", 11, "OR between them"),
        ("rag:(red OR lang:en)", 12, "close those of rag"),
        ("platform:[a TO b]", 0, "platform:value"),
        ("sentiment:[0.5 TO 0.1]", 0, "lower end first"),
        ("sentiment:{1 TO 1}", 0, "lower end first"),
        ("sentiment:[nan TO 1]", 0, "number from -1"),
        ("sentiment:[* TO *]", 0, "in place of one *"),
        ("sentiment:[1", 10, "[low TO high]"),
        ("date:yesterday", 0, "2026-10-01"),
        ("date:[2026-13-01 TO *]", 0, "2026-10-01"),
        ("date:[now-999999999w TO *]", 0, "now-2h"),
        ("reach:[unknown TO wide]", 0, "local, medium, wide"),
        ('a -"b c"', 2, "NOT before the word"),
        ("a -(b c)", 2, "NOT before the word"),
        ("a -b", 2, "NOT before the word"),
        ("+a", 0, "must be there"),
        ("a && b", 2, "capitals"),
        ("a !b", 2, "capitals"),
    ],
)
def test_what_is_outside_the_language_is_refused_with_place_and_hint(text: str, position: int, hint: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)
    assert refused.value.position == position
    assert hint in refused.value.hint
    assert f"character {position + 1}:" in str(refused.value)


@pytest.mark.parametrize("text", ["(" * 5000 + "a", "NOT " * 2000 + "a", "a " * 6000, '"' * 101])
def test_monstrous_searches_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


@given(st.text(max_size=60) | st.lists(PIECES, max_size=14).map(" ".join))
def test_no_input_does_anything_but_parse_or_be_refused(text: str) -> None:
    query: Query = Everything()
    position = 0
    try:
        query = parse(text)
    except QueryError as refused:
        position = refused.position
    assert 0 <= position <= len(text)
    assert matches(query, judged(said(1, "a b"))) in (True, False)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("police", True),
        ("poli", False),
        ("police van", True),
        ('"police van"', False),
        ('"rye lane"', True),
        ("helicopter OR van", True),
        ("police NOT van", False),
        ("police NOT helicopter", True),
        ("helicopter", False),
        ("", True),
    ],
)
def test_a_search_holds_of_text_or_not(text: str, holds: bool) -> None:
    held = judged(said(1, "Police on Rye Lane again, and a van"))
    assert matches(parse(text), held) is predicate(parse(text))(held) is holds


def test_near_in_other_languages_is_answered_with_how_to_write_it_here() -> None:
    with pytest.raises(QueryError, match=r'NEAR/5 is not used here: write "police van"~5'):
        parse("police NEAR/5 van")


HEARD = judged(
    said(
        1,
        "Knife arrest on Rye Lane, says @MetPoliceUK: #StopAndSearch works 👮🏽",
        platform="x",
        source="BBC – London",
        voice=Voice.PRESS,
        reach=Reach.WIDE,
    ),
    sentiment=Verdict(Mood.NEGATIVE, -0.5),
    rag=Rag.AMBER,
    topic="stop_and_search",
    boroughs=("Southwark", "Kensington and Chelsea"),
    lang="en",
    watchlists=("Stop & search",),
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("#stopandsearch", True),
        ("stopandsearch", True),
        ("#knife", False),
        ("@metpoliceuk", True),
        ("@metpolice", False),
        ("@metpol*", True),
        ("#stop*", True),
        ("arr*", True),
        ("rres*", False),
        ('"lane knife"~3', True),
        ('"lane knife"~2', False),
        ('"knife rye works"~99', True),
        ("👮", True),
        ("platform:X", True),
        ('source:"bbc london"', True),
        ("source:bbc", False),
        ("own:no", True),
        ("own:yes", False),
        ("reach:[medium TO wide]", True),
        ("reach:{* TO wide}", False),
        ("rag:(red OR amber)", True),
        ("sentiment:neg", True),
        ("sentiment:[-0.5 TO 0]", True),
        ("sentiment:{-0.5 TO 0]", False),
        ("topic:stop_and_search", True),
        ('borough:"KENSINGTON AND CHELSEA" borough:southwark', True),
        ("borough:kensington", False),
        ('watchlist:"stop & search"', True),
        ("debate:no", True),
        ("lang:en", True),
        ("NOT lang:en", False),
        ("date:2026-03-01", True),
        ("date:[2026-03-02 TO *]", False),
    ],
)
def test_a_search_asks_for_marks_fields_and_ranges(text: str, holds: bool) -> None:
    assert matches(parse(text, NOW), HEARD) is holds


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_without_a_value_is_refused(field: str) -> None:
    with pytest.raises(QueryError, match="has no value"):
        parse(f"{field}:")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "#riot's",
            "@met's",
            "#don't",
            "#हिन्दी",
            "#বাংলাদেশ",
            "#می‌خواهم",
            "#cafe\u0301s",
            "@ne\u0301e",
            "#a-b",
            "@x.y's",
        ),
        *("police's", "👮🏽‍♀️", "café's", "stop-and-search", "↗️", "#s60/x"),
    ],
)
def test_what_is_copied_from_a_post_finds_the_post(text: str) -> None:
    assert matches(parse(text), judged(said(1, f"they said {text} again")))


@pytest.mark.parametrize("text", ["#हिन्दी", "#বাংলাদেশ"])
def test_a_tag_is_not_cut_off_at_its_first_sign(text: str) -> None:
    assert not matches(parse(text), judged(said(1, f"{text[:2]} {text}extra")))


@pytest.mark.parametrize(
    "text",
    ["source:-bbc", "source:(-bbc)", "source:(!bbc)", "source:(bbc* OR s)", "source:S?", "source:S^2", "source:S~2",
     "date:[20261001 TO *]", "date:[2026-W40 TO *]"],
)  # fmt: skip
def test_a_value_that_would_be_read_as_something_else_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


def test_halves_of_characters_and_values_of_other_scripts_are_found_as_they_are_kept() -> None:
    held = judged(cleaned(judged(said(1, source="\ud83d \0ᾳ"))).mention)
    assert matches(parse('source:"\ud83d \0ᾳ"'), held)


def test_long_searches_and_texts_take_no_longer_than_they_are_long() -> None:
    """Else it would not end within the time a test has."""
    tokens("a" + "'s" * 200_000 + " b")
    list(tokens_with_spans("a" + "'s" * 200_000 + " b"))
    with pytest.raises(QueryError):
        parse("a" * 9_900 + " b NEAR")
