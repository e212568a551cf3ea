"""`earshot debates`: threads worth joining, by borough."""

from __future__ import annotations

import argparse
import json
from contextlib import closing

from analysis.boroughs import borough_named
from analysis.debates import Debate
from config.settings import Settings
from config.strategy import CLEARANCES
from listener.acts import note_act
from listener.commands.search_ import moment
from listener.debating import debate_row, in_words, read_debates
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.stores import open_store

HELP = "list the local debates worth joining, best first, with who must be asked before anybody answers"
EXAMPLE = "earshot debates --borough Southwark --at 2026-10-01T09:00"
NOWHERE = "No borough known"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Where and as of when."""
    parser.add_argument("--borough", type=a_borough, metavar="B", help="only those about this borough")
    parser.add_argument(
        "--at", type=moment, metavar="TIME", help="as they stood then (ISO; no zone: UTC; default: now)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print the debates."""
    settings, at = read_settings(args), args.at or utc_now()
    with closing(open_store(settings.store, readonly=True)) as store:
        found = read_debates(store, settings, at)
    if args.borough:
        found = [debate for debate in found if args.borough in debate.boroughs]
    note_act(settings, "debates", {"borough": args.borough or "", "at": str(at), "found": len(found)})
    if args.json:
        print(json.dumps([debate_row(debate, settings) for debate in found], ensure_ascii=False, indent=1))
    else:
        print_by_borough(found, settings, args.borough)
    return 0


def print_by_borough(found: list[Debate], settings: Settings, only: str | None) -> None:
    """For people: under each borough its debates, best first."""
    if not found:
        print("no debate worth joining in the last 14 days: try another --borough or --at")
    boroughs = sorted({borough for debate in found for borough in debate.boroughs if only in (None, borough)})
    for borough in [*boroughs, ""]:
        here = [debate for debate in found if borough in debate.boroughs or not (borough or debate.boroughs)]
        if here:
            print(f"{borough or NOWHERE}")
            for debate in here:
                print_debate(debate, settings.borough_accounts.get(borough, ""))


def print_debate(debate: Debate, account: str) -> None:
    """A few lines each: what, where, under which clearance, and why."""
    print(f"  {debate.score:3}  {debate.title}")
    print(f"       {debate.clearance}: {CLEARANCES[debate.clearance]}{f'; {account} answers' if account else ''}")
    print(f"       {'; '.join(f'{in_words(reason)} ({reason.points:+})' for reason in debate.reasons)}")
    if debate.link:
        print(f"       {debate.link}")


def a_borough(text: str) -> str:
    """A borough by any of its names."""
    found = borough_named(text)
    if not found:
        raise argparse.ArgumentTypeError(f'"{text}" is not a London borough')
    return found
