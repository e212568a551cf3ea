"""A search as a test of one mention in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mentions.facets import facets
from mentions.mention import Assessed
from mentions.normalise import index_text
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
class _Subject:
    """One mention as the tests see it; `text` has a blank before and after it."""

    held: Assessed
    text: str
    facets: frozenset[str]


_Test = Callable[[_Subject], bool]


def predicate(query: Query) -> Callable[[Assessed], bool]:
    """A test of a mention with its opinion, compiled once for many."""
    test = _compiled(query)
    return lambda held: test(_Subject(held, f" {held.indexed or index_text(held.mention.words)} ", facets(held)))


def matches(query: Query, held: Assessed) -> bool:
    """Whether the query holds of a mention with its opinion."""
    return predicate(query)(held)


def _compiled(query: Query) -> _Test:
    match query:
        case Word() | Phrase() | Prefix():
            wanted = literal(query)
            return lambda subject: wanted in subject.text
        case Near(words, apart):
            return lambda subject: are_near(words, apart, subject.text)
        case Field():
            value = query.facet
            return lambda subject: value in subject.facets
        case ScoreRange() | TimeRange():
            return _within(query)
        case And(parts):
            wanted_all = [_compiled(part) for part in parts]
            return lambda subject: all(test(subject) for test in wanted_all)
        case Or(parts):
            choices = [_compiled(part) for part in parts]
            return lambda subject: any(test(subject) for test in choices)
        case Not(part):
            refused = _compiled(part)
            return lambda subject: not refused(subject)
        case Everything():
            return lambda subject: True


def literal(query: Word | Phrase | Prefix) -> str:
    """What stands in text that has a blank before and after it where the word, phrase or prefix does."""
    match query:
        case Word(text):
            return f" {text} "
        case Phrase(words):
            return f" {' '.join(words)} "
        case Prefix(text):
            return f" {text}"


def are_near(words: tuple[str, ...], apart: int, text: str) -> bool:
    """Whether all words stand in the text with at most `apart` others among them."""
    wanted = frozenset(words)
    if not all(f" {word} " in text for word in wanted):
        return False
    last: dict[str, int] = {}
    room = len(wanted) + apart
    for at, token in enumerate(text.split()):
        if token in wanted:
            last[token] = at
            if len(last) == len(wanted) and at - min(last.values()) < room:
                return True
    return False


def _within(query: ScoreRange | TimeRange) -> _Test:
    if isinstance(query, TimeRange):
        since, until = query.since, query.until
        return lambda subject: (
            (since is None or subject.held.mention.published_at >= since)
            and (until is None or subject.held.mention.published_at < until)
        )
    bounds = query

    def holds(subject: _Subject) -> bool:
        score = subject.held.assessment.sentiment.score
        if bounds.low is not None and (score < bounds.low or (score == bounds.low and not bounds.with_low)):
            return False
        return bounds.high is None or score < bounds.high or (score == bounds.high and bounds.with_high)

    return holds
