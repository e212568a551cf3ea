"""One poll: what is saved, when the source is asked again, and what its failures cost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from analysis.pipeline import Pipeline
from listener.connector import Page, Volume
from listener.intake import Intake
from listener.polling import MAX_PAGES, Poller
from listener.spool import Spool
from listener.store_watch import StoreWatch
from mentions.failures import NeedsAttention, NotItsTurn, RateLimited, TemporaryFailure
from mentions.mention import Mention
from mentions.query import parse
from mentions.records import Arrivals, Counted, SourceState
from mentions.sqlstate import open_state
from mentions.stores import open_store

START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass
class Script:
    """A connector that does what it is told, one act a poll."""

    acts: list[Page | Exception] = field(default_factory=list)
    cursors: list[str | None] = field(default_factory=list)
    kind: ClassVar[str] = "script"

    def poll(self, cursor: str | None) -> Page:
        self.cursors.append(cursor)
        act = self.acts.pop(0)
        if isinstance(act, Exception):
            raise act
        return act

    def close(self) -> None:
        pass


@dataclass
class Slow:
    """A script, and what else goes on while it is asked."""

    look: Callable[[Script, str | None], Page]
    script: Script

    def poll(self, cursor: str | None) -> Page:
        return self.look(self.script, cursor)


@dataclass
class Bench:
    poller: Poller
    script: Script
    now: datetime = START

    def row(self):  # type: ignore[no-untyped-def]
        return self.poller.state.source("a")

    def stored(self) -> list[Mention]:
        return [each.mention for each in self.poller.store.search(parse(""))]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    script = Script()
    made = Bench(None, script)  # type: ignore[arg-type]
    store, pipeline = open_store(f"sqlite:{tmp_path}/mentions.db"), Pipeline()
    spool = Spool(tmp_path / "spool", lambda: made.now, max_bytes=1_000_000, free_bytes=0)
    made.poller = Poller(
        store=store,
        intake=Intake(store, spool, StoreWatch(store, lambda: made.now), pipeline.assess_for_store),
        state=open_state(f"sqlite:{tmp_path}/state.db"),
        pipeline=pipeline,
        connectors={"a": script},  # type: ignore[dict-item]
        every={"a": timedelta(minutes=15)},
        clock=lambda: made.now,
        owner="me",
        jitter=0,
    )
    made.poller.state.register_sources([("a", "script")], START)
    yield made
    made.poller.store.close()
    made.poller.state.close()


def post(number: int, at: datetime = START) -> Mention:
    return Mention(f"x:{number}", "x", "a", at, START, f"Police in Croydon, report {number}")


def test_what_the_first_poll_brings_is_history_and_what_follows_is_not(bench: Bench) -> None:
    bench.script.acts = [Page((post(1),), "one"), Page((post(2),), "two")]
    bench.poller.poll("a")
    bench.poller.poll("a")
    assert {m.id: m.history for m in bench.stored()} == {"x:1": True, "x:2": False}


def test_a_failed_first_poll_leaves_the_next_one_the_first(bench: Bench) -> None:
    bench.script.acts = [TemporaryFailure("no"), Page((post(1),), "one")]
    bench.poller.poll("a")
    bench.poller.poll("a")
    assert bench.stored()[0].history


def test_all_pages_of_a_first_look_are_history_though_it_broke_off_and_what_follows_it_is_not(bench: Bench) -> None:
    bench.script.acts = [
        Page((post(1),), "one", more=True),
        Page((post(2),), "two", more=True),
        TemporaryFailure("cut"),
        Page((post(3),), "three"),
        Page((post(4),), "four"),
    ]
    for _ in range(3):
        bench.poller.poll("a")
    assert {m.id: m.history for m in bench.stored()} == {"x:1": True, "x:2": True, "x:3": True, "x:4": False}


def test_a_first_look_of_more_pages_than_one_poll_reads_is_history_to_its_end(bench: Bench) -> None:
    bench.script.acts = [
        *(
            Page((post(n, START - n * timedelta(days=2)),), str(n), more=n < MAX_PAGES + 1)
            for n in range(MAX_PAGES + 2)
        ),
        Page((post(99),), "live"),
    ]
    bench.poller.poll("a")
    assert (bench.row().state, bench.row().succeeded_at) == (SourceState.OK, None)
    weekly = bench.row().weekly
    bench.poller.poll("a")
    assert (bench.row().succeeded_at, bench.row().weekly) == (START, weekly)
    bench.poller.poll("a")
    assert [m.id for m in bench.stored() if not m.history] == ["x:99"]


def test_a_first_look_that_never_ends_becomes_live_all_the_same(bench: Bench) -> None:
    acts = [act for n in range(30) for act in (Page((post(n),), str(n), more=True), TemporaryFailure("cut"))]
    bench.script.acts = list(acts)
    for _ in range(30):
        bench.poller.poll("a")
    assert 0 < sum(m.history for m in bench.stored()) < 30


def test_the_cursor_is_handed_back_and_the_next_check_is_one_interval_away(bench: Bench) -> None:
    bench.script.acts = [Page((), "one"), Page((), "two")]
    bench.poller.poll("a")
    assert bench.row().next_check_at == START + timedelta(minutes=15)
    bench.poller.poll("a")
    assert bench.script.cursors == [None, "one"]


def test_pages_are_read_on_while_there_is_more(bench: Bench) -> None:
    bench.script.acts = [Page((post(1),), "one", more=True), Page((post(2),), "two")]
    poll = bench.poller.poll("a")
    assert poll is not None
    assert (poll.new, bench.script.cursors) == (2, [None, "one"])


def test_a_long_poll_keeps_its_source_and_what_it_reached_page_by_page(bench: Bench) -> None:
    """Each page takes four minutes, and a lease holds for five."""
    taken, known = [], []

    def look(script: Script, cursor: str | None) -> Page:
        known.append((bench.row().cursor, len(bench.stored())))
        bench.now += timedelta(minutes=4)
        taken.append(bench.poller.state.claim("a", "another", bench.now, timedelta(minutes=5)))
        return script.poll(cursor)

    bench.poller.connectors["a"] = Slow(look, bench.script)  # type: ignore[assignment]
    bench.script.acts = [Page((post(n),), str(n), more=n < 3) for n in range(4)]
    bench.poller.poll("a")
    assert taken == [None] * 4
    assert known == [(None, 0), ("0", 1), ("1", 2), ("2", 3)]


def test_a_poll_that_has_lost_its_source_to_another_daemon_leaves_it_alone(bench: Bench) -> None:
    def look(script: Script, cursor: str | None) -> Page:
        bench.now += timedelta(minutes=6)
        assert bench.poller.state.claim("a", "another", bench.now, timedelta(minutes=5))
        return script.poll(cursor)

    bench.poller.connectors["a"] = Slow(look, bench.script)  # type: ignore[assignment]
    bench.script.acts = [Page((post(1),), "one", more=True), Page((post(2),), "two")]
    assert bench.poller.poll("a") is None
    assert (bench.row().cursor, bench.script.cursors) == (None, [None])
    assert bench.poller.state.claim("a", "third", bench.now, timedelta(minutes=5)) is None


def test_a_source_that_always_has_more_gives_others_their_turn_and_is_due_at_once(bench: Bench) -> None:
    bench.script.acts = [Page((), str(n), more=True) for n in range(100)]
    bench.poller.poll("a")
    assert len(bench.script.cursors) < 100
    assert bench.row().next_check_at == START


def test_each_failure_waits_one_interval_longer_up_to_a_day(bench: Bench) -> None:
    bench.poller.every["a"] = timedelta(hours=5)
    bench.script.acts = [TemporaryFailure("down") for _ in range(6)]
    waits = []
    for _ in range(6):
        bench.poller.poll("a")
        waits.append((bench.row().next_check_at - START) // timedelta(hours=1))
    assert waits == [5, 10, 15, 20, 24, 24]
    assert bench.row().state is SourceState.FAILING


def test_a_site_that_refuses_again_without_a_time_is_left_alone_for_longer(bench: Bench) -> None:
    until = START + timedelta(minutes=15)
    bench.script.acts = [RateLimited("slow down", until, told=False) for _ in range(3)]
    bench.poller.poll("a")
    assert bench.row().next_check_at == until
    bench.poller.poll("a")
    assert START + timedelta(minutes=30) <= bench.row().next_check_at < START + timedelta(minutes=75)


def test_who_found_others_at_the_host_comes_again_and_nothing_is_held_against_the_source(bench: Bench) -> None:
    bench.script.acts = [Page((post(1),), "one"), NotItsTurn("busy", START + timedelta(seconds=30)), Page((), "two")]
    bench.poller.poll("a")
    before = bench.row()
    poll = bench.poller.poll("a")
    assert poll is not None
    assert poll.outcome == "waiting"
    after = bench.row()
    assert (after.state, after.failures, after.message) == (before.state, 0, "")
    assert after.next_check_at == START + timedelta(seconds=30)


@dataclass
class Published(Script):
    """A site with a rhythm of its own."""

    keeps_rhythm: ClassVar[bool] = True


def minutes_to_next(bench: Bench, page: Page) -> float:
    bench.script.acts.append(page)
    bench.poller.poll("a")
    return (bench.row().next_check_at - bench.now) / timedelta(minutes=1)


@pytest.fixture
def site(bench: Bench) -> Bench:
    bench.script = Published()
    bench.poller.connectors["a"] = bench.script  # type: ignore[assignment]
    return bench


def posts(count: int, gap: timedelta) -> tuple[Mention, ...]:
    return tuple(post(number, START - number * gap) for number in range(1, count + 1))


@pytest.mark.parametrize(
    ("gap", "minutes"), [(timedelta(hours=1), 5), (timedelta(hours=6), 15), (timedelta(days=30), 60)]
)
def test_a_busy_site_is_asked_sooner_and_a_quiet_one_later(site: Bench, gap: timedelta, minutes: int) -> None:
    assert minutes_to_next(site, Page(posts(100, gap), "one")) == pytest.approx(minutes, rel=0.2)


def test_a_site_never_seen_to_post_is_asked_as_the_settings_say(site: Bench) -> None:
    assert minutes_to_next(site, Page((), "one")) == 15


def test_a_wait_of_seconds_in_the_settings_is_kept_to_as_it_stands(site: Bench) -> None:
    site.poller.every["a"] = timedelta(seconds=30)
    assert minutes_to_next(site, Page(posts(1, timedelta(days=30)), "one")) == 0.5


def test_a_site_is_not_asked_more_often_than_it_wants_to_be(site: Bench) -> None:
    busy = posts(100, timedelta(hours=1))
    assert minutes_to_next(site, Page(busy, "one", expected_rhythm=timedelta(hours=3))) == 180
    site.poller.alarmed = lambda: True
    assert minutes_to_next(site, Page((), "two", expected_rhythm=timedelta(hours=24))) == 60


def test_a_source_that_falls_silent_is_asked_later_by_and_by(site: Bench) -> None:
    minutes_to_next(site, Page(posts(100, timedelta(hours=2)), "one"))
    waits = []
    for day in range(1, 29, 3):
        site.now = START + timedelta(days=day)
        waits.append(minutes_to_next(site, Page((), str(day))))
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (pytest.approx(5, abs=3), 60)


def test_of_a_source_that_nobody_counted_yet_the_store_tells_the_rhythm(site: Bench) -> None:
    minutes_to_next(site, Page(posts(100, timedelta(hours=6)), "one"))
    site.poller.state.save_source(replace(site.row(), weekly=-1.0))
    site.now += timedelta(minutes=15)
    assert minutes_to_next(site, Page((), "two")) == pytest.approx(15, rel=0.2)
    assert site.row().weekly == pytest.approx(25, rel=0.2)


def test_a_full_window_halves_the_wait(site: Bench) -> None:
    usual = minutes_to_next(site, Page(posts(28, timedelta(hours=6)), "one"))
    site.now += timedelta(minutes=15)
    assert minutes_to_next(site, Page((), "two", gap="window full")) == pytest.approx(usual / 2, rel=0.1)
    assert minutes_to_next(site, Page((), "three")) == pytest.approx(usual, rel=0.1)


def test_where_a_site_has_moved_to_is_kept(site: Bench) -> None:
    minutes_to_next(site, Page((), "one", moved_to="https://new.example/feed"))
    assert site.row().moved_to == "https://new.example/feed"


def test_a_page_reached_before_a_failure_is_not_fetched_again(bench: Bench) -> None:
    bench.script.acts = [Page((post(1),), "one", more=True), TemporaryFailure("cut"), Page((), "two")]
    bench.poller.poll("a")
    bench.poller.poll("a")
    assert bench.script.cursors == [None, "one", "one"]
    assert len(bench.stored()) == 1


def test_a_rate_limit_is_waited_out_to_the_second(bench: Bench) -> None:
    until = START + timedelta(minutes=7, seconds=3)
    bench.script.acts = [RateLimited("slow down", until)]
    bench.poller.poll("a")
    assert bench.row().next_check_at == until


def test_a_source_that_needs_attention_stops_until_a_person_resumes_it(bench: Bench) -> None:
    bench.script.acts = [NeedsAttention("sign in"), Page((post(1),), "one")]
    bench.poller.poll("a")
    assert (bench.row().state, bench.row().message) == (SourceState.PAUSED, "sign in")
    assert bench.poller.state.due_sources(START + timedelta(days=9), 9) == []
    bench.poller.state.resume("a", START)
    assert [row.name for row in bench.poller.state.due_sources(START, 9)] == ["a"]


def test_a_bug_in_a_connector_is_logged_and_tried_again_later(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.script.acts = [ZeroDivisionError("secret words of a post")]
    poll = bench.poller.poll("a")
    assert poll is not None
    assert poll.outcome == "bug"
    assert "secret words" not in bench.row().message
    assert bench.row().next_check_at > START


def test_failing_is_warned_of_once_and_recovery_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bench.script.acts = [TemporaryFailure("down"), TemporaryFailure("down"), Page((), "one"), Page((), "two")]
    for _ in range(4):
        bench.poller.poll("a")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_source_leased_to_another_daemon_is_left_to_it(bench: Bench) -> None:
    bench.poller.state.claim("a", "another", START, timedelta(minutes=5))
    assert bench.poller.poll("a") is None
    assert bench.script.cursors == []


def test_while_an_incident_is_open_sources_that_bring_anything_are_asked_sooner(bench: Bench) -> None:
    bench.script.acts = [Page((post(1),), "one")]
    bench.poller.alarmed = lambda: True
    bench.poller.poll("a")
    assert bench.row().next_check_at == START + timedelta(minutes=2)


def test_a_source_silent_far_beyond_its_rhythm_is_doubtful_not_on_time(bench: Bench) -> None:
    hourly = tuple(post(n, START - timedelta(hours=n)) for n in range(200))
    bench.script.acts = [Page(hourly, "one"), Page((), "two"), Page((), "three")]
    bench.poller.poll("a")
    bench.now = START + timedelta(hours=5)
    bench.poller.poll("a")
    assert bench.row().state is SourceState.OK
    bench.now = START + timedelta(hours=40)
    bench.poller.poll("a")
    assert bench.row().state is SourceState.QUIET
    assert "nothing new" in bench.row().message


def test_odd_posts_are_counted_and_their_neighbours_kept(bench: Bench) -> None:
    bench.script.acts = [Page((post(1),), "one", left_out=2, sample="no id")]
    bench.poller.poll("a")
    assert (bench.row().left_out, bench.row().sample, bench.row().mentions) == (2, "no id", 1)


def test_what_comes_long_after_it_was_published_counts_as_late_but_not_at_a_first_poll(bench: Bench) -> None:
    old, fresh = START - timedelta(hours=2), START - timedelta(minutes=70)
    bench.script.acts = [
        Page((post(1, old),), "1"),
        Page((post(2, old), post(3, fresh)), "2"),
        Page((post(2, old),), "3"),
    ]
    for _ in range(3):
        bench.poller.poll("a")
    assert bench.poller.state.arrivals(START.date()) == [Arrivals("a", START.date(), 2, 1)]


def test_what_a_platform_counted_and_what_it_may_have_hidden_are_kept(bench: Bench) -> None:
    hour = Volume(START - timedelta(hours=1), START, 40)
    bench.script.acts = [Page(cursor="1", volume=(hour,), gap="the budget is spent: 40 posts were counted, not read")]
    bench.poller.poll("a")
    assert bench.poller.state.counted(START - timedelta(hours=1)) == [Counted("a", hour.begin, hour.end, 40)]
    assert "40 posts were counted" in bench.poller.state.gaps(START)[0].why


def test_what_a_page_says_is_gone_is_noted_before_the_cursor_moves_on(bench: Bench) -> None:
    noted: list[tuple[str | None, list[str]]] = []
    bench.poller.note_gone = lambda ids: noted.append((bench.row().cursor, list(ids)))
    bench.script.acts = [Page(cursor="1", gone=("a:1", "a:2")), Page(cursor="2")]
    first, second = bench.poller.poll("a"), bench.poller.poll("a")
    assert noted == [(None, ["a:1", "a:2"])]
    assert first is not None
    assert second is not None
    assert (first.gone, second.gone) == (2, 0)
