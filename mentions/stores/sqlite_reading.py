"""Searching, counting and reading totals in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from mentions.mention import Assessed
from mentions.normalise import index_text
from mentions.order import KEY_BITS, TIE_BITS, TIES, second_key
from mentions.query_tree import Query
from mentions.store import Tally
from mentions.stores.sqlite_match import Condition, Plan, joined, plan
from mentions.stores.sqlite_rows import SELECT, Held, from_row
from mentions.stores.sqlite_schema import read_schema
from mentions.times import SECOND, micros, moment

Conditions = list[Condition]


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of what a query finds: published in [since, until), and behind `before` in the one order."""

    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


def search(connection: sqlite3.Connection, query: Query, window: Window, limit: int) -> list[Assessed]:
    """See `MentionStore.search`."""
    way = plan(query)
    where, values = _where(way, _window(connection, way.row, window))
    sql = f"{SELECT.format(way.tables(mentions=True))} WHERE {where} ORDER BY {way.row} DESC LIMIT ?"
    return [from_row(row).now for row in connection.execute(sql, [*values, limit])]


def count(connection: sqlite3.Connection, query: Query, window: Window) -> int:
    """See `MentionStore.count`."""
    way = plan(query)
    where, values = _where(way, _window(connection, way.row, window))
    sql = f"SELECT count(*) FROM {way.tables(mentions='mention.' in where)} WHERE {where}"
    return int(connection.execute(sql, values).fetchone()[0])


def histogram(
    connection: sqlite3.Connection, query: Query, every: timedelta, window: Window
) -> list[tuple[datetime, int]]:
    """See `MentionStore.histogram`."""
    way, span = plan(query), every // timedelta(seconds=1)
    where, values = _where(way, _window(connection, way.row, window))
    second = f"({way.row} >> {TIE_BITS})"
    start = f"{second} - (({second} % {span}) + {span}) % {span}"  # SQLite's % takes the sign of what it divides
    sql = (
        f"SELECT {start}, count(*) FROM {way.tables(mentions='mention.' in where)} WHERE {where} GROUP BY 1 ORDER BY 1"
    )
    return [(moment(at * SECOND), found) for at, found in connection.execute(sql, values)]


def _where(way: Plan, window: Conditions) -> tuple[str, list[object]]:
    parts = [*way.where, *window]
    whole = joined(parts, "AND") if parts else Condition("TRUE")
    return whole.sql, list(whole.values)


def _window(connection: sqlite3.Connection, row: str, window: Window) -> Conditions:
    """A range of time is a range of rows, since those are in order of published seconds; then the microseconds."""
    since, until = window.since, window.until
    parts = []
    if since is not None:
        parts.append(Condition(f"{row} >= ?", (second_key(since),)))
        if since.microsecond:
            parts.append(Condition("mention.published >= ?", (micros(since),)))
    ends = [] if window.before is None else [_row_of(connection, window.before)]
    if until is not None:
        ends.append(second_key(until) if not until.microsecond else second_key(until) + TIES)
        if until.microsecond:
            parts.append(Condition("mention.published < ?", (micros(until),)))
    if ends:
        parts.append(Condition(f"{row} < ?", (min(ends),)))
    return parts


def _row_of(connection: sqlite3.Connection, key: int) -> int:
    """The row of the mention with that `order_key`: its place, unless another one has taken that; its place too where
    the mention is gone."""
    wanted, id_key = key >> KEY_BITS, key & ((1 << KEY_BITS) - 1)
    first = wanted // TIES * TIES
    sql = "SELECT row FROM mention WHERE key = ? AND row >= ? AND row < ?"
    found = connection.execute(sql, (id_key, first, first + TIES)).fetchone()
    return int(found[0]) if found else wanted


def pending(connection: sqlite3.Connection, step: str, limit: int) -> list[Assessed]:
    """See `MentionStore.pending`."""
    rows = connection.execute("SELECT row FROM pending WHERE step = ? ORDER BY row DESC LIMIT ?", (step, limit))
    return _in_order(connection, [row for (row,) in rows])


def members(
    connection: sqlite3.Connection,
    name: str,
    since: datetime,
    until: datetime,
    limit: int,
    seen_since: datetime | None,
) -> list[Assessed]:
    """See `MentionStore.members`."""
    where, values = "", [name, micros(since), micros(until)]
    if seen_since is not None:
        where = "AND (SELECT first_seen FROM mention WHERE mention.row = series_member.row) >= ? "
        values.append(micros(seen_since))
    rows = connection.execute(
        "SELECT row FROM series_member WHERE series = (SELECT id FROM series WHERE name = ?) "
        f"AND counted >= ? AND counted < ? {where}ORDER BY counted DESC, row DESC LIMIT ?",
        [*values, limit],
    )
    return _in_order(connection, [row for (row,) in rows])


def _in_order(connection: sqlite3.Connection, rows: list[int]) -> list[Assessed]:
    sql = SELECT.format("mention") + " WHERE mention.row IN (SELECT value FROM json_each(?))"
    found = {row[0]: from_row(row).now for row in connection.execute(sql, (json.dumps(rows),))}
    return [found[row] for row in rows]


def series(
    connection: sqlite3.Connection, name: str, since: datetime, until: datetime
) -> list[tuple[datetime, int, int]]:
    """See `MentionStore.series`."""
    rows = connection.execute(
        "SELECT minute, live, history FROM series_minute WHERE series = (SELECT id FROM series WHERE name = ?) "
        "AND minute >= ? AND minute < ? ORDER BY minute",
        (name, micros(since), micros(until)),
    )
    return [(moment(minute), live, history) for minute, live, history in rows]


def series_names(connection: sqlite3.Connection) -> list[str]:
    """See `MentionStore.series_names`."""
    sql = "SELECT name FROM series WHERE EXISTS (SELECT 1 FROM series_minute WHERE series = series.id) ORDER BY name"
    return [name for (name,) in connection.execute(sql)]


def tallies(connection: sqlite3.Connection, table: str, since: datetime, until: datetime) -> list[Tally]:
    """The tallies of hours that begin in [since, until), oldest first."""
    sql = f"SELECT * FROM {table} WHERE hour >= ? AND hour < ?"  # the primary key is the order: hour, name, rag
    rows = connection.execute(sql + " ORDER BY 1, 2, 3", (micros(since), micros(until)))
    at = lru_cache(moment)
    return [Tally(at(row[0]), *row[1:]) for row in rows]


def collected_before(connection: sqlite3.Connection, at: datetime, limit: int) -> list[Held]:
    """Up to `limit` mentions first seen before that time."""
    sql = f"{SELECT.format('mention')} WHERE first_seen < ? ORDER BY first_seen LIMIT ?"
    return [from_row(row) for row in connection.execute(sql, (micros(at), limit))]


def everything(connection: sqlite3.Connection) -> Iterator[Held]:
    """Every mention, newest first."""
    for row in connection.execute(f"{SELECT.format('mention')} ORDER BY mention.row DESC"):
        yield from_row(row)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the file says of itself."""

    schema: int
    mentions: int
    oldest_at: datetime | None
    newest_at: datetime | None
    pending: int


def holdings(connection: sqlite3.Connection) -> Holdings:
    """How much is held, and from when."""
    (mentions,) = connection.execute("SELECT coalesce(sum(count), 0) FROM tally_source").fetchone()
    (pending,) = connection.execute("SELECT count(DISTINCT row) FROM pending").fetchone()
    return Holdings(
        schema=read_schema(connection),
        mentions=mentions,
        oldest_at=_published(connection, "ASC"),
        newest_at=_published(connection, "DESC"),
        pending=pending,
    )


def _published(connection: sqlite3.Connection, direction: str) -> datetime | None:
    found = connection.execute(f"SELECT published FROM mention ORDER BY row {direction} LIMIT 1").fetchone()
    return moment(found[0]) if found else None


def index_problems(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the word index: damage, or words cut by another version of `normalise`."""
    try:
        connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        return [f"word index: {error}"]
    stale = sum(held.norm != index_text(held.now.mention.words) for held in everything(connection))
    return [f"word index: {stale} mentions were cut into words in another way"] if stale else []
