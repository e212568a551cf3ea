"""The figures of the Now page, read from the store's tallies alone so that a million mentions cost no more than ten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from dashboard.reading import Books, Moment
from dashboard.usual import (
    ALL,
    DAY,
    HOUR,
    Counts,
    Range,
    Share,
    floor_hour,
    sum_hours,
    total_between,
    usual_day,
    usual_hour,
    wilson,
)
from mentions.mention import Assessed, Rag
from mentions.query import parse
from mentions.records import Incident

PAST = 28 * DAY
WINDOWS = {"24h": DAY, "7d": 7 * DAY}
OTHER_GROUND = "City of London"  # another force's
FEWEST = 5  # below this a borough is never called unusual
NEWEST = 20


@dataclass(frozen=True, slots=True)
class Tile:
    """One number, the time it is for and what is usual."""

    label: str
    count: int
    usual: Range | None


@dataclass(frozen=True, slots=True)
class Unusual:
    """A borough whose last 24 full hours lie outside its own usual range."""

    borough: str
    count: int
    red: int
    usual: Range


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the Now page draws beside the state line. `hours` are full ones, oldest first."""

    until: datetime  # end of the last full hour
    tiles: tuple[Tile, ...]
    hours: tuple[tuple[datetime, Counts, Range | None], ...]
    negative: Share | None
    positive: Share | None
    unusual: tuple[Unusual, ...]
    weighed: int  # boroughs with enough past to say what is usual
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Hourly counts of the 28 days before, per borough and in all (`ALL`)."""

    hours: Mapping[str, Mapping[datetime, Counts]]
    first: datetime | None


@lru_cache(maxsize=4)
def read_past(books: Books, until: datetime, _fresh: int) -> Past:
    """What came before `until`; kept until the hour turns or `_fresh` (wall time in tens of minutes) does."""
    hours = sum_hours(books.store.tallies_by_borough(until - PAST, until))
    return Past(hours, min(hours.get(ALL, {}), default=None))


def read_overview(books: Books, moment: Moment, window: str = "24h") -> Overview:
    """The figures as of `moment`; the running hour is never shown as a finished one."""
    until = floor_hour(moment.now)
    since = until - WINDOWS.get(window, DAY)
    past = read_past(books, until, int(moment.wall.timestamp() // 600))
    recent = sum_hours(books.store.tallies_by_borough(until - DAY, until))
    live = {**past.hours.get(ALL, {}), **recent.get(ALL, {})}
    span = total_between(live, since, until)
    judged = span.total
    unusual, weighed = _find_unusual(past, recent, until)
    marks = tuple(
        found for found in books.state.incidents(since=since, limit=100) if since <= found.opened_at <= moment.now
    )
    return Overview(
        until=until,
        tiles=_make_tiles(books, moment, live, past),
        hours=_line_up(live, past, since, until),
        negative=wilson(span.negative, judged),
        positive=wilson(span.positive, judged),
        unusual=unusual,
        weighed=weighed,
        incidents=marks,
    )


def _make_tiles(books: Books, moment: Moment, live: Mapping[datetime, Counts], past: Past) -> tuple[Tile, ...]:
    until = floor_hour(moment.now)
    hour = until - HOUR
    total = {at: counts.total for at, counts in past.hours.get(ALL, {}).items()}
    red = {at: counts.red for at, counts in past.hours.get(ALL, {}).items()}
    amber = {at: counts.amber for at, counts in past.hours.get(ALL, {}).items()}
    return (
        Tile("■ Red, last 60 min", _count_minutes(books, "red", moment.now), usual_hour(red, until, past.first)),
        Tile("▲ Amber, last full hour", live.get(hour, Counts()).amber, usual_hour(amber, hour, past.first)),
        Tile("All, last 60 min", _count_minutes(books, "relevant", moment.now), usual_hour(total, until, past.first)),
    )


def _count_minutes(books: Books, name: str, now: datetime) -> int:
    minutes = books.store.series(name, now - HOUR, now + timedelta(minutes=1))
    return sum(fresh + history for _, fresh, history in minutes)


def _line_up(
    live: Mapping[datetime, Counts], past: Past, since: datetime, until: datetime
) -> tuple[tuple[datetime, Counts, Range | None], ...]:
    lined, at = [], since
    while at < until:
        lined.append((at, live.get(at, Counts()), _usual_all(past, at)))
        at += HOUR
    return tuple(lined)


@lru_cache(maxsize=1024)
def _usual_all(past: Past, at: datetime) -> Range | None:
    before = {hour: counts.total for hour, counts in past.hours.get(ALL, {}).items()}
    return usual_hour(before, at, past.first)


def _find_unusual(
    past: Past, recent: Mapping[str, Mapping[datetime, Counts]], until: datetime
) -> tuple[tuple[Unusual, ...], int]:
    found, weighed = [], 0
    for borough in sorted((past.hours.keys() | recent.keys()) - {ALL, "", OTHER_GROUND}):
        before = {at: counts.total for at, counts in past.hours.get(borough, {}).items()}
        usual = usual_day(before, until, past.first)
        if usual is None:
            continue
        weighed += 1
        day = total_between(recent.get(borough, {}), until - DAY, until)
        if (day.total > usual.high and day.total >= FEWEST) or day.total < usual.low:
            found.append(Unusual(borough, day.total, day.red, usual))
    found.sort(key=lambda row: row.count / (row.usual.high + 1), reverse=True)
    return tuple(found), weighed


def read_newest_red(books: Books, moment: Moment) -> list[Assessed]:
    """The newest red posts of the last 24 hours, newest first; those a first poll or an import brought too, where they
    are among the newest of all."""
    since, until = moment.now - DAY, moment.now + timedelta(minutes=1)
    found = {row.mention.id: row for row in books.store.members("red", since, until, limit=NEWEST)}
    for row in books.store.search(parse(""), since=since, until=until, limit=100):
        if row.assessment.rag is Rag.RED and row.assessment.relevant:
            found.setdefault(row.mention.id, row)
    return sorted(found.values(), key=lambda row: row.mention.published_at, reverse=True)[:NEWEST]
