"""`earshot evaluate`: how often the judgement is right, by labels of people."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from tqdm import tqdm

from analysis.evaluate import Labelled
from analysis.scoreboard import make_board, tell_board
from config.settings import Settings
from listener.judging import open_pipeline
from listener.labels import LabelReader, LabelRow, from_corrections
from listener.lock import prepare_directory
from listener.paging import pages
from listener.rows import BadRow
from listener.start import read_settings
from mentions.boards import write_board
from mentions.clock import utc_now
from mentions.failures import UserError
from mentions.query import parse
from mentions.sqlstate import open_state
from mentions.stores import open_store

HELP = "measure the judgement against labels, with intervals, by platform and dialect; the Accuracy page shows it"
EXAMPLE = "earshot evaluate --labels labels.jsonl --corpora texts --labelled-by 'Two readers of the press office'"
CORRECTIONS = "the corrections held here: people correct what is wrong, so these shares are lower than they are overall"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which labels, and where to write."""
    parser.add_argument("--labels", type=Path, metavar="FILE", help="label rows (default: the store's corrections)")
    parser.add_argument("--corpora", type=Path, metavar="DIR", help="where the files are that label rows name")
    parser.add_argument("--labelled-by", default="", metavar="WHO", help="whose labels they are, where no row says it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result here as JSON, too")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Measure; 1 where a row was left out."""
    settings = read_settings(args)
    rows, by, rejected = read_file(args, settings) if args.labels else read_corrections(settings)
    if not rows:
        raise UserError("there is nothing labelled to measure by: see `earshot evaluate --help`")
    found_in = args.labels.name if args.labels else CORRECTIONS
    now = utc_now()
    board: dict[str, Any] = {"at": now.isoformat(), "rejected": rejected}
    board |= make_board(rows, by or args.labelled_by, found_in)
    prepare_directory(settings.data)
    with closing(open_state(settings.state)) as state:
        state.keep_board("evaluation", now, write_board(board, now))
    text = json.dumps(board, ensure_ascii=False, indent=1)
    if args.out:
        try:
            args.out.write_text(text + "\n", "utf-8")
        except OSError as error:
            raise UserError(f"{args.out}: cannot be written ({error.strerror})") from None
    print(text if args.json else "\n".join(tell_board(board)))
    return 1 if rejected else 0


def read_file(args: argparse.Namespace, settings: Settings) -> tuple[list[Labelled], str, int]:
    """The rows of a file, whose they are, and how many were left out."""
    read = list(LabelReader(args.corpora, utc_now()).read(args.labels))
    good = [each for each in read if isinstance(each, LabelRow)]
    for bad in read:
        if isinstance(bad, BadRow):
            print(bad, file=sys.stderr)
    rows = judge_rows(good, settings)
    return rows, tell_names([each.by for each in good]), len(read) - len(rows)


def read_corrections(settings: Settings) -> tuple[list[Labelled], str, int]:
    """The corrected mentions of the store, and who corrected them."""
    with closing(open_store(settings.store, readonly=True)) as store:
        found = list(from_corrections(pages(store, parse("corrected:yes"))))
    rows = judge_rows(found, settings)
    return rows, tell_names([each.by for each in found]), len(found) - len(rows)


def judge_rows(rows: list[LabelRow], settings: Settings) -> list[Labelled]:
    """All of them judged, but for those that cannot be."""
    pipeline = open_pipeline(settings, ())
    bar = tqdm(rows, desc="evaluate", unit="row", disable=None, file=sys.stderr)
    return [judged for each in bar if (judged := each.judged(pipeline)) is not None]


def tell_names(names: list[str]) -> str:
    """Who labelled how many, the most first."""
    counts = Counter(name for name in names if name)
    if len(counts) == 1 and counts.total() == len(names):
        return next(iter(counts))
    return ", ".join(f"{name} ({count})" for name, count in counts.most_common())
