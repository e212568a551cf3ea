"""Whether the store answers: asked in a thread of its own, so that nobody hangs on one that does not."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime

from mentions.clock import Clock
from mentions.failures import Failure, UserError
from mentions.store import MentionStore, StoreStatus

log = logging.getLogger(__name__)

SLOW_SECONDS = 15.0  # a store that takes longer to tell how it is counts as one that does not answer


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when the store does not answer, and why."""

    since: datetime
    failure: Failure | UserError


class StoreWatch:
    """Asks a store for its status. Safe from many threads; one question is under way at most."""

    def __init__(self, store: MentionStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._guard = threading.Lock()
        self._asking: threading.Thread | None = None
        self._asked_at, self._asked = 0.0, clock()
        self._silence: Silence | None = None
        self.status: StoreStatus | None = None  # the last that was told

    def look(self, seconds: float) -> None:
        """Ask, and wait so long at the most for what the store says."""
        with self._guard:
            if self._asking is None or not self._asking.is_alive():
                self._asked_at, self._asked = time.monotonic(), self._clock()
                self._asking = threading.Thread(target=self._ask, name="store watch", daemon=True)
                self._asking.start()
            asking = self._asking
        asking.join(seconds)

    @property
    def silence(self) -> Silence | None:
        """None while the store answers."""
        asking = self._asking
        slow = asking is not None and asking.is_alive() and time.monotonic() - self._asked_at > SLOW_SECONDS
        if slow and self._silence is None:
            return Silence(self._asked, Failure(f"the store has not answered for {SLOW_SECONDS:.0f} s"))
        return self._silence

    def _ask(self) -> None:
        try:
            self.status = self._store.status()
        except (Failure, UserError) as failure:
            self._note(failure)
        except Exception as bug:  # whatever it is, it must not look as if all were well
            log.exception("store=broke bug=%s", type(bug).__name__)
            self._note(Failure(f"a fault inside Earshot ({type(bug).__name__}): please report it"))
        else:
            if self._silence is not None:
                log.info("store=answers again")
            self._silence = None

    def _note(self, failure: Failure | UserError) -> None:
        if self._silence is None:
            log.error("store=silent reason=%s", failure)
        since = self._silence.since if self._silence else self._asked
        self._silence = Silence(since, failure)
