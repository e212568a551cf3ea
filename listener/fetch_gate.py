"""One request at a time for each host, a pause between two, and few requests at once in all."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from mentions.clock import Clock
from mentions.failures import NotItsTurn, RateLimited

LONGEST_PAUSE = 30.0  # seconds a worker may sleep for a host; a longer pause goes back to the schedule
LONGEST_QUEUE = 10.0  # seconds a worker waits for its turn: a host that hangs must not hold them all
BACK_IN = timedelta(seconds=10)  # when whoever found no turn comes again
MOST_AT_ONCE = 8  # requests under way, whatever the hosts
MOST_FOR_ONE = 5  # workers that one host may hold, waiting ones included


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
        self._claims: defaultdict[str, int] = defaultdict(int)
        self._guard = threading.Lock()
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)

    @contextmanager
    def turn(self, host: str, gap: float) -> Iterator[None]:
        """Hold the host (`name:port`) until the block ends, beginning `gap` seconds after the last turn ended.

        Raises `RateLimited` where that is too long to wait for, `NotItsTurn` where others of ours hold the host.
        """
        with self._claim(host):
            self._pause(host, gap)
            if not self._room.acquire(timeout=LONGEST_QUEUE):
                raise self._not_now(host)
            try:
                yield
            finally:
                self._ended[host] = self._tick()
                self._room.release()

    @contextmanager
    def _claim(self, host: str) -> Iterator[None]:
        with self._guard:
            if self._claims[host] >= MOST_FOR_ONE:
                raise self._not_now(host)
            self._claims[host] += 1
            lock = self._locks[host]
        try:
            if not lock.acquire(timeout=LONGEST_QUEUE):
                raise self._not_now(host)
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._guard:
                self._claims[host] -= 1

    def _not_now(self, host: str) -> NotItsTurn:
        return NotItsTurn(f"{host}: still busy with other requests of ours", self._clock() + BACK_IN)

    def _pause(self, host: str, gap: float) -> None:
        wait = self._ended.get(host, -gap - 1) + gap - self._tick() if gap > 0 else 0
        if wait > LONGEST_PAUSE:
            raise RateLimited(f"{host}: asks for {gap:.0f} s between requests", self._clock() + timedelta(seconds=wait))
        if wait > 0:
            self._sleep(wait)
