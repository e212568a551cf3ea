"""The figures of the Now page, read from the store's tallies alone so that a million mentions cost no more than ten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.reading import Books, Moment
from dashboard.usual import (
    ALL,
    DAY,
    HOUR,
    Counts,
    Hours,
    Past,
    Range,
    floor_hour,
    sum_hours,
    total_between,
    usual_clock,
    usual_day,
)
from dashboard.wording import LONDON
from mentions.mention import Assessed, Rag
from mentions.query import parse
from mentions.records import Incident
from mentions.shares import Share, wilson

PAST = 28 * DAY
NEW_HOURS = 3 * HOUR
WINDOWS = {"24h": DAY, "7d": 7 * DAY}
OTHER_GROUND = "City of London"  # another force's
FEWEST = 5  # below this a borough is never called unusual
NEWEST = 20
UNCERTAIN = parse("sentiment:uncertain")
TONES = ("Negative", "Neutral", "Uncertain", "Positive")


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
    tone: tuple[tuple[str, Share], ...]  # the attitudes towards the police, each a share of all; empty without posts
    unusual: tuple[Unusual, ...]
    weighed: int  # boroughs with enough past to say what is usual
    incidents: tuple[Incident, ...]


def read_past(books: Books, until: datetime) -> Past:
    """The 28 days before `until`, weighed. Slow, so the pages keep it."""
    found = sum_hours(books.store.tallies_by_borough(until - PAST, until))
    hours = found.get(ALL, {})
    first = min(hours, default=None)
    boroughs = {}
    for borough in found.keys() - {ALL, "", OTHER_GROUND}:
        usual = usual_day({at: counts.total for at, counts in found[borough].items()}, until, first)
        if usual:
            boroughs[borough] = usual
    return Past(
        hours=hours,
        total=usual_clock({at: counts.total for at, counts in hours.items()}, until, first),
        red=usual_clock({at: counts.red for at, counts in hours.items()}, until, first),
        amber=usual_clock({at: counts.amber for at, counts in hours.items()}, until, first),
        boroughs=boroughs,
    )


def read_day(books: Books, until: datetime) -> Hours:
    """The 24 full hours before `until`. The newest three are always read; what came late for the others is seen
    within a minute or two."""
    edge = until - NEW_HOURS
    held = books.day.get(until, lambda: sum_hours(books.store.tallies_by_borough(until - DAY, edge)), strict=True)
    new = sum_hours(books.store.tallies_by_borough(edge, until))
    return {key: {**held.get(key, {}), **new.get(key, {})} for key in held.keys() | new.keys()}


def read_overview(books: Books, moment: Moment, window: str = "24h") -> Overview:
    """The figures as of `moment`; the running hour is never shown as a finished one."""
    until = floor_hour(moment.now)
    since = until - WINDOWS.get(window, DAY)
    past = books.past.get(until, lambda: read_past(books, until))
    recent = read_day(books, until)
    older = {at: counts for at, counts in past.hours.items() if at < until - DAY}
    live = {**older, **recent.get(ALL, {})}
    span = total_between(live, since, until)
    opened = books.state.incidents(since=since, limit=100)
    return Overview(
        until=until,
        tiles=_make_tiles(books, moment, live, past),
        hours=_line_up(live, past, since, until),
        tone=weigh_tone(span, count_uncertain(books, since, until) if span.total else 0),
        unusual=_find_unusual(past, recent),
        weighed=len(past.boroughs),
        incidents=tuple(found for found in opened if since <= found.opened_at <= moment.now),
    )


def count_uncertain(books: Books, since: datetime, until: datetime) -> int:
    """Posts of which the judgement does not know the attitude; the tallies count only those against and for us."""
    return books.store.count(UNCERTAIN, since=since, until=until)


def weigh_tone(span: Counts, uncertain: int) -> tuple[tuple[str, Share], ...]:
    """Each attitude as a share of all posts, with its interval; uncertain is a band of its own, never neutral."""
    told = span.negative + span.positive
    unknown = min(uncertain, span.total - told)
    bands = (span.negative, span.total - told - unknown, unknown, span.positive)
    shares = (wilson(count, span.total) for count in bands)
    return tuple((name, share) for name, share in zip(TONES, shares, strict=True) if share)


def _make_tiles(books: Books, moment: Moment, live: Mapping[datetime, Counts], past: Past) -> tuple[Tile, ...]:
    now, full = moment.now.astimezone(LONDON).hour, floor_hour(moment.now) - HOUR
    amber = live.get(full, Counts()).amber
    return (
        Tile("■ Red, last 60 min", _count_minutes(books, "red", moment.now), past.red.get(now)),
        Tile("▲ Amber, last full hour", amber, past.amber.get(full.astimezone(LONDON).hour)),
        Tile("All, last 60 min", _count_minutes(books, "relevant", moment.now), past.total.get(now)),
    )


def _count_minutes(books: Books, name: str, now: datetime) -> int:
    minutes = books.store.series(name, now - HOUR, now + timedelta(minutes=1))
    return sum(fresh + history for _, fresh, history in minutes)


def _line_up(
    live: Mapping[datetime, Counts], past: Past, since: datetime, until: datetime
) -> tuple[tuple[datetime, Counts, Range | None], ...]:
    lined, at = [], since
    while at < until:
        lined.append((at, live.get(at, Counts()), past.total.get(at.astimezone(LONDON).hour)))
        at += HOUR
    return tuple(lined)


def _find_unusual(past: Past, recent: Hours) -> tuple[Unusual, ...]:
    found = []
    for borough, usual in past.boroughs.items():
        hours = recent.get(borough, {}).values()
        total = sum(counts.total for counts in hours)
        if (total > usual.high and total >= FEWEST) or total < usual.low:
            found.append(Unusual(borough, total, sum(counts.red for counts in hours), usual))
    return tuple(sorted(found, key=lambda row: (-row.count / (row.usual.high + 1), row.borough)))


def read_newest_red(books: Books, moment: Moment) -> list[Assessed]:
    """The newest red posts of the last 24 hours, newest first; those a first poll or an import brought too, where they
    are among the newest of all."""
    since, until = moment.now - DAY, moment.now + timedelta(minutes=1)
    found = {row.mention.id: row for row in books.store.members("red", since, until, limit=NEWEST)}
    for row in books.store.search(parse(""), since=since, until=until, limit=100):
        if row.assessment.rag is Rag.RED and row.assessment.relevant:
            found.setdefault(row.mention.id, row)
    return sorted(found.values(), key=lambda row: row.mention.published_at, reverse=True)[:NEWEST]
