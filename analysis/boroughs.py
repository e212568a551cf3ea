"""The 33 boroughs, the other names they go by, and the Basic Command Unit of the force that each belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from analysis.vocabulary import read_rows
from mentions.normalise import normalise


def borough_named(name: str) -> str:
    """The borough that goes by this name, in whatever case and spelling; "" where none does."""
    return _by_name().get(normalise(name), "")


def command_units(boroughs: Iterable[str]) -> tuple[str, ...]:
    """The command units of these boroughs, each once, in their order; of the City of London its own force."""
    units = _units()
    return tuple(dict.fromkeys(units[borough] for borough in boroughs if borough in units))


@cache
def _units() -> dict[str, str]:
    return {row["borough"]: row["bcu"].strip("()") if row["bcu"][:1] == "(" else row["bcu"] for row in _shipped()}


@cache
def _by_name() -> dict[str, str]:
    names = {normalise(row["borough"]): row["borough"] for row in _shipped()}
    also = {normalise(name): row["borough"] for row in _shipped() for name in row["also"].split("|") if name}
    short = {name.removesuffix(" upon thames"): borough for name, borough in names.items()}
    return also | short | names


@cache
def _shipped() -> list[dict[str, str]]:
    return read_rows("boroughs.csv")
