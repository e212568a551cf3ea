"""Files that somebody left in the data directory (exports, reports): what is buried goes from them as well."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mentions.redaction import Redaction

log = logging.getLogger(__name__)

OURS = ("-wal", "-shm", "-journal", ".db", ".lock", ".key", ".part", ".marker")  # endings of what is no export
LOOKED_INTO = 8192  # bytes that tell a text from anything else
EMPTIED = ("title", "text", "link", "native_id", "author_key", "author", "thread", "quote")
_ID = re.compile(r'"id":\s*("(?:[^"\\]|\\.)*")')
_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Buried:
    """What is buried, by id, why and since when; and what takes its words out of anything else."""

    ids: Collection[str]
    at: datetime
    because: str
    redaction: Redaction

    def emptied(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row of a buried mention as an export would write it now."""
        kept = {name: value for name, value in row.items() if name not in EMPTIED}
        if isinstance(kept.get("assessment"), dict):
            opinion = {**kept["assessment"], "reasons": []}
            kept["assessment"] = self.redaction.apply_within(opinion)
        return {**kept, "deleted": {"at": self.at.isoformat(), "because": self.because}}


def clean_files(folder: Path, passed_over: Collection[Path], buried: Buried) -> int:
    """Take what is buried out of every text file in the folder and those in it, but for some; how many had any of it.
    Rows of other mentions stay as they are, also where they say the same."""
    changed = 0
    for path in _texts(folder, passed_over):
        try:
            before = path.read_bytes()
            after = _cleaned(path, before, buried)
            if after is not None and after != before:
                _replace(path, after)
                changed += 1
        except OSError as error:  # somebody took it away, or it is not ours to change
            log.error("file=%s cannot be cleaned of what was deleted reason=%s", path.name, error.strerror)
    return changed


def _texts(folder: Path, passed_over: Collection[Path]) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(name for name in folders if here / name not in passed_over)
        for name in sorted(files):
            path = here / name
            if path in passed_over or name.endswith(OURS) or path.is_symlink():
                continue
            try:
                with path.open("rb") as file:
                    if b"\0" not in file.read(LOOKED_INTO):
                        yield path
            except OSError as error:
                log.error("file=%s cannot be looked into reason=%s", name, error.strerror)


def _cleaned(path: Path, content: bytes, buried: Buried) -> bytes | None:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        return buried.redaction.apply(text).encode("latin-1")
    if path.suffix in _LINES:
        return "".join(_line(line, buried) for line in text.splitlines(keepends=True)).encode()
    if path.suffix == ".csv":
        return _table(text, buried).encode()
    if text.lstrip()[:1] in ("{", "["):
        try:
            told = json.loads(text)
        except ValueError:
            return "".join(_line(line, buried) for line in text.splitlines(keepends=True)).encode()
        after = _within(told, buried)
        return None if after == told else json.dumps(after, ensure_ascii=False, indent=1).encode() + b"\n"
    return buried.redaction.apply(text).encode()


def _line(line: str, buried: Buried) -> str:
    """A line of JSON; one that names a mention which is not buried is nobody else's business."""
    named = _ID.search(line)
    try:
        if named and json.loads(named[1]) not in buried.ids:
            return line
        told = json.loads(line)
    except ValueError:
        return buried.redaction.apply(line)
    after = _within(told, buried)
    return line if after == told else json.dumps(after, ensure_ascii=False) + "\n"


def _within(told: Any, buried: Buried) -> Any:
    if isinstance(told, list):
        return [_within(each, buried) for each in told]
    if not isinstance(told, dict):
        return buried.redaction.apply_within(told)
    if isinstance(told.get("id"), str):
        return buried.emptied(told) if told["id"] in buried.ids else told
    return {name: _within(each, buried) for name, each in told.items()}


def _table(text: str, buried: Buried) -> str:
    """A table with an `id` column, row by row; any other as a text."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    rows = list(csv.reader(io.StringIO(text.removeprefix(mark), newline="")))
    if not rows or "id" not in rows[0]:
        return buried.redaction.apply(text)
    names, at = rows[0], rows[0].index("id")
    if not any(len(row) > at and row[at] in buried.ids for row in rows):
        return text
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in rows:
        gone = len(row) > at and row[at] in buried.ids
        writer.writerow(
            ["" if name in EMPTIED else buried.redaction.apply(cell) for name, cell in zip(names, row, strict=False)]
            if gone
            else row
        )
    return mark + out.getvalue()


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.touch(mode=0o600)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
