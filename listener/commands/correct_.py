"""`earshot correct`: a named person's answer for one mention, kept over every later judgement."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict

from config.place_names import place_fault
from config.settings import Settings
from config.strategy import borough_names, topic_names
from listener.acts import open_known_state, refuse_missing, whoever
from listener.commands.search_ import found_row
from listener.lock import prepare_directory
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.correcting import Signature, correct, forget_place, undo
from mentions.corrections import FIELDS, Choices, read_field, tell_change
from mentions.failures import UserError
from mentions.mention import Assessed
from mentions.sqlstate import open_state
from mentions.stores import open_store

HELP = "correct the judgement of one mention; kept, shown, and never overwritten by a later run"
EXAMPLE = "earshot correct forum:123 --set rag=green --set borough=Camden --by 'Sam Roe' --because 'a burglary, solved'"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which mention, what of it, who and why."""
    parser.add_argument(
        "id", nargs="?", default="", metavar="ID", help="the mention's id, as `earshot search --json` prints it"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--set", action="append", metavar="FIELD=VALUE", help=f"may be repeated; fields: {', '.join(FIELDS)}"
    )
    what.add_argument("--undo", metavar="FIELD", help="take the correction of this field back")
    what.add_argument("--taught", action="store_true", help="list the places that corrections taught")
    what.add_argument("--forget-place", metavar="NAME", help="forget what a correction taught of this place")
    parser.add_argument("--place", default="", metavar="NAME", help="with a borough: what the post calls the place")
    parser.add_argument("--by", default="", metavar="NAME", help="who does it; kept in the audit")
    parser.add_argument("--because", default="", metavar="TEXT", help="why; shown beside the judgement")
    parser.add_argument("--json", action="store_true", help="print the mention as it is then")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    settings = read_settings(args)
    if args.taught or args.forget_place:
        return run_lessons(args, settings)
    if not args.id:
        raise UserError("which mention? name its ID, as `earshot search --json` prints it")
    given = read_given(args.set or [])
    if args.place and not args.set:
        raise UserError("--place goes with --set borough=NAME")
    signed = Signature(args.by, args.because, utc_now(), f"command line, {whoever()}")
    refuse_missing(settings)
    prepare_directory(settings.data)
    with closing(open_store(settings.store)) as store, closing(open_state(settings.state)) as state:
        if args.undo:
            now = undo(store, state, args.id, args.undo, signed)
        else:
            choices = Choices(topic_names(), borough_names(), place_fault)
            now = correct(store, state, args.id, given, choices, signed, args.place)
    fields = [read_field(args.undo)] if args.undo else sorted(given)
    print(json.dumps(found_row(now), ensure_ascii=False, indent=1) if args.json else tell(now, fields))
    return 0


def run_lessons(args: argparse.Namespace, settings: Settings) -> int:
    """List what corrections taught, or forget one."""
    state = open_known_state(settings)
    if state is None:
        raise UserError(f"{settings.data}: nothing is held here: name the data directory with --data")
    with closing(state):
        if args.forget_place:
            signed = Signature(args.by, args.because, utc_now(), f"command line, {whoever()}")
            print(f"forgotten: {forget_place(state, args.forget_place, signed).name}")
            return 0
        rows = [asdict(each) | {"at": each.at.isoformat()} for each in state.taught_places()]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            print(f"{row['name']}: {', '.join(row['boroughs'])} ({row['mention_id']}, {row['by']}, {row['at']})")
    return 0


def read_given(words: list[str]) -> dict[str, str]:
    """The fields with their values; two for one field, by whichever name, are refused, as that is a slip."""
    given: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise UserError(f'--set "{word}": expected FIELD=VALUE, as in rag=green')
        if (field := read_field(name)) in given:
            raise UserError(f"--set {field} is given twice")
        given[field] = value
    return given


def tell(now: Assessed, fields: list[str]) -> str:
    """What was changed, a line a field."""
    made = [each for each in now.assessment.corrections if each.field in fields]
    return "\n".join(f"{now.mention.id} {each.field}: {tell_change(each)}" for each in made)
