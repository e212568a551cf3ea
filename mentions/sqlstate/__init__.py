"""The state database over SQLAlchemy Core: SQLite by default, PostgreSQL for several machines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from mentions.records import (
    Arrivals,
    AuditEntry,
    Board,
    Burial,
    Charge,
    Counted,
    Incident,
    Notice,
    Permission,
    SourceGap,
    SourceRow,
    Spent,
    TaughtPlace,
    Transition,
    WatchlistRow,
)
from mentions.redaction import Redaction
from mentions.sqlstate import (
    boards,
    burials,
    coverage,
    incidents,
    ledger,
    permissions,
    places,
    sources,
    spending,
    watchlists,
)
from mentions.sqlstate.database import Database, open_database
from mentions.state import State

CLEAN_DUE = "clean_due"  # a note: words that were taken out may still stand in the files


def open_state(url: str, readonly: bool = False) -> State:
    """Open `sqlite:PATH` or `postgresql://user@host/database`, made or upgraded as needed (never when `readonly`).

    Raises `UserError` for what a person must mend (no such directory, made by a newer version, not our file) and
    `TemporaryFailure` where the database cannot be reached.
    """
    return SqlState(open_database(url, readonly))


class SqlState:
    """`mentions.state.State` over one database; every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register_sources(self, sources_named: Sequence[tuple[str, str]], now: datetime) -> None:
        with self._database.write() as connection:
            sources.register_sources(connection, sources_named, now)

    def due_sources(self, now: datetime, limit: int) -> list[SourceRow]:
        with self._database.read() as connection:
            return sources.due_sources(connection, now, limit)

    def next_due_at(self) -> datetime | None:
        with self._database.read() as connection:
            times = [sources.next_source_at(connection), incidents.next_notice_at(connection)]
        return min((at for at in times if at is not None), default=None)

    def source(self, name: str) -> SourceRow:
        with self._database.read() as connection:
            return sources.source(connection, name)

    def sources(self) -> list[SourceRow]:
        with self._database.read() as connection:
            return sources.all_sources(connection)

    def claim(self, name: str, owner: str, now: datetime, lease: timedelta) -> SourceRow | None:
        with self._database.write() as connection:
            return sources.claim(connection, name, owner, now, lease)

    def release(self, owner: str) -> None:
        with self._database.write() as connection:
            sources.release(connection, owner)

    def save_source(self, row: SourceRow) -> None:
        with self._database.write() as connection:
            sources.save_source(connection, row)

    def keep_source(self, row: SourceRow, owner: str, now: datetime, lease: timedelta) -> bool:
        with self._database.write() as connection:
            return sources.keep_source(connection, row, owner, now + lease)

    def resume(self, name: str, now: datetime) -> None:
        with self._database.write() as connection:
            sources.resume(connection, name, now)

    def permissions(self) -> list[Permission]:
        with self._database.read() as connection:
            return permissions.all_permissions(connection)

    def permit(self, permission: Permission) -> None:
        with self._database.write() as connection:
            permissions.permit(connection, permission)

    def withdraw_permission(self, source: str, now: datetime) -> Permission:
        with self._database.write() as connection:
            return permissions.withdraw(connection, source, now)

    def spend(self, kind: str, charges: Sequence[Charge]) -> int | None:
        try:
            with self._database.write() as connection:
                spending.spend(connection, kind, charges)
        except spending.Passed as passed:
            return passed.place
        return None

    def spent(self, periods: Sequence[str]) -> list[Spent]:
        with self._database.read() as connection:
            return spending.spent(connection, periods)

    def note_gap(self, source: str, at: datetime, why: str) -> None:
        with self._database.write() as connection:
            coverage.note_gap(connection, source, at, why)

    def gaps(self, since: datetime) -> list[SourceGap]:
        with self._database.read() as connection:
            return coverage.gaps(connection, since)

    def note_arrivals(self, arrivals: Arrivals) -> None:
        with self._database.write() as connection:
            coverage.note_arrivals(connection, arrivals)

    def arrivals(self, since: date) -> list[Arrivals]:
        with self._database.read() as connection:
            return coverage.arrivals_since(connection, since)

    def note_counted(self, counted: Sequence[Counted]) -> None:
        with self._database.write() as connection:
            coverage.note_counted(connection, counted)

    def counted(self, since: datetime) -> list[Counted]:
        with self._database.read() as connection:
            return coverage.counted_since(connection, since)

    def open_incident(self, incident: Incident, transition: Transition, notices: Sequence[Notice]) -> Incident:
        with self._database.write() as connection:
            return incidents.open_incident(connection, incident, transition, notices)

    def change_incident(
        self,
        incident: Incident,
        transitions: Sequence[Transition],
        notices: Sequence[Notice],
        *,
        seen: Incident | None = None,
    ) -> bool:
        with self._database.write() as connection:
            return incidents.change_incident(connection, incident, transitions, notices, seen)

    def incidents(self, *, open_only: bool = False, since: datetime | None = None, limit: int = 500) -> list[Incident]:
        with self._database.read() as connection:
            return incidents.list_incidents(connection, open_only, since, limit)

    def incident(self, incident_id: int) -> Incident:
        with self._database.read() as connection:
            return incidents.incident(connection, incident_id)

    def transitions(self, incident_id: int) -> list[Transition]:
        with self._database.read() as connection:
            return incidents.history(connection, incident_id)

    def notices(self, incident_id: int | None = None) -> list[Notice]:
        with self._database.read() as connection:
            return incidents.list_notices(connection, incident_id)

    def claim_notices(self, now: datetime, lease: timedelta, limit: int = 100) -> list[Notice]:
        with self._database.read() as connection:
            if not incidents.notice_is_due(connection, now):
                return []
        with self._database.write() as connection:
            return incidents.claim_notices(connection, now, lease, limit)

    def settle_notice(self, notice: Notice) -> None:
        with self._database.write() as connection:
            incidents.settle_notice(connection, notice)

    def watchlists(self) -> list[WatchlistRow]:
        with self._database.read() as connection:
            return watchlists.all_watchlists(connection)

    def add_watchlist(self, row: WatchlistRow) -> bool:
        with self._database.write() as connection:
            return watchlists.add_watchlist(connection, row)

    def approve_watchlist(self, seen: WatchlistRow, by: str, because: str, at: datetime) -> bool:
        with self._database.write() as connection:
            return watchlists.approve_watchlist(connection, seen, by, because, at)

    def remove_watchlist(self, name: str) -> None:
        with self._database.write() as connection:
            watchlists.remove_watchlist(connection, name)

    def taught_places(self) -> list[TaughtPlace]:
        with self._database.read() as connection:
            return places.all_taught(connection)

    def teach_place(self, place: TaughtPlace) -> None:
        with self._database.write() as connection:
            places.teach_place(connection, place)

    def unteach_places(self, mention_id: str) -> None:
        with self._database.write() as connection:
            places.unteach_places(connection, mention_id)

    def forget_place(self, name: str) -> None:
        with self._database.write() as connection:
            places.forget_place(connection, name)

    def keep_board(self, name: str, made_at: datetime, body: str) -> None:
        with self._database.write() as connection:
            boards.keep_board(connection, name, made_at, body)

    def board(self, name: str) -> Board | None:
        with self._database.read() as connection:
            return boards.board(connection, name)

    def note_burials(self, ids: Sequence[str], at: datetime, because: str) -> None:
        with self._database.write() as connection:
            burials.note(connection, ids, at, because)

    def unfinished_burials(self, limit: int) -> list[Burial]:
        with self._database.read() as connection:
            return burials.unfinished(connection, limit)

    def finish_burials(self, ids: Sequence[str]) -> None:
        with self._database.write() as connection:
            burials.finish(connection, ids)

    def burials(self, after: str = "", limit: int = 1000) -> list[Burial]:
        with self._database.read() as connection:
            return burials.every(connection, after, limit)

    def redact(self, texts: Sequence[str], ours: Sequence[str] = ()) -> int:
        redaction, changed = Redaction(texts, ours), 0
        if redaction:
            with self._database.write() as connection:
                changed = burials.redact(connection, redaction)
                if changed:
                    ledger.put(connection, CLEAN_DUE, "yes")
        if self.get(CLEAN_DUE):  # also where an earlier one could not, since somebody was reading
            self._database.clean()
            self.put(CLEAN_DUE, "")
        return changed

    def get(self, key: str) -> str | None:
        with self._database.read() as connection:
            return ledger.get(connection, key)

    def put(self, key: str, value: str) -> None:
        with self._database.write() as connection:
            ledger.put(connection, key, value)

    def audit(self, at: datetime, actor: str, action: str, detail: dict[str, object]) -> AuditEntry:
        with self._database.write() as connection:
            return ledger.append(connection, at, actor, action, detail)

    def audit_trail(self, limit: int = 100) -> list[AuditEntry]:
        with self._database.read() as connection:
            return ledger.trail(connection, limit)

    def broken_audit(self) -> int | None:
        with self._database.read() as connection:
            return ledger.first_broken(connection)

    def close(self) -> None:
        self._database.close()
