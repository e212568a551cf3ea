"""Whether the pages say that there is nothing, or that they cannot tell; and what the Sources page shows of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard.holding import release_books
from listener.budgets import StateBudget, allowance_of
from mentions.allowances import ALLOWANCES_NOTE, to_note
from mentions.clock import utc_now
from mentions.reach import REACH_NOTE, Reach
from mentions.records import Arrivals, Permission, SourceRow, SourceState
from tests import seeding
from tests.flow.test_views import line, table, texts, visit
from tests.seeding import Seeded

NOTHING = {
    "now": "No posts about the police in this window.",
    "mentions": "No posts about the police have been collected yet.",
    "alerts": "No open alerts.",
}


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    """Empty databases, sources on time, a living daemon; the pages read them."""
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    made = seeding.open_seeded(tmp_path / "data")
    yield made
    release_books()
    made.close()


def set_all(seeded: Seeded, state: SourceState, message: str = "") -> None:
    for row in seeded.state.sources():
        seeded.state.save_source(replace(row, state=state, message=message, next_check_at=None))


@pytest.mark.parametrize("page", NOTHING)
def test_where_enough_is_heard_a_page_says_that_there_is_nothing(seeded: Seeded, page: str) -> None:
    said = texts(visit(page))
    assert NOTHING[page] in said
    assert "Cannot tell" not in said


@pytest.mark.parametrize("page", NOTHING)
def test_where_sources_are_stopped_a_page_cannot_tell_and_says_why(seeded: Seeded, page: str) -> None:
    set_all(seeded, SourceState.PAUSED)
    said = texts(visit(page))
    assert NOTHING[page] not in said
    assert "Cannot tell: about 100% of what usually comes is not heard in full: City News (not heard)" in said


@pytest.mark.parametrize("page", NOTHING)
def test_where_the_daemon_is_silent_a_page_cannot_tell(seeded: Seeded, page: str) -> None:
    seeding.beat(seeded, seeded.now - timedelta(hours=2))
    said = texts(visit(page))
    assert NOTHING[page] not in said
    assert "Cannot tell: No daemon is running" in said


def test_a_search_that_finds_nothing_says_so_only_where_enough_is_heard(seeded: Seeded) -> None:
    seeding.seed_days(seeded, 2)
    assert "No posts match." in texts(visit("mentions", q="zebra"))
    release_books()
    set_all(seeded, SourceState.PAUSED)
    said = texts(visit("mentions", q="zebra"))
    assert "No posts match." not in said
    assert "Cannot tell" in said


def test_a_source_that_is_off_is_no_alarm_and_counts_for_nothing(seeded: Seeded) -> None:
    row = seeded.state.source("City News")
    seeded.state.save_source(replace(row, state=SourceState.OFF, message="feed: not configured", next_check_at=None))
    at = visit()
    assert "● GREEN" in line(at)
    assert at.metric[3].value == "2 of 2"
    page = visit("sources")
    assert "○ not configured" in table(page)
    assert "when configured" in table(page)
    assert "City News: feed: not configured" in texts(page)
    assert "it rarely brings" not in texts(page)


def test_where_the_only_source_that_is_configured_is_stopped_its_name_is_told(seeded: Seeded) -> None:
    set_all(seeded, SourceState.OFF)
    row = seeded.state.source("City News")
    seeded.state.save_source(replace(row, state=SourceState.PAUSED, message="refuses us", next_check_at=None))
    said = texts(visit("mentions", q="zebra"))
    assert "City News (not heard)" in said
    assert "configured in full" not in said


def test_where_nothing_is_configured_the_line_does_not_know(seeded: Seeded) -> None:
    set_all(seeded, SourceState.OFF)
    at = visit()
    assert "◇ UNKNOWN" in line(at)
    assert "No source is configured in full" in line(at)
    assert at.metric[3].value == "0 of 0"
    assert "Cannot tell: No source is configured in full" in texts(at)


def test_the_sources_page_shows_coverage_gaps_and_blind_spots(seeded: Seeded) -> None:
    seeding.seed_days(seeded)
    now = utc_now()
    seeded.state.note_gap("Riverside Forum", now - timedelta(hours=2), "window full")
    seeded.state.note_arrivals(Arrivals("City News", now.date(), 40, 3))
    reach = Reach(("feed", "forum", "mastodon", "youtube"), ("feed",), {"City News": ["Camden"]})
    seeded.state.put(REACH_NOTE, reach.to_text())
    page = visit("sources")
    rows = {
        row["Source"]: row for frame in page.dataframe for row in frame.value.to_dict("records") if "Coverage" in row
    }
    assert (rows["Riverside Forum"]["Coverage"], rows["Riverside Forum"]["Last gap"]) == ("gap", "2 h ago: window full")
    assert (rows["City News"]["Coverage"], rows["City News"]["Of them late"]) == ("as usual", 3)
    said = texts(page)
    assert "Not adequate" in said
    assert "Nextdoor: closed to outsiders" in said
    assert "YouTube: no source of this kind is set up" in said
    assert "Barnet" in said.partition("Boroughs without a local source")[2]
    assert "Camden" not in said.partition("Boroughs without a local source")[2]


def test_the_sources_page_shows_budgets_permissions_and_terms(seeded: Seeded) -> None:
    x, youtube = allowance_of("x", None), allowance_of("youtube", None)
    seeded.state.put(ALLOWANCES_NOTE, to_note([x, youtube]))
    seeded.state.put(REACH_NOTE, Reach(terms={"X search": "https://x.example/terms"}).to_text())
    StateBudget(x, seeded.state, utc_now).take(3, cost=1.25)
    StateBudget(youtube, seeded.state, utc_now).take(bucket="search")
    seeded.state.permit(Permission("X <b>search</b>", "x api.x.example", "Sam Roe", "agreed <script>", utc_now()))
    page = visit("sources")
    rows = {row["Platform"]: row for frame in page.dataframe for row in frame.value.to_dict("records") if "Left" in row}
    assert (rows["X"]["Today"], rows["X"]["Left"]) == ("3 calls, $1.25 of $5.00", "$3.75")
    assert rows["X"]["This month"] == "3 calls, $1.25 of $100.00"
    assert (rows["YouTube, search"]["Today"], rows["YouTube, search"]["Left"]) == ("1 of 100 calls", "99 calls")
    said = texts(page)
    assert "Permitted: X <b>search</b> (x api.x.example), by Sam Roe on" in said
    assert "Terms of X search: https://x.example/terms" in said


def test_a_page_over_a_state_without_the_daemon_s_notes_still_opens(seeded: Seeded) -> None:
    seeded.state.put(REACH_NOTE, "nonsense")
    seeded.state.put(ALLOWANCES_NOTE, "nonsense")
    seeded.state.register_sources([("new", "feed")], seeded.now)
    assert SourceRow("new", "feed", next_check_at=seeded.state.source("new").next_check_at) == seeded.state.source(
        "new"
    )
    assert "new (not heard)" in texts(visit("sources"))
