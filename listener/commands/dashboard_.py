"""`earshot dashboard`: the pages alone."""

from __future__ import annotations

import argparse

from dashboard.serve import serve
from listener.start import read_settings, settings_path

HELP = "serve the dashboard alone, over the data a daemon fills"
EXAMPLE = "earshot dashboard --data earshot-data"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--port", type=int, metavar="N", help="port (default: [dashboard] port, 8501)")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = read_settings(args)
    serve(settings.dashboard.host, args.port or settings.dashboard.port, settings.data, settings_path(args))
    return 0
