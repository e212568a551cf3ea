"""Texts as lessons: what is known of each by its labels, and what a larger model says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from analysis.reading import Window, aim, cut
from analysis.train.encoder import OUTPUTS, Encoder, batches, halves, padded
from analysis.train.police import PoliceRow, bare_rows
from analysis.train.taught import Opinion, Taught
from analysis.train.texts import UNKNOWN, Example, with_police

MOST_WEIGHT = 3.0
_RARE = 0.5  # power by which rarer moods count more


@dataclass(frozen=True, slots=True)
class Aim:
    """How much an answer counts: as far as labels say what it should be, and as far as the larger model does."""

    label: float = 0.0
    taught: float = 0.0


Aims = Mapping[str, Aim]  # by OUTPUTS; what is not named is not learnt


@dataclass(frozen=True, slots=True)
class Lesson:
    """One text as the model takes it, its labels (UNKNOWN where there is none), how much its `relevant` counts, and
    the larger model's opinion of it, None where that was not asked."""

    window: Window
    mood: int = UNKNOWN
    attitude: int = UNKNOWN
    relevant: int = UNKNOWN
    topic: int = UNKNOWN
    weight: float = 1.0
    opinion: Opinion | None = None


def read(tokens: Tokenizer, row: Example | PoliceRow) -> Window:
    """One row as the model takes it: of a long text the first window that names the target."""
    if isinstance(row, Example):
        windows = cut(tokens, row.text, [row.target] if row.target else [])
    else:
        windows = cut(tokens, row.mention.words, row.targets)
    return aim(windows)[0]


def police_lessons(tokens: Tokenizer, rows: Sequence[PoliceRow], taught: Taught | None = None) -> list[Lesson]:
    """Each row as it is and once more written carelessly, which changes nothing of what is thought of it."""
    weights = _even(rows)
    made = []
    for row, bare, weight in zip(rows, bare_rows(rows), weights, strict=True):
        window = read(tokens, row)
        opinion = taught.of(window) if taught else None
        made += [
            Lesson(each, UNKNOWN, row.attitude, row.relevant, row.topic, weight, opinion)
            for each in (window, read(tokens, bare))
        ]
    return made


def public_lessons(
    tokens: Tokenizer, rows: Sequence[Example], chance: Random, taught: Taught | None = None
) -> list[Lesson]:
    """Each row as it is and once more with, at times, a word for the police as its target."""
    made = []
    for row in rows:
        window = read(tokens, row)
        opinion = taught.of(window) if taught else None
        made += [
            Lesson(each, row.mood, row.attitude, opinion=opinion)
            for each in (window, read(tokens, with_police(row, chance)))
        ]
    return made


class Lessons:
    """Lessons in batches, each of them a loss of the model by some aims."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self.lessons = lessons
        counts = torch.tensor([sum(each.mood == label for each in lessons) for label in range(3)], dtype=torch.float)
        weights = (counts.sum().clamp(min=1) / counts.clamp(min=1)) ** _RARE
        self._moods = weights / (weights * counts).sum().clamp(min=1) * counts.sum()

    def losses(self, model: Encoder, aims: Aims, chance: Random, size: int) -> Iterator[Tensor]:
        """One loss a batch, without end."""
        for batch in batches([len(each.window.ids) for each in self.lessons], chance, size):
            yield self._loss(model, [self.lessons[at] for at in batch], aims)

    def _loss(self, model: Encoder, batch: Sequence[Lesson], aims: Aims) -> Tensor:
        with halves():
            raw = model(*padded([each.window for each in batch]))
        odds = {name: answer.float().cpu() for name, answer in zip(OUTPUTS, raw, strict=True)}
        parts = []
        for name, goal in aims.items():
            if goal.label:
                parts.append(goal.label * self._by_label(name, odds[name], batch))
            if goal.taught:
                parts.append(goal.taught * _as_taught(name, odds[name], batch))
        return torch.stack(parts).sum()

    def _by_label(self, name: str, odds: Tensor, batch: Sequence[Lesson]) -> Tensor:
        labels = torch.tensor([getattr(each, "topic" if name == "topics" else name) for each in batch])
        known = labels != UNKNOWN
        if not known.any():
            return odds.sum() * 0.0
        if name == "relevant":
            weights = torch.tensor([each.weight for each in batch])[known]
            return functional.binary_cross_entropy_with_logits(odds[known, 0], labels[known].float(), weight=weights)
        weighed = self._moods if name == "mood" else None
        return functional.cross_entropy(odds, labels, weight=weighed, ignore_index=UNKNOWN)


def _as_taught(name: str, odds: Tensor, batch: Sequence[Lesson]) -> Tensor:
    """How far the answers are from the larger model's, over the texts it was asked about."""
    told = [(at, getattr(each.opinion, name)) for at, each in enumerate(batch) if each.opinion is not None]
    told = [(at, share) for at, share in told if share is not None]
    if not told:
        return odds.sum() * 0.0
    mine = odds[[at for at, _ in told]]
    theirs = torch.tensor([list(share) for _, share in told])
    if name == "relevant":
        return functional.binary_cross_entropy_with_logits(mine, theirs)
    return -(theirs * functional.log_softmax(mine, dim=1)).sum(1).mean()


def _even(rows: Sequence[PoliceRow]) -> list[float]:
    """How much each row counts for relevance: in every source as much speaks for as against, so that the model learns
    what is said and not how much of which collection is ours."""
    counts = Counter((row.source, row.relevant) for row in rows)
    return [
        min(0.5 * (counts[row.source, 0] + counts[row.source, 1]) / counts[row.source, row.relevant], MOST_WEIGHT)
        for row in rows
    ]
