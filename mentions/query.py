"""The one query language: text in, a tree out; every store and the in-stream matcher read the same tree."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from mentions.normalise import tokens
from mentions.predicate import matches, predicate
from mentions.query_tree import And, Everything, Not, Or, Phrase, Query, QueryError, Word

__all__ = ["And", "Everything", "Not", "Or", "Phrase", "Query", "QueryError", "Word", "matches", "parse", "predicate"]

MOST_CHARACTERS = 10_000
DEEPEST = 20


def parse(text: str, now: datetime | None = None) -> Query:
    """Read a search: words (a blank means AND), "phrases", AND, OR, NOT and parentheses; NOT binds closest, then AND.

    Operators are written in capitals. Blank text is `Everything`. Raises QueryError for anything else, and only that.
    """
    if not text.strip():
        return Everything()
    if len(text) > MOST_CHARACTERS:
        raise QueryError("the search is too long", MOST_CHARACTERS, f"keep it under {MOST_CHARACTERS:,} characters")
    return _Parser(_lex(text), len(text)).parse()


# -- from text to marks ------------------------------------------------------------------------------------------------

_OPERATORS = {"AND": "and", "OR": "or", "NOT": "not"}
_PIECE = re.compile(r"""\s+|[()]|["“”„‟]|[^\s()"“”„‟]+""")
_QUOTES = '"“”„‟'
_LATER = 'it is not part of the language yet: write plain words, "phrases", AND, OR, NOT and ( )'
_REFUSED = (
    (re.compile(r"NEAR(/\d*)?$"), "NEAR is not available", 'put words that belong together in quotes: "police van"'),
    (re.compile(r"[^\W\d]\w*:(?=\S)"), "a field or address is not available", "put it in quotes to search its words"),
    (re.compile(r"-\w"), "a minus sign does not leave out", "write NOT before the word"),
    (re.compile(r"\+\w"), "a plus sign is not needed", "all words of a search must be there"),
    (re.compile(r"/.+/$"), "a regular expression is not available", _LATER),
    (re.compile(r"!\w|&&$|\|\|$"), "signs are not operators", "write AND, OR and NOT in capitals"),
    (re.compile(r"[*?]\w|.*\w\*|.*\w\?\w"), "a wildcard is not available", _LATER),
    (re.compile(r".*~"), "a fuzzy word or distance is not available", _LATER),
    (re.compile(r".*\w\^|\^\d"), "a weight is not available", _LATER),
    (re.compile(r"[\[{]\S|.*\S[\]}]$"), "a range is not available", _LATER),
)


class _Mark(NamedTuple):
    kind: str  # and, or, not, (, ), words, end
    at: int
    words: tuple[str, ...] = ()


def _lex(text: str) -> list[_Mark]:
    marks: list[_Mark] = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        assert piece is not None  # the pattern covers every character
        end = piece.end()
        if piece[0] in "()":
            marks.append(_Mark(piece[0], at))
        elif piece[0] in _QUOTES:
            end = _closing_quote(text, at) + 1
            marks.append(_quoted(text[at + 1 : end - 1], at))
        elif not piece[0].isspace():
            marks += _bare(piece[0], at)
        at = end
    return marks


def _closing_quote(text: str, at: int) -> int:
    for end in range(at + 1, len(text)):
        if text[end] in _QUOTES:
            return end
    raise QueryError("the quote is never closed", at, 'end the phrase with another "')


def _quoted(phrase: str, at: int) -> _Mark:
    words = tuple(tokens(phrase))
    if not words:
        raise QueryError("the quotes hold no word", at, "put words between them or leave them out")
    return _Mark("words", at, words)


def _bare(piece: str, at: int) -> list[_Mark]:
    """One run of characters: an operator, one or more words, or punctuation that means nothing and is dropped."""
    if piece in _OPERATORS:
        return [_Mark(_OPERATORS[piece], at)]
    for pattern, message, hint in _REFUSED:
        if pattern.match(piece):
            raise QueryError(message, at, hint)
    words = tuple(tokens(piece))
    return [_Mark("words", at, words)] if words else []


# -- from marks to the tree --------------------------------------------------------------------------------------------


class _Parser:
    """Recursive descent: or -> and -> unary. Each step returns a tree whose `Or`s and `Not`s keep their promises."""

    def __init__(self, marks: list[_Mark], length: int) -> None:
        self._marks = [*marks, _Mark("end", length)]
        self._next = 0
        self._depth = 0

    def parse(self) -> Query:
        if len(self._marks) == 1:
            raise QueryError("there is no word in it", 0, "write at least one word or emoji to look for")
        query = self._either()
        if self._peek().kind != "end":
            raise QueryError("this parenthesis was never opened", self._peek().at, "take it out or open it before")
        if not _anchored(query):
            raise QueryError("NOT alone would find nearly everything", self._marks[0].at, _ANCHOR)
        return query

    def _either(self) -> Query:
        at = [self._peek().at]
        parts = [self._all()]
        while self._peek().kind == "or":
            self._next += 1
            at.append(self._peek().at)
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        for part, position in zip(parts, at, strict=True):
            if not _anchored(part):
                raise QueryError("NOT cannot be one side of OR", position, _ANCHOR)
        return Or(tuple(parts))

    def _all(self) -> Query:
        parts: list[Query] = []
        while True:
            part = self._one()
            parts += part.parts if isinstance(part, And) else (part,)
            if self._peek().kind == "and":
                self._next += 1
            elif self._peek().kind not in ("words", "(", "not"):
                return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Query:
        mark = self._marks[self._next]
        if mark.kind == "words":
            self._next += 1
            return Word(mark.words[0]) if len(mark.words) == 1 else Phrase(mark.words)
        if mark.kind not in ("(", "not"):
            raise _missing_word(mark)
        self._next += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise QueryError("too many NOTs and parentheses inside one another", mark.at, f"nest at most {DEEPEST}")
        part = self._negated(mark) if mark.kind == "not" else self._group(mark)
        self._depth -= 1
        return part

    def _negated(self, mark: _Mark) -> Query:
        part = self._one()
        if isinstance(part, Not):
            return part.part
        if not _anchored(part):
            raise QueryError("NOT of only NOTs", mark.at, _ANCHOR)
        return Not(part)

    def _group(self, mark: _Mark) -> Query:
        part = self._either()
        if self._peek().kind != ")":
            raise QueryError("the parenthesis is never closed", mark.at, "end it with )")
        self._next += 1
        return part

    def _peek(self) -> _Mark:
        return self._marks[self._next]


_ANCHOR = "name a word that must be there beside it, as in: police NOT music"


def _anchored(query: Query) -> bool:
    """Whether something must be there for the query to hold."""
    match query:
        case Word() | Phrase():
            return True
        case And(parts):
            return any(_anchored(part) for part in parts)
        case Or(parts):
            return all(_anchored(part) for part in parts)
        case Not() | Everything():
            return False


def _missing_word(mark: _Mark) -> QueryError:
    if mark.kind == "end":
        return QueryError("a word is missing at the end", mark.at, "add one or take the last operator out")
    if mark.kind == ")":
        return QueryError("a word is missing before )", mark.at, "add one or take the parentheses out")
    return QueryError(f"a word is missing before {mark.kind.upper()}", mark.at, "to look for the word itself, quote it")
