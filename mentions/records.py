"""The rows of the state database, as values: sources, incidents, notices, boards, audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from mentions.mention import Rag


class SourceState(StrEnum):
    """How a source is doing, in the words of the Sources page."""

    NEVER = "never"  # not polled yet
    OK = "on time"
    QUIET = "doubtful"  # answers, but brings nothing for longer than its own rhythm
    FAILING = "late"  # tried and failed; will be tried again
    PAUSED = "stopped"  # needs attention, or paused by a person
    OFF = "not configured"  # credentials or a permission are missing; no fault


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What is known of one source. `cursor` is the connector's own note to itself; nobody else reads it."""

    name: str
    kind: str
    cursor: str | None = None
    state: SourceState = SourceState.NEVER
    next_check_at: datetime | None = None
    polled_at: datetime | None = None  # last try
    succeeded_at: datetime | None = None
    newest_at: datetime | None = None  # published time of the newest mention it brought
    brought_at: datetime | None = None  # when it last brought anything new
    failures: int = 0  # in a row
    message: str = ""  # what is wrong, what to do next
    polls: int = 0
    mentions: int = 0  # new ones, ever
    left_out: int = 0  # odd posts, ever
    sample: str = ""  # the reason the last odd post was left out, never its text
    moved_to: str = ""  # where it is read now, if its server has sent us on for good
    weekly: float = 0.0  # posts a week, as it has brought them lately; below nought where nobody has counted yet


@dataclass(frozen=True, slots=True)
class Permission:
    """What a named person recorded: that we may read `source`, which its platform's terms or its site's robots.txt
    close. It holds for `what` alone (a kind and a place, as in "feed www.reddit.com"): a source that is made to read
    something else needs another."""

    source: str
    what: str
    by: str
    because: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Charge:
    """Calls and money (millionths of a US dollar) put to one account of a kind of source for one `period`, a day as in
    "2026-11-26" or a month as in "2026-11"; `bucket` names an allowance of its own. What would pass a most is refused.
    """

    bucket: str
    period: str
    calls: int = 0
    money: int = 0
    most_calls: int | None = None
    most_money: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What stands on one account."""

    kind: str
    bucket: str
    period: str
    calls: int
    money: int  # millionths of a US dollar


@dataclass(frozen=True, slots=True)
class SourceGap:
    """Posts of a source may have been missed before `at`; `why` in a few words."""

    source: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a source brought on one UTC day, first poll and imports apart; `late` of them long after they were
    published."""

    source: str
    day: date
    new: int
    late: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many posts a platform counted for a source's query in [begins_at, ends_at), read by us or not."""

    source: str
    begins_at: datetime
    ends_at: datetime
    posts: int


class Level(StrEnum):
    """A warning waits on the page; a crisis rings a phone."""

    WARNING = "warning"
    CRISIS = "crisis"


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class NoticeKind(StrEnum):
    """What a notice tells."""

    OPENED = "opened"
    UPDATE = "update"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says holds now. Two findings with one `key` are the same matter.

    `count` mentions in `window_minutes`, where `expected` is usual; `evidence` are mention ids, earliest first, and
    `publishers` how many independent voices (publishers or authors) stand behind them. `summary` is one sentence
    without any post's text.
    """

    rule: str
    key: str
    level: Level
    colour: Rag
    summary: str
    topic: str = ""
    watchlist: str = ""
    boroughs: tuple[str, ...] = ()
    score: float = 0.0
    count: int = 0
    expected: float = 0.0
    window_minutes: int = 0
    publishers: int = 0
    first_evidence_at: datetime | None = None
    last_evidence_at: datetime | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """What people work on: one matter from its first sign until it is quiet. `peak` is the worst score notified of."""

    id: int
    key: str
    state: IncidentState
    level: Level
    colour: Rag
    title: str
    opened_at: datetime
    updated_at: datetime  # last finding that fed it
    topic: str = ""
    watchlist: str = ""
    boroughs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()  # every finding key merged into it
    first_evidence_at: datetime | None = None
    crisis_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    resolved_at: datetime | None = None
    score: float = 0.0
    peak: float = 0.0
    count: int = 0
    expected: float = 0.0
    window_minutes: int = 0
    publishers: int = 0
    evidence: tuple[str, ...] = ()
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of an incident's history, append-only. `reason` is a sentence; `by` a person or "earshot"."""

    incident_id: int
    at: datetime
    what: str  # opened, crisis, worse, acknowledged, resolved, reopened, note
    reason: str
    by: str = "earshot"


class NoticeState(StrEnum):
    """Where one message stands."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    DEAD = "dead"  # given up after 24 h: noted in the incident's history, and logged as an error


@dataclass(frozen=True, slots=True)
class Notice:
    """One message over one channel. `key` stays the same over all retries, so the receiver can drop repeats."""

    key: str  # incident:transition:channel
    incident_id: int
    channel: str
    kind: NoticeKind
    subject: str
    body: str
    queued_at: datetime
    due_at: datetime
    state: NoticeState = NoticeState.QUEUED
    attempts: int = 0
    accepted_at: datetime | None = None
    message: str = ""  # why the last try failed
    payload: dict[str, object] = field(default_factory=dict)  # machine-readable, for webhooks
    id: int = 0


@dataclass(frozen=True, slots=True)
class WatchlistRow:
    """A watchlist that somebody added beside those of the settings. One that names a private person is held, and
    matches nothing, until somebody else than its maker approves it; `held_because` says whom it names."""

    name: str
    query: str
    purpose: str
    owner: str
    made_by: str
    made_at: datetime
    expires: date | None = None  # the day from which it no longer runs
    held_because: str = ""
    approved_by: str = ""
    approved_because: str = ""
    approved_at: datetime | None = None

    @property
    def is_held(self) -> bool:
        """Whether it waits for approval."""
        return bool(self.held_because) and self.approved_at is None


@dataclass(frozen=True, slots=True)
class TaughtPlace:
    """A place's name that a correction taught the gazetteer, with every borough it lies in."""

    name: str
    boroughs: tuple[str, ...]
    mention_id: str  # of the corrected mention
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of a person or of the system; `chain` = sha256 over the entry and the chain before it."""

    id: int
    at: datetime
    actor: str
    action: str
    detail: dict[str, object]
    chain: str


@dataclass(frozen=True, slots=True)
class Board:
    """What the daemon last worked out for a page to show, as of `made_at`; `body` is JSON, and holds no post's text."""

    name: str
    made_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Burial:
    """A mention whose words are gone, or are to go where it is not `done`; see `Mention.buried_because`."""

    mention_id: str
    at: datetime
    because: str
    done: bool = False
