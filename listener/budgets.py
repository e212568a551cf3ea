"""Budgets: what kinds of sources may cost, kept in the state so that no two threads or processes pass them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from config.settings import BudgetSettings, Settings
from listener.connector import Budget
from mentions.allowances import Allowance
from mentions.clock import Clock
from mentions.failures import RateLimited
from mentions.state import State

PACIFIC = "America/Los_Angeles"  # YouTube's days begin there
# What holds where the settings say nothing. Prices and allowances: the platforms' own pages, as of November 2026.
USUAL = {
    "x": Allowance("x", dollars_per_day=5.0, dollars_per_month=100.0),
    "youtube": Allowance("youtube", calls_per_day=10_000, searches_per_day=100, zone=PACIFIC),
}


def allowance_of(kind: str, given: BudgetSettings | None) -> Allowance:
    """What a kind may cost: the settings' word where there is one, else what is usual."""
    usual = USUAL.get(kind) or Allowance(kind)
    told = given.model_dump(exclude_none=True) if given else {}
    return replace(usual, **told)


def allowances_of(settings: Settings, others: Iterable[str] = ()) -> list[Allowance]:
    """Of every kind that is read, or has a budget set, and of `others`."""
    kinds = sorted({source.kind for source in settings.sources} | settings.budgets.keys() | set(others))
    return [allowance_of(kind, settings.budgets.get(kind)) for kind in kinds]


def open_budgets(settings: Settings, state: State, clock: Clock) -> Callable[[str], Budget]:
    """The budget of each kind, as `Tools.budget` wants it."""
    return lambda kind: StateBudget(allowance_of(kind, settings.budgets.get(kind)), state, clock)


class StateBudget:
    """`listener.connector.Budget` over the state database."""

    def __init__(self, allowance: Allowance, state: State, clock: Clock) -> None:
        self._allowance, self._state, self._clock = allowance, state, clock

    def take(self, calls: int = 1, cost: float = 0.0, *, bucket: str = "", recheck: bool = False) -> None:
        """See `Budget.take`."""
        now = self._clock()
        charges = self._allowance.charges(calls, cost, bucket, recheck, now)
        refused = self._state.spend(self._allowance.kind, charges)
        if refused is not None:
            charge = charges[refused]
            if charge.bucket:
                until = self._allowance.next_search_at(now)
            else:
                until = self._allowance.ends_at(charge.period, now)
            raise RateLimited(self._tell(charge.period, charge.bucket, until, recheck), until)

    def give_back(self, cost: float, when: datetime) -> None:
        """See `Budget.give_back`."""
        if cost > 0:
            self._state.spend(self._allowance.kind, self._allowance.charges(0, -cost, "", True, when))

    def _tell(self, period: str, bucket: str, until: datetime, recheck: bool) -> str:
        span = "day" if len(period) > len("2026-11") else "month"
        if bucket and until < self._allowance.ends_at(period, self._clock()):
            return (
                f"{self._allowance.kind}: the {bucket} budget is spread over the day; the next is at "
                f"{until:%Y-%m-%d %H:%M} UTC"
            )
        what = f"{bucket} budget" if bucket else "budget"
        kept = "" if recheck or bucket or not self._allowance.reserve else "; what is left is kept for re-checks"
        kind = self._allowance.kind
        return (
            f"{kind}: the {what} of this {span} is spent{kept}; it goes on at {until:%Y-%m-%d %H:%M} UTC, "
            f"or sooner with a larger one under [budgets.{kind}]"
        )
