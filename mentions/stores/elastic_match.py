"""A search as Elasticsearch's query DSL, in filter context: nothing is scored, and what was typed is only a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    Text,
    TimeRange,
    Word,
)
from mentions.times import micros

Dsl = dict[str, Any]


def to_dsl(query: Query) -> Dsl:
    """The query that holds of exactly the documents the tree holds of."""
    match query:
        case Field():
            return {"term": {"facets": query.facet}}
        case ScoreRange():
            return _between("score", _plain(query.low), _plain(query.high), query.with_low, query.with_high)
        case TimeRange(since, until):
            low, high = (None if at is None else micros(at) for at in (since, until))
            return _between("published", low, high, True, False)
        case And(parts):
            wanted = _unique([part for part in parts if not isinstance(part, Not)])
            refused = _unique([part.part for part in parts if isinstance(part, Not)])
            return {"bool": {"filter": wanted, "must_not": refused}}
        case Or(parts):
            return _any(parts)
        case Not(part):
            return {"bool": {"must_not": [to_dsl(part)]}}
        case Everything():
            return {"match_all": {}}
        case _:
            return _words(query)


def _words(query: Text) -> Dsl:
    match query:
        case Word(text):
            return {"term": {"indexed": text}}
        case Phrase(words):
            return {"match_phrase": {"indexed": " ".join(words)}}
        case Prefix(text):
            return {"prefix": {"indexed": text}}
        case Near(words, apart):
            # Not match_phrase with a slop: that counts moves, so the order of the words would matter.
            each = [{"match": {"query": word}} for word in words]
            return {"intervals": {"indexed": {"all_of": {"intervals": each, "ordered": False, "max_gaps": apart}}}}


def _unique(parts: Sequence[Query]) -> list[Dsl]:
    return [to_dsl(part) for part in dict.fromkeys(parts)]


def _any(parts: Sequence[Query]) -> Dsl:
    """Words together and fields together, each as one clause: a server takes only so many of them."""
    words = [part.text for part in parts if isinstance(part, Word)]
    facets = [part.facet for part in parts if isinstance(part, Field)]
    clauses = _unique([part for part in parts if not isinstance(part, Word | Field)])
    clauses += [{"terms": {"indexed": words}}] if words else []
    clauses += [{"terms": {"facets": facets}}] if facets else []
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses, "minimum_should_match": 1}}


def _plain(bound: float | None) -> float | None:
    return None if bound is None else bound + 0.0  # no -0.0, which Lucene takes to be less than 0.0


def _between(field: str, low: object, high: object, with_low: bool, with_high: bool) -> Dsl:
    bounds: dict[str, object] = {}
    if low is not None:
        bounds["gte" if with_low else "gt"] = low
    if high is not None:
        bounds["lte" if with_high else "lt"] = high
    return {"range": {field: bounds}}
