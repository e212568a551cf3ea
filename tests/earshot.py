"""Runs the command line as a user would: a process of its own, its output read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


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
