"""Searching, counting and reading totals in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from mentions.mention import Assessed
from mentions.normalise import index_text
from mentions.order import KEY_BITS, TIES, second_key
from mentions.query import Everything, Query
from mentions.store import Tally
from mentions.stores.sqlite_match import to_fts
from mentions.stores.sqlite_rows import SELECT, Held, from_row
from mentions.stores.sqlite_schema import read_schema
from mentions.times import micros, moment

_BY_WORDS = "words CROSS JOIN mention ON mention.row = words.rowid"
Condition = tuple[str, list[object]]


def search(
    connection: sqlite3.Connection,
    query: Query,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    before: int | None,
) -> list[Assessed]:
    """See `MentionStore.search`."""
    where, values = _conditions(query, since, until, before)
    everything = isinstance(query, Everything)
    sql = f"{SELECT.format('mention' if everything else _BY_WORDS)} WHERE {where} ORDER BY {_row(query)} DESC LIMIT ?"
    return [from_row(row).now for row in connection.execute(sql, [*values, limit])]


def count(connection: sqlite3.Connection, query: Query, since: datetime | None, until: datetime | None) -> int:
    """See `MentionStore.count`."""
    where, values = _conditions(query, since, until, None)
    table = "mention" if isinstance(query, Everything) else _BY_WORDS if "published" in where else "words"
    return int(connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()[0])


def _row(query: Query) -> str:
    return "mention.row" if isinstance(query, Everything) else "words.rowid"


def _conditions(query: Query, since: datetime | None, until: datetime | None, before: int | None) -> Condition:
    """A range of time is a range of rows, since those are in order of published seconds; then the microseconds."""
    row, parts, values = _row(query), ["TRUE"], list[object]()
    if not isinstance(query, Everything):
        parts, values = ["words MATCH ?"], [to_fts(query)]
    if since is not None:
        parts.append(f"{row} >= ?")
        values.append(second_key(since))
        if since.microsecond:
            parts.append("published >= ?")
            values.append(micros(since))
    ends = [] if before is None else [before >> KEY_BITS]
    if until is not None:
        ends.append(second_key(until) if not until.microsecond else second_key(until) + TIES)
        if until.microsecond:
            parts.append("published < ?")
            values.append(micros(until))
    if ends:
        parts.append(f"{row} < ?")
        values.append(min(ends))
    return " AND ".join(parts), values


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
