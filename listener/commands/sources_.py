"""`earshot sources`: is every source alive, and what is blind."""

from __future__ import annotations

import argparse
import json
from contextlib import closing

from listener.acts import open_known_state
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.failures import UserError
from mentions.records import SourceRow
from mentions.state import State

HELP = "list the sources and how each is doing; resume a stopped one"
EXAMPLE = "earshot sources --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to print or resume."""
    parser.add_argument("--resume", metavar="NAME", help="try a stopped source again, now")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print the sources."""
    state = open_known_state(read_settings(args))
    rows: list[SourceRow] = []
    if state is not None:
        with closing(state):
            if args.resume:
                resume(state, args.resume)
            rows = state.sources()
    elif args.resume:
        raise unknown(args.resume)
    if args.json:
        print(json.dumps([source_row(row) for row in rows], indent=1))
        return 0
    for row in rows:
        print(f"{row.name:30.30} {row.kind:9} {row.state:9} {row.mentions:7} new  {row.message}")
    if not rows:
        print("no sources have been polled here yet: start `earshot daemon`")
    return 0


def resume(state: State, name: str) -> None:
    """A person says: try again."""
    now = utc_now()
    try:
        state.resume(name, now)
    except KeyError:
        raise unknown(name) from None
    state.audit(now, "command line", "resume source", {"source": name})


def unknown(name: str) -> UserError:
    """Nobody is called so."""
    return UserError(f'no source is called "{name}": `earshot sources` lists them')


def source_row(row: SourceRow) -> dict[str, object]:
    """One source for machines; the cursor is nobody else's business."""
    times = {
        key: getattr(row, key) for key in ("next_check_at", "polled_at", "succeeded_at", "newest_at", "brought_at")
    }
    return {
        "name": row.name,
        "kind": row.kind,
        "state": str(row.state),
        "message": row.message,
        "polls": row.polls,
        "mentions": row.mentions,
        "left_out": row.left_out,
        "failures": row.failures,
        **{key: value.isoformat() if value else None for key, value in times.items()},
    }
