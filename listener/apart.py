"""Work on what strangers sent, done apart: in a process of its own, with a limit on its time and on its memory.

Nobody can tell a hostile document by its size or its first bytes, so all of them go there, small ones too: handing one
over costs less than a millisecond, and a parser that runs away takes nothing with it but itself.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from mentions.failures import Failure, TemporaryFailure

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 8.0  # seconds one piece of work may take, so that a feed as a whole stays under ten
START = 20.0  # seconds the process may take to come up
MOST_MEMORY = 300_000_000  # bytes
AFTER = 2.0  # seconds after which the process ends itself, should nobody be left to end it
_LENGTH = struct.Struct("!Q")
# Of our surroundings it gets what Python needs: no credential is within reach of what runs over hostile bytes.
PASSED_ON = ("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_CODE = "from listener.apart import serve; serve()"


class Runaway(Exception):
    """It took too long, or the process ended over it."""


class Apart:
    """One process that works apart, started when first needed and again after it was ended. Safe from many threads,
    one piece of work at a time."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work` returns or raises there; it must be a function of a module. Raises `TemporaryFailure` where it
        takes more than its time or its memory."""
        job = pickle.dumps((work, args, kwargs), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            try:
                good, result = self._ask(job)
            except Runaway as runaway:
                self._end()
                message = f"reading it took more time or memory than we give ({runaway}); it will be tried again"
                raise TemporaryFailure(message) from None
            except BaseException:
                self._end()
                raise
        if not good:
            raise result
        answer: R = result
        return answer

    def close(self) -> None:
        """End the process; the next piece of work starts another."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The process that works now."""
        return self._process.pid if self._process else None

    def _ask(self, job: bytes) -> tuple[bool, Any]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = start()
            receive(self._process.stdout, time.monotonic() + START)
        process = self._process
        try:
            send(process.stdin, job)
        except OSError:
            raise Runaway("its process had ended") from None
        good, result = pickle.loads(receive(process.stdout, time.monotonic() + self._longest))
        return good, result

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def start() -> subprocess.Popen[bytes]:
    """A process that serves until its input ends, which is when we do."""
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**surroundings(os.environ), "PYTHONPATH": path},
        start_new_session=True,  # a terminal's Ctrl-C is for us to act upon
    )


def surroundings(ours: Mapping[str, str]) -> dict[str, str]:
    """Those of our variables that the process is given."""
    return {name: value for name, value in ours.items() if name in PASSED_ON or name.startswith("LC_")}


def send(pipe: IO[bytes] | None, message: bytes) -> None:
    """One message with its length before it."""
    if pipe is None:
        raise AssertionError("a process of ours has both pipes")
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def receive(pipe: IO[bytes] | None, deadline: float) -> bytes:
    """One message. Raises `Runaway` where it is not whole by then."""
    if pipe is None:
        raise AssertionError("a process of ours has both pipes")
    (length,) = _LENGTH.unpack(_read(pipe.fileno(), _LENGTH.size, deadline))
    return _read(pipe.fileno(), length, deadline)


def _read(file: int, length: int, deadline: float) -> bytes:
    found, waiting = bytearray(), select.poll()  # not select(): it knows no file numbers above 1,023
    waiting.register(file, select.POLLIN)
    while len(found) < length:
        if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise Runaway("its time ran out")
        if not (piece := os.read(file, min(length - len(found), 1 << 20))):
            raise Runaway("its process ended")
        found += piece
    return bytes(found)


def serve() -> None:
    """Work off what comes in until it ends: the other side's half."""
    with os.fdopen(os.dup(1), "wb") as out, os.fdopen(os.dup(0), "rb") as wanted:
        os.dup2(2, 1)  # whatever a library prints must not get between our messages
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
        importlib.import_module("listener.feeds")  # what is read most, before the first clock runs
        send(out, b"ready")
        while head := wanted.read(_LENGTH.size):
            (length,) = _LENGTH.unpack(head)
            job = wanted.read(length)
            signal.setitimer(signal.ITIMER_REAL, LONGEST + AFTER)  # ends this process, whatever it is at
            send(out, answer(job))
            signal.setitimer(signal.ITIMER_REAL, 0)


def answer(job: bytes) -> bytes:
    """What came of a piece of work, as a message."""
    try:
        work, args, kwargs = pickle.loads(job)
        return pickle.dumps((True, work(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return pickle.dumps((False, TemporaryFailure("reading it took more memory than we give; it is left out")))
    except Failure as failure:
        return pickle.dumps((False, failure))
    except Exception as error:  # noqa: BLE001  its words may hold a post's text, so that only its name travels
        return pickle.dumps((False, RuntimeError(f"work apart broke with {type(error).__name__}")))


READING = Apart()  # the one process in which everything strangers sent is read
atexit.register(READING.close)
