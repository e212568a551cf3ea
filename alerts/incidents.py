"""The incident machine, first version: findings in, incidents with their history and their notices out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

from alerts.announcing import announce, announce_end
from alerts.desk import Desk
from alerts.folding import Folded, absorb, close, feed, in_order, inherit, is_clearly_worse, start, strength
from alerts.matching import find_doubles, find_home, find_outgrown, find_to_reopen
from mentions.failures import TemporaryFailure, UserError
from mentions.records import Finding, Incident, IncidentState, Notice, Transition
from mentions.state import State

__all__ = ["Desk", "acknowledge", "add_note", "record", "resolve"]

HOUSE_NOTE = "identity"
BLIND_NOTE = "blind_at"
TRIES = 5
LONGEST_LIFE = timedelta(days=7)  # how far back one that was resolved within a day may have been fed last
SYSTEM = "earshot"


def record(
    findings: Sequence[Finding], now: datetime, state: State, desk: Desk, *, blind: bool = False
) -> list[Incident]:
    """Fold what the rules found into incidents, resolve what has gone quiet, queue what people must hear.

    Returns the incidents that findings fed or that were resolved at this call. Each incident's row, history and
    notices are kept in one transaction. The same findings at the same time change nothing the second time. While
    `blind` (sources are not being read) nothing is resolved, and quiet starts anew afterwards.
    """
    open_ones = state.incidents(open_only=True)
    if not findings and not open_ones:
        return []
    book = _Book(state, desk, now, open_ones)
    for finding in in_order(findings):
        book.enter(finding)
    fed = [_keep(matter, book) for matter in book.matters if matter.findings]
    if blind:
        state.put(BLIND_NOTE, now.isoformat())
        return fed
    touched = {incident.id for incident in fed} | {ended.id for one in book.matters for ended in one.ends}
    return fed + _resolve_quiet([one for one in open_ones if one.id not in touched], book)


def acknowledge(state: State, incident_id: int, who: str, now: datetime, note: str = "") -> Incident:
    """A named person takes charge. The first wins: whoever comes later gets the incident back as it is."""

    def take(old: Incident) -> tuple[Incident, list[Transition]]:
        if old.state is IncidentState.RESOLVED:
            raise UserError(f"incident {old.id} is resolved already: there is nothing to acknowledge")
        if old.state is IncidentState.ACKNOWLEDGED:
            return old, []
        new = replace(old, state=IncidentState.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=who)
        return new, [Transition(old.id, now, "acknowledged", note or f"{who} has taken charge", who)]

    return _act(state, incident_id, who, now, "acknowledge", note, take)


def resolve(state: State, incident_id: int, who: str, now: datetime, note: str = "") -> Incident:
    """A named person says it is over; channels that were told of it are told so. Evidence that merely goes on does
    not open it again, evidence that is clearly worse or comes back after quiet does."""

    def end(old: Incident) -> tuple[Incident, list[Transition]]:
        if old.state is IncidentState.RESOLVED:
            return old, []
        return close(old, now), [Transition(old.id, now, "resolved", note or f"{who} says it is over", who)]

    def tell(new: Incident, made: Sequence[Transition]) -> list[Notice]:
        return announce_end(new, state.notices(new.id), made[-1].reason, now, state.get(HOUSE_NOTE) or "")

    return _act(state, incident_id, who, now, "resolve", note, end, tell)


def add_note(state: State, incident_id: int, who: str, now: datetime, note: str) -> Incident:
    """A named person writes something into the incident's history."""
    if not note.strip():
        raise UserError("a note needs words")
    said = Transition(incident_id, now, "note", note, who)
    return _act(state, incident_id, who, now, "note", note, lambda old: (old, [said]))


def _act(
    state: State,
    incident_id: int,
    who: str,
    now: datetime,
    action: str,
    note: str,
    change: Callable[[Incident], tuple[Incident, list[Transition]]],
    tell: Callable[[Incident, Sequence[Transition]], list[Notice]] = lambda incident, made: [],
) -> Incident:
    """Make one person's change against the newest row, and audit it."""
    if not who.strip():
        raise UserError(f"to {action} an incident, say who you are")
    for _ in range(TRIES):
        old = state.incident(incident_id)
        new, made = change(old)
        if not made:
            return old
        if state.change_incident(new, made, tell(new, made), seen=old):
            state.audit(now, who, action, {"incident": incident_id, **fingerprint(note)})
            return new
    raise _overrun(incident_id)


def fingerprint(note: str) -> dict[str, object]:
    """What the audit keeps of a note: its chain can never be shortened, so what people write, and may quote, stands in
    the incident's history alone."""
    return {"note_sha256": sha256(note.encode("utf-8", "replace")).hexdigest()} if note else {}


@dataclass(slots=True)
class _Matter:
    """One incident at work: its row as `seen` (None for a new one), what feeds it now, how it will look."""

    seen: Incident | None
    preview: Incident
    findings: list[Finding] = field(default_factory=list)
    doubles: list[Incident] = field(default_factory=list)
    outgrown: list[Incident] = field(default_factory=list)
    stays_closed: bool = False

    @property
    def ends(self) -> list[Incident]:
        """The warnings that end because they are part of this one now."""
        return self.doubles + self.outgrown

    def fold(self, now: datetime, desk: Desk) -> Folded:
        """What the findings so far make of it."""
        if self.seen is None:
            return inherit(start(self.findings, self.preview.id, now, desk), self.outgrown)
        if self.stays_closed:
            return Folded(replace(self.seen, updated_at=max(now, self.seen.updated_at)), (), self.findings[0])
        return feed(absorb(self.seen, self.doubles), self.findings, now, desk)


class _Book:
    """The incidents of one call to `record`: which finding goes where."""

    def __init__(self, state: State, desk: Desk, now: datetime, open_ones: Sequence[Incident]) -> None:
        self.state, self.desk, self.now = state, desk, now
        self.matters = [_Matter(incident, incident) for incident in open_ones]
        self._stand_ins = count(-1, -1)  # ids of new incidents until the database gives them theirs
        self._resolved: list[Incident] | None = None
        self._house: str | None = None

    @property
    def house(self) -> str:
        """What tells this installation's notices from any other's."""
        if self._house is None:
            self._house = self.state.get(HOUSE_NOTE) or ""
        return self._house

    def enter(self, finding: Finding) -> None:
        """Put a finding to its incident: one that is open, else one to reopen, else a new one."""
        live = {matter.preview.id: matter for matter in self.matters if not matter.stays_closed}
        previews = [matter.preview for matter in live.values()]
        home = find_home(finding, previews, self.now)
        matter = live[home.id] if home else self._reopen(finding) or self._begin(finding)
        matter.findings.append(finding)
        if home:
            for double in find_doubles(finding, home, [one for one in previews if one.id > 0]):
                self._merge(matter, live[double.id])
        matter.preview = matter.fold(self.now, self.desk).incident

    def _begin(self, finding: Finding) -> _Matter:
        number = next(self._stand_ins)
        matter = _Matter(None, start([finding], number, self.now, self.desk).incident)
        stored = [one.seen for one in self.matters if one.seen and not one.findings and not one.stays_closed]
        matter.outgrown = find_outgrown(finding, stored)
        self.matters = [one for one in self.matters if one.seen not in matter.outgrown]
        self.matters.append(matter)
        return matter

    def _reopen(self, finding: Finding) -> _Matter | None:
        if self._resolved is None:
            self._resolved = self._recently_resolved()
        old = find_to_reopen(finding, self._resolved)
        if old is None:
            return None
        matter = next((matter for matter in self.matters if matter.preview.id == old.id), None)
        if matter is None:
            matter = _Matter(old, old, stays_closed=True)
            self.matters.append(matter)
        matter.stays_closed = matter.stays_closed and self._stays_closed(old, finding)
        return matter

    def _recently_resolved(self) -> list[Incident]:
        since = self.now - self.desk.reopen_within
        rows = self.state.incidents(since=since - LONGEST_LIFE)
        return [row for row in rows if row.resolved_at and row.resolved_at > since]

    def _stays_closed(self, old: Incident, finding: Finding) -> bool:
        """A person's word holds against evidence that merely goes on."""
        ends = [one for one in self.state.transitions(old.id) if one.what == "resolved"]
        by_person = bool(ends) and ends[-1].by != SYSTEM
        goes_on = self.now - old.updated_at < self.desk.quiet_for(old)
        return by_person and goes_on and not is_clearly_worse(finding, old)

    def _merge(self, home: _Matter, double: _Matter) -> None:
        if double.seen is None:
            return
        home.doubles.append(double.seen)
        home.findings.extend(double.findings)
        self.matters.remove(double)


def _keep(matter: _Matter, book: _Book) -> Incident:
    """Store one incident with its history and notices; folded again where somebody changed it meanwhile."""
    for _ in range(TRIES):
        folded = matter.fold(book.now, book.desk)
        if matter.seen is None:
            notices = announce(folded, [], book.now, book.desk, book.house)
            incident = book.state.open_incident(folded.incident, folded.transitions[0], notices)
            _end_all(matter.ends, incident, book)
            return incident
        notices = [] if matter.stays_closed else _notices_owed(folded, book)
        incident = _with_peak(folded) if notices else folded.incident
        if incident == matter.seen and not notices and not folded.transitions:
            return incident
        if book.state.change_incident(incident, folded.transitions, notices, seen=matter.seen):
            _end_all(matter.ends, incident, book)
            return incident
        matter.seen = book.state.incident(matter.seen.id)
    raise _overrun(matter.preview.id)


def _notices_owed(folded: Folded, book: _Book) -> list[Notice]:
    if not book.desk.told_of(folded.incident.level):
        return []
    sent = book.state.notices(folded.incident.id)
    return announce(folded, sent, book.now, book.desk, book.house)


def _with_peak(folded: Folded) -> Incident:
    incident = folded.incident
    return replace(incident, peak=max(incident.peak, strength(folded.lead.score)))


def _resolve_quiet(untouched: Sequence[Incident], book: _Book) -> list[Incident]:
    """End what nothing has fed for its time; time when we were blind does not count as quiet."""
    if not any(book.now - one.updated_at >= book.desk.quiet_for(one) for one in untouched):
        return []
    note = book.state.get(BLIND_NOTE)
    blind_at = datetime.fromisoformat(note) if note else None
    ended = []
    for incident in untouched:
        quiet = book.desk.quiet_for(incident)
        since = max(incident.updated_at, blind_at) if blind_at else incident.updated_at
        if book.now - since >= quiet:
            ended += _end(incident, f"nothing new for {int(quiet.total_seconds() // 60)} minutes", book)
    return ended


def _end_all(parts: Sequence[Incident], whole: Incident, book: _Book) -> None:
    for part in parts:
        _end(part, f"the same matter as incident {whole.id}", book)


def _end(incident: Incident, why: str, book: _Book) -> list[Incident]:
    """Resolve it, unless somebody changed it just now: then the next check looks again."""
    new = close(incident, book.now)
    notices = announce_end(new, book.state.notices(incident.id), why, book.now, book.house)
    made = [Transition(incident.id, book.now, "resolved", why, SYSTEM)]
    return [new] if book.state.change_incident(new, made, notices, seen=incident) else []


def _overrun(incident_id: int) -> TemporaryFailure:
    return TemporaryFailure(f"incident {incident_id} is being changed by too many at once; try again")
