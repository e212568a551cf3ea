"""`earshot export`: mentions as files that `earshot import` reads."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from listener.acts import note_act
from listener.commands.search_ import moment
from listener.export_rows import to_row
from listener.labels import labels_of
from listener.lock import prepare_directory
from listener.paging import pages
from listener.start import read_settings
from mentions.corrections import standing
from mentions.failures import UserError
from mentions.mention import Assessed
from mentions.query import parse, predicate
from mentions.stores import open_store

HELP = "export mentions with their judgement as JSON Lines, newest first; authors appear as keyed hashes only"
EXAMPLE = "earshot export --from 2026-10-01 --to 2026-11-01 --out october.jsonl"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What and whereto."""
    parser.add_argument("--query", default="", metavar="QUERY", help="only what matches (as in `earshot search`)")
    parser.add_argument("--from", dest="since", type=moment, metavar="T", help="published at T or later")
    parser.add_argument("--to", dest="until", type=moment, metavar="T", help="published before T")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here (default: standard output)")
    parser.add_argument("--labels", action="store_true", help="what people corrected, as label rows, without any text")
    parser.add_argument("--text", action="store_true", help="with --labels: each with its text and title")
    parser.add_argument("--json", action="store_true", help="the output is JSON Lines either way")


def run(args: argparse.Namespace) -> int:
    """Export."""
    settings = read_settings(args)
    if args.text and not args.labels:
        raise UserError("--text goes with --labels")
    store = open_store(settings.store, readonly=True)
    try:
        chosen = choose(pages(store, parse("corrected:yes")) if args.labels else store.everything(), args)
        rows = label_rows(chosen, with_text=args.text) if args.labels else map(to_row, chosen)
        prepare_directory(settings.data)
        # On record before the first post leaves: whoever breaks the export off has seen some all the same.
        told = {"query": args.query, "from": str(args.since), "to": str(args.until)}
        note_act(settings, "export", {**told, "labels": "with text" if args.text else "yes"} if args.labels else told)
        count = write(rows, args.out)
    finally:
        store.close()
    print(f"exported {count}", file=sys.stderr)
    return 0


def choose(held: Iterable[Assessed], args: argparse.Namespace) -> Iterator[Assessed]:
    """The mentions asked for, newest first."""
    chosen = predicate(parse(args.query))
    for each in held:
        at = each.mention.published_at
        if (args.since and at < args.since) or (args.until and at >= args.until):
            continue
        if chosen(each):
            yield each


def label_rows(chosen: Iterable[Assessed], *, with_text: bool) -> Iterator[Mapping[str, object]]:
    """A row for each mention that people corrected, with what they said of it."""
    for each in chosen:
        if labels := labels_of(each.assessment):
            by = sorted({one.by for one in standing(each.assessment).values()})
            row: dict[str, object] = {
                "id": each.mention.id,
                "platform": each.mention.platform,
                "labels": labels,
                "by": ", ".join(by),
            }
            yield row | ({"text": each.mention.text, "title": each.mention.title} if with_text else {})


def write(rows: Iterator[Mapping[str, object]], out: Path | None) -> int:
    """Write them all, or leave nothing behind."""
    if out is None:
        return write_lines(rows, sys.stdout)
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("w", encoding="utf-8") as file:
            count = write_lines(rows, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}): check the rights and the space left") from None
    finally:
        draft.unlink(missing_ok=True)
    return count


def write_lines(rows: Iterator[Mapping[str, object]], file: TextIO) -> int:
    """One JSON object a line; how many."""
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count
