"""A real server over seeded books, and a real browser in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from mentions.mention import Rag
from tests import seeding
from tests.browser.boards import seed_boards
from tests.conftest import ROOT
from tests.seeding import Seeded

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STARTS_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Served:
    """A running dashboard and what it reads."""

    url: str
    seeded: Seeded
    process: subprocess.Popen[bytes]

    def freeze(self) -> None:
        """Stop answering without closing anything, as a network that is cut does."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it; skipped where it has none. It ends with its file: its driver keeps an event loop
    running in its thread, and other tests' mail servers need one."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except Error:
            pytest.skip("no Chromium browser here: install chromium, or run playwright install chromium")
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard over a month of quiet, a crisis in Camden, a warning and one hostile post."""
    folder = tmp_path_factory.mktemp("served")
    seeded = seeding.open_seeded(folder / "data")
    seeding.seed_days(seeded)
    seeding.seed_crisis(seeded)
    seeding.seed_warning(seeded)
    recent = seeded.now.replace(microsecond=0)
    seeded.store.save([seeding.make_row(9_999, recent, Rag.RED, text=seeding.HOSTILE)])
    seed_boards(seeded)
    done = threading.Event()
    heart = threading.Thread(target=_beat, args=(seeded, done), daemon=True)
    heart.start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = _start(seeded, port, folder / "log.txt")
    yield Served(f"http://127.0.0.1:{port}", seeded, process)
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(20)
    done.set()
    heart.join(15)
    seeded.close()


def _beat(seeded: Seeded, done: threading.Event) -> None:
    while not done.wait(5):
        seeding.beat(seeded)


def _start(seeded: Seeded, port: int, log: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "EARSHOT_DATA": str(seeded.data),
        "EARSHOT_PORT": str(port),
        "EARSHOT_REFRESH": "2",
    }
    call = [sys.executable, "-m", "uvicorn", "dashboard.asgi:app", "--port", str(port), "--log-level", "warning"]
    with log.open("wb") as out:
        process = subprocess.Popen(call, cwd=ROOT, env=environment, stdout=out, stderr=out)
    for _ in range(STARTS_WITHIN_S * 5):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/api/healthz", timeout=5).status_code == httpx.codes.OK:
                return process
        except httpx.TransportError:
            time.sleep(0.2)
    process.kill()
    raise AssertionError(log.read_text())


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor's own window, with nothing kept from another."""
    opened = browser.new_context(accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab."""
    return context.new_page()
