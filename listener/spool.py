"""Mentions that wait on disk, in order, while the store takes none.

One file a batch, as JSON lines, written beside, synced and renamed: a batch is there whole or not at all, taking it out
is one unlink, and nothing has to be kept in step with it. A database would need a second write for every removal and
would keep what was deleted in its pages.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from mentions.clock import Clock
from mentions.documents import from_document, to_document
from mentions.failures import TemporaryFailure, UserError
from mentions.mention import Assessed

log = logging.getLogger(__name__)

ENDING, UNFINISHED = ".jsonl", ".part"
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class SpoolFull(TemporaryFailure):
    """There is no room for a batch; the message says which limit was reached."""


@dataclass(frozen=True, slots=True)
class _File:
    """One batch. Its name tells its place, how many mentions it holds and when they came."""

    path: Path
    place: int
    count: int
    added_at: datetime
    size: int


@dataclass(slots=True)
class Waiting:
    """The oldest batches, and what could not be read of them: by file, lines as they are."""

    files: list[_File] = field(default_factory=list)
    mentions: list[Assessed] = field(default_factory=list)
    unread: dict[_File, list[bytes]] = field(default_factory=dict)


class Spool:
    """Batches of mentions, first in, first out. Safe from many threads of one process; a data directory has one daemon.

    Takes `max_bytes` at the most, and never the last `free_bytes` of the disk.
    """

    def __init__(self, folder: Path, clock: Clock, *, max_bytes: int, free_bytes: int) -> None:
        self._folder, self._aside, self._clock = folder, folder / "aside", clock
        self._max_bytes, self._free_bytes = max_bytes, free_bytes
        self._guard = threading.Lock()
        try:
            for left in folder.glob(f"*{UNFINISHED}"):
                left.unlink()  # its cursor has not moved: it is fetched again
            self._files = _list(folder)
            self._next = 1 + max((file.place for file in (*self._files, *_list(self._aside))), default=0)
        except OSError as error:
            raise UserError(f"{folder} cannot be used ({error.strerror}): mend its permissions") from None

    @property
    def mentions(self) -> int:
        """How many wait."""
        with self._guard:
            return sum(file.count for file in self._files)

    @property
    def size(self) -> int:
        """What they take on disk, in bytes."""
        with self._guard:
            return sum(file.size for file in self._files)

    @property
    def since(self) -> datetime | None:
        """When the oldest that waits came."""
        with self._guard:
            return self._files[0].added_at if self._files else None

    @property
    def aside(self) -> int:
        """How many files were put aside."""
        return len(_list(self._aside))

    def add(self, batch: Sequence[Assessed]) -> None:
        """Keep a batch behind the others; it is on disk for good when this returns. Raises SpoolFull."""
        content = "".join(f"{_encode(to_document(each))}\n" for each in batch).encode()
        with self._guard:
            if lack := self._lack(len(content)):
                raise SpoolFull(lack)
            added_at = self._clock().replace(microsecond=0)
            path = self._folder / _name(self._next, len(batch), added_at)
            self._keep(path, content)
            self._files.append(_File(path, self._next, len(batch), added_at, len(content)))
            self._next += 1

    def has_room(self, share: float = 1.0) -> bool:
        """Whether it may take more without going beyond that share of its limit."""
        with self._guard:
            return sum(file.size for file in self._files) <= self._max_bytes * share and not self._lack(1)

    def oldest(self, limit: int, *, skip: int = 0) -> Waiting | None:
        """The oldest batch but for the first `skip`, with further ones while they come to no more than `limit`
        mentions; None where none waits. Raises OSError where one cannot be read at this moment."""
        with self._guard:
            files = self._files[skip:]
        waiting = Waiting()
        for file in files:
            if waiting.files and len(waiting.mentions) + file.count > limit:
                break
            _read(file, waiting)
        return waiting if waiting.files else None

    def remove(self, waiting: Waiting) -> None:
        """Delete these batches: the store has them. What could not be read of them is put aside."""
        for file, lines in waiting.unread.items():
            log.error("spool file=%s unread=%d: kept in %s", file.path.name, len(lines), self._aside)
            self._keep(self._aside / _name(file.place, len(lines), file.added_at), b"".join(lines))
        for file in waiting.files:
            file.path.unlink(missing_ok=True)
            self._drop(file)

    def set_aside(self, waiting: Waiting) -> None:
        """Take these batches out of the line, and keep them for a person to look at."""
        self._make(self._aside)
        for file in waiting.files:
            log.error("spool file=%s cannot be used: kept in %s", file.path.name, self._aside)
            file.path.replace(self._aside / file.path.name)
            self._drop(file)

    def change(self, change: Callable[[Assessed], Assessed]) -> int:
        """Put what the change makes of each that waits in its place, also of what was put aside; how many differ.
        Nobody may be taking anything out meanwhile. A line that cannot be read stays as it is."""
        changed = 0
        with self._guard:
            for number, file in enumerate(self._files):
                content, differ = _changed(file.path, change)
                if differ:
                    self._keep(file.path, content)
                    self._files[number] = replace(file, size=len(content))
                    changed += differ
            for file in _list(self._aside):
                content, differ = _changed(file.path, change)
                if differ:
                    self._keep(file.path, content)
                    changed += differ
        return changed

    def _drop(self, file: _File) -> None:
        with self._guard:
            self._files.remove(file)

    def _lack(self, more: int) -> str:
        held = sum(file.size for file in self._files)
        if held + more > self._max_bytes:
            return (
                f"the spool is full ({_megabytes(held)} wait, spool.max_bytes is {_megabytes(self._max_bytes)}): "
                "bring the store back"
            )
        there = next(each for each in (self._folder, *self._folder.parents) if each.exists())
        free = shutil.disk_usage(there).free
        if free - more < self._free_bytes:
            return (
                f"the disk of {there} has only {_megabytes(free)} left (spool.free_bytes is "
                f"{_megabytes(self._free_bytes)}): free space"
            )
        return ""

    def _keep(self, path: Path, content: bytes) -> None:
        """Write the file, whole and for good."""
        unfinished, was_there = path.with_suffix(UNFINISHED), path.exists()
        try:
            self._make(path.parent)
            unfinished.touch(0o600)
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _sync(path.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
                if not was_there:  # a batch that was to be changed stays as it was, and is lost to nobody
                    path.unlink(missing_ok=True)  # not kept for good, and so not kept
            raise SpoolFull(f"{path.parent} cannot be written ({error.strerror}): free space or mend it") from None

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # posts are nobody else's to read
            _sync(folder.parent)


def _name(place: int, count: int, added_at: datetime) -> str:
    return f"{place:012}-{count}-{int(added_at.timestamp())}{ENDING}"


def _list(folder: Path) -> list[_File]:
    """The batches in a folder, oldest first; files of other names are not ours."""
    found = []
    for path in folder.glob(f"*{ENDING}"):
        if parts := re.fullmatch(r"(\d+)-(\d+)-(\d{1,11})", path.stem):
            place, count, seconds = map(int, parts.groups())
            found.append(_File(path, place, count, datetime.fromtimestamp(seconds, UTC), path.stat().st_size))
    return sorted(found, key=lambda file: file.place)


def _read(file: _File, waiting: Waiting) -> None:
    """Raises OSError where the file is there and cannot be read, as for want of file descriptors: it is read later."""
    try:
        lines = file.path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    waiting.files.append(file)
    bad: list[bytes] = []
    for line in lines:
        try:
            waiting.mentions.append(from_document(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError):
            bad.append(line)
    if len(lines) < file.count:
        log.error("spool file=%s is damaged: lost=%d", file.path.name, file.count - len(lines))
    if bad:
        waiting.unread[file] = bad


def _changed(path: Path, change: Callable[[Assessed], Assessed]) -> tuple[bytes, int]:
    """What a file is to hold, and how many of its mentions differ from what it holds."""
    lines, differ = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            held = from_document(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError):
            lines.append(line)
            continue
        now = change(held)
        differ += now != held
        lines.append(line if now == held else f"{_encode(to_document(now))}\n".encode())
    return b"".join(lines), differ


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
