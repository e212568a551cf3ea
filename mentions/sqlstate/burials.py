"""What was buried: kept apart from the store, so that a backup of the store that is put back is buried again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mentions.mention import DELETED
from mentions.records import Burial
from mentions.redaction import Redaction
from mentions.sqlstate.schema import boards, burials, incidents, notices, sources, transitions

_FIELDS = [burials.c[name] for name in Burial.__dataclass_fields__]
_AT_ONCE = 500
# Where a sentence of ours, or a note of a person's, may quote a post. The audit is chained and never holds any.
_QUOTING: tuple[tuple[Table, str, tuple[str, ...]], ...] = (
    (notices, "id", ("subject", "body", "payload", "message")),
    (transitions, "id", ("reason",)),
    (incidents, "id", ("title",)),
    (boards, "name", ("body",)),
    (sources, "name", ("message", "sample")),
)


def note(connection: Connection, ids: Sequence[str], at: datetime, because: str) -> None:
    """Keep them as yet to be done. What was deleted stays noted as that, done or not; what had lapsed is done again,
    since its words may have come back."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for start in range(0, len(ids), _AT_ONCE):
        rows = [
            {"mention_id": each, "at": at, "because": because, "done": False}
            for each in dict.fromkeys(ids[start : start + _AT_ONCE])
        ]
        kept = insert(burials).values(rows)
        connection.execute(
            kept.on_conflict_do_update(
                index_elements=["mention_id"],
                set_={"at": kept.excluded.at, "because": kept.excluded.because, "done": False},
                where=burials.c.because != DELETED,
            )
        )


def unfinished(connection: Connection, limit: int) -> list[Burial]:
    """Those yet to be done, oldest first."""
    query = select(*_FIELDS).where(burials.c.done.is_(False)).order_by(burials.c.at, burials.c.mention_id).limit(limit)
    return [Burial(**found._mapping) for found in connection.execute(query)]


def finish(connection: Connection, ids: Sequence[str]) -> None:
    """They are done."""
    done = update(burials).where(burials.c.mention_id == bindparam("this")).values(done=True)
    if ids:
        connection.execute(done, [{"this": each} for each in ids])


def every(connection: Connection, after: str, limit: int) -> list[Burial]:
    """A page of all of them, by id."""
    query = select(*_FIELDS).where(burials.c.mention_id > after).order_by(burials.c.mention_id).limit(limit)
    return [Burial(**found._mapping) for found in connection.execute(query)]


def redact(connection: Connection, redaction: Redaction) -> int:
    """Take the words out of whatever may quote them; in how many rows."""
    changed = 0
    for table, key, columns in _QUOTING:
        for values in _changes(connection, table, key, columns, redaction):
            this = values.pop("this")
            connection.execute(update(table).where(table.c[key] == this).values(**values))
            changed += 1
    return changed


def _changes(
    connection: Connection, table: Table, key: str, columns: Sequence[str], redaction: Redaction
) -> Iterator[dict[str, object]]:
    rows = connection.execute(select(table.c[key], *(table.c[name] for name in columns))).all()
    for row in rows:
        before = dict(zip(columns, row[1:], strict=True))
        after = {name: _redacted(value, redaction) for name, value in before.items()}
        if after != before:
            yield {"this": row[0], **after}


def _redacted(value: object, redaction: Redaction) -> object:
    """The value without the words; of JSON in a text, as boards are, what stands in its strings."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            told = json.loads(value)
        except ValueError:
            return redaction.apply(value)
        after = redaction.apply_within(told)
        return value if after == told else json.dumps(after, ensure_ascii=False)
    return redaction.apply_within(value)
