"""One daemon per data directory: an operating-system lock, free the moment its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mentions.failures import UserError

LOCK_NAME = "daemon.lock"
COMPLIANCE_LOCK_NAME = "compliance.lock"
EXERCISE_MARKER = "exercise.marker"


def prepare_directory(directory: Path) -> None:
    """Make the data directory, and say plainly where it cannot be written."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)  # posts and the audit are nobody else's to read
        trial = directory / f".writable-{os.getpid()}"
        trial.write_bytes(b"earshot")
        trial.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{directory}: cannot write to the data directory ({reason}): "
            "free space or mend its permissions, or name another with --data"
        ) from None


def refuse_exercise(directory: Path) -> None:
    """Nothing live is kept where an exercise was played: the next exercise would throw it away."""
    if (directory / EXERCISE_MARKER).exists():
        raise UserError(
            f"{directory}: holds an exercise, which the next exercise throws away: name another directory with --data"
        )


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Hold the directory's lock for as long as the block runs; `UserError` where another process holds it."""
    prepare_directory(directory)
    with (directory / LOCK_NAME).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read(20).strip() or "unknown"
            raise UserError(
                f"{directory}: another Earshot daemon (process {holder}) already works on this data: "
                "stop it first, or name another directory with --data"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def hold_compliance(directory: Path) -> Iterator[bool]:
    """Whether nobody else looks again at what this directory holds; nobody else can for as long as the block runs."""
    with (directory / COMPLIANCE_LOCK_NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
