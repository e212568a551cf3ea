"""Two encoders with a head for each question: one learnt moods first, one learnt only what texts are about."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel

from analysis.reading import Window, aim, cut
from analysis.train.police import PoliceRow, bare_rows, topic_names
from analysis.train.texts import UNKNOWN, Example, with_police

# What Adam remembers of weights that nothing has moved for long sinks to numbers so small that processors crawl. Said
# before any work: threads that are there already would not hear of it.
torch.set_flush_denormal(True)

LOG = logging.getLogger(__name__)
WIDTH = 384
BATCH = 32
MOST_WEIGHT = 3.0
OUTPUTS = ("mood", "attitude", "relevant", "topics")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to learn. `seed` decides order, swaps and the heads' first weights."""

    seed: int = 7
    epochs: float = 2.0  # over the public texts
    rate: float = 1e-4
    rare: float = 0.5  # power by which rarer moods count more
    police_epochs: float = 2.0  # over the labelled talk of the police, written twice; each batch half public texts
    police_rate: float = 6e-5
    matter_epochs: float = 3.0  # over the same, of the second encoder
    matter_rate: float = 1e-4
    head_rate: float = 1e-3  # of the heads that first learn from the talk of the police


class Encoder(nn.Module):  # type: ignore[misc,unused-ignore]
    """Reads a text once, for all heads. Of the two that ship, each is asked only what it learnt."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base, add_pooling_layer=False)
        self.drop = nn.Dropout(0.1)
        self.mood = nn.Linear(WIDTH, 3)
        self.attitude = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.Tanh(), nn.Dropout(0.1), nn.Linear(WIDTH, 3))
        # Half of all weights, each of one word: the texts here are too few to move them to any good.
        self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        self.relevant = nn.Linear(WIDTH, 1)
        self.topics = nn.Linear(WIDTH, len(topic_names()))

    def forward(self, ids: Tensor, mask: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """By OUTPUTS: log-odds of mood and attitude (batch x 3), relevant (x 1), topics (x their number)."""
        return self.answer(self.look_up(ids), mask, target)

    def look_up(self, ids: Tensor) -> Tensor:
        """The vectors of single words, which training leaves as they are: the same in every encoder of one base."""
        vectors: Tensor = self.encoder.embeddings.word_embeddings(ids)
        return vectors

    def answer(self, vectors: Tensor, mask: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """The same from the vectors of the words."""
        words = self.encoder(inputs_embeds=vectors, attention_mask=mask).last_hidden_state
        whole = _mean(words, mask)
        # Without a target the whole text is looked at.
        aimed = torch.where(target.sum(1, keepdim=True) > 0, target, mask)
        both = torch.cat([_mean(words, aimed), whole], dim=1)
        seen = self.drop(whole)
        return (
            self.mood(seen),
            self.attitude(self.drop(both)),
            self.relevant(seen),
            self.topics(seen),
        )


def _mean(words: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(words.dtype)
    return (words * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def read(tokens: Tokenizer, row: Example | PoliceRow) -> Window:
    """One row as the model takes it: of a long text the first window that names the target."""
    if isinstance(row, Example):
        windows = cut(tokens, row.text, [row.target] if row.target else [])
    else:
        windows = cut(tokens, row.mention.words, row.targets)
    return aim(windows)[0]


def padded(rows: Sequence[Window]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and target of a batch, padded at the end."""
    width = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask, target = torch.zeros_like(ids), torch.zeros_like(ids)
    for at, row in enumerate(rows):
        length = len(row.ids)
        ids[at, :length] = torch.tensor(row.ids)
        mask[at, :length] = 1
        target[at, :length] = torch.tensor(row.target)
    return ids, mask, target


def halves() -> torch.autocast:
    """Half precision where the processor multiplies halves natively; elsewhere it would be slower."""
    flags = Path("/proc/cpuinfo")
    native = flags.exists() and "bf16" in flags.read_text("utf-8")
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=native)


class Lesson(Protocol):
    """What a batch teaches."""

    def __call__(self, model: Encoder) -> Tensor:
        """The loss of the model on it."""


def learn(base: Path, tokens: Tokenizer, rows: Sequence[Example], recipe: Recipe) -> Encoder:
    """Fine-tune all layers on the public texts."""
    torch.manual_seed(recipe.seed)
    chance = Random(recipe.seed)
    public = Public(tokens, rows, recipe, chance)
    model = Encoder(base)
    total = int(len(rows) * recipe.epochs) // BATCH
    _descend(model, (public.lesson(batch) for batch in batches([len(row.text) for row in rows], chance, total)),
             total, [(model.parameters(), recipe.rate)])  # fmt: skip
    return model


def learn_police(
    model: Encoder, tokens: Tokenizer, rows: Sequence[PoliceRow], public: Public, recipe: Recipe
) -> Encoder:
    """Go on with labelled talk of the police; as many public texts beside it keep what was learnt of them."""
    torch.manual_seed(recipe.seed)
    chance = Random(recipe.seed)
    police = Police(tokens, rows)
    total = int(len(police.lengths) * recipe.police_epochs) // BATCH
    ours = batches(police.lengths, chance, total)
    others = batches(public.lengths, chance, total)

    def lessons() -> Iterator[Lesson]:
        for batch, other in zip(ours, others, strict=True):
            mine, theirs = police.lesson(batch), public.lesson(other)
            yield lambda model, mine=mine, theirs=theirs: mine(model) + theirs(model)

    _descend(model, lessons(), total, _rates(model, recipe.police_rate, recipe))
    return model


def learn_matter(base: Path, tokens: Tokenizer, rows: Sequence[PoliceRow], recipe: Recipe) -> Encoder:
    """Learn from the base itself what is ours and of which topic: an encoder that has learnt moods from many tweets has
    forgotten much of what texts are about."""
    torch.manual_seed(recipe.seed)
    chance = Random(recipe.seed)
    model = Encoder(base)
    police = Police(tokens, rows)
    total = int(len(police.lengths) * recipe.matter_epochs) // BATCH
    lessons = (police.lesson(batch, attitude=False) for batch in batches(police.lengths, chance, total))
    _descend(model, lessons, total, _rates(model, recipe.matter_rate, recipe))
    return model


def _rates(model: Encoder, rate: float, recipe: Recipe) -> list[tuple[list[nn.Parameter], float]]:
    """All weights at this rate, but the heads that know nothing yet: at an encoder's rate they would hardly move."""
    fresh = [*model.relevant.parameters(), *model.topics.parameters()]
    rest = [weight for weight in model.parameters() if all(weight is not each for each in fresh)]
    return [(rest, rate), (fresh, recipe.head_rate)]


class Police:
    """The labelled talk of the police as lessons, each row as it is and once more written carelessly."""

    def __init__(self, tokens: Tokenizer, rows: Sequence[PoliceRow]) -> None:
        self._rows = [*rows, *bare_rows(rows)]
        self._windows = [read(tokens, row) for row in self._rows]
        self._weights = _even(self._rows)
        self.lengths = [len(window.ids) for window in self._windows]

    def lesson(self, batch: Sequence[int], *, attitude: bool = True) -> Lesson:
        """What is ours, its topic, and unless told otherwise the attitude."""
        inputs = padded([self._windows[at] for at in batch])
        rows, weights = [self._rows[at] for at in batch], [self._weights[at] for at in batch]

        def loss(model: Encoder) -> Tensor:
            with halves():
                found = dict(zip(OUTPUTS, model(*inputs), strict=True))
            matter = _yes_or_no(found["relevant"], [row.relevant for row in rows], weights) + _loss(
                found["topics"], [row.topic for row in rows]
            )
            return matter + _loss(found["attitude"], [row.attitude for row in rows]) if attitude else matter

        return loss


class Public:
    """The public texts as lessons: mood, and attitude to the target."""

    def __init__(self, tokens: Tokenizer, rows: Sequence[Example], recipe: Recipe, chance: Random) -> None:
        self._tokens, self._rows, self._chance = tokens, rows, chance
        self.lengths = [len(row.text) for row in rows]
        counts = torch.tensor([sum(row.mood == label for row in rows) for label in range(3)], dtype=torch.float)
        weights = (counts.sum() / counts) ** recipe.rare
        self._weights = weights / (weights * counts).sum() * counts.sum()

    def lesson(self, batch: Sequence[int]) -> Lesson:
        """One batch, targets swapped anew each time."""
        rows = [with_police(self._rows[at], self._chance) for at in batch]
        inputs = padded([read(self._tokens, row) for row in rows])

        def loss(model: Encoder) -> Tensor:
            with halves():
                found = dict(zip(OUTPUTS, model(*inputs), strict=True))
            return _loss(found["mood"], [row.mood for row in rows], self._weights) + _loss(
                found["attitude"], [row.attitude for row in rows]
            )

        return loss


def _even(rows: Sequence[PoliceRow]) -> list[float]:
    """How much each row counts for relevance: in every source as much speaks for as against, so that the model learns
    what is said and not how much of which collection is ours."""
    counts = Counter((row.source, row.relevant) for row in rows)
    return [
        min(0.5 * (counts[row.source, 0] + counts[row.source, 1]) / counts[row.source, row.relevant], MOST_WEIGHT)
        for row in rows
    ]


def _loss(odds: Tensor, labels: list[int], weights: Tensor | None = None) -> Tensor:
    known = torch.tensor(labels)
    if not (known != UNKNOWN).any():
        return odds.sum() * 0.0
    return functional.cross_entropy(odds.float(), known, weight=weights, ignore_index=UNKNOWN)


def _yes_or_no(odds: Tensor, labels: list[int], weights: Sequence[float]) -> Tensor:
    known = torch.tensor(labels)
    asked = known != UNKNOWN
    if not asked.any():
        return odds.sum() * 0.0
    weighed = torch.tensor(list(weights))[asked]
    return functional.binary_cross_entropy_with_logits(odds[asked, 0].float(), known[asked].float(), weight=weighed)


def _descend(
    model: Encoder, lessons: Iterator[Lesson], total: int, rates: Sequence[tuple[Iterable[nn.Parameter], float]]
) -> None:
    """Follow the lessons, each group of weights at its rate."""
    groups = [[weight for weight in weights if weight.requires_grad] for weights, _ in rates]
    learning = [weight for group in groups for weight in group]
    optimiser = torch.optim.AdamW([{"params": group} for group in groups], weight_decay=0.01, fused=True)
    highest = [rate for _, rate in rates]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, highest, total_steps=total + 1, pct_start=0.06)
    model.train()
    started = time.monotonic()
    for step, lesson in enumerate(lessons, start=1):
        loss = lesson(model)
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if step % 100 == 0 or step == total:
            left = (total - step) * (time.monotonic() - started) / step / 60
            LOG.info("step %d of %d, loss %.3f, about %.0f min left", step, total, loss.item(), left)
    model.eval()


def batches(lengths: Sequence[int], chance: Random, total: int) -> Iterator[list[int]]:
    """`total` batches of texts of like length, in an order that `chance` decides."""
    made = 0
    while made < total:
        order = list(range(len(lengths)))
        chance.shuffle(order)
        chunks = [order[at : at + BATCH * 50] for at in range(0, len(order), BATCH * 50)]
        ready = []
        for chunk in chunks:
            chunk.sort(key=lengths.__getitem__)
            ready += [chunk[at : at + BATCH] for at in range(0, len(chunk), BATCH)]
        chance.shuffle(ready)
        for batch in ready[: total - made]:
            made += 1
            yield batch
