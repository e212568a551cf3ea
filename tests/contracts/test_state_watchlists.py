"""The promises of mentions.state.State about watchlists, over SQLite and a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from mentions.records import WatchlistRow
from mentions.sqlstate import open_state
from mentions.state import State
from tests.contracts.test_state import MINUTE, NOW, make_older

ROW = WatchlistRow(
    "Stop & search", '"stop and search" OR #s60', "to answer questions", "press desk", "Sam", NOW, date(2027, 9, 1)
)
HELD = replace(ROW, name="somebody", query="dave smith", held_because="it names somebody")


def test_watchlists_come_back_as_they_were_given_by_name(state: State, url: str) -> None:
    assert state.watchlists() == []
    assert state.add_watchlist(HELD)
    assert state.add_watchlist(ROW)
    state.close()
    again = open_state(url)
    assert again.watchlists() == [ROW, HELD]
    assert [row.is_held for row in again.watchlists()] == [False, True]
    again.close()


@pytest.mark.parametrize("name", ["Stop & search", "stop search", "STOP  Séarch!"])
def test_a_name_that_reads_the_same_to_a_search_is_taken(state: State, name: str) -> None:
    assert state.add_watchlist(ROW)
    assert not state.add_watchlist(replace(ROW, name=name, query="other"))
    assert state.watchlists() == [ROW]


def test_an_approved_watchlist_is_held_no_longer_and_keeps_who_and_why(state: State) -> None:
    state.add_watchlist(HELD)
    assert state.approve_watchlist(HELD, "Alex", "public figure", NOW + MINUTE)
    (row,) = state.watchlists()
    assert row == replace(HELD, approved_by="Alex", approved_because="public figure", approved_at=NOW + MINUTE)
    assert not row.is_held
    assert not state.approve_watchlist(HELD, "Kim", "again", NOW + 2 * MINUTE)
    assert state.watchlists() == [row]


def test_what_took_the_place_of_the_watchlist_that_was_seen_is_not_approved(state: State) -> None:
    state.add_watchlist(HELD)
    state.remove_watchlist("somebody")
    other = replace(HELD, query="jane smith", made_at=NOW + MINUTE)
    state.add_watchlist(other)
    assert not state.approve_watchlist(HELD, "Alex", "public figure", NOW + MINUTE)
    assert state.watchlists() == [other]


def test_a_removed_watchlist_is_gone_and_an_unknown_one_is_an_error(state: State) -> None:
    state.add_watchlist(ROW)
    state.remove_watchlist("Stop & search")
    assert state.watchlists() == []
    with pytest.raises(KeyError):
        state.remove_watchlist("Stop & search")


def test_of_many_who_take_one_name_at_once_one_gets_it(state: State) -> None:
    rows = [replace(ROW, made_by=f"person {n}") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(state.add_watchlist, rows)) == 1
    assert len(state.watchlists()) == 1


def test_a_database_from_before_there_were_watchlists_gets_them_and_keeps_what_it_had(state: State, url: str) -> None:
    state.put("kept", "yes")
    state.close()
    make_older(url, 1)
    upgraded = open_state(url)
    assert upgraded.get("kept") == "yes"
    assert upgraded.add_watchlist(HELD)
    assert upgraded.approve_watchlist(HELD, "Alex", "public figure", NOW)
    assert not upgraded.add_watchlist(HELD)
    assert upgraded.watchlists()[0].approved_at == NOW
    upgraded.close()
