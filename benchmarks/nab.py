"""Scores `detect` on the NAB realTweets series by NAB's rules: `python -m benchmarks.nab DIRECTORY`."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import exp
from pathlib import Path

from alerts.detect import detect
from alerts.scan import DEFAULT, Bell

PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
EDGE = 0.98661  # what the reward comes to at a window's left edge, so that the best is 1
THRESHOLDS = tuple(round(0.35 + 0.005 * step, 3) for step in range(61))
BIN = timedelta(minutes=5)  # of every series in the set
SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hit earns, and what a false row and a missed window cost."""

    name: str
    hit: float
    false_row: float
    miss: float


PROFILES = (Profile("standard", 1, 0.11, 1), Profile("low FP", 1, 0.22, 1), Profile("low FN", 1, 0.11, 2))
Window = tuple[int, int]  # first and last row, both inside


@dataclass(frozen=True, slots=True)
class Series:
    """One file with its labelled windows."""

    name: str
    lines: tuple[str, ...]
    windows: tuple[Window, ...]

    @property
    def rows(self) -> int:
        return len(self.lines) - 1


def _curve(y: float) -> float:
    return 2 / (1 + exp(5 * y)) - 1


def score_rows(alerts: Iterable[int], windows: Sequence[Window], rows: int, profile: Profile) -> float:
    """What these alert rows earn: each window its best alert or a miss, each alert outside a cost."""
    probation = min(int(PROBATION_SHARE * rows), PROBATION_ROWS)
    best: dict[Window, float] = {}
    lost = 0.0
    for row in alerts:
        if row < probation:
            continue
        inside = next((window for window in windows if window[0] <= row <= window[1]), None)
        if inside:
            earned = profile.hit * _curve(-(inside[1] - row + 1) / (inside[1] - inside[0] + 1)) / EDGE
            best[inside] = max(best.get(inside, earned), earned)
        else:
            lost += profile.false_row * _cost(row, windows)
    return sum(best.values()) - lost - profile.miss * (len(windows) - len(best))


def _cost(row: int, windows: Sequence[Window]) -> float:
    before = [window for window in windows if window[1] < row]
    if not before:
        return 1.0
    left, right = max(before)
    y = (row - right) / (right - left)
    return 1.0 if y > 3 else -_curve(y)


def normalise(earned: float, windows: int, profile: Profile) -> float:
    """0 for saying nothing, 100 for every window at its left edge and nothing else."""
    silence, perfect = -profile.miss * windows, profile.hit * windows
    return 100 * (earned - silence) / (perfect - silence)


def load_series(folder: Path) -> list[Series]:
    """The series of `windows.json` in `folder`."""
    found = []
    labels: Mapping[str, list[list[str]]] = json.loads((folder / "windows.json").read_text("utf-8"))
    for name, spans in labels.items():
        lines = tuple((folder / name).read_text("utf-8").splitlines())
        times = [datetime.fromisoformat(line.split(",")[0]) for line in lines[1:]]
        windows = []
        for start, end in ((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in spans):
            inside = [row for row, at in enumerate(times) if start <= at <= end]
            windows.append((inside[0], inside[-1]))
        found.append(Series(Path(name).stem, lines, tuple(windows)))
    return found


def find_scores(lines: Iterable[str]) -> list[float]:
    """What `detect` scores each row."""
    out = io.StringIO()
    detect(lines, out)
    return [float(line.split(",")[2]) for line in out.getvalue().splitlines()[1:]]


def find_alerts(scores: Iterable[float], threshold: float) -> list[int]:
    """The rows on which `detect --threshold` alerts, given its scores."""
    bell = Bell(BIN, replace(DEFAULT, threshold=threshold))
    return [row for row, score in enumerate(scores) if bell.hear(score)]


def choose_threshold(earned: Mapping[float, float]) -> float:
    """The middle of the thresholds that earn most."""
    top = max(earned.values())
    best = sorted(threshold for threshold, value in earned.items() if value >= top - 1e-9)
    return best[len(best) // 2]


def leave_one_out(table: Mapping[str, Mapping[float, float]]) -> float:
    """What all series earn when each is scored at the threshold chosen on the others. `table`: series -> threshold."""
    total = 0.0
    for name, own in table.items():
        others = {at: sum(rows[at] for other, rows in table.items() if other != name) for at in own}
        total += own[choose_threshold(others)]
    return total


def score_series(series: Sequence[Series]) -> dict[str, dict[str, float]]:
    """Profile -> {"leave one out", "shipped", "best"}: NAB scores of `detect` over these series."""
    scores = {one.name: find_scores(one.lines) for one in series}
    found = {name: {at: find_alerts(own, at) for at in THRESHOLDS} for name, own in scores.items()}
    shipped = {name: find_alerts(own, DEFAULT.threshold) for name, own in scores.items()}
    windows = sum(len(one.windows) for one in series)
    result = {}
    for profile in PROFILES:
        table = {
            one.name: {at: score_rows(rows, one.windows, one.rows, profile) for at, rows in found[one.name].items()}
            for one in series
        }
        earned = {
            "leave one out": leave_one_out(table),
            SHIPPED: sum(score_rows(shipped[one.name], one.windows, one.rows, profile) for one in series),
            "best": max(sum(rows[at] for rows in table.values()) for at in THRESHOLDS),
        }
        result[profile.name] = {name: normalise(value, windows, profile) for name, value in earned.items()}
    return result


def main(arguments: Sequence[str]) -> int:
    """Print the scores of the series in a folder."""
    if len(arguments) != 1:
        print("usage: python -m benchmarks.nab DIRECTORY   (holding windows.json and realTweets/)", file=sys.stderr)
        return 2
    series = load_series(Path(arguments[0]))
    started = time.perf_counter()
    for one in series:
        find_scores(one.lines)
    each = (time.perf_counter() - started) / len(series)
    print(f"{len(series)} series, {sum(len(one.windows) for one in series)} windows, {each:.2f} s a series")
    for profile, scores in score_series(series).items():
        print(f"{profile:<9} " + "  ".join(f"{name} {value:5.1f}" for name, value in scores.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
