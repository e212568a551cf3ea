"""What every mention store promises about its running totals, and about forgetting."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentions.mention import Assessed, Assessment, Mention, Mood, Rag, Voice
from mentions.query import Everything, parse
from mentions.store import MentionStore
from tests.contracts.store_cases import (
    ALWAYS,
    DAY,
    HOUR,
    MINUTE,
    STORES,
    T0,
    counted,
    ids,
    judged,
    mood,
    opened,
    said,
    tallied,
)


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MentionStore]:
    with opened(request, request.param, tmp_path) as held:
        yield held


def test_minutes_of_a_series_are_counted_live_and_past_apart(store: MentionStore) -> None:
    opinion = {"relevant": True, "rag": Rag.RED, "watchlists": ("riots",)}
    store.save(
        [
            judged(said(1, at=T0), **opinion),
            judged(said(2, at=T0 + MINUTE / 2), **opinion),
            judged(said(3, at=T0 + MINUTE, history=True), **opinion),
            judged(said(4, at=T0), watchlists=("riots",)),
            judged(said(5, at=T0), rag=Rag.RED),
        ]
    )
    assert store.series_names() == ["red", "relevant", "watch:riots"]
    assert store.series("watch:riots", T0, T0 + HOUR) == [(T0, 3, 0), (T0 + MINUTE, 0, 1)]
    assert store.series("relevant", T0, T0 + MINUTE) == [(T0, 2, 0)]
    assert store.series("red", T0 + MINUTE, T0 + HOUR) == [(T0 + MINUTE, 0, 1)]
    assert store.series("watch:unknown", T0, T0 + HOUR) == []


def test_what_we_say_ourselves_is_kept_but_belongs_to_no_series(store: MentionStore) -> None:
    opinion = {"relevant": True, "rag": Rag.RED, "watchlists": ("riots",)}
    store.save([judged(said(1, voice=Voice.OWN), **opinion)])
    assert store.series_names() == []
    assert store.members("relevant", *ALWAYS) == []
    assert store.count(Everything()) == 1
    assert store.check() == []


def test_an_old_post_found_late_counts_within_the_day_before_it_was_seen(store: MentionStore) -> None:
    store.save([judged(said(1, at=T0 - 9 * DAY, first_seen_at=T0), relevant=True)])
    assert store.series("relevant", *ALWAYS) == [(T0 - DAY, 1, 0)]


def test_members_of_a_series_are_live_and_newest_counted_first(store: MentionStore) -> None:
    store.save([judged(said(n, at=T0 + n * MINUTE), watchlists=("w",)) for n in range(5)])
    store.save([judged(said("past", at=T0, history=True), watchlists=("w",)), judged(said("other", at=T0))])
    store.save([judged(said("late", at=T0 - 3 * DAY, first_seen_at=T0 + DAY + 2.5 * MINUTE), watchlists=("w",))])
    assert ids(store.members("watch:w", T0 + MINUTE, T0 + 4 * MINUTE)) == ["3", "late", "2", "1"]
    assert ids(store.members("watch:w", T0, T0 + DAY, limit=2)) == ["4", "3"]
    assert store.members("watch:x", T0, T0 + DAY) == []


def test_members_can_be_asked_for_by_when_they_were_found(store: MentionStore) -> None:
    store.save([judged(said(n, at=T0, first_seen_at=T0 + n * HOUR), watchlists=("w",)) for n in range(4)])
    assert set(ids(store.members("watch:w", T0, T0 + HOUR, seen_since=T0 + 2 * HOUR))) == {"2", "3"}
    assert len(store.members("watch:w", T0, T0 + HOUR, 1, seen_since=T0 + 2 * HOUR)) == 1


def test_a_mention_of_several_boroughs_counts_in_each_and_once_in_all(store: MentionStore) -> None:
    store.save(
        [
            judged(said(1), relevant=True, boroughs=("Camden", "Brent"), sentiment=mood(Mood.NEGATIVE)),
            judged(said(2), relevant=True, sentiment=mood(Mood.POSITIVE)),
            judged(said(3), boroughs=("Camden",)),
        ]
    )
    cells = {tally.key: (tally.count, tally.negative, tally.positive) for tally in store.tallies_by_borough(*ALWAYS)}
    assert cells == {"*": (2, 1, 1), "": (1, 0, 1), "Brent": (1, 1, 0), "Camden": (1, 1, 0)}
    assert [(tally.key, tally.count) for tally in store.tallies_by_source(*ALWAYS)] == [("Corner", 3)]


def test_tallies_are_of_the_hours_that_begin_in_the_range(store: MentionStore) -> None:
    store.save([judged(said(n, at=T0 + n * HOUR + 59 * MINUTE), relevant=True) for n in range(4)])
    hours = [tally.at for tally in store.tallies_by_source(T0 + HOUR, T0 + 3 * HOUR)]
    assert hours == [T0 + HOUR, T0 + 2 * HOUR]
    assert {tally.at for tally in store.tallies_by_borough(T0 + MINUTE, T0 + 3 * HOUR)} == set(hours)


NUMBERS = st.integers(0, 7)
OPINIONS = st.builds(
    Assessment,
    relevant=st.booleans(),
    rag=st.sampled_from(Rag),
    sentiment=st.sampled_from(Mood).map(mood),
    boroughs=st.sampled_from([(), ("Camden",), ("Camden", "Brent"), ("Brent", "Brent")]).map(lambda b: tuple(set(b))),
    watchlists=st.sampled_from([(), ("a",), ("a", "b")]),
    pending=st.sampled_from([(), ("model",)]),
)
MENTIONS = st.builds(
    lambda number, text, minutes, seen, history, likes, voice: said(
        number,
        text,
        at=T0 + minutes * MINUTE,
        first_seen_at=T0 + seen * HOUR,
        history=history,
        likes=likes,
        voice=voice,
    ),
    NUMBERS,
    st.sampled_from(["one", "one two", "two three"]),
    st.integers(-2000, 200),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([Voice.PUBLIC, Voice.OWN]),
)
ACTS = st.lists(
    st.tuples(st.just("save"), st.lists(st.builds(Assessed, MENTIONS, OPINIONS), max_size=4))
    | st.tuples(st.just("judge"), st.lists(st.builds(Assessed, MENTIONS, OPINIONS), max_size=3))
    | st.tuples(st.just("forget"), st.lists(NUMBERS.map("forum:{}".format), max_size=2))
    | st.tuples(st.just("purge"), st.integers(0, 3).map(lambda hours: T0 + hours * HOUR)),
    max_size=8,
)


@pytest.mark.parametrize("kind", sorted(STORES))
def test_totals_equal_a_recount_after_anything_that_happens(kind: str, request: pytest.FixtureRequest) -> None:
    @settings(max_examples=40 if kind == "sqlite" else 4)  # whenever a server forgets, that takes it half a minute
    @given(acts=ACTS)
    def check(acts: list[tuple[str, object]]) -> None:
        with tempfile.TemporaryDirectory() as folder, opened(request, kind, Path(folder)) as store:
            for act, what in acts:
                getattr(store, act)(what)
            check_totals(store)

    check()


def check_totals(store: MentionStore) -> None:
    """Everything the store tells of what it holds against a recount of all of it."""
    held = list(store.everything())
    assert store.tallies_by_borough(*ALWAYS) == tallied(held, "borough")
    assert store.tallies_by_source(*ALWAYS) == tallied(held, "source")
    series = counted(held)
    assert store.series_names() == sorted(series)
    assert {name: store.series(name, *ALWAYS) for name in series} == series
    live = {name: sum(minute[1] for minute in minutes) for name, minutes in series.items()}
    assert {name: len(store.members(name, *ALWAYS)) for name in series} == live
    assert store.status().mentions == store.count(Everything()) == len(held)
    assert store.status().pending == len(store.pending("model", 99)) == sum(bool(e.assessment.pending) for e in held)
    assert store.count(parse("two")) == sum("two" in each.mention.text for each in held)
    assert store.check() == []


def secrets(number: int) -> list[str]:
    """Words like nobody else's; an index may leave out letters a word shares with its neighbour's beginning."""
    return [sha256(f"{number}{part}".encode()).hexdigest()[:20] for part in ("text", "title", "link", "native")]


def secret(number: int) -> Mention:
    text, title, link, native = secrets(number)
    return said(number, f"{text} in the quiet street", title=title, link=f"https://a.example/{link}", native_id=native)


def words_left(folder: Path, *numbers: int) -> list[str]:
    """Which of the secrets can still be read in any file of the store."""
    held = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    return [word for number in numbers for word in secrets(number) if word[4:].encode() in held]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # a server's files are its own
def test_what_is_forgotten_is_in_no_byte_on_disk(store: MentionStore, tmp_path: Path) -> None:
    for start in range(1000, 1040, 10):
        store.save([judged(secret(n), relevant=True) for n in range(start, start + 10)])
    store.save([judged(said(n, "the quiet street in spring")) for n in range(200)])
    store.save([judged(said(1001, "edited since", first_seen_at=T0 + HOUR))])
    assert len(words_left(tmp_path, 1002)) == 4
    assert store.forget(["forum:1001", "forum:1002", "forum:1035", "forum:nobody"]) == 3
    assert words_left(tmp_path, 1001, 1002, 1035) == []
    assert len(words_left(tmp_path, 1003)) == 4
    assert store.get(["forum:1001"]) == {}
    assert store.search(parse(secrets(1002)[0])) == []
    assert store.check() == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # a server's files are its own
def test_purging_goes_by_when_it_was_collected_down_to_the_bytes(store: MentionStore, tmp_path: Path) -> None:
    old_news_found_today = said("old", at=T0 - 900 * DAY, first_seen_at=T0)
    store.save([judged(secret(n)) for n in range(3)])
    store.save([judged(old_news_found_today), judged(said("edge", first_seen_at=T0 - timedelta(microseconds=1)))])
    assert store.purge(T0) == 1
    assert len(words_left(tmp_path, 0, 1, 2)) == 12
    assert store.purge(T0 + HOUR) == 4
    assert words_left(tmp_path, 0, 1, 2) == []
    assert store.status().mentions == 0
    assert store.check() == []
