"""`earshot search`: what was said, newest first."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from listener.acts import note_act
from listener.export_rows import assessment_row, burial_row
from listener.rows import NEWEST, OLDEST
from listener.start import read_settings
from mentions.mention import Assessed, Mention
from mentions.query import parse
from mentions.stores import open_store

HELP = "search mentions, newest first"
EXAMPLE = "earshot search 'croydon AND (stop OR \"stop and search\")' --from 2026-10-01 --limit 20 --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """The query and its window."""
    parser.add_argument(
        "query",
        help='words (a blank means AND), "phrases", begin*, "a b"~5, #tag, @handle, field:value, AND OR NOT, '
        'parentheses; "" for everything; docs/commands.md has it all',
    )
    parser.add_argument(
        "--from", dest="since", type=moment, metavar="T", help="published at T or later (ISO; no zone: UTC)"
    )
    parser.add_argument("--to", dest="until", type=moment, metavar="T", help="published before T")
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="at most N (default 50)")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print what was found."""
    settings = read_settings(args)
    query = parse(args.query)
    store = open_store(settings.store, readonly=True)
    try:
        found = store.search(query, since=args.since, until=args.until, limit=args.limit)
    finally:
        store.close()
    note_act(
        settings, "search", {"query": args.query, "from": str(args.since), "to": str(args.until), "found": len(found)}
    )
    if args.json:
        print(json.dumps([found_row(each) for each in found], ensure_ascii=False, indent=1))
    else:
        print_table(found)
    return 0


def found_row(each: Assessed) -> dict[str, object]:
    """One result, as the command-line contract has it."""
    return {**mention_row(each.mention), "assessment": assessment_row(each.assessment)}


def mention_row(mention: Mention) -> dict[str, object]:
    """The facts of one result."""
    return {
        "id": mention.id,
        "platform": mention.platform,
        "published_at": mention.published_at.isoformat(),
        "title": mention.title,
        "text": mention.text,
        "link": mention.link,
        "source": mention.source,
        **({"sightings": list(mention.sightings)} if mention.sightings else {}),
        **burial_row(mention),
    }


def print_table(found: Iterable[Assessed]) -> None:
    """One line each, for people."""
    rows = list(found)
    for each in rows:
        line = " ".join(each.mention.shown.split())
        at = f"{each.mention.published_at:%Y-%m-%d %H:%M}"
        print(f"{at} {each.assessment.rag:5} {each.mention.source:20.20} {line:.100}")
    if not rows:
        print("nothing found: try fewer words, or a wider --from/--to")


def moment(text: str) -> datetime:
    """An ISO 8601 time from 1990 to 2100; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a time such as 2026-10-01T09:30') from None
    found = found.replace(tzinfo=found.tzinfo or UTC)
    if not OLDEST <= found < NEWEST:
        raise argparse.ArgumentTypeError(f'"{text}" lies outside 1990 to 2100')
    return found.astimezone(UTC)


def positive(text: str) -> int:
    """A whole number above nought."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number above 0')
    return int(text)
