"""What sources may have missed, and what they brought by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from mentions.records import Arrivals, Counted, SourceGap
from mentions.sqlstate.schema import arrivals, counted, source_gaps


def note_gap(connection: Connection, source: str, at: datetime, why: str) -> None:
    """Mark it; the same moment twice is one gap."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(source_gaps).values(source=source, at=at, why=why).on_conflict_do_nothing())


def gaps(connection: Connection, since: datetime) -> list[SourceGap]:
    """Newest first."""
    order = (source_gaps.c.at.desc(), source_gaps.c.source)
    found = connection.execute(select(source_gaps).where(source_gaps.c.at >= since).order_by(*order))
    return [SourceGap(**row._mapping) for row in found]


def note_arrivals(connection: Connection, brought: Arrivals) -> None:
    """Add to that day's."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    kept = insert(arrivals).values(**asdict(brought))
    added = {name: arrivals.c[name] + kept.excluded[name] for name in ("new", "late")}
    connection.execute(kept.on_conflict_do_update(index_elements=["source", "day"], set_=added))


def arrivals_since(connection: Connection, since: date) -> list[Arrivals]:
    """By source and day."""
    order = (arrivals.c.source, arrivals.c.day)
    found = connection.execute(select(arrivals).where(arrivals.c.day >= since).order_by(*order))
    return [Arrivals(**row._mapping) for row in found]


def note_counted(connection: Connection, told: Sequence[Counted]) -> None:
    """Keep each hour, in place of what was told of it before."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for each in told:
        kept = insert(counted).values(**asdict(each))
        values = {"ends_at": each.ends_at, "posts": each.posts}
        connection.execute(kept.on_conflict_do_update(index_elements=["source", "begins_at"], set_=values))


def counted_since(connection: Connection, since: datetime) -> list[Counted]:
    """By source and time."""
    order = (counted.c.source, counted.c.begins_at)
    found = connection.execute(select(counted).where(counted.c.begins_at >= since).order_by(*order))
    return [Counted(**row._mapping) for row in found]
