"""Looking up whether a matter is public: what the store holds of the press, of officials and of the force itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from time import monotonic

from analysis.public_domain import Told, amber_topics, family_of, find_told, is_open, tells, window_of
from listener.paging import pages
from mentions.facets import facet
from mentions.mention import PRESS_PLATFORMS, Assessed, Rag
from mentions.query import And, Field, Not, Or, Query
from mentions.store import MentionStore

LOOK_BACK = timedelta(hours=24)  # news that come later than that lower nothing by themselves; a rescore does
MOST_OPEN = 500
MOST_RED = 20_000  # read to find those
MOST_READ = 5000  # rows of one topic's family and day, newest first: of the press and us, and of others
AT_ONCE = 2.0  # seconds a tick takes before it leaves the rest to the next


def lower_told(store: MentionStore, now: datetime, looked: set[str] | None = None, at_once: float = AT_ONCE) -> int:
    """Find the last hours' mentions that are red only because their matter was not known to be public, and lower those
    that somebody has told since; how many. May be repeated at any time. What waits for its judgement is left to that.
    `looked` holds whom a tick broken off has looked at already: the next goes on with the others."""
    ends, looked = monotonic() + at_once, set() if looked is None else looked
    red = And((_topics(amber_topics()), Field("rag", str(Rag.RED))))
    found = (each for each in islice(pages(store, red, now - LOOK_BACK), MOST_RED) if is_open(each))
    held = list(islice((each for each in found if not each.assessment.pending), MOST_OPEN))
    lowered = 0
    for day in _days(each for each in held if each.mention.id not in looked):
        changed = [after for before, after in zip(day, look_up(store, day), strict=True) if after is not before]
        if changed:
            store.judge(changed)
        lowered += len(changed)
        looked |= {each.mention.id for each in day}
        if monotonic() > ends:
            return lowered
    looked.clear()
    return lowered


def look_up(store: MentionStore, judged: Sequence[Assessed]) -> list[Assessed]:
    """The same mentions in their order, those lowered whose matter somebody has told."""
    after: dict[str, Assessed] = {}
    for day in _days(each for each in judged if is_open(each)):
        windows = [window_of(each) for each in day]
        since, until = min(start for start, _ in windows), max(end for _, end in windows)
        told = Told(_read_telling(store, family_of(day[0].assessment.topic), since, until))
        after |= {each.mention.id: find_told(each, told) for each in day}
    return [after.get(each.mention.id, each) for each in judged]


def _days(held: Iterable[Assessed]) -> list[list[Assessed]]:
    """Those of one topic's family and day together: one reading of the store does for them, and none for a year."""
    days: dict[tuple[frozenset[str], date], list[Assessed]] = {}
    for each in held:
        days.setdefault((family_of(each.assessment.topic), each.mention.published_at.date()), []).append(each)
    return list(days.values())


def _read_telling(store: MentionStore, topics: Iterable[str], since: datetime, until: datetime) -> Iterator[Assessed]:
    """Whoever tells: the press and ourselves are asked for; officials elsewhere are looked for among the others."""
    ours = Or((Field("own", "yes"), *(Field("platform", name) for name in sorted(PRESS_PLATFORMS))))
    for whose in (ours, Not(ours)):
        found = islice(pages(store, And((_topics(topics), whose)), since, until), MOST_READ)
        yield from (each for each in found if tells(each))


def _topics(names: Iterable[str]) -> Query:
    return Or(tuple(Field("topic", facet("topic", name).partition(":")[2]) for name in sorted(names)))
