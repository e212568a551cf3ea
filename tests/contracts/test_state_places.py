"""The promises of mentions.state.State about places that corrections taught, over SQLite and a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from mentions.records import TaughtPlace
from mentions.sqlstate import open_state
from mentions.state import State
from tests.contracts.test_state import NOW, make_older

SWAN = TaughtPlace("The Swan", ("Camden", "Brent"), "forum:1", "Sam Roe", NOW)


def test_a_taught_place_comes_back_until_its_correction_is_undone(state: State, url: str) -> None:
    other = replace(SWAN, name="Duck Pond", mention_id="forum:2")
    state.teach_place(SWAN)
    state.teach_place(other)
    with_both = open_state(url)
    assert with_both.taught_places() == [other, SWAN]
    with_both.close()
    state.unteach_places("forum:1")
    state.unteach_places("forum:1")
    assert state.taught_places() == [other]


def test_one_lesson_is_forgotten_by_a_name_that_reads_the_same(state: State) -> None:
    state.teach_place(SWAN)
    state.forget_place("the goose")
    assert state.taught_places() == [SWAN]
    state.forget_place("the  swan")
    assert state.taught_places() == []


def test_the_last_lesson_about_a_name_stands(state: State) -> None:
    state.teach_place(SWAN)
    moved = replace(SWAN, name="the swan", boroughs=("Ealing",))
    state.teach_place(moved)
    assert state.taught_places() == [moved]


def test_a_database_from_before_there_were_lessons_gets_them_and_keeps_what_it_had(state: State, url: str) -> None:
    state.put("kept", "yes")
    state.close()
    make_older(url, 2)
    upgraded = open_state(url)
    upgraded.teach_place(SWAN)
    assert (upgraded.get("kept"), upgraded.taught_places()) == ("yes", [SWAN])
    upgraded.close()
