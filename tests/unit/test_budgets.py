"""Budgets: what is counted, when it is refused, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import BudgetSettings, Settings
from listener.budgets import StateBudget, allowance_of, allowances_of, open_budgets
from listener.start import find_problems
from listener.x_bill import Bill
from mentions.allowances import Allowance, accounts_of, from_note, periods_of, to_millionths, to_note
from mentions.failures import RateLimited
from mentions.sqlstate import open_state
from mentions.state import State
from tests.faulty_server import Clock

EVENING = datetime(2026, 11, 26, 20, 30, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = open_state(f"sqlite:{tmp_path}/state.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock(EVENING)


def refusal(budget: StateBudget, *args: object, **named: object) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        budget.take(*args, **named)  # type: ignore[arg-type]
    return caught.value


def refused_until(budget: StateBudget) -> datetime | None:
    try:
        budget.take(bucket="search")
    except RateLimited as refused:
        return refused.until
    return None


def test_all_but_rechecks_stop_short_of_the_reserve(state: State, clock: Clock) -> None:
    budget = StateBudget(Allowance("x", dollars_per_day=1.0, reserve=0.2), state, clock)
    for _ in range(160):
        budget.take(cost=0.005)
    assert "kept for re-checks" in str(refusal(budget, cost=0.005))
    for _ in range(40):
        budget.take(cost=0.005, recheck=True)
    assert "[budgets.x]" in str(refusal(budget, cost=0.005, recheck=True))


def test_a_day_ends_at_midnight_of_its_zone_and_a_month_at_its_end(state: State, clock: Clock) -> None:
    utc = StateBudget(Allowance("a", calls_per_day=1, reserve=0), state, clock)
    utc.take()
    assert refusal(utc).until == datetime(2026, 11, 27, tzinfo=UTC)
    pacific = StateBudget(Allowance("b", calls_per_day=1, reserve=0, zone="America/Los_Angeles"), state, clock)
    pacific.take()
    assert refusal(pacific).until == datetime(2026, 11, 27, 8, tzinfo=UTC)
    monthly = StateBudget(Allowance("c", calls_per_month=1, reserve=0), state, clock)
    monthly.take()
    assert refusal(monthly).until == datetime(2026, 12, 1, tzinfo=UTC)
    clock.now = datetime(2026, 11, 27, 0, 0, 1, tzinfo=UTC)
    utc.take()
    refusal(pacific)
    refusal(monthly)


def test_the_day_on_which_clocks_change_ends_at_its_own_midnight(state: State) -> None:
    spring = Clock(datetime(2026, 3, 8, 9, 0, tzinfo=UTC))  # 1 a.m. in Los Angeles, an hour before the change
    budget = StateBudget(Allowance("b", calls_per_day=1, reserve=0, zone="America/Los_Angeles"), state, spring)
    budget.take()
    assert refusal(budget).until == datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


def test_a_request_that_would_pass_the_budget_counts_nothing(state: State, clock: Clock) -> None:
    budget = StateBudget(Allowance("x", dollars_per_day=1.0, dollars_per_month=0.4, reserve=0), state, clock)
    refusal(budget, cost=0.5)
    budget.take(cost=0.4)
    day, month = state.spent(["2026-11-26"]), state.spent(["2026-11"])
    assert [each.money for each in (*day, *month)] == [400_000, 400_000]


def test_searches_have_an_allowance_of_their_own_without_a_reserve(state: State, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 27, 7, 59, tzinfo=UTC)  # a minute before midnight in California
    budget = StateBudget(allowance_of("youtube", None), state, clock)
    for _ in range(99):
        budget.take(bucket="search")
    assert refusal(budget, bucket="search").until == datetime(2026, 11, 27, 8, tzinfo=UTC)
    budget.take(8_000)
    refusal(budget, 1)
    budget.take(2_000, recheck=True)


def test_searches_are_spread_over_the_day_and_never_pass_it(state: State, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 26, 8, tzinfo=UTC)
    budget = StateBudget(allowance_of("youtube", None), state, clock)
    taken, waits = 0, 0
    while clock.now < datetime(2026, 11, 27, 8, tzinfo=UTC):
        if (until := refused_until(budget)) is None:
            taken += 1
            assert taken <= 20 + waits
        else:
            assert until > clock.now
            clock.now, waits = until, waits + 1
    assert 95 < taken <= 100
    budget.take(bucket="search")  # the next day has begun


def test_what_was_not_spent_is_given_back(state: State, clock: Clock) -> None:
    budget = StateBudget(Allowance("x", dollars_per_day=1.0, reserve=0), state, clock)
    budget.take(cost=0.5)
    budget.give_back(0.45, clock.now)
    budget.take(cost=0.95)
    refusal(budget, cost=0.001)


def test_what_was_taken_before_midnight_is_not_given_back_to_the_day_after(state: State, clock: Clock) -> None:
    budget = StateBudget(Allowance("x", dollars_per_day=1.0, reserve=0), state, clock)
    bill = Bill(budget, clock)
    bill.take(0.5)
    with bill.settled(0.5) as charge:
        clock.now += timedelta(hours=4)
        budget.take(cost=1.0)
        charge.cost = 0.0
    refusal(budget, cost=0.001)


def test_a_budget_is_taken_only_of_kinds_that_are_counted() -> None:
    settings = Settings(budgets={"mastodon": {"calls_per_day": 1}, "x": {"calls_per_day": 1}, "typo": {}})
    told = {each.key: str(each) for each in find_problems(settings, "e.toml")}
    assert set(told) == {"budgets.mastodon", "budgets.typo"}
    assert all("one of facebook, flickr, reddit, x, youtube" in each for each in told.values())


def test_threads_that_take_together_stop_where_one_would(state: State, clock: Clock) -> None:
    budget = StateBudget(Allowance("x", calls_per_day=25, reserve=0), state, clock)

    def take(_: int) -> bool:
        try:
            budget.take()
        except RateLimited:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(60))) == 25


def test_a_kind_without_limits_is_counted_and_never_refused(state: State, clock: Clock) -> None:
    budget = StateBudget(allowance_of("flickr", None), state, clock)
    budget.take(5_000, cost=99.0)
    account = accounts_of([allowance_of("flickr", None)], state.spent(["2026-11-26", "2026-11"]), EVENING)[0]
    assert (account.calls_today, account.dollars_this_month, account.calls_left, account.dollars_left) == (
        5_000, 99.0, None, None,
    )  # fmt: skip


def test_settings_change_what_they_name_and_leave_the_rest() -> None:
    given = BudgetSettings(dollars_per_day=20.0)
    assert allowance_of("x", given) == Allowance("x", dollars_per_day=20.0, dollars_per_month=100.0)
    assert allowance_of("x", None).reserve == 0.2
    settings = Settings(budgets={"x": {"reserve": 0.5}})
    assert [(each.kind, each.reserve) for each in allowances_of(settings)] == [("x", 0.5)]


def test_accounts_show_the_day_the_month_and_what_is_left(state: State, clock: Clock) -> None:
    settings = Settings(budgets={"x": {}, "youtube": {}})
    budgets = open_budgets(settings, state, clock)
    budgets("x").take(cost=1.25)
    budgets("youtube").take(bucket="search")
    allowances = allowances_of(settings)
    x, units, searches = accounts_of(allowances, state.spent(periods_of(allowances, EVENING)), EVENING)
    assert (x.calls_today, x.dollars_today, x.dollars_this_month, x.dollars_left) == (1, 1.25, 1.25, 3.75)
    assert (units.bucket, units.calls_today, units.calls_left) == ("", 0, 10_000)
    assert (searches.bucket, searches.calls_today, searches.calls_left) == ("search", 1, 99)


def test_the_note_of_the_pages_comes_back_as_it_was() -> None:
    told = [allowance_of("x", None), allowance_of("youtube", BudgetSettings(reserve=0.1))]
    assert from_note(to_note(told)) == told
    assert from_note(None) == from_note("nonsense") == from_note('[{"odd": 1}]') == []


def test_money_is_counted_in_whole_millionths_and_never_too_little() -> None:
    assert to_millionths(0.005) == 5_000
    assert sum(to_millionths(0.1) for _ in range(10)) == 1_000_000
    assert to_millionths(0.0000001) == 1
