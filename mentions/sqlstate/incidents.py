"""Incidents, their history, and the outbox of notices that is written with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mentions.records import Incident, IncidentState, Notice, NoticeState, Transition
from mentions.sqlstate.schema import Details, incidents, notices, transitions

INCIDENT = [incidents.c[name] for name in Incident.__dataclass_fields__]
TRANSITION = [transitions.c[name] for name in Transition.__dataclass_fields__]
NOTICE = [notices.c[name] for name in Notice.__dataclass_fields__]
PLACE = "{incident_id}"
# What every minute asks is put together once: building a statement costs more than running it.
_NEWEST_FIRST = select(*INCIDENT).order_by(incidents.c.opened_at.desc(), incidents.c.id.desc()).limit(bindparam("most"))
_OPEN_ONES = _NEWEST_FIRST.where(incidents.c.state.in_([IncidentState.OPEN, IncidentState.ACKNOWLEDGED]))
_QUEUED = select(notices.c.due_at, notices.c.lease_until).where(notices.c.state == NoticeState.QUEUED)


def open_incident(
    connection: Connection, incident: Incident, transition: Transition, queued: Sequence[Notice]
) -> Incident:
    """Insert all three; the incident comes back with its id."""
    values = asdict(incident)
    del values["id"]
    made = connection.execute(incidents.insert().values(**values)).inserted_primary_key
    if made is None:
        raise RuntimeError("the database gave no id for a new incident")
    opened = replace(incident, id=made[0])
    _append(connection, opened.id, [transition], queued)
    return opened


def change_incident(
    connection: Connection,
    incident: Incident,
    made: Sequence[Transition],
    queued: Sequence[Notice],
    seen: Incident | None,
) -> bool:
    """Replace and append; False, with nothing written, where the row is no longer as `seen`."""
    query = select(*INCIDENT).where(incidents.c.id == incident.id)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update()
    found = connection.execute(query).first()
    if found is None:
        raise KeyError(incident.id)
    if seen is not None and _incident(found) != seen:
        return False
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**asdict(incident)))
    _append(connection, incident.id, made, queued)
    return True


def _append(connection: Connection, incident_id: int, made: Sequence[Transition], queued: Sequence[Notice]) -> None:
    if made:
        rows = [asdict(replace(transition, incident_id=incident_id)) for transition in made]
        connection.execute(transitions.insert(), rows)
    if queued:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        rows = [_filled_in(notice, incident_id) for notice in queued]
        connection.execute(insert(notices).on_conflict_do_nothing(index_elements=["key"]), rows)


def _filled_in(notice: Notice, incident_id: int) -> dict[str, object]:
    """The notice as a row, with the incident's id wherever its place was kept (as a number where it stood alone)."""
    values = asdict(notice)
    del values["id"]
    for name in ("key", "subject", "body"):
        values[name] = values[name].replace(PLACE, str(incident_id))
    details = Details()
    spelt = str(details.process_bind_param(notice.payload, sqlite.dialect()))
    spelt = spelt.replace(f'"{PLACE}"', str(incident_id)).replace(PLACE, str(incident_id))
    values["payload"] = details.process_result_value(spelt, sqlite.dialect())
    values["incident_id"] = incident_id
    return values


def list_incidents(connection: Connection, open_only: bool, since: datetime | None, limit: int) -> list[Incident]:
    """Newest opened first."""
    query = _OPEN_ONES if open_only else _NEWEST_FIRST
    if since is not None:
        query = query.where(or_(incidents.c.opened_at >= since, incidents.c.updated_at >= since))
    return [_incident(found) for found in connection.execute(query, {"most": limit})]


def incident(connection: Connection, incident_id: int) -> Incident:
    """That incident, or KeyError."""
    found = connection.execute(select(*INCIDENT).where(incidents.c.id == incident_id)).first()
    if found is None:
        raise KeyError(incident_id)
    return _incident(found)


def history(connection: Connection, incident_id: int) -> list[Transition]:
    """Oldest first."""
    query = select(*TRANSITION).where(transitions.c.incident_id == incident_id).order_by(transitions.c.id)
    return [Transition(**found._mapping) for found in connection.execute(query)]


def list_notices(connection: Connection, incident_id: int | None) -> list[Notice]:
    """Oldest first."""
    query = select(*NOTICE).order_by(notices.c.id)
    if incident_id is not None:
        query = query.where(notices.c.incident_id == incident_id)
    return [Notice(**found._mapping) for found in connection.execute(query)]


def next_notice_at(connection: Connection) -> datetime | None:
    """When the next notice falls due; a leased one not before its lease ends."""
    return min((max(due, lease or due) for due, lease in connection.execute(_QUEUED)), default=None)


def notice_is_due(connection: Connection, now: datetime) -> bool:
    """Whether anything waits to be sent: a look that takes no write lock."""
    query = select(notices.c.id).where(notices.c.state == NoticeState.QUEUED, notices.c.due_at <= now).limit(1)
    return connection.scalar(query) is not None


def claim_notices(connection: Connection, now: datetime, lease: timedelta, limit: int) -> list[Notice]:
    """Lease the queues of the channels that have a notice due and none in flight, oldest first."""
    free = or_(notices.c.lease_until.is_(None), notices.c.lease_until <= now)
    query = select(*NOTICE).where(notices.c.state == NoticeState.QUEUED, free)
    query = query.where(notices.c.channel.in_(_ready(connection, now))).order_by(notices.c.id).limit(limit)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    claimed = [Notice(**found._mapping) for found in connection.execute(query)]
    ids = [notice.id for notice in claimed]
    connection.execute(update(notices).where(notices.c.id.in_(ids)).values(lease_until=now + lease))
    return claimed


def _ready(connection: Connection, now: datetime) -> list[str]:
    """Channels with something due of which nothing is leased: two senders at once would break a queue's order."""
    due = func.min(notices.c.due_at)
    leased = func.max(notices.c.lease_until)
    query = select(notices.c.channel).where(notices.c.state == NoticeState.QUEUED).group_by(notices.c.channel)
    return list(connection.scalars(query.having(due <= now, or_(leased.is_(None), leased <= now))))


def settle_notice(connection: Connection, notice: Notice) -> None:
    """Keep what an attempt changed; KeyError for an unknown notice."""
    changed = ("state", "attempts", "due_at", "message", "accepted_at")
    values = {name: getattr(notice, name) for name in changed}
    this = notices.c.id == notice.id
    if not connection.execute(update(notices).where(this).values(**values, lease_until=None)).rowcount:
        raise KeyError(notice.key)


def _incident(found: Row[tuple[object, ...]]) -> Incident:
    return Incident(**found._mapping)
