"""`earshot sources known`: the shipped registry of London's public sites."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from config.known_sources import KnownSource, known_sources
from config.strategy import borough_names
from mentions.failures import UserError

HELP = "list the London forums, newsrooms and police bodies that `add` knows by name"
EXAMPLE = "earshot sources known --borough Lewisham"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which of them."""
    parser.add_argument("--borough", metavar="B", help="only those about this borough")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print them."""
    found = list(known_sources())
    if wanted := getattr(args, "borough", ""):
        names = {name.casefold(): name for name in borough_names()}
        if wanted.casefold() not in names:
            raise UserError(f'--borough: found "{wanted}", expected one of {", ".join(sorted(names.values()))}')
        found = [each for each in found if names[wanted.casefold()] in each.boroughs]
    if getattr(args, "json", False):
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=1))
        return 0
    for each in found:
        print_line(each)
    print(f"{len(found)} known; {sum(each.verified for each in found)} seen live. Put one in: earshot sources add NAME")
    return 0


def print_line(each: KnownSource) -> None:
    """One of them, for people."""
    kind = " ".join(filter(None, (each.kind, each.software))) or "to be found"
    seen = "seen live" if each.verified else "not verified"
    where = ", ".join(each.boroughs) or "London"
    print(f"{each.name:38.38} {each.group:8} {kind:17} {seen:12} {where}{f' ({each.note})' if each.note else ''}")
