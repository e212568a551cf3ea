"""`earshot sources add`: an address, or a known site's name, becomes a source of the settings file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from config.appending import CannotAppend, append_table, table_lines
from config.known_sources import KnownSource, find_known
from config.load import load
from config.problems import SettingsError
from config.settings import SETTINGS_FILE, Settings, SourceSettings
from listener.adding import CLOSED_BY_ROBOTS, Found, find_source, try_suggestion
from listener.addresses import Suggestion
from listener.approval import how_to_permit
from listener.commands.sources_try import arrange_allow, open_trial_tools, print_posts, tried_row
from listener.connectors import CONNECTORS
from listener.start import find_problems, read_settings, settings_path
from mentions.failures import UserError

HELP = "find what reads an address, show what it would bring, and put it into the settings file"
EXAMPLE = "earshot sources add https://se23.life --name 'SE23.life' --yes"
SHOWN = 5
WORTH_ADDING = ("ok", "not_configured")  # what --yes takes; anything else a person has to want


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which source, and whether to ask."""
    parser.add_argument("url", metavar="URL", help="an address, or a name that `earshot sources known` lists")
    parser.add_argument("--name", metavar="N", help="what to call it (default: what it calls itself)")
    arrange_allow(parser)
    parser.add_argument("--yes", action="store_true", help="write it without asking")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON; written only with --yes")


def run(args: argparse.Namespace) -> int:
    """Find it, show it, ask, write it."""
    path = settings_path(args)
    if path is None or not path.is_file():
        where = path or SETTINGS_FILE
        raise UserError(f"{where}: there is no such settings file to add to: cp config/example.toml {SETTINGS_FILE}")
    settings = read_settings(args)
    found, known = look(args, settings)
    table = make_table(found, known, settings, getattr(args, "name", ""))
    sure = getattr(args, "yes", False)
    if not args.json:
        print_found(found, table)
    worth = found.tried.state in WORTH_ADDING
    if sure and not worth:
        raise UserError(
            f"nothing was written: it gave {found.tried.state} ({found.tried.reason}); without --yes you are asked"
        )
    written = sure or (not args.json and agree(path))
    if written:
        write(path, table)
    if args.json:
        print(json.dumps(found_row(found, table, written=written), ensure_ascii=False, indent=1))
    else:
        print(tell_end(path, found, table, written=written) + tell_allow(args, settings, written=written))
    return 0


def look(args: argparse.Namespace, settings: Settings) -> tuple[Found, KnownSource | None]:
    """What reads the address or the known site, tried once."""
    known = find_known(args.url)
    allow = getattr(args, "allow", ())
    with ExitStack() as opened:
        tools = open_trial_tools(settings, allow, "", {}, opened)
        if known and known.kind:
            options = {"url": known.url} | ({"software": known.software} if known.software else {})
            return try_suggestion(Suggestion(known.kind, options, known.name, known.software), tools), known
        found = find_source(known.url if known else args.url, tools)
    if known:
        found = replace(found, suggestion=replace(found.suggestion, name=known.name))
    return found, known


def make_table(found: Found, known: KnownSource | None, settings: Settings, name: str) -> dict[str, object]:
    """The table of the settings file. Raises UserError where it is there already, or its name is taken."""
    kind, options = found.suggestion.kind, found.suggestion.options
    for source in settings.sources:
        if source.kind == kind and same_options(source, options):
            raise UserError(f'nothing was written: "{source.name}" reads that already')
    taken = {source.name.casefold() for source in settings.sources}
    if name and name.casefold() in taken:
        raise UserError(f'--name: a source is called "{name}" already')
    own = name or free_name(found.suggestion.name, taken)
    press = {"voice": known.voice, "publisher": known.publisher, "boroughs": list(known.boroughs)} if known else {}
    every = known.every if known else "15m"
    return {"name": own, "kind": kind, **options, "every": every, **press, "verified": found.tried.state == "ok"}


def same_options(source: SourceSettings, options: dict[str, str]) -> bool:
    """Whether it reads the same, however the address is spelt."""
    own = {key: plain(value) for key, value in source.options.items() if key in options}
    wanted = {key: plain(value) for key, value in options.items() if key != "software"}
    return {key: own.get(key) for key in wanted} == wanted


def plain(value: object) -> str:
    """An address without what makes no difference."""
    text = str(value).strip().rstrip("/")
    return text.replace("http://", "https://", 1).replace("https://www.", "https://", 1).casefold()


def free_name(wanted: str, taken: set[str]) -> str:
    """That name, or with a number behind it where it is taken."""
    names = [wanted, *(f"{wanted[:55]} {number}" for number in range(2, 100))]
    return next((each for each in names if each.casefold() not in taken), wanted)


def agree(path: Path) -> bool:
    """Whether the person at the keyboard says yes."""
    print(f"add it to {path}? [y/N] ", end="", flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print()
    return answer.strip().lower() in ("y", "yes")


def write(path: Path, table: dict[str, object]) -> None:
    """Put it at the end of the file; the settings are checked before and after."""
    try:
        append_table(path, "sources", table, check)
    except CannotAppend as fault:
        raise UserError(str(fault)) from None


def check(path: Path) -> None:
    """Raises SettingsError where this settings file cannot be used."""
    problems = list(find_problems(load(path, os.environ), str(path)))
    if problems:
        raise SettingsError(problems)


def print_found(found: Found, table: dict[str, object]) -> None:
    """What was found, for the person who decides."""
    software = f", {found.suggestion.software}" if found.suggestion.software else ""
    print(f"found     {found.suggestion.kind}{software}: {', '.join(found.suggestion.options.values())}")
    print(f"tried     {found.tried.state}{': ' if found.tried.reason else ''}{found.tried.reason}")
    print_posts(found.tried, SHOWN)
    left_out = f", {found.tried.left_out} left out" if found.tried.left_out else ""
    print(f"posts     {len(found.tried.mentions)} at the first look{left_out}; nothing was stored")
    print(f"robots    {'' if found.robots.startswith('not asked') else 'robots.txt '}{found.robots}")
    print(f"terms     {found.terms or 'no link to them was found: look for them at the site before you add it'}\n")
    print("\n".join(table_lines("sources", table)) + "\n")


def tell_end(path: Path, found: Found, table: dict[str, object], *, written: bool) -> str:
    """What was done, and what is still to do."""
    if not written:
        return "nothing was written"
    closed = found.robots.startswith(CLOSED_BY_ROBOTS) or CONNECTORS[found.suggestion.kind].terms.approval
    to_do = f"; it stays off; {how_to_permit(str(table['name']))}" if closed else ""
    return f'"{table["name"]}" was added to {path}: restart the daemon to listen to it{to_do}'


def tell_allow(args: argparse.Namespace, settings: Settings, *, written: bool) -> str:
    """What the daemon may not ask yet, though this command might."""
    missing = [each for each in getattr(args, "allow", ()) if each not in settings.fetch.allow]
    if not written or not missing:
        return ""
    return f"; also put {', '.join(missing)} under [fetch] allow, or the daemon will stop it as a private address"


def found_row(found: Found, table: dict[str, object], *, written: bool) -> dict[str, object]:
    """The same for machines."""
    return {
        "kind": found.suggestion.kind,
        "software": found.suggestion.software,
        "options": found.suggestion.options,
        "table": table,
        "robots": found.robots,
        "terms": found.terms,
        "written": written,
        "tried": tried_row(found.tried),
    }
