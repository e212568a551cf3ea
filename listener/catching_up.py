"""A source's past, fetched on purpose: page by page, kept as history, gone on with where it was broken off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from analysis.pipeline import Pipeline
from listener.connector import Backfills, Page
from mentions.failures import TemporaryFailure
from mentions.patience import patiently
from mentions.state import State
from mentions.store import MentionStore


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backfill has come. `oldest` and `newest` bound what was brought; pages come from either end."""

    pages: int = 0
    seen: int = 0
    new: int = 0
    updated: int = 0
    left_out: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    gap: str = ""

    def share(self, since: datetime, until: datetime) -> float:
        """How much of the span lies between the oldest and the newest that was brought."""
        if self.oldest is None or self.newest is None or until <= since:
            return 0.0
        return max(0.0, min(1.0, (self.newest - self.oldest) / (until - since)))


@dataclass(slots=True)
class CatchUp:
    """One backfill of one source over one span. Its note in the state says where to go on."""

    source: str
    kind: str
    since: datetime
    until: datetime
    state: State
    store: MentionStore
    pipeline: Pipeline

    def run(
        self,
        connector: Backfills,
        tell: Callable[[Progress], None],
        waits: Callable[[TemporaryFailure], None] = lambda failure: None,
    ) -> Progress:
        """Page after page to the end. Raises what the connector does; then all pages before are kept, and so is where
        to go on."""
        cursor, done = self.left_off()
        while True:
            page = connector.backfill(self.since, self.until, cursor)
            done = self._keep(page, done, waits)
            cursor = page.cursor
            ended = not page.more
            self.state.put(self._key, "" if ended else self._note(cursor, done))
            tell(done)
            if ended:
                return done

    def left_off(self) -> tuple[str | None, Progress]:
        """Where an earlier run over the same span was broken off; the beginning where there was none."""
        try:
            note = json.loads(self.state.get(self._key) or "{}")
            if note.get("span") != self._span:
                return None, Progress()
            told = note["done"]
            times = {key: datetime.fromisoformat(told[key]) if told[key] else None for key in ("oldest", "newest")}
            return note["cursor"], Progress(**{**told, **times})
        except (ValueError, TypeError, KeyError):
            return None, Progress()

    def _keep(self, page: Page, done: Progress, waits: Callable[[TemporaryFailure], None]) -> Progress:
        heard = [replace(each, history=True) for each in page.mentions if self.since <= each.published_at < self.until]
        judged = [self.pipeline.assess_for_store(each) for each in heard]
        saved = patiently(partial(self.store.save, judged), waits) if judged else None
        if page.gap and page.gap != done.gap:
            self.state.note_gap(self.source, self.since, f"backfill: {page.gap}")  # of then, not of now
        times = [each.published_at for each in heard]
        return Progress(
            pages=done.pages + 1,
            seen=done.seen + len(heard),
            new=done.new + (len(saved.new) if saved else 0),
            updated=done.updated + (len(saved.updated) if saved else 0),
            left_out=done.left_out + page.left_out,
            oldest=min([*times, *([done.oldest] if done.oldest else [])], default=None),
            newest=max([*times, *([done.newest] if done.newest else [])], default=None),
            gap=page.gap or done.gap,
        )

    @property
    def _key(self) -> str:
        return f"catching_up:{self.source}"

    @property
    def _span(self) -> list[str]:
        return [self.kind, self.since.isoformat(), self.until.isoformat()]

    def _note(self, cursor: str | None, done: Progress) -> str:
        told = {
            "pages": done.pages,
            "seen": done.seen,
            "new": done.new,
            "updated": done.updated,
            "left_out": done.left_out,
            "oldest": done.oldest.isoformat() if done.oldest else None,
            "newest": done.newest.isoformat() if done.newest else None,
            "gap": done.gap,
        }
        return json.dumps({"span": self._span, "cursor": cursor, "done": told})
