"""Opening the database, its transactions, and the one place where its errors become ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import make_url

from mentions.clock import utc_now
from mentions.failures import TemporaryFailure, UserError
from mentions.sqlstate.schema import VERSION, migrate, refuse_newer, schema_version

BUSY_MS = 10_000
CONNECT_SECONDS = 10


class Database:
    """One engine with read and write transactions; errors of reach come out as TemporaryFailure."""

    def __init__(self, engine: Engine, where: str, readonly: bool) -> None:
        self.where = where
        self.readonly = readonly
        self._engine = engine
        self._writer = engine.execution_options(immediate=True)
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time: queueing here is fair and cheap, its own busy wait is neither.
        self._turn = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads, and waits for no writer."""
        with self._translate(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One durable transaction, all or nothing; on SQLite the only writer from its first statement."""
        with self._translate(), self._turn if self.is_sqlite else nullcontext(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _translate(self) -> Iterator[None]:
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError) as error:
            raise TemporaryFailure(f"state database {self.where}: {_reason(error)}") from error

    def clean(self) -> None:
        """Let nothing of what was deleted or replaced stay in the files."""
        with self._translate(), self._engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is None:
                raise TemporaryFailure(f"state database {self.where}: gave no connection")
            connection.rollback()
            if self.is_sqlite:
                blocked = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                if blocked:
                    raise TemporaryFailure(f"state database {self.where}: in use and not yet cleaned; do it again")
            else:
                raw.autocommit = True
                raw.execute("VACUUM")
                raw.autocommit = False

    def close(self) -> None:
        """Give connections back."""
        self._engine.dispose()


def open_database(url: str, readonly: bool) -> Database:
    """Open `sqlite:PATH` or `postgresql://...` and bring its schema up to date (never when `readonly`)."""
    if url.startswith("sqlite:"):
        return _open_sqlite(Path(url.removeprefix("sqlite:").removeprefix("//")), readonly)
    if url.startswith(("postgresql:", "postgres:")):
        return _open_postgres(url, readonly)
    raise UserError("state: expected sqlite:PATH or postgresql://user@host/database")


def _open_sqlite(path: Path, readonly: bool) -> Database:
    where = str(path)
    if readonly and not path.exists():
        raise UserError(f"state database {where} does not exist: start the daemon once, or name another data directory")
    options = f"?mode={'ro' if readonly else 'rwc'}&uri=true"
    engine = create_engine(
        f"sqlite:///file:{_quoted(path)}{options}",
        connect_args={"timeout": BUSY_MS / 1000},
        pool_size=4,
        max_overflow=12,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_readonly if readonly else _prepare)
    event.listen(engine, "begin", _begin)
    database = Database(engine, where, readonly)
    try:
        _bring_up_to_date(database)
    except TemporaryFailure as failure:
        database.close()
        if "unable to open" in str(failure) or "readonly database" in str(failure):
            raise UserError(f"state database {where} cannot be opened: is its directory there and writable?") from None
        raise
    except exc.DatabaseError as error:
        database.close()
        raise UserError(f"{where} is not an Earshot state database: {_reason(error)}") from None
    except UserError:
        database.close()
        raise
    return database


def _open_postgres(url: str, readonly: bool) -> Database:
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
    except (exc.ArgumentError, ValueError):
        raise UserError("state: expected postgresql://user@host/database") from None
    where = f"postgresql on {parsed.host or 'localhost'}"
    options = "-c default_transaction_read_only=on" if readonly else ""
    engine = create_engine(
        parsed,
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options},
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=12,
        hide_parameters=True,
    )
    database = Database(engine, where, readonly)
    try:
        _bring_up_to_date(database)
    except (TemporaryFailure, UserError):
        database.close()
        raise
    return database


def _bring_up_to_date(database: Database) -> None:
    with database.read() as connection:
        found = schema_version(connection)
    refuse_newer(found)
    if found == VERSION:
        return
    if database.readonly:
        raise UserError(f"state database {database.where} is of an older version: start the daemon once to upgrade it")
    with database.write() as connection:
        migrate(connection, utc_now())


def _quoted(path: Path) -> str:
    """A path as SQLite's URI syntax wants it."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _prepare_readonly(connection: Any, record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not guessed by the driver
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")


def _prepare(connection: Any, record: object) -> None:
    _prepare_readonly(connection, record)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _reason(error: exc.SQLAlchemyError) -> str:
    """The driver's own words, first line only: statements and values stay out of messages."""
    lines = str(getattr(error, "orig", None) or "no connection became free").splitlines()
    return lines[0].strip() if lines else "cannot be reached"
