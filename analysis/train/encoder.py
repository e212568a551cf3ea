"""An encoder with a head for each question, and how it goes through its lessons."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from transformers import AutoModel

from analysis.reading import Window, open_tokeniser
from analysis.train.police import topic_names

# What Adam remembers of weights that nothing has moved for long sinks to numbers so small that processors crawl. Said
# before any work: threads that are there already would not hear of it.
torch.set_flush_denormal(True)

LOG = logging.getLogger(__name__)
OUTPUTS = ("mood", "attitude", "relevant", "topics")
HEAD_RATE = 1e-3  # of the heads: at an encoder's rate those that know nothing yet would hardly move


class Encoder(nn.Module):  # type: ignore[misc,unused-ignore]
    """Reads a text once, for all heads. It takes texts in the words of the shipped tokeniser, whatever its base's."""

    def __init__(self, base: Path, tokeniser: Path | None = None) -> None:
        """`tokeniser` is the file texts were cut by, where that is not the base's own."""
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base, add_pooling_layer=False)
        width = self.encoder.config.hidden_size
        self.drop = nn.Dropout(0.1)
        self.mood = nn.Linear(width, 3)
        self.attitude = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh(), nn.Dropout(0.1), nn.Linear(width, 3))
        # A great part of all weights, each of one word: the texts here are too few to move them to any good.
        self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        self.relevant = nn.Linear(width, 1)
        self.topics = nn.Linear(width, len(topic_names()))
        own = _own_ids(base, tokeniser) if tokeniser else None
        self.register_buffer("own_ids", own, persistent=False)

    def forward(self, ids: Tensor, mask: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """By OUTPUTS: log-odds of mood and attitude (batch x 3), relevant (x 1), topics (x their number)."""
        return self.answer(self.look_up(ids), mask, target)

    def look_up(self, ids: Tensor) -> Tensor:
        """The vectors of single words, which training leaves as they are: the same in every encoder of one base."""
        known = ids if self.own_ids is None else self.own_ids[ids]
        vectors: Tensor = self.encoder.embeddings.word_embeddings(known)
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


def _own_ids(base: Path, tokeniser: Path) -> Tensor:
    """For each word of the tokeniser, its number in the base's own list. Raises ValueError where one is not there."""
    own = open_tokeniser(base / "tokenizer.json").get_vocab()
    marks = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>"}
    theirs = open_tokeniser(tokeniser).get_vocab()
    numbers = torch.zeros(max(theirs.values()) + 1, dtype=torch.long)
    for word, number in theirs.items():
        place = own.get(marks.get(word, word))  # its list has BERT's marks too, and never reads them
        if place is None:
            raise ValueError(f"{base}: does not know the word {word!r} of {tokeniser}")
        numbers[number] = place
    return numbers


def machine() -> torch.device:
    """Where to compute: a GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def halves() -> torch.autocast:
    """Half precision where halves are multiplied natively; elsewhere it would be slower."""
    return torch.autocast(machine().type, dtype=torch.bfloat16, enabled=_multiplies_halves())


@cache
def _multiplies_halves() -> bool:
    if machine().type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    flags = Path("/proc/cpuinfo")
    return flags.exists() and "bf16" in flags.read_text("utf-8")


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
    where = machine()
    return ids.to(where), mask.to(where), target.to(where)


def answers(model: Encoder, windows: Sequence[Window], batch: int = 256) -> tuple[Tensor, ...]:
    """What the model says of each, in their order, by OUTPUTS."""
    order = sorted(range(len(windows)), key=lambda at: len(windows[at].ids))
    found: list[tuple[Tensor, ...]] = []
    for start in range(0, len(order), batch):
        inputs = padded([windows[at] for at in order[start : start + batch]])
        with torch.no_grad(), halves():
            found.append(tuple(each.float().cpu() for each in model(*inputs)))
    back = torch.tensor(order).argsort()
    return tuple(torch.cat(parts)[back] for parts in zip(*found, strict=True))


@dataclass(frozen=True, slots=True)
class Course:
    """A stretch of learning: its name, how many steps, and at which rate."""

    name: str
    steps: int
    rate: float


def descend(model: Encoder, losses: Iterator[Tensor], course: Course) -> Encoder:
    """Follow `course.steps` losses of the model; it is left ready to be asked."""
    groups = [[weight for weight in group if weight.requires_grad] for group in _groups(model)]
    learning = [weight for group in groups for weight in group]
    rates = [course.rate, HEAD_RATE]
    optimiser = torch.optim.AdamW([{"params": group} for group in groups], weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=course.steps + 1, pct_start=0.06)
    model.train()
    started = time.monotonic()
    for step in range(1, course.steps + 1):
        loss = next(losses)
        loss.backward()
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if step % 100 == 0 or step == course.steps:
            left = (course.steps - step) * (time.monotonic() - started) / step / 60
            LOG.info(
                "%s: step %d of %d, loss %.3f, about %.0f min left", course.name, step, course.steps, loss.item(), left
            )
    model.eval()
    return model


def _groups(model: Encoder) -> tuple[Iterable[nn.Parameter], Iterable[nn.Parameter]]:
    """The weights of the encoder, and those of its heads."""
    return model.encoder.parameters(), [weight for name in OUTPUTS for weight in getattr(model, name).parameters()]


def steps_of(texts: int, epochs: float, size: int) -> int:
    """How many batches of that size go through the texts so often."""
    return int(texts * epochs) // size + 1


def batches(lengths: Sequence[int], chance: Random, size: int) -> Iterator[list[int]]:
    """Batches of texts of like length without end, all texts once before any comes again. Raises ValueError where there
    are none."""
    if not lengths:
        raise ValueError("nothing to learn from")
    while True:
        order = list(range(len(lengths)))
        chance.shuffle(order)
        ready = []
        for at in range(0, len(order), size * 50):
            chunk = sorted(order[at : at + size * 50], key=lengths.__getitem__)
            ready += [chunk[start : start + size] for start in range(0, len(chunk), size)]
        chance.shuffle(ready)
        yield from ready
