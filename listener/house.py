"""One daemon's parts, wired once from the settings, and the ticks that move them."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime

from alerts.channel import Channel
from alerts.channels import build_channel
from alerts.delivery import Delivered, deliver_due
from alerts.desk import Desk
from alerts.incidents import record
from alerts.rule import Rule
from alerts.rules import AlertSettings, SingleSettings, SurgeSettings, build_rules
from analysis.pipeline import Pipeline
from config.settings import Settings
from listener.apart import READING
from listener.approval import open_admission, open_approvals
from listener.backfill import Backfill
from listener.boards import Boards
from listener.compliance import Compliance, open_compliance
from listener.fetch import Fetcher
from listener.health import Health, Metrics, judge_health, weigh_store
from listener.intake import Intake
from listener.judging import lessons_of, open_pipeline, prove_models
from listener.lock import hold_compliance
from listener.outfit import fetch_settings, open_connectors
from listener.polling import Poll, Poller
from listener.public import lower_told
from listener.reaching import note_reach
from listener.spool import Spool
from listener.store_watch import StoreWatch
from listener.unseen import Unseen, strongest
from listener.watching import Standing, running_watchlists, standing_of
from mentions.clock import Clock, utc_now
from mentions.failures import Failure, UserError
from mentions.model_note import MODEL_NOTE
from mentions.records import Finding, Level
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.store import MentionStore
from mentions.store_note import STORE_NOTE
from mentions.stores import open_store
from mentions.watchlists import Watchlist

log = logging.getLogger(__name__)

SPOOL = "spool"  # in the data directory
LOOK_SECONDS = 2.0  # a health report never waits longer for the store
START_SECONDS = 10.0  # nor does the start: a store that is away is no reason not to listen


@dataclass(slots=True)
class House:
    """Everything one daemon works with. Its methods are the ticks; each may be called again at any time."""

    settings: Settings
    clock: Clock
    store: MentionStore
    state: State
    pipeline: Pipeline
    poller: Poller
    intake: Intake
    watch: StoreWatch
    unseen: Unseen
    rules: Sequence[Rule]
    channels: Mapping[str, Channel]
    desk: Desk
    fetcher: Fetcher
    opened_at: datetime
    backfill: Backfill
    lessons: Mapping[str, Sequence[str]]  # places that corrections taught the pipeline
    boards: Boards
    compliance: Compliance
    metrics: Metrics = field(default_factory=Metrics)
    last_rules_at: datetime | None = None
    broken: set[str] = field(default_factory=set)  # rules that broke at the last check
    unanswered: bool = False  # whether the store failed a rule then
    alarmed: bool = False
    looked_up: set[str] = field(default_factory=set)  # by a look-up that was broken off

    def poll(self, name: str) -> Poll | None:
        """Poll one source; see `Poller.poll`."""
        poll = self.poller.poll(name)
        if poll is not None:
            self.metrics.count_poll(poll)
        return poll

    def assess_pending(self, limit: int) -> int:
        """Run deferred steps over up to `limit` mentions; returns how many were judged."""
        return self.pipeline.assess_pending(self.store, limit)

    def lower_told(self) -> int:
        """Lower what is red only because nobody was known to have told it, where somebody has; how many. Incidents that
        rest on it keep their history."""
        return lower_told(self.store, self.clock(), self.looked_up)

    def comply(self) -> None:
        """Bury what is gone at its source, and look again at what is due; see `Compliance.work`."""
        with hold_compliance(self.settings.data) as free:
            if free:
                self.compliance.work()

    def drain(self) -> int:
        """Bring some of what waits on disk into the store; how many mentions."""
        return self.intake.drain()

    def check_rules(self) -> list[Finding]:
        """Ask every rule what holds now and record it. A rule that breaks costs its own findings only.

        While the store is away, or mentions wait to get there, nothing is resolved; the first check that sees all of it
        again asks about the time in between as well.
        """
        now = self.clock()
        self._follow_people()
        was_unanswered, self.unanswered = self.unanswered, False
        waiting_since = self.intake.spool.since
        findings = self._findings([now])
        if missed := [] if waiting_since else self.unseen.times(now):
            record(findings, now, self.state, self.desk, blind=True)  # the past may take minutes, the present may not
            findings = strongest([*findings, *self._findings(missed)])
        partial = self.unanswered or waiting_since is not None
        incidents = record(findings, now, self.state, self.desk, blind=partial or self._is_blind(now))
        self.alarmed = bool(incidents)
        if partial:
            self.unseen.begin(min(filter(None, (waiting_since, self.last_rules_at)), default=now))
        else:
            self.unseen.end()
        if not self.unanswered:
            self.last_rules_at = now
        if self.unanswered != was_unanswered:
            log.warning("rules=%s", "not checked: the store does not answer" if self.unanswered else "checked again")
        return findings

    def _findings(self, times: Sequence[datetime]) -> list[Finding]:
        return strongest(finding for at in times for rule in self.rules for finding in self._ask(rule, at))

    def _follow_people(self) -> None:
        """A daemon runs for months: watchlists added, approved, removed or expired meanwhile, and places that
        corrections taught, hold from now on."""
        running = running_watchlists(self.settings, self.state.watchlists(), self.clock())
        lessons = lessons_of(self.state)
        if running == self.pipeline.watchlists and lessons == self.lessons:
            return
        before, after = ({each.name for each in lists} for lists in (self.pipeline.watchlists, running))
        new, gone = (",".join(sorted(names)) for names in (after - before, before - after))
        log.info("watchlists changed new=%s gone=%s places taught=%d", new, gone, len(lessons))
        self.lessons = lessons
        self.pipeline = self.poller.pipeline = open_pipeline(self.settings, running, lessons)

    def backfill_watchlists(self) -> None:
        """Apply new watchlists to what is held already; a few seconds' work at a time."""
        self.backfill.work(self.pipeline)

    def _ask(self, rule: Rule, now: datetime) -> list[Finding]:
        if self.intake.is_silent:  # it would only wait for nothing
            self.unanswered = True
            return []
        try:
            findings = rule.check(now, self.store)
        except (Failure, UserError) as failure:
            self.unanswered = True
            log.debug("rule=%s not checked reason=%s", rule.name, failure)
            return []
        except Exception:  # a broken rule must never silence the others
            log.exception("rule=%s broke", rule.name)
            self.metrics.count_fault("rule")
        else:
            self.broken.discard(rule.name)
            return findings
        self.broken.add(rule.name)
        return []

    def deliver(self) -> Delivered:
        """Send what is due; see `alerts.delivery.deliver_due`."""
        delivered = deliver_due(self.state, self.channels, self.clock)
        self.metrics.count_notices(delivered.accepted, delivered.failed, delivered.dead)
        return delivered

    def beat(self) -> None:
        """Tell readers of the state that this daemon is alive, how its store fares, and when its rules last ran."""
        self.watch.look(LOOK_SECONDS)
        self.state.put("heartbeat", utc_now().isoformat())
        self.state.put(STORE_NOTE, self.intake.note().to_text())
        if self.last_rules_at is not None:
            self.state.put("last_rules_at", self.last_rules_at.isoformat())

    def health(self) -> Health:
        """How collecting is going at this moment."""
        ran_at = self.last_rules_at or self.opened_at
        now, note = self.clock(), self.intake.note()
        health = judge_health(self.state.sources(), self.poller.every, now, ran_at, sorted(self.broken))
        return weigh_store(health, note, now)

    def report(self) -> tuple[Health, dict[str, object]]:
        """Health with the figures behind it, for machines; refreshes the gauges. Of a store that does not answer the
        last known ones are told; where there are none yet they are null."""
        self.watch.look(LOOK_SECONDS)
        health, status, note = self.health(), self.watch.status, self.intake.note()
        open_incidents = len(self.state.incidents(open_only=True))
        self.metrics.open_incidents.set(open_incidents)
        self.metrics.pending.set(status.pending if status else 0)
        self.metrics.collecting.set(len(health.collecting))
        self.metrics.spool_mentions.set(note.waiting)
        self.metrics.spool_bytes.set(self.intake.spool.size)
        return health, {
            "at": self.clock().isoformat(),
            "collecting": list(health.collecting),
            "blind": list(health.blind),
            "off": list(health.off),
            "mentions": status.mentions if status else None,
            "pending": status.pending if status else None,
            "waiting": note.waiting,
            "waiting_since": note.waiting_since.isoformat() if note.waiting_since else None,
            "store_silent_since": note.silent_since.isoformat() if note.silent_since else None,
            "open_incidents": open_incidents,
            "last_rules_at": self.last_rules_at.isoformat() if self.last_rules_at else None,
            "exercise": self.desk.exercise,
        }

    def _is_blind(self, now: datetime) -> bool:
        return judge_health(self.state.sources(), self.poller.every, now, now).status == "red"

    def close(self) -> None:
        """Give every socket and file back."""
        for connector in self.poller.connectors.values():
            connector.close()
        READING.close()
        self.fetcher.close()
        self.store.close()
        self.state.close()


def open_house(settings: Settings, clock: Clock = utc_now, *, exercise: bool = False, jitter: float = 0.1) -> House:
    """Wire a daemon. Raises `UserError` or `SettingsError` where it cannot start; nothing is left open then."""
    with ExitStack() as opened:
        house = _wire(settings, clock, opened, exercise=exercise, jitter=jitter)
        opened.pop_all()
    return house


def _wire(settings: Settings, clock: Clock, opened: ExitStack, *, exercise: bool, jitter: float) -> House:
    store = opened.enter_context(closing(open_store(settings.store)))
    state = opened.enter_context(closing(open_state(settings.state)))
    fetcher = opened.enter_context(closing(Fetcher(fetch_settings(settings), clock)))
    state.put(MODEL_NOTE, prove_models(settings).by_words)
    lessons = lessons_of(state)
    pipeline = open_pipeline(settings, _tell_hidden(settings, state, clock()), lessons)
    watch = open_watch(store, clock)
    spool = open_spool(settings, clock)
    intake = Intake(store, spool, watch, lambda mention: poller.pipeline.assess_for_store(mention))
    poller = Poller(
        store=store,
        intake=intake,
        state=state,
        pipeline=pipeline,
        connectors=open_connectors(settings, fetcher, clock, state),
        admit=open_admission(settings.sources, open_approvals(settings.sources, state)),
        every={source.name: source.every for source in settings.sources},
        clock=clock,
        owner=f"{socket.gethostname()}:{settings.data}",
        jitter=jitter,
    )
    compliance = open_compliance(settings, store, state, poller, settings.data / SPOOL, clock)
    rules = rule_settings(settings)
    house = House(
        settings=settings,
        clock=clock,
        opened_at=clock(),
        backfill=Backfill(store, state, settings.store, clock),
        lessons=lessons,
        boards=Boards(store, state, clock, settings),
        compliance=compliance,
        store=store,
        state=state,
        pipeline=pipeline,
        poller=poller,
        intake=intake,
        watch=watch,
        unseen=Unseen(state, rules.looks_back),
        rules=build_rules(rules),
        channels=open_channels(settings),
        desk=open_desk(settings, exercise=exercise),
        fetcher=fetcher,
    )
    poller.alarmed, poller.note_gone = lambda: house.alarmed, compliance.note_gone
    state.release(poller.owner)
    note_reach(settings, state)
    state.register_sources([(source.name, source.kind) for source in settings.sources], clock())
    return house


def _tell_hidden(settings: Settings, state: State, now: datetime) -> tuple[Watchlist, ...]:
    """The watchlists that run now; what cannot, although somebody added it, is told of."""
    added = state.watchlists()
    for row in added:
        standing = standing_of(row, settings, now)
        if standing in (Standing.HIDDEN, Standing.UNREADABLE):
            log.warning("watchlist=%s added by hand is not run: %s, see `earshot watchlists`", row.name, standing)
    return running_watchlists(settings, added, now)


def open_watch(store: MentionStore, clock: Clock) -> StoreWatch:
    """A watch over the store, which has looked once. Raises UserError for what a person must mend before the start."""
    watch = StoreWatch(store, clock)
    watch.look(START_SECONDS)
    if watch.silence and isinstance(watch.silence.failure, UserError):
        raise watch.silence.failure
    return watch


def open_spool(settings: Settings, clock: Clock) -> Spool:
    """Where mentions wait while the store is away."""
    limits = settings.spool
    spool = Spool(settings.data / SPOOL, clock, max_bytes=limits.max_bytes, free_bytes=limits.free_bytes)
    if spool.mentions:
        log.info("spool waiting=%d since=%s", spool.mentions, spool.since)
    return spool


def open_channels(settings: Settings) -> dict[str, Channel]:
    """A channel for every `[[channels]]` table."""
    return {channel.name: build_channel(channel.kind, channel.name, channel.options) for channel in settings.channels}


def open_desk(settings: Settings, *, exercise: bool) -> Desk:
    """Whom incidents notify."""
    given = settings.alerts
    return Desk(
        channels=tuple(channel.name for channel in settings.channels),
        levels={channel.name: Level(channel.level) for channel in settings.channels},
        exercise=exercise,
        force=settings.force,
        dashboard_url=public_url(settings),
        zone=settings.timezone,
        quiet_crisis=given.quiet_crisis,
        quiet_red=given.quiet_red,
        quiet_amber=given.quiet_amber,
        reopen_within=given.reopen_within,
        update_gap=given.update_gap,
    )


def public_url(settings: Settings) -> str:
    """Where a reader of a notice finds the dashboard: by its first further name, else where it listens."""
    pages = settings.dashboard
    everywhere = pages.host in ("0.0.0.0", "::", "")
    host = pages.hosts[0] if pages.hosts else socket.gethostname() if everywhere else pages.host
    return f"http://[{host}]:{pages.port}" if ":" in host else f"http://{host}:{pages.port}"


def rule_settings(settings: Settings) -> AlertSettings:
    """The rules' settings from the file's; what the file cannot set keeps its default."""
    surge, single = settings.alerts.surge, settings.alerts.single
    return AlertSettings(SurgeSettings(**dict(surge)), SingleSettings(**dict(single)))
