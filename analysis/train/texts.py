"""The public texts the encoders learn from: tweets with their mood, sentences with an attitude towards a target. The
second encoder takes some as texts that are not ours."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

MOODS = ("neg", "neu", "pos")
UNKNOWN = -100  # the label that counts in no loss

_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
# Written over one target in three, so that the attitude is read off what is said, not off whom it is said of.
_POLICE = ("police", "the police", "the Met", "officers", "the officer", "met police", "cops", "PC", "they", "them")
_SWAPPED = 0.3


@dataclass(frozen=True, slots=True)
class Example:
    """One text with what is known of it: its mood, and the attitude to the target at `target` (None: no target).
    Labels are places in MOODS, or UNKNOWN."""

    text: str
    mood: int = UNKNOWN
    target: tuple[int, int] | None = None
    attitude: int = UNKNOWN


def key_of(text: str) -> str:
    """What two copies of one tweet have in common: letters and digits."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def tweets(path: Path) -> list[Example]:
    """A file of TweetEval's sentiment task: a header line, then label and text with a tab between.

    Raises ValueError naming the line that is not so.
    """
    rows = []
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
            if number == 1:
                continue
            if len(row) != 2 or row[0] not in ("0", "1", "2"):
                raise ValueError(f"{path}:{number}: a label of 0, 1 or 2, a tab and a text were expected")
            rows.append(Example(_unescape(row[1]), int(row[0])))
    return rows


def _unescape(text: str) -> str:
    """A few texts carry escapes as letters: backslash, u, four digits."""
    return _ESCAPE.sub(lambda found: codecs.decode(found[0], "unicode_escape"), text).replace('\\""', '"')


def targeted(folder: Path) -> Iterator[Example]:
    """Every text of ../target-sentiment with a target and the attitude to it."""
    for row in _read(folder / "semeval4c.jsonl"):
        start = row["text"].lower().find(row["target"].lower())
        span = (start, start + len(row["target"])) if start >= 0 else None
        yield Example(row["text"], target=span, attitude=1 + (row["label"] > 0) - (row["label"] < 0))
    for name in ("newsmtsc-train.jsonl", "acl14-train.jsonl"):
        for row in _read(folder / name):
            for target in row["targets"]:
                yield Example(row["text"], target=(target["from"], target["to"]), attitude=1 + target["label"])


def _read(path: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def examples(data: Path) -> tuple[list[Example], list[Example]]:
    """What to learn from, and the validation tweets. No text of the validation tweets stands in the first list."""
    held_out = tweets(data / "tweeteval-sentiment" / "val-2000.tsv")
    forbidden = {key_of(example.text) for example in held_out}
    moods = {key_of(row.text): row for row in tweets(data / "tweeteval-sentiment" / "train-pool.tsv")}
    learnt, told = [], set()
    for example in targeted(data / "target-sentiment"):
        key = key_of(example.text)
        if key not in forbidden:
            mood = moods[key].mood if key in moods and key not in told else UNKNOWN
            told.add(key)
            learnt.append(replace(example, mood=mood))
    learnt += [row for key, row in moods.items() if key not in told and key not in forbidden]
    return sorted(learnt, key=lambda row: (row.text, row.target or (-1, -1))), held_out


def with_police(example: Example, chance: Random) -> Example:
    """The same example, one time in three with a word for the police in its target's place."""
    if example.target is None or chance.random() > _SWAPPED:
        return example
    start, end = example.target
    word = chance.choice(_POLICE)
    text = example.text[:start] + word + example.text[end:]
    return replace(example, text=text, target=(start, start + len(word)))
