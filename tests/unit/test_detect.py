"""`detect`: any regular series in, scores and alerts out; what cannot be read is named by its line."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.detect import detect
from mentions.failures import UserError

START = datetime(2024, 5, 1)  # noqa: DTZ001 - series files hold naive times


def write_series(counts: list[int], step: timedelta = timedelta(minutes=5)) -> list[str]:
    return ["timestamp,value", *(f"{START + at * step},{count}" for at, count in enumerate(counts))]


def run(lines: list[str], threshold: float | None = None) -> list[dict[str, str]]:
    out = io.StringIO()
    assert detect(lines, out, threshold) == 0
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_rows_come_back_as_given_with_score_and_alert() -> None:
    rows = run(["timestamp,value", "2024-05-01 00:00:53,104", "2024-05-01 00:05:53,2.5"])
    assert [list(row) for row in rows] == [["timestamp", "value", "score", "alert"]] * 2
    assert [(row["timestamp"], row["value"]) for row in rows] == [
        ("2024-05-01 00:00:53", "104"),
        ("2024-05-01 00:05:53", "2.5"),
    ]
    assert all(0 <= float(row["score"]) <= 1 and row["alert"] in "01" for row in rows)


def test_a_burst_is_an_alert_and_calm_is_not() -> None:
    rows = run(write_series([1, 0, 2, 1] * 200 + [40, 50]))
    assert [at for at, row in enumerate(rows) if row["alert"] == "1"] == [800]


@settings(max_examples=15)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=80), st.data())
def test_cutting_a_file_short_changes_no_row_that_is_left(counts: list[int], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(counts)))
    lines = write_series(counts)
    assert run(lines[: cut + 1]) == run(lines)[:cut]


@pytest.mark.parametrize("step", [timedelta(seconds=60), timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)])
def test_any_regular_interval_is_read(step: timedelta) -> None:
    rows = run(write_series([2] * 400 + [400], step))
    assert rows[-1]["alert"] == "1"


def test_a_file_without_a_header_is_read() -> None:
    assert run(write_series([1, 2, 3])[1:]) == run(write_series([1, 2, 3]))


def test_zones_a_byte_order_mark_blank_lines_and_windows_line_ends_are_read() -> None:
    lines = ["\ufefftimestamp,value\r\n", "2024-05-01T00:00:00Z,1\r\n", "\r\n", "2024-05-01T00:05:00+00:00,2\r\n"]
    assert [row["timestamp"] for row in run(lines)] == ["2024-05-01T00:00:00Z", "2024-05-01T00:05:00+00:00"]


def test_a_higher_threshold_alerts_less() -> None:
    lines = write_series([1, 0, 2, 1] * 200 + [12, 14, 9])
    assert [row["score"] for row in run(lines, 0.95)] == [row["score"] for row in run(lines)]
    assert not any(row["alert"] == "1" for row in run(lines, 0.95))
    assert any(row["alert"] == "1" for row in run(lines))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["2024-05-01 00:00,1", "2024-05-01 00:05,1", "2024-05-01 00:20,1"], "line 4: found a step of 0:15:00"),
        (["2024-05-01 00:05,1", "2024-05-01 00:00,1"], "line 3: 2024-05-01 00:00 is not after"),
        (["2024-05-01 00:05,1", "2024-05-01 00:05,1"], "line 3: 2024-05-01 00:05 is not after"),
        (["2024-05-01 00:00,1", "2024-05-01 00:05,many"], "line 3: found 'many'"),
        (["2024-05-01 00:00,1", "2024-05-01 00:05,-1"], "line 3: found '-1'"),
        (["2024-05-01 00:00,nan"], "line 2: found 'nan'"),
        (["yesterday at 5,1"], "line 2: found 'yesterday at 5'"),
        (["2024-05-01 00:00"], "line 2: found one column"),
        (["2024-05-01 00:00,1", "2024-05-01 00:05Z,1"], "line 3: times with and without a zone"),
        ([], "no rows"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line_and_nothing_is_written(rows: list[str], said: str) -> None:
    out = io.StringIO()
    with pytest.raises(UserError, match=said):
        detect(["timestamp,value", *rows], out, None)
    assert not out.getvalue()


@pytest.mark.parametrize("threshold", [-0.1, 7, float("nan")])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(UserError, match="from 0 to 1"):
        run(write_series([1, 2, 3]), threshold)
