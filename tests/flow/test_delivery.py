"""Delivering the outbox: timelines on a fake clock against real receivers, and kill -9 in the middle of it."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest

from alerts.channel import Channel
from alerts.delivery import Delivered, deliver_due
from alerts.incidents import Desk, record
from mentions.mention import Rag
from mentions.records import Finding, Level, Notice, NoticeState
from mentions.sqlstate import open_state
from mentions.state import State
from tests.receivers import SECRET, HookServer

START = datetime(2026, 1, 12, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Hands:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = open_state(f"sqlite:{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", SECRET)


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer().running() as running:
        yield running


@pytest.fixture
def other() -> Iterator[HookServer]:
    with HookServer().running() as running:
        yield running


def open_incidents(state: State, count: int, now: datetime, *channels: str, first: int = 0) -> None:
    """So many crises, each a matter of its own, each with a notice for every channel."""
    findings = [
        Finding("surge", f"k{n:03}", Level.CRISIS, Rag.RED, "It surges.", watchlist=f"w{n}", score=2.0, count=9)
        for n in range(first, first + count)
    ]
    record(findings, now, state, Desk(channels=channels))


def deliver(state: State, clock: Hands, **hooks: HookServer) -> Delivered:
    channels = {name: channel_to(server.port) for name, server in hooks.items()}
    return deliver_due(state, channels, clock, jitter=lambda: 0.5)


@lru_cache
def channel_to(port: int) -> Channel:
    return HookServer(port=port).channel()


def watch(state: State, clock: Hands, minutes: float, **hooks: HookServer) -> None:
    """What the daemon does: look whenever something is due."""
    until = clock.time + minutes * MINUTE
    while (due := state.next_due_at()) and due <= until:
        clock.time = max(clock.time, due)
        deliver(state, clock, **hooks)
    clock.time = until


def titles(server: HookServer) -> list[str]:
    return [received.raw["incident"]["title"] for received in server.received]


def by_state(state: State) -> Counter[NoticeState]:
    return Counter(notice.state for notice in state.notices())


def test_what_is_accepted_is_sent_once(state: State, clock: Hands, hook: HookServer) -> None:
    open_incidents(state, 3, START, "hook")
    assert deliver(state, clock, hook=hook) == Delivered(accepted=3)
    assert deliver(state, clock, hook=hook) == Delivered()
    assert titles(hook) == ["w0", "w1", "w2"]
    (first, *_) = state.notices()
    assert (first.state, first.accepted_at, first.attempts) == (NoticeState.ACCEPTED, START, 1)


def test_one_channel_down_for_hours_harms_no_other_and_drains_in_order(
    state: State, clock: Hands, hook: HookServer, other: HookServer
) -> None:
    hook.answers = ["broken"]
    for number in range(6):
        open_incidents(state, 2, clock.time, "hook", "other", first=2 * number)
        deliver(state, clock, hook=hook, other=other)
        assert len(other.received) == 2 * (number + 1)
        watch(state, clock, 25, hook=hook, other=other)
    assert hook.received == []
    hook.answers = ["ok"]
    watch(state, clock, 16, hook=hook, other=other)
    expected = [f"w{number}" for number in range(12)]
    assert titles(hook) == titles(other) == expected


def test_what_comes_while_a_channel_is_down_does_not_overtake(state: State, clock: Hands, hook: HookServer) -> None:
    hook.answers = ["broken"]
    open_incidents(state, 2, START, "hook")
    watch(state, clock, 30, hook=hook)
    hook.answers = ["ok"]
    open_incidents(state, 1, clock.time, "hook", first=2)
    deliver(state, clock, hook=hook)
    assert titles(hook) == ["w0", "w1", "w2"]


def test_a_channel_that_failed_is_not_hammered(state: State, clock: Hands, hook: HookServer) -> None:
    asked: list[float] = []
    hook.answers = ["broken"]
    open_incidents(state, 20, START, "hook")
    while clock.time < START + 60 * MINUTE:
        assert deliver(state, clock, hook=hook) == Delivered(failed=1)
        asked.append((clock.time - START).total_seconds())
        clock.time = state.next_due_at() or START
    assert asked[:7] == [0, 15, 45, 105, 225, 465, 945]  # doubling ...
    assert {later - earlier for earlier, later in pairwise(asked[6:])} == {900}  # ... up to 15 min
    assert {notice.attempts for notice in state.notices()} == {len(asked), 0}
    assert "in trouble (500)" in state.notices()[0].message


def test_waits_are_spread_so_that_many_do_not_come_back_at_once(state: State, clock: Hands, hook: HookServer) -> None:
    hook.answers = ["broken"]
    open_incidents(state, 1, START, "hook")
    waits = []
    for jitter in (0.0, 1.0):
        (notice,) = state.notices()
        state.settle_notice(replace(notice, attempts=0, due_at=START))
        deliver_due(state, {"hook": hook.channel()}, clock, jitter=lambda jitter=jitter: jitter)  # type: ignore[misc]
        waits.append((state.notices()[0].due_at - START).total_seconds())
    assert waits == [12, 18]


def test_a_channel_that_asks_for_patience_gets_it_on_our_clock(state: State, clock: Hands, hook: HookServer) -> None:
    hook.answers, hook.retry_after = ["limited", "ok"], "600"
    open_incidents(state, 2, START, "hook")
    deliver(state, clock, hook=hook)
    due = {round((notice.due_at - START).total_seconds() / 10) for notice in state.notices()}
    assert due == {60}
    clock.time += 11 * MINUTE
    assert deliver(state, clock, hook=hook).accepted == 2


def test_a_refused_notice_waits_for_a_person_and_does_not_block_the_next(
    state: State, clock: Hands, hook: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = ["refused", "ok", "refused", "refused", "ok"]
    open_incidents(state, 2, START, "hook")
    with caplog.at_level(logging.INFO):
        assert deliver(state, clock, hook=hook) == Delivered(accepted=1, failed=1)
        watch(state, clock, 46, hook=hook)
    assert titles(hook) == ["w1", "w0"]
    refused = state.notices()[0]
    assert (refused.attempts, refused.state) == (4, NoticeState.ACCEPTED)
    assert [entry.levelname for entry in caplog.records if "w0" not in entry.message] == ["ERROR", "INFO"]


def test_a_channel_that_refuses_everything_is_left_alone_after_three(
    state: State, clock: Hands, hook: HookServer
) -> None:
    hook.answers = ["refused"]
    open_incidents(state, 10, START, "hook")
    assert deliver(state, clock, hook=hook) == Delivered(failed=3)
    assert {notice.due_at for notice in state.notices()} == {START + 15 * MINUTE}


def test_after_a_day_a_notice_is_dead_and_its_incident_and_the_log_say_so(
    state: State, clock: Hands, hook: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = ["broken"]
    open_incidents(state, 1, START, "hook")
    clock.time += timedelta(hours=23, minutes=50)
    assert deliver(state, clock, hook=hook).dead == 0
    clock.time += 20 * MINUTE
    assert deliver(state, clock, hook=hook) == Delivered(failed=1, dead=1)
    (notice,) = state.notices()
    assert notice.state is NoticeState.DEAD
    assert "could not be told" in state.transitions(notice.incident_id)[-1].reason
    assert any(entry.levelname == "ERROR" and "given_up" in entry.message for entry in caplog.records)
    hook.answers = ["ok"]
    clock.time += timedelta(hours=1)
    assert deliver(state, clock, hook=hook) == Delivered()


def test_a_channel_taken_out_of_the_settings_keeps_its_notices(state: State, clock: Hands, hook: HookServer) -> None:
    open_incidents(state, 1, START, "gone")
    assert deliver(state, clock) == Delivered(failed=1)
    assert 'no channel "gone" in the settings' in state.notices()[0].message
    clock.time += 16 * MINUTE
    assert deliver(state, clock, gone=hook) == Delivered(accepted=1)


def test_a_bug_in_a_channel_costs_nobody_a_notice(
    state: State, clock: Hands, hook: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        """A channel that somebody got wrong."""

        def send(self, notice: Notice) -> None:
            raise ZeroDivisionError

    open_incidents(state, 1, START, "broken", "hook")
    channels = {"broken": Broken(), "hook": hook.channel()}
    assert deliver_due(state, channels, clock) == Delivered(accepted=1, failed=1)  # type: ignore[arg-type]
    assert by_state(state) == {NoticeState.ACCEPTED: 1, NoticeState.QUEUED: 1}
    assert any(entry.exc_info for entry in caplog.records)


def test_a_channel_that_hangs_does_not_hold_up_the_others(
    state: State, clock: Hands, hook: HookServer, other: HookServer
) -> None:
    hook.answers = ["hang"]
    open_incidents(state, 3, START, "a-hanging-one", "other")
    channels = {"a-hanging-one": hook.channel(timeout=4.0), "other": other.channel()}
    thread = threading.Thread(target=deliver_due, args=(state, channels, clock))
    thread.start()
    while len(other.received) < 3 and thread.is_alive():
        time.sleep(0.01)
    assert thread.is_alive(), "the others were only served after the hanging one was given up"
    thread.join()


def test_a_failure_is_told_once_and_so_is_its_end(
    state: State, clock: Hands, hook: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = ["broken", "broken", "broken", "ok"]
    open_incidents(state, 1, START, "hook")
    with caplog.at_level(logging.INFO):
        watch(state, clock, 5, hook=hook)
    assert [entry.levelname for entry in caplog.records if entry.name == "alerts.delivery"] == ["WARNING", "INFO"]
    assert SECRET not in caplog.text


KILLS = 10
WORKER = """
import sys, time
from datetime import timedelta
from alerts.channels import build_channel
from alerts.channel import Channel
from alerts.delivery import deliver_due
from mentions.clock import utc_now
from mentions.sqlstate import open_state

state = open_state(sys.argv[1])
channels = {
    name: build_channel("webhook", name, {"url": url, "secret_env": "TEST_SECRET"})
    for name, url in (pair.split("=", 1) for pair in sys.argv[2:])
}
while True:
    deliver_due(state, channels, utc_now, lease=timedelta(seconds=1))
    time.sleep(0.02)
"""


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@pytest.mark.slow
def test_kill_9_in_the_middle_of_delivery_loses_nothing_and_repeats_carry_their_key(
    tmp_path: Path, hook: HookServer, other: HookServer
) -> None:
    state = open_state(f"sqlite:{tmp_path}/state.db")
    open_incidents(state, 60, datetime.now(UTC), "hook", "other")
    servers = {"hook": hook, "other": other}
    addresses = [f"{name}=http://127.0.0.1:{server.port}/" for name, server in servers.items()]
    command = [sys.executable, "-c", WORKER, f"sqlite:{tmp_path}/state.db", *addresses]
    chance = random.Random(4)
    hook.pause = other.pause = 0.05  # on a busy machine the kill is seconds late, and some must be left to deliver
    for _ in range(KILLS):
        goal = len(hook.received) + chance.randint(2, 4)
        worker = subprocess.Popen(command)
        wait_for(lambda goal=goal, worker=worker: worker.poll() is None and len(hook.received) >= goal)  # type: ignore[misc]
        time.sleep(chance.random() * 0.1)
        worker.kill()
        worker.wait()
    assert by_state(state)[NoticeState.QUEUED], "the kills came too late to show anything"
    hook.pause = other.pause = 0.0
    worker = subprocess.Popen(command)
    wait_for(lambda: by_state(state) == {NoticeState.ACCEPTED: 120})
    worker.kill()
    worker.wait()
    for name, server in servers.items():
        arrived = Counter(received.key for received in server.received)
        assert set(arrived) == {notice.key for notice in state.notices() if notice.channel == name}
        assert sum(arrived.values()) - len(arrived) <= KILLS
        firsts = list(dict.fromkeys(titles(server)))
        assert firsts == [f"w{number}" for number in range(60)]
    state.close()
