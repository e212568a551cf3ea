"""A search as SQL: words go to the word index, the rest are conditions. Whatever was typed travels as a parameter, or
inside a quoted literal of the word index, so that no input can say anything of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
from mentions.times import micros

_BY_MENTION, _BY_WORDS, _BY_FACET = "mention", "words", "facet"
_ROWS = {_BY_MENTION: "mention.row", _BY_WORDS: "words.rowid", _BY_FACET: "facet.row"}
_RAREST_FIRST = (
    "corrected",
    "watchlist",
    "topic",
    "borough",
    "debate",
    "own",
    "source",
    "rag",
    "reach",
    "lang",
    "sentiment",
)
_LABEL = "(SELECT id FROM label WHERE label = ?)"


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL condition and the values of its parameters, in order."""

    sql: str
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How to find what a query asks for: `row` is the column that gives the order, `where` what has to hold."""

    driver: str
    where: tuple[Condition, ...]

    @property
    def row(self) -> str:
        """The row number of what is found."""
        return _ROWS[self.driver]

    def tables(self, *, mentions: bool) -> str:
        """What to select from; with `mentions` the table of mentions is part of it."""
        if not mentions or self.driver == _BY_MENTION:
            return self.driver
        return f"{self.driver} CROSS JOIN mention ON mention.row = {self.row}"  # CROSS: SQLite keeps this order


def plan(query: Query) -> Plan:
    """The quickest way that needs no sorting: by words where some must be there, else by a field, else by all rows."""
    parts = tuple(dict.fromkeys(query.parts)) if isinstance(query, And) else (query,)
    texts = [part for part in parts if _is_text(part)]
    if texts:
        refused = [part for part in parts if isinstance(part, Not) and _is_text(part.part)]
        rest = [part for part in parts if part not in texts and part not in refused]
        words = Condition("words MATCH ?", (to_fts(And((*texts, *refused))),))
        # With the +, nothing but MATCH can be what finds the rows: SQLite would else choose an OR of the rest at times,
        # and then has no way left to ask MATCH of a row.
        return Plan(_BY_WORDS, (words, *_each(rest, f"+{_ROWS[_BY_WORDS]}")))
    fields = sorted((part for part in parts if isinstance(part, Field)), key=_commonness)
    if fields:
        rest = [part for part in parts if part is not fields[0]]
        by_field = Condition(f"facet.label = {_LABEL}", (fields[0].facet,))
        return Plan(_BY_FACET, (by_field, *_each(rest, _ROWS[_BY_FACET])))
    return Plan(_BY_MENTION, () if isinstance(query, Everything) else tuple(_each([query], _ROWS[_BY_MENTION])))


def _commonness(field: Field) -> int:
    return _RAREST_FIRST.index(field.name) if field.name in _RAREST_FIRST else len(_RAREST_FIRST)


def _each(parts: Iterable[Query], row: str) -> list[Condition]:
    return [_condition(part, row) for part in parts]


def _condition(query: Query, row: str) -> Condition:
    if _is_text(query):
        return Condition(f"{row} IN (SELECT rowid FROM words WHERE words MATCH ?)", (to_fts(query),))
    match query:
        case Field():
            return Condition(_has(row, f"= {_LABEL}"), (query.facet,))
        case Or(parts):
            return joined(_alternatives(parts, row), "OR")
        case And(parts):
            return joined(_conjuncts(parts, row), "AND")
        case Not(part):
            refused = _condition(part, row)
            return Condition(f"NOT ({refused.sql})", refused.values)
        case ScoreRange():
            return _between("mention.score", query.low, query.high, query.with_low, query.with_high)
        case TimeRange(since, until):
            low, high = (None if at is None else micros(at) for at in (since, until))
            return _between("mention.published", low, high, True, False)
        case _:
            return Condition("TRUE")


def _conjuncts(parts: Sequence[Query], row: str) -> list[Condition]:
    texts = [part for part in parts if _is_text(part)]
    if not texts:
        return _each(parts, row)
    refused = [part for part in parts if isinstance(part, Not) and _is_text(part.part)]
    rest = [part for part in parts if part not in texts and part not in refused]
    return [_condition(And((*texts, *refused)), row), *_each(rest, row)]


def _alternatives(parts: Sequence[Query], row: str) -> list[Condition]:
    """All words in one question to the word index, all fields in one to the facets."""
    texts = [part for part in parts if _is_text(part)]
    fields = [part for part in parts if isinstance(part, Field)]
    found = _each([part for part in parts if part not in texts and part not in fields], row)
    if texts:
        found.append(_condition(Or(tuple(texts)), row))
    if fields:
        some = "IN (SELECT id FROM label WHERE label IN (SELECT value FROM json_each(?)))"
        found.append(Condition(_has(row, some), (json.dumps([field.facet for field in fields]),)))
    return found


def _has(row: str, label: str) -> str:
    return f"EXISTS (SELECT 1 FROM facet AS f WHERE f.label {label} AND f.row = {row})"


def joined(parts: Sequence[Condition], word: str) -> Condition:
    """All of them, or any. Halved again and again: SQLite reads `a AND b AND c …` as deep as it is long, and no deeper
    than 1,000."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    one, other = joined(parts[:half], word), joined(parts[half:], word)
    return Condition(f"({one.sql} {word} {other.sql})", one.values + other.values)


def _between(column: str, low: object, high: object, with_low: bool, with_high: bool) -> Condition:
    parts = []
    if low is not None:
        parts.append(Condition(f"{column} {'>=' if with_low else '>'} ?", (low,)))
    if high is not None:
        parts.append(Condition(f"{column} {'<=' if with_high else '<'} ?", (high,)))
    return joined(parts, "AND") if parts else Condition("TRUE")


# -- the word index ----------------------------------------------------------------------------------------------------


def _is_text(query: Query) -> bool:
    """Whether the word index alone can answer it."""
    match query:
        case Word() | Phrase() | Prefix() | Near():
            return True
        case Or(parts):
            return all(map(_is_text, parts))
        case And(parts):
            return any(map(_is_text, parts)) and all(
                _is_text(part.part if isinstance(part, Not) else part) for part in parts
            )
        case _:
            return False


def to_fts(query: Query) -> str:
    """The FTS5 expression of a query for which `_is_text` holds."""
    match query:
        case Word(word):
            return _quoted(word)
        case Phrase(words):
            return _quoted(" ".join(words))
        case Prefix(word):
            return f"{_quoted(word)} *"
        case Near(words, apart):
            # FTS5 counts every token between the first and the last, those looked for included.
            return f"NEAR({' '.join(map(_quoted, words))}, {apart + len(words) - 2})"
        case Or(parts):
            return f"({' OR '.join(map(to_fts, parts))})"
        case And(parts):
            wanted = " AND ".join(to_fts(part) for part in parts if not isinstance(part, Not))
            refused = " OR ".join(to_fts(part.part) for part in parts if isinstance(part, Not))
            return f"(({wanted}) NOT ({refused}))" if refused else f"({wanted})"
        case _:
            raise ValueError(f"{type(query).__name__} is not for the word index")


def _quoted(literal: str) -> str:
    return '"' + literal.replace('"', '""') + '"'
