"""The promises of the state database: cursors, health, leases, incidents, outbox, watchlists, places, boards, audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

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


class State(Protocol):
    """What must survive a kill -9 and needs transactions. Safe from many threads and from several processes.

    Times are aware UTC. Raises `TemporaryFailure` when the database cannot be reached; nothing half-done stays.
    """

    # -- sources --------------------------------------------------------------------------------------------------

    def register_sources(self, sources: Sequence[tuple[str, str]], now: datetime) -> None:
        """Make a row for each (name, kind) that has none, due at `now`; rows of sources no longer named are kept but
        never due."""

    def due_sources(self, now: datetime, limit: int) -> list[SourceRow]:
        """Registered, not paused, `next_check_at` passed, not leased; longest overdue first."""

    def next_due_at(self) -> datetime | None:
        """The earliest time a source or a notice falls due; None where nothing ever will."""

    def source(self, name: str) -> SourceRow:
        """That row; raises KeyError for an unknown name."""

    def sources(self) -> list[SourceRow]:
        """All registered sources by name."""

    def claim(self, name: str, owner: str, now: datetime, lease: timedelta) -> SourceRow | None:
        """Take the source for `owner` until now + lease, and what is known of it; None where another owner's lease has
        not run out."""

    def release(self, owner: str) -> None:
        """Give back every lease `owner` holds: called when it starts, since what starts anew cannot be polling."""

    def save_source(self, row: SourceRow) -> None:
        """Keep what a poll changed (cursor and health together, one transaction) and give the lease back."""

    def keep_source(self, row: SourceRow, owner: str, now: datetime, lease: timedelta) -> bool:
        """Keep what a poll under way has changed so far, and the source for `owner` until now + lease; False, and
        nothing kept, where `owner` holds it no more."""

    def resume(self, name: str, now: datetime) -> None:
        """A person says: try again. State back to late, failures 0, due now."""

    # -- what sources may read and cost, and what they may have missed --------------------------------------------

    def permissions(self) -> list[Permission]:
        """Those that stand, by source."""

    def permit(self, permission: Permission) -> None:
        """Keep it, in place of an earlier one for that source, which is due at once where it was off or stopped."""

    def withdraw_permission(self, source: str, now: datetime) -> Permission:
        """Take it back, and have that source look at once whether it may go on; the one that stood. Raises KeyError
        where none did."""

    def spend(self, kind: str, charges: Sequence[Charge]) -> int | None:
        """Put all charges to their accounts, in ONE transaction, and answer None; or, where one of them would pass its
        most, put none and answer which (its place in the list). Negative money is given back; an account never falls
        below nought."""

    def spent(self, periods: Sequence[str]) -> list[Spent]:
        """What stands on the accounts of these periods, by kind and bucket."""

    def note_gap(self, source: str, at: datetime, why: str) -> None:
        """Mark that posts of a source may have been missed before `at`."""

    def gaps(self, since: datetime) -> list[SourceGap]:
        """Gaps marked at or after `since`, newest first."""

    def note_arrivals(self, arrivals: Arrivals) -> None:
        """Add to what that source brought on that day."""

    def arrivals(self, since: date) -> list[Arrivals]:
        """What sources brought on each day from `since` on, by source and day."""

    def note_counted(self, counted: Sequence[Counted]) -> None:
        """Keep what platforms counted; the same hour of a source told again replaces what was told before."""

    def counted(self, since: datetime) -> list[Counted]:
        """What platforms counted from `since` on, by source and time."""

    # -- incidents and outbox -------------------------------------------------------------------------------------

    def open_incident(self, incident: Incident, transition: Transition, notices: Sequence[Notice]) -> Incident:
        """Insert incident (its id is given here), transition and notices in ONE transaction. Ids in transition and
        notices are filled in; `{incident_id}` in a notice's key, subject, body and payload becomes the id."""

    def change_incident(
        self,
        incident: Incident,
        transitions: Sequence[Transition],
        notices: Sequence[Notice],
        *,
        seen: Incident | None = None,
    ) -> bool:
        """Replace the incident row and append transitions and notices, in ONE transaction. A notice whose key exists
        is left as it is. Where `seen` is given and the row is no longer equal to it (somebody else changed it
        meanwhile), nothing is written and the answer is False. Raises KeyError for an unknown id."""

    def incidents(self, *, open_only: bool = False, since: datetime | None = None, limit: int = 500) -> list[Incident]:
        """Newest opened first; `since` keeps those opened or updated at or after it."""

    def incident(self, incident_id: int) -> Incident:
        """That incident; raises KeyError for an unknown id."""

    def transitions(self, incident_id: int) -> list[Transition]:
        """Its history, oldest first."""

    def notices(self, incident_id: int | None = None) -> list[Notice]:
        """Notices, oldest first."""

    def claim_notices(self, now: datetime, lease: timedelta, limit: int = 100) -> list[Notice]:
        """The queues of those channels that have a notice due and none under lease, in the order they were queued,
        leased until now + lease. Whatever waits before or behind a due notice comes with it, so that a channel that
        was down drains in order."""

    def settle_notice(self, notice: Notice) -> None:
        """Keep what an attempt changed (state, attempts, due_at, message, accepted_at) and give its lease back."""

    # -- watchlists -----------------------------------------------------------------------------------------------

    def watchlists(self) -> list[WatchlistRow]:
        """Those added here, held ones too, by name. Those of the settings are not among them."""

    def add_watchlist(self, row: WatchlistRow) -> bool:
        """Keep a new one; False, and nothing changed, where one has a name that reads the same to a search (`Stop &
        search` and `stop search`)."""

    def approve_watchlist(self, seen: WatchlistRow, by: str, because: str, at: datetime) -> bool:
        """Let a held one run; False, and nothing changed, where it is no longer as seen, or was approved before."""

    def remove_watchlist(self, name: str) -> None:
        """Take it out; raises KeyError for an unknown name."""

    # -- what corrections taught ----------------------------------------------------------------------------------

    def taught_places(self) -> list[TaughtPlace]:
        """Names that corrections taught the gazetteer, by name."""

    def teach_place(self, place: TaughtPlace) -> None:
        """Keep one; another whose name reads the same (`The Swan` and `the swan`) makes way."""

    def unteach_places(self, mention_id: str) -> None:
        """Take out what that mention's correction taught; nothing where it taught nothing."""

    def forget_place(self, name: str) -> None:
        """Take out the one whose name reads the same; nothing where there is none."""

    # -- boards ---------------------------------------------------------------------------------------------------

    def keep_board(self, name: str, made_at: datetime, body: str) -> None:
        """Keep what was worked out for a page as of `made_at`, in place of what was there under this name; an older
        one never takes the place of a newer."""

    def board(self, name: str) -> Board | None:
        """The board of that name; None where none was ever kept."""

    # -- burials --------------------------------------------------------------------------------------------------

    def note_burials(self, ids: Sequence[str], at: datetime, because: str) -> None:
        """Keep that the words of these mentions are to go, before anything is done about it. What was noted as
        deleted before stays as it is."""

    def unfinished_burials(self, limit: int) -> list[Burial]:
        """Those that are yet to be done, oldest first."""

    def finish_burials(self, ids: Sequence[str]) -> None:
        """Their words are gone everywhere."""

    def burials(self, after: str = "", limit: int = 1000) -> list[Burial]:
        """All of them, done or not, by mention id, from the one behind `after`: the list that holds for backups."""

    def redact(self, texts: Sequence[str], ours: Sequence[str] = ()) -> int:
        """Take these words out of notices, histories, titles and boards, down to the bytes on disk; in how many rows.
        What they have in common with `ours`, wording that Earshot puts into every notice, stays. Where it raises, the
        next call finishes the cleaning. The audit is not touched: it holds no post's words."""

    # -- small things ---------------------------------------------------------------------------------------------

    def get(self, key: str) -> str | None:
        """A named note (`exercise`, `exercise_now`, `last_rules_at`, `looked:<who>`, `backfilled:<which>`); None where
        there is none. `identity`, a word unlike any other database's, is there from the start."""

    def put(self, key: str, value: str) -> None:
        """Keep a named note."""

    def audit(self, at: datetime, actor: str, action: str, detail: dict[str, object]) -> AuditEntry:
        """Append to the hash chain."""

    def audit_trail(self, limit: int = 100) -> list[AuditEntry]:
        """Newest first."""

    def broken_audit(self) -> int | None:
        """The id of the first entry whose chain does not verify; None when the whole chain is sound."""

    def close(self) -> None:
        """Give connections back."""
