"""Boards: what the daemon works out from the store for the pages to read, and keeps in the state.

A new board is one line in `MAKERS`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from analysis.emerging import PAST, RECENT, Rise, find_emerging
from analysis.joining import WITHIN
from analysis.persons import PersonGate
from analysis.stories import Story, find_stories
from analysis.telling import Tellings
from config.settings import Settings
from listener.debating import DebatesMaker
from listener.watching import open_gate
from mentions.boards import write_board
from mentions.clock import Clock, utc_now
from mentions.failures import Failure, UserError
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import Everything
from mentions.state import State
from mentions.store import MentionStore

log = logging.getLogger(__name__)

PAGE = 500
MOST_MENTIONS = 5_000  # relevant ones looked at for a board, the newest
MOST_LOOKED_AT = 20_000  # mentions looked through to find them
AN_HOUR = 50  # relevant ones that stand for one hour of emerging talk, of today as of every day before
AN_HOUR_LOOKED_AT = 500  # mentions looked through to find them
MOST_STORIES = 100
MOST_POSTS = 5  # of a story, of its campaign and of its brigade, whose ids the board has
SHOWN = (
    *("origin", "began_at", "last_at", "sources", "independent", "count", "campaign_count", "brigade_count"),
    *("negative_share", "public_negative_share", "score"),
)
HOUR = timedelta(hours=1)


class Maker(Protocol):
    """Works out one board. Made once in a daemon's life, so it may keep what is slow to work out."""

    def make(self, store: MentionStore, now: datetime) -> Mapping[str, object]:
        """The board as of `now`, as JSON can hold it, without any post's text. Bounded in time and memory."""


@dataclass(slots=True)
class StoriesMaker:
    """The stories of the last 72 hours, by score."""

    _tellings: Tellings = field(default_factory=Tellings)

    def make(self, store: MentionStore, now: datetime) -> Mapping[str, object]:
        """See `Maker.make`."""
        window = newest_relevant(store, now - WITHIN, now)
        told = [story for story in find_stories(window.held, now, self._tellings) if story.count > 1]
        return {
            "looked_at": len(window.held),
            "since": (window.since or now - WITHIN).isoformat(),
            "whole": window.whole,
            "found": len(told),
            "stories": [board_row(story) for story in told[:MOST_STORIES]],
        }


@dataclass(slots=True)
class EmergingMaker:
    """What rises today against the two weeks before; the gate tells whom it may name."""

    gate: PersonGate

    def make(self, store: MentionStore, now: datetime) -> Mapping[str, object]:
        """See `Maker.make`."""
        return {"rises": [asdict(rise) for rise in emerging_at(store, now, self.gate)]}


@dataclass(frozen=True, slots=True)
class _Kind:
    make: Callable[[Settings], Maker]
    every_s: float


MAKERS = {
    "stories": _Kind(lambda settings: StoriesMaker(), 120),
    "debates": _Kind(DebatesMaker, 300),
    "emerging": _Kind(lambda settings: EmergingMaker(open_gate(settings)), 600),
}


class Boards:
    """Keeps every board of `MAKERS` fresh in the state."""

    def __init__(self, store: MentionStore, state: State, clock: Clock, settings: Settings) -> None:
        self._store, self._state, self._clock = store, state, clock
        self._makers = {name: kind.make(settings) for name, kind in MAKERS.items()}
        self._due: dict[str, float] = {}  # by the wall: an exercise's clock may run fast
        self._broken: set[str] = set()

    def work(self, *, all_now: bool = False) -> None:
        """Work out what is due. One that breaks costs itself alone, and is told of once; raises where the store or
        the state is away, and is then due at once."""
        for name, maker in self._makers.items():
            if not all_now and time.monotonic() < self._due.get(name, 0.0):
                continue
            now = self._clock()
            try:
                every = timedelta(seconds=MAKERS[name].every_s)
                body = write_board(maker.make(self._store, now), utc_now(), every)
            except (Failure, UserError):
                raise
            except Exception:  # a broken board must never cost another
                if name not in self._broken:
                    log.exception("board=%s broke", name)
                self._broken.add(name)
            else:
                self._state.keep_board(name, now, body)
                self._broken.discard(name)
            self._due[name] = time.monotonic() + MAKERS[name].every_s


@dataclass(frozen=True, slots=True)
class Window:
    """What was read of a span of time: relevant mentions, newest first. `since` is how far back that got: all that
    was published from then on was looked at."""

    held: list[Assessed]
    since: datetime | None
    whole: bool


def newest_relevant(
    store: MentionStore,
    since: datetime | None,
    until: datetime | None,
    most: int = MOST_MENTIONS,
    most_looked_at: int = MOST_LOOKED_AT,
) -> Window:
    """The newest mentions of that time that are about the police and have their words, at most `most` of them, out of
    so many looked at."""
    found: list[Assessed] = []
    before, reached = None, since
    for _ in range(most_looked_at // PAGE):
        page = store.search(Everything(), since=since, until=until, limit=PAGE, before=before)
        found += (each for each in page if each.assessment.relevant and each.mention.buried_at is None)
        if len(page) < PAGE and len(found) <= most:
            return Window(found, since, whole=True)
        before, reached = order_key(page[-1].mention), page[-1].mention.published_at
        if len(found) >= most:
            found = found[:most]
            reached = found[-1].mention.published_at
            break
    return Window(found, reached, whole=False)


def emerging_at(store: MentionStore, at: datetime, gate: PersonGate) -> list[Rise]:
    """What rises in the 24 hours before `at`. Every hour of that day and of the 14 before is stood for by its newest
    mentions, as many of each: what is said at one time of every day does not rise."""
    hours = range((RECENT + PAST) // HOUR)
    spans = ((at - (back + 1) * HOUR, at - back * HOUR) for back in hours)
    held = [
        each for since, until in spans for each in newest_relevant(store, since, until, AN_HOUR, AN_HOUR_LOOKED_AT).held
    ]
    return find_emerging(held, at, gate)


def story_row(story: Story) -> dict[str, object]:
    """A story as the command tells it."""
    row = asdict(story)
    row |= {name: getattr(story, name).isoformat() for name in ("began_at", "last_at")}
    row |= {name: dict(getattr(story, name)) for name in ("platforms", "sources")}
    row["hours"] = [[at.isoformat(), count] for at, count in story.hours]
    row["count"] = story.count
    row |= {name: list(getattr(story, name)) for name in ("members", "campaign", "brigade")}
    row |= {"campaign_count": len(story.campaign), "brigade_count": len(story.brigade)}
    return row | {"negative_share": story.feeling.negative_share, "public_negative_share": story.public.negative_share}


def board_row(story: Story) -> dict[str, object]:
    """A story as the page reads it: what it shows, and no more."""
    row = story_row(story)
    return {name: row[name] for name in SHOWN} | {
        "newest": list(story.members[: -MOST_POSTS - 1 : -1]),
        "campaign": list(story.campaign[:MOST_POSTS]),
        "brigade": list(story.brigade[:MOST_POSTS]),
    }
