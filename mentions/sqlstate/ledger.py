"""Named notes, and the append-only audit trail with its hash chain."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql, sqlite

from mentions.records import AuditEntry
from mentions.sqlstate.schema import EPOCH, MICROSECOND, audit, canonical, notes

PAGE = 5_000


def get(connection: Connection, key: str) -> str | None:
    """That note, or None."""
    return connection.scalar(select(notes.c.value).where(notes.c.key == key))


def put(connection: Connection, key: str, value: str) -> None:
    """Keep it, replacing what was there."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    kept = insert(notes).values(key=key, value=value)
    connection.execute(kept.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def append(connection: Connection, at: datetime, actor: str, action: str, detail: dict[str, object]) -> AuditEntry:
    """Add one link; the caller's transaction lets nobody else append in between."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
    last = connection.execute(select(audit.c.id, audit.c.chain).order_by(audit.c.id.desc()).limit(1)).first()
    number, before = (last.id + 1, last.chain) if last else (1, "")
    entry = AuditEntry(number, at, actor, action, detail, _link(before, number, at, actor, action, detail))
    connection.execute(
        audit.insert().values(id=number, at=at, actor=actor, action=action, detail=detail, chain=entry.chain)
    )
    return entry


def trail(connection: Connection, limit: int) -> list[AuditEntry]:
    """Newest first."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    return [AuditEntry(**found._mapping) for found in connection.execute(query)]


def first_broken(connection: Connection) -> int | None:
    """Walk the chain from its start: an edit, a swap or a gap shows at the entry it comes before or at."""
    before, number = "", 0
    while page := _page(connection, number):
        for entry in page:
            number += 1
            expected = _link(before, number, entry.at, entry.actor, entry.action, entry.detail)
            if entry.id != number or entry.chain != expected:
                return entry.id
            before = entry.chain
    return None


def _page(connection: Connection, after: int) -> Sequence[AuditEntry]:
    query = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(PAGE)
    return [AuditEntry(**found._mapping) for found in connection.execute(query)]


def _link(before: str, number: int, at: datetime, actor: str, action: str, detail: dict[str, object]) -> str:
    said = canonical([before, number, (at - EPOCH) // MICROSECOND, actor, action, detail])
    return hashlib.sha256(said.encode()).hexdigest()
