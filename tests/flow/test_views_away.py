"""The pages while the store of mentions is away: the state line holds, and what cannot be read says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard.holding import release_books
from mentions.store_note import STORE_NOTE, StoreNote
from tests import seeding
from tests.earshot import free_port
from tests.flow.test_views import interpreted, line, table, texts, visit
from tests.seeding import Seeded


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    """A living daemon and a crisis; the pages are told of an Elasticsearch that does not run."""
    made = seeding.open_seeded(tmp_path / "data")
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("EARSHOT_STORE", f"elasticsearch:http://127.0.0.1:{free_port()}")
    yield made
    release_books()
    made.close()


def leave(seeded: Seeded, waiting: int = 312) -> None:
    """What the daemon writes down once its store does not answer."""
    since = seeded.now - timedelta(minutes=20)
    seeded.state.put(STORE_NOTE, StoreNote(silent_since=since, waiting=waiting, waiting_since=since).to_text())


def test_without_its_store_nothing_is_green_and_the_line_says_what_waits(away: Seeded) -> None:
    leave(away)
    shown = line(visit())
    assert "UNKNOWN" in shown
    assert "The store has not answered since" in shown
    assert "312 mentions wait on disk; nothing is lost" in shown


def test_while_mentions_wait_on_disk_nothing_is_green(away: Seeded) -> None:
    away.state.put(STORE_NOTE, StoreNote(waiting=1, waiting_since=away.now).to_text())
    assert "UNKNOWN" in line(visit())
    assert "1 mention that waited on disk is being saved" in line(visit())


def test_a_crisis_is_shown_and_can_be_acknowledged_without_the_store(away: Seeded) -> None:
    crisis = seeding.seed_crisis(away)
    leave(away)
    at = visit()
    assert "RED" in line(at)
    assert "The store has not answered since" in line(at)
    assert "cannot be read at the moment" in interpreted(at)
    assert "cannot be reached" in texts(at)
    alert = visit("alerts", id=str(crisis.id))
    assert "31 posts in 30 min" in texts(alert)
    alert.text_input(key="who_typed").set_value("Sam").run()
    next(button for button in alert.button if button.label == "Acknowledge").click().run()
    assert not alert.exception
    assert away.state.incident(crisis.id).acknowledged_by == "Sam"


@pytest.mark.parametrize(("page", "params"), [("mentions", {}), ("mentions", {"id": "test:1"}), ("alerts", {})])
def test_each_page_says_what_it_cannot_read_instead_of_breaking(
    away: Seeded, page: str, params: dict[str, str]
) -> None:
    leave(away)
    at = visit(page, **params)
    assert "The store has not answered since" in line(at)
    if page == "mentions":
        assert "cannot be read at the moment" in interpreted(at)
        assert "is Elasticsearch running?" in texts(at)


def test_the_sources_page_says_that_the_store_is_away_and_still_lists_the_sources(away: Seeded) -> None:
    leave(away)
    at = visit("sources")
    assert "The store of mentions is in trouble" in interpreted(at)
    assert "312 mentions wait on disk; nothing is lost" in texts(at)
    assert "Riverside Forum" in table(at)


def test_a_missing_node_is_a_doubt_and_no_alarm(away: Seeded) -> None:
    away.state.put(STORE_NOTE, StoreNote(doubt="one node missing (2 of 3 answer): nothing is lost").to_text())
    shown = line(visit())
    assert "GREEN" in shown
    assert "one node missing (2 of 3 answer): nothing is lost" in shown


def test_a_note_of_an_older_or_newer_daemon_breaks_no_page(away: Seeded) -> None:
    for text in ("", "no JSON", '{"colour": 1}', "[]", '{"silent_since": 3}'):
        away.state.put(STORE_NOTE, text)
        assert "GREEN" in line(visit())
