"""What the flow tests share: daemons that never outlive their test, and a site for them to listen to."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.earshot import Start, command, surroundings
from tests.live_feeds import Site, SiteServer


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


@pytest.fixture
def site() -> Iterator[tuple[Site, SiteServer]]:
    """A loopback site that publishes feeds, and its server."""
    made = Site()
    server = SiteServer(made)
    yield made, server
    server.close()
