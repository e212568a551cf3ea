"""Recorded crises and quiet weeks through judgement, store, rules and incidents, polled every two minutes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from alerts.incidents import Desk, record
from alerts.rules import AlertSettings, build_rules
from analysis.pipeline import Pipeline
from analysis.reading import shipped
from mentions.mention import Assessed, Mention
from mentions.query import parse
from mentions.records import Incident, Level, NoticeKind
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.stores import open_store
from mentions.watchlists import Watchlist
from tests.replaying import RUNS_ON, read_mentions, replay

pytestmark = pytest.mark.slow

QUIET_STEP = timedelta(minutes=10)
NEWS = "uk_news_rss"
GLASGOW = ("crisislex_glasgow_2013/2013_glasgow_helicopter_crash_labelled.jsonl", "glasgow OR clutha OR helicopter")
AIRPORT = ("crisislex_other/2013_la_airport_shootings_labelled.jsonl", "lax OR shooting OR gunman OR tsa")
FERGUSON = ("pheme_ferguson_2014/ferguson_source_tweets.jsonl", 'ferguson OR "mike brown" OR "michael brown"')
TEXAS = ("crisislex_other/2013_west_texas_explosion_on_off_topic.jsonl", "explosion OR fertilizer OR waco")


@dataclass(frozen=True)
class Played:
    """What a replay left behind."""

    incidents: list[Incident]  # oldest first
    state: State

    @property
    def crises(self) -> list[Incident]:
        return [incident for incident in self.incidents if incident.level is Level.CRISIS]

    @property
    def warnings(self) -> list[Incident]:
        return [incident for incident in self.incidents if incident.level is Level.WARNING]

    def count(self, incident: Incident, kind: NoticeKind) -> int:
        return sum(notice.kind is kind for notice in self.state.notices(incident.id))


@pytest.fixture
def play(shared: Path, tmp_path: Path) -> Iterator[object]:
    store = open_store(f"sqlite:{tmp_path / 'mentions.db'}")
    state = open_state(f"sqlite:{tmp_path / 'state.db'}")

    def play_file(path: str, query: str = "", until: str = "") -> Played:
        pipeline = Pipeline([Watchlist("exercise", parse(query))] if query else [], model=shipped())

        def judge(mentions: list[Mention]) -> list[Assessed]:
            return [Assessed(mention, pipeline.assess_whole(mention)) for mention in mentions]

        mentions = read_mentions(shared / "corpora" / path)
        end = datetime.fromisoformat(until) if until else None
        found = replay(mentions, store, build_rules(AlertSettings()), judge, end)
        desk, last = Desk(channels=("sink",)), None
        for now, together in groupby(found, key=lambda each: each.at):
            for quiet in _between(last, now):
                record([], quiet, state, desk)
            record([each.finding for each in together], now, state, desk)
            last = now
        for quiet in _between(last, (end or mentions[-1].published_at) + RUNS_ON):
            record([], quiet, state, desk)
        return Played(list(reversed(state.incidents())), state)

    yield play_file
    store.close()
    state.close()


def _between(last: datetime | None, now: datetime) -> Iterator[datetime]:
    """The checks that found nothing."""
    while last is not None and last + QUIET_STEP < now:
        last += QUIET_STEP
        yield last


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("recorded", "until", "since", "due"),
    [
        (GLASGOW, "2013-11-30T07:00Z", "2013-11-29T22:42", "2013-11-29T23:05"),
        (AIRPORT, "2013-11-01T23:00Z", "2013-11-01T16:29", "2013-11-01T16:55"),
        (FERGUSON, "2014-08-10T04:00Z", "2014-08-09T22:33", "2014-08-10T00:30"),
        (TEXAS, "2013-04-18T06:00Z", "2013-04-18T00:59", "2013-04-18T01:40"),
    ],
    ids=["glasgow", "airport", "ferguson", "texas"],
)
def test_a_watched_event_is_one_crisis_in_time_and_none_before(
    play: object, recorded: tuple[str, str], until: str, since: str, due: str
) -> None:
    played = play(*recorded, until)  # type: ignore[operator]
    assert [incident.watchlist for incident in played.crises] == ["exercise"]
    (crisis,) = played.crises
    assert at(since) <= crisis.crisis_at <= at(due)
    assert crisis.first_evidence_at >= at(since)
    assert played.count(crisis, NoticeKind.OPENED) == 1
    assert played.count(crisis, NoticeKind.UPDATE) <= 4


def test_a_report_all_publishers_bring_at_midnight_is_a_crisis_and_its_previews_are_none(play: object) -> None:
    played = play(f"{NEWS}/2023-03_casey_review.jsonl", until="2023-03-21T12:00Z")  # type: ignore[operator]
    (crisis,) = played.crises
    assert at("2023-03-21T00:00") < crisis.crisis_at <= at("2023-03-21T00:10")


def test_a_quiet_week_is_no_crisis_and_six_warnings_at_most(play: object) -> None:
    played = play(f"{NEWS}/2023-02_quiet_week.jsonl")  # type: ignore[operator]
    assert not played.crises
    assert len(played.warnings) <= 6


def test_one_red_item_of_the_press_opens_a_warning_without_any_volume(play: object) -> None:
    played = play(f"{NEWS}/2021-03_everard_vigil.jsonl")  # type: ignore[operator]
    opened = [incident.opened_at for incident in played.incidents]
    assert not played.crises
    assert any(incident.opened_at <= at("2021-03-14T01:20") <= incident.resolved_at for incident in played.incidents), (
        opened
    )


def test_a_week_of_two_papers_is_no_crisis(play: object) -> None:
    assert not play(f"{NEWS}/2022-09_two_feeds.jsonl").crises  # type: ignore[operator]
