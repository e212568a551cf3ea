"""Connections to the store's file: lent to one call at a time, so that any thread may call, and errors translated."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mentions.failures import NeedsAttention, NoSpace, TemporaryFailure, UserError
from mentions.stores.sqlite_schema import connect, migrate

_TEMPORARY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BARRED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """The one place where SQLite's errors become ours, by what to do next."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise NoSpace(f"{path}: {error}") from error
        if code in _TEMPORARY:
            raise TemporaryFailure(f"{path}: {error}") from error
        if code in _DAMAGED:
            raise NeedsAttention(f"{path} is damaged ({error}): restore it from a backup") from error
        if code in _BARRED:
            raise NeedsAttention(f"{path} cannot be used ({error}): mend its permissions") from error
        raise


class Connections:
    """The connections of one store. Opening makes the file or brings it up to date, unless readonly."""

    def __init__(self, path: Path, *, readonly: bool) -> None:
        self.path = path
        self.readonly = readonly
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()  # over the list, and over closed
        self._turn = threading.Lock()  # one writer of this process at a time: a queue, not a race for the file's lock
        self._closed = False
        self._idle.append(self._open_first())

    def _open_first(self) -> sqlite3.Connection:
        try:
            if self.readonly and not self.path.exists():
                raise UserError(f"there is no mention store at {self.path} yet: start the daemon first")
            if not self.readonly:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = connect(self.path, readonly=self.readonly)
            try:
                migrate(connection, self.path, readonly=self.readonly)
                if not self.readonly:
                    connection.execute("BEGIN IMMEDIATE")  # a file that cannot be written says so now, not later
                    connection.execute("ROLLBACK")
            except BaseException:
                connection.close()
                raise
        except OSError as error:
            raise UserError(f"{self.path} cannot be made: {error.strerror or error}") from error
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error
        return connection

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """A connection for single reads."""
        with translated(self.path):
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection whose reads all see the file as it was at the first of them."""
        with self.lent() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection for writing: all of it is kept, durably, or none."""
        with self._turn, self.lent() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _take(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise ValueError(f"the store at {self.path} is closed")
            if self._idle:
                return self._idle.pop()
        return connect(self.path, readonly=self.readonly)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self._guard:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _unusable(path: Path, error: sqlite3.Error) -> UserError | TemporaryFailure:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        return UserError(f"{path} is not a mention store ({error}): name another data directory or restore a backup")
    if code in _TEMPORARY | {sqlite3.SQLITE_FULL}:
        return TemporaryFailure(f"{path}: {error}")
    return UserError(f"{path} cannot be opened ({error}): check that it and its directory can be written")
