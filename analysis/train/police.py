"""Talk to learn from: rows labelled by the guide, of the shared corpora and written for it, rows without labels, and
chatter that is nobody's business."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from analysis.pipeline import Pipeline
from analysis.steps.rating import topics
from analysis.train.texts import MOODS, UNKNOWN, Example, key_of
from analysis.wording import Span
from mentions.mention import PRESS_PLATFORMS, Mention, Voice

LABELS = Path(__file__).parents[1] / "labels"
NO_TOPIC = ""
_LEAST = 8  # letters and digits, below which a text tells nothing
_MOST_OF_ONE = 4_000


@dataclass(frozen=True, slots=True)
class PoliceRow:
    """One mention, ready to learn from, with the labels it has. `source` is what is held out together."""

    mention: Mention
    labels: Mapping[str, Any]
    source: str
    targets: tuple[Span, ...]

    @property
    def attitude(self) -> int:
        """The place of its attitude in MOODS; unknown where it is not ours or was disputed."""
        label = self.labels.get("sentiment")
        return MOODS.index(label) if self.labels.get("relevant") and label in MOODS else UNKNOWN

    @property
    def relevant(self) -> int:
        """1, 0, or UNKNOWN where it was disputed."""
        label = self.labels.get("relevant")
        return UNKNOWN if label is None else int(label)

    @property
    def topic(self) -> int:
        """The place of its topic in `topic_names()`; unknown where it is not ours."""
        if not self.labels.get("relevant") or "topic" not in self.labels:
            return UNKNOWN
        return topic_names().index(self.labels["topic"] or NO_TOPIC)


@cache
def topic_names() -> list[str]:
    """The strategy's topics, gravest first, and "" for none."""
    return [*(topic.name for topic in topics()), NO_TOPIC]


def police_rows(data: Path) -> list[PoliceRow]:
    """Every labelled row there is to learn from, in the order of the files.

    `labelled/` is left out, to be tested on. Raises ValueError naming a row whose text is not there.
    """
    pipeline = Pipeline()
    rows = [*_read_rows(data), *_written_rows()]
    return [PoliceRow(mention, labels, source, pipeline.targets(mention)) for mention, labels, source in rows]


def unlabelled_rows(data: Path, labelled: Sequence[PoliceRow]) -> list[PoliceRow]:
    """Every text of the shared corpora that is none of these, once, in the order of files; of each file the first four
    thousand, so that a disaster abroad does not outweigh all else, and none of the files kept for their volume alone.
    They carry no labels."""
    pipeline = Pipeline()
    seen = {_same(row.mention) for row in labelled}  # grows by each that is taken
    rows = []
    for path in sorted((data / "corpora").glob("*/*.jsonl")):
        if "volume" in path.name:
            continue
        for row in list(_corpus(path).values())[:_MOST_OF_ONE]:
            mention = to_mention(row)
            same = _same(mention)
            if len(same) >= _LEAST and same not in seen:
                seen.add(same)
                rows.append(PoliceRow(mention, {}, str(path.relative_to(data / "corpora")), pipeline.targets(mention)))
    return rows


def chatter_rows(public: Sequence[Example], number: int, chance: Random) -> list[PoliceRow]:
    """So many public texts, each once, drawn by chance, in which no word speaks for its being ours, every other one
    written carelessly. They are labelled as not ours unread."""
    pipeline = Pipeline()
    drawn: dict[str, Mention] = {}
    for example in chance.sample(public, len(public)):
        if len(drawn) == number:
            break
        mention = to_mention({"id": f"chatter:{len(drawn)}", "platform": "twitter", "text": example.text})
        if not pipeline.has_a_word_for_it(mention):
            drawn.setdefault(_same(mention), mention)
    rows = [PoliceRow(mention, {"relevant": False}, "chatter", ()) for mention in drawn.values()]
    rows[::2] = bare_rows(rows[::2])
    return rows


def _same(mention: Mention) -> str:
    """What two copies of one text have in common, though one broke off or got a link."""
    return key_of(mention.words)[:100]


def bare_rows(rows: Sequence[PoliceRow]) -> list[PoliceRow]:
    """The same rows written carelessly: no capitals, no marks, as many people do and some collections store them."""
    pipeline = Pipeline()
    bare = [replace(row.mention, title=_bare(row.mention.title), text=_bare(row.mention.text)) for row in rows]
    return [replace(row, mention=each, targets=pipeline.targets(each)) for row, each in zip(rows, bare, strict=True)]


def _bare(text: str) -> str:
    return " ".join(re.sub(r"https?://\S+|[^\w\s]", "", text.lower()).split())


def _read_rows(data: Path) -> Iterator[tuple[Mention, Mapping[str, Any], str]]:
    files = [data / "labelled-real" / "labels.jsonl", data / "labelled-real" / "train.jsonl", LABELS / "read.jsonl"]
    for file in files:
        for row in read_json_lines(file):
            texts = _corpus(data / "corpora" / row["file"])
            if row["id"] not in texts:
                raise ValueError(f"{file}: {row['id']} is not in {row['file']}")
            labels = {k: v for k, v in row["labels"].items() if k not in row.get("disputed", {})}
            yield to_mention(texts[row["id"]]), labels, row["file"]


def _written_rows() -> Iterator[tuple[Mention, Mapping[str, Any], str]]:
    for row in read_json_lines(LABELS / "written.jsonl"):
        yield to_mention(row), row["labels"], "written"


def to_mention(row: Mapping[str, Any]) -> Mention:
    """A row of a corpus as a mention; what it does not say stays unsaid."""
    platform = str(row["platform"])
    press = platform in PRESS_PLATFORMS
    at = datetime(2000, 1, 1, tzinfo=UTC)
    return Mention(
        id=str(row["id"]),
        platform="x" if platform == "twitter" else platform,
        source=row.get("site") or platform,
        published_at=at,
        first_seen_at=at,
        text=row.get("text") or "",
        title=row.get("title") or "",
        link=row.get("link") or "",
        publisher=row.get("site") or "",
        voice=Voice.PRESS if press else Voice.PUBLIC,
    )


@cache
def _corpus(path: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in read_json_lines(path)}


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """One object a line; ValueError names the line that is none."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}:{number}: not a JSON object ({error})") from None
    return rows
