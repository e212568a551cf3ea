"""Waiting for a store that is away for a while: long work is not broken off by what passes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from mentions.failures import NoSpace, TemporaryFailure

Result = TypeVar("Result")
PATIENCE = timedelta(minutes=5)
_LONGEST_PAUSE = 10.0  # seconds


def patiently(
    work: Callable[[], Result],
    tell: Callable[[TemporaryFailure], None] = lambda failure: None,
    patience: timedelta = PATIENCE,
) -> Result:
    """Do the work, again and again where it fails for a while, with growing pauses; `tell` hears of every failure. The
    work must bear being done twice. Raises the last TemporaryFailure once patience has run out, NoSpace at once."""
    deadline = time.monotonic() + patience.total_seconds()
    pause = 0.5
    while True:
        try:
            return work()
        except NoSpace:
            raise
        except TemporaryFailure as failure:
            if time.monotonic() + pause > deadline:
                raise
            tell(failure)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
