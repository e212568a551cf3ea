"""`earshot detect`: the surge scan over a series of counts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alerts.detect import detect
from mentions.failures import UserError

HELP = "run the surge scan over a CSV of timestamp,value; prints timestamp,value,score,alert"
EXAMPLE = "earshot detect counts.csv > scored.csv"


def arrange(parser: argparse.ArgumentParser) -> None:
    """The series and the threshold."""
    parser.add_argument(
        "file", metavar="FILE.csv", help="rows of timestamp,value at a regular interval; - for standard input"
    )
    parser.add_argument(
        "--threshold", type=float, metavar="X", help="score in 0..1 from which a row alerts (default: the shipped one)"
    )


def run(args: argparse.Namespace) -> int:
    """Score the file."""
    if args.file == "-":
        return detect(sys.stdin, sys.stdout, args.threshold)
    try:
        with Path(args.file).open(encoding="utf-8-sig", newline="") as lines:
            return detect(lines, sys.stdout, args.threshold)
    except OSError as error:
        raise UserError(f"{args.file}: cannot be read ({error.strerror}): name a CSV file of timestamp,value") from None
    except UnicodeDecodeError:
        raise UserError(f"{args.file}: not a text file in UTF-8: name a CSV file of timestamp,value") from None
