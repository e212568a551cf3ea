"""How each forum software writes its pages, as data: one file of selectors per software, and exceptions per host."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "rules"


@dataclass(frozen=True, slots=True)
class ThreadRules:
    """Where the parts of a post stand on a page of a thread. Selectors are CSS; `selector@name` means an attribute."""

    post: str
    id: tuple[str, ...]
    author: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()  # taken out of the text: quotes, signatures, buttons
    before: tuple[str, ...] = ()  # what belongs to a post but stands before it
    id_pattern: str = r"(\d+)(?!.*\d)"
    time_after: str = ""  # the time stands after this
    innermost: bool = False  # of posts inside posts the inner ones count
    split_ids: bool = False  # ids of different kinds may bear the same number


@dataclass(frozen=True, slots=True)
class ListRules:
    """Where the parts of a topic's row stand on a page that lists topics, and where boards are linked."""

    row: str
    link: tuple[str, ...]
    author: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    excerpt: tuple[str, ...] = ()
    board: tuple[str, ...] = ()
    time_after: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one software. `verified` says whether they were tried on a real page or server."""

    software: str
    verified: bool
    threads: tuple[ThreadRules, ...]
    topics: ListRules
    next: tuple[str, ...]
    all: tuple[str, ...]
    title: tuple[str, ...]
    topic: tuple[re.Pattern[str], ...]
    post: tuple[re.Pattern[str], ...]
    board: tuple[re.Pattern[str], ...]
    missing: re.Pattern[str] | None = None
    month_first: bool = False


@cache
def rules_of(software: str) -> Rules:
    """The rules of a software; raises KeyError where there are none."""
    file = FOLDER / f"{software}.toml"
    if not file.is_file():
        raise KeyError(software)
    return build_rules(software, tomllib.loads(file.read_text("utf-8")))


@cache
def rules_for(software: str, host: str) -> Rules:
    """The same, with what this host writes otherwise."""
    exception = exceptions().get(host)
    if not exception:
        return rules_of(software)
    table = tomllib.loads((FOLDER / f"{software}.toml").read_text("utf-8"))
    return build_rules(software, overlaid(table, exception))


@cache
def exceptions() -> Mapping[str, Any]:
    """What single hosts write otherwise, by host name."""
    return tomllib.loads((FOLDER / "hosts.toml").read_text("utf-8"))


@cache
def all_software() -> tuple[str, ...]:
    """The names of all software that there are rules for."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.toml") if file.stem != "hosts"))


def overlaid(table: Mapping[str, Any], exception: Mapping[str, Any]) -> dict[str, Any]:
    """A software's table with a host's own: its way of writing posts is tried first, other keys replace."""
    merged = dict(table)
    for key, value in exception.items():
        if key == "thread":
            merged[key] = [*([value] if isinstance(value, dict) else value), *table.get(key, [])]
        elif isinstance(value, dict):
            merged[key] = {**table.get(key, {}), **value}
        else:
            merged[key] = value
    return merged


def build_rules(software: str, table: Mapping[str, Any]) -> Rules:
    """Rules of a file's table."""
    pages, addresses = table["pages"], table["addresses"]
    return Rules(
        software=software,
        verified=bool(table["verified"]),
        threads=tuple(ThreadRules(**frozen(each)) for each in table["thread"]),
        topics=ListRules(**frozen(table["list"])),
        next=tuple(pages["next"]),
        all=tuple(pages["all"]),
        title=tuple(pages["title"]),
        topic=tuple(map(re.compile, addresses["topic"])),
        post=tuple(map(re.compile, addresses["post"])),
        board=tuple(map(re.compile, addresses["board"])),
        missing=re.compile(pages["missing"]) if "missing" in pages else None,
        month_first=bool(table.get("month_first", False)),
    )


def frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table with tuples for lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items() if key != "number"}
