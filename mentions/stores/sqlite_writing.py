"""Saving, judging and forgetting in the SQLite store; each function works inside its caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from mentions.mention import Assessed
from mentions.merging import cleaned, merged, rejudged, said
from mentions.normalise import index_text
from mentions.order import TIES, keys_of
from mentions.store import Saved
from mentions.stores import sqlite_checks as checks
from mentions.stores import sqlite_rollups as rollups
from mentions.stores.sqlite_rows import (
    MENTION_COLUMNS,
    SELECT,
    UPDATED,
    Held,
    fact_values,
    from_row,
    opinion_values,
    to_row,
    wanted_row,
)
from mentions.times import micros
from mentions.tombstones import entombed

_INSERT = f"INSERT INTO mention ({MENTION_COLUMNS}) VALUES ({', '.join('?' * 29)})"
_UPDATE = (
    f"UPDATE mention SET {', '.join(f'{name} = ?' for name in UPDATED)}, "
    "relevant = ?, sentiment = ?, rag = ?, topic = ?, opinion = ? WHERE row = ?"
)
_INDEX = "INSERT INTO words (rowid, norm) VALUES (?, ?)"
_UNINDEX = "INSERT INTO words (words, rowid, norm) VALUES ('delete', ?, ?)"


def save(connection: sqlite3.Connection, batch: Sequence[Assessed]) -> Saved:
    """See `MentionStore.save`."""
    incoming = [cleaned(assessed) for assessed in batch]
    keys = {assessed.mention.id: keys_of(assessed.mention.id) for assessed in incoming}
    held = _find(connection, {mention_id: key for mention_id, (key, _) in keys.items()})
    fresh: dict[str, Held] = {}
    changed: dict[str, Held] = {}
    for assessed in incoming:
        mention_id = assessed.mention.id
        if mention_id not in held:
            held[mention_id] = fresh[mention_id] = _new(assessed, *keys[mention_id])
        elif merge(held[mention_id], assessed) and mention_id not in fresh:
            changed[mention_id] = held[mention_id]
    _place(connection, fresh.values())
    change = rollups.Totals()
    _insert(connection, fresh.values(), change)
    _update(connection, changed.values(), change)
    rollups.apply(connection, change)
    return Saved(tuple(fresh), tuple(changed), len(batch) - len(fresh) - len(changed))


def _new(assessed: Assessed, key: int, tie: int) -> Held:
    mention = assessed.mention
    row = wanted_row(micros(mention.published_at), tie)
    norm = assessed.indexed or index_text(mention.words)
    return Held(row, key, micros(assessed.fetched), norm, assessed, assessed, norm)


def merge(held: Held, incoming: Assessed) -> bool:
    """Take over what is newer in another copy of the same mention; whether anything changed."""
    now = merged(held.now, held.fetched, incoming)
    if now is None:
        return False
    if said(now.mention) != said(held.now.mention):
        held.norm = incoming.indexed or index_text(now.mention.words)
    held.now, held.fetched = now, max(held.fetched, micros(incoming.fetched))
    return True


def find(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Held]:
    """Those of the mentions that are held."""
    return _find(connection, {mention_id: keys_of(mention_id)[0] for mention_id in ids})


def _find(connection: sqlite3.Connection, keys: Mapping[str, int]) -> dict[str, Held]:
    rows = connection.execute(
        SELECT.format("mention") + " WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(list(keys.values())),)
    )
    return {row[2]: from_row(row) for row in rows if row[2] in keys}


def _place(connection: sqlite3.Connection, fresh: Iterable[Held]) -> None:
    """Give each new mention the row it wants, or the next free one below it in the same second."""
    taken = _taken(connection, [held.row for held in fresh])
    for held in fresh:
        while held.row in taken:
            second, tie = divmod(held.row, TIES)
            held.row = second * TIES + (tie - 1) % TIES
            taken |= _taken(connection, [held.row])
        taken.add(held.row)


def _taken(connection: sqlite3.Connection, rows: list[int]) -> set[int]:
    sql = "SELECT row FROM mention WHERE row IN (SELECT value FROM json_each(?))"
    return {row for (row,) in connection.execute(sql, (json.dumps(rows),))}


def _insert(connection: sqlite3.Connection, fresh: Iterable[Held], change: rollups.Totals) -> None:
    batch = sorted(fresh, key=lambda held: held.row)  # the word index writes a segment each time the row goes down
    for held in batch:
        change.add(held.row, held.now, 1)
    connection.executemany(_INSERT, map(to_row, batch))
    connection.executemany(_INDEX, [(held.row, held.norm) for held in batch])
    _locate(connection, batch)
    checks.schedule(connection, batch)


def _update(connection: sqlite3.Connection, changed: Iterable[Held], change: rollups.Totals) -> None:
    batch = sorted(changed, key=lambda held: held.row)
    for held in batch:
        change.add(held.row, held.stored, -1)
        change.add(held.row, held.now, 1)
    reworded = [held for held in batch if held.norm != held.stored_norm]
    connection.executemany(_UNINDEX, [(held.row, held.stored_norm) for held in reworded])
    connection.executemany(_UPDATE, map(_update_values, batch))
    connection.executemany(_INDEX, [(held.row, held.norm) for held in reworded])
    _locate(connection, batch)
    buried = [held for held in batch if held.now.mention.buried_at and not held.stored.mention.buried_at]
    _part_with(connection, buried)
    checks.schedule(connection, [held for held in batch if held.stored.mention.buried_at])  # those that have risen


def _part_with(connection: sqlite3.Connection, buried: Sequence[Held]) -> None:
    """Take out what leads to buried mentions, and note that the files still have to be cleaned of their words."""
    rows = [(held.row,) for held in buried]
    connection.executemany("DELETE FROM locator WHERE row = ?", rows)
    connection.executemany("DELETE FROM recheck WHERE row = ?", rows)
    if rows:
        connection.execute("INSERT INTO erasure_due VALUES (unixepoch())")


def _update_values(held: Held) -> tuple[object, ...]:
    return *fact_values(held), *opinion_values(held.now.assessment), held.row


def _locate(connection: sqlite3.Connection, batch: Iterable[Held]) -> None:
    located = [(held.row, held.now.mention) for held in batch if held.now.mention.native_id or held.now.mention.link]
    connection.executemany(
        "INSERT OR REPLACE INTO locator VALUES (?, ?, ?)", [(row, said.native_id, said.link) for row, said in located]
    )


def judge(connection: sqlite3.Connection, judged: Sequence[Assessed]) -> None:
    """See `MentionStore.judge`."""
    change = rollups.Totals()
    rows = []
    opinions = {each.mention.id: each for each in map(cleaned, judged)}
    for mention_id, held in find(connection, opinions).items():
        before, held.now = held.now, rejudged(held.now, opinions[mention_id])
        if held.now != before:
            change.add(held.row, before, -1)
            change.add(held.row, held.now, 1)
            rows.append((*opinion_values(held.now.assessment), held.row))
    connection.executemany(
        "UPDATE mention SET relevant = ?, sentiment = ?, rag = ?, topic = ?, opinion = ? WHERE row = ?", rows
    )
    rollups.apply(connection, change)


def bury(connection: sqlite3.Connection, ids: Sequence[str], at: datetime, because: str) -> int:
    """See `MentionStore.bury`; the files are the caller's to clean. How many had words."""
    change = rollups.Totals()
    buried = []
    for held in find(connection, ids).values():
        held.now = entombed(held.stored, at, because)
        if held.now != held.stored:
            held.norm = ""
            buried.append(held)
    _update(connection, buried, change)
    rollups.apply(connection, change)
    return sum(held.stored.mention.buried_at is None for held in buried)


def forget(connection: sqlite3.Connection, held: Iterable[Held]) -> int:
    """Delete mentions from every table, and note that the files still have to be cleaned of their words."""
    gone = sorted(held, key=lambda each: each.row)
    change = rollups.Totals()
    for each in gone:
        change.add(each.row, each.now, -1)
    rows = [(each.row,) for each in gone]
    connection.executemany(_UNINDEX, [(each.row, each.norm) for each in gone])
    connection.executemany("DELETE FROM mention WHERE row = ?", rows)
    connection.executemany("DELETE FROM locator WHERE row = ?", rows)
    connection.executemany("DELETE FROM recheck WHERE row = ?", rows)
    rollups.apply(connection, change)
    if gone:
        connection.execute("INSERT INTO erasure_due VALUES (unixepoch())")
    return len(gone)
