"""A search cut into marks (what it looks for, operators, parentheses), or refused with the place and a hint."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from mentions.normalise import HANDLE, LONGEST_WORD, TAG, handle_mark, tag_mark, tokens, without_joiners
from mentions.query_tree import Near, Phrase, Prefix, Query, QueryError, Word
from mentions.query_values import KNOWN, read_range, read_value, refuse_field

FURTHEST = 100  # words that may stand apart in "a b"~n
_OPERATORS = {"AND": "and", "OR": "or", "NOT": "not"}
_QUOTES = '"“”„‟'
_PIECE = re.compile(rf"\s+|[()]|[{_QUOTES}]|[^\s(){_QUOTES}]+")
_FIELD = re.compile(r"([^\W\d]\w*):")
_RANGE = re.compile(r"([\[{])\s*(\S+)\s+TO\s+(\S+?)\s*([\]}])")
_VALUE = re.compile(rf"[^\s(){_QUOTES}]+")
_DISTANCE = re.compile(r"~(\d*)")
_NEAR = re.compile(r"NEAR(?:/(\d{1,4}))?$")
_LATER = 'a search is made of words, "phrases", prefix*, "a b"~5, #tag, @handle, field:value, AND, OR, NOT and ( )'
_REFUSED = (
    (re.compile(r"(?i)[a-z][a-z0-9+.-]*://"), "an address is not searched as it stands", "put it in quotes"),
    (re.compile(r"-(\w|$)"), "a minus sign does not leave out", "write NOT before the word"),
    (re.compile(r"\+(\w|$)"), "a plus sign is not needed", "all words of a search must be there"),
    (re.compile(r"/.+/$"), "a regular expression is not used here", _LATER),
    (re.compile(r"!(\w|$)|&&$|\|\|$"), "signs are not operators", "write AND, OR and NOT in capitals"),
    (re.compile(r"\*\w|\?\w"), "a word cannot begin with a wildcard", "write its beginning: polic*"),
    (re.compile(r".*\w[*?]\w"), "a wildcard stands only at the end of a word", "write its beginning: polic*"),
    (
        re.compile(r".*~"),
        "a fuzzy word is not used here",
        'write its beginning, as in polic*, or "a b"~5 for words near',
    ),
    (re.compile(r".*\w\^|\^\d"), "a weight is not used here", "what is found is in order of time"),
    (re.compile(r"[\[{]\S|.*\S[\]}]$"), "a range needs its field", "write sentiment:[* TO -0.3] or date:[now-1d TO *]"),
)
_WILD = frozenset("*?~^")
_BEFORE_A_PHRASE = {"-": 1, "+": 2, "!": 4}  # signs that would be lost before a quote or parenthesis: refused as above


class Mark(NamedTuple):
    """One piece: `kind` is and, or, not, (, ), or leaf; a leaf brings what it looks for. `within` is the field whose
    parentheses it stands in."""

    kind: str
    at: int
    leaf: Query | None = None
    within: str = ""


class Marker:
    """Cuts one search into marks, from left to right."""

    def __init__(self, text: str, now: datetime) -> None:
        self._text, self._now = text, now
        self._marks: list[Mark] = []
        self._field = ""  # the field whose values stand in the parentheses that are open
        self._depth = 0

    def cut(self) -> list[Mark]:
        """All marks in order. Raises QueryError."""
        at = 0
        while at < len(self._text):
            piece = _PIECE.match(self._text, at)
            assert piece is not None  # the pattern covers every character
            at = self._one(piece[0], at)
        return self._marks

    def _one(self, piece: str, at: int) -> int:
        """Take what begins here; returns where the next begins."""
        if piece.isspace():
            return at + len(piece)
        if piece in "()":
            self._parenthesis(piece, at)
            return at + 1
        if piece in _QUOTES:
            return self._quoted(at)
        if piece in _OPERATORS:
            self._marks.append(Mark(_OPERATORS[piece], at, within=self._field))
        elif (named := _FIELD.match(piece)) and not piece.startswith(named[0] + "//"):
            return self._named(named[1], at)
        elif self._field:
            self._refuse_wildcard(self._field, piece, at)
            self._leaf(read_value(self._field, piece, at, self._now), at)
        else:
            self._bare(piece, at)
        return at + len(piece)

    def _leaf(self, query: Query, at: int) -> None:
        self._marks.append(Mark("leaf", at, query, self._field))

    def _parenthesis(self, piece: str, at: int) -> None:
        self._marks.append(Mark(piece, at, within=self._field))
        if self._field:
            self._depth += 1 if piece == "(" else -1
            if not self._depth:
                self._field = ""

    # -- fields -------------------------------------------------------------------------------------------------------

    def _named(self, name: str, at: int) -> int:
        """`field:` and what stands behind it."""
        field, end = name.casefold(), at + len(name) + 1
        rest = self._text[end : end + 1]
        if field not in KNOWN:
            if not rest or rest.isspace():
                return self._lone_word(name, at)
            raise refuse_field(name, at)
        if self._field:
            raise QueryError("a field inside a field's parentheses", at, f"close those of {self._field} first")
        if not rest or rest.isspace():
            raise QueryError(f"{name}: has no value", at, f"write it right behind the colon: {field}:value")
        if rest == "(":
            self._marks.append(Mark("(", end))
            self._field, self._depth = field, 1
            return end + 1
        if rest in "[{":
            return self._range(field, at, end)
        if rest in _QUOTES:
            close = _closing_quote(self._text, end)
            self._leaf(read_value(field, self._text[end + 1 : close], at, self._now), at)
            return close + 1
        value = _VALUE.match(self._text, end)
        if value is None:
            raise QueryError(f"{name}: has no value", at, f"write it right behind the colon: {field}:value")
        self._refuse_wildcard(field, value[0], at)
        self._leaf(read_value(field, value[0], at, self._now), at)
        return value.end()

    def _lone_word(self, name: str, at: int) -> int:
        self._bare(name, at)
        return at + len(name) + 1

    def _refuse_wildcard(self, field: str, value: str, at: int) -> None:
        if value[0] in "<>":
            raise QueryError("< and > are not used here", at, f"write {field}:[{value.lstrip('<>=') or '0'} TO *]")
        if value[0] in "-+!" and field not in ("sentiment", "date"):  # these say what they can be
            raise QueryError(f"{value[0]} does nothing here", at, f"write NOT {field}:…, or put the value in quotes")
        if not _WILD.isdisjoint(value):
            raise QueryError("a field's value is whole", at, f"write all of it, or {field}:(one OR other)")

    def _range(self, field: str, at: int, end: int) -> int:
        found = _RANGE.match(self._text, end)
        if not found:
            raise QueryError("the range cannot be read", end, f"write {field}:[low TO high], with * for an open end")
        low, high = (each.strip(_QUOTES) for each in (found[2], found[3]))
        self._leaf(read_range(field, low, high, found[1] + found[4], at, self._now), at)
        return found.end()

    # -- words --------------------------------------------------------------------------------------------------------

    def _quoted(self, at: int) -> int:
        close = _closing_quote(self._text, at)
        phrase, end = self._text[at + 1 : close], close + 1
        if self._field:
            self._leaf(read_value(self._field, phrase, at, self._now), at)
            return end
        words = _words(phrase)
        if not words:
            raise QueryError("the quotes hold no word", at, "put words between them or leave them out")
        distance = _DISTANCE.match(self._text, end)
        if distance is None:
            self._leaf(_phrase(words), at)
            return end
        self._leaf(_near(words, distance[1], at), at)
        return distance.end()

    def _bare(self, piece: str, at: int) -> None:
        """One run of characters: words, marks, or punctuation that means nothing and is dropped."""
        if near := _NEAR.match(piece):
            raise self._refuse_near(near, at)
        follows = self._text[at + len(piece) : at + len(piece) + 1]
        for number, (pattern, message, hint) in enumerate(_REFUSED):
            lost = piece in _BEFORE_A_PHRASE and (not follows or follows not in f"({_QUOTES}")
            if pattern.match(piece) and not (lost and _BEFORE_A_PHRASE[piece] == number):
                raise QueryError(message, at, hint)
        for query in _read(piece, at):
            self._leaf(query, at)

    def _refuse_near(self, near: re.Match[str], at: int) -> QueryError:
        before = re.search(r"(\w+)\W*$", self._text[max(0, at - 100) : at])
        after = re.match(r"\W*(\w+)", self._text[at + len(near[0]) :])
        one, other = before[1] if before else "a", after[1] if after else "b"
        says = f'{near[0]} is not used here: write "{one} {other}"~{near[1] or 5}'
        return QueryError(says, at, "it finds the words in any order, with at most so many others among them")


def _closing_quote(text: str, at: int) -> int:
    for end in range(at + 1, len(text)):
        if text[end] in _QUOTES:
            return end
    raise QueryError("the quote is never closed", at, 'end the phrase with another "')


def _words(text: str) -> tuple[str, ...]:
    return tuple(word[:LONGEST_WORD] for word in tokens(text))


def _phrase(words: tuple[str, ...]) -> Query:
    return Word(words[0]) if len(words) == 1 else Phrase(words)


def _near(words: tuple[str, ...], distance: str, at: int) -> Query:
    if not distance or len(distance) > 3 or int(distance) > FURTHEST:
        raise QueryError("how near is not said", at, f'write a number up to {FURTHEST} behind the ~, as in "a b"~5')
    different = tuple(dict.fromkeys(words))
    return Word(different[0]) if len(different) == 1 else Near(different, int(distance))


def _read(piece: str, at: int) -> list[Query]:
    """What one run of characters looks for: a mark first, where it begins with one, then its words."""
    piece = without_joiners(piece)
    if piece.endswith("*"):
        return [_prefix(piece, at)]
    found: list[Query] = []
    for pattern, mark_of in ((TAG, tag_mark), (HANDLE, handle_mark)):
        if (begins := pattern.match(piece)) and (mark := mark_of("".join(begins.groups()))):
            if not _words(piece[begins.end() :]):
                return [Word(mark)]
            found = [Word(mark)]  # and all the words: what comes behind may belong to the one that it marks
            break
    words = _words(piece)
    return [*found, _phrase(words)] if words else found


def _prefix(piece: str, at: int) -> Query:
    body = piece.rstrip("*")
    mark = tag_mark(body[1:]) if body[:1] in "#＃" else handle_mark(body[1:]) if body[:1] in "@＠" else ""
    words = (mark,) if mark else _words(body)
    if len(words) != 1 or len(words[0].lstrip("#@")) < 2 or piece.endswith("**"):
        raise QueryError("a beginning of one word is needed", at, "write two letters or more before the *: po*")
    return Prefix(words[0])
