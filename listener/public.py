"""Looking up whether a matter is public: what the store holds of the press, of officials and of the force itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from analysis.public_domain import amber_topics, family_of, find_told, is_open, tells, window_of
from mentions.facets import facet
from mentions.mention import Assessed, Rag
from mentions.order import order_key
from mentions.query import And, Field, Or, Query
from mentions.store import MentionStore

LOOK_BACK = timedelta(hours=24)  # news that come later than that lower nothing by themselves; a rescore does
MOST_OPEN = 500
PAGE, MOST_READ = 1000, 5000  # rows of one topic's family, newest first


def lower_told(store: MentionStore, now: datetime) -> int:
    """Find the last hours' mentions that are red only because their matter was not known to be public, and lower those
    that somebody has told since; how many. May be repeated at any time."""
    red = And((_topics(amber_topics()), Field("rag", str(Rag.RED))))
    held = [each for each in store.search(red, since=now - LOOK_BACK, limit=MOST_OPEN) if is_open(each)]
    lowered = [after for before, after in zip(held, look_up(store, held), strict=True) if after is not before]
    if lowered:
        store.judge(lowered)
    return len(lowered)


def look_up(store: MentionStore, judged: Sequence[Assessed]) -> list[Assessed]:
    """The same mentions in their order, those lowered whose matter somebody has told."""
    told: dict[frozenset[str], list[Assessed]] = {}
    for family in {family_of(each.assessment.topic) for each in judged if is_open(each)}:
        windows = [window_of(each) for each in judged if is_open(each) and family_of(each.assessment.topic) == family]
        since, until = min(start for start, _ in windows), max(end for _, end in windows)
        told[family] = [each for each in _read(store, _topics(family), since, until) if tells(each)]
    return [find_told(each, told[family_of(each.assessment.topic)]) if is_open(each) else each for each in judged]


def _topics(names: Iterable[str]) -> Query:
    return Or(tuple(Field("topic", facet("topic", name).partition(":")[2]) for name in sorted(names)))


def _read(store: MentionStore, query: Query, since: datetime, until: datetime) -> Iterable[Assessed]:
    before: int | None = None
    for _ in range(MOST_READ // PAGE):
        page = store.search(query, since=since, until=until, limit=PAGE, before=before)
        yield from page
        if len(page) < PAGE:
            return
        before = order_key(page[-1].mention)
