"""`earshot sources list`: every source with its state, coverage, budget and permission; resumes a stopped one."""

from __future__ import annotations

import argparse
import json
from contextlib import closing, nullcontext
from datetime import datetime

from config.settings import Settings
from listener.acts import open_known_state
from listener.standing import account_row, coverage_row, read_accounts, read_coverage, tell_account
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.coverage import Coverage
from mentions.failures import UserError
from mentions.records import SourceRow
from mentions.state import State

HELP = "how each source is doing, what it brings against its past, what platforms have cost, and what is blind"
EXAMPLE = "earshot sources list --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to print, and which to resume."""
    parser.add_argument("--resume", metavar="NAME", help="try a stopped source again, now")
    parser.add_argument(
        "--coverage", action="store_true", help="the whole instead of the sources: coverage, budgets, blind spots"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON array; with --coverage an object")


def run(args: argparse.Namespace) -> int:
    """Print the sources."""
    settings, now = read_settings(args), utc_now()
    args = argparse.Namespace(**{"resume": None, "coverage": False, "json": False, **vars(args)})
    state = open_known_state(settings)
    with closing(state) if state else nullcontext():
        if args.resume:
            resume(state, args.resume)
        if args.json:
            print(json.dumps(told_for_machines(settings, state, now, whole=args.coverage), indent=1))
        else:
            print_sources(settings, state, now, whole=args.coverage)
    return 0


def told_for_machines(settings: Settings, state: State | None, now: datetime, *, whole: bool) -> object:
    """An array of the sources, or the `whole` of how the listening stands."""
    coverage = read_coverage(settings, state, now)
    accounts = [account_row(each) for each in read_accounts(settings, state, now)]
    permissions = {each.source: each for each in state.permissions()} if state else {}
    own = {each.source: coverage_row(each) for each in coverage.sources}
    rows = []
    for row in state.sources() if state else ():
        found = permissions.get(row.name)
        permission = {"by": found.by, "because": found.because, "at": found.at.isoformat()} if found else None
        budgets = [each for each in accounts if each["kind"] == row.kind]
        rows.append({**source_row(row), "permission": permission, "budgets": budgets, "coverage": own.get(row.name)})
    if not whole:
        return rows
    return {
        "adequate": coverage.adequate,
        "reason": coverage.reason,
        "blind_spots": coverage.blind_spots,
        "boroughs_without_source": coverage.boroughs_without_source,
        "budgets": accounts,
        "sources": rows,
    }


def print_sources(settings: Settings, state: State | None, now: datetime, *, whole: bool) -> None:
    """A line each, for people; below them coverage, budgets and permissions. Of the `whole` only these."""
    rows = state.sources() if state else []
    coverage = read_coverage(settings, state, now)
    verdicts = {each.source: each.verdict for each in coverage.sources}
    for row in () if whole else rows:
        told = row.message or verdicts.get(row.name, "")
        print(f"{row.name:30.30} {row.kind:9} {row.state:14} {row.mentions:7} new  {told}")
    if not rows:
        print("no sources have been polled here yet: start `earshot daemon`")
    if rows or whole:
        print_coverage(coverage)
        for account in read_accounts(settings, state, now):
            print(f"budget    {tell_account(account)}")
    for each in state.permissions() if state else ():
        print(f"permitted {each.source} ({each.what}), by {each.by} on {each.at:%Y-%m-%d}: {each.because}")


def print_coverage(coverage: Coverage) -> None:
    """Whether "no mentions" can be believed, and what nobody listens to."""
    word = "adequate" if coverage.adequate else "NOT ADEQUATE"
    print(f"\ncoverage  {word}{': ' if coverage.reason else ''}{coverage.reason}")
    for each in coverage.sources:
        for gap in each.gaps[:1]:
            more = f" (and {len(each.gaps) - 1} earlier this week)" if len(each.gaps) > 1 else ""
            print(f"gap       {each.source}, {gap.at:%Y-%m-%d %H:%M} UTC: {gap.why}{more}")
        if each.late:
            print(f"late      {each.source}: {each.late} of {each.arrived} posts of this week came late")
    print(f"blind     {'; '.join(coverage.blind_spots)}")


def resume(state: State | None, name: str) -> None:
    """A person says: try again."""
    if state is None:
        raise unknown(name)
    now = utc_now()
    try:
        state.resume(name, now)
    except KeyError:
        raise unknown(name) from None
    state.audit(now, "command line", "resume source", {"source": name})


def unknown(name: str) -> UserError:
    """Nobody is called so."""
    return UserError(f'no source is called "{name}": `earshot sources` lists them')


def source_row(row: SourceRow) -> dict[str, object]:
    """One source for machines; the cursor is nobody else's business."""
    times = {
        key: getattr(row, key) for key in ("next_check_at", "polled_at", "succeeded_at", "newest_at", "brought_at")
    }
    return {
        "name": row.name,
        "kind": row.kind,
        "state": str(row.state),
        "message": row.message,
        "polls": row.polls,
        "mentions": row.mentions,
        "left_out": row.left_out,
        "failures": row.failures,
        "moved_to": row.moved_to,
        **{key: value.isoformat() if value else None for key, value in times.items()},
    }
