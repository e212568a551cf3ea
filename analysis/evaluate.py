"""How often the judgement is right, by the labels of people or of careful readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from random import Random

from mentions.mention import Assessment, Mood
from mentions.shares import Share, wilson

DRAWS, SEED = 1000, 5  # of the bootstrap: the same rows always get the same interval
BINS = 10

Pair = tuple[str, str]  # (label, opinion)
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One opinion beside its labels. A label that is missing (disputed, say) is left out of that score.

    Rows of one `group` (a thread, say) stand or fall together: intervals take them as one. `relevant` stands in where
    nobody labelled that.
    """

    assessment: Assessment
    labels: Mapping[str, object]
    platform: str = ""
    dialect: str = ""
    group: str = ""
    relevant: bool | None = None

    @property
    def counts(self) -> bool:
        """Whether fields beside relevance are scored here."""
        return bool(self.labels.get("relevant", self.relevant))


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
    """One label field: counts of (label, opinion) pairs, and the same pairs group by group. Both are words; a missing
    value is `none`."""

    confusion: Mapping[Pair, int]
    groups: Sequence[Sequence[Pair]] = ()

    @property
    def total(self) -> int:
        """How many rows were scored."""
        return sum(self.confusion.values())

    @property
    def answers(self) -> list[str]:
        """The answers that occur among the labels, in alphabetical order."""
        return sorted({label for label, _ in self.confusion})

    def score(self, answer: str) -> Score:
        """How well `answer` was found."""
        pairs = self.confusion.items()
        return Score(
            self.confusion.get((answer, answer), 0),
            sum(count for (_, opinion), count in pairs if opinion == answer),
            sum(count for (label, _), count in pairs if label == answer),
        )

    def shown(self, label: str, opinion: str) -> Share | None:
        """Of the rows labelled so, the share that is shown as `opinion`; None where there are none."""
        return wilson(self.confusion.get((label, opinion), 0), self.score(label).true)

    @property
    def right(self) -> int:
        """How many rows were right."""
        return sum(count for (label, opinion), count in self.confusion.items() if label == opinion)

    @property
    def accuracy(self) -> float:
        """The part of all rows that was right."""
        return self.right / (self.total or 1)

    @property
    def macro_f1(self) -> float:
        """The mean F1 over the answers that occur among the labels."""
        return sum(self.score(answer).f1 for answer in self.answers) / (len(self.answers) or 1)

    def redrawn(self) -> list[Field]:
        """Bootstrap copies: as many groups again, drawn with replacement, by a fixed seed."""
        chance = Random(SEED)
        drawn = (chance.choices(self.groups, k=len(self.groups)) for _ in range(DRAWS if self.groups else 0))
        return [Field(Counter(chain.from_iterable(groups))) for groups in drawn]


def interval(values: Iterable[float]) -> Interval | None:
    """The middle 95 % of bootstrap values; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    last = len(ordered) - 1
    return ordered[round(0.025 * last)], ordered[round(0.975 * last)]


@dataclass(frozen=True, slots=True)
class Bin:
    """The claims of about one confidence: how sure they were on average, and which share was right."""

    low: float
    high: float
    confidence: float
    right: Share


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether confidence means what it says. `error` is the expected calibration error: 0 is perfect."""

    bins: tuple[Bin, ...]
    error: float
    claims: int


def calibrate(claims: Iterable[tuple[float, bool]]) -> Calibration:
    """The reliability table of claims (confidence from 0 to 1, whether it was right), for any answer or model."""
    sorted_in: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in claims:
        sorted_in.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, right))
    bins, total = [], sum(map(len, sorted_in.values()))
    for at, held in sorted(sorted_in.items()):
        share = wilson(sum(right for _, right in held), len(held))
        assert share is not None
        bins.append(Bin(at / BINS, (at + 1) / BINS, sum(sure for sure, _ in held) / len(held), share))
    error = sum(each.right.n / total * abs(each.confidence - each.right.share) for each in bins)
    return Calibration(tuple(bins), error, total)


@dataclass(frozen=True, slots=True)
class Report:
    """What `evaluate` found, by field: relevant over all rows, the others over the rows labelled relevant."""

    rows: int
    fields: Mapping[str, Field] = field(default_factory=dict)
    calibration: Calibration = Calibration((), 0.0, 0)

    def lines(self) -> list[str]:
        """The report for people, one line a field."""
        return [f"rows {self.rows}", *(_describe(name, found) for name, found in self.fields.items() if found.total)]


def _describe(name: str, found: Field) -> str:
    answers = found.answers
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
    "risk_to_life": lambda opinion: opinion.risk_to_life,
}
_MISSING_COUNTS = frozenset(("topic", "borough"))  # null is an answer of its own there


def evaluate(rows: Iterable[Labelled]) -> Report:
    """Compare opinions with labels. `uncertain` is never right and never wrongly sure: it only misses."""
    held: Sequence[Labelled] = list(rows)
    judged = [row for row in held if row.counts]
    fields = {
        name: _compare(name, held if name == "relevant" else judged, opinion_of)
        for name, opinion_of in _OPINIONS.items()
    }
    return Report(len(held), fields, calibrate(_sentiment_claims(judged)))


def evaluate_by(rows: Iterable[Labelled], kind: Callable[[Labelled], str]) -> dict[str, Report]:
    """The same for each kind of row by itself, in alphabetical order; rows of no kind ("") are left out."""
    kinds: dict[str, list[Labelled]] = {}
    for row in rows:
        if name := kind(row):
            kinds.setdefault(name, []).append(row)
    return {name: evaluate(kinds[name]) for name in sorted(kinds)}


def _compare(name: str, rows: Sequence[Labelled], opinion_of: Callable[[Assessment], object]) -> Field:
    groups: dict[str, list[Pair]] = {}
    for number, row in enumerate(rows):
        if _has(row.labels, name):
            pair = (_word(row.labels.get(name)), _word(opinion_of(row.assessment)))
            groups.setdefault(row.group or f" {number}", []).append(pair)
    return Field(Counter(chain.from_iterable(groups.values())), tuple(groups.values()))


def _sentiment_claims(rows: Iterable[Labelled]) -> Iterable[tuple[float, bool]]:
    """Only those for or against: what is called neutral or uncertain claims no strength."""
    for row in rows:
        said = row.assessment.sentiment
        if _has(row.labels, "sentiment") and said.label in (Mood.NEGATIVE, Mood.POSITIVE):
            yield min(abs(said.score), 1.0), _word(row.labels["sentiment"]) == said.label


def _has(labels: Mapping[str, object], name: str) -> bool:
    return labels.get(name) is not None or (name in _MISSING_COUNTS and name in labels)


def _word(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
