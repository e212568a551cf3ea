"""`earshot dashboard`: the pages alone."""

from __future__ import annotations

import argparse

from dashboard.serve import serve
from listener.start import read_settings

HELP = "serve the dashboard alone, over the data a daemon fills"
EXAMPLE = "earshot dashboard --data earshot-data"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Where to listen."""
    parser.add_argument("--port", type=int, metavar="N", help="port (default: [dashboard] port, 8501)")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = read_settings(args)
    pages = settings.dashboard
    serve(
        pages.host,
        args.port or pages.port,
        settings.data,
        hosts=pages.hosts,
        own_handles=settings.own_handles,
        store=settings.store,
        state=settings.state,
        refresh=pages.refresh.total_seconds(),
    )
    return 0
