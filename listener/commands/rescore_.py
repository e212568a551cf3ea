"""`earshot rescore`: the present judgement over what is held, and what that changes."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from contextlib import closing

from tqdm import tqdm

from config.settings import Settings
from listener.acts import note_act, refuse_missing
from listener.commands.search_ import moment
from listener.judging import open_models, open_pipeline
from listener.lock import prepare_directory, refuse_exercise
from listener.rescoring import SHOWN, Rescored, reads_model, rescore
from listener.start import read_settings
from mentions.failures import TemporaryFailure, UserError
from mentions.query import parse
from mentions.store import MentionStore
from mentions.stores import open_store

HELP = "judge what is held anew, as after an upgrade or a lesson, and show what changes; corrections stay"
EXAMPLE = "earshot rescore --since 2026-10-01 --dry-run"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which mentions, and whether to write."""
    parser.add_argument("--since", type=moment, required=True, metavar="TIME", help="published then or later (ISO)")
    parser.add_argument("--until", type=moment, metavar="TIME", help="published before then")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, only show what would")
    parser.add_argument("--by-words", action="store_true", help="even where the shipped model cannot be used")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Rescore; 1 where a mention could not be judged."""
    settings = read_settings(args)
    refuse_exercise(settings.data)
    if args.until and args.until <= args.since:
        raise UserError("--until lies before --since: there is nothing between them")
    refuse_missing(settings)
    prepare_directory(settings.data)
    told = {"since": str(args.since), "until": str(args.until)}
    with closing(open_store(settings.store, readonly=args.dry_run)) as store:
        refuse_words(store, settings, args)
        total = store.count(parse(""), since=args.since, until=args.until)
        pipeline = open_pipeline(settings)
        if not args.dry_run:
            note_act(settings, "rescore", dict(told))
        with tqdm(total=total, unit="post", desc="rescore", disable=None, file=sys.stderr) as bar:

            def tell(failure: TemporaryFailure) -> None:
                bar.set_postfix_str("waiting for the store")

            done = rescore(
                store, pipeline, args.since, args.until, write=not args.dry_run, progress=bar.update, tell=tell
            )
    row = to_row(done, dry_run=args.dry_run)
    print(json.dumps(row, ensure_ascii=False, indent=1) if args.json else "\n".join(tell_lines(done, row)))
    return 1 if done.failed else 0


def refuse_words(store: MentionStore, settings: Settings, args: argparse.Namespace) -> None:
    """Words alone take the place of what the shipped model read only where that is asked for. Raises UserError."""
    if args.by_words or open_models(settings.analysis).shipped or not reads_model(store, args.since, args.until):
        return
    raise UserError("the shipped model, which judged what is held, cannot be used: mend it, or rescore --by-words")


def to_row(done: Rescored, *, dry_run: bool) -> dict[str, object]:
    """The result for machines."""
    return {
        "dry_run": dry_run,
        **{name: getattr(done, name) for name in ("seen", "changed", "failed", "corrected")},
        "fields": dict(done.fields),
        **{name: nested(done.confusion[name]) for name in SHOWN},
        "became_red": done.became_red,
        "no_longer_red": done.no_longer_red,
    }


def nested(pairs: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """{before: {after: count}}."""
    table: dict[str, dict[str, int]] = {}
    for (before, after), count in sorted(pairs.items()):
        table.setdefault(before, {})[after] = count
    return table


def tell_lines(done: Rescored, row: dict[str, object]) -> list[str]:
    """The result for people."""
    would = "would change" if row["dry_run"] else "changed"
    counts = f"{done.seen} seen, {done.changed} {would}, {done.failed} could not be judged"
    lines = [f"{counts}, {done.corrected} with corrections, which stay"]
    lines.append("by field: " + ", ".join(f"{name} {count}" for name, count in done.fields.items()))
    for name in SHOWN:
        lines += tell_table(name, nested(done.confusion[name]))
    lines += [f"red now: {each}" for each in done.became_red]
    lines += [f"no longer red: {each}" for each in done.no_longer_red]
    return lines


def tell_table(name: str, table: dict[str, dict[str, int]]) -> list[str]:
    """A confusion table, before in rows and after in columns."""
    columns = sorted({after for row in table.values() for after in row})
    head = f"{name + ' (before, after)':26}" + "".join(f"{column:>11}" for column in columns)
    rows = [f"  {was:24}" + "".join(f"{row.get(each, 0):11}" for each in columns) for was, row in table.items()]
    return [head, *rows] if rows else []
