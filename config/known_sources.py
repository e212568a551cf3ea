"""The shipped registry of London's forums, newsrooms and police bodies; see defaults/london_sources.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from config.strategy import DEFAULTS


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A public site worth listening to. `kind` is "" where the address is a page on which the feed has still to be
    found; `verified` whether somebody saw it live; `note` is what to know before adding it."""

    name: str
    url: str
    group: str  # forum, press, council, police or watchdog
    kind: str = ""
    software: str = ""
    boroughs: tuple[str, ...] = ()
    voice: str = "public"
    publisher: str = ""
    every: str = "30m"
    verified: bool = False
    note: str = ""


@cache
def known_sources() -> tuple[KnownSource, ...]:
    """All of them, in the order of the file."""
    tables = tomllib.loads((DEFAULTS / "london_sources.toml").read_text("utf-8"))["sources"]
    return tuple(KnownSource(**{**table, "boroughs": tuple(table.get("boroughs", ()))}) for table in tables)


def find_known(name: str) -> KnownSource | None:
    """The one of that name, however its letters are cased."""
    return next((each for each in known_sources() if each.name.casefold() == name.strip().casefold()), None)
