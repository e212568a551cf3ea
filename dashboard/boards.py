"""Boards as the daemon keeps them: what was worked out, when, and what can be said of one that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dashboard.reading import Moment
from dashboard.wording import tell_age
from mentions.boards import Kept, read_body
from mentions.state import State

MISSED = 3  # times a board may not have been renewed before the page says so
LEAST_MISSED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Shown:
    """A board's rows and when they were worked out."""

    kept: Kept

    @property
    def told(self) -> dict[str, Any]:
        """The rows, and what they rest on."""
        return self.kept.told

    def tell_age(self, moment: Moment) -> str:
        """How old it is by the wall clock, since scenario time may run fast, and whether that is too old. Where an
        exercise has ended nothing newer is to come."""
        age = f"Worked out {tell_age(self.kept.at, moment.wall)}."
        late = moment.wall - self.kept.at > max(MISSED * self.kept.every, LEAST_MISSED)
        stale = late and not moment.ended
        return f"{age} Nothing newer has come: see whether the daemon runs." if stale else age


def read_board(state: State, name: str) -> Shown | None:
    """The board of that name; None where there is none, or one that another version kept."""
    board = state.board(name)
    kept = read_body(board.body) if board else None
    return Shown(kept) if kept else None
