"""What every mention store promises about finding mentions again, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentions.order import order_key
from mentions.query import Everything, QueryError, matches, parse
from mentions.store import MentionStore
from tests.contracts.store_cases import DAY, MINUTE, STORES, T0, ids, judged, opened, said, twins

WORDS = ["police", "van", "lane", "don't", "met_police", "café", "👮🏽‍♀️", "riot's", "Straße", "near", "x"]
TEXTS = [" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 2 + n % 7)) for n in range(60)]
HELD = [
    judged(said(n, text, at=T0 + (n % 20) * MINUTE / 2, title="Café van" if n % 9 == 0 else ""))
    for n, text in enumerate(TEXTS)
]
TERMS = st.sampled_from(WORDS) | st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(
    lambda words: f'"{" ".join(words)}"'
)
QUERIES = st.recursive(
    TERMS,
    lambda part: (
        st.tuples(part, part).map("({0[0]} {0[1]})".format)
        | st.tuples(part, part).map("({0[0]} OR {0[1]})".format)
        | st.tuples(part, part).map("({0[0]} NOT {0[1]})".format)
    ),
    max_leaves=6,
)


@pytest.fixture(params=sorted(STORES), scope="module")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MentionStore]:
    with opened(request, request.param, tmp_path_factory.mktemp("store")) as held:
        held.save(HELD)
        yield held


@pytest.fixture(params=sorted(STORES))
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MentionStore]:
    with opened(request, request.param, tmp_path) as held:
        yield held


@given(QUERIES, st.integers(-60, 660), st.integers(-60, 660), st.integers(1, 70))
def test_a_search_finds_what_the_predicate_holds_of(
    store: MentionStore, text: str, since: int, until: int, limit: int
) -> None:
    query, first, last = parse(text), T0 + since * MINUTE / 60, T0 + until * MINUTE / 60
    expected = [
        each
        for each in sorted(HELD, key=lambda each: -order_key(each.mention))
        if matches(query, each) and first <= each.mention.published_at < last
    ]
    assert store.search(query, since=first, until=last, limit=limit) == expected[:limit]
    assert store.count(query, since=first, until=last) == len(expected)


@given(st.text(max_size=40) | st.text("\"*()^:-+~{}ANDORTNE/5 '_a\0\ud800👮", max_size=20))
def test_nothing_typed_into_a_search_box_breaks_it(store: MentionStore, text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        query = Everything()
    assert store.count(query) == len(store.search(query, limit=100))


@pytest.mark.parametrize("text", ["", "van", '"police van"', "van OR lane NOT x"])
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_follow_each_other_without_gap_or_repeat(store: MentionStore, text: str, limit: int) -> None:
    query = parse(text)
    whole = store.search(query, limit=1000)
    paged, before = [], None
    while page := store.search(query, limit=limit, before=before):
        paged += page
        before = order_key(page[-1].mention)
    assert paged == whole


def test_newest_comes_first_and_ties_have_one_order(store: MentionStore) -> None:
    found = store.search(Everything(), limit=1000)
    assert found == sorted(HELD, key=lambda each: -order_key(each.mention))
    assert [each.mention.published_at for each in found] == sorted((e.mention.published_at for e in HELD), reverse=True)


def test_since_is_inclusive_and_until_exclusive_to_the_microsecond(fresh: MentionStore) -> None:
    tick = MINUTE / 60_000_000
    fresh.save([judged(said(n, at=T0 + n * tick)) for n in range(5)])
    for query in (Everything(), parse("quiet")):
        assert sorted(ids(fresh.search(query, since=T0 + tick, until=T0 + 3 * tick))) == ["1", "2"]
        assert fresh.count(query, since=T0 + tick, until=T0 + 3 * tick) == 2


def test_a_title_is_searched_like_the_text(fresh: MentionStore) -> None:
    fresh.save([judged(said(1, "a street", title="Quiet"))])
    assert ids(fresh.search(parse("quiet street"))) == ["1"]


def test_two_mentions_that_want_one_place_are_both_kept_and_paged(fresh: MentionStore) -> None:
    pair = twins()
    fresh.save([judged(twin) for twin in pair])
    assert {each.mention for each in fresh.search(Everything())} == set(pair)
    assert fresh.save([judged(twin) for twin in pair]).unchanged == 2
    first = fresh.search(Everything(), limit=1)
    rest = fresh.search(Everything(), before=order_key(first[0].mention))
    assert {each.mention for each in first + rest} == set(pair)
    assert fresh.forget([pair[0].id]) == 1
    assert [each.mention for each in fresh.search(Everything())] == [pair[1]]
    assert fresh.check() == []


def test_a_search_without_hits_is_empty(store: MentionStore) -> None:
    assert store.search(parse("nowhere")) == []
    assert store.count(parse("nowhere")) == 0
    assert store.search(parse("van"), since=T0 + DAY) == []
