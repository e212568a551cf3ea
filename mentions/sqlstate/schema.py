"""The tables of the state database, their version, and the steps from older versions."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    inspect,
    select,
    text,
)
from sqlalchemy.types import TypeDecorator

from mentions.failures import UserError
from mentions.mention import Rag
from mentions.records import IncidentState, Level, NoticeKind, NoticeState, SourceState

VERSION = 6
# What leads from version n - 1 to n, as statements both databases understand; a new database is made whole at once.
STEPS: dict[int, tuple[str, ...]] = {
    2: (
        """CREATE TABLE watchlists (facet TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, query TEXT NOT NULL,
        purpose TEXT NOT NULL, owner TEXT NOT NULL, expires DATE, held_because TEXT NOT NULL, made_by TEXT NOT NULL,
        made_at BIGINT NOT NULL, approved_by TEXT NOT NULL, approved_because TEXT NOT NULL, approved_at BIGINT)""",
    ),
    3: (
        """CREATE TABLE taught_places (facet TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, boroughs TEXT NOT NULL,
        mention_id TEXT NOT NULL, "by" TEXT NOT NULL, at BIGINT NOT NULL)""",
    ),
    4: ("CREATE TABLE boards (name TEXT NOT NULL PRIMARY KEY, made_at BIGINT NOT NULL, body TEXT NOT NULL)",),
    5: (
        """CREATE TABLE burials (mention_id TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, because TEXT NOT NULL,
        done BOOLEAN NOT NULL)""",
        "CREATE INDEX burials_by_done ON burials (done, at)",
        "ALTER TABLE sources ADD COLUMN moved_to TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE sources ADD COLUMN weekly DOUBLE PRECISION NOT NULL DEFAULT -1",
    ),
    6: (
        """CREATE TABLE permissions (source TEXT NOT NULL PRIMARY KEY, what TEXT NOT NULL, "by" TEXT NOT NULL,
        because TEXT NOT NULL, at BIGINT NOT NULL)""",
        """CREATE TABLE spending (kind TEXT NOT NULL, bucket TEXT NOT NULL, period TEXT NOT NULL, calls BIGINT NOT NULL,
        money BIGINT NOT NULL, PRIMARY KEY (kind, bucket, period))""",
        """CREATE TABLE source_gaps (source TEXT NOT NULL, at BIGINT NOT NULL, why TEXT NOT NULL,
        PRIMARY KEY (source, at))""",
        "CREATE INDEX source_gaps_by_time ON source_gaps (at)",
        """CREATE TABLE arrivals (source TEXT NOT NULL, day DATE NOT NULL, "new" INTEGER NOT NULL,
        late INTEGER NOT NULL, PRIMARY KEY (source, day))""",
        """CREATE TABLE counted (source TEXT NOT NULL, begins_at BIGINT NOT NULL, ends_at BIGINT NOT NULL,
        posts BIGINT NOT NULL, PRIMARY KEY (source, begins_at))""",
    ),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ADVISORY_LOCK = 0x6561727368  # "earsh": one migration at a time on PostgreSQL

W = TypeVar("W", bound=StrEnum)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970: sorts and compares alike in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


class Words(TypeDecorator[tuple[str, ...]]):
    """A tuple of strings, kept as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        return json.dumps(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return tuple(json.loads(value or "[]"))


class Details(TypeDecorator[dict[str, Any]]):
    """A JSON object in one canonical spelling, so that it can be hashed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str:
        return canonical(value or {})

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(value or "{}")
        return found


class Word(TypeDecorator[W]):
    """One word of a fixed list."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[W]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: W | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> W | None:
        return None if value is None else self.words(value)


def canonical(value: object) -> str:
    """JSON with sorted keys and no spare blanks: the same value always gives the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0)


def _real(name: str) -> Column[float]:
    return Column(name, Float, nullable=False, default=0.0)


metadata = MetaData()

applied = Table("state_schema", metadata, Column("version", Integer, primary_key=True), Column("at", Moment))

sources = Table(
    "sources",
    metadata,
    Column("name", Text, primary_key=True),
    _text("kind"),
    Column("cursor", Text),
    Column("state", Word(SourceState), nullable=False),
    Column("next_check_at", Moment),
    Column("polled_at", Moment),
    Column("succeeded_at", Moment),
    Column("newest_at", Moment),
    Column("brought_at", Moment),
    _count("failures"),
    _text("message"),
    _count("polls"),
    _count("mentions"),
    _count("left_out"),
    _text("sample"),
    _text("moved_to"),
    _real("weekly"),
    Column("registered", Boolean, nullable=False, default=True),
    Column("lease_owner", Text),
    Column("lease_until", Moment),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("key"),
    Column("state", Word(IncidentState), nullable=False),
    Column("level", Word(Level), nullable=False),
    Column("colour", Word(Rag), nullable=False),
    _text("title"),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    _text("topic"),
    _text("watchlist"),
    Column("boroughs", Words, nullable=False),
    Column("rules", Words, nullable=False),
    Column("keys", Words, nullable=False),
    Column("first_evidence_at", Moment),
    Column("crisis_at", Moment),
    Column("acknowledged_at", Moment),
    _text("acknowledged_by"),
    Column("resolved_at", Moment),
    _real("score"),
    _real("peak"),
    _count("count"),
    _real("expected"),
    _count("window_minutes"),
    _count("publishers"),
    Column("evidence", Words, nullable=False),
    Column("exercise", Boolean, nullable=False, default=False),
    Index("incidents_by_state", "state"),
    Index("incidents_by_update", "updated_at"),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", Integer, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    _text("what"),
    _text("reason"),
    _text("by"),
)

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("incident_id", Integer, nullable=False, index=True),
    _text("channel"),
    Column("kind", Word(NoticeKind), nullable=False),
    _text("subject"),
    _text("body"),
    Column("queued_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("state", Word(NoticeState), nullable=False),
    _count("attempts"),
    Column("accepted_at", Moment),
    _text("message"),
    Column("payload", Details, nullable=False),
    Column("lease_until", Moment),
    Index("notices_by_state", "state", "due_at"),
)

watchlists = Table(
    "watchlists",
    metadata,
    Column("facet", Text, primary_key=True),  # two names that are one to a search cannot both be taken
    _text("name"),
    _text("query"),
    _text("purpose"),
    _text("owner"),
    Column("expires", Date),
    _text("held_because"),
    _text("made_by"),
    Column("made_at", Moment, nullable=False),
    _text("approved_by"),
    _text("approved_because"),
    Column("approved_at", Moment),
)

taught_places = Table(
    "taught_places",
    metadata,
    Column("facet", Text, primary_key=True),  # two spellings of one name are one place
    _text("name"),
    Column("boroughs", Words, nullable=False),
    _text("mention_id"),
    _text("by"),
    Column("at", Moment, nullable=False),
)

boards = Table(
    "boards",
    metadata,
    Column("name", Text, primary_key=True),
    Column("made_at", Moment, nullable=False),
    _text("body"),
)

burials = Table(
    "burials",
    metadata,
    Column("mention_id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    _text("because"),
    Column("done", Boolean, nullable=False),
    Index("burials_by_done", "done", "at"),
)

permissions = Table(
    "permissions",
    metadata,
    Column("source", Text, primary_key=True),
    _text("what"),
    _text("by"),
    _text("because"),
    Column("at", Moment, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("bucket", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False, default=0),
    Column("money", BigInteger, nullable=False, default=0),
)

source_gaps = Table(
    "source_gaps",
    metadata,
    Column("source", Text, primary_key=True),
    Column("at", Moment, primary_key=True),
    _text("why"),
    Index("source_gaps_by_time", "at"),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("source", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    _count("new"),
    _count("late"),
)

counted = Table(
    "counted",
    metadata,
    Column("source", Text, primary_key=True),
    Column("begins_at", Moment, primary_key=True),
    Column("ends_at", Moment, nullable=False),
    Column("posts", BigInteger, nullable=False),
)

notes = Table("notes", metadata, Column("key", Text, primary_key=True), _text("value"))

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    _text("actor"),
    _text("action"),
    Column("detail", Details, nullable=False),
    _text("chain"),
)


def schema_version(connection: Connection) -> int:
    """The version of what is there; 0 for an empty database."""
    if not inspect(connection).has_table(applied.name):
        return 0
    return connection.execute(select(applied.c.version).order_by(applied.c.version.desc())).scalar() or 0


def refuse_newer(found: int) -> None:
    """Raise UserError where the database was made by a newer program."""
    if found > VERSION:
        raise UserError(
            f"the state database is of schema version {found}, this Earshot knows up to {VERSION}: "
            "use the newer Earshot it was made with, or another data directory"
        )


def migrate(connection: Connection, now: datetime) -> None:
    """Bring the database to VERSION within the caller's transaction; raises UserError for a newer one."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})
    found = schema_version(connection)
    refuse_newer(found)
    if found == 0:
        metadata.create_all(connection)
        connection.execute(notes.insert().values(key="identity", value=uuid.uuid4().hex[:8]))
    else:
        for version in range(found + 1, VERSION + 1):
            for statement in STEPS[version]:
                connection.execute(text(statement))
    if found != VERSION:
        connection.execute(applied.insert().values(version=VERSION, at=now))
