"""Named searches, matched in the stream: which of very many watchlists does this text belong to?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import ahocorasick

from mentions.facets import FACT_FIELDS
from mentions.predicate import are_near, literal
from mentions.query_tree import (
    And,
    Everything,
    Field,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    ScoreRange,
    TimeRange,
    Word,
)


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A topic, place, organisation or own handle to follow; never a private person. `owner` answers for its purpose."""

    name: str
    query: Query
    purpose: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """What one mention has of all that any watchlist asks for; `text` has a blank before and after it."""

    these: set[str]  # literals and facets
    text: str


_Test = Callable[[_Found], bool]
_NOTHING: frozenset[str] = frozenset()


class Matcher:
    """Watchlists compiled for matching. One pass finds all their literals; only watchlists one of whose necessary
    literals or facets was found are then tested. Raises ValueError for a query that asks for an opinion or a time
    (see `is_matchable`): what matches must not depend on when it is asked."""

    def __init__(self, watchlists: Iterable[Watchlist]) -> None:
        self._tests: list[tuple[str, _Test]] = []
        self._always: list[int] = []  # nothing need be there for these
        self._candidates: dict[str, list[int]] = {}
        literals: set[str] = set()
        for at, watchlist in enumerate(sorted(watchlists, key=lambda each: each.name)):
            if not is_matchable(watchlist.query):
                raise ValueError(f"the watchlist {watchlist.name!r} asks for more than words and facts")
            self._tests.append((watchlist.name, _compiled(watchlist.query)))
            literals |= _literals(watchlist.query)
            needed = _needed(watchlist.query)
            if needed is None:
                self._always.append(at)
            for each in needed or ():
                self._candidates.setdefault(each, []).append(at)
        self._automaton = ahocorasick.Automaton()
        for each in literals:
            self._automaton.add_word(each, each)
        self._automaton.make_automaton()

    def match(self, indexed: str, facts: frozenset[str] = _NOTHING) -> tuple[str, ...]:
        """The names of the watchlists that hold of an index text (see `index_text`) and of the facets of its facts, in
        alphabetical order."""
        if not self._tests:
            return ()
        text = f" {indexed} "
        found = {each for _, each in self._automaton.iter(text)} if len(self._automaton) else set[str]()
        found |= facts
        candidates = set(self._always)
        for each in found:
            candidates.update(self._candidates.get(each, ()))
        subject, tests = _Found(found, text), self._tests
        return tuple([tests[at][0] for at in sorted([at for at in candidates if tests[at][1](subject)])])


def is_matchable(query: Query) -> bool:
    """Whether a query asks only for words and facts: what is known the moment a mention comes in, and stays."""
    return not find_unmatchable(query)


def find_unmatchable(query: Query) -> str:
    """The first field of a query that is an opinion or a time; "" where it is matchable."""
    match query:
        case Field(name):
            return "" if name in FACT_FIELDS else name
        case ScoreRange():
            return "sentiment"
        case TimeRange():
            return "date"
        case And(parts) | Or(parts):
            return next(filter(None, map(find_unmatchable, parts)), "")
        case Not(part):
            return find_unmatchable(part)
        case _:
            return ""


def _compiled(query: Query) -> _Test:
    match query:
        case Near(words, apart):
            literals = {literal(Word(word)) for word in words}
            return lambda found: literals <= found.these and are_near(words, apart, found.text)
        case And(parts):
            return _all_of(parts)
        case Or(parts):
            return _any_of(parts)
        case Not(part):
            refused = _compiled(part)
            return lambda found: not refused(found)
        case Everything():
            return lambda found: True
        case _:
            (wanted,) = _choices(query)
            return lambda found: wanted in found.these


def _all_of(parts: Sequence[Query]) -> _Test:
    """What is a mere look-up is looked up all at once: a watchlist that does not hold is most often found out there."""
    wanted, refused = set[str](), set[str]()
    tests: list[_Test] = []
    for part in parts:
        if len(choices := _choices(part)) == 1:
            wanted |= choices
        elif isinstance(part, Not) and (choices := _choices(part.part)):
            refused |= choices
        else:
            tests.append(_compiled(part))

    def holds(found: _Found) -> bool:
        if not (wanted <= found.these and refused.isdisjoint(found.these)):
            return False
        for test in tests:  # noqa: SIM110 - a generator would cost more than most tests
            if not test(found):
                return False
        return True

    return holds


def _any_of(parts: Sequence[Query]) -> _Test:
    choices = frozenset[str]().union(*map(_choices, parts))
    tests = [_compiled(part) for part in parts if not _choices(part)]

    def holds(found: _Found) -> bool:
        if not choices.isdisjoint(found.these):
            return True
        for test in tests:  # noqa: SIM110
            if test(found):
                return True
        return False

    return holds


def _choices(query: Query) -> frozenset[str]:
    """The literals and facets of which any is enough, where the query asks for nothing else; empty where it does."""
    match query:
        case Word() | Phrase() | Prefix():
            return frozenset((literal(query),))
        case Field():
            return frozenset((query.facet,))
        case Or(parts):
            every = list(map(_choices, parts))
            return frozenset[str]().union(*every) if all(every) else _NOTHING
        case _:
            return _NOTHING


def _literals(query: Query) -> set[str]:
    match query:
        case Word() | Phrase() | Prefix():
            return {literal(query)}
        case Near(words):
            return {literal(Word(word)) for word in words}
        case And(parts) | Or(parts):
            return set[str]().union(*map(_literals, parts))
        case Not(part):
            return _literals(part)
        case _:
            return set()


def _needed(query: Query) -> frozenset[str] | None:
    """Literals or facets of which at least one must be there for the query to hold, as few and as long as can be; None
    where it can hold without any."""
    match query:
        case Word() | Phrase() | Prefix():
            return frozenset((literal(query),))
        case Near(words):
            return frozenset((max((literal(Word(word)) for word in words), key=len),))
        case Field():
            return frozenset((query.facet,))
        case And(parts):
            choices = [needed for part in parts if (needed := _needed(part)) is not None]
            return min(choices, key=_cost, default=None)
        case Or(parts):
            every = [_needed(part) for part in parts]
            known = [needed for needed in every if needed is not None]
            return frozenset[str]().union(*known) if len(known) == len(every) else None
        case _:
            return None


def _cost(needed: frozenset[str]) -> tuple[int, int, int]:
    facets_in = sum(not each.startswith(" ") for each in needed)  # a platform is in far more mentions than a word
    return facets_in, len(needed), -min(map(len, needed))
