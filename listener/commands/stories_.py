"""`earshot stories`: which matters are told, by how many voices of their own, and with what score."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing

from analysis.joining import WITHIN
from analysis.stories import Story, find_stories
from listener.acts import note_act
from listener.boards import MOST_LOOKED_AT, MOST_MENTIONS, Window, newest_relevant, story_row
from listener.commands.search_ import moment, positive
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.failures import UserError
from mentions.mention import Assessed
from mentions.stores import open_store

HELP = "which stories are told, highest score first, and how the score comes about"
EXAMPLE = "earshot stories --from 2026-10-01 --to 2026-10-04 --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """The window."""
    parser.add_argument(
        "--from", dest="since", type=moment, metavar="T", help="published at T or later (default: 72 hours before --to)"
    )
    parser.add_argument("--to", dest="until", type=moment, metavar="T", help="published before T (default: now)")
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="at most N (default 20)")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print the stories that more than one mention tells."""
    until = args.until or utc_now()
    since = args.since or until - WITHIN
    if since >= until:
        raise UserError("--from is not before --to: give an earlier --from or a later --to")
    settings = read_settings(args)
    with closing(open_store(settings.store, readonly=True)) as store:
        window = newest_relevant(store, since, until)
    if not window.whole:
        print(tell_unread(window), file=sys.stderr)
    told = [story for story in find_stories(window.held, until) if story.count > 1][: args.limit]
    note_act(settings, "stories", {"from": str(since), "to": str(until), "found": len(told)})
    if args.json:
        print(json.dumps([story_row(story) for story in told], ensure_ascii=False, indent=1))
    else:
        print_stories(told, {each.mention.id: each for each in window.held})
    return 0


def tell_unread(window: Window) -> str:
    """How far back was read, and why no further."""
    return (
        f"read back to {window.since:%Y-%m-%d %H:%M} UTC only: at most {MOST_MENTIONS:,} relevant mentions are read, "
        f"and {MOST_LOOKED_AT:,} looked through for them; a --to of about that time reads what came before"
    )


def print_stories(told: Sequence[Story], held: Mapping[str, Assessed]) -> None:
    """Two lines each, for people."""
    for story in told:
        score, line = story.score, " ".join(held[story.origin].mention.words.split())
        print(f"{score.value:3} {story.count:4} mentions {story.independent:3} voices of their own  {line:.90}")
        marks = [f"campaign of {len(story.campaign)}"] * bool(story.campaign)
        marks += [f"brigade of {len(story.brigade)}"] * bool(story.brigade)
        terms = f"colour {score.worst} {score.colour:.2f} x reach {score.band} {score.reach:.2f}"
        terms += (
            f" x speed {score.per_hour:.1f}/h {score.speed:.2f} x attitude {score.negative:.0%} {score.attitude:.2f}"
        )
        print("    " + "; ".join([f"since {story.began_at:%Y-%m-%d %H:%M}", terms, *marks]))
    if not told:
        print("no story is told by more than one mention: try a wider --from/--to")
