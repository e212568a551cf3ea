"""`earshot emerging`: what is talked about more than it ever was."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict

from listener.acts import note_act
from listener.boards import emerging_at
from listener.commands.search_ import moment
from listener.start import read_settings
from listener.watching import open_gate
from mentions.clock import utc_now
from mentions.stores import open_store

HELP = "words, #tags and places whose share rises against their own past, with the posts behind them"
EXAMPLE = "earshot emerging --at 2026-10-03T18:00 --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """The time to look from."""
    parser.add_argument(
        "--at", type=moment, metavar="T", help="the 24 hours before T against the 14 days before those (default: now)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print what rises."""
    settings = read_settings(args)
    at = args.at or utc_now()
    with closing(open_store(settings.store, readonly=True)) as store:
        rises = emerging_at(store, at, open_gate(settings))
    note_act(settings, "emerging", {"at": str(at), "found": len(rises)})
    if args.json:
        print(json.dumps([asdict(rise) for rise in rises], ensure_ascii=False, indent=1))
        return 0
    for rise in rises:
        print(f"{rise.term:30.60} {rise.kind:5} {rise.voices:4} voices, {rise.expected:.1f} foretold by its past")
    if not rises:
        print("nothing rises: talk is as usual, or there is no past to hold it against")
    return 0
