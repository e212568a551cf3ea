"""Permissions that named people recorded for sources which terms or robots.txt close."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mentions.records import Permission, SourceState
from mentions.sqlstate.schema import permissions, sources

_ALL = select(permissions).order_by(permissions.c.source)


def all_permissions(connection: Connection) -> list[Permission]:
    """By source."""
    return [Permission(**row._mapping) for row in connection.execute(_ALL)]


def permit(connection: Connection, permission: Permission) -> None:
    """Keep it in place of an earlier one, and let the source try at once."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = asdict(permission)
    kept = insert(permissions).values(**values)
    connection.execute(kept.on_conflict_do_update(index_elements=["source"], set_=values))
    stopped = sources.c.state == SourceState.PAUSED
    this = sources.c.name == permission.source
    late = {"state": SourceState.FAILING, "failures": 0, "message": "", "next_check_at": permission.at}
    connection.execute(update(sources).where(this, stopped).values(**late))
    connection.execute(
        update(sources).where(this, sources.c.state == SourceState.OFF).values(next_check_at=late["next_check_at"])
    )


def withdraw(connection: Connection, source: str, now: datetime) -> Permission:
    """Take it back and have the source look; KeyError where there is none."""
    this = permissions.c.source == source
    found = connection.execute(select(permissions).where(this)).first()
    if found is None:
        raise KeyError(source)
    connection.execute(delete(permissions).where(this))
    running = (sources.c.name == source, sources.c.state != SourceState.PAUSED)
    connection.execute(update(sources).where(*running).values(next_check_at=now))
    return Permission(**found._mapping)
