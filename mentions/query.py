"""The one query language: text in, a tree out; every store and the in-stream matcher read the same tree.

A search is cut into marks (`query_marks`), which are written down again for luqum with a bare name in place of every
word, value and range: luqum reads the grammar (fields, groups, AND, OR, NOT) and never sees what anybody typed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from luqum import tree as lucene
from luqum.thread import parse as read_lucene

from mentions.clock import utc_now
from mentions.predicate import matches, predicate
from mentions.query_marks import Mark, Marker
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
    QueryError,
    ScoreRange,
    TimeRange,
    Word,
)

__all__ = [
    "And",
    "Everything",
    "Field",
    "Near",
    "Not",
    "Or",
    "Phrase",
    "Prefix",
    "Query",
    "QueryError",
    "ScoreRange",
    "TimeRange",
    "Word",
    "matches",
    "parse",
    "predicate",
]

MOST_CHARACTERS = 10_000
DEEPEST = 12  # an Elasticsearch takes 30 queries inside one another, and AND within OR makes two of each of these
_ANCHOR = "name a word that must be there beside it, as in: police NOT music"


def parse(text: str, now: datetime | None = None) -> Query:
    """Read a search; docs/commands.md has the language. Blank text is `Everything`; `now` is what `now` means in dates.

    A blank means AND, which binds closer than OR; NOT binds closest. Raises QueryError, and only that, for anything
    outside the language.
    """
    if not text.strip():
        return Everything()
    if len(text) > MOST_CHARACTERS:
        raise QueryError("the search is too long", MOST_CHARACTERS, f"keep it under {MOST_CHARACTERS:,} characters")
    marks = _spelled_out(Marker(text, now or utc_now()).cut(), len(text))
    query = _Reader(marks).read()
    if not _anchored(query):
        raise QueryError("NOT alone would find nearly everything", marks[0].at, _ANCHOR)
    return query


def _spelled_out(marks: Sequence[Mark], length: int) -> list[Mark]:
    """The marks with an AND for every blank, once they are known to make sense."""
    if not marks:
        raise QueryError("there is no word in it", 0, "write at least one word or emoji to look for")
    spelled: list[Mark] = []
    complete = False  # whether what came so far could end here
    for mark in marks:
        begins = mark.kind in ("leaf", "(", "not")
        if not begins and not complete:
            raise _missing_word(mark)
        if begins and complete:
            if mark.within:
                raise QueryError("several values of one field", mark.at, "write OR between them, or quote them as one")
            spelled.append(Mark("and", mark.at))
        complete = mark.kind in ("leaf", ")")
        spelled.append(mark)
    if not complete:
        raise _missing_word(Mark("end", length))
    _check_nesting(spelled)
    return spelled


def _check_nesting(marks: Sequence[Mark]) -> None:
    opened: list[Mark] = []
    negated = 0  # NOTs right before this mark
    for mark in marks:
        if mark.kind == "(":
            opened.append(mark)
        elif mark.kind == ")":
            if not opened:
                raise QueryError("this parenthesis was never opened", mark.at, "take it out or open it before")
            opened.pop()
        negated = negated + 1 if mark.kind == "not" else negated if mark.kind == "(" else 0
        if negated + len(opened) > DEEPEST:
            raise QueryError("too many NOTs and parentheses inside one another", mark.at, f"nest at most {DEEPEST}")
    if opened:
        raise QueryError("the parenthesis is never closed", opened[-1].at, "end it with )")


def _missing_word(mark: Mark) -> QueryError:
    if mark.kind == "end":
        return QueryError("a word is missing at the end", mark.at, "add one or take the last operator out")
    if mark.kind == ")":
        return QueryError("a word is missing before )", mark.at, "add one or take the parentheses out")
    return QueryError(f"a word is missing before {mark.kind.upper()}", mark.at, "to look for the word itself, quote it")


class _Reader:
    """Has luqum read the marks, and makes our tree of its own."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks
        written = [f"w{at}" if mark.kind == "leaf" else mark.kind.upper() for at, mark in enumerate(marks)]
        self._text = " ".join(written)
        self._starts = [0]
        for each in written[:-1]:
            self._starts.append(self._starts[-1] + len(each) + 1)

    def read(self) -> Query:
        return self._visit(read_lucene(self._text))

    def _visit(self, node: Any) -> Query:
        match node:
            case lucene.Word():
                leaf = self._marks[int(node.value[1:])].leaf
                assert leaf is not None
                return leaf
            case lucene.Group():
                return self._visit(node.expr)
            case lucene.Not():
                return self._negated(node)
            case lucene.AndOperation():
                return _all([self._visit(each) for each in node.children])
            case lucene.OrOperation():
                return self._either(node)
        raise AssertionError(type(node))  # nothing else is ever written for it

    def _either(self, node: Any) -> Query:
        parts = tuple(self._visit(each) for each in node.children)
        for part, child in zip(parts, node.children, strict=True):
            if not _anchored(part):
                raise QueryError("NOT cannot be one side of OR", self._position(child), _ANCHOR)
        return Or(parts)

    def _negated(self, node: Any) -> Query:
        part = self._visit(node.children[0])
        if isinstance(part, Not):
            return part.part
        if not _anchored(part):
            raise QueryError("NOT of only NOTs", self._position(node), _ANCHOR)
        return Not(part)

    def _position(self, node: Any) -> int:
        """Where in the search as it was typed a part begins."""
        return self._marks[bisect_right(self._starts, node.pos + len(node.head)) - 1].at


def _all(parts: Sequence[Query]) -> Query:
    return And(tuple(each for part in parts for each in (part.parts if isinstance(part, And) else (part,))))


def _anchored(query: Query) -> bool:
    """Whether something must be there for the query to hold: a word, or anything about a field."""
    match query:
        case And(parts):
            return any(map(_anchored, parts))
        case Or(parts):
            return all(map(_anchored, parts))
        case Not(part):
            return _is_of_fields(part)
        case _:
            return not isinstance(query, Everything)


def _is_of_fields(query: Query) -> bool:
    match query:
        case And(parts) | Or(parts):
            return all(map(_is_of_fields, parts))
        case Not(part):
            return _is_of_fields(part)
        case _:
            return isinstance(query, Field | ScoreRange | TimeRange)
