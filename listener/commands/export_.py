"""`earshot export`: mentions as files that `earshot import` reads."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from listener.acts import note_act
from listener.commands.search_ import moment
from listener.lock import prepare_directory
from listener.rows import to_row
from listener.start import read_settings
from mentions.failures import UserError
from mentions.mention import Assessed
from mentions.query import parse, predicate
from mentions.store import MentionStore
from mentions.stores import open_store

HELP = "export mentions with their judgement as JSON Lines, newest first; authors appear as keyed hashes only"
EXAMPLE = "earshot export --from 2026-10-01 --to 2026-11-01 --out october.jsonl"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What and whereto."""
    parser.add_argument("--query", default="", metavar="QUERY", help="only what matches (as in `earshot search`)")
    parser.add_argument("--from", dest="since", type=moment, metavar="T", help="published at T or later")
    parser.add_argument("--to", dest="until", type=moment, metavar="T", help="published before T")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here (default: standard output)")
    parser.add_argument("--json", action="store_true", help="the output is JSON Lines either way")


def run(args: argparse.Namespace) -> int:
    """Export."""
    settings = read_settings(args)
    store = open_store(settings.store, readonly=True)
    try:
        chosen = choose(store, args)
        prepare_directory(settings.data)
        # On record before the first post leaves: whoever breaks the export off has seen some all the same.
        note_act(settings, "export", {"query": args.query, "from": str(args.since), "to": str(args.until)})
        count = write(chosen, args.out)
    finally:
        store.close()
    print(f"exported {count}", file=sys.stderr)
    return 0


def choose(store: MentionStore, args: argparse.Namespace) -> Iterator[Assessed]:
    """The mentions asked for, newest first."""
    chosen = predicate(parse(args.query))
    for each in store.everything():
        at = each.mention.published_at
        if (args.since and at < args.since) or (args.until and at >= args.until):
            continue
        if chosen(each):
            yield each


def write(chosen: Iterator[Assessed], out: Path | None) -> int:
    """Write them all, or leave nothing behind."""
    if out is None:
        return write_lines(chosen, sys.stdout)
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            count = write_lines(chosen, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}): check the rights and the space left") from None
    finally:
        draft.unlink(missing_ok=True)
    return count


def write_lines(chosen: Iterator[Assessed], file: TextIO) -> int:
    """One JSON object a line; how many."""
    count = 0
    for each in chosen:
        file.write(json.dumps(to_row(each), ensure_ascii=False) + "\n")
        count += 1
    return count
