"""A search as an FTS5 expression; every literal is quoted, so no input can say anything of its own in it."""

from __future__ import annotations

from mentions.query_tree import And, Everything, Not, Or, Phrase, Query, Word


def to_fts(query: Query) -> str:
    """The FTS5 expression of a query; `Everything` has none and never gets here."""
    match query:
        case Word(word):
            return _quoted(word)
        case Phrase(words):
            return _quoted(" ".join(words))
        case Or(parts):
            return f"({' OR '.join(map(to_fts, parts))})"
        case And(parts):
            wanted = " AND ".join(to_fts(part) for part in parts if not isinstance(part, Not))
            refused = " OR ".join(to_fts(part.part) for part in parts if isinstance(part, Not))
            return f"(({wanted}) NOT ({refused}))" if refused else f"({wanted})"
        case Not() | Everything():
            raise ValueError(f"{type(query).__name__} cannot stand alone in a search")


def _quoted(literal: str) -> str:
    return '"' + literal.replace('"', '""') + '"'
