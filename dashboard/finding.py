"""Finds the mentions behind a number: a search, filters, and pages that neither skip nor repeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dashboard.reading import Books
from dashboard.wording import LONDON
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import Query, parse

PAGE = 100
STRIDE = 500
FURTHEST = 5_000  # rows one page may look through before it asks whether to look further


@dataclass(frozen=True, slots=True)
class Filters:
    """What the Mentions page was asked for; empty means everything about the police."""

    query: str = ""
    rags: tuple[str, ...] = ()
    source: str = ""
    borough: str = ""
    since: date | None = None  # London days, both inclusive
    until: date | None = None
    everything: bool = False  # posts that are not about the police too

    def accept(self, row: Assessed) -> bool:
        """Whether the row passes all but the search and the dates, which the store answers."""
        judged = row.assessment
        return (
            (self.everything or judged.relevant)
            and (not self.rags or judged.rag.value in self.rags)
            and (not self.source or row.mention.source == self.source)
            and (not self.borough or self.borough in judged.boroughs)
        )

    @property
    def start(self) -> datetime | None:
        """The first instant asked for."""
        return start_of(self.since) if self.since else None

    @property
    def end(self) -> datetime | None:
        """The first instant no longer asked for."""
        return start_of(self.until + timedelta(days=1)) if self.until else None


@dataclass(frozen=True, slots=True)
class Found:
    """One page, newest first. `older` is where the next begins (None at the end); `looked` rows were looked through."""

    rows: tuple[Assessed, ...]
    older: int | None
    looked: int


def start_of(day: date) -> datetime:
    """Midnight in London at the start of that day."""
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)


def find_page(books: Books, filters: Filters, before: int | None = None) -> Found:
    """Up to 100 rows that pass, older than `before`. Raises QueryError for a search outside the language."""
    query = parse(filters.query)
    rows: list[Assessed] = []
    looked = 0
    for row in _walk(books, query, filters, before, FURTHEST):
        looked += 1
        before = order_key(row.mention)
        if filters.accept(row):
            rows.append(row)
        if len(rows) == PAGE:
            return Found(tuple(rows), before, looked)
    return Found(tuple(rows), before if looked >= FURTHEST else None, looked)


def find_all(books: Books, filters: Filters, most: int) -> Iterator[Assessed]:
    """Every row that passes, newest first, at most `most`."""
    query = parse(filters.query)
    kept = 0
    for row in _walk(books, query, filters, None, None):
        if filters.accept(row):
            yield row
            kept += 1
            if kept >= most:
                return


def _walk(books: Books, query: Query, filters: Filters, before: int | None, most: int | None) -> Iterator[Assessed]:
    stride, seen = PAGE, 0
    while most is None or seen < most:
        batch = books.store.search(query, since=filters.start, until=filters.end, limit=stride, before=before)
        yield from batch
        if len(batch) < stride:
            return
        seen += len(batch)
        before, stride = order_key(batch[-1].mention), STRIDE
