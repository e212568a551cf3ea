"""A new or changed watchlist, applied to what is held already: as if it had been there from the start."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analysis.pipeline import Pipeline
from mentions.clock import Clock
from mentions.facets import facet
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import Field, Or
from mentions.state import State
from mentions.store import MentionStore
from mentions.watchlists import Watchlist

log = logging.getLogger(__name__)

PAGE = 500
SECONDS = 5.0  # of work at a time: others wait for the same thread
# A poll that began with the old watchlists may save after the first look went by; none takes longer than a source's
# lease, so that a second look after it finds what they brought. (An import looks to that itself.)
LOOK_AGAIN_AFTER = timedelta(minutes=6)


@dataclass(slots=True)
class _Look:
    """One watchlist on its way through the store, newest first. Lost with the daemon: then it begins anew."""

    mark: str
    due_at: datetime
    is_second: bool = False
    before: int | None = None
    seen: int = 0
    changed: int = 0


class Backfill:
    """Brings the marks of what is held into line with the watchlists that run.

    Which query of a watchlist has been applied is kept in the state, and only once all of it is done: work that is
    broken off is done again, and changes nothing twice. Watchlists that no longer run keep their past marks; where they
    come back, what came in meanwhile is looked at too.
    """

    def __init__(self, store: MentionStore, state: State, store_url: str, clock: Clock) -> None:
        self._store, self._state, self._clock = store, state, clock
        self._note = _note_of(store_url)
        self._looks: dict[str, _Look] = {}

    def work(self, pipeline: Pipeline, seconds: float = SECONDS) -> bool:
        """Go on with the pipeline's watchlists for about so long; whether there is nothing left to do, now or later."""
        until = time.monotonic() + seconds
        names = {each.name for each in pipeline.watchlists}
        self._looks = {name: look for name, look in self._looks.items() if name in names}
        done = self._read_done()
        if not names.issuperset(done):
            done = {name: mark for name, mark in done.items() if name in names}
            self._keep_done(done)
        for watchlist in [each for each in pipeline.watchlists if done.get(each.name) != _mark(each)]:
            look = self._look_of(watchlist)
            while look.due_at <= self._clock() and self._go_on(pipeline, watchlist, look):
                if time.monotonic() >= until:
                    return False
        done = self._read_done()
        return all(done.get(each.name) == _mark(each) for each in pipeline.watchlists)

    def _read_done(self) -> dict[str, str]:
        """The query of each watchlist that has been applied, as a hash. Others may have it forgotten meanwhile."""
        done: dict[str, str] = json.loads(self._state.get(self._note) or "{}")
        return done

    def _keep_done(self, done: dict[str, str]) -> None:
        self._state.put(self._note, json.dumps(done, ensure_ascii=False))

    def _look_of(self, watchlist: Watchlist) -> _Look:
        mark = _mark(watchlist)
        look = self._looks.get(watchlist.name)
        if look is None or look.mark != mark:
            look = self._looks[watchlist.name] = _Look(mark, self._clock())
        return look

    def _go_on(self, pipeline: Pipeline, watchlist: Watchlist, look: _Look) -> bool:
        """One page: whatever the query finds, or has the mark although it should not. Whether there may be more."""
        marked = Field("watchlist", facet("watchlist", watchlist.name).partition(":")[2])
        page = self._store.search(Or((watchlist.query, marked)), limit=PAGE, before=look.before)
        changed = [after for held in page if (after := _marked(held, watchlist.name, pipeline)) is not held]
        if changed:
            self._store.judge(changed)
        look.seen += len(page)
        look.changed += len(changed)
        if len(page) < PAGE:
            self._end(watchlist, look)
            return False
        look.before = order_key(page[-1].mention)
        return True

    def _end(self, watchlist: Watchlist, look: _Look) -> None:
        log.info("watchlist=%s backfilled look=%d seen=%d changed=%d", watchlist.name, 1 + look.is_second, look.seen,
                 look.changed)  # fmt: skip
        if look.is_second:
            self._keep_done({**self._read_done(), watchlist.name: look.mark})
            del self._looks[watchlist.name]
        else:
            self._looks[watchlist.name] = _Look(look.mark, self._clock() + LOOK_AGAIN_AFTER, is_second=True)


def forget_backfills(state: State, store_url: str) -> None:
    """Have every watchlist applied again to what that store holds: it was brought back, or filled by old watchlists."""
    state.put(_note_of(store_url), "")


def _note_of(store_url: str) -> str:
    """Daemons that share a state may each have a store of their own."""
    return f"backfilled:{hashlib.sha256(store_url.encode()).hexdigest()[:12]}"


def _mark(watchlist: Watchlist) -> str:
    """The same for two queries that mean the same words."""
    return hashlib.sha256(repr(watchlist.query).encode()).hexdigest()[:16]


def _marked(held: Assessed, name: str, pipeline: Pipeline) -> Assessed:
    """The mention with that mark as the stream would have set it; itself where nothing changes. A name that another
    spelling of it left behind goes."""
    own = facet("watchlist", name)
    others = {each for each in held.assessment.watchlists if facet("watchlist", each) != own}
    names = tuple(sorted(others | ({name} & set(pipeline.watched(held.mention)))))
    if names == tuple(sorted(held.assessment.watchlists)):
        return held
    return replace(held, assessment=replace(held.assessment, watchlists=names))
