"""A copy of a SQLite store in one file, taken while others write; and a store out of such a copy."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mentions.failures import UserError
from mentions.stores.sqlite import SqliteStore
from mentions.stores.sqlite_connections import translated
from mentions.stores.sqlite_schema import connect

_BESIDE = ("-wal", "-shm", "-journal")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PAGES = 5000  # a step of copying; writers have their turn in between


def take_snapshot(path: Path, to: Path) -> None:
    """Write the store as it is at one moment to a new file; all of it is there, or nothing is. Raises UserError."""
    if not path.exists():
        raise UserError(f"there is no mention store at {path} yet: nothing to take a snapshot of")
    if to.exists():
        raise UserError(f"{to} is there already: name another file, or move it away")
    draft = _draft(to)
    try:
        _copy(path, draft)
        _keep(draft, to)
    except OSError as error:
        raise UserError(f"{to}: cannot be written ({error.strerror}): check the rights and the space left") from None
    finally:
        _remove(draft)


def restore_snapshot(path: Path, source: Path, *, replace: bool) -> None:
    """Put a snapshot where the store is, once it has been found sound. Raises UserError or a Failure; the store is as
    it was then, also where a writer was killed before; only a damaged one may have lost what lay beside its file.
    Nobody may have the store open meanwhile."""
    if not source.exists():
        raise UserError(f"there is no snapshot at {source}")
    if path.exists() and not replace:
        raise UserError(f"{path} is there already: --replace puts the snapshot in its place, and what it holds is gone")
    draft = _draft(path)
    try:
        _copy(source, draft)
        with closing(SqliteStore(draft)) as store:  # brings an older one up to date
            if problems := store.check():
                raise UserError(f"{source} is damaged ({'; '.join(problems)}): the store is as it was")
        _settle(path)
        for end in _BESIDE:  # what a damaged one had yet to write must not be read into the new one
            path.with_name(path.name + end).unlink(missing_ok=True)
        _keep(draft, path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}): check the rights and the space left") from None
    finally:
        _remove(draft)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _copy(one: Path, other: Path) -> None:
    _remove(other)
    other.touch(mode=0o600)
    with translated(one), closing(connect(one, readonly=True)) as here, closing(sqlite3.connect(other)) as there:
        here.backup(there, pages=_PAGES)
        there.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it


def _settle(path: Path) -> None:
    """Bring what a killed writer left beside the store into its file, as that may yet have to stay. Raises UserError
    where somebody has the store open."""
    if not path.exists():
        return
    with translated(path), closing(sqlite3.connect(path, timeout=1)) as old:
        try:
            old.execute("PRAGMA schema_version").fetchone()  # rolls back what a -journal says
            busy = old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            return  # it is to be replaced all the more
    if busy:
        raise UserError(
            f"{path} is in use, and is as it was: stop the daemon, the dashboard and all others that use it"
        )


def _keep(draft: Path, path: Path) -> None:
    for each in (draft, path.parent):
        number = os.open(each, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
        if each == draft:
            draft.replace(path)


def _remove(draft: Path) -> None:
    for end in ("", *_BESIDE):
        draft.with_name(draft.name + end).unlink(missing_ok=True)
