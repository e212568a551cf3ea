"""The embedded mention store: one SQLite file, no server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from mentions.failures import TemporaryFailure
from mentions.mention import Assessed
from mentions.query_tree import Query
from mentions.store import Due, Saved, StoreStatus, Tally, ToCheck
from mentions.stores import sqlite_checks as checks
from mentions.stores import sqlite_reading as reading
from mentions.stores import sqlite_rollups as rollups
from mentions.stores import sqlite_writing as writing
from mentions.stores.sqlite_connections import Connections
from mentions.stores.sqlite_rows import Held

PURGE_BATCH = 5000


class SqliteStore:
    """`MentionStore` over one file; see there for what each method promises."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self._path = path
        self._connections = Connections(path, readonly=readonly)

    # -- writing --------------------------------------------------------------------------------------------------

    def save(self, batch: Sequence[Assessed]) -> Saved:
        with self._connections.transaction() as connection:
            return writing.save(connection, batch)

    def judge(self, judged: Sequence[Assessed]) -> None:
        with self._connections.transaction() as connection:
            writing.judge(connection, judged)

    def forget(self, ids: Sequence[str]) -> int:
        with self._connections.transaction() as connection:
            gone = writing.forget(connection, writing.find(connection, ids).values())
        self._erase()
        return gone

    def bury(self, ids: Sequence[str], at: datetime, because: str) -> int:
        with self._connections.transaction() as connection:
            gone = writing.bury(connection, ids, at, because)
        self._erase()
        return gone

    def note_checked(self, ids: Sequence[str], at: datetime) -> None:
        with self._connections.transaction() as connection:
            checks.note_checked(connection, writing.find(connection, ids).values(), at)

    def postpone(self, ids: Sequence[str], until: datetime) -> None:
        with self._connections.transaction() as connection:
            checks.postpone(connection, writing.find(connection, ids).values(), until)

    def drop_locators(self, platforms: Sequence[str], collected_before: datetime) -> int:
        with self._connections.transaction() as connection:
            gone = checks.drop_locators(connection, platforms, collected_before)
        self._erase()
        return gone

    def purge(self, collected_before: datetime) -> int:
        gone = 0
        while True:
            with self._connections.transaction() as connection:
                batch = reading.collected_before(connection, collected_before, PURGE_BATCH)
                gone += writing.forget(connection, batch)
            if len(batch) < PURGE_BATCH:
                self._erase()
                return gone

    def _erase(self) -> None:
        """Clean the files of deleted words, where any may be left: also those of an erasure that was broken off."""
        with self._connections.transaction() as connection:
            due = connection.execute("SELECT 1 FROM erasure_due").fetchone()
            if due:
                connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        if not due:
            return
        with self._connections.lent() as connection:
            blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if blocked:
            raise TemporaryFailure(f"{self._path}: deleted, but in use and not yet cleaned of the words; do it again")
        with self._connections.transaction() as connection:
            connection.execute("DELETE FROM erasure_due")

    # -- reading --------------------------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> dict[str, Assessed]:
        with self._connections.lent() as connection:
            found = writing.find(connection, ids)
        return {mention_id: found[mention_id].now for mention_id in ids if mention_id in found}

    def to_check(self, at: datetime) -> list[ToCheck]:
        with self._connections.lent() as connection:
            return checks.to_check(connection, at)

    def due(
        self, platform: str, source: str, at: datetime, limit: int, *, checked_before: datetime | None = None
    ) -> list[Due]:
        with self._connections.lent() as connection:
            return checks.due(connection, platform, source, at, limit, checked_before)

    def pending(self, step: str, limit: int) -> list[Assessed]:
        with self._connections.snapshot() as connection:
            return reading.pending(connection, step, limit)

    def search(
        self,
        query: Query,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Assessed]:
        with self._connections.lent() as connection:
            return reading.search(connection, query, reading.Window(since, until, before), limit)

    def count(self, query: Query, *, since: datetime | None = None, until: datetime | None = None) -> int:
        with self._connections.lent() as connection:
            return reading.count(connection, query, reading.Window(since, until))

    def histogram(
        self, query: Query, every: timedelta, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[tuple[datetime, int]]:
        with self._connections.lent() as connection:
            return reading.histogram(connection, query, every, reading.Window(since, until))

    def series(self, name: str, since: datetime, until: datetime) -> list[tuple[datetime, int, int]]:
        with self._connections.lent() as connection:
            return reading.series(connection, name, since, until)

    def series_names(self) -> list[str]:
        with self._connections.lent() as connection:
            return reading.series_names(connection)

    def members(
        self, name: str, since: datetime, until: datetime, limit: int = 1000, *, seen_since: datetime | None = None
    ) -> list[Assessed]:
        with self._connections.snapshot() as connection:
            return reading.members(connection, name, since, until, limit, seen_since)

    def tallies_by_borough(self, since: datetime, until: datetime) -> list[Tally]:
        with self._connections.lent() as connection:
            return reading.tallies(connection, "tally_borough", since, until)

    def tallies_by_source(self, since: datetime, until: datetime) -> list[Tally]:
        with self._connections.lent() as connection:
            return reading.tallies(connection, "tally_source", since, until)

    def everything(self) -> Iterator[Assessed]:
        rows = self._rows()
        next(rows)  # the snapshot is the one of this call, not that of the first mention asked for
        return (held.now for held in rows if held)

    def _rows(self) -> Iterator[Held | None]:
        with self._connections.snapshot() as connection:
            connection.execute("SELECT 1 FROM mention LIMIT 1").fetchone()
            yield None
            yield from reading.everything(connection)

    def status(self) -> StoreStatus:
        with self._connections.snapshot() as connection:
            held = reading.holdings(connection)
        files = [self._path, *(self._path.with_name(self._path.name + end) for end in ("-wal", "-shm"))]
        return StoreStatus(
            url=f"sqlite:{self._path}",
            schema=held.schema,
            mentions=held.mentions,
            oldest_at=held.oldest_at,
            newest_at=held.newest_at,
            pending=held.pending,
            bytes_on_disk=sum(file.stat().st_size for file in files if file.exists()),
        )

    def check(self) -> list[str]:
        with self._connections.snapshot() as connection:
            found = [f"file: {line}" for (line,) in connection.execute("PRAGMA quick_check") if line != "ok"]
            found += rollups.differences(connection, rollups.recount(reading.everything(connection)))
        return found if found or self._connections.readonly else self._check_index()

    def _check_index(self) -> list[str]:
        """The word index against the mentions; SQLite takes this for a write."""
        with self._connections.transaction() as connection:
            return reading.index_problems(connection)

    def close(self) -> None:
        self._connections.close()
