"""Boards: what the daemon last worked out for the pages, one row each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from mentions.records import Board
from mentions.sqlstate.schema import boards


def keep_board(connection: Connection, name: str, made_at: datetime, body: str) -> None:
    """Keep it in place of an older one: of two daemons over one state the later word stands."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    kept = insert(boards).values(name=name, made_at=made_at, body=body)
    newer = kept.excluded
    connection.execute(
        kept.on_conflict_do_update(
            index_elements=["name"],
            set_={"made_at": newer.made_at, "body": newer.body},
            where=boards.c.made_at <= newer.made_at,
        )
    )


def board(connection: Connection, name: str) -> Board | None:
    """That board, or None."""
    found = connection.execute(select(boards).where(boards.c.name == name)).first()
    return None if found is None else Board(**found._mapping)
