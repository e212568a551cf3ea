"""The command line: one file per command in listener/commands, wired here; errors become one line and exit code 2."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from config.problems import SettingsError
from mentions.failures import Failure, UserError

COMMANDS = (
    "run",
    "daemon",
    "dashboard",
    "exercise",
    "check",
    "search",
    "correct",
    "rescore",
    "evaluate",
    "stories",
    "emerging",
    "store",
    "compliance",
    "sources",
    "watchlists",
    "alerts",
    "debates",
    "import",
    "export",
    "score",
    "detect",
    "models",
)
WITH_STORE = frozenset(COMMANDS) - {"exercise", "watchlists", "alerts", "score", "detect"}
DONE, NOT_STARTED = 0, 2  # 1, done but some input was rejected, is for each command to say


class Command(Protocol):
    """A module of listener/commands."""

    HELP: str
    EXAMPLE: str

    def arrange(self, parser: argparse.ArgumentParser) -> None:
        """Add this command's own arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; 0 done, 1 done but some input was rejected. What stops it is raised as `UserError`."""


def load_command(name: str) -> Command:
    """The module behind a command; loaded only when it is asked for, so that `--help` stays quick."""
    module: Command = importlib.import_module(f"listener.commands.{name}_")
    return module


def make_parser(name: str | None) -> argparse.ArgumentParser:
    """The parser; only the named command's own arguments are loaded, unless none is named."""
    parser = argparse.ArgumentParser(
        prog="earshot",
        description="Hears what is said about a police force, judges it, raises alerts that reach a person.",
        epilog="Each command explains itself: earshot COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"earshot {version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for each in COMMANDS:
        if name in COMMANDS and each != name:
            continue
        command = load_command(each)
        own = commands.add_parser(
            each,
            help=command.HELP,
            description=command.HELP,
            epilog=f"example:\n  {command.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        own.add_argument("--config", metavar="FILE", help="settings file (default: earshot.toml, where there is one)")
        own.add_argument("--data", metavar="DIR", help="data directory (default: the settings', else earshot-data)")
        if each in WITH_STORE:
            own.add_argument(
                "--store", metavar="URL", help="sqlite:PATH or elasticsearch:http://HOST:PORT (default: the settings')"
            )
        own.add_argument("--verbose", action="store_true", help="log what is being done, step by step")
        command.arrange(own)
        own.set_defaults(module=command)
    return parser


def version() -> str:
    """The installed version."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("earshot")
    except PackageNotFoundError:  # run from a bare checkout
        return "0 (not installed)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 or 2 as the contract says."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in words if not word.startswith("-")), None)
    args = make_parser(name).parse_args(words)
    try:
        code: int = args.module.run(args)
        sys.stdout.flush()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return NOT_STARTED
    except (UserError, Failure) as error:
        print(f"earshot {args.command}: {error}", file=sys.stderr)
        return NOT_STARTED
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"earshot {args.command}: cannot write the output ({error.strerror or error})", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_STARTED
    except KeyboardInterrupt:
        print(f"earshot {args.command}: broken off", file=sys.stderr)
        return NOT_STARTED
    return code


if __name__ == "__main__":
    sys.exit(main())
