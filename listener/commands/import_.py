"""`earshot import`: mentions from files, as history."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing, nullcontext
from pathlib import Path

from tqdm import tqdm

from config.settings import Settings
from listener.acts import open_known_state
from listener.backfill import forget_backfills
from listener.burying import Deleted
from listener.importing import Imported, import_files, open_reader, readable
from listener.lock import prepare_directory, refuse_exercise
from listener.start import read_settings
from listener.watching import known_watchlists
from mentions.clock import utc_now
from mentions.failures import TemporaryFailure
from mentions.stores import open_store

HELP = "import mentions from JSON Lines files, as history: they teach what is usual and never ring"
EXAMPLE = "earshot import posts-2025.jsonl posts-2026.jsonl"


def arrange(parser: argparse.ArgumentParser) -> None:
    """The files."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE.jsonl", type=Path, help="one JSON object a line; see docs/commands.md"
    )
    parser.add_argument("--json", action="store_true", help="print the counts and every rejected line as JSON")


def run(args: argparse.Namespace) -> int:
    """Import; 1 where a line was rejected."""
    settings = read_settings(args)
    total = readable(args.files)
    refuse_exercise(settings.data)
    prepare_directory(settings.data)
    store = open_store(settings.store)
    tqdm.monitor_interval = 0  # its thread would be there when worker processes are forked
    try:
        with tqdm(total=total, unit="B", unit_scale=True, desc="import", disable=None, file=sys.stderr) as bar:
            waited_for: set[str] = set()

            def progress(size: int, done: Imported) -> None:
                waited_for.clear()
                bar.update(size)
                bar.set_postfix(new=done.new, rejected=len(done.rejected), refresh=False)

            def tell(failure: TemporaryFailure) -> None:
                if not waited_for:
                    bar.write(f"earshot import: {failure}; it is waited for", file=sys.stderr)
                waited_for.add(str(failure))
                bar.set_postfix_str("waiting for the store")

            watchlists = known_watchlists(settings, utc_now())
            reader, deleted = open_reader(settings, utc_now(), watchlists), known_deleted(settings)
            done = import_files(args.files, store, reader, progress, tell, deleted.without_words)
        if known_watchlists(settings, utc_now()) != watchlists and (state := open_known_state(settings)):
            with closing(state):
                forget_backfills(state, settings.store)  # what was imported has the marks of the old ones
    except TemporaryFailure as failure:
        raise TemporaryFailure(f"{failure}; what was imported stays: run the same import again") from failure
    finally:
        store.close()
    print_result(done, as_json=args.json)
    return 1 if done.rejected else 0


def known_deleted(settings: Settings) -> Deleted:
    """What was deleted at its source before: an older export must not bring its words back."""
    state = open_known_state(settings)
    with closing(state) if state else nullcontext():
        return Deleted(state)


def print_result(done: Imported, *, as_json: bool) -> None:
    """The counts, and what was rejected."""
    counts = {"seen": done.seen, "new": done.new, "updated": done.updated, "rejected": len(done.rejected)}
    for bad in done.rejected:
        print(bad, file=sys.stderr)
    if as_json:
        lines = [{"file": bad.file, "line": bad.line, "reason": bad.reason} for bad in done.rejected]
        print(json.dumps(counts | {"rejected_lines": lines}, ensure_ascii=False))
    else:
        print(" ".join(f"{name} {count}" for name, count in counts.items()))
