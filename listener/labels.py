"""Labels: what people corrected, as labels; and files of labelled rows, with the mentions they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.evaluate import Labelled
from analysis.pipeline import Pipeline
from listener.rows import WORDLESS, BadRow, OddRow, read_rows, row_of, to_mention
from mentions.corrections import FIELDS, standing
from mentions.failures import UserError
from mentions.mention import Assessed, Assessment, Mention

_FLAGS = ("relevant", "debate", "risk_to_life")
_NAMES = {"boroughs": "borough"}  # what labels call a field of a correction
ANSWERS = {_NAMES.get(field, field) for field in FIELDS}


def labels_of(opinion: Assessment) -> dict[str, object]:
    """What people said of a mention, in the words of label files; nothing of what they left as it was judged."""
    labels: dict[str, object] = {}
    for field, correction in standing(opinion).items():
        value: object = correction.value or None
        if field in _FLAGS:
            value = correction.value == "yes"
        elif field == "boroughs" and len(opinion.boroughs) != 1:
            value = None  # labels name the one borough, or none
        labels[_NAMES.get(field, field)] = value
    return labels


def from_corrections(held: Iterable[Assessed], pipeline: Pipeline) -> Iterator[tuple[Labelled, str]]:
    """Every corrected mention, judged anew without its corrections, beside what people said; and who."""
    for each in held:
        if labels := labels_of(each.assessment):
            by = {one.by for one in standing(each.assessment).values()}
            yield (
                _labelled(each.mention, labels, pipeline, relevant=each.assessment.relevant),
                ", ".join(sorted(by)),
            )


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One labelled row of a file: the mention, its labels, and who labelled it ("" where nobody says)."""

    mention: Mention
    labels: dict[str, object]
    by: str
    dialect: str
    group: str

    def judged(self, pipeline: Pipeline) -> Labelled:
        """The labels beside what the pipeline says."""
        return _labelled(self.mention, self.labels, pipeline, self.dialect, self.group)


def _labelled(
    mention: Mention,
    labels: dict[str, object],
    pipeline: Pipeline,
    dialect: str = "",
    group: str = "",
    relevant: bool | None = None,
) -> Labelled:
    together = group or (f"{mention.source} {mention.thread}" if mention.thread else mention.id)
    return Labelled(pipeline.assess_whole(mention), labels, mention.platform, dialect, together, relevant)


class LabelReader:
    """Reads label files. The text of a row stands in it, or in the file it names below `corpora`, under its id."""

    def __init__(self, corpora: Path | None, now: datetime) -> None:
        self._corpora, self._now = corpora, now
        self._texts: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self, path: Path) -> Iterator[LabelRow | BadRow]:
        """Every labelled row, in order, good or bad. A first line without an id says who labelled the rest (`by` or
        `made_by`). Raises UserError where a file cannot be read."""
        by = ""
        for number, line in enumerate(_lines(path), 1):
            if not line.strip():
                continue
            try:
                raw = json.loads(line)
                if not isinstance(raw, dict):
                    raise OddRow("expected a JSON object")
                if "id" not in raw and (by := str(raw.get("by") or raw.get("made_by") or by)):
                    continue
                yield self._row(raw, number, by)
            except (ValueError, OddRow) as odd:
                reason = str(odd) if isinstance(odd, OddRow) else "the line is not JSON"
                yield BadRow(str(path), number, reason)

    def _row(self, raw: dict[str, Any], number: int, by: str) -> LabelRow:
        labels = raw.get("labels")
        if not isinstance(labels, dict) or not ANSWERS & labels.keys():
            raise OddRow(f"labels: expected an object with some of {', '.join(sorted(ANSWERS))}")
        told = raw if raw.get("file") is None else {**self._found(raw), "thread": raw.get("thread")}
        if not told.get("text") and not told.get("title"):
            raise OddRow(f"{WORDLESS}, and no file below --corpora is named")
        mention = to_mention(row_of(told, number), self._now, lambda platform, author: "")
        disputed = raw.get("disputed") or {}
        agreed = {name: label for name, label in labels.items() if name not in disputed}
        if agreed.get("topic") == "none":
            agreed["topic"] = None
        words = [str(raw.get(key) or "") for key in ("dialect", "group")]
        return LabelRow(mention, agreed, str(raw.get("by") or by), *words)

    def _found(self, raw: dict[str, Any]) -> dict[str, Any]:
        name = str(raw["file"])
        if self._corpora is None:
            raise OddRow(f"file: name the folder of {name} with --corpora")
        if name not in self._texts:
            path = self._corpora / name
            if not path.resolve().is_relative_to(self._corpora.resolve()) or not path.is_file():
                raise OddRow(f"file: there is no {name} below {self._corpora}")
            self._texts[name] = {each.raw["id"]: each.raw for each in read_rows(path) if not isinstance(each, BadRow)}
        found = self._texts[name].get(raw.get("id", ""))
        if found is None:
            raise OddRow(f"id: {name} has no readable row of that id")
        return found


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from lines
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8"
        raise UserError(f"{path}: cannot be read ({why}): check the name and the rights") from error
