"""A host that does not answer is left alone for a while, whatever is wanted of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from mentions.clock import Clock
from mentions.failures import NotAsked

FAILURES = 5  # in a row, on any path
FIRST_REST = timedelta(minutes=15)
LONGEST_REST = timedelta(hours=6)


@dataclass(slots=True)
class _Host:
    failures: int = 0
    rests: int = 0
    until: datetime | None = None


class Circuits:
    """Counts each host's failures (`name:port`); safe from many threads.

    A failure is no answer, or one that says the server itself is broken (5xx). After five in a row the host rests,
    twice as long each time; then one request tries it, and its answer decides.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def check(self, host: str) -> None:
        """Raises `TemporaryFailure`, with the time until which it rests, for a host that is not to be asked."""
        with self._lock:
            known = self._hosts.get(host)
        if known is not None and known.until is not None and self._clock() < known.until:
            raise NotAsked(
                f"{host}: did not answer {known.failures} times in a row; it is left alone until "
                f"{known.until:%H:%M} UTC",
                known.until,
            )

    def answered(self, host: str) -> None:
        """It works."""
        with self._lock:
            self._hosts.pop(host, None)

    def failed(self, host: str) -> None:
        """It did not. One that had rested, and fails its trial, rests again at once."""
        with self._lock:
            known = self._hosts.setdefault(host, _Host())
            known.failures += 1
            if known.failures >= FAILURES:
                known.until = self._clock() + min(FIRST_REST * 2 ** min(known.rests, 10), LONGEST_REST)
                known.rests += 1
