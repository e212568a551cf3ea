"""Bringing a file of an older schema up to date: words and facets of every mention, worked out anew."""

from __future__ import annotations

import logging
import sqlite3
from itertools import islice

from mentions.normalise import index_text
from mentions.stores import sqlite_checks as checks
from mentions.stores import sqlite_rollups as rollups
from mentions.stores.sqlite_rows import SELECT, SELECT_BEFORE_3, from_row

LOG = logging.getLogger(__name__)
_BATCH = 5000


def index_anew(connection: sqlite3.Connection) -> None:
    """Fill the word index, the index texts and the facets from the mentions; inside the migration's transaction."""
    (total,) = connection.execute("SELECT count(*) FROM mention").fetchone()
    if not total:
        return
    LOG.info("store is brought up to date mentions=%d: this happens once, at some 10,000 a second", total)
    rows = iter(connection.execute("SELECT row FROM mention ORDER BY row").fetchall())
    done = 0
    while batch := [row for (row,) in islice(rows, _BATCH)]:
        change = rollups.Totals()
        sql = f"{SELECT_BEFORE_3.format('mention')} WHERE mention.row BETWEEN ? AND ? ORDER BY mention.row"
        texts = []
        for held in map(from_row, connection.execute(sql, (batch[0], batch[-1]))):
            texts.append((held.row, index_text(held.now.mention.words)))
            change.add_facets(held.row, held.now, 1)
        connection.executemany("UPDATE mention SET norm = ? WHERE row = ?", [(text, row) for row, text in texts])
        connection.executemany("INSERT INTO words (rowid, norm) VALUES (?, ?)", texts)
        rollups.apply(connection, change)
        done += len(batch)
        LOG.info("store is brought up to date done=%d of=%d", done, total)


def schedule_anew(connection: sqlite3.Connection) -> None:
    """Say of every mention that can be looked at again when it is to be; inside the migration's transaction."""
    sql = f"{SELECT.format('mention')} WHERE native_id <> ''"
    held = map(from_row, connection.execute(sql))
    while batch := list(islice(held, _BATCH)):
        checks.schedule(connection, batch)
