"""What is usual: hourly counts from the store's tallies, and the range they mostly lie in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.wording import LONDON
from mentions.mention import Rag
from mentions.store import Tally

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ALL = "*"
FEWEST_DAYS = 7  # a range from less than a week would call every Monday unusual


@dataclass(frozen=True, slots=True)
class Counts:
    """Mentions by colour, and of all of them those against and for the police."""

    red: int = 0
    amber: int = 0
    green: int = 0
    none: int = 0
    negative: int = 0
    positive: int = 0

    @property
    def total(self) -> int:
        """All of them, whatever the colour."""
        return self.red + self.amber + self.green + self.none

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.red + other.red,
            self.amber + other.amber,
            self.green + other.green,
            self.none + other.none,
            self.negative + other.negative,
            self.positive + other.positive,
        )


@dataclass(frozen=True, slots=True)
class Range:
    """What nine days in ten stay below and one in ten does, from `days` days of our own past."""

    low: float
    high: float
    days: int


@dataclass(frozen=True, slots=True)
class Past:
    """What 28 days say is usual; `hours` are theirs, over all boroughs."""

    hours: Mapping[datetime, Counts]
    total: Mapping[int, Range]  # by hour of London's clock
    red: Mapping[int, Range]
    amber: Mapping[int, Range]
    boroughs: Mapping[str, Range]  # of 24 hours


Hours = Mapping[str, Mapping[datetime, Counts]]


def sum_hours(tallies: Iterable[Tally]) -> Hours:
    """The tallies as counts per key and hour."""
    found: dict[str, dict[datetime, list[int]]] = {}
    columns = {Rag.RED.value: 0, Rag.AMBER.value: 1, Rag.GREEN.value: 2, Rag.NONE.value: 3}
    for tally in tallies:
        cell = found.setdefault(tally.key, {}).setdefault(tally.at, [0] * 6)
        cell[columns.get(tally.rag, 3)] += tally.count
        cell[4] += tally.negative
        cell[5] += tally.positive
    return {key: {at: Counts(*cell) for at, cell in hours.items()} for key, hours in found.items()}


def total_between(hours: Mapping[datetime, Counts], since: datetime, until: datetime) -> Counts:
    """The sum over full hours that start in [since, until)."""
    return sum((counts for at, counts in hours.items() if since <= at < until), Counts())


def usual_clock(past: Mapping[datetime, int], until: datetime, first: datetime | None) -> dict[int, Range]:
    """The range of each hour of London's clock, from `first` to a day before `until`; empty before a week is known.

    Hours missing from `past` count as zero: we listened and nothing came."""
    if first is None:
        return {}
    found: dict[int, list[int]] = {}
    hour = first
    while hour < until - DAY:
        found.setdefault(hour.astimezone(LONDON).hour, []).append(past.get(hour, 0))
        hour += HOUR
    ranges = {clock: _range(values) for clock, values in found.items()}
    return {clock: usual for clock, usual in ranges.items() if usual}


def usual_day(past: Mapping[datetime, int], until: datetime, first: datetime | None) -> Range | None:
    """The range of 24-hour sums ending at the same hour on past days; None before a week is known."""
    if first is None:
        return None
    days = int((until - DAY - first) / DAY)
    sums = [0] * max(days, 0)
    for at, count in past.items():
        back = int((until - DAY - HOUR - at) / DAY) if at < until - DAY else -1
        if 0 <= back < days:
            sums[back] += count
    return _range(sums)


def _range(values: Sequence[int]) -> Range | None:
    if len(values) < FEWEST_DAYS:
        return None
    ordered = sorted(values)
    return Range(_quantile(ordered, 0.1), _quantile(ordered, 0.9), len(ordered))


def _quantile(ordered: Sequence[int], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def tell_range(usual: Range | None) -> str:
    """The range as people read it: "usual 18 to 29"."""
    if usual is None:
        return "usual not known yet"
    low, high = round(usual.low), round(usual.high)
    return f"usual {low:,}" if low == high else f"usual {low:,} to {high:,}"


def floor_hour(at: datetime) -> datetime:
    """The start of the hour `at` lies in."""
    return at.replace(minute=0, second=0, microsecond=0)
