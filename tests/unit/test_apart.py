"""Work done apart: its results and failures come back, and what runs away takes nothing with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from listener.apart import MOST_MEMORY, Apart
from listener.feeds import Setting, parse_feed
from mentions.failures import NeedsAttention, TemporaryFailure
from tests.faulty_server import item, rss, wait_until

SETTING = Setting("s", "https://site.example/feed", ZoneInfo("Europe/London"), datetime(2026, 6, 9, 12, tzinfo=UTC))


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart(longest=8.0)
    yield made
    made.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"


def test_a_feed_comes_back_as_it_would_from_here(apart: Apart) -> None:
    body = rss(item("1", "Patrols doubled", "by <b>Friday</b>"), item("2", ""))
    assert apart.do(parse_feed, body, None, SETTING) == parse_feed(body, None, SETTING)
    assert apart.pid != os.getpid()


def test_it_knows_none_of_our_credentials(monkeypatch: pytest.MonkeyPatch, apart: Apart) -> None:
    monkeypatch.setenv("EARSHOT_X_BEARER_TOKEN", "not-a-real-token")
    apart.do(len, ())
    given = Path(f"/proc/{apart.pid}/environ").read_bytes()
    assert b"PYTHONPATH=" in given
    assert b"EARSHOT" not in given


def test_a_failure_comes_back_as_the_failure_it_is(apart: Apart) -> None:
    with pytest.raises(NeedsAttention, match="sign-in page"):
        apart.do(parse_feed, b"<html><input type=password></html>", None, SETTING)
    with pytest.raises(TemporaryFailure, match="not a feed"):
        apart.do(parse_feed, b"plain words", None, SETTING)
    assert apart.do(len, b"abc") == 3


def test_a_fault_in_it_is_told_by_its_name_alone(apart: Apart) -> None:
    with pytest.raises(RuntimeError, match="ValueError") as caught:
        apart.do(int, "secret words of a post")
    assert "secret" not in str(caught.value)


def test_what_takes_too_long_is_ended_and_the_next_is_done() -> None:
    apart = Apart(longest=0.5)
    apart.do(len, b"")
    first, began = apart.pid, time.monotonic()
    with pytest.raises(TemporaryFailure, match="time or memory"):
        apart.do(re.match, r"(a+)+$", "a" * 60 + "b")  # never returns, and holds no thread of ours
    assert time.monotonic() - began < 5
    assert apart.do(len, b"abc") == 3
    assert apart.pid != first
    apart.close()


def test_what_takes_too_much_memory_is_left_out(apart: Apart) -> None:
    with pytest.raises(TemporaryFailure, match="memory"):
        apart.do(bytes, 2 * MOST_MEMORY)
    assert apart.do(len, b"abc") == 3


def test_a_process_that_was_killed_is_started_again(apart: Apart) -> None:
    apart.do(len, b"")
    assert apart.pid is not None
    os.kill(apart.pid, 9)
    time.sleep(0.1)
    assert apart.do(len, b"abc") == 3


def test_many_threads_get_their_own_answers(apart: Apart) -> None:
    found: dict[int, int] = {}

    def work(number: int) -> None:
        found[number] = apart.do(len, b"x" * number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(12)}


def test_it_dies_with_a_daemon_that_is_killed() -> None:
    code = (
        "import time; from listener.apart import READING; READING.do(len, b''); print(READING.pid, flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        worker = int(owner.stdout.readline())
        assert is_running(worker)
        owner.kill()
    wait_until(lambda: not is_running(worker), 10)


def test_no_command_that_reads_nothing_starts_it() -> None:
    code = "import sys; import listener.cli, listener.apart; assert listener.apart.READING.pid is None"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
