"""Boards: what the daemon works out now and then for a page, kept in the state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.reading import Books


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a board, and when they were worked out."""

    made_at: datetime
    rows: tuple[dict[str, Any], ...]


def read_rows(books: Books, name: str) -> Rows | None:
    """The board of this name; None where none has been made yet."""
    held = books.state.board(name)
    return Rows(held.made_at, tuple(json.loads(held.body))) if held else None
