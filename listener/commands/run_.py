"""`earshot run`: the daemon and the dashboard together; with no settings file, the built-in exercise."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from config.settings import SETTINGS_FILE, Settings
from listener.daemon import stop_on_signals
from listener.exercise import EXERCISE_DIRECTORY
from listener.start import read_settings, settings_path
from mentions.failures import UserError

HELP = "run the daemon and the dashboard together; with no settings file, play the built-in exercise"
EXAMPLE = "earshot run"
EXERCISE_SPEED = "300"
STOP_SECONDS = 12
READY_SECONDS = 60


def arrange(parser: argparse.ArgumentParser) -> None:
    """How the exercise runs, and whether a browser opens."""
    parser.add_argument(
        "--speed", default=EXERCISE_SPEED, metavar="N|max", help=f"speed of the exercise (default {EXERCISE_SPEED})"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def run(args: argparse.Namespace) -> int:
    """Run until told to stop; 2 where a part could not start."""
    settings = read_settings(args)
    live = settings_path(args) is not None
    if args.store and not live:
        raise UserError(f"an exercise keeps a store of its own: --store needs settings (no {SETTINGS_FILE} here)")
    require_free_port(settings)
    data = settings.data if live or args.data else settings.data / EXERCISE_DIRECTORY
    common = [
        "--data",
        str(data),
        *(["--config", args.config] if args.config else []),
        *(["--store", settings.store] if args.store else []),
        *(["--verbose"] if args.verbose else []),
    ]
    listen = ["daemon"] if live else ["exercise", "--speed", args.speed]
    url = f"http://{settings.dashboard.host}:{settings.dashboard.port}"
    if not live:
        print(f"No {SETTINGS_FILE} here: playing the EXERCISE. To go live: cp config/example.toml {SETTINGS_FILE}")
    print(f"The dashboard will be at {url} (Ctrl-C stops everything)", flush=True)
    stop = stop_on_signals()
    shown = [] if live else ["--store", f"sqlite:{data / 'mentions.db'}"]  # whatever EARSHOT_STORE says
    parts = [start(listen + common), start(["dashboard", *common, *shown])]
    threading.Thread(target=announce, args=(url, stop, not args.no_browser), daemon=True).start()
    try:
        return watch(parts, stop, may_end=not live)
    finally:
        end(parts)


def require_free_port(settings: Settings) -> None:
    """Say now, in one line, that the dashboard's port is taken."""
    host, port = settings.dashboard.host, settings.dashboard.port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise UserError(
                f"dashboard: cannot listen on {host}:{port} ({error.strerror}): "
                "stop what uses that port, or set another under [dashboard] port"
            ) from None


def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    """A part in a process of its own; a session of its own keeps Ctrl-C for us to pass on."""
    return subprocess.Popen([sys.executable, "-m", "listener.cli", *words], start_new_session=True)


def watch(parts: Sequence[subprocess.Popen[bytes]], stop: threading.Event, *, may_end: bool) -> int:
    """Wait for a stop, or for a part to end by itself: an exercise may, nothing else."""
    listening, pages = parts
    said = False
    while not stop.wait(0.3):
        if pages.poll() is not None:
            return 2
        if listening.poll() is None or said:
            continue
        if listening.returncode != 0 or not may_end:
            return 2
        print("The exercise has ended; its pages stay until Ctrl-C. `earshot run` plays it again.", flush=True)
        said = True
    return 0


def end(parts: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask every part to stop, and insist after a while."""
    for part in parts:
        with suppress(ProcessLookupError):
            part.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for part in parts:
        try:
            part.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            part.kill()
            part.wait()


def announce(url: str, stop: threading.Event, browser: bool) -> None:
    """Say when the first page can be seen, and open it where there is a screen."""
    direct = build_opener(ProxyHandler({}))  # our own page is never behind a proxy
    for _ in range(READY_SECONDS * 2):
        if stop.wait(0.5):
            return
        with suppress(URLError, OSError), direct.open(f"{url}/api/healthz", timeout=2):
            break
    else:
        return
    print(f"Ready: {url}", flush=True)
    if browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
        webbrowser.open(url)
