"""Named searches, matched in the stream: which of very many watchlists does this text belong to?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import ahocorasick

from mentions.query import And, Everything, Not, Or, Phrase, Query, Word, compiled, literal


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A topic, place, organisation or own handle to follow; never a private person. `owner` answers for its purpose."""

    name: str
    query: Query
    purpose: str = ""
    owner: str = ""


_Test = Callable[[set[str]], bool]


class Matcher:
    """Watchlists compiled for matching. One pass finds all their literals; only watchlists one of whose necessary
    literals was found are then tested."""

    def __init__(self, watchlists: Iterable[Watchlist]) -> None:
        self._tests: list[tuple[str, _Test]] = []
        self._always: list[int] = []  # nothing need be there for these
        self._candidates: dict[str, list[int]] = {}
        literals: set[str] = set()
        for at, watchlist in enumerate(sorted(watchlists, key=lambda each: each.name)):
            self._tests.append((watchlist.name, compiled(watchlist.query, _is_found)))
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

    def match(self, norm: str) -> tuple[str, ...]:
        """The names of the watchlists that hold of normalised text, in alphabetical order."""
        if not self._tests:
            return ()
        found = {each for _, each in self._automaton.iter(f" {norm} ")} if len(self._automaton) else set[str]()
        candidates = set(self._always)
        for each in found:
            candidates.update(self._candidates.get(each, ()))
        return tuple(name for name, test in map(self._tests.__getitem__, sorted(candidates)) if test(found))


def _literals(query: Query) -> set[str]:
    match query:
        case Word() | Phrase():
            return {literal(query)}
        case And(parts) | Or(parts):
            return set[str]().union(*map(_literals, parts))
        case Not(part):
            return _literals(part)
        case Everything():
            return set()


def _needed(query: Query) -> frozenset[str] | None:
    """Literals of which at least one must be there for the query to hold, as few and as long as can be; None where
    it can hold without any."""
    match query:
        case Word() | Phrase():
            return frozenset((literal(query),))
        case And(parts):
            choices = [needed for part in parts if (needed := _needed(part)) is not None]
            return min(choices, key=_cost, default=None)
        case Or(parts):
            every = [_needed(part) for part in parts]
            known = [needed for needed in every if needed is not None]
            return frozenset[str]().union(*known) if len(known) == len(every) else None
        case Not() | Everything():
            return None


def _cost(literals: frozenset[str]) -> tuple[int, int]:
    return len(literals), -min(map(len, literals))


def _is_found(wanted: str) -> _Test:
    return lambda found: wanted in found
