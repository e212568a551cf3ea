"""Boards as the daemon keeps them: what was worked out, when, and what can be said of one that is not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.wording import tell_age
from mentions.state import State

STALE_AFTER = timedelta(minutes=30)  # the slowest board is worked out every ten minutes


@dataclass(frozen=True, slots=True)
class Shown:
    """A board's rows and when they were worked out."""

    made_at: datetime
    told: dict[str, Any]

    def tell_age(self, now: datetime) -> str:
        """How old it is, and whether that is too old."""
        age = f"Worked out {tell_age(self.made_at, now)}."
        stale = now - self.made_at > STALE_AFTER
        return f"{age} Nothing newer has come: see whether the daemon runs." if stale else age


def read_board(state: State, name: str) -> Shown | None:
    """The board of that name; None where there is none, or one that another version kept."""
    board = state.board(name)
    if board is None:
        return None
    try:
        told = json.loads(board.body)
    except ValueError:
        return None
    return Shown(board.made_at, told) if isinstance(told, dict) else None
