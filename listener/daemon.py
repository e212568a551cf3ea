"""The daemon: APScheduler turns the house's ticks on the wall clock until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING

from listener.health import HealthServer
from listener.house import House
from mentions.failures import Failure, UserError

log = logging.getLogger(__name__)

POLLS_AT_ONCE = 8
DISPATCH_EVERY = 1
RULES_EVERY = 30
ASSESS_EVERY = 5
BACKFILL_EVERY = 10
LOWER_EVERY = 60
COMPLY_EVERY = 120
BOARDS_EVERY = 30  # how often it is asked which of them are due
ASSESS_FOR = 4.0  # seconds; less than GRACE_SECONDS, so that a stop waits for no backlog
ASSESS_AT_ONCE = 64
DELIVER_EVERY = 3
BEAT_EVERY = 10
DRAIN_EVERY = 2
GRACE_SECONDS = 6.0  # SIGTERM to exit stays under 10 s although a fetch may take 30


class Daemon:
    """Owns the schedule, nothing else: what is due stands in the state database, so a restart loses no schedule."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._in_flight: set[str] = set()
        self._ailing: set[str] = set()
        self._busy: set[str] = set()
        self._guard = threading.Lock()
        self._scheduler = self._make_scheduler()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then finish what is in flight and give everything back."""
        settings = self.house.settings
        try:
            server = HealthServer(settings.health.host, settings.health.port, self.house.report, self.house.metrics)
        except UserError:
            self.house.close()
            raise
        log.info("daemon started sources=%d health=http://%s:%d/healthz", len(self.house.poller.every),
                 settings.health.host, server.port)  # fmt: skip
        self._scheduler.start()
        try:
            stop.wait()
        finally:
            self._wind_down(server)

    def _make_scheduler(self) -> BackgroundScheduler:
        scheduler = BackgroundScheduler(
            executors={
                "default": ThreadPoolExecutor(3),
                "poll": ThreadPoolExecutor(POLLS_AT_ONCE),
                "model": ThreadPoolExecutor(1),
                "deliver": ThreadPoolExecutor(2),
                "boards": ThreadPoolExecutor(1),  # charts wait for nobody, and nobody for them
                "comply": ThreadPoolExecutor(1),  # erasing takes a large store minutes
                "drain": ThreadPoolExecutor(1),  # a store that hangs holds up nothing else
            },
            # APScheduler's own default drops a run that is one second late; ours are never too late to be worth doing.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._add(scheduler, "dispatch", self._dispatch, DISPATCH_EVERY, "default")
        self._add(scheduler, "rules", self.house.check_rules, RULES_EVERY, "default")
        self._add(scheduler, "beat", self.house.beat, BEAT_EVERY, "default")
        self._add(scheduler, "assess", self._assess, ASSESS_EVERY, "model")
        self._add(scheduler, "told", self.house.lower_told, LOWER_EVERY, "model")
        self._add(scheduler, "backfill", self.house.backfill_watchlists, BACKFILL_EVERY, "model")
        self._add(scheduler, "boards", self.house.boards.work, BOARDS_EVERY, "boards")
        self._add(scheduler, "comply", self.house.comply, COMPLY_EVERY, "comply")
        self._add(scheduler, "deliver", self.house.deliver, DELIVER_EVERY, "deliver")
        self._add(scheduler, "drain", self._drain, DRAIN_EVERY, "drain")
        scheduler.add_listener(self._note_fault, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        return scheduler

    def _add(
        self, scheduler: BackgroundScheduler, name: str, tick: Callable[[], object], seconds: int, pool: str
    ) -> None:
        now = datetime.now(UTC)
        work = partial(self._try, name, tick)
        scheduler.add_job(work, "interval", seconds=seconds, id=name, name=name, executor=pool, next_run_time=now)

    def _try(self, name: str, tick: Callable[[], object]) -> None:
        """A tick that a full disk or a lost database stops is told of once, and once more when it works again."""
        with self._guard:
            self._busy.add(name)
        try:
            tick()
        except (Failure, UserError) as failure:
            if name not in self._ailing:
                self._ailing.add(name)
                log.error("tick=%s cannot work reason=%s", name, failure)
        else:
            if name in self._ailing:
                self._ailing.discard(name)
                log.info("tick=%s works again", name)
        finally:
            with self._guard:
                self._busy.discard(name)

    def _dispatch(self) -> None:
        with self._guard:
            room = POLLS_AT_ONCE - len(self._in_flight)
        if room <= 0 or self.house.intake.is_full():
            return
        for row in self.house.state.due_sources(self.house.clock(), room):
            with self._guard:
                if row.name in self._in_flight:
                    continue
                self._in_flight.add(row.name)
            work = partial(self._try, f"poll {row.name}", partial(self._poll, row.name))
            self._scheduler.add_job(work, name=f"poll {row.name}", executor="poll")

    def _poll(self, name: str) -> None:
        try:
            poll = self.house.poll(name)
        finally:
            with self._guard:
                self._in_flight.discard(name)
        if poll is not None and (poll.new or poll.updated):
            self._hurry("rules")  # evidence has just come in: do not let it wait for the next round
        if poll is not None and poll.gone:
            self._hurry("comply")

    def _hurry(self, name: str) -> None:
        try:
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))
        except JobLookupError:  # the scheduler is winding down
            log.debug("tick=%s not hurried", name)

    def _drain(self) -> None:
        drained = 0
        while self._scheduler.state == STATE_RUNNING and (count := self.house.drain()):
            drained += count
        if drained:
            log.info("spool drained=%d", drained)
            self._hurry("rules")

    def _assess(self) -> None:
        """A while of the model, then the others of its pool have their turn: an import may leave hours of work."""
        until = time.monotonic() + ASSESS_FOR
        while self.house.assess_pending(ASSESS_AT_ONCE) == ASSESS_AT_ONCE:
            if self._scheduler.state != STATE_RUNNING or time.monotonic() > until:
                return

    def _note_fault(self, event: JobEvent) -> None:
        kind = {EVENT_JOB_ERROR: "error", EVENT_JOB_MISSED: "missed"}.get(event.code, "still running")
        self.house.metrics.count_fault(kind)
        if event.code == EVENT_JOB_ERROR:
            log.error("tick=%s broke reason=%r", event.job_id, event.exception)

    def _wind_down(self, server: HealthServer) -> None:
        log.info("daemon stopping")
        self._scheduler.pause()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.05)
        stuck = sorted(self._busy)
        self._scheduler.shutdown(wait=not stuck)
        server.close()
        if stuck:
            # Their threads sit in a network call that may last half a minute. Nothing is lost: a cursor moves only
            # after its page was saved, and a notice keeps its lease and its key.
            log.warning("daemon stopped, left=%s in flight", ",".join(stuck))
            logging.shutdown()
            os._exit(0)
        self.house.close()
        log.info("daemon stopped")


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM, SIGINT and SIGHUP set; a second signal is left to Python's own ways."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGHUP, ask)
    return stop
