"""`earshot sources`: is every source alive, what is blind, and all that is done to sources. One file per act."""

from __future__ import annotations

import argparse
from types import ModuleType

from listener.commands import (
    sources_add,
    sources_backfill,
    sources_known,
    sources_list,
    sources_permit,
    sources_try,
)

HELP = "list the sources and how each is doing; add, try, permit, resume or backfill one"
EXAMPLE = "earshot sources --json"
ACTS: dict[str, ModuleType] = {
    "list": sources_list,
    "try": sources_try,
    "add": sources_add,
    "known": sources_known,
    "permit": sources_permit,
    "backfill": sources_backfill,
}
EVERYWHERE = ("--config", "--data", "--store", "--verbose")  # may stand before the act or behind it


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to do, and with what."""
    sources_list.arrange(parser)
    acts = parser.add_subparsers(dest="act", metavar="ACT", title="acts (default: list)")
    for name, module in ACTS.items():
        own = acts.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,  # what stands before the act is not overwritten
        )
        for each in parser._actions:
            if each.option_strings and each.option_strings[0] in EVERYWHERE:
                told = {"action": "store_true"} if each.nargs == 0 else {"metavar": each.metavar}
                own.add_argument(*each.option_strings, help=each.help, **told)
        module.arrange(own)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    code: int = ACTS[args.act or "list"].run(args)
    return code
