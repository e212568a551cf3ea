"""The books of this process, opened when first asked for, and tried again where they could not be."""

from __future__ import annotations

import os
import threading
from functools import lru_cache

from dashboard.options import Options, read_options
from dashboard.reading import Books, open_books

_lock = threading.Lock()
_held: dict[Options, Books] = {}


def hold_books() -> Books:
    """The open databases; raises what `open_books` raises, and tries anew at the next call."""
    options = hold_options()
    with _lock:
        if options not in _held:
            _held[options] = open_books(options)
        return _held[options]


def release_books() -> None:
    """Close what is open; the next call opens it anew."""
    with _lock:
        for books in _held.values():
            books.store.close()
            books.state.close()
        _held.clear()


def hold_options() -> Options:
    """What this process was told through its environment."""
    return _read(tuple(sorted(item for item in os.environ.items() if item[0].startswith("EARSHOT_"))))


@lru_cache(maxsize=4)
def _read(env: tuple[tuple[str, str], ...]) -> Options:
    return read_options(dict(env))
