"""How often the judgement is right, by the labels of people or of careful readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mentions.mention import Assessment


@dataclass(frozen=True, slots=True)
class Labelled:
    """One opinion beside its labels. A label that is missing (disputed, say) is left out of that score."""

    assessment: Assessment
    labels: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Score:
    """Right and wrong for one answer. All three ratios are 0 where there is nothing to divide by."""

    right: int
    claimed: int
    true: int

    @property
    def precision(self) -> float:
        """Of those claimed, the part that was right."""
        return self.right / self.claimed if self.claimed else 0.0

    @property
    def recall(self) -> float:
        """Of those that were so, the part that was found."""
        return self.right / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of the two."""
        both = self.claimed + self.true
        return 2 * self.right / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Field:
    """One label field: counts of (label, opinion) pairs. Both are words; a missing value is `none`."""

    confusion: Mapping[tuple[str, str], int]

    def score(self, answer: str) -> Score:
        """How well `answer` was found."""
        pairs = self.confusion.items()
        return Score(
            self.confusion.get((answer, answer), 0),
            sum(count for (_, opinion), count in pairs if opinion == answer),
            sum(count for (label, _), count in pairs if label == answer),
        )

    @property
    def accuracy(self) -> float:
        """The part of all rows that was right."""
        total = sum(self.confusion.values())
        return sum(count for (label, opinion), count in self.confusion.items() if label == opinion) / (total or 1)

    @property
    def macro_f1(self) -> float:
        """The mean F1 over the answers that occur among the labels."""
        answers = {label for label, _ in self.confusion}
        return sum(self.score(answer).f1 for answer in answers) / (len(answers) or 1)


@dataclass(frozen=True, slots=True)
class Report:
    """What `evaluate` found, by field: relevant over all rows, the others over the rows labelled relevant."""

    rows: int
    fields: Mapping[str, Field] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The report for people, one line a field."""
        return [f"rows {self.rows}", *(_describe(name, found) for name, found in self.fields.items())]


def _describe(name: str, found: Field) -> str:
    answers = sorted({label for label, _ in found.confusion})
    if len(answers) > 6:
        return f"{name}: accuracy {found.accuracy:.3f}"
    parts = (f"{a} P {s.precision:.2f} R {s.recall:.2f} F1 {s.f1:.3f}" for a in answers for s in [found.score(a)])
    return f"{name}: accuracy {found.accuracy:.3f}, macro F1 {found.macro_f1:.3f} ({'; '.join(parts)})"


_OPINIONS: dict[str, Callable[[Assessment], object]] = {
    "relevant": lambda opinion: opinion.relevant,
    "sentiment": lambda opinion: opinion.sentiment.label,
    "rag": lambda opinion: opinion.rag,
    "topic": lambda opinion: opinion.topic or None,
    "borough": lambda opinion: opinion.boroughs[0] if len(opinion.boroughs) == 1 else None,
    "debate": lambda opinion: opinion.debate,
    "public_domain": lambda opinion: opinion.public_domain,
}
_MISSING_COUNTS = frozenset(("topic", "borough"))  # null is an answer of its own there


def evaluate(rows: Iterable[Labelled]) -> Report:
    """Compare opinions with labels. `uncertain` is never right and never wrongly sure: it only misses."""
    held: Sequence[Labelled] = list(rows)
    fields = {}
    for name, opinion_of in _OPINIONS.items():
        judged = held if name == "relevant" else [row for row in held if row.labels.get("relevant")]
        pairs = Counter(
            (_word(row.labels.get(name)), _word(opinion_of(row.assessment))) for row in judged if _has(row.labels, name)
        )
        fields[name] = Field(pairs)
    return Report(len(held), fields)


def _has(labels: Mapping[str, object], name: str) -> bool:
    return labels.get(name) is not None or (name in _MISSING_COUNTS and name in labels)


def _word(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
