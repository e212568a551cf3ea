"""The surge rule over a real store: own past, floors of posts and voices, when it holds and when it stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.rules import Surge, SurgeSettings
from mentions.mention import Assessed, Assessment, Mention, Mood, Rag, Verdict
from mentions.records import Finding, Level
from mentions.store import MentionStore
from mentions.stores import open_store

NOW = datetime(2024, 5, 20, 15, 0, tzinfo=UTC)
WATCHED = Assessment(watchlists=("parade",))
RELEVANT = Assessment(relevant=True, rag=Rag.GREEN)
RED = Assessment(relevant=True, rag=Rag.RED, topic="custody", boroughs=("Camden",))
HOSTILE = Assessment(relevant=True, rag=Rag.GREEN, sentiment=Verdict(Mood.NEGATIVE, -0.8))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MentionStore]:
    opened = open_store(f"sqlite:{tmp_path / 'mentions.db'}")
    yield opened
    opened.close()


def post(at: datetime, opinion: Assessment, author: str | None = None, *, history: bool = False) -> Assessed:
    serial = f"{at.timestamp():.3f}-{author}"
    mention = Mention(
        id=f"mastodon:{serial}",
        platform="mastodon",
        source="example",
        published_at=at,
        first_seen_at=at,
        text="A march is passing the town hall.",
        author_key=f"key {serial}" if author is None else author,
        history=history,
    )
    return Assessed(mention, opinion)


def posts(
    count: int, opinion: Assessment, *, ends: datetime = NOW, every: float = 30, voices: int = 0
) -> list[Assessed]:
    """So many posts, `every` seconds apart, the newest one just before `ends`."""
    return [
        post(ends - timedelta(seconds=1 + every * (count - 1 - at)), opinion, f"a{at % voices}" if voices else None)
        for at in range(count)
    ]


def test_posts_of_the_same_minute_that_are_yet_to_come_are_no_surge(store: MentionStore) -> None:
    store.save(posts(12, WATCHED, ends=NOW + timedelta(seconds=55), every=1))
    surge = Surge(SurgeSettings())
    assert surge.check(NOW + timedelta(seconds=10), store) == []
    assert len(surge.check(NOW + timedelta(minutes=1), store)) == 1


def steady(per_hour: int, opinion: Assessment, days: float = 3, *, history: bool = True) -> list[Assessed]:
    gap, end = timedelta(hours=1) / per_hour, NOW - timedelta(hours=1)
    return [post(end - gap * at, opinion, history=history) for at in range(int(days * 24 * per_hour))]


def check(store: MentionStore, now: datetime = NOW, rule: Surge | None = None) -> list[Finding]:
    return (rule or Surge()).check(now, store)


def test_nothing_stored_is_nothing_found(store: MentionStore) -> None:
    assert check(store) == []


def test_a_watchlist_without_a_past_is_a_crisis_once_it_floods(store: MentionStore) -> None:
    store.save(posts(12, WATCHED))
    (finding,) = check(store)
    assert (finding.level, finding.colour, finding.watchlist) == (Level.CRISIS, Rag.RED, "parade")
    assert finding.key == "surge:watch:parade"
    assert finding.count == finding.publishers == len(finding.evidence) == 12
    assert finding.expected < 2
    assert finding.first_evidence_at == NOW - timedelta(seconds=1 + 30 * 11)
    assert finding.last_evidence_at == NOW - timedelta(seconds=1)
    assert finding.score >= 0.505


def test_evidence_is_earliest_first_and_is_what_was_counted(store: MentionStore) -> None:
    flood = posts(12, WATCHED)
    store.save(flood)
    assert check(store)[0].evidence == tuple(each.mention.id for each in flood)


def test_a_stray_post_long_before_the_burst_is_no_evidence_of_it(store: MentionStore) -> None:
    stray = post(NOW - timedelta(hours=2, minutes=50), WATCHED)
    slow = posts(40, WATCHED, every=150)
    store.save([stray, *slow])
    (finding,) = check(store)
    assert finding.window_minutes == 180
    assert finding.evidence == tuple(each.mention.id for each in slow)
    assert finding.first_evidence_at == slow[0].mention.counts_at


def test_the_summary_tells_count_usual_and_voices_but_no_text(store: MentionStore) -> None:
    store.save(posts(12, WATCHED))
    summary = check(store)[0].summary
    assert summary == "12 posts on watchlist 'parade' in 15 minutes, where hardly any would be usual, from 12 voices"


def test_few_posts_are_no_surge(store: MentionStore) -> None:
    store.save(posts(4, WATCHED, every=5))
    assert check(store) == []


def test_many_posts_of_two_voices_are_no_surge(store: MentionStore) -> None:
    store.save(posts(20, WATCHED, voices=2))
    assert check(store) == []
    store.save(posts(1, WATCHED, ends=NOW - timedelta(minutes=1), voices=1))
    store.save([post(NOW - timedelta(minutes=2), WATCHED, "a third")])
    assert len(check(store)) == 1


def test_posts_without_an_author_count_each_as_their_own_voice(store: MentionStore) -> None:
    store.save([Assessed(replace(each.mention, author_key=""), WATCHED) for each in posts(12, WATCHED)])
    assert check(store)[0].publishers == 12


def test_a_busy_past_makes_the_same_posts_usual(store: MentionStore) -> None:
    store.save(steady(40, WATCHED))
    store.save(posts(12, WATCHED))
    assert check(store) == []
    store.save(posts(60, WATCHED, every=7))
    assert check(store)[0].expected > 3


def test_history_teaches_but_never_rings(store: MentionStore) -> None:
    store.save([Assessed(replace(each.mention, history=True), WATCHED) for each in posts(40, WATCHED)])
    assert check(store) == []


def test_it_holds_while_it_is_hot_and_stops_when_nothing_comes(store: MentionStore) -> None:
    store.save(posts(40, WATCHED, every=60))
    rule = Surge()
    held = [minute for minute in range(120) if check(store, NOW + timedelta(minutes=minute), rule)]
    assert held == list(range(held[-1] + 1))
    assert 10 <= held[-1] <= 31


def test_a_burst_that_is_found_late_still_rings_and_stops_when_nothing_more_is_found(store: MentionStore) -> None:
    burst = posts(40, WATCHED, ends=NOW - timedelta(minutes=45))
    store.save([Assessed(replace(each.mention, first_seen_at=NOW), WATCHED) for each in burst])
    assert [finding.level for finding in check(store, NOW + timedelta(minutes=1))] == [Level.CRISIS]
    assert check(store, NOW + timedelta(minutes=31)) == []


def test_a_new_event_does_not_count_as_its_own_past(store: MentionStore) -> None:
    store.save(posts(160, WATCHED, every=60))
    assert check(store)


def test_what_went_on_for_hours_becomes_usual(store: MentionStore) -> None:
    store.save(posts(900, WATCHED, every=60))
    assert check(store) == []


def test_only_what_was_counted_before_now_is_judged(store: MentionStore) -> None:
    store.save(posts(12, WATCHED))
    assert check(store, NOW - timedelta(minutes=10)) == []


def test_relevant_mentions_that_surge_are_a_warning(store: MentionStore) -> None:
    store.save(posts(30, RELEVANT))
    (finding,) = check(store)
    assert (finding.key, finding.level, finding.colour) == ("surge:relevant", Level.WARNING, Rag.AMBER)


@pytest.mark.parametrize("opinion", [RED, HOSTILE])
def test_relevant_mentions_that_surge_and_are_red_or_hostile_are_a_crisis(
    store: MentionStore, opinion: Assessment
) -> None:
    store.save(posts(12, opinion) + posts(8, RELEVANT, every=31))
    found = {finding.key: finding for finding in check(store)}
    assert found["surge:relevant"].level is Level.CRISIS


def test_a_few_hostile_voices_are_a_warning_only(store: MentionStore) -> None:
    store.save(posts(20, HOSTILE, voices=4))
    assert [finding.level for finding in check(store)] == [Level.WARNING]


def test_red_mentions_have_a_series_of_their_own_with_topic_and_borough(store: MentionStore) -> None:
    store.save(posts(12, RED))
    red = next(finding for finding in check(store) if finding.key == "surge:red")
    assert (red.topic, red.boroughs, red.colour) == ("custody", ("Camden",), Rag.RED)


def test_a_rule_kept_for_days_says_what_a_new_one_would(store: MentionStore) -> None:
    start = NOW - timedelta(days=2)
    rule = Surge()
    for step in range(2 * 24 * 4):
        now = start + step * timedelta(minutes=15)
        burst = 14 if step in (60, 61, 140) else step % 2
        store.save(posts(burst, WATCHED, ends=now, every=20))
        if step == 100:  # an import brings yesterday's posts late
            store.save(
                [Assessed(replace(each.mention, history=True), WATCHED) for each in posts(90, WATCHED, ends=start)]
            )
        if step % 5 == 0 or burst > 1:
            assert rule.check(now, store) == Surge().check(now, store)


def test_checking_is_told_in_one_sentence() -> None:
    said = Surge(SurgeSettings(posts=7)).describe()
    assert said.startswith("fires when")
    assert "7 posts from 3 voices" in said
    assert "\n" not in said
