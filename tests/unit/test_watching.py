"""Which watchlists run, and what keeps others from running."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.load import load
from config.settings import Settings
from listener.start import find_problems
from listener.watching import Standing, known_watchlists, read_watched, running_watchlists, standing_of
from mentions.failures import UserError
from mentions.records import WatchlistRow
from mentions.sqlstate import open_state

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def settings_of(folder: Path, text: str = "") -> Settings:
    (folder / "earshot.toml").write_text(text)
    return load(folder / "earshot.toml", {})


def listed(name: str, query: str) -> str:
    return f"[[watchlists]]\nname = {name!r}\nquery = {query!r}\npurpose = 'a test'\n"


def added(name: str, query: str = "bus", **more: object) -> WatchlistRow:
    return WatchlistRow(name, query, "a test", "desk", "Sam", NOW, **more)  # type: ignore[arg-type]


def problems(folder: Path, text: str) -> list[str]:
    return [str(each) for each in find_problems(settings_of(folder, text), "earshot.toml")]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("@neighbour", "@neighbour"),
        ("'dave smith'", "dave smith"),
        ("bus NOT @neighbour", "@neighbour"),
        ("(bus", "never closed"),
        ("bus rag:red", "cannot ask for rag"),
        ("bus date:[now-1d TO *]", "cannot ask for date"),
        ("bus sentiment:[* TO -0.3]", "cannot ask for sentiment"),
    ],
)
def test_a_watchlist_that_cannot_or_must_not_run_is_a_problem_of_the_settings(
    query: str, says: str, tmp_path: Path
) -> None:
    (found,) = problems(tmp_path, listed("one", query.replace("'", '"')))
    assert found.startswith("earshot.toml: watchlists[1].query: ")
    assert says in found


def test_our_own_accounts_and_public_names_may_be_named(tmp_path: Path) -> None:
    public = 'own_handles = ["@metpoliceuk"]\npublic_names = ["Dave Smith", "@neighbour"]\n'
    lists = listed("ours", "@MetPoliceUK OR @neighbour") + listed("him", '"dave smith"')
    assert problems(tmp_path, public + lists) == []


def test_two_names_that_read_the_same_to_a_search_are_a_problem(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, listed("Stop & search", "bus") + listed("stop search", "tram"))
    assert found.startswith("earshot.toml: watchlists[2].name: ")
    assert "watchlists[1]" in found


@pytest.mark.parametrize(
    ("row", "standing"),
    [
        (added("new"), Standing.RUNNING),
        (added("new", held_because="names somebody"), Standing.HELD),
        (added("new", held_because="names somebody", approved_at=NOW), Standing.RUNNING),
        (added("new", expires=date(2026, 3, 10)), Standing.EXPIRED),
        (added("new", expires=date(2026, 3, 11)), Standing.RUNNING),
        (added("Set!"), Standing.HIDDEN),
        (added("new", "(bus"), Standing.UNREADABLE),
        (added("new", "bus rag:red"), Standing.UNREADABLE),
    ],
)
def test_every_watchlist_has_a_standing(row: WatchlistRow, standing: Standing, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, listed("set", "tram"))
    assert standing_of(row, settings, NOW) is standing
    names = [each.name for each in running_watchlists(settings, [row], NOW)]
    assert names == (["new", "set"] if standing is Standing.RUNNING else ["set"])


def test_without_a_daemon_what_was_added_is_read_from_the_state(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"data = '{tmp_path}'\n" + listed("set", "tram"))
    assert [each.name for each in known_watchlists(settings, NOW)] == ["set"]
    state = open_state(settings.state)
    state.add_watchlist(added("new"))
    state.close()
    assert [each.name for each in known_watchlists(settings, NOW)] == ["new", "set"]


def test_a_watchlist_asks_for_words_and_facts() -> None:
    assert read_watched('bus platform:x own:no reach:wide "a b"~3')
    with pytest.raises(UserError, match="before it is judged"):
        read_watched("bus borough:Camden")
