"""Places that corrections taught the gazetteer."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from mentions.facets import facet
from mentions.records import TaughtPlace
from mentions.sqlstate.schema import taught_places

_FIELDS = [taught_places.c[name] for name in TaughtPlace.__dataclass_fields__]


def all_taught(connection: Connection) -> list[TaughtPlace]:
    """By name."""
    found = connection.execute(select(*_FIELDS).order_by(taught_places.c.name))
    return [TaughtPlace(**row._mapping) for row in found]


def teach_place(connection: Connection, place: TaughtPlace) -> None:
    """Keep it, in place of another of that name."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = asdict(place)
    kept = insert(taught_places).values(facet=facet("place", place.name), **values)
    connection.execute(kept.on_conflict_do_update(index_elements=["facet"], set_=values))


def forget_place(connection: Connection, name: str) -> None:
    """Take out the one whose name reads the same."""
    connection.execute(delete(taught_places).where(taught_places.c.facet == facet("place", name)))


def unteach_places(connection: Connection, mention_id: str) -> None:
    """Take out what that mention's correction taught."""
    connection.execute(delete(taught_places).where(taught_places.c.mention_id == mention_id))
