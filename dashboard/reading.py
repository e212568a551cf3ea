"""What the pages read: the books (store and state), what time it is in them, and how things stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dashboard.keeping import Kept
from dashboard.options import Options
from dashboard.usual import Hours, Past
from dashboard.wording import count_of, parse_time, tell_age, tell_time
from mentions.coverage import Coverage
from mentions.model_note import MODEL_NOTE
from mentions.records import Incident, IncidentState, Level, SourceRow, SourceState
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.store import MentionStore
from mentions.store_note import STORE_NOTE, StoreNote
from mentions.stores import open_store

RULES_STALLED_AFTER = timedelta(minutes=5)  # they run every minute
SILENT_AFTER = timedelta(seconds=60)  # the daemon's heart beats every ten seconds
PAST_FRESH_S = 600.0
DAY_FRESH_S = 60.0
OVERDUE_AFTER = timedelta(minutes=10)  # a try that should have been made this long ago was not made


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """The two databases a page may read, open for as long as the process lives."""

    store: MentionStore
    state: State
    own_handles: tuple[str, ...] = ()
    day: Kept[Hours] = field(default_factory=lambda: Kept(DAY_FRESH_S))  # today but for its newest hours
    coverage: Kept[Coverage] = field(default_factory=lambda: Kept(DAY_FRESH_S))
    past: Kept[Past] = field(
        default_factory=lambda: Kept(PAST_FRESH_S)
    )  # what is usual, weighed anew every ten minutes


def open_books(options: Options) -> Books:
    """Open what the daemon keeps in the data directory; raises UserError or TemporaryFailure where there is nothing."""
    store = open_store(options.store_url, readonly=True)
    return Books(store, open_state(options.state_url), options.own_handles)


@dataclass(frozen=True, slots=True)
class Moment:
    """What time it is on the pages: scenario time in an exercise, else the wall clock."""

    now: datetime
    wall: datetime
    exercise: bool = False
    ended: bool = False

    @property
    def rehearsed(self) -> bool:
        """Whether anything shown is an exercise, running or over."""
        return self.exercise or self.ended


def read_moment(state: State, wall: datetime) -> Moment:
    """The time that counts now."""
    kind = state.get("exercise")
    running, ended = kind == "1", kind == "ended"
    scenario = parse_time(state.get("exercise_now")) if running or ended else None
    return Moment(scenario or wall, wall, running, ended)


class Word(StrEnum):
    """The state in one word. It is red for a crisis and amber for a warning, whatever the colour of single posts."""

    RED = "Red"
    AMBER = "Amber"
    GREEN = "Green"
    UNKNOWN = "Unknown"


MARKS = {Word.RED: "■", Word.AMBER: "▲", Word.GREEN: "●", Word.UNKNOWN: "◇"}


@dataclass(frozen=True, slots=True)
class Standing:
    """The state line: a word, since when, what it is about, and what weakens it ("" where nothing does)."""

    word: Word
    since: datetime | None
    what: str
    doubt: str = ""
    open_incidents: tuple[Incident, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    daemon_alive: bool = False

    @property
    def live(self) -> list[SourceRow]:
        """The sources that are to be collected; what is not configured is none of them."""
        return [row for row in self.sources if row.state is not SourceState.OFF]

    @property
    def alive(self) -> int:
        """How many of those are on time; none of them where nobody is collecting."""
        return len(self.live) - len(self.late) if self.daemon_alive else 0

    @property
    def late(self) -> list[str]:
        """The names of those that are not."""
        return [row.name for row in self.live if row.state is not SourceState.OK]

    @property
    def lead(self) -> Incident | None:
        """The incident the line is about."""
        return self.open_incidents[0] if self.open_incidents else None


def read_standing(state: State, moment: Moment) -> Standing:
    """How things stand now. Never green while the daemon is silent or a source is stopped."""
    beat = parse_time(state.get("heartbeat"))
    daemon_alive = _is_alive(beat, moment)
    sources = tuple(read_sources(state, moment.now))
    found = tuple(sorted(state.incidents(open_only=True), key=_by_urgency))
    note = read_store_note(state, moment)
    blind = _tell_blindness(moment, beat, daemon_alive, parse_time(state.get("last_rules_at")), sources, note)
    if found:
        lead = found[0]
        word = Word.RED if lead.level is Level.CRISIS else Word.AMBER
        since = (lead.crisis_at if word is Word.RED else None) or lead.opened_at
        return Standing(word, since, _tell_open(found), blind, found, sources, daemon_alive)
    if blind:
        return Standing(Word.UNKNOWN, None, blind, "", (), sources, daemon_alive)
    last = _last_closed(state)
    green = Standing(Word.GREEN, last.resolved_at if last else None, "No open alerts", "", (), sources, daemon_alive)
    return replace(green, doubt=_tell_doubt(green.late) or tell_store(note, moment.now))


def read_blindness(state: State, moment: Moment) -> str:
    """Why nothing at all can be told at the moment; "" where something can. One stopped source is no such reason."""
    beat = parse_time(state.get("heartbeat"))
    rows = read_sources(state, moment.now)
    sources = tuple(row for row in rows if row.state is not SourceState.PAUSED)
    if len(sources) < len(rows) and all(row.state is SourceState.OFF for row in sources):
        return ""  # only stopped ones are left: coverage tells of those by name
    note, rules_at = read_store_note(state, moment), parse_time(state.get("last_rules_at"))
    return _tell_blindness(moment, beat, _is_alive(beat, moment), rules_at, sources, note)


def read_sources(state: State, now: datetime) -> list[SourceRow]:
    """All sources by name, as they are now: what was on time when last polled and is overdue since is late."""
    return [replace(row, state=_aged(row, now)) for row in state.sources()]


def _is_alive(beat: datetime | None, moment: Moment) -> bool:
    return not moment.ended and beat is not None and abs(moment.wall - beat) <= SILENT_AFTER


def read_store_note(state: State, moment: Moment) -> StoreNote:
    """How the daemon says that its store fares; nothing where there is no daemon to say it."""
    alive = _is_alive(parse_time(state.get("heartbeat")), moment)
    return StoreNote.from_text(state.get(STORE_NOTE)) if alive else StoreNote()


def tell_model(state: State, moment: Moment) -> str:
    """That a running daemon judges without its model; "" where it has it."""
    by_words = state.get(MODEL_NOTE) if _is_alive(parse_time(state.get("heartbeat")), moment) else ""
    return f"The model cannot be used: word lists judge {by_words}. See `earshot models`" if by_words else ""


def tell_store(note: StoreNote, now: datetime) -> str:
    """The same in a sentence; "" where all is well."""
    return note.tell(lambda at: tell_time(at, now))


def _aged(row: SourceRow, now: datetime) -> SourceState:
    answered = row.state in (SourceState.OK, SourceState.QUIET)
    overdue = row.next_check_at is not None and now - row.next_check_at > OVERDUE_AFTER
    return SourceState.FAILING if answered and overdue else row.state


def _by_urgency(incident: Incident) -> tuple[bool, bool, datetime]:
    return incident.level is not Level.CRISIS, incident.state is not IncidentState.OPEN, incident.opened_at


def _tell_open(found: tuple[Incident, ...]) -> str:
    lead, others = found[0], len(found) - 1
    more = f" · and {count_of(others, 'other open alert')}" if others else ""
    owner = f" by {lead.acknowledged_by}" if lead.state is IncidentState.ACKNOWLEDGED else ""
    return f"{lead.level.value}: {lead.title} · {lead.state.value}{owner}{more}"


def _tell_blindness(
    moment: Moment,
    beat: datetime | None,
    alive: bool,
    rules_at: datetime | None,
    sources: tuple[SourceRow, ...],
    note: StoreNote,
) -> str:
    """Why "no alerts" would not mean "no crisis"; "" where it does."""
    if moment.ended:
        return f"The exercise ended at {tell_time(moment.now, moment.now)}; nothing is being collected"
    if not alive:
        last = f" (last heard {tell_age(beat, moment.wall)})" if beat else ""
        return f"No daemon is running{last}: start it with `earshot daemon`"
    if not sources:
        return "No sources are set up: add some to earshot.toml"
    sources = tuple(row for row in sources if row.state is not SourceState.OFF)
    if not sources:
        return "No source is configured in full: see Sources"
    if note.is_blind:
        return tell_store(note, moment.now)
    if not moment.exercise and (rules_at is None or moment.wall - rules_at > RULES_STALLED_AFTER):
        when = f"last ran {tell_time(rules_at, moment.now)}" if rules_at else "have not run yet"
        return f"The rules {when}: no alert can be raised; see the daemon's log"
    stopped = [row.name for row in sources if row.state is SourceState.PAUSED]
    if stopped:
        return f"{', '.join(stopped[:3])}{' and others' if len(stopped) > 3 else ''} stopped: see Sources"
    if not any(row.succeeded_at for row in sources):
        return "No source has answered yet"
    if not any(row.state in (SourceState.OK, SourceState.QUIET) for row in sources):
        return "Every source is late: see Sources"
    return ""


def _tell_doubt(late: list[str]) -> str:
    return f"Not on time: {', '.join(late[:3])}{' and others' if len(late) > 3 else ''}" if late else ""


def _last_closed(state: State) -> Incident | None:
    closed = [found for found in state.incidents(limit=50) if found.resolved_at]
    return max(closed, key=lambda found: found.resolved_at or found.opened_at, default=None)
