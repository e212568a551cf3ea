"""The promises of mentions.state.State about permissions, budgets and coverage, over SQLite and a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from mentions.records import Arrivals, Charge, Counted, Permission, SourceGap, SourceState, Spent
from mentions.sqlstate import open_state
from mentions.state import State
from tests.contracts.test_state import MINUTE, NOW, make_older

PERMISSION = Permission("x search", "x api.x.com", "Ann Lee", "contract 12 of May", NOW)
DAY = timedelta(days=1)


def put(state: State, source_state: SourceState) -> None:
    state.register_sources([("x search", "x")], NOW)
    row = replace(state.source("x search"), state=source_state, next_check_at=NOW + DAY, failures=3, message="why")
    state.save_source(row)


def test_a_permission_comes_back_as_it_was_kept_and_a_newer_one_takes_its_place(state: State) -> None:
    assert state.permissions() == []
    state.permit(PERMISSION)
    other = replace(PERMISSION, source="a feed", what="feed example.org")
    state.permit(other)
    newer = replace(PERMISSION, by="Bo Ray", at=NOW + MINUTE)
    state.permit(newer)
    assert state.permissions() == [other, newer]
    assert state.withdraw_permission("x search", NOW) == newer
    assert state.permissions() == [other]
    with pytest.raises(KeyError):
        state.withdraw_permission("x search", NOW)


def test_a_source_that_was_off_is_due_once_it_is_permitted_and_once_that_is_withdrawn(state: State) -> None:
    put(state, SourceState.OFF)
    state.permit(PERMISSION)
    row = state.source("x search")
    assert (row.state, row.next_check_at, row.message) == (SourceState.OFF, NOW, "why")
    put(state, SourceState.OK)
    state.withdraw_permission("x search", NOW + MINUTE)
    assert state.source("x search").next_check_at == NOW + MINUTE


def test_a_permission_resumes_a_stopped_source_and_hurries_none_that_is_well(state: State) -> None:
    put(state, SourceState.PAUSED)
    state.permit(PERMISSION)
    row = state.source("x search")
    assert (row.state, row.failures, row.next_check_at) == (SourceState.FAILING, 0, NOW)
    put(state, SourceState.OK)
    state.permit(PERMISSION)
    assert state.source("x search").next_check_at == NOW + DAY


def day(calls: int = 1, money: int = 0, **most: int) -> Charge:
    return Charge("", "2026-01-12", calls, money, **most)


def month(money: int = 0, **most: int) -> Charge:
    return Charge("", "2026-01", 0, money, **most)


def test_what_is_spent_adds_up_and_what_would_pass_the_most_is_refused_whole(state: State) -> None:
    assert state.spend("x", [day(3, 500, most_calls=4), month(500, most_money=900)]) is None
    assert state.spend("x", [day(2, 100, most_calls=4), month(100, most_money=900)]) == 0
    assert state.spend("x", [day(1, 500, most_calls=4), month(500, most_money=900)]) == 1
    assert state.spend("y", [day(7)]) is None
    expected = [
        Spent("x", "", "2026-01", 0, 500),
        Spent("x", "", "2026-01-12", 3, 500),
        Spent("y", "", "2026-01-12", 7, 0),
    ]
    assert state.spent(["2026-01-12", "2026-01"]) == expected
    assert state.spent(["2026-02"]) == []


def test_a_bucket_is_an_account_of_its_own(state: State) -> None:
    search = Charge("search", "2026-01-12", 1, 0, 1)
    assert state.spend("youtube", [search]) is None
    assert state.spend("youtube", [search]) == 0
    assert state.spend("youtube", [day(1, most_calls=1)]) is None


def test_what_is_given_back_can_be_spent_again_and_never_leaves_less_than_nothing(state: State) -> None:
    state.spend("x", [day(1, 500)])
    assert state.spend("x", [day(0, -300, most_money=100)]) is None
    assert state.spend("x", [day(0, 100, most_money=300)]) is None
    assert state.spend("x", [day(0, -9_000)]) is None
    assert state.spent(["2026-01-12"]) == [Spent("x", "", "2026-01-12", 1, 0)]


def test_many_threads_never_pass_a_budget_together(state: State) -> None:
    charges = [day(1, 10, most_calls=40), month(10, most_money=330)]
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: state.spend("x", charges), range(60)))
    assert taken.count(None) == 33
    assert state.spent(["2026-01-12", "2026-01"]) == [
        Spent("x", "", "2026-01", 0, 330),
        Spent("x", "", "2026-01-12", 33, 330),
    ]


SPENDER = """
import sys
from mentions.records import Charge
from mentions.sqlstate import open_state
state = open_state(sys.argv[1])
print(sum(state.spend("x", [Charge("", "2026-01-12", 1, 0, 30)]) is None for _ in range(20)))
"""


def test_several_processes_never_pass_a_budget_together(state: State, url: str) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", SPENDER, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert sum(int(each.communicate()[0]) for each in running) == 30
    assert [each.calls for each in state.spent(["2026-01-12"])] == [30]


def test_gaps_are_told_newest_first_and_the_same_moment_is_one(state: State) -> None:
    state.note_gap("a", NOW, "window full")
    state.note_gap("a", NOW, "window full")
    state.note_gap("b", NOW + MINUTE, "cursor too old")
    state.note_gap("c", NOW - MINUTE, "long ago")
    assert state.gaps(NOW) == [SourceGap("b", NOW + MINUTE, "cursor too old"), SourceGap("a", NOW, "window full")]


def test_arrivals_of_a_day_add_up(state: State) -> None:
    today = NOW.date()
    state.note_arrivals(Arrivals("a", today, 3, 1))
    state.note_arrivals(Arrivals("a", today, 2, 0))
    state.note_arrivals(Arrivals("a", today - DAY, 9, 9))
    state.note_arrivals(Arrivals("b", today, 1, 1))
    assert state.arrivals(today) == [Arrivals("a", today, 5, 1), Arrivals("b", today, 1, 1)]


def test_an_hour_that_a_platform_counts_again_replaces_what_it_told_before(state: State) -> None:
    hour = Counted("x search", NOW, NOW + 60 * MINUTE, 40)
    state.note_counted([hour, replace(hour, begins_at=NOW - DAY, posts=7)])
    state.note_counted([replace(hour, posts=55)])
    state.note_counted([])
    assert state.counted(NOW) == [replace(hour, posts=55)]
    assert len(state.counted(NOW - DAY)) == 2


def test_a_database_from_before_there_were_budgets_gets_them(state: State, url: str) -> None:
    state.put("kept", "yes")
    state.close()
    make_older(url, 5)
    upgraded = open_state(url)
    assert upgraded.get("kept") == "yes"
    upgraded.permit(PERMISSION)
    upgraded.note_gap("a", NOW, "window full")
    upgraded.note_arrivals(Arrivals("a", NOW.date(), 3, 1))
    assert upgraded.spend("x", [day(1, 10, most_calls=1)]) is None
    assert upgraded.permissions() == [PERMISSION]
    assert len(upgraded.gaps(NOW)) == len(upgraded.arrivals(NOW.date())) == len(upgraded.spent(["2026-01-12"])) == 1
    upgraded.close()
