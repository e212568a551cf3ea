"""Whether enough is heard: each source against its own past, what may have been missed, and what nobody listens to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from mentions.reach import CLOSED, Reach, name_of
from mentions.records import Arrivals, Counted, SourceGap, SourceRow, SourceState
from mentions.store import Tally

R = TypeVar("R", SourceGap, Arrivals, Counted)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
PAST = 28 * DAY
SILENT_FROM = 5.0  # where so many are expected and come at random, none at all comes once in 150 times
FEW_FROM, FEW = 10.0, 0.25  # so many expected, less than this share of them seen
HEARD_WITHIN = HOUR  # one failed try does not make a source unheard
MOST_UNHEARD = 0.2  # of what usually comes; above it "no mentions" cannot be said
UNKNOWN_RATE = 1.0  # posts a day that a source without a past counts for


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """One source: `seen` in the last `window` where `expected` is usual (None before its past is known), what arrived
    in the last week and how much of that late, and its gaps of that week. `verdict` is one of the words below."""

    source: str
    kind: str
    verdict: str
    window: timedelta
    expected: float | None
    seen: int
    rate: float  # posts a day of its past
    arrived: int
    late: int
    gaps: tuple[SourceGap, ...]
    counted: int | None = None  # by the platform itself, in the last day; None where it counts nothing


AS_USUAL, SILENT, FEWER, GAP, UNHEARD, OFF, NEW = (
    "as usual", "silent", "fewer than usual", "gap", "not heard", "not configured", "no past yet",
)  # fmt: skip
LOST = (SILENT, GAP, UNHEARD)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All of it. `reason` says why it is not adequate, or what weakens it although it is; "" where nothing does.
    `blind_spots` names what is not listened to, with the reason."""

    sources: tuple[SourceCoverage, ...]
    adequate: bool
    reason: str
    blind_spots: Mapping[str, str]
    boroughs_without_source: tuple[str, ...]


def weigh_coverage(
    rows: Sequence[SourceRow],
    tallies: Iterable[Tally],
    gaps: Sequence[SourceGap],
    arrivals: Sequence[Arrivals],
    counted: Sequence[Counted],
    reach: Reach,
    boroughs: Sequence[str],
    now: datetime,
) -> Coverage:
    """`rows` as they are now, `tallies` by source of the last 28 days, the others of the last seven."""
    hours: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for tally in tallies:
        hours[tally.key][tally.at] += tally.count
    own_gaps, own_arrivals, own_counted = by_source(gaps), by_source(arrivals), by_source(counted)
    weighed = (_weigh(row, hours.get(row.name, {}), own_gaps[row.name], own_arrivals[row.name], now) for row in rows)
    sources = tuple(replace(each, counted=_sum_counted(own_counted[each.source], now)) for each in weighed)
    adequate, reason = _judge(sources)
    covered = {
        borough for row in rows if row.state is not SourceState.OFF for borough in reach.patches.get(row.name, ())
    }
    return Coverage(
        sources=sources,
        adequate=adequate,
        reason=reason,
        blind_spots=_blind_spots(rows, reach),
        boroughs_without_source=tuple(each for each in boroughs if each not in covered),
    )


def by_source(rows: Sequence[R]) -> dict[str, list[R]]:
    """The rows of each source, in their order; none for a source that has none."""
    found: dict[str, list[R]] = defaultdict(list)
    for row in rows:
        found[row.source].append(row)
    return found


def _weigh(
    row: SourceRow,
    hours: Mapping[datetime, int],
    gaps: Sequence[SourceGap],
    arrivals: Sequence[Arrivals],
    now: datetime,
) -> SourceCoverage:
    rate = _rate(hours, now, DAY, 3 * DAY)
    window = DAY
    if rate is None or rate < SILENT_FROM:
        weekly = _rate(hours, now, WEEK, 2 * WEEK)
        rate, window = (weekly, WEEK) if weekly is not None else (rate, DAY)
    seen = sum(count for at, count in hours.items() if now - window <= at < now)
    expected = None if rate is None else rate * (window / DAY)
    return SourceCoverage(
        source=row.name,
        kind=row.kind,
        verdict=_verdict(row, expected, seen, gaps, now),
        window=window,
        expected=expected,
        seen=seen,
        rate=rate if rate is not None else UNKNOWN_RATE,
        arrived=sum(each.new for each in arrivals),
        late=sum(each.late for each in arrivals),
        gaps=tuple(gaps),
    )


def _sum_counted(counted: Sequence[Counted], now: datetime) -> int | None:
    own = [each.posts for each in counted if now - DAY < each.ends_at]
    return sum(own) if own else None


def _rate(hours: Mapping[datetime, int], now: datetime, window: timedelta, least: timedelta) -> float | None:
    """Posts a day before the window; None where the source's past before it is shorter than `least`."""
    until = now - window
    first = min((at for at in hours if at >= now - PAST), default=None)
    if first is None or until - first < least:
        return None
    return sum(count for at, count in hours.items() if first <= at < until) / ((until - first) / DAY)


def _verdict(row: SourceRow, expected: float | None, seen: int, gaps: Sequence[SourceGap], now: datetime) -> str:
    if row.state is SourceState.OFF:
        return OFF
    unheard = row.state in (SourceState.PAUSED, SourceState.NEVER) or row.succeeded_at is None
    if unheard or (row.state is SourceState.FAILING and now - (row.succeeded_at or now) > HEARD_WITHIN):
        return UNHEARD
    if any(now - gap.at <= DAY for gap in gaps):
        return GAP
    if expected is None:
        return SILENT if row.state is SourceState.QUIET else NEW
    if seen == 0 and (expected >= SILENT_FROM or row.state is SourceState.QUIET):
        return SILENT
    return FEWER if expected >= FEW_FROM and seen < expected * FEW else AS_USUAL


def _judge(sources: Sequence[SourceCoverage]) -> tuple[bool, str]:
    live = [each for each in sources if each.verdict != OFF]
    if not sources:
        return False, "no sources are set up"
    if not live:
        return False, "no source is configured in full"
    lost = sorted((each for each in live if each.verdict in LOST), key=lambda each: -each.rate)
    if not lost:
        return True, ""
    whole, missing = sum(each.rate for each in live), sum(each.rate for each in lost)
    share = missing / whole if whole else len(lost) / len(live)
    told = ", ".join(f"{each.source} ({each.verdict})" for each in lost[:3])
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    return (
        share <= MOST_UNHEARD,
        f"about {max(share, 0.01):.0%} of what usually comes is not heard in full: {told}{more}",
    )


def _blind_spots(rows: Sequence[SourceRow], reach: Reach) -> dict[str, str]:
    spots = dict(CLOSED)
    for kind in sorted(reach.kinds):
        own = [row for row in rows if row.kind == kind]
        if not own:
            spots[name_of(kind)] = "no source of this kind is set up"
        elif all(row.state is SourceState.OFF for row in own):
            spots[name_of(kind)] = f"not configured: {', '.join(row.name for row in own)}"
    return spots
