"""Every word list in one automaton: a text is read once, and all steps work on what was found."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import ahocorasick

import config
from mentions.normalise import normalise

DEFAULTS = Path(config.__file__).parent / "defaults"
NEAR = 80  # characters: about fourteen words

Span = tuple[int, int]  # of the normalised text with a blank before and after it


@dataclass(frozen=True, slots=True)
class Place:
    """A name of the gazetteer and every borough it lies in. `common` names are words or surnames as well."""

    name: str
    boroughs: tuple[str, ...]
    common: bool = False
    elsewhere: frozenset[str] = frozenset()  # company in which the name is of another place
    only_with: frozenset[str] = frozenset()  # company without which it is not the place in London
    only_behind: frozenset[str] = frozenset()  # the words that show it is a place and not who works there


@dataclass(slots=True)
class Hits:
    """What was found in one text: spans by tag, and places with theirs."""

    by_tag: dict[str, list[Span]] = field(default_factory=dict)
    places: list[tuple[Place, Span]] = field(default_factory=list)

    def __contains__(self, tag: str) -> bool:
        return tag in self.by_tag

    def of(self, *tags: str) -> list[Span]:
        """The spans of all these tags together, in the order of the tags."""
        if len(tags) == 1:
            return self.by_tag.get(tags[0], [])
        return [span for tag in tags for span in self.by_tag.get(tag, ())]

    def count(self, tag: str) -> int:
        """How often `tag` was found."""
        return len(self.by_tag.get(tag, ()))

    def first(self, *tags: str) -> Span | None:
        """The earliest span of any of these tags, the longest of those that start together."""
        return min(self.of(*tags), key=lambda span: (span[0], -span[1]), default=None)


@dataclass(frozen=True, slots=True)
class _Entry:
    length: int
    tags: tuple[str, ...]
    place: Place | None
    hides: bool


class Vocabulary:
    """Finds phrases, whole words only. Immutable once built, so any number of threads may share one."""

    def __init__(self, phrases: Mapping[str, Iterable[str]], places: Iterable[Place] = ()) -> None:
        tags: dict[str, dict[str, None]] = {}
        for tag, notations in phrases.items():
            for notation in notations:
                for phrase in spell_out(notation):
                    tags.setdefault(phrase, {})[tag] = None
        by_name = {normalise(name): place for place in places for name in _spellings(place.name)}
        self._automaton = ahocorasick.Automaton()
        for phrase in tags.keys() | by_name.keys():
            if phrase:
                found = tuple(tags.get(phrase, ()))
                entry = _Entry(len(phrase), found, by_name.get(phrase), "hides" in found)
                self._automaton.add_word(f" {phrase} ", entry)
        self._automaton.make_automaton()

    def find(self, normalised: str) -> Hits:
        """Everything found in an already normalised text; what a phrase of tag `hides` covers is left out, but for
        places that cover it in turn: an embassy is no talk of its country, and yet stands somewhere."""
        found = list(self._automaton.iter(f" {normalised} "))
        hidden = [(end - entry.length, end) for end, entry in found if entry.hides]
        hits = Hits()
        by_tag = hits.by_tag
        for end, entry in found:
            span = (end - entry.length, end)
            covers = hidden and [last for first, last in hidden if first <= span[0] < last]
            if covers:
                if entry.place and max(covers) <= span[1]:
                    hits.places.append((entry.place, span))
                continue
            for tag in entry.tags:
                if tag in by_tag:
                    by_tag[tag].append(span)
                else:
                    by_tag[tag] = [span]
            if entry.place:
                hits.places.append((entry.place, span))
        return hits


def spell_out(notation: str) -> Iterator[str]:
    """The normalised phrases a notation stands for: `a|b~d c` is "a c" and "b d c", `-` as a choice is nothing.

    A phrase with an apostrophe stands also for the spellings people use for it: `don't`, `dont`, `don t`.
    """
    choices = [choice.replace("~", " ").split("|") for choice in notation.split()]
    for words in product(*(map(normalise, choice) for choice in choices)):
        phrase = " ".join(filter(None, words))
        yield phrase
        if "'" in phrase:
            yield phrase.replace("'", "")
            yield phrase.replace("'", " ")


_SHORT = {" Road": " Rd", " Street": " St", " Avenue": " Ave", " Square": " Sq", " Lane": " Ln"}


def _spellings(name: str) -> list[str]:
    """A place name as written, and with the short form of its last word."""
    return [name, *(name.removesuffix(long) + short for long, short in _SHORT.items() if name.endswith(long))]


def is_near(first: Span, second: Span, reach: int = NEAR) -> bool:
    """Whether no more than `reach` characters lie between the two."""
    return max(first[0], second[0]) - min(first[1], second[1]) <= reach


def read_toml(name: str) -> dict[str, Any]:
    """One of the shipped default files."""
    return tomllib.loads((DEFAULTS / name).read_text("utf-8"))


@cache
def police_words() -> dict[str, tuple[str, ...]]:
    """The lists of police.toml by tag; those of the table `against` as `against.<name>`."""
    lists = read_toml("police.toml")
    words = {tag: tuple(phrases) for tag, phrases in lists.items() if isinstance(phrases, list)}
    words |= {f"against.{tag}": tuple(phrases) for tag, phrases in lists["against"].items()}
    return words | {"hides": tuple(lists["hides"]["words"])}


@cache
def attitude_words() -> dict[str, tuple[str, ...]]:
    """The lists of attitude.toml by tag."""
    return {tag: tuple(phrases) for tag, phrases in read_toml("attitude.toml").items()}


@cache
def debate_words() -> dict[str, tuple[str, ...]]:
    """The lists of debates.toml that are looked for in every text, by tag."""
    lists = read_toml("debates.toml")
    return {
        tag: tuple(lists[tag])
        for tag in ("asking", "musing", "rhetorical", "request", "promotes", "laughs", "others", "lasting", "views")
    }


def gazetteer(extra: Mapping[str, Sequence[str]]) -> list[Place]:
    """Every place shipped, and `extra` names with their boroughs, which win over shipped ones of the same name."""
    boroughs: dict[str, dict[str, None]] = {}
    for file in ("places.csv", "landmarks.csv", "postcodes.csv"):
        for row in read_rows(file):
            boroughs.setdefault(row["name"], {})[row["borough"]] = None
    for row in read_rows("boroughs.csv"):
        boroughs[row["borough"]] = {row["borough"]: None}
        for name in row["also"].split("|"):
            boroughs[name] = {row["borough"]: None}
    senses = read_toml("places.toml")
    boroughs |= {name: {borough: None} for name, borough in senses["usually"].items()}
    boroughs |= {name: dict.fromkeys(held) for name, held in extra.items()}
    make, ignored = _place_maker(), set(senses["ignored"])
    named = [make(name, tuple(held)) for name, held in boroughs.items() if name and name not in ignored]
    known = set(boroughs)
    return named + [
        Place(handle, place.boroughs) for place in named if (handle := _team_handle(place.name)) not in known
    ]


def _place_maker() -> Callable[[str, tuple[str, ...]], Place]:
    """What gives a name its senses, as places.toml has them."""
    senses = read_toml("places.toml")
    common = set(map(normalise, senses["common"]))
    company = [_folded(senses[kind]) for kind in ("elsewhere", "only_with", "only_behind")]

    def make(name: str, boroughs: tuple[str, ...]) -> Place:
        key = normalise(name)
        return Place(name, boroughs, key in common, *(table.get(key, frozenset()) for table in company))

    return make


def _folded(table: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    return {normalise(name): frozenset(map(normalise, words)) for name, words in table.items()}


def _team_handle(name: str) -> str:
    """What a ward's police team calls its account: mpsnorthfield."""
    return "mps" + "".join(filter(str.isalnum, normalise(name)))


def read_rows(file: str) -> list[dict[str, str]]:
    """The rows of one of the shipped tables."""
    with (DEFAULTS / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
