"""Boards as JSON: what the daemon works out and the pages read, and how both know that they mean the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SHAPE = 2  # of all boards together: one more with every change of what stands in any of them


@dataclass(frozen=True, slots=True)
class Kept:
    """What a board tells, when it was worked out by the wall clock (an exercise has a time of its own), and how often
    that is done; `every` is nothing where a person does it."""

    told: dict[str, Any]
    at: datetime
    every: timedelta


def write_board(told: Mapping[str, object], wall: datetime, every: timedelta = timedelta(0)) -> str:
    """A board's body."""
    kept = {"shape": SHAPE, "wall": wall.isoformat(), "every_s": every.total_seconds(), "told": dict(told)}
    return json.dumps(kept, ensure_ascii=False)


def read_body(body: str) -> Kept | None:
    """The board again; None for one that another version kept."""
    try:
        kept = json.loads(body)
        if kept["shape"] != SHAPE:
            return None
        return Kept(dict(kept["told"]), datetime.fromisoformat(kept["wall"]), timedelta(seconds=kept["every_s"]))
    except (ValueError, KeyError, TypeError):
        return None
