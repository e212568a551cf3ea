"""The one job that keeps what platforms ask of us: posts are looked at again, and what is gone there goes here."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from config.settings import Settings, SourceSettings
from listener.approval import subject_of
from listener.burying import Burying
from listener.connector import Connector, Locator, Rechecked, Rechecks
from listener.polling import Poller
from listener.second_look import confirm_missing
from mentions.clock import Clock
from mentions.duties import NAMES_PERSONS, limit_of
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited, TemporaryFailure
from mentions.mention import DELETED, LAPSED, Assessed, Mention
from mentions.state import State
from mentions.store import Due, MentionStore, ToCheck

log = logging.getLogger(__name__)

BATCHES = 50  # of a source in one turn, where words must go by a day
SITES_FOR = 60.0  # seconds of a turn: many slow sites must never keep those waiting whose words go by the hour
BATCHES_OF_A_SITE = 2  # of any other: a small forum is not to be read twice over
AFTER_A_FAULT = timedelta(minutes=15)
AFTER_A_STOP = timedelta(hours=1)  # where a person has to do something first
TOLD_NOTHING = timedelta(hours=6)  # one that could not be told is looked at again after so long
FROM_ELSEWHERE = timedelta(days=30)  # what came from where a source was before it moved: nobody can look at it
MARGIN = timedelta(minutes=15)  # before its last hour words go, rather than after it
LAPSED_AT_ONCE = 5000
# Native ids that mean the same to every connector of a kind; elsewhere only the source that brought it can look (what
# one page's token sees on Facebook another's does not).
ANYWHERE = frozenset(("x", "youtube", "reddit", "bluesky", "flickr"))
PLATFORMS = {"feed": "rss"}  # of kinds that are called otherwise
# Their native ids mean something at one site only; feeds are asked by their items' own links.
OF_ONE_SITE = frozenset(("mastodon", "forum"))
HOME_NOTE = "looked_at_home:"  # and the source's name: which site it reads, and since when, if it once read another
ELSEWHERE = "it came from another site, which this source no longer reads"
LOCATORS_NOTE = "locators_dropped_on"
ACTION = "recheck"  # in the audit


@dataclass(slots=True)
class Done:
    """What one turn did on one platform, in mentions: looked at, changed, gone at their source, lapsed; `held_up` says
    why a source could not be asked."""

    checked: int = 0
    edited: int = 0
    gone: int = 0
    lapsed: int = 0
    held_up: dict[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, for the audit."""
        return {name: getattr(self, name) for name in ("checked", "edited", "gone", "lapsed")}


@dataclass(slots=True)
class Compliance:
    """Looks again at what is due, by the connectors that can, within their budgets. `assess` judges what was edited;
    `locators` is how long what leads to a person is kept for that. `turn` holds a source's polls off meanwhile: no
    connector promises to do two things at once."""

    store: MentionStore
    state: State
    burying: Burying
    connectors: Mapping[str, Connector]
    assess: Callable[[Mention], Assessed]
    clock: Clock
    locators: timedelta
    turn: Callable[[str], AbstractContextManager[object]] = nullcontext
    admit: Callable[[str], None] = lambda name: None  # raises `NotConfigured` where terms close a source to us
    homes: Mapping[str, datetime] = field(default_factory=dict)  # of sources that moved: since when they are there
    _not_before: dict[str, datetime] = field(default_factory=dict, repr=False)  # by source
    _why: dict[str, str] = field(default_factory=dict, repr=False)

    def note_gone(self, ids: Sequence[str]) -> None:
        """A poll saw that these are gone: they are buried at the next turn, whatever happens until then."""
        self.burying.note(ids, DELETED)

    def work(self, progress: Callable[[int], None] = lambda count: None, *, at_once: bool = False) -> dict[str, Done]:
        """One turn: bury what was noted, look again at what is due, let go what may stay no longer. By platform what
        was done, which the audit has too. Raises where store or state are away; all is done again then."""
        unburied: Failure | None = None
        try:
            self.burying.finish(at_once=at_once)
        except Failure as failure:  # a file or a node in the way must not keep us from looking at what is due
            unburied = failure
        done: dict[str, Done] = {}
        ends = time.monotonic() + SITES_FOR
        for each in _most_pressing_first(self.store.to_check(self.clock())):
            told = done.setdefault(each.platform, Done())
            if limit_of(each.platform) or time.monotonic() < ends:
                self._look(each, told, progress)
                self._let_lapse(each, told)
        if unburied is None:
            self.burying.finish(at_once=at_once)
            self._drop_locators()
        for platform, told in done.items():
            if any(told.counts.values()):
                self.state.audit(self.clock(), "earshot", ACTION, {"platform": platform, **told.counts})
        if unburied is not None:
            raise unburied
        return done

    def asker(self, platform: str, source: str) -> tuple[str, Rechecks] | None:
        """Who can look at what this source brought: itself while it is of that platform, or where ids mean the same
        everywhere another of its kind; None where nobody can."""
        own = self.connectors.get(source)  # its name may have been another kind's when it brought this
        if isinstance(own, Rechecks) and PLATFORMS.get(own.kind, own.kind) == platform:
            return source, own
        if platform not in ANYWHERE:
            return None
        alike = ((name, each) for name, each in self.connectors.items() if each.kind == platform)
        return next(((name, each) for name, each in alike if isinstance(each, Rechecks)), None)

    # -- looking again ------------------------------------------------------------------------------------------------

    def _look(self, each: ToCheck, told: Done, progress: Callable[[int], None]) -> None:
        asker = self.asker(each.platform, each.source)
        if asker is None:
            told.held_up[each.source] = "no source that is set up can look at it again"
            return
        name, connector = asker
        if self._not_before.get(name, self.clock()) > self.clock():
            told.held_up[each.source] = self._why[name]
            return
        most = BATCHES if limit_of(each.platform) else BATCHES_OF_A_SITE
        for _ in range(most):
            batch = self.store.due(each.platform, each.source, self.clock(), connector.most_at_once)
            if not batch:
                return
            batch = self._of_this_site(each, batch, told)
            if not batch:
                continue
            try:
                self.admit(name)
                with self.turn(name):
                    found = connector.recheck([Locator(one.id, one.native_id, one.link) for one in batch])
            except Failure as failure:
                told.held_up[each.source] = str(failure)
                self._hold_up(name, failure)
                return
            except Exception as bug:  # a bug in one connector must never keep another platform's promise
                log.exception("source=%s bug=%s while looking again", name, type(bug).__name__)
                told.held_up[each.source] = f"a fault inside Earshot ({type(bug).__name__}): please report it"
                self._hold_up(name, Failure("a fault inside Earshot"))
                return
            self._take(each, batch, found, told)
            progress(len(batch))

    def _of_this_site(self, each: ToCheck, batch: list[Due], told: Done) -> list[Due]:
        """Without what came from where the source was before it moved: an id unknown to the new site proves nothing."""
        since = self.homes.get(each.source) if each.platform in OF_ONE_SITE else None
        if since is None:
            return batch
        held = self.store.get([one.id for one in batch])
        here = [one for one in batch if one.id not in held or held[one.id].mention.first_seen_at >= since]
        if elsewhere := [one.id for one in batch if one not in here]:
            self.store.postpone(elsewhere, self.clock() + FROM_ELSEWHERE)
            told.held_up[each.source] = ELSEWHERE
        return here

    def _hold_up(self, name: str, failure: Failure) -> None:
        now = self.clock()
        stopped = isinstance(failure, (NeedsAttention, NotConfigured))
        until = now + (AFTER_A_STOP if stopped else AFTER_A_FAULT)
        if isinstance(failure, (RateLimited, TemporaryFailure)) and failure.until:
            until = failure.until
        if self._why.get(name) != str(failure):
            log.info("source=%s cannot look again until=%s reason=%s", name, until.isoformat(), failure)
        self._not_before[name], self._why[name] = until, str(failure)

    def _take(self, each: ToCheck, batch: Sequence[Due], found: Rechecked, told: Done) -> None:
        """Keep what was found. The order matters: whoever is killed in between looks at the same again."""
        now, asked = self.clock(), {one.id for one in batch}
        gone = [mention_id for mention_id in found.gone if mention_id in asked]
        heard = {mention.id: mention for mention in found.found if mention.id in asked and mention.id not in gone}
        standing = [mention_id for mention_id in found.there if mention_id in asked]
        missing = [mention_id for mention_id in found.missing if mention_id in asked - {*gone, *heard, *standing}]
        gone += confirm_missing(self.state, missing, standing, now)
        there = [*heard, *(mention_id for mention_id in found.there if mention_id in asked - {*gone, *heard})]
        self.burying.note(gone, DELETED)
        if heard:
            told.edited += len(self.store.save([self._judged(each, one) for one in heard.values()]).updated)
        if there:
            self.store.note_checked(there, now)
        if gone:
            self.store.postpone(gone, now + TOLD_NOTHING)  # until it is buried nobody need look again
        if untold := [one for one in batch if one.id not in there and one.id not in gone]:
            self._leave(each, untold, told)
        told.checked += len(there) + len(gone)
        told.gone += len(gone)

    def _judged(self, each: ToCheck, mention: Mention) -> Assessed:
        return self.assess(replace(mention, source=each.source))  # whoever looked, it is no sighting of theirs

    def _leave(self, each: ToCheck, untold: Sequence[Due], told: Done) -> None:
        """What could not be told is looked at again soon, and before the hour at which it would have to go."""
        now, limit = self.clock(), limit_of(each.platform)
        ends = [one.checked_at + limit - MARGIN if limit else now + TOLD_NOTHING for one in untold]
        late = [one.id for one, end in zip(untold, ends, strict=True) if end <= now]
        soon = [one.id for one in untold if one.id not in late]
        if soon:
            self.store.postpone(soon, min(now + TOLD_NOTHING, min(end for end in ends if end > now)))
        if late:
            self._drop(each.platform, late, told, "nothing could be told of them")

    # -- letting go ---------------------------------------------------------------------------------------------------

    def _let_lapse(self, each: ToCheck, told: Done) -> None:
        """Words that nobody could look at in time go; what is counted stays."""
        limit = limit_of(each.platform)
        if limit is None or not told.held_up.get(each.source):
            return
        before = self.clock() - limit + MARGIN
        late = self.store.due(each.platform, each.source, self.clock(), LAPSED_AT_ONCE, checked_before=before)
        if late:
            self._drop(each.platform, [one.id for one in late], told, told.held_up[each.source])

    def _drop(self, platform: str, ids: Sequence[str], told: Done, why: str) -> None:
        self.burying.note(ids, LAPSED)
        self.store.postpone(ids, self.clock() + TOLD_NOTHING)
        told.lapsed += len(ids)
        log.warning("platform=%s lapsed=%d reason=%s", platform, len(ids), why)

    def _drop_locators(self) -> None:
        """Once a day."""
        now = self.clock()
        if self.locators and self.state.get(LOCATORS_NOTE) != f"{now:%Y-%m-%d}":
            if gone := self.store.drop_locators(NAMES_PERSONS, now - self.locators):
                self.state.audit(now, "earshot", "drop locators", {"mentions": gone})
            self.state.put(LOCATORS_NOTE, f"{now:%Y-%m-%d}")


def done_by_day(state: State, limit: int = 20_000) -> dict[str, dict[str, Counter[str]]]:
    """What was done on each platform on each day (UTC), newest day first, as the audit has it."""
    days: dict[str, dict[str, Counter[str]]] = {}
    for entry in state.audit_trail(limit):
        if entry.action == ACTION:
            told = days.setdefault(f"{entry.at:%Y-%m-%d}", {}).setdefault(str(entry.detail["platform"]), Counter())
            told.update({name: int(str(entry.detail.get(name, 0))) for name in ("checked", "edited", "gone", "lapsed")})
    return days


def _most_pressing_first(rounds: Sequence[ToCheck]) -> list[ToCheck]:
    """What is due: where words have to go by a day first, then what has been due longest."""
    due = [each for each in rounds if each.due_at is not None]
    return sorted(due, key=lambda each: (limit_of(each.platform) is None, each.due_at))


def note_homes(sources: Iterable[SourceSettings], state: State, now: datetime) -> dict[str, datetime]:
    """Keep which site each source reads; by name since when, of those that read another before."""
    moved: dict[str, datetime] = {}
    for each in sources:
        key, here = f"{HOME_NOTE}{each.name}", subject_of(each.kind, each.options).replace(" www.", " ")
        before, _, since = (state.get(key) or "").partition("\n")
        if before != here:
            since = now.isoformat() if before else ""
            state.put(key, f"{here}\n{since}")
        if since:
            moved[each.name] = datetime.fromisoformat(since)
    return moved


def open_compliance(
    settings: Settings, store: MentionStore, state: State, poller: Poller, spool: Path, clock: Clock
) -> Compliance:
    """The job over a poller's sources and what waits in its spool."""
    ours = (spool, settings.analysis.models, settings.author_key)
    return Compliance(
        store=store,
        state=state,
        burying=Burying(store, state, poller.intake.bury_waiting, settings.data, ours, clock),
        connectors=poller.connectors,
        assess=lambda mention: poller.pipeline.assess_for_store(mention),
        clock=clock,
        locators=settings.retention.locators,
        turn=lambda name: poller.turns[name],
        admit=poller.admit,
        homes=note_homes(settings.sources, state, clock()),
    )
