"""Rules that could not look for a while look again at what they missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from config.load import load
from listener.house import open_house
from listener.unseen import Unseen
from mentions.mention import Rag, Reach, Voice
from mentions.sqlstate import open_state
from mentions.state import State
from tests.contracts.store_cases import DAY, HOUR, MINUTE, T0, judged, said


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = open_state(f"sqlite:{tmp_path}/state.db")
    yield opened
    opened.close()


def test_nothing_missed_is_nothing_to_look_at_again(state: State) -> None:
    unseen = Unseen(state, HOUR)
    assert unseen.times(T0) == []
    unseen.begin(T0)
    unseen.end()
    assert unseen.times(T0 + HOUR) == []


def test_what_was_missed_is_looked_at_from_its_beginning_and_a_restart_forgets_nothing(state: State) -> None:
    Unseen(state, HOUR).begin(T0)
    again = Unseen(state, HOUR)
    again.begin(T0 + 20 * MINUTE)
    assert again.times(T0 + 45 * MINUTE) == [T0, T0 + 15 * MINUTE, T0 + 30 * MINUTE]


@pytest.mark.parametrize("looks_back", [MINUTE, 5 * MINUTE, 20 * MINUTE, 5 * HOUR])
def test_no_moment_is_further_from_a_look_than_what_a_rule_looks_back_over(state: State, looks_back: timedelta) -> None:
    unseen = Unseen(state, looks_back)
    unseen.begin(T0)
    looks = [*unseen.times(T0 + 2 * HOUR), T0 + 2 * HOUR]
    assert all(later - earlier <= max(MINUTE, looks_back / 2) for earlier, later in pairwise(looks))


def test_what_is_older_than_a_day_wakes_nobody(state: State) -> None:
    unseen = Unseen(state, HOUR)
    unseen.begin(T0)
    assert min(unseen.times(T0 + 9 * DAY)) == T0 + 8 * DAY


@pytest.mark.parametrize("holds", ["60m", "10m", "5m"])
def test_a_red_item_of_an_outage_is_found_however_short_it_holds(tmp_path: Path, holds: str) -> None:
    (tmp_path / "earshot.toml").write_text(f'data = "{tmp_path}/d"\n[alerts.single]\nholds = "{holds}"\n')
    (tmp_path / "d").mkdir()
    now = T0 + 2 * HOUR
    house = open_house(load(tmp_path / "earshot.toml", {}), lambda: now)
    item = said(1, "Officer charged", at=T0 + 7 * MINUTE, title="Officer charged", voice=Voice.PRESS, reach=Reach.WIDE)
    house.store.save([judged(item, relevant=True, rag=Rag.RED, topic="misconduct")])
    assert house.check_rules() == [], "long past"
    house.unseen.begin(T0)
    assert len(house.check_rules()) == 1
    assert len(house.state.incidents(open_only=False)) == 1
    house.close()
