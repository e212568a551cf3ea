"""The shipped scan on recorded series: NAB's tweets by NAB's rules, and real crises counted by the minute."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.detect import detect
from benchmarks.nab import PROFILES, Window, leave_one_out, load_series, normalise, score_rows, score_series

STANDARD = PROFILES[0]
WINDOWS: list[Window] = [(2000, 2099), (3000, 3099)]


def earn(alerts: list[int]) -> float:
    return normalise(score_rows(alerts, WINDOWS, 10_000, STANDARD), len(WINDOWS), STANDARD)


def test_the_scorer_gives_nothing_for_silence_and_all_for_the_left_edges() -> None:
    assert earn([]) == 0
    assert earn([2000, 3000]) == pytest.approx(100, abs=0.01)


def test_the_scorer_credits_a_window_once_by_its_best_alert() -> None:
    assert earn([2000, 2050, 2099]) == earn([2000])
    assert earn([2099]) < earn([2050]) < earn([2000])


def test_the_scorer_charges_every_row_outside_more_the_farther_it_is() -> None:
    near, far = earn([2000, 2101]), earn([2000, 2900])
    assert far < near < earn([2000])
    assert earn([2000, 2900, 2901]) < far
    assert earn([800]) == pytest.approx(-100 * 0.11 / 4)


def test_the_scorer_leaves_out_the_first_rows() -> None:
    assert earn([0, 10, 749]) == 0


def test_a_threshold_is_chosen_without_the_series_it_is_used_on() -> None:
    table = {"a": {0.4: 1.0, 0.5: 0.0}, "b": {0.4: 0.0, 0.5: 3.0}}
    assert leave_one_out(table) == 0


def test_realtweets_score_75_or_more_with_the_threshold_fixed_on_other_series(shared: Path) -> None:
    scores = score_series(load_series(shared / "nab"))
    assert scores["standard"]["leave one out"] >= 75
    assert scores["standard"]["shipped"] >= 75
    assert scores["low FP"]["shipped"] >= 70


def count_by_minute(path: Path, keep: Callable[[Any], bool] = lambda row: True) -> list[str]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    times = [datetime.fromisoformat(row["time"]).replace(second=0) for row in rows if keep(row)]
    counts, first = Counter(times), min(times)
    minutes = (max(times) - first) // timedelta(minutes=1) + 1
    stamps = [first + timedelta(minutes=at) for at in range(minutes)]
    return ["timestamp,value", *(f"{stamp.isoformat()},{counts[stamp]}" for stamp in stamps)]


def is_on_topic(row: Any) -> bool:
    return bool(row["labels"]["on_topic"])


@pytest.mark.parametrize(
    ("path", "keep", "window"),
    [
        (
            "crisislex_glasgow_2013/2013_glasgow_helicopter_crash_volume.jsonl",
            None,
            ("2013-11-29T22:42Z", "2013-11-29T22:55Z"),
        ),
        (
            "crisislex_other/2013_la_airport_shootings_volume.jsonl",
            None,
            ("2013-11-01T16:27Z", "2013-11-01T16:50Z"),
        ),
        (
            "crisislex_other/2013_west_texas_explosion_on_off_topic.jsonl",
            is_on_topic,
            ("2013-04-18T00:59Z", "2013-04-18T01:40Z"),
        ),
    ],
)
def test_a_crisis_counted_by_the_minute_alerts_in_time_and_not_before(
    shared: Path, path: str, keep: Callable[[Any], bool] | None, window: tuple[str, str]
) -> None:
    out = io.StringIO()
    detect(count_by_minute(shared / "corpora" / path, keep or (lambda row: True)), out)
    rows = [line.split(",") for line in out.getvalue().splitlines()[1:]]
    first = next(datetime.fromisoformat(stamp) for stamp, _, _, alert in rows if alert == "1")
    since, until = (datetime.fromisoformat(edge) for edge in window)
    assert since <= first <= until
