"""What the daemon tells about its store: in its health, and in a note in the state that the pages read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

STORE_NOTE = "store"
_TIMES = ("silent_since", "waiting_since")


@dataclass(frozen=True, slots=True)
class StoreNote:
    """How the store fares. By default all is well.

    `silent_since`: it has not answered since. `waiting` mentions lie in the spool, the oldest `waiting_since`; `stuck`
    says why they cannot be saved ("" while they are), `full` why no more of them can be taken. `aside` files of them
    could not be used. `doubt` is the store's own, see `StoreStatus`.
    """

    silent_since: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None
    stuck: str = ""
    full: str = ""
    aside: int = 0
    doubt: str = ""

    @property
    def is_blind(self) -> bool:
        """Whether there may be news that no rule has seen."""
        return bool(self.silent_since or self.waiting or self.full)

    def tell(self, tell_time: Callable[[datetime], str]) -> str:
        """The worst of it in a sentence without its full stop; "" where all is well."""
        waiting = f"{self.waiting:,} mention{'' if self.waiting == 1 else 's'}"
        if self.full:
            return f"No source is polled, since {self.full}; nothing is dropped: polling goes on once there is room"
        if self.silent_since:
            lost = f"{waiting} {_waits(self.waiting)} on disk; nothing is lost" if self.waiting else "nothing is lost"
            return f"The store has not answered since {tell_time(self.silent_since)}: {lost}; no alert can be raised"
        if self.waiting and self.stuck:
            since = f" since {tell_time(self.waiting_since)}" if self.waiting_since else ""
            told = f"{waiting} {_waits(self.waiting)} on disk{since}"
            return f"{told}; nothing is lost. The store takes none: {self.stuck}"
        if self.waiting:
            return f"{waiting} that waited on disk {'is' if self.waiting == 1 else 'are'} being saved; nothing is lost"
        if self.aside:
            files = f"{self.aside} file{'' if self.aside == 1 else 's'}"
            return f"{files} of waiting mentions could not be used: see spool/aside in the data directory, and the log"
        return self.doubt

    def to_text(self) -> str:
        """The note as the state keeps it."""
        return json.dumps({key: _plain(value) for key, value in asdict(self).items() if value})

    @classmethod
    def from_text(cls, text: str | None) -> StoreNote:
        """What `to_text` made; all is well where there is nothing, or something else."""
        try:
            told: dict[str, Any] = json.loads(text or "{}")
            told |= {key: datetime.fromisoformat(told[key]) for key in _TIMES if key in told}
            return cls(**told)
        except (ValueError, TypeError, AttributeError):
            return cls()


def _waits(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
