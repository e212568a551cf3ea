"""The exercise through the command line: real connectors, rules and channels over posts published as they fall due."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mentions.records import Notice
from mentions.sqlstate import open_state
from tests.earshot import earshot
from tests.live_feeds import Site, SiteServer

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
INCIDENT = {"id", "level", "colour", "topic", "watchlist", "first_evidence_at", "opened_at", "crisis_at",
            "resolved_at", "notices"}  # fmt: skip
BROKEN = '{"id": "q1", "platform":'


def a_row(number: int, minutes: float, text: str, **more: object) -> dict[str, object]:
    at = START + timedelta(minutes=minutes)
    return {"id": f"t{number}", "platform": "twitter", "text": text, "time": at.isoformat(), **more}


def a_burst() -> list[dict[str, object]]:
    """An hour with a stray post now and then, then twenty voices at once; nobody has an account name."""
    calm = [a_row(number, number * 20, f"Nice morning, walk number {number}") for number in range(3)]
    return calm + [a_row(10 + n, 62 + n / 3, f"Smoke over the tram depot, {n} of us saw it") for n in range(20)]


def write(path: Path, rows: Sequence[dict[str, object]], *, then: str = "") -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + then, "utf-8")
    return path


def play(folder: Path, *words: str | Path, timeout: float = 60) -> tuple[subprocess.CompletedProcess[str], Any]:
    """One exercise at full speed in `folder`; its report as written, None where there is none."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    options = ("--speed", "max", "--data", "data", "--report", report)
    done = earshot("exercise", *words, *options, cwd=folder, timeout=timeout)
    return done, json.loads(report.read_text("utf-8")) if report.exists() else None


def notices_in(folder: Path) -> list[Notice]:
    state = open_state(f"sqlite:{folder / 'data' / 'state.db'}", readonly=True)
    try:
        return state.notices()
    finally:
        state.close()


def crises(report: Any) -> list[Any]:
    return [each for each in report["incidents"] if each["crisis_at"]]


def as_utc(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    assert at.utcoffset() == timedelta(0)
    return at


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_shipped_scenario_rings_once_loses_nothing_and_says_exercise_everywhere(tmp_path: Path) -> None:
    done, report = play(tmp_path, timeout=280)
    assert done.returncode == 0, done.stderr
    assert report["posts"] == {"published": 401, "stored": 401, "lost": 0, "doubled": 0, "skipped": 0}
    assert all(each.keys() >= INCIDENT for each in report["incidents"])
    (crisis,) = crises(report)
    assert (crisis["level"], crisis["colour"]) == ("crisis", "red")
    times = [as_utc(crisis[key]) for key in ("first_evidence_at", "opened_at", "crisis_at", "resolved_at")]
    assert times == sorted(times)
    assert times[0] > datetime(2026, 3, 10, 12, tzinfo=UTC)
    for notice in crisis["notices"]:
        assert as_utc(notice["queued_at"]) <= as_utc(notice["accepted_at"])
    kinds = [notice["kind"] for notice in crisis["notices"]]
    assert (kinds.count("opened"), kinds[-1]) == (1, "resolved")
    assert kinds.count("update") <= 4
    for told in notices_in(tmp_path):
        assert told.subject.startswith("EXERCISE")
        assert "EXERCISE" in told.body
        assert told.payload["exercise"] is True


def test_a_watchlist_of_the_exercise_rings_for_what_is_no_police_matter(tmp_path: Path) -> None:
    file = write(tmp_path / "posts.jsonl", a_burst())
    done, report = play(tmp_path, file, "--watch", "smoke AND depot")
    assert done.returncode == 0, done.stderr
    (crisis,) = crises(report)
    assert crisis["watchlist"] == "exercise"
    burst = START + timedelta(minutes=62)
    assert burst <= as_utc(crisis["first_evidence_at"]) <= as_utc(crisis["crisis_at"]) <= burst + timedelta(minutes=8)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_second_run_on_the_same_directory_starts_afresh(tmp_path: Path) -> None:
    file = write(tmp_path / "posts.jsonl", a_burst())
    _, watched = play(tmp_path, file, "--watch", "smoke AND depot")
    _, unwatched = play(tmp_path, file)
    assert (len(crises(watched)), crises(unwatched)) == (1, [])
    assert unwatched["posts"] == watched["posts"]


def test_real_channels_hear_of_it_where_asked_marked_exercise(tmp_path: Path) -> None:
    site = Site()
    server = SiteServer(site)
    hook = f'[[channels]]\nname = "hook"\nkind = "webhook"\nurl = "http://{server.address}/hook"\n'
    (tmp_path / "earshot.toml").write_text(hook)
    file = write(tmp_path / "posts.jsonl", a_burst())
    done, report = play(tmp_path, file, "--watch", "smoke AND depot", "--deliver")
    server.close()
    assert done.returncode == 0, done.stderr
    told = [notice for each in report["incidents"] for notice in each["notices"]]
    assert {notice["channel"] for notice in told} == {"hook"}
    assert len(site.received) == len(told) > 0
    for message in site.received:
        assert message["body"]["exercise"] is True
        assert "EXERCISE" in json.dumps(message["body"])


def test_only_the_time_asked_for_is_played(tmp_path: Path) -> None:
    file = write(tmp_path / "posts.jsonl", a_burst())
    _, report = play(tmp_path, file, "--from", "2026-03-10T09:20", "--to", "2026-03-10T10:02")
    assert report["posts"] == {"published": 2, "stored": 2, "lost": 0, "doubled": 0, "skipped": 0}


def test_rows_that_cannot_be_played_are_counted_and_the_first_ten_named(tmp_path: Path) -> None:
    silent = [a_row(50 + number, 1, "") for number in range(10)]
    untimed = {"id": "u1", "platform": "twitter", "text": "When was this?"}
    good = [a_row(number, number, f"Rain again, part {number}") for number in range(2)]
    file = write(tmp_path / "posts.jsonl", [*silent, untimed, *good, good[0]])
    done, report = play(tmp_path, file)
    assert report["posts"] == {"published": 2, "stored": 2, "lost": 0, "doubled": 0, "skipped": 12}
    shown = [line for line in done.stderr.splitlines() if line.startswith(("skipped", "..."))]
    assert (len(shown), shown[-1]) == (11, "... and 2 more")
    assert "posts.jsonl:1: text" in shown[0]
    assert done.returncode == 0, "nothing was unreadable"


def test_lines_that_cannot_be_read_end_it_with_1_although_the_rest_is_played(tmp_path: Path) -> None:
    done, report = play(tmp_path, write(tmp_path / "posts.jsonl", [a_row(1, 0, "Rain again")], then=BROKEN))
    assert (done.returncode, report["posts"]["stored"], report["posts"]["skipped"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--deliver",), "no channels"),
        (("--watch", "NOT rain"), "NOT"),
        (("--speed", "-1"), "--speed"),
        (("--from", "2027-01-01"), "no posts to play"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_starts(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    file = write(tmp_path / "posts.jsonl", [a_row(1, 0, "Rain again")])
    done = earshot("exercise", file, "--data", "data", *words, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "data" / "state.db").exists()
