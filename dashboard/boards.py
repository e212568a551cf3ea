"""Boards: what the daemon works out now and then for a page, kept in the state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.reading import Books
from dashboard.wording import parse_time


@dataclass(frozen=True, slots=True)
class Board:
    """The rows of a board, and when they were worked out."""

    made_at: datetime
    rows: tuple[dict[str, Any], ...]


def read_board(books: Books, name: str) -> Board | None:
    """The board of this name; None where none has been made yet."""
    held = json.loads(books.state.get(f"board:{name}") or "{}")
    made_at = parse_time(held.get("made_at"))
    return Board(made_at, tuple(held["body"])) if made_at else None
