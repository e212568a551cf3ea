"""Which names may be taught as places: none that means something else as well."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator
from functools import cache

from config.strategy import DEFAULTS

_TITLES = frozenset("mr mrs ms miss dr sir lord lady dame pc dc sgt sergeant inspector officer constable".split())


def place_fault(name: str) -> str:
    """Why a name, normalised, can be no lesson: every post with these words would lie there; "" where it can be one."""
    words = name.split()
    if name in _boroughs():
        return "is a borough's own name"
    if all(word in _plain_words() for word in words):
        return "is made of everyday words: places of the settings may hold it"
    first, surnames = _lines("first_names.txt"), _lines("surnames.txt")
    if (len(words) == 1 and name in first | surnames) or (
        len(words) in (2, 3) and words[0] in first | _TITLES and words[-1] in surnames
    ):
        return "reads as a person's name"
    return ""


@cache
def _lines(file: str) -> frozenset[str]:
    return frozenset((DEFAULTS / file).read_text("utf-8").split())


@cache
def _boroughs() -> frozenset[str]:
    with (DEFAULTS / "boroughs.csv").open(encoding="utf-8", newline="") as lines:
        names = [name for row in csv.DictReader(lines) for name in (row["borough"], *row["also"].split("|"))]
    return frozenset(name.casefold() for name in names)


@cache
def _plain_words() -> frozenset[str]:
    police = _texts(tomllib.loads((DEFAULTS / "police.toml").read_text("utf-8")))
    return _lines("english_words.txt") | {word for text in police for word in re.split(r"[|~\s]+", text)}


def _texts(held: object) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, dict | list):
        for each in held.values() if isinstance(held, dict) else held:
            yield from _texts(each)
