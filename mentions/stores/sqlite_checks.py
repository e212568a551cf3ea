"""Which mentions of the SQLite store are to be looked at again, and where they stand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from mentions.duties import next_check
from mentions.store import Due, ToCheck
from mentions.stores.sqlite_rows import Held
from mentions.times import micros, moment

_SCHEDULE = "INSERT OR REPLACE INTO recheck (row, platform, source, due, checked) VALUES (?, ?, ?, ?, ?)"


def schedule(connection: sqlite3.Connection, held: Iterable[Held]) -> None:
    """Say when what is new is to be looked at again: it was seen when it was fetched."""
    rows = []
    for each in held:
        mention = each.now.mention
        if mention.native_id:
            seen_at = moment(each.fetched)
            if (due := next_check(mention, seen_at)) is not None:
                rows.append((each.row, mention.platform, mention.source, micros(due), each.fetched))
    if rows:
        connection.executemany(_SCHEDULE, rows)


def note_checked(connection: sqlite3.Connection, held: Iterable[Held], at: datetime) -> None:
    """See `MentionStore.note_checked`."""
    rows = []
    for each in held:
        mention = each.now.mention
        if (due := next_check(mention, at)) is not None:
            rows.append((each.row, mention.platform, mention.source, micros(due), micros(at)))
    connection.executemany(_SCHEDULE, rows)


def postpone(connection: sqlite3.Connection, held: Iterable[Held], until: datetime) -> None:
    """See `MentionStore.postpone`."""
    rows = [(micros(until), each.row) for each in held]
    connection.executemany("UPDATE recheck SET due = ? WHERE row = ?", rows)


def to_check(connection: sqlite3.Connection, at: datetime) -> list[ToCheck]:
    """See `MentionStore.to_check`; read from the index alone."""
    rows = connection.execute(
        "SELECT platform, source, count(*), coalesce(sum(due <= :at), 0), min(due), "
        "min(CASE WHEN due <= :at THEN checked END) FROM recheck GROUP BY platform, source ORDER BY 1, 2",
        {"at": micros(at)},
    )
    return [
        ToCheck(
            platform, source, held, due, moment(first) if due else None, None if checked is None else moment(checked)
        )
        for platform, source, held, due, first, checked in rows
    ]


def due(
    connection: sqlite3.Connection,
    platform: str,
    source: str,
    at: datetime,
    limit: int,
    checked_before: datetime | None,
) -> list[Due]:
    """See `MentionStore.due`."""
    late, values = "", [platform, source, micros(at)]
    if checked_before is not None:
        late = "AND checked < ? "
        values.append(micros(checked_before))
    rows = connection.execute(
        "SELECT mention.id, locator.native_id, locator.link, recheck.checked FROM recheck "
        "JOIN mention ON mention.row = recheck.row JOIN locator ON locator.row = recheck.row "
        f"WHERE recheck.platform = ? AND recheck.source = ? AND recheck.due <= ? {late}ORDER BY recheck.due LIMIT ?",
        [*values, limit],
    )
    return [Due(mention_id, native_id, link, moment(checked)) for mention_id, native_id, link, checked in rows]


def drop_locators(connection: sqlite3.Connection, platforms: Sequence[str], collected_before: datetime) -> int:
    """See `MentionStore.drop_locators`; the files are the caller's to clean."""
    rows = connection.execute(
        "SELECT locator.row FROM mention JOIN locator ON locator.row = mention.row "
        "WHERE mention.first_seen < ? AND mention.platform IN (SELECT value FROM json_each(?))",
        (micros(collected_before), json.dumps(list(platforms))),
    ).fetchall()
    connection.executemany("DELETE FROM locator WHERE row = ?", rows)
    connection.executemany("DELETE FROM recheck WHERE row = ?", rows)
    if rows:
        connection.execute("INSERT INTO erasure_due VALUES (unixepoch())")
    return len(rows)
