"""A source that terms close: off until a named person records the permission, and for what it was recorded only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from config.settings import Settings
from listener.approval import Approvals, asks_home, open_approvals, subject_of
from listener.connector import Page, SourceInfo, Terms, Tools
from listener.connectors import CONNECTORS
from listener.house import House, open_house
from mentions.allowances import ALLOWANCES_NOTE, from_note
from mentions.reach import REACH_NOTE, Reach
from mentions.records import Permission, SourceState
from tests.faulty_server import Clock

NOW = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class ToyOptions(BaseModel):
    api_root: str = ""


class Toy:
    """A platform whose terms want an approval; it counts how often it was asked."""

    kind: ClassVar[str] = "toy"
    Options: ClassVar[type[BaseModel]] = ToyOptions
    terms: ClassVar[Terms] = Terms("https://toy.example/terms", "toy wants a contract", "https://api.toy.example")
    asked: ClassVar[list[str]] = []

    def __init__(self, source: SourceInfo, options: Any, tools: Tools) -> None:
        self.source, self.tools = source, tools

    def poll(self, cursor: str | None) -> Page:
        self.asked.append(self.source.name)
        self.tools.budget(self.kind).take()
        return Page(cursor="1", gap="window full")

    def close(self) -> None:
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[House]:
    monkeypatch.setitem(CONNECTORS, "toy", Toy)
    monkeypatch.setattr(Toy, "asked", [])
    settings = Settings(
        data=tmp_path,
        store=f"sqlite:{tmp_path}/mentions.db",
        state=f"sqlite:{tmp_path}/state.db",
        author_key=tmp_path / "author.key",
        sources=[
            {"name": "home", "kind": "toy"},
            {"name": "replay", "kind": "toy", "api_root": "http://127.0.0.1:9"},
        ],
        budgets={"toy": {"calls_per_day": 1, "reserve": 0.0}},
    )
    made = open_house(settings, clock, jitter=0)
    yield made
    made.close()


def a_permission(what: str = "toy api.toy.example") -> Permission:
    return Permission("home", what, "Ann Lee", "contract of 12 May", NOW)


def test_a_platform_that_wants_an_approval_is_off_until_one_is_recorded(house: House, clock: Clock) -> None:
    poll = house.poll("home")
    assert poll is not None
    assert (poll.outcome, Toy.asked) == ("off", [])
    row = house.state.source("home")
    assert row.state is SourceState.OFF
    assert "toy wants a contract (https://toy.example/terms)" in row.message
    assert 'earshot sources permit "home" --by WHO --because WHY' in row.message
    house.state.permit(a_permission())
    assert house.state.source("home").next_check_at == NOW
    house.poll("home")
    assert (Toy.asked, house.state.source("home").state) == (["home"], SourceState.OK)
    house.state.withdraw_permission("home", NOW)
    house.poll("home")
    assert (Toy.asked, house.state.source("home").state) == (["home"], SourceState.OFF)


def test_a_stand_in_for_the_platform_needs_no_approval(house: House) -> None:
    house.poll("replay")
    assert Toy.asked == ["replay"]


def test_a_permission_holds_for_what_it_was_given_for(house: House) -> None:
    house.state.permit(a_permission("toy other.example"))
    house.poll("home")
    assert Toy.asked == []


def test_a_source_that_is_off_is_neither_blind_nor_collecting_nor_an_alarm(house: House) -> None:
    house.poll("home")
    house.poll("replay")
    health = house.health()
    assert (health.status, health.collecting, health.blind) == ("green", ("replay",), ())
    house.state.save_source(replace(house.state.source("replay"), state=SourceState.OFF))
    assert house.health().status == "red"
    assert "configured" in house.health().reason


def test_a_budget_that_is_spent_makes_the_source_wait_until_the_next_day(house: House, clock: Clock) -> None:
    house.poll("replay")
    clock.now += HOUR
    poll = house.poll("replay")
    assert poll is not None
    row = house.state.source("replay")
    assert (poll.outcome, row.next_check_at) == ("limited", datetime(2026, 6, 10, tzinfo=UTC))
    assert "budget of this day is spent" in row.message


def test_a_gap_that_a_page_tells_of_is_kept(house: House) -> None:
    house.poll("replay")
    assert [(gap.source, gap.at, gap.why) for gap in house.state.gaps(NOW - HOUR)] == [("replay", NOW, "window full")]


def test_the_daemon_notes_for_the_pages_what_it_may_spend_and_reach(house: House) -> None:
    assert [(each.kind, each.calls_per_day) for each in from_note(house.state.get(ALLOWANCES_NOTE))] == [("toy", 1)]
    reach = Reach.from_text(house.state.get(REACH_NOTE))
    assert (reach.configured, reach.terms["home"]) == (("toy",), "https://toy.example/terms")
    assert set(reach.kinds) == set(CONNECTORS)


def test_what_is_asked_decides_what_a_permission_is_for(house: House) -> None:
    assert subject_of("feed", {"url": "https://WWW.reddit.com/r/london/.rss"}) == "feed www.reddit.com"
    assert subject_of("toy", {}) == "toy api.toy.example"
    assert subject_of("toy", {"api_root": "http://127.0.0.1:9"}) == "toy 127.0.0.1:9"
    approvals: Approvals = open_approvals(house.settings.sources, house.state)
    assert not approvals.permitted("home")
    house.state.permit(a_permission())
    assert approvals.permitted("home")
    assert not approvals.permitted("replay")


@pytest.mark.parametrize("root", ["", "https://api.toy.example", "HTTPS://API.toy.example/"])
def test_the_platform_itself_is_home_however_it_is_spelt(root: str) -> None:
    assert asks_home({"api_root": root}, Toy.terms)
    assert not asks_home({"api_root": "http://127.0.0.1:9"}, Toy.terms)
