"""Files that somebody left in the data directory (exports, reports): what is buried goes from them as well."""

from __future__ import annotations

import csv
import errno
import io
import json
import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from listener.rows import RENAMED
from mentions.failures import TemporaryFailure
from mentions.redaction import Redaction

log = logging.getLogger(__name__)

OURS = ("-wal", "-shm", "-journal", ".db", ".lock", ".key", ".part", ".marker")  # endings of what is no export
LOOKED_INTO = 8192  # bytes that tell a text from anything else
EMPTIED = ("title", "text", "link", "native_id", "author_key", "author", "thread", "quote")
LARGEST_CELL = 1 << 30  # csv's own limit is 128 KiB, less than some articles
NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)  # to wait would not help
_ID = re.compile(r'"id":\s*("(?:[^"\\]|\\.)*")')
_LINES = (".jsonl", ".ndjson")
_KEPT = "surrogateescape"  # bytes that are no UTF-8 stay what they are

Parts = Iterator[tuple[bytes, bytes]]


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
    Rows of other mentions stay as they are, also where they say the same. Raises TemporaryFailure, once all the others
    are clean, where one could not be written for a reason that passes, such as a full disk."""
    changed, unwritten = 0, ""
    for path in _texts(folder, passed_over):
        try:
            changed += _clean(path, buried)
        except OSError as error:  # somebody took it away, or it is not ours to change
            log.error("file=%s cannot be cleaned of what was deleted reason=%s", path.name, error.strerror)
            if error.errno not in NOT_OURS:
                unwritten = f"{path} cannot be cleaned of what was deleted ({error.strerror}): free space"
    if unwritten:
        raise TemporaryFailure(unwritten)
    return changed


def _clean(path: Path, buried: Buried) -> bool:
    """Whether anything of it was in there. What cannot be read as what it claims to be is gone through as a text."""
    try:
        if _differs(_parts(path, buried)):
            _replace(path, (after for _, after in _parts(path, buried)))
            return True
    except OSError:
        raise
    except Exception as bug:  # noqa: BLE001 - no file may keep what was deleted from going elsewhere
        log.error("file=%s is gone through as a text reason=%s", path.name, type(bug).__name__)
        if _differs(_text(path.read_bytes(), buried)):
            _replace(path, (after for _, after in _text(path.read_bytes(), buried)))
            return True
    return False


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


def _parts(path: Path, buried: Buried) -> Parts:
    """The file in parts, as they are and as they are to be: an export, which may be large, by lines or rows."""
    if path.suffix in _LINES:
        with path.open("rb") as file:
            for line in file:
                yield line, _line(line, buried)
        return
    if path.suffix == ".csv":
        columns = _columns(path)
        if "id" in columns:
            yield from _table(path, columns, buried)
            return
    content = path.read_bytes()
    if content.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] in (b"{", b"["):
        try:
            told = json.loads(content.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            for line in io.BytesIO(content):
                yield line, _line(line, buried)
            return
        after = _within(told, buried)
        yield content, content if after == told else _spelt(after, indent=1)
        return
    yield from _text(content, buried)


def _differs(parts: Parts) -> bool:
    return any(before != after for before, after in parts)


def _text(content: bytes, buried: Buried) -> Parts:
    coding = "utf-8"
    try:
        said = content.decode()
    except UnicodeDecodeError:
        coding = "latin-1"
        said = content.decode(coding)
    yield content, buried.redaction.apply(said).encode(coding)


def _line(line: bytes, buried: Buried) -> bytes:
    """A line of JSON; one that names a mention which is not buried is nobody else's business."""
    try:
        said = line.decode("utf-8", _KEPT)
        named = _ID.search(said)
        if named and ":" in (given := json.loads(named[1])) and given not in buried.ids:
            return line
        told = json.loads(said)
    except (ValueError, RecursionError):
        return next(_text(line, buried))[1]
    after = _within(told, buried)
    return line if after == told else _spelt(after)


def _spelt(told: Any, indent: int | None = None) -> bytes:
    try:
        return json.dumps(told, ensure_ascii=False, indent=indent).encode("utf-8", _KEPT) + b"\n"
    except UnicodeEncodeError:  # half of a character, which no file can hold but as an escape
        return json.dumps(told, indent=indent).encode() + b"\n"


def _within(told: Any, buried: Buried) -> Any:
    if isinstance(told, list):
        return [_within(each, buried) for each in told]
    if not isinstance(told, dict):
        return buried.redaction.apply_within(told)
    if mention_id := _mention_id(told):
        return buried.emptied(told) if mention_id in buried.ids else told
    return {name: _within(each, buried) for name, each in told.items()}


def _mention_id(row: dict[str, Any]) -> str:
    """Which mention a row is of: as an export names it, or as an import would read it; "" where it is of none."""
    given, platform = row.get("id"), row.get("platform")
    if type(given) is int and isinstance(platform, str):
        given = str(given)
    if not isinstance(given, str) or ":" in given:
        return given if isinstance(given, str) else ""
    named = platform.strip().lower() if isinstance(platform, str) else ""
    return f"{RENAMED.get(named, named)}:{given.strip()}" if named else ""


def _columns(path: Path) -> list[str]:
    csv.field_size_limit(LARGEST_CELL)
    with path.open(encoding="utf-8-sig", errors=_KEPT, newline="") as file:
        return next(csv.reader(file), [])


def _table(path: Path, columns: list[str], buried: Buried) -> Parts:
    """A table with an `id` column, row by row. Rows of others keep their cells, not always their quotation marks."""
    at = columns.index("id")
    mark = b"\xef\xbb\xbf"
    with path.open("rb") as file:
        head = mark if file.read(3) == mark else b""
    yield head, head
    with path.open(encoding="utf-8-sig", errors=_KEPT, newline="") as file:
        for row in csv.reader(file):
            gone = len(row) > at and row[at] in buried.ids
            cells = [
                "" if name in EMPTIED else buried.redaction.apply(cell)
                for name, cell in zip(columns, row, strict=False)
            ]
            yield _row(row), _row(cells if gone else row)


def _row(cells: list[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", _KEPT)


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    """Write the file anew, all or nothing, for the same owner."""
    draft, before = path.with_name(f".{path.name}.part"), path.stat()
    try:
        draft.touch(mode=0o600)
        with draft.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        with suppress(PermissionError):  # only root may give files away
            os.chown(draft, before.st_uid, before.st_gid)
        draft.chmod(before.st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
