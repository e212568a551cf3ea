"""`earshot compliance`: which posts are to be looked at again, what was done about it, and doing it now."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime

from tqdm import tqdm

from config.settings import Settings
from listener.acts import note_act, refuse_missing
from listener.compliance import Compliance, Done, done_by_day
from listener.house import open_house
from listener.lock import LOCK_NAME, hold, hold_compliance, refuse_exercise
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.duties import limit_of
from mentions.failures import UserError
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.store import MentionStore, ToCheck
from mentions.stores import open_store

HELP = "posts deleted at their source go here too: what is due to be looked at again, and what was done"
EXAMPLE = "earshot compliance --run"
DAYS_SHOWN = 14


def arrange(parser: argparse.ArgumentParser) -> None:
    """Whether to do it."""
    parser.add_argument("--run", action="store_true", help="look again at all that is due, now")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Tell, or do and tell; 1 where a source could not be asked."""
    settings = read_settings(args)
    refuse_missing(settings)
    done = look_again(settings) if args.run else {}
    with closing(open_store(settings.store, readonly=True)) as store, closing(open_state(settings.state)) as state:
        told = overview(store, state, utc_now(), done)
    print(json.dumps(told, ensure_ascii=False, indent=1) if args.json else "\n".join(tell_lines(told)))
    return 1 if any(each.held_up for each in done.values()) else 0


def look_again(settings: Settings) -> dict[str, Done]:
    """All that is due, with a bar. Raises UserError where a daemon is at work here: it does the same by itself."""
    refuse_exercise(settings.data)
    try:
        with hold(settings.data), hold_compliance(settings.data) as free:
            if not free:
                raise UserError("another one looks at them at this moment: wait until it is done")
            with closing(open_house(settings)) as house:
                note_act(settings, "compliance", {"store": settings.store})
                house.intake.drain()
                return work_all(house.compliance, house.store)
    except UserError as error:
        if LOCK_NAME.partition(".")[0] in str(error):
            raise UserError(f"{error}; it looks at what is due every two minutes by itself") from None
        raise


def work_all(compliance: Compliance, store: MentionStore) -> dict[str, Done]:
    """Turn after turn until nothing is due that can be asked for."""
    total: dict[str, Done] = {}
    due = sum(each.due for each in store.to_check(utc_now()))
    with tqdm(total=due, unit="post", desc="compliance", disable=None, file=sys.stderr) as bar:
        while True:
            done = compliance.work(bar.update, at_once=True)
            for platform, told in done.items():
                add(total.setdefault(platform, Done()), told)
            if not any(told.checked for told in done.values()):
                return total


def add(total: Done, told: Done) -> None:
    """Add one turn to what was done before."""
    for name, count in told.counts.items():
        setattr(total, name, getattr(total, name) + count)
    total.held_up.update(told.held_up)


def overview(store: MentionStore, state: State, now: datetime, done: Mapping[str, Done]) -> dict[str, object]:
    """What is due, what was done, and what is buried, for machines."""
    rounds = store.to_check(now)
    by_platform: dict[str, list[ToCheck]] = {}
    for each in rounds:
        by_platform.setdefault(each.platform, []).append(each)
    waiting = len(state.unfinished_burials(100_000))
    return {
        "at": now.isoformat(),
        "platforms": {name: platform_row(name, held) for name, held in by_platform.items()},
        "burials_waiting": waiting,
        "done_now": {name: {**told.counts, "held_up": told.held_up} for name, told in done.items()},
        "done": done_by_day(state),
    }


def platform_row(name: str, held: Sequence[ToCheck]) -> dict[str, object]:
    """One platform: how many are looked at again, how many are due, and since when."""
    since = min((each.due_at for each in held if each.due_at), default=None)
    looked = min((each.checked_at for each in held if each.checked_at), default=None)
    limit = limit_of(name)
    return {
        "held": sum(each.held for each in held),
        "due": sum(each.due for each in held),
        "due_since": since.isoformat() if since else None,
        "oldest_look": looked.isoformat() if looked else None,
        "limit_hours": limit.total_seconds() / 3600 if limit else None,
        "sources": {each.source: {"held": each.held, "due": each.due} for each in held},
    }


def tell_lines(told: dict[str, object]) -> list[str]:
    """The same for people."""
    lines = [f"{'platform':12}{'looked at again':>16}{'due':>9}  since"]
    platforms: Mapping[str, Mapping[str, object]] = told["platforms"]  # type: ignore[assignment]
    for name, row in platforms.items():
        since = f"{row['due_since']}"[:16].replace("T", " ") if row["due_since"] else "-"
        limit = f"  (words go after {row['limit_hours']:g} h without a look)" if row["limit_hours"] else ""
        lines.append(f"{name:12}{row['held']:>16,}{row['due']:>9,}  {since}{limit}")
    if not platforms:
        lines.append("nothing that is held can be looked at again")
    if told["burials_waiting"]:
        lines.append(f"{told['burials_waiting']} posts are yet to be taken out: the daemon does so, or --run")
    now: Mapping[str, Mapping[str, object]] = told["done_now"]  # type: ignore[assignment]
    for name, row in now.items():
        lines += [f"{name}: {source} could not be asked: {why}" for source, why in dict(row["held_up"]).items()]  # type: ignore[call-overload]
    return [*lines, "", *tell_days(told["done"])]  # type: ignore[arg-type]


def tell_days(days: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[str]:
    """What was done, by day."""
    if not days:
        return ["nothing was looked at again yet"]
    lines = [f"{'day (UTC)':12}{'platform':12}{'looked at':>10}{'changed':>9}{'gone':>7}{'lapsed':>8}"]
    for day, told in list(days.items())[:DAYS_SHOWN]:
        for name, counts in told.items():
            found = Counter(counts)
            numbers = f"{found['checked']:>10,}{found['edited']:>9,}{found['gone']:>7,}{found['lapsed']:>8,}"
            lines.append(f"{day:12}{name:12}{numbers}")
    return lines
