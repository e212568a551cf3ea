"""Sources: which are due, who polls them, what a poll changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, or_, select, update

from mentions.records import SourceRow, SourceState
from mentions.sqlstate.schema import sources

FIELDS = [sources.c[name] for name in SourceRow.__dataclass_fields__]


def register_sources(connection: Connection, named: Sequence[tuple[str, str]], now: datetime) -> None:
    """Make missing rows, forget none. A source whose kind changed starts anew: another kind's cursor means nothing."""
    kinds = {row.name: row.kind for row in connection.execute(select(sources.c.name, sources.c.kind))}
    wanted = dict(named)
    connection.execute(update(sources).where(sources.c.name.not_in(wanted)).values(registered=False))
    for name, kind in wanted.items():
        fresh = {**asdict(SourceRow(name, kind, next_check_at=now)), "registered": True}
        this = sources.c.name == name
        if name not in kinds:
            connection.execute(sources.insert().values(**fresh))
        elif kinds[name] != kind:
            connection.execute(update(sources).where(this).values(**fresh, lease_owner=None, lease_until=None))
        else:
            connection.execute(update(sources).where(this, sources.c.registered.is_(False)).values(registered=True))


def due_sources(connection: Connection, now: datetime, limit: int) -> list[SourceRow]:
    """Longest overdue first."""
    query = (
        select(*FIELDS)
        .where(
            sources.c.registered,
            sources.c.state != SourceState.PAUSED,
            sources.c.next_check_at <= now,
            or_(sources.c.lease_until.is_(None), sources.c.lease_until <= now),
        )
        .order_by(sources.c.next_check_at, sources.c.name)
        .limit(limit)
    )
    return [_row(found) for found in connection.execute(query)]


def next_source_at(connection: Connection) -> datetime | None:
    """When the next source falls due; a leased one not before its lease ends."""
    query = select(sources.c.next_check_at, sources.c.lease_until).where(
        sources.c.registered, sources.c.state != SourceState.PAUSED, sources.c.next_check_at.is_not(None)
    )
    return min((max(due, lease or due) for due, lease in connection.execute(query)), default=None)


def source(connection: Connection, name: str) -> SourceRow:
    """That row, or KeyError."""
    found = connection.execute(select(*FIELDS).where(sources.c.name == name)).first()
    if found is None:
        raise KeyError(name)
    return _row(found)


def all_sources(connection: Connection) -> list[SourceRow]:
    """All registered, by name."""
    query = select(*FIELDS).where(sources.c.registered).order_by(sources.c.name)
    return [_row(found) for found in connection.execute(query)]


def claim(connection: Connection, name: str, owner: str, now: datetime, lease: timedelta) -> bool:
    """One conditional update, so that of many claimants one wins."""
    free = or_(sources.c.lease_until.is_(None), sources.c.lease_until <= now, sources.c.lease_owner == owner)
    taken = (
        update(sources)
        .where(sources.c.name == name, sources.c.registered, free)
        .values(lease_owner=owner, lease_until=now + lease)
    )
    return bool(connection.execute(taken).rowcount)


def release(connection: Connection, owner: str) -> None:
    """Give back this owner's leases."""
    values = {"lease_owner": None, "lease_until": None}
    connection.execute(update(sources).where(sources.c.lease_owner == owner).values(**values))


def save_source(connection: Connection, row: SourceRow) -> None:
    """Replace the row and give its lease back; KeyError for an unknown name."""
    values = {**asdict(row), "lease_owner": None, "lease_until": None}
    if not connection.execute(update(sources).where(sources.c.name == row.name).values(**values)).rowcount:
        raise KeyError(row.name)


def resume(connection: Connection, name: str, now: datetime) -> None:
    """Back to late, due now; KeyError for an unknown name."""
    values = {"state": SourceState.FAILING, "failures": 0, "next_check_at": now, "message": ""}
    if not connection.execute(update(sources).where(sources.c.name == name).values(**values)).rowcount:
        raise KeyError(name)


def _row(found: Row[tuple[object, ...]]) -> SourceRow:
    return SourceRow(**found._mapping)
