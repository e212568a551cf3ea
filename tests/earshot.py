"""Runs the command line as a user would: a process of its own, its output read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT

Start = Callable[[Path], subprocess.Popen[bytes]]


def command(*words: str | Path) -> list[str]:
    """The words of one call."""
    return [sys.executable, "-m", "listener.cli", *map(str, words)]


def surroundings() -> dict[str, str]:
    """The environment of a call from anywhere."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def earshot(
    *words: str | Path, cwd: Path, stdin: bytes | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    done = subprocess.run(
        command(*words), cwd=cwd, input=stdin, env=surroundings(), capture_output=True, timeout=timeout, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def wait_for(holds: Callable[[], bool], seconds: float) -> None:
    """Until it holds; a failure where that takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.5)
