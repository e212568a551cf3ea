"""Log-ins that outlive a poll and a restart, since platforms let few be made."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from listener.feeds import short_hash

log = logging.getLogger(__name__)


class Sessions:
    """Keeps a secret text for each name. Safe from many threads; the files are one process's own.

    They are kept in `folder`, mode 0600, one file each, and in memory only where there is no folder. A file that cannot
    be read is as none, and one that cannot be written costs a log-in after the next start, nothing more.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, str] = {}
        self._turns: dict[str, threading.RLock] = defaultdict(threading.RLock)
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Whoever reads, logs in and writes does it alone for that name."""
        with self._lock:
            turn = self._turns[name]
        with turn:
            yield

    def read(self, name: str) -> str:
        """What is kept under a name; "" for nothing."""
        if name not in self._kept and self._folder is not None:
            with suppress(OSError, UnicodeError):
                self._kept[name] = self._file(self._folder, name).read_text("utf-8")
        return self._kept.get(name, "")

    def write(self, name: str, text: str) -> None:
        """Keep it in the place of what was there; "" keeps nothing."""
        self._kept[name] = text
        if self._folder is None:
            return
        try:
            self._store(self._folder, self._file(self._folder, name), text)
        except OSError as error:
            log.warning("sessions cannot be kept on disk reason=%s", error.strerror)

    def _file(self, folder: Path, name: str) -> Path:
        return folder / short_hash(name)

    def _store(self, folder: Path, file: Path, text: str) -> None:
        """The whole text or the old one: nobody ever reads half of it."""
        if not text:
            file.unlink(missing_ok=True)
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder)  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
            Path(draft).replace(file)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
