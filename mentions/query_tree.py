"""The tree a search is read into; every store and the in-stream matcher answer the same tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mentions.failures import UserError


@dataclass(frozen=True, slots=True)
class Word:
    """One normalised word, or one mark: `#tag` or `@handle` (see `normalise.index_text`)."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Two or more normalised words, one right after the other."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A word (or mark) that begins with these two or more characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Near:
    """Two or more different words in any order, with at most `apart` other words among them."""

    words: tuple[str, ...]
    apart: int


@dataclass(frozen=True, slots=True)
class Field:
    """A facet (see `facets`): `name` is one of FIELDS, `value` as `facet` folds it."""

    name: str
    value: str

    @property
    def facet(self) -> str:
        """The facet that must be there."""
        return f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """The score of the sentiment towards the police lies between these; None is open."""

    low: float | None
    high: float | None
    with_low: bool = True
    with_high: bool = True


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Published at `since` or later and before `until`; None is open."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Query


@dataclass(frozen=True, slots=True)
class Everything:
    """Holds of every mention: the empty search."""


Text = Word | Phrase | Prefix | Near
Query = Text | Field | ScoreRange | TimeRange | And | Or | Not | Everything


class QueryError(UserError):
    """The text is outside the language: what is wrong, the `position` (0 is the first character), and a `hint`."""

    def __init__(self, message: str, position: int, hint: str) -> None:
        super().__init__(f"search, character {position + 1}: {message}; {hint}")
        self.message = message
        self.position = position
        self.hint = hint
