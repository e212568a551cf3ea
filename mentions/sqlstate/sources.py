"""Sources: which are due, who polls them, what a poll changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from mentions.records import SourceRow, SourceState
from mentions.sqlstate.schema import sources

FIELDS = [sources.c[name] for name in SourceRow.__dataclass_fields__]
UNLEASED = {"lease_owner": None, "lease_until": None}
# What every poll asks is put together once: building a statement costs more than running it.
_NOW = bindparam("now", type_=sources.c.lease_until.type)
_FREE = or_(sources.c.lease_until.is_(None), sources.c.lease_until <= _NOW)
_POLLED = (sources.c.registered, sources.c.state != SourceState.PAUSED)
_DUE = (
    select(*FIELDS)
    .where(*_POLLED, sources.c.next_check_at <= _NOW, _FREE)
    .order_by(sources.c.next_check_at, sources.c.name)
    .limit(bindparam("most"))
)
_NEXT = select(sources.c.next_check_at, sources.c.lease_until).where(*_POLLED, sources.c.next_check_at.is_not(None))
_ALL = select(*FIELDS).where(sources.c.registered).order_by(sources.c.name)
_THIS = sources.c.name == bindparam("this")
_CLAIM = (
    update(sources)
    .where(_THIS, sources.c.registered, or_(_FREE, sources.c.lease_owner == bindparam("owner")))
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
    .returning(*FIELDS)
)
_SAVE = update(sources).where(_THIS)
_KEEP = _SAVE.where(sources.c.lease_owner == bindparam("holder"))


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
            connection.execute(update(sources).where(this).values(**fresh, **UNLEASED))
        else:
            connection.execute(update(sources).where(this, sources.c.registered.is_(False)).values(registered=True))


def due_sources(connection: Connection, now: datetime, limit: int) -> list[SourceRow]:
    """Longest overdue first."""
    return [_row(found) for found in connection.execute(_DUE, {"now": now, "most": limit})]


def next_source_at(connection: Connection) -> datetime | None:
    """When the next source falls due; a leased one not before its lease ends."""
    return min((max(due, lease or due) for due, lease in connection.execute(_NEXT)), default=None)


def source(connection: Connection, name: str) -> SourceRow:
    """That row, or KeyError."""
    found = connection.execute(select(*FIELDS).where(sources.c.name == name)).first()
    if found is None:
        raise KeyError(name)
    return _row(found)


def all_sources(connection: Connection) -> list[SourceRow]:
    """All registered, by name."""
    return [_row(found) for found in connection.execute(_ALL)]


def claim(connection: Connection, name: str, owner: str, now: datetime, lease: timedelta) -> SourceRow | None:
    """One conditional update, so that of many claimants one wins; it gives the row, so that a poll need not ask."""
    found = connection.execute(_CLAIM, {"this": name, "owner": owner, "now": now, "until": now + lease}).first()
    return None if found is None else _row(found)


def release(connection: Connection, owner: str) -> None:
    """Give back this owner's leases."""
    connection.execute(update(sources).where(sources.c.lease_owner == owner).values(**UNLEASED))


def save_source(connection: Connection, row: SourceRow) -> None:
    """Replace the row and give its lease back; KeyError for an unknown name."""
    if not connection.execute(_SAVE, {"this": row.name, **asdict(row), **UNLEASED}).rowcount:
        raise KeyError(row.name)


def keep_source(connection: Connection, row: SourceRow, owner: str, until: datetime) -> bool:
    """Replace the row and renew its lease, where the owner still holds it; the same statement asks and does."""
    values = {"this": row.name, "holder": owner, **asdict(row), "lease_until": until}
    return bool(connection.execute(_KEEP, values).rowcount)


def resume(connection: Connection, name: str, now: datetime) -> None:
    """Back to late, due now; KeyError for an unknown name."""
    values = {"state": SourceState.FAILING, "failures": 0, "next_check_at": now, "message": ""}
    if not connection.execute(update(sources).where(sources.c.name == name).values(**values)).rowcount:
        raise KeyError(name)


def _row(found: Row[tuple[object, ...]]) -> SourceRow:
    return SourceRow(**found._mapping)
