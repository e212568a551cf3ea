"""The exercise: real connectors, judgement, rules and channels over posts that a loopback server publishes."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from config.settings import ChannelSettings, Settings, SourceSettings, WatchlistSettings
from listener.commands.alerts_ import notice_row
from listener.house import House
from listener.lock import EXERCISE_MARKER, LOCK_NAME
from listener.rehearsal.posts import Posts
from listener.rehearsal.process import Rehearsal
from mentions.failures import UserError
from mentions.mention import Rag, Voice
from mentions.records import Incident
from mentions.state import State

log = logging.getLogger(__name__)

EXERCISE_DIRECTORY = "exercise"
WATCHLIST = "exercise"
SINK = "exercise sink"
POLL_EVERY = timedelta(minutes=2)
RULES_EVERY = timedelta(minutes=1)
RUNS_ON = timedelta(hours=3)  # after the last post, so that what was opened can grow quiet
POLLS_A_ROUND = 64
SHOW_EVERY = 0.5  # wall seconds between notes for the dashboard
ASSESS_AT_ONCE = 256
VOICES: dict[Voice, Literal["public", "press", "official"]] = {
    Voice.PUBLIC: "public",
    Voice.PRESS: "press",
    Voice.OFFICIAL: "official",
    Voice.OWN: "official",
}


class JumpClock:
    """A clock that stands still until it is moved; everything in an exercise asks this one."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def move_to(self, at: datetime) -> None:
        """Jump forward; never back."""
        self._at = max(self._at, at)


def prepare_exercise(directory: Path) -> None:
    """An empty directory for this run. What an earlier exercise left is thrown away; anything else is never touched."""
    try:
        entries = [entry for entry in directory.iterdir() if entry.name != LOCK_NAME] if directory.exists() else []
        if entries and not (directory / EXERCISE_MARKER).exists():
            raise UserError(
                f"{directory}: holds data that no exercise made: name an empty directory with --data, "
                "an exercise never touches real data"
            )
        for entry in entries:
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        directory.mkdir(parents=True, exist_ok=True)
        (directory / EXERCISE_MARKER).write_text("Made by `earshot exercise`; thrown away by the next one.\n", "utf-8")
    except OSError as error:
        raise UserError(f"{directory}: cannot be made ready for the exercise ({error.strerror})") from None


def exercise_settings(settings: Settings, rehearsal: Rehearsal, watch: str | None, *, deliver: bool) -> Settings:
    """The force's own settings, listening to the loopback server only and told through a sink unless `deliver`."""
    sources = tuple(
        SourceSettings(
            name=spec.name,
            kind=spec.kind,
            every=POLL_EVERY,
            voice=VOICES[spec.voice],
            publisher=spec.publisher,
            boroughs=tuple(spec.boroughs),
            options=dict(spec.options),
        )
        for spec in rehearsal.sources
    )
    sink = ChannelSettings(name=SINK, kind="webhook", level="crisis", options={"url": rehearsal.sink_url})
    watchlists = settings.watchlists
    if watch:
        purpose = "rehearsal of a crisis"
        watchlists = (*watchlists, WatchlistSettings(name=WATCHLIST, query=watch, purpose=purpose, owner="exercise"))
    fetch = settings.fetch.model_copy(update={"allow": (*settings.fetch.allow, rehearsal.address)})
    return settings.model_copy(
        update={
            "sources": sources,
            "channels": settings.channels if deliver else (sink,),
            "watchlists": watchlists,
            "places": {**settings.places, **rehearsal.places},
            "fetch": fetch,
        }
    )


@dataclass(slots=True)
class Exercise:
    """One run. `speed` is scenario seconds per second; None is as fast as the ticks go."""

    house: House
    clock: JumpClock
    rehearsal: Rehearsal
    posts: Posts
    speed: float | None
    stop: threading.Event
    progress: Callable[[datetime], None]
    _shown_at: float = field(default=0.0)
    _rules_at: datetime | None = None
    _due_at: datetime | None = None  # of sources and notices; None before the first tick and where nothing is

    def play(self) -> bool:
        """Play to the end; False where it was stopped before."""
        start, end = starts_at(self.posts), ends_at(self.posts)
        self.house.state.put("exercise", "1")
        began = time.monotonic()
        now: datetime | None = start
        while now is not None and now <= end and not self.stop.is_set():
            self._keep_pace(began, now - start)
            self._tick(now)
            now = self._next(now)
        self.house.boards.work(all_now=True)
        self._show(force=True)
        self.house.state.put("exercise", "ended")
        return not self.stop.is_set()

    def _keep_pace(self, began: float, scenario: timedelta) -> None:
        if self.speed is None:
            return
        while (left := began + scenario.total_seconds() / self.speed - time.monotonic()) > 0 and not self.stop.is_set():
            self.stop.wait(min(left, 5))
            self.house.beat()
            self.house.boards.work()

    def _tick(self, now: datetime) -> None:
        """Everything that is due at `now`, in the order a post takes: polled, judged, checked, delivered.

        One source after the other: on loopback nobody is waited for, and every run takes the same way.
        """
        self.clock.move_to(now)
        if self._due_at is None or self._due_at <= now:
            self._poll_due(now)
        while self.house.drain() or self.house.assess_pending(ASSESS_AT_ONCE) == ASSESS_AT_ONCE:
            pass
        if self._rules_at is None or now - self._rules_at >= RULES_EVERY:
            self.house.check_rules()
            self._rules_at = now
        self._due_at = self.house.state.next_due_at()
        if self._due_at and self._due_at <= now:
            self.rehearsal.move_to(now)  # the sink dates what it is sent
            self.house.deliver()
            self._due_at = self.house.state.next_due_at()
        self._show()
        self.progress(now)

    def _poll_due(self, now: datetime) -> None:
        self.rehearsal.move_to(now)
        while due := self.house.state.due_sources(now, POLLS_A_ROUND):
            for row in due:
                self.house.poll(row.name)

    def _next(self, now: datetime) -> datetime:
        """The next thing due. What is overdue already was tried just now and waits for the next round of rules."""
        rules = (self._rules_at or now) + RULES_EVERY
        return min(rules, self._due_at) if self._due_at and self._due_at > now else rules

    def _show(self, force: bool = False) -> None:
        """Tell readers of the state what time it is here; not at every jump, a page reads it twice a second at most."""
        if force or time.monotonic() - self._shown_at >= SHOW_EVERY:
            self._shown_at = time.monotonic()
            self.house.state.put("exercise_now", self.clock().isoformat())
            self.house.beat()


def starts_at(posts: Posts) -> datetime:
    """When an exercise begins: one poll before the first post, on a full minute."""
    if posts.first_at is None:
        raise UserError("no posts to play: every row was skipped; rows need an id, a platform, a time and words")
    return posts.first_at.replace(second=0, microsecond=0) - POLL_EVERY


def ends_at(posts: Posts) -> datetime:
    """When it ends: long enough after the last post for what was opened to grow quiet."""
    if posts.last_at is None:
        raise UserError("no posts to play")
    return posts.last_at + RUNS_ON


def report(house: House, posts: Posts, rehearsal: Rehearsal, ended_at: datetime) -> dict[str, object]:
    """What was published, what was stored, and every incident with its notices; times in scenario time."""
    stored = {each.mention.id for each in house.store.everything()}
    wanted = set(rehearsal.expected_ids())
    counts = {
        "published": rehearsal.published()["published"],
        "stored": len(stored & wanted),
        "lost": len(wanted - stored),
        "doubled": len(stored - wanted),
        "skipped": len(posts.skipped),
    }
    incidents = sorted(house.state.incidents(limit=100_000), key=lambda incident: incident.id)
    return {"posts": counts, "incidents": [incident_report(house.state, each) for each in incidents],
            "ended_at": ended_at.isoformat()}  # fmt: skip


def incident_report(state: State, incident: Incident) -> dict[str, object]:
    """An incident as the report has it."""
    keep = ("kind", "queued_at", "accepted_at", "channel")
    notices = [{key: row[key] for key in keep} for row in map(notice_row, state.notices(incident.id))]
    times = ("first_evidence_at", "opened_at", "crisis_at", "resolved_at")
    return {
        "id": incident.id,
        "level": str(incident.level),
        "colour": str(incident.colour if incident.colour is not Rag.NONE else Rag.AMBER),
        "topic": incident.topic or None,
        "watchlist": incident.watchlist or None,
        "title": incident.title,
        **{key: value.isoformat() if (value := getattr(incident, key)) else None for key in times},
        "notices": notices,
    }
