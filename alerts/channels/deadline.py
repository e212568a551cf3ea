"""A deadline on a whole conversation: a server that drips one byte a second outlives every single time-out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(slots=True)
class Leash:
    """Holds the socket of a conversation so that it can be cut; `cut` says whether it was."""

    held: socket.socket | None = None
    cut: bool = False

    def pull(self) -> None:
        """End the conversation: whoever waits on the socket wakes with an error."""
        self.cut = True
        if self.held is not None:
            with suppress(OSError):
                self.held.shutdown(socket.SHUT_RDWR)

    def hold(self, connection: socket.socket | None) -> None:
        """From now on this socket; cut at once where time has run out already."""
        self.held = connection
        if self.cut:
            self.pull()


@contextmanager
def within(seconds: float) -> Iterator[Leash]:
    """Whatever talks over the held socket is cut off after so many seconds."""
    leash = Leash()
    timer = threading.Timer(seconds, leash.pull)
    timer.daemon = True
    timer.start()
    try:
        yield leash
    finally:
        timer.cancel()
