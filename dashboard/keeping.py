"""A value that is slow to read: served as it was while it is read anew behind the scenes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Value = TypeVar("Value")
_readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")


class Kept(Generic[Value]):
    """Holds one value. Only the very first reader waits for it; later ones get the last one read, and where that is
    older than `fresh_s` or was read for another key, a new reading is on its way."""

    def __init__(self, fresh_s: float) -> None:
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._held: tuple[Hashable, float, Value] | None = None
        self._reading = False

    def get(self, key: Hashable, read: Callable[[], Value], *, strict: bool = False) -> Value:
        """The value as last read, never another key's where `strict`; `read` may run in another thread, and what it
        raises there leaves the old value."""
        with self._lock:
            if self._held is None or (strict and self._held[0] != key):
                self._held = (key, time.monotonic(), read())
            old, read_at, value = self._held
            if (old != key or time.monotonic() - read_at > self._fresh_s) and not self._reading:
                self._reading = True
                _readers.submit(self._renew, key, read)
            return value

    def _renew(self, key: Hashable, read: Callable[[], Value]) -> None:
        try:
            value = read()
            with self._lock:
                self._held = (key, time.monotonic(), value)
        finally:
            self._reading = False
