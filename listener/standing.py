"""How the listening stands, for the command line: coverage and budgets, worked out from state and store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from config.settings import Settings
from config.strategy import borough_names
from listener.budgets import allowances_of
from listener.reaching import reach_of
from mentions.allowances import Account, accounts_of, periods_of
from mentions.coverage import PAST, WEEK, Coverage, SourceCoverage, weigh_coverage
from mentions.failures import Failure, UserError
from mentions.state import State
from mentions.store import Tally
from mentions.stores import open_store


def read_coverage(settings: Settings, state: State | None, now: datetime) -> Coverage:
    """How each source does against its past; where the store does not answer, no past is known. Without a
    state nothing was heard yet."""
    return weigh_coverage(
        state.sources() if state else [],
        read_tallies(settings, now),
        state.gaps(now - WEEK) if state else [],
        state.arrivals((now - WEEK).date()) if state else [],
        state.counted(now - WEEK) if state else [],
        reach_of(settings),
        borough_names(),
        now,
    )


def read_tallies(settings: Settings, now: datetime) -> list[Tally]:
    """What sources brought hour by hour; nothing where the store does not answer."""
    try:
        with closing(open_store(settings.store, readonly=True)) as store:
            return store.tallies_by_source(now - PAST, now)
    except (Failure, UserError):
        return []


def read_accounts(settings: Settings, state: State | None, now: datetime) -> list[Account]:
    """What kinds of sources have spent, and what is left."""
    allowances = allowances_of(settings, (row.kind for row in state.sources()) if state else ())
    return accounts_of(allowances, state.spent(periods_of(allowances, now)) if state else [], now)


def coverage_row(each: SourceCoverage) -> dict[str, object]:
    """One source's coverage for machines."""
    return {
        "verdict": each.verdict,
        "seen": each.seen,
        "expected": None if each.expected is None else round(each.expected, 1),
        "window_hours": int(each.window.total_seconds() // 3600),
        "arrived_7d": each.arrived,
        "late_7d": each.late,
        "counted_24h": each.counted,
        "gaps_7d": [{"at": gap.at.isoformat(), "why": gap.why} for gap in each.gaps],
    }


def account_row(account: Account) -> dict[str, object]:
    """One budget for machines."""
    return {**asdict(account), "calls_left": account.calls_left, "dollars_left": account.dollars_left}


def tell_account(account: Account) -> str:
    """One budget in a line."""
    name = f"{account.kind} {account.bucket}".strip()
    calls = _of(f"{account.calls_today:,}", account.calls_per_day, "{:,}")
    told = [f"{calls} calls today"]
    if account.dollars_per_day is not None or account.dollars_this_month:
        told.append(_of(f"${account.dollars_today:,.2f}", account.dollars_per_day, "${:,.2f}") + " today")
    if not account.bucket and (account.dollars_per_month is not None or account.dollars_this_month):
        told.append(_of(f"${account.dollars_this_month:,.2f}", account.dollars_per_month, "${:,.2f}") + " this month")
    left = [f"{account.calls_left:,} calls"] if account.calls_left is not None else []
    left += [f"${account.dollars_left:,.2f}"] if account.dollars_left is not None else []
    return f"{name}: {', '.join(told)}; left: {', '.join(left) or 'no limit set'}"


def _of(spent: str, most: float | None, form: str) -> str:
    return spent if most is None else f"{spent} of {form.format(most)}"
