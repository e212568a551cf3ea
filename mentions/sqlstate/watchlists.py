"""Watchlists that people added beside those of the settings."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mentions.facets import facet
from mentions.records import WatchlistRow
from mentions.sqlstate.schema import watchlists

_FIELDS = [watchlists.c[name] for name in WatchlistRow.__dataclass_fields__]


def all_watchlists(connection: Connection) -> list[WatchlistRow]:
    """By name."""
    return [
        WatchlistRow(**found._mapping) for found in connection.execute(select(*_FIELDS).order_by(watchlists.c.name))
    ]


def add_watchlist(connection: Connection, row: WatchlistRow) -> bool:
    """One insert, so that of two who take one name at once one is told."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"facet": facet("watchlist", row.name), **asdict(row)}
    made = insert(watchlists).values(**values).on_conflict_do_nothing().returning(watchlists.c.facet)
    return connection.execute(made).first() is not None


def approve_watchlist(connection: Connection, seen: WatchlistRow, by: str, because: str, at: datetime) -> bool:
    """Only the very watchlist that was seen: another of its name may have taken its place meanwhile."""
    this = update(watchlists).where(
        watchlists.c.name == seen.name,
        watchlists.c.query == seen.query,
        watchlists.c.made_at == seen.made_at,
        watchlists.c.approved_at.is_(None),
    )
    return bool(connection.execute(this.values(approved_by=by, approved_because=because, approved_at=at)).rowcount)


def remove_watchlist(connection: Connection, name: str) -> None:
    """Take it out; KeyError for an unknown name."""
    if not connection.execute(delete(watchlists).where(watchlists.c.name == name)).rowcount:
        raise KeyError(name)
