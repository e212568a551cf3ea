"""Labels: what people corrected, as labels; and files of labelled rows, with the mentions they speak of."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.evaluate import Labelled
from analysis.pipeline import Pipeline
from config.strategy import borough_names, topic_names
from listener.rows import WORDLESS, BadRow, OddRow, Row, lines_of, read_objects, read_rows, row_of, to_mention
from mentions.corrections import FIELDS, Choices, read_field, read_value, standing
from mentions.failures import UserError
from mentions.mention import Assessed, Assessment, Mention

log = logging.getLogger(__name__)

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


def from_corrections(held: Iterable[Assessed]) -> Iterator[LabelRow]:
    """Every corrected mention with what people said, and who."""
    for each in held:
        if labels := labels_of(each.assessment):
            by = {one.by for one in standing(each.assessment).values()}
            yield LabelRow(each.mention, labels, ", ".join(sorted(by)), relevant=each.assessment.relevant)


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One labelled mention, its labels, and who labelled it ("" where nobody says); `relevant` is as in `Labelled`."""

    mention: Mention
    labels: dict[str, object]
    by: str
    dialect: str = ""
    group: str = ""
    relevant: bool | None = None

    def judged(self, pipeline: Pipeline) -> Labelled | None:
        """The labels beside what the pipeline says; None, and logged, where it fails: that is no opinion to count."""
        mention = self.mention
        try:
            opinion = pipeline.assess_whole(mention)
        except Exception:
            log.exception("evaluate failed mention=%s", mention.id)
            return None
        together = self.group or (f"{mention.source} {mention.thread}" if mention.thread else mention.id)
        return Labelled(opinion, self.labels, mention.platform, self.dialect, together, self.relevant)


class LabelReader:
    """Reads label files. The text of a row stands in it, or in the file it names below `corpora`, under its id."""

    def __init__(self, corpora: Path | None, now: datetime) -> None:
        self._corpora, self._now = corpora, now
        self._texts: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self, path: Path) -> Iterator[LabelRow | BadRow]:
        """Every labelled row, in order, good or bad. A first line without an id says who labelled the rest (`by` or
        `made_by`). Raises UserError where a file cannot be read."""
        by = ""
        for each in read_objects(lines_of(path), str(path)):
            if isinstance(each, BadRow):
                yield each
                continue
            number, raw = each
            try:
                if not {"id", "labels"} & raw.keys() and (by := _said(raw, "by") or _said(raw, "made_by") or by):
                    continue
                yield self._row(raw, number, by)
            except OddRow as odd:
                yield BadRow(str(path), number, str(odd))

    def _row(self, raw: dict[str, Any], number: int, by: str) -> LabelRow:
        labels = raw.get("labels")
        if not isinstance(labels, dict) or not ANSWERS & labels.keys():
            raise OddRow(f"labels: expected an object with some of {', '.join(sorted(ANSWERS))}")
        told = raw if raw.get("file") is None else {**self._found(raw), "thread": raw.get("thread")}
        if not told.get("text") and not told.get("title"):
            raise OddRow(f"{WORDLESS}, and no file below --corpora is named")
        mention = to_mention(row_of(told, number), self._now, lambda platform, author: "")
        disputed = raw.get("disputed") or {}
        if not isinstance(disputed, dict | list):
            raise OddRow("disputed: expected an object or a list of fields")
        agreed = {name: _answer(name, label) for name, label in labels.items() if name not in disputed}
        return LabelRow(mention, agreed, _said(raw, "by") or by, _said(raw, "dialect"), _said(raw, "group"))

    def _found(self, raw: dict[str, Any]) -> dict[str, Any]:
        name, wanted = _said(raw, "file"), _said(raw, "id")
        if self._corpora is None:
            raise OddRow(f"file: name the folder of {name} with --corpora")
        if name not in self._texts:
            path = self._corpora / name
            if not path.resolve().is_relative_to(self._corpora.resolve()) or not path.is_file():
                raise OddRow(f"file: there is no {name} below {self._corpora}")
            self._texts[name] = {str(each.raw["id"]): each.raw for each in read_rows(path) if isinstance(each, Row)}
        found = self._texts[name].get(wanted)
        if found is None:
            raise OddRow(f"id: {name} has no readable row of that id")
        return found


def _said(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if value is not None and type(value) not in (str, int):
        raise OddRow(f"{key}: expected text")
    return "" if value is None else str(value)


def _answer(name: str, label: object) -> object:
    """A label as it is compared; one of a field that no judgement has is left as it is."""
    if name not in ANSWERS or label is None:
        return label
    if name in _FLAGS:
        if isinstance(label, bool):
            return label
        raise OddRow(f"labels: {name} is true, false or null")
    if not isinstance(label, str):
        raise OddRow(f"labels: {name} is text or null")
    try:
        return read_value(read_field(name), label, Choices(topic_names(), borough_names())) or None
    except UserError as refused:
        raise OddRow(f"labels: {refused}") from None
