"""`earshot watchlists`: what is watched for, by the settings and by hand; held ones wait for a second person."""

from __future__ import annotations

import argparse
import json
from contextlib import closing, suppress
from datetime import date, datetime

from pydantic import ValidationError

from config.problems import explain
from config.settings import Settings, WatchlistSettings
from listener.acts import open_known_state, whoever
from listener.lock import prepare_directory
from listener.start import read_settings
from listener.watching import Standing, open_gate, read_watched, standing_of, today_of
from mentions.clock import utc_now
from mentions.facets import facet
from mentions.failures import UserError
from mentions.normalise import normalise
from mentions.records import WatchlistRow
from mentions.sqlstate import open_state
from mentions.state import State

HELP = "list what is watched for; add, approve or remove a watchlist while the daemon runs"
EXAMPLE = (
    "earshot watchlists add 'bus fares' --query 'bus AND (fare OR fares)' --purpose 'answer questions' "
    "--owner 'Press desk' --by 'Sam Roe'"
)
NEEDED = {"list": (), "add": ("query", "purpose", "owner", "by"), "approve": ("by", "because"), "remove": ("by",)}
SOON = "a running daemon has it within half a minute"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to do, and what it needs."""
    parser.add_argument("act", nargs="?", choices=tuple(NEEDED), default="list", help="what to do (default: list)")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the watchlist to add, approve or remove")
    parser.add_argument("--query", metavar="Q", help="add: what to look for, in the words of a search")
    parser.add_argument("--purpose", metavar="P", help="add: why it is lawful and needed")
    parser.add_argument("--owner", metavar="O", help="add: the role that answers for it")
    parser.add_argument("--expires", metavar="DATE", help="add: the day from which it no longer runs, as 2027-01-31")
    parser.add_argument("--by", metavar="WHO", help="add, approve, remove: who does it; kept in the audit")
    parser.add_argument("--because", metavar="WHY", help="approve: why this person may be named")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    settings = read_settings(args)
    if args.act == "list":
        if args.name is not None:
            raise UserError(f'"{args.name}" is too much: `earshot watchlists` lists them all')
        return print_list(settings, as_json=args.json)
    for option in ("name", *NEEDED[args.act]):
        if not (getattr(args, option) or "").strip():
            said = "NAME" if option == "name" else f"--{option}"
            raise UserError(f"watchlists {args.act} needs {said}; see `earshot watchlists --help`")
    prepare_directory(settings.data)
    with closing(open_state(settings.state)) as state:
        act = {"add": add, "approve": approve, "remove": remove}[args.act]
        row, said = act(args, settings, state)
    print(json.dumps(added_row(row, settings), ensure_ascii=False) if args.json else said)
    return 0


def add(args: argparse.Namespace, settings: Settings, state: State) -> tuple[WatchlistRow, str]:
    """Keep a new one; held where it names a private person."""
    given = read_given(args)
    now = utc_now()
    if given.expires is not None and given.expires <= today_of(settings, now):
        raise UserError(f"--expires {given.expires}: that day is past or today, name a later one")
    persons = open_gate(settings).find_persons(read_watched(given.query))
    row = WatchlistRow(
        given.name, given.query, given.purpose, given.owner, args.by.strip(), now, given.expires, "; ".join(persons)
    )
    own = facet("watchlist", row.name)
    every: tuple[WatchlistSettings | WatchlistRow, ...] = (*settings.watchlists, *state.watchlists())
    for each in every:
        if facet("watchlist", each.name) == own:
            raise taken(row.name, each.name, in_settings=isinstance(each, WatchlistSettings))
    note(state, now, "add watchlist", args, query=row.query, purpose=row.purpose, owner=row.owner,
         expires=str(row.expires or ""), held=row.held_because)  # fmt: skip
    if not state.add_watchlist(row):
        raise taken(row.name, row.name, in_settings=False)
    if row.is_held:
        return row, (
            f'"{row.name}" is held, and matches nothing yet: {row.held_because}. Somebody else than {row.made_by} can '
            f"approve it: earshot watchlists approve '{row.name}' --by WHO --because WHY"
        )
    return row, f'"{row.name}" is added: {SOON}, and applies it to what is already stored'


def taken(name: str, other: str, *, in_settings: bool) -> UserError:
    """That name is another's."""
    where = "in the settings" if in_settings else "here"
    mend = "" if in_settings else f", or take that out first: earshot watchlists remove '{other}' --by WHO"
    same = "" if name == other else ", which reads the same to a search"
    return UserError(f'"{name}": there is a watchlist "{other}" {where} already{same}; choose another name{mend}')


def approve(args: argparse.Namespace, settings: Settings, state: State) -> tuple[WatchlistRow, str]:
    """Let a held one run; never by the one who made it."""
    row = find(state, args.name)
    if not row.is_held:
        raise UserError(f'"{row.name}" is not held: there is nothing to approve')
    by = normalise(args.by)
    if not by or by == normalise(row.made_by):
        raise UserError(f'"{row.name}" was made by {row.made_by}: somebody else must approve it')
    if settings.watchlist_approvers and by not in map(normalise, settings.watchlist_approvers):
        named = ", ".join(settings.watchlist_approvers)
        raise UserError(f'"{row.name}" can be approved by {named} (watchlist_approvers), not by {args.by}')
    now = utc_now()
    note(state, now, "approve watchlist", args, query=row.query, held=row.held_because, because=args.because)
    if not state.approve_watchlist(row, args.by.strip(), args.because.strip(), now):
        raise UserError(f'"{row.name}" has changed meanwhile: look at it again with `earshot watchlists`')
    approved = find(state, args.name)
    return approved, f'"{row.name}" is approved: {row.query}\n{SOON}, and applies it to what is already stored'


def remove(args: argparse.Namespace, settings: Settings, state: State) -> tuple[WatchlistRow, str]:
    """Take one out. What it marked in the past keeps its mark."""
    row = find(state, args.name)
    note(state, utc_now(), "remove watchlist", args, query=row.query)
    try:
        state.remove_watchlist(row.name)
    except KeyError:
        raise unknown(row.name) from None
    return row, f'"{row.name}" is taken out: {SOON}. Mentions it has marked keep the mark, until they are deleted'


def note(state: State, now: datetime, action: str, args: argparse.Namespace, **detail: str) -> None:
    """On record before it is done."""
    state.audit(now, f"command line, {whoever()}", action, {"name": args.name, "by": args.by, **detail})


def find(state: State, name: str) -> WatchlistRow:
    """The one of that name that was added by hand."""
    for row in state.watchlists():
        if row.name == name:
            return row
    raise unknown(name)


def unknown(name: str) -> UserError:
    """Nobody added one of that name."""
    return UserError(
        f'no watchlist "{name}" was added by hand: `earshot watchlists` lists them; those of the settings are changed '
        "in the settings file"
    )


def read_given(args: argparse.Namespace) -> WatchlistSettings:
    """What was given, checked as it would be in the settings file."""
    expires: date | str | None = args.expires or None
    with suppress(ValueError):  # told below, with what was expected
        expires = date.fromisoformat(args.expires) if args.expires else None
    values = {"name": args.name, "query": args.query, "purpose": args.purpose, "owner": args.owner, "expires": expires}
    try:
        return WatchlistSettings.model_validate(values)
    except ValidationError as error:
        problem = explain(error, "watchlists add", model=WatchlistSettings)[0]
        raise UserError(f"--{problem.key}: found {problem.found}, expected {problem.expected}") from None


# -- listing ----------------------------------------------------------------------------------------------------------


def print_list(settings: Settings, *, as_json: bool) -> int:
    """All of them: the settings' first, then those added by hand."""
    state = open_known_state(settings)
    added: list[WatchlistRow] = []
    if state is not None:
        with closing(state):
            added = state.watchlists()
    rows = [*(set_row(each, settings) for each in settings.watchlists), *(added_row(each, settings) for each in added)]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for row in rows:
        print(f"{row['status']:10} {row['name']!s:30} {row['query']}")
        print(f"{'':10} for: {row['purpose']}; owner: {row['owner'] or 'nobody'}; {row['where']}")
        if row["status"] == Standing.HELD:
            print(f"{'':10} held: {row['held_because']}; made by {row['made_by']}, somebody else may approve it")
    if not rows:
        print("nothing is watched for: add a watchlist here or in the settings")
    return 0


def set_row(watchlist: WatchlistSettings, settings: Settings) -> dict[str, object]:
    """One of the settings, for machines."""
    return {**shared(watchlist, settings), "where": "settings"}


def added_row(row: WatchlistRow, settings: Settings) -> dict[str, object]:
    """One added by hand, for machines."""
    return {
        **shared(row, settings),
        "where": "added by hand",
        "held_because": row.held_because,
        "made_by": row.made_by,
        "made_at": row.made_at.isoformat(),
        "approved_by": row.approved_by,
        "approved_because": row.approved_because,
        "approved_at": row.approved_at.isoformat() if row.approved_at else None,
    }


def shared(watchlist: WatchlistSettings | WatchlistRow, settings: Settings) -> dict[str, object]:
    """What both kinds have."""
    return {
        "name": watchlist.name,
        "status": str(standing_of(watchlist, settings, utc_now())),
        "query": watchlist.query,
        "purpose": watchlist.purpose,
        "owner": watchlist.owner,
        "expires": watchlist.expires.isoformat() if watchlist.expires else None,
    }
