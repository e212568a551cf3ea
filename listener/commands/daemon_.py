"""`earshot daemon`: listen, judge and alert until told to stop."""

from __future__ import annotations

import argparse

from listener.daemon import Daemon, stop_on_signals
from listener.house import open_house
from listener.lock import hold, refuse_exercise
from listener.start import read_settings

HELP = "listen, judge and alert until told to stop (SIGTERM or Ctrl-C)"
EXAMPLE = "earshot daemon --config earshot.toml"


def arrange(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""


def run(args: argparse.Namespace) -> int:
    """Run the daemon; exits 0 when it was asked to stop."""
    settings = read_settings(args)
    refuse_exercise(settings.data)
    stop = stop_on_signals()
    with hold(settings.data):
        Daemon(open_house(settings)).run(stop)
    return 0
