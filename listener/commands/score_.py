"""`earshot score`: judge rows alone, with no store."""

from __future__ import annotations

import argparse
import json
import sys

from listener.export_rows import assessment_row
from listener.judging import open_pipeline
from listener.rows import BadRow, read_lines, to_mention
from listener.start import read_settings
from listener.watching import running_watchlists
from mentions.clock import utc_now

HELP = "judge mentions read from standard input, each alone; prints each row with its assessment"
EXAMPLE = "earshot score < mentions.jsonl > judged.jsonl"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Nothing but the common ones: rows in, rows out."""
    parser.add_argument("--json", action="store_true", help="the output is JSON Lines either way")


def run(args: argparse.Namespace) -> int:
    """Judge every row; 1 where one was rejected."""
    settings = read_settings(args)
    pipeline = open_pipeline(settings, running_watchlists(settings, (), utc_now()), taught={})
    now, rejected = utc_now(), 0
    for row in read_lines(sys.stdin.buffer, "<stdin>"):
        if isinstance(row, BadRow):
            print(row, file=sys.stderr)
            rejected += 1
            continue
        # Nothing is kept, so an author needs no pseudonym here; judgement never looks at authors.
        assessment = pipeline.assess_surely(to_mention(row, now, lambda platform, author: ""))
        line = json.dumps({**row.raw, "assessment": assessment_row(assessment)}, ensure_ascii=False)
        # Keys we do not know come back as they were: half a surrogate pair goes out escaped, as it came in.
        print(line.encode("utf-8", "backslashreplace").decode())
    return 1 if rejected else 0
