"""The way of what a poll brought: into the store, or onto disk until the store takes it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from itertools import islice

from listener.spool import Spool, SpoolFull, Waiting
from listener.store_watch import StoreWatch
from mentions.failures import Failure, Unsavable, UserError
from mentions.mention import Assessed, Mention
from mentions.store import MentionStore, Saved
from mentions.store_note import StoreNote
from mentions.tombstones import entombed

log = logging.getLogger(__name__)

SAVED_AT_ONCE = 500
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds between tries while the store takes nothing
BLAMED_AFTER = 5  # failures of one batch alone, with pauses between them: about a minute
ROOM_AGAIN = 0.5  # a spool that was full takes more once it is down to half
ASK_AGAIN = 30.0  # seconds; with nothing waiting only another poll can tell whether the store takes mentions again


class Intake:
    """Saves batches in the order in which they come; while any of them waits on disk, new ones wait behind it.

    `judge` makes the opinion anew as a mention leaves the spool: watchlists may have changed since it was put there.
    """

    def __init__(
        self, store: MentionStore, spool: Spool, watch: StoreWatch, judge: Callable[[Mention], Assessed]
    ) -> None:
        self._store, self._watch, self._judge = store, watch, judge
        self.spool = spool
        self._stuck = self._full = ""
        self._try_at = self._poll_at = 0.0  # monotonic
        self._pause = FIRST_PAUSE
        self._at_once = SAVED_AT_ONCE
        self._turn = threading.Lock()  # one at a time takes out of the spool, or changes what waits there
        self._failed_alone = 0  # times that the oldest batch could not be saved by itself

    def save(self, batch: Sequence[Assessed]) -> Saved:
        """Keep a batch for good, in the store or in the spool, where all of it counts as new: nobody can look whether
        it was known. Raises SpoolFull where neither takes it; then nothing of it may count as kept."""
        if not self.spool.mentions and not self.is_silent:
            try:
                saved = self._store.save(batch)
            except (Failure, UserError) as failure:
                self._note_stuck(failure)
            else:
                self._note_taken()
                return saved
        try:
            self.spool.add(batch)
        except SpoolFull as full:
            self._note_full(full)
            raise
        return Saved(new=tuple(dict.fromkeys(each.mention.id for each in batch)))

    def drain(self) -> int:
        """Save the oldest that wait, unless a pause is due; how many there were. The spool lets go of them only once
        the store has them: whoever dies in between saves them twice, which changes nothing."""
        if time.monotonic() < self._try_at:
            return 0
        with self._turn:
            return self._drain()

    def bury_waiting(self, ids: Collection[str], at: datetime, because: str) -> int:
        """Make tombstones of those that wait on disk; how many there were. The store gets them as such."""
        wanted = frozenset(ids)
        with self._turn:
            return self.spool.change(lambda held: entombed(held, at, because) if held.mention.id in wanted else held)

    def _drain(self) -> int:
        waiting: Waiting | None = None
        try:
            waiting = self.spool.oldest(self._at_once)
            if waiting is None:
                return 0
            self._save_all(waiting)
            self.spool.remove(waiting)
        except Unsavable as failure:
            return self._suspect(waiting, failure)
        except (Failure, UserError) as failure:
            return self._wait(failure)
        except OSError as error:
            return self._wait(Failure(f"the spool cannot be used ({error.strerror}): mend its permissions"))
        except Exception as bug:  # a batch that breaks the saving must never block those behind it
            log.exception("the oldest that waits in the spool broke the saving")
            return self._suspect(waiting, Failure(f"saving broke ({type(bug).__name__}): the log says where"))
        self._note_taken()
        return len(waiting.mentions)

    def _wait(self, failure: Failure | UserError) -> int:
        self._note_stuck(failure)
        self._try_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return 0

    def _suspect(self, waiting: Waiting | None, failure: Failure) -> int:
        """What waits cannot be saved, as it seems. Of several batches any may be to blame, so each goes alone from now
        on; one that fails alone again and again is put aside, once the next one shows that it is to blame itself."""
        self._at_once = 1
        if waiting is None or len(waiting.files) > 1:
            self._note_stuck(failure)
            return 0
        self._failed_alone += 1
        if self._failed_alone < BLAMED_AFTER or not self._can_save_next():
            return self._wait(failure)
        self.spool.set_aside(waiting)
        self._note_taken()
        return len(waiting.mentions)

    def _can_save_next(self) -> bool:
        try:
            after = self.spool.oldest(1, skip=1)
            if after is not None:
                self._save_all(after)
                self.spool.remove(after)
        except Exception:
            log.debug("spool: the next batch cannot be saved either", exc_info=True)
            return False
        return after is not None

    def _save_all(self, waiting: Waiting) -> None:
        mentions = (held if held.mention.buried_at else self._judge(held.mention) for held in waiting.mentions)
        while batch := list(islice(mentions, SAVED_AT_ONCE)):
            self._store.save(batch)

    @property
    def is_silent(self) -> bool:
        """Whether the store does not even answer."""
        return self._watch.silence is not None

    def is_full(self) -> bool:
        """Whether nothing more can be taken, so that nothing should be polled."""
        if self._full and time.monotonic() >= self._poll_at and self._has_room_again():
            log.info("spool=has room again: polling goes on")
            self._full = ""
        return bool(self._full)

    def _has_room_again(self) -> bool:
        return self.spool.has_room(ROOM_AGAIN) or (not self.spool.mentions and not self.is_silent)

    def note(self) -> StoreNote:
        """How the store fares, by what is known; asks nobody."""
        silence, status = self._watch.silence, self._watch.status
        waiting = self.spool.mentions
        return StoreNote(
            silent_since=silence.since if silence else None,
            waiting=waiting,
            waiting_since=self.spool.since,
            stuck=self._stuck if waiting else "",
            full=self._full,
            aside=self.spool.aside,
            doubt=status.doubt if status else "",
        )

    def _note_stuck(self, failure: Failure | UserError) -> None:
        if not self._stuck:
            log.error("store=takes nothing reason=%s: mentions wait in the spool", failure)
        self._stuck = str(failure)

    def _note_taken(self) -> None:
        if self._stuck:
            log.info("store=takes mentions again waiting=%d", self.spool.mentions)
        self._stuck, self._pause, self._try_at = "", FIRST_PAUSE, 0.0
        self._at_once, self._failed_alone = SAVED_AT_ONCE, 0

    def _note_full(self, full: SpoolFull) -> None:
        if not self._full:
            log.error("spool=full reason=%s: nothing is polled until there is room, nothing is dropped", full)
        self._full = str(full)
        self._poll_at = time.monotonic() + ASK_AGAIN
