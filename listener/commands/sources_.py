"""`earshot sources`: is every source alive, and what is blind."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from listener.acts import open_known_state
from listener.commands.search_ import mention_row
from listener.connector import SourceInfo
from listener.connectors import CONNECTORS, build_connector
from listener.fetch import Fetcher
from listener.house import fetch_settings, open_tools
from listener.markup import plain_line
from listener.start import read_settings
from listener.trying import Tried, try_source
from mentions.clock import utc_now
from mentions.failures import UserError
from mentions.mention import Voice
from mentions.pseudonyms import AuthorKey
from mentions.records import SourceRow
from mentions.state import State

HELP = "list the sources and how each is doing; resume a stopped one; try one out"
EXAMPLE = "earshot sources --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to do, and with what."""
    parser.add_argument("act", nargs="?", choices=("list", "try"), default="list", help="what to do (default: list)")
    parser.add_argument("name", nargs="?", metavar="KIND", help="try: which kind of source")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="try: the source's own keys"
    )
    parser.add_argument(
        "--allow", nargs="+", action="extend", default=[], metavar="HOST:PORT",
        help="try: private addresses that may be asked",
    )  # fmt: skip
    parser.add_argument("--polls", type=int, default=1, metavar="N", help="try: how often it is polled (default: 1)")
    parser.add_argument("--resume", metavar="NAME", help="try a stopped source again, now")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print the sources, or try one."""
    if args.act == "try":
        return run_try(args)
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


def run_try(args: argparse.Namespace) -> int:
    """Poll a source that is not in the settings, store nothing, print what it gives."""
    if not args.name:
        raise UserError(f"sources try needs a KIND: one of {', '.join(CONNECTORS)}")
    if args.polls < 1:
        raise UserError("--polls: expected a whole number from 1")
    settings = read_settings(args)
    limits = fetch_settings(settings)
    with closing(Fetcher(replace(limits, allow=(*limits.allow, *args.allow)), utc_now)) as fetcher:
        source = SourceInfo("trial", Voice.PRESS if args.name == "feed" else Voice.PUBLIC)
        tools = open_tools(settings, fetcher, utc_now, AuthorKey.for_now())
        connector = build_connector(args.name, source, read_set(args.set), tools)
        with closing(connector):
            tried = try_source(connector, args.polls)
    if args.json:
        print(json.dumps(tried_row(tried), ensure_ascii=False, indent=1))
        return 0
    print(f"{tried.state}{': ' if tried.reason else ''}{tried.reason}")
    for mention in tried.mentions.values():
        print(f"{mention.published_at:%Y-%m-%d %H:%M} UTC  {plain_line(mention.words, 100)}")
    print(f"{len(tried.mentions)} posts, {tried.left_out} left out; nothing was stored")
    return 0


def tried_row(tried: Tried) -> dict[str, object]:
    """What a trial gave, for machines; authors appear as keyed hashes, by a key that nobody keeps."""
    mentions = [
        {**mention_row(each), "native_id": each.native_id, "author": each.author_key}
        for each in tried.mentions.values()
    ]
    return {
        "state": tried.state,
        "reason": tried.reason,
        "left_out": tried.left_out,
        "polls": tried.polls,
        "mentions": mentions,
    }


def read_set(pairs: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE pairs; raises UserError for anything else."""
    for pair in pairs:
        if not pair.partition("=")[0].strip() or "=" not in pair:
            raise UserError(f"--set {pair!r}: expected KEY=VALUE, such as tag=brixton")
    return {key.strip(): value for key, _, value in (pair.partition("=") for pair in pairs)}


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
        "moved_to": row.moved_to,
        **{key: value.isoformat() if value else None for key, value in times.items()},
    }
