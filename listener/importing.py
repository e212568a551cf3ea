"""Files of mentions into the store: lines are read and judged by worker processes, and saved here in their order."""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path

from analysis.pipeline import Pipeline
from config.settings import Settings
from listener.judging import open_pipeline
from listener.rows import BadRow, read_lines, to_mention
from mentions.corrections import corrected
from mentions.failures import TemporaryFailure, UserError
from mentions.mention import Assessed
from mentions.patience import patiently
from mentions.pseudonyms import AuthorKey, plain_name
from mentions.store import MentionStore
from mentions.watchlists import Watchlist

CHUNK_LINES = 4000
SMALL = 2000  # fewer lines are judged here: starting workers would take longer

Chunk = tuple[str, int, list[bytes]]  # file, number of its first line, lines


@dataclass(slots=True)
class Imported:
    """What became of the lines so far. Blank lines are not counted."""

    seen: int = 0
    new: int = 0
    updated: int = 0
    rejected: list[BadRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judged:
    """One chunk, read and judged; `size` is its length in bytes, for progress bars."""

    good: list[Assessed]
    bad: list[BadRow]
    size: int


class Reader:
    """Turns lines into judged mentions of history."""

    def __init__(self, pipeline: Pipeline, key: AuthorKey, now: datetime, own_handles: Iterable[str] = ()) -> None:
        self._pipeline, self._key, self._now = pipeline, key, now
        self._own = frozenset(map(plain_name, own_handles))

    def read(self, chunk: Chunk) -> Judged:
        """The chunk's mentions in their order, and the lines that were left out."""
        file, first, lines = chunk
        good: list[Assessed] = []
        bad: list[BadRow] = []
        for row in read_lines(lines, file):
            if isinstance(row, BadRow):
                bad.append(BadRow(file, first + row.line - 1, row.reason))
            else:
                mention = to_mention(row, self._now, self._key.pseudonym, own_handles=self._own)
                judged = self._pipeline.assess_for_store(mention)
                if row.corrections:
                    judged = replace(judged, assessment=corrected(judged.assessment, row.corrections))
                good.append(judged)
        return Judged(good, bad, sum(map(len, lines)))


def import_files(
    files: Sequence[Path],
    store: MentionStore,
    reader: Reader,
    progress: Callable[[int, Imported], None],
    tell: Callable[[TemporaryFailure], None] = lambda failure: None,
    as_known: Callable[[Sequence[Assessed]], Sequence[Assessed]] = lambda batch: batch,
) -> Imported:
    """Save every good line of the files; bad ones are kept in `rejected`. `progress` hears the bytes read and the
    counts so far after every chunk, `tell` that the store is waited for; `as_known` makes of a batch what is to be
    saved. What was broken off can simply be run again."""
    done = Imported()
    with without_collecting():
        for judged in _judge(files, reader):
            saved = patiently(partial(store.save, as_known(judged.good)), tell)
            done.seen += len(judged.good) + len(judged.bad)
            done.new += len(saved.new)
            done.updated += len(saved.updated)
            done.rejected += judged.bad
            progress(judged.size, done)
    return done


@contextmanager
def without_collecting() -> Iterator[None]:
    """Mentions hold no cycles, so looking for some among them is a fifth of the work for nothing. Forked workers
    inherit it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _judge(files: Sequence[Path], reader: Reader) -> Iterator[Judged]:
    chunks = _chunks(files)
    first = next(chunks, None)
    if first is None:
        return
    if len(first[2]) < SMALL:
        yield reader.read(first)
        yield from map(reader.read, chunks)
        return
    yield from _judge_apart(first, chunks, reader)


def _judge_apart(first: Chunk, chunks: Iterator[Chunk], reader: Reader) -> Iterator[Judged]:
    """The same work in as many processes as there are cores, results in the order of the chunks."""
    global _reader
    _reader = reader  # forked workers find it there: the judgement's vocabulary is built once
    workers = max(1, os.cpu_count() or 1)
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=fork, initializer=_end_with_parent) as pool:
        waiting: deque[Future[Judged]] = deque([pool.submit(_read, first)])
        waiting.extend(pool.submit(_read, chunk) for chunk in islice(chunks, workers))
        try:
            while waiting:
                judged = waiting.popleft().result()
                waiting.extend(pool.submit(_read, chunk) for chunk in islice(chunks, 1))
                yield judged
        except BrokenProcessPool:
            raise UserError("a worker process died (out of memory?): what was saved stays; import again") from None
        finally:
            pool.shutdown(cancel_futures=True)  # waited for: a pool left running trips over its own end at our exit


def _end_with_parent() -> None:
    """Workers wait for work from a queue of which they hold both ends: they would never notice that it was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


_reader: Reader | None = None


def _read(chunk: Chunk) -> Judged:
    assert _reader is not None
    return _reader.read(chunk)


def _chunks(files: Sequence[Path]) -> Iterator[Chunk]:
    for path in files:
        try:
            with path.open("rb") as lines:
                number = 1
                while batch := list(islice(lines, CHUNK_LINES)):
                    yield str(path), number, batch
                    number += len(batch)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}): check the name and the rights") from None


def readable(files: Sequence[Path]) -> int:
    """The total size in bytes; `UserError` names the first file that cannot be read, before anything is imported."""
    total = 0
    for path in files:
        try:
            with path.open("rb"):
                total += path.stat().st_size
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}): check the name and the rights") from None
    return total


def open_reader(settings: Settings, now: datetime, watchlists: Sequence[Watchlist] | None = None) -> Reader:
    """A reader with these watchlists, else those that run now by the settings; what it reads was first seen `now`."""
    key = AuthorKey.load_or_create(settings.author_key)
    return Reader(open_pipeline(settings, watchlists), key, now, settings.own_handles)
