"""One request at a time for each host, and a pause between two."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from mentions.clock import Clock
from mentions.failures import RateLimited, TemporaryFailure

LONGEST_PAUSE = 30.0  # seconds a worker may sleep for a host; a longer pause goes back to the schedule
LONGEST_QUEUE = 60.0  # seconds a worker waits for its turn


class HostGate:
    """Turns at hosts. Pauses are measured on the machine's own clock, since they are owed to real servers."""

    def __init__(
        self,
        clock: Clock,
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._tick = tick
        self._sleep = sleep
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._ended: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, gap: float) -> Iterator[None]:
        """Hold the host (`name:port`) until the block ends, beginning `gap` seconds after the last turn ended.

        Raises `RateLimited` where that is too long to wait for, `TemporaryFailure` where others hold the host.
        """
        lock = self._locks[host]
        if not lock.acquire(timeout=LONGEST_QUEUE):
            raise TemporaryFailure(f"{host}: still busy with other requests of ours; it will be tried again")
        try:
            self._pause(host, gap)
            yield
        finally:
            self._ended[host] = self._tick()
            lock.release()

    def _pause(self, host: str, gap: float) -> None:
        wait = self._ended.get(host, -gap - 1) + gap - self._tick() if gap > 0 else 0
        if wait > LONGEST_PAUSE:
            raise RateLimited(f"{host}: asks for {gap:.0f} s between requests", self._clock() + timedelta(seconds=wait))
        if wait > 0:
            self._sleep(wait)
