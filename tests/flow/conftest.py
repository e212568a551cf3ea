"""What the flow tests share: daemons that never outlive their test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.earshot import Start, command, surroundings


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a daemon whose log goes to `log`; none outlives its test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(folder: Path) -> subprocess.Popen[bytes]:
        with (folder / "log").open("ab") as log:
            started.append(subprocess.Popen(command("daemon"), cwd=folder, env=surroundings(), stderr=log))
        return started[-1]

    yield begin
    for daemon in started:
        if daemon.poll() is None:
            daemon.kill()
        daemon.wait()
