"""What every mention store promises about keeping facts and opinions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mentions.mention import Assessed, Assessment, Mention, Mood, PublicDomain, Rag, Reach, Reason, Verdict, Voice
from mentions.order import order_key
from mentions.query import Everything, parse
from mentions.store import MentionStore, Saved
from tests.contracts.store_cases import DAY, HOUR, MINUTE, STORES, T0, ids, judged, opened, said


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MentionStore]:
    with opened(request, request.param, tmp_path) as held:
        yield held


FULL = Assessed(
    Mention(
        id="press:1",
        platform="press",
        source="City News",
        published_at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        first_seen_at=datetime(2026, 3, 1, 12, 5, 59, 999999, tzinfo=UTC),
        text="Officers thanked after market fire 👮🏽 – “heroes”",
        title="Café fire",
        link="https://news.example/1?a=b&c=d",
        native_id="1/ä",
        author_key="0f" * 16,
        publisher="news.example",
        voice=Voice.PRESS,
        reach=Reach.WIDE,
        thread="t1",
        lang="en-GB",
        likes=0,
        shares=7,
        replies=None,
        history=True,
    ),
    Assessment(
        relevant=True,
        sentiment=Verdict(Mood.POSITIVE, 0.625),
        mood=Verdict(Mood.UNCERTAIN, -0.125),
        rag=Rag.AMBER,
        topic="fire",
        unsure=True,
        public_domain=PublicDomain.YES,
        risk_to_life=True,
        boroughs=("Camden", "Islington"),
        debate=True,
        lang="en",
        watchlists=("fires", "markets"),
        reasons=(Reason("says 'fire'", 5, 9), Reason("from the press")),
        made_by=("language/1", "rating/2"),
        pending=("model",),
    ),
)


def test_everything_comes_back_as_it_went_in(store: MentionStore) -> None:
    plain = judged(said("plain"))
    store.save([FULL, plain])
    assert store.get(["press:1", "forum:plain", "forum:unknown"]) == {"press:1": FULL, "forum:plain": plain}


def test_saving_the_same_again_changes_nothing(store: MentionStore) -> None:
    assert store.save([FULL]) == Saved(new=("press:1",))
    before = store.tallies_by_source(T0 - DAY, T0 + DAY)
    assert store.save([FULL, FULL]) == Saved(unchanged=2)
    assert store.tallies_by_source(T0 - DAY, T0 + DAY) == before
    assert store.status().mentions == 1


def test_a_mention_twice_in_one_batch_is_kept_once_with_the_newer_facts(store: MentionStore) -> None:
    newer = replace(said(1, likes=3), first_seen_at=T0 + HOUR)
    assert store.save([judged(said(1)), judged(newer)]) == Saved(new=("forum:1",), unchanged=1)
    assert store.get(["forum:1"])["forum:1"].mention == said(1, likes=3)
    assert store.check() == []


def test_newer_facts_win_and_the_first_sight_stays(store: MentionStore) -> None:
    store.save([judged(said(1, likes=1, shares=1, link="https://a.example/1"))])
    newer = said(1, "a street", title="Seen", likes=5, link="https://b.example/1", first_seen_at=T0 + HOUR)
    assert store.save([judged(newer)]) == Saved(updated=("forum:1",))
    expected = said(1, "a street", title="Seen", likes=5, shares=1, link="https://b.example/1")
    assert store.get(["forum:1"])["forum:1"].mention == expected


def test_facts_fetched_earlier_than_what_is_held_are_dropped(store: MentionStore) -> None:
    store.save([judged(said(1, "first"))])
    store.save([judged(said(1, "third", first_seen_at=T0 + 3 * HOUR))])
    for late in (said(1, "second", first_seen_at=T0 + 2 * HOUR), said(1, "zeroth", first_seen_at=T0)):
        assert store.save([judged(late)]) == Saved(unchanged=1)
    assert store.get(["forum:1"])["forum:1"].mention.text == "third"


@pytest.mark.parametrize("history", [True, False])
def test_history_stays_history_and_live_stays_live(store: MentionStore, history: bool) -> None:
    store.save([judged(said(1, history=history))])
    store.save([judged(said(1, "edited", history=not history))])
    assert store.get(["forum:1"])["forum:1"].mention == said(1, "edited", history=history)


def test_a_mention_heard_again_keeps_its_verdict(store: MentionStore) -> None:
    store.save([judged(said(1))])
    verdict = Assessment(relevant=True, rag=Rag.RED, made_by=("model/1",))
    store.judge([Assessed(said(1), verdict)])
    store.save([judged(said(1, likes=9, first_seen_at=T0 + HOUR), rag=Rag.GREEN)])
    assert store.get(["forum:1"])["forum:1"] == Assessed(said(1, likes=9), verdict)


def test_an_edited_text_takes_the_new_verdict_and_is_found_by_its_new_words(store: MentionStore) -> None:
    store.save([judged(said(1, "old words"), rag=Rag.RED)])
    edited = judged(said(1, "new words", first_seen_at=T0 + HOUR), rag=Rag.GREEN)
    assert store.save([edited]).updated == ("forum:1",)
    assert store.get(["forum:1"])["forum:1"].assessment == edited.assessment
    assert ids(store.search(parse("new words"))) == ["1"]
    assert store.search(parse("old")) == []
    assert store.check() == []


def test_words_that_were_cut_before_are_found_like_any_others(store: MentionStore) -> None:
    for said_now, words, minute in (
        (said(1, "Old Lamps"), "old lamps", 0),
        (said(1, "Broken Glass"), "broken glass", 1),
    ):
        newer = replace(said_now, first_seen_at=said_now.first_seen_at + minute * MINUTE)
        store.save([Assessed(newer, Assessment(), indexed=words)])
        assert ids(store.search(parse(f'"{words}"'))) == ["1"]
    assert store.count(parse("lamps")) == 0
    assert store.check() == []


def test_an_edited_title_takes_the_new_verdict(store: MentionStore) -> None:
    store.save([judged(said(1, title="Before"), rag=Rag.RED)])
    store.save([judged(said(1, title="After"), rag=Rag.GREEN)])
    assert store.get(["forum:1"])["forum:1"].assessment.rag is Rag.GREEN


def test_judging_touches_no_fact_and_ignores_unknown_ids(store: MentionStore) -> None:
    store.save([judged(said(1))])
    store.judge([Assessed(said(n, likes=7), FULL.assessment) for n in (1, 2)])
    assert store.get(["forum:1", "forum:2"]) == {"forum:1": Assessed(said(1), FULL.assessment)}
    assert store.check() == []


@pytest.mark.parametrize("newer", [{"text": "new words"}, {"title": "New"}])
def test_a_late_verdict_on_an_older_text_does_not_touch_that_of_the_newer(
    store: MentionStore, newer: dict[str, str]
) -> None:
    store.save([judged(said(1, "old words"), rag=Rag.RED, pending=("model",))])
    waiting = store.pending("model", 1)
    edited = replace(said(1, "old words", first_seen_at=T0 + HOUR), **newer)
    store.save([judged(edited, rag=Rag.GREEN, pending=("model",))])
    store.judge([Assessed(each.mention, Assessment(rag=Rag.RED)) for each in waiting])
    assert store.get(["forum:1"])["forum:1"].assessment == Assessment(rag=Rag.GREEN, pending=("model",))
    assert store.check() == []


def test_pending_work_is_found_newest_first_until_it_is_done(store: MentionStore) -> None:
    store.save([judged(said(n, at=T0 + n * MINUTE), pending=("model", "stories")) for n in range(4)])
    assert ids(store.pending("model", 3)) == ["3", "2", "1"]
    store.judge([Assessed(said(3), Assessment(pending=("stories",))), Assessed(said(1), Assessment())])
    assert ids(store.pending("model", 9)) == ["2", "0"]
    assert ids(store.pending("stories", 9)) == ["3", "2", "0"]
    assert store.pending("unknown", 9) == []
    assert store.status().pending == 3


def test_status_tells_what_is_held(store: MentionStore) -> None:
    empty = store.status()
    assert (empty.mentions, empty.oldest_at, empty.newest_at, empty.pending) == (0, None, None, 0)
    store.save([judged(said(n, at=T0 + n * DAY)) for n in range(3)])
    status = store.status()
    assert (status.mentions, status.oldest_at, status.newest_at) == (3, T0, T0 + 2 * DAY)
    assert status.bytes_on_disk > 0
    assert status.schema >= 1


def test_everything_is_streamed_newest_first_as_it_was_at_the_call(store: MentionStore) -> None:
    batch = [judged(said(n, at=T0 + (n // 2) * MINUTE)) for n in range(20)]
    store.save(batch)
    stream = store.everything()
    store.save([judged(said("late", at=T0 + DAY))])
    store.judge([Assessed(said(1), Assessment(relevant=True))])
    assert list(stream) == sorted(batch, key=lambda each: -order_key(each.mention))


@pytest.mark.parametrize("year", [1, 1969, 1970, 1971, 2200, 9999])
def test_far_times_are_kept_and_found_by_their_range(store: MentionStore, year: int) -> None:
    at = datetime(year, 1, 1, 0, 0, 1, 5, tzinfo=UTC)
    odd = judged(said("odd", "odd words", at=at, first_seen_at=T0, history=True), relevant=True, watchlists=("w",))
    store.save([odd, judged(said("now", "more words"))])
    later = at.replace(second=2)
    assert store.search(parse("words"), since=at, until=later) == [odd]
    assert store.search(Everything(), since=at, until=later) == [odd]
    assert store.count(parse("words"), since=at, until=later) == 1
    assert store.series("watch:w", at.replace(second=0, microsecond=0), later)[0][1:] == (0, 1)
    assert store.check() == []


@pytest.mark.parametrize("text", ["", " \n", "…", "half \ud83d pair", "nul\0nul", "x" * 200_000, "\u202e\ufeff"])
def test_odd_texts_are_kept_without_harm(store: MentionStore, text: str) -> None:
    odd = judged(said("odd", text, title=text, thread=text), topic=text, reasons=(Reason(text),), watchlists=(text,))
    assert store.save([odd, judged(said("fine", "half nulnul"))]).new == ("forum:odd", "forum:fine")
    kept = store.get(["forum:odd"])["forum:odd"].mention.text
    assert kept == text.replace("\0", "").replace("\ud83d", "?")
    assert store.save([odd]) == Saved(unchanged=1)
    assert ids(store.search(Everything(), limit=1)) != []
    assert store.check() == []


def test_odd_ids_are_kept_and_found_again(store: MentionStore) -> None:
    odd = [judged(said(number)) for number in ("half\ud83d", "nul\0", "", "'; DROP TABLE mention; --")]
    new = store.save(odd).new
    assert len(new) == 4
    assert store.save(odd) == Saved(unchanged=4)
    assert set(store.get(new)) == set(new)
    assert store.forget(new) == 4


def test_a_batch_of_nothing_is_nothing(store: MentionStore) -> None:
    assert store.save([]) == Saved()
    store.judge([])
    assert store.get([]) == {}
    assert store.forget([]) == 0


def test_eight_threads_save_judge_and_search_at_once(store: MentionStore) -> None:
    def work(worker: int) -> int:
        for n in range(5):
            batch = [judged(said(k, "same words", likes=worker), relevant=True) for k in range(n * 10, n * 10 + 10)]
            store.save([*batch, judged(said(f"{worker}-{n}", "own words"), watchlists=("w",))])
            store.judge([Assessed(said(f"{worker}-{n}", "own words"), Assessment(relevant=True, rag=Rag.RED))])
            store.search(parse("own words"))
        return store.count(parse("own words"))

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(work, range(8))) == 40
    assert store.status().mentions == 50 + 40
    assert store.check() == []


def test_a_closed_store_may_be_closed_again(store: MentionStore) -> None:
    store.close()
    store.close()


def test_words_beside_a_choice_between_words_and_fields_are_found(store: MentionStore) -> None:
    texts = ("police lax", "police being", "police", "lax")
    store.save([judged(said(n, text)) for n, text in enumerate(texts)])
    query = parse("(lax OR (being AND NOT sentiment:[-1 TO -0.6])) AND (2012 OR police) NOT det*")
    assert sorted(ids(store.search(query))) == ["0", "1"]
    assert store.count(query) == 2
    assert sum(count for _, count in store.histogram(query, HOUR)) == 2
