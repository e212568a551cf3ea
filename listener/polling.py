"""From a due source to saved mentions: one poll, step by step, and what becomes of it when it fails."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from analysis.pipeline import Pipeline
from listener.connector import Connector, KeepsRhythm, Page
from listener.intake import Intake
from listener.rhythm import ALARMED, WEEK, kept_to, retry_wait, usual_wait, weekly_after, weekly_at_first
from listener.spool import SpoolFull
from mentions.clock import Clock
from mentions.failures import (
    Failure,
    NeedsAttention,
    NotConfigured,
    NotItsTurn,
    RateLimited,
    TemporaryFailure,
    UserError,
)
from mentions.records import Arrivals, Counted, SourceRow, SourceState
from mentions.state import State
from mentions.store import MentionStore, Saved

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_PAGES = 20  # a poll that still has more after these goes on at once at the next tick
FIRST_LOOK_ENDS = 20  # polls at most: what always has more, or always breaks off, must be able to ring one day
NO_ROOM_FOR = timedelta(minutes=1)  # when a poll that found the spool full is tried again
ASK_AGAIN_WHETHER_CONFIGURED = timedelta(hours=1)  # costs no request
LEAST_REFUSED = timedelta(minutes=1)  # whatever a server says that refuses us: some name a time that is past
AFTER_REFUSAL = timedelta(hours=1)  # up to so much more where a site that refused us again named no time
LATE_AFTER = timedelta(hours=1)  # beyond the source's own interval, a post comes late
QUIET_AT_LEAST = timedelta(hours=6)
QUIET_GAPS = 8
RHYTHM_WINDOW = timedelta(days=28)
RHYTHM_KEPT = timedelta(minutes=10)  # the store is asked for all sources at once, and not at every poll


@dataclass(frozen=True, slots=True)
class Poll:
    """What one poll did: `outcome` is ok, failed, limited, waiting (for our own), attention, off or bug."""

    source: str
    outcome: str
    new: int = 0
    updated: int = 0
    left_out: int = 0
    gone: int = 0


@dataclass(slots=True)
class _Run:
    """A poll under way."""

    row: SourceRow
    history: bool
    before: datetime | None  # the poll before this
    published: list[datetime] = field(default_factory=list)
    full: bool = False
    page: Page = field(default_factory=Page)
    new: int = 0
    updated: int = 0
    left_out: int = 0
    gone: int = 0


@dataclass(slots=True)
class Poller:
    """Polls sources. `alarmed` says whether an incident is open: then sources that bring anything are asked sooner.

    A store that is away fails no poll: what was brought waits in the intake's spool, and the cursor moves on.
    """

    store: MentionStore
    intake: Intake
    state: State
    pipeline: Pipeline
    connectors: dict[str, Connector]
    every: dict[str, timedelta]
    clock: Clock
    owner: str
    alarmed: Callable[[], bool] = lambda: False
    admit: Callable[[str], None] = lambda name: None  # raises `NotConfigured` where terms close a source to us
    jitter: float = 0.1
    note_gone: Callable[[Sequence[str]], None] = lambda ids: None  # what a page says is deleted at its source
    turns: defaultdict[str, Lock] = field(default_factory=lambda: defaultdict(Lock), repr=False)  # one by source
    _tallied: tuple[datetime, dict[str, int]] | None = None

    def poll(self, name: str) -> Poll | None:
        """Poll one source once; None where another daemon is at it. Never raises for what a source does."""
        now = self.clock()
        row = self.state.claim(name, self.owner, now, LEASE)
        if row is None:
            return None
        first = row.succeeded_at is None and (row.cursor is None or row.polls < FIRST_LOOK_ENDS)
        run = _Run(replace(row, polled_at=now, polls=row.polls + 1), history=first, before=row.polled_at)
        try:
            if not self._read(run):
                log.warning("source=%s lease lost: another daemon goes on with it", name)
                return None
            row, outcome = self._settle(run), "ok"
        except SpoolFull:  # no fault of the source: what it has is fetched once there is room
            row, outcome = replace(run.row, next_check_at=self.clock() + NO_ROOM_FOR), "failed"
        except NotItsTurn as turn:  # nothing was asked of it
            row, outcome = replace(run.row, next_check_at=turn.until or now + NO_ROOM_FOR), "waiting"
        except Failure as failure:
            row, outcome = self._fail(run.row, failure), _outcome(failure)
        except Exception as bug:  # a bug in one connector must never be another source's problem
            log.exception("source=%s bug=%s", name, type(bug).__name__)
            message = f"a fault inside Earshot ({type(bug).__name__}): please report it; it is tried again"
            row, outcome = self._late(run.row, message), "bug"
        self.state.save_source(row)
        return Poll(name, outcome, run.new, run.updated, run.left_out, run.gone)

    def _read(self, run: _Run) -> bool:
        """Page by page; what was reached before a failure stays reached. After each page, once it is saved, the cursor
        is too and the lease begins anew: many pages may take longer than one. False where the lease was lost."""
        self.admit(run.row.name)
        for _ in range(MAX_PAGES):
            with self.turns[run.row.name]:
                run.page = self.connectors[run.row.name].poll(run.row.cursor)
            saved = self._save(run.page, run.history)
            if run.page.gone:  # before the cursor moves on: what is noted here is buried whatever happens
                self.note_gone(run.page.gone)
            run.gone += len(run.page.gone)
            run.new += len(saved.new)
            run.updated += len(saved.updated)
            run.left_out += run.page.left_out
            run.published += [mention.published_at for mention in run.page.mentions] if run.history else []
            run.full = run.full or bool(run.page.gap)
            self._note_coverage(run, saved)
            run.row = self._advance(run.row, run.page, len(saved.new))
            if not run.page.more:
                break
            if not self.state.keep_source(run.row, self.owner, self.clock(), LEASE):
                return False
        return True

    def _settle(self, run: _Run) -> SourceRow:
        row, now = run.row, self.clock()
        if row.failures:
            log.info("source=%s recovered after=%d", row.name, row.failures)
        if run.new or run.updated or run.left_out:
            log.debug("source=%s new=%d updated=%d left_out=%d", row.name, run.new, run.updated, run.left_out)
        done = row.succeeded_at if run.history and run.page.more else now  # a first look ends where there is no more
        row = replace(row, weekly=self._weekly(run, now), succeeded_at=done, failures=0, message="")
        return self._rhythm(replace(row, next_check_at=self._next_check(row, run, now)), run.page, now)

    def _weekly(self, run: _Run, now: datetime) -> float:
        if run.history:
            return max(run.row.weekly, weekly_at_first(run.published, now))  # a first look's later polls bring its past
        if run.row.weekly < 0:  # the state was made before this was counted: the store can tell
            gap = self._usual_gap(run.row.name, now)
            return WEEK / gap if gap else run.row.weekly
        return weekly_after(run.row.weekly, now - (run.before or now), run.new)

    def _save(self, page: Page, history: bool) -> Saved:
        if not page.mentions:
            return Saved()
        heard = (replace(mention, history=True) for mention in page.mentions) if history else page.mentions
        return self.intake.save([self.pipeline.assess_for_store(mention) for mention in heard])

    def _note_coverage(self, run: _Run, saved: Saved) -> None:
        """What the page tells of the source as a whole: what came late, and what may have been missed."""
        name, now = run.row.name, self.clock()
        if run.page.gap:
            log.warning("source=%s gap reason=%s", name, run.page.gap)
            self.state.note_gap(name, now, run.page.gap)
        if run.page.volume:
            self.state.note_counted([Counted(name, each.begin, each.end, each.posts) for each in run.page.volume])
        new = set(saved.new)
        if run.history or not new:
            return
        in_time = now - self.every[name] - LATE_AFTER
        late = {each.id for each in run.page.mentions if each.id in new and each.published_at < in_time}
        self.state.note_arrivals(Arrivals(name, now.date(), len(new), len(late)))

    def _advance(self, row: SourceRow, page: Page, new: int) -> SourceRow:
        newest = max((m.published_at for m in page.mentions), default=None)
        if newest is not None and row.newest_at is not None:
            newest = max(newest, row.newest_at)
        return replace(
            row,
            cursor=page.cursor,
            newest_at=newest or row.newest_at,
            brought_at=self.clock() if new else row.brought_at,
            mentions=row.mentions + new,
            left_out=row.left_out + page.left_out,
            sample=page.sample or row.sample,
            moved_to=page.moved_to,
        )

    def _next_check(self, row: SourceRow, run: _Run, now: datetime) -> datetime:
        if run.page.more:
            return now
        alarmed = self._is_urgent(row)
        adapts = row.mentions and isinstance(self.connectors[row.name], KeepsRhythm)
        weekly = row.weekly if adapts and row.weekly >= 0 else None
        wait = usual_wait(self.every[row.name], weekly, alarmed=alarmed, full=run.full)
        due = now + kept_to(wait, run.page.expected_rhythm, alarmed=alarmed) * self._spread()
        return max(due, run.page.not_before) if run.page.not_before else due

    def _is_urgent(self, row: SourceRow) -> bool:
        return bool(row.mentions) and self.alarmed()

    def _rhythm(self, row: SourceRow, page: Page, now: datetime) -> SourceRow:
        """Quiet is not blind, but it is doubtful: nothing for much longer than the source's own rhythm."""
        silent = now - row.brought_at if row.brought_at else timedelta(0)
        if silent <= QUIET_AT_LEAST:
            return replace(row, state=SourceState.OK)
        gap = page.expected_rhythm or self._usual_gap(row.name, now)
        if gap is None or silent <= max(QUIET_AT_LEAST, gap * QUIET_GAPS):
            return replace(row, state=SourceState.OK)
        hours = int(silent.total_seconds() // 3600)
        message = (
            f"answers, but has brought nothing new for {hours} h, far longer than usual: look at the source itself"
        )
        return replace(row, state=SourceState.QUIET, message=message)

    def _usual_gap(self, name: str, now: datetime) -> timedelta | None:
        """Between two mentions of a source; None where the store cannot tell."""
        if self.intake.is_silent:
            return None
        kept = self._tallied
        if kept is None or not timedelta(0) <= now - kept[0] < RHYTHM_KEPT:
            try:
                tallies = self.store.tallies_by_source(now - RHYTHM_WINDOW, now)
            except (Failure, UserError) as failure:
                log.debug("source=%s rhythm unknown reason=%s", name, failure)
                return None
            counts: Counter[str] = Counter()
            for tally in tallies:
                counts[tally.key] += tally.count
            kept = self._tallied = (now, dict(counts))
        count = kept[1].get(name, 0)
        return RHYTHM_WINDOW / count if count else RHYTHM_WINDOW

    def _fail(self, row: SourceRow, failure: Failure) -> SourceRow:
        if isinstance(failure, NotConfigured):
            if row.state is not SourceState.OFF:
                log.info("source=%s off reason=%s", row.name, failure)
            due = self.clock() + ASK_AGAIN_WHETHER_CONFIGURED
            return replace(row, state=SourceState.OFF, failures=0, message=str(failure), next_check_at=due)
        if isinstance(failure, NeedsAttention):
            log.error("source=%s stopped reason=%s", row.name, failure)
            message = str(failure)
            return replace(
                row, state=SourceState.PAUSED, failures=row.failures + 1, message=message, next_check_at=None
            )
        late = self._late(row, str(failure))
        until = failure.until if isinstance(failure, RateLimited | TemporaryFailure) else None
        if isinstance(failure, RateLimited):
            if failure.told or not row.failures:
                return replace(late, next_check_at=max(failure.until, self.clock() + LEAST_REFUSED))
            until = failure.until + AFTER_REFUSAL * random.random()  # we are not welcome, and not told until when
        return replace(late, next_check_at=max(late.next_check_at, until)) if until and late.next_check_at else late

    def _late(self, row: SourceRow, message: str) -> SourceRow:
        if not row.failures:
            log.warning("source=%s failing reason=%s", row.name, message)
        wait = ALARMED if self._is_urgent(row) else self.every[row.name]
        delay = retry_wait(min(wait, self.every[row.name]), row.failures + 1) * self._spread()
        return replace(
            row,
            state=SourceState.FAILING,
            failures=row.failures + 1,
            message=message,
            next_check_at=self.clock() + delay,
        )

    def _spread(self) -> float:
        return 1 + random.uniform(-self.jitter, self.jitter)  # spreads polls, guards nothing


def _outcome(failure: Failure) -> str:
    if isinstance(failure, NeedsAttention):
        return "attention"
    if isinstance(failure, NotConfigured):
        return "off"
    return "limited" if isinstance(failure, RateLimited) else "failed"
