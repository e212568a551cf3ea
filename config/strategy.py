"""What the shipped strategy and gazetteer say: names of topics and boroughs, and who may answer under which colour."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from pathlib import Path

DEFAULTS = Path(__file__).parent / "defaults"

# What the traffic light lets an officer do.
CLEARANCES = {
    "green": "an officer may answer",
    "amber": "tell the Borough Communicator or the press office first",
    "red": "call the press office before anybody answers",
}


@cache
def topic_names() -> tuple[str, ...]:
    """The topics of the traffic light, gravest first."""
    return tuple(table["name"] for table in tomllib.loads((DEFAULTS / "policy.toml").read_text("utf-8"))["topics"])


@cache
def borough_names() -> tuple[str, ...]:
    """The boroughs, by name."""
    with (DEFAULTS / "boroughs.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(sorted(row["borough"] for row in csv.DictReader(lines)))
