"""The tables of the SQLite store, the steps from one schema to the next, and how a connection is set up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from mentions.failures import UserError
from mentions.stores.sqlite_indexing import index_anew, schedule_anew

# Words are settled by `normalise`, so the index only splits at blanks: to the ascii tokeniser every character beyond
# ASCII belongs to a word, whatever Unicode version SQLite was built with, and `normalise` keeps only _ and ' beside.
_FIRST = """
CREATE TABLE mention (
    row INTEGER PRIMARY KEY,      -- the place, or the next free one below it
    key INTEGER NOT NULL,         -- 63 bits of sha256(id)
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    source TEXT NOT NULL,
    published INTEGER NOT NULL,   -- microseconds since 1970, as all times here
    first_seen INTEGER NOT NULL,
    fetched INTEGER NOT NULL,     -- when the copy that last changed anything was fetched
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    norm TEXT NOT NULL,
    author_key TEXT NOT NULL,
    publisher TEXT NOT NULL,
    voice TEXT NOT NULL,
    reach TEXT NOT NULL,
    thread TEXT NOT NULL,
    lang TEXT NOT NULL,
    likes INTEGER,
    shares INTEGER,
    replies INTEGER,
    history INTEGER NOT NULL,
    relevant INTEGER NOT NULL,
    sentiment TEXT NOT NULL,
    rag TEXT NOT NULL,
    topic TEXT NOT NULL,
    opinion TEXT NOT NULL         -- JSON: the rest of the assessment
);
CREATE INDEX mention_key ON mention (key);
CREATE INDEX mention_seen ON mention (first_seen);
CREATE TABLE locator (row INTEGER PRIMARY KEY, native_id TEXT NOT NULL, link TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (
    norm, content='mention', content_rowid='row', columnsize=0, tokenize="ascii tokenchars '_'''"
);
CREATE TABLE pending (step TEXT, row INTEGER, PRIMARY KEY (step, row)) WITHOUT ROWID;
CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE series_minute (
    series INTEGER, minute INTEGER, live INTEGER NOT NULL, history INTEGER NOT NULL, PRIMARY KEY (series, minute)
) WITHOUT ROWID;
CREATE TABLE series_member (
    series INTEGER, counted INTEGER, row INTEGER, PRIMARY KEY (series, counted, row)
) WITHOUT ROWID;
CREATE TABLE tally_borough (
    hour INTEGER, borough TEXT, rag TEXT, count INTEGER NOT NULL, negative INTEGER NOT NULL, positive INTEGER NOT NULL,
    PRIMARY KEY (hour, borough, rag)
) WITHOUT ROWID;
CREATE TABLE tally_source (
    hour INTEGER, source TEXT, rag TEXT, count INTEGER NOT NULL, negative INTEGER NOT NULL, positive INTEGER NOT NULL,
    PRIMARY KEY (hour, source, rag)
) WITHOUT ROWID;
CREATE TABLE erasure_due (since INTEGER);  -- a row for as long as deleted words may still be in the files
"""

# Searches by #tag, @handle and field: the words are cut anew, with marks, and every mention gets its facets.
_SECOND = """
DROP TABLE words;
CREATE VIRTUAL TABLE words USING fts5 (
    norm, content='mention', content_rowid='row', columnsize=0, tokenize="ascii tokenchars '_''#@.'"
);
CREATE TABLE label (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE);
CREATE TABLE facet (label INTEGER, row INTEGER, PRIMARY KEY (label, row)) WITHOUT ROWID;
ALTER TABLE mention ADD COLUMN score REAL AS (coalesce(json_extract(opinion, '$.score'), 0.0)) VIRTUAL;
"""

# Tombstones, sightings, and which mentions are to be looked at again when.
_THIRD = """
ALTER TABLE mention ADD COLUMN sightings TEXT NOT NULL DEFAULT '';   -- JSON, or nothing
ALTER TABLE mention ADD COLUMN buried INTEGER;
ALTER TABLE mention ADD COLUMN because TEXT NOT NULL DEFAULT '';
CREATE TABLE recheck (
    row INTEGER PRIMARY KEY,
    platform TEXT NOT NULL,
    source TEXT NOT NULL,
    due INTEGER NOT NULL,
    checked INTEGER NOT NULL      -- when it was last looked at
);
CREATE INDEX recheck_due ON recheck (platform, source, due, checked);
"""

MIGRATIONS: tuple[tuple[str, Callable[[sqlite3.Connection], None] | None], ...] = (
    (_FIRST, None),
    (_SECOND, index_anew),
    (_THIRD, schedule_anew),
)  # step n leads from schema n to schema n + 1: its statements, and what only Python can do
SCHEMA = len(MIGRATIONS)
_READING = ("mmap_size = 268435456", "temp_store = MEMORY")
_WRITING = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "journal_size_limit = 67108864",
    "wal_autocheckpoint = 4000",
    "cache_size = -32000",
)
PATIENCE = 10.0  # seconds to wait for another process that is writing


def connect(path: Path, *, readonly: bool) -> sqlite3.Connection:
    """A connection set up for reading, or for reading and writing. Raises sqlite3.Error."""
    address = f"file:{quote(str(path))}?mode={'ro' if readonly else 'rwc'}"
    connection = sqlite3.connect(address, PATIENCE, isolation_level=None, check_same_thread=False, uri=True)
    try:
        for pragma in _READING if readonly else (*_READING, *_WRITING):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path, *, readonly: bool) -> None:
    """Bring the file up to this schema, each step in a transaction. Raises UserError for what it cannot read."""
    found = read_schema(connection)
    if found > SCHEMA:
        raise UserError(
            f"{path} was written by a newer Earshot (schema {found}, this one knows {SCHEMA}): "
            "upgrade Earshot or name another data directory"
        )
    if readonly and found < SCHEMA:
        raise UserError(f"{path} is not ready to be read (schema {found} of {SCHEMA}): start the daemon on it first")
    while found < SCHEMA and not readonly:
        connection.execute("BEGIN IMMEDIATE")
        found = read_schema(connection)  # another one may have been quicker
        if found < SCHEMA:
            _refuse_strangers(connection, path, found)
            statements, then = MIGRATIONS[found]
            for statement in _statements(statements):
                connection.execute(statement)
            if then is not None:
                then(connection)
            found += 1
            connection.execute(f"PRAGMA user_version = {found}")
        connection.execute("COMMIT")


def read_schema(connection: sqlite3.Connection) -> int:
    """The schema version a file was written with; 0 for a new one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_strangers(connection: sqlite3.Connection, path: Path, found: int) -> None:
    if found == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        connection.execute("ROLLBACK")
        raise UserError(f"{path} is the database of something else: name another data directory")


def _statements(script: str) -> list[str]:
    statements, current = [], ""
    for line in script.splitlines():
        current += line + "\n"
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements
