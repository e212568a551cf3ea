"""The promises of mentions.state.State about boards, over SQLite and a real PostgreSQL."""

from __future__ import annotations

import pytest

from mentions.failures import TemporaryFailure
from mentions.records import Board
from mentions.sqlstate import open_state
from mentions.state import State
from tests.contracts.test_state import MINUTE, NOW, make_older


def test_a_board_comes_back_as_it_was_kept_also_by_another_reader(state: State, url: str) -> None:
    assert state.board("stories") is None
    state.keep_board("stories", NOW, '{"stories": ["ü", 1]}')
    state.keep_board("emerging", NOW, "{}")
    reader = open_state(url, readonly=True)
    assert reader.board("stories") == Board("stories", NOW, '{"stories": ["ü", 1]}')
    with pytest.raises(TemporaryFailure):
        reader.keep_board("stories", NOW, "{}")
    reader.close()


def test_a_newer_board_takes_the_place_of_an_older_one_and_never_the_other_way(state: State) -> None:
    state.keep_board("stories", NOW, "old")
    state.keep_board("stories", NOW + MINUTE, "new")
    state.keep_board("stories", NOW, "late")
    assert state.board("stories") == Board("stories", NOW + MINUTE, "new")
    state.keep_board("stories", NOW + MINUTE, "again")
    assert state.board("stories") == Board("stories", NOW + MINUTE, "again")


def test_a_database_from_before_there_were_boards_gets_them(state: State, url: str) -> None:
    state.put("kept", "yes")
    state.close()
    make_older(url, 3)
    upgraded = open_state(url)
    assert upgraded.get("kept") == "yes"
    assert upgraded.board("stories") is None
    upgraded.keep_board("stories", NOW, "{}")
    assert upgraded.board("stories") == Board("stories", NOW, "{}")
    upgraded.close()
