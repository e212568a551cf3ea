"""Which settings a command ends up with."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings
from listener.cli import make_parser
from listener.lock import EXERCISE_MARKER
from listener.start import read_settings


def settings_for(*words: str) -> Settings:
    return read_settings(make_parser(words[0]).parse_args(words))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d").mkdir()
    return tmp_path / "d"


def test_a_store_of_the_command_line_wins_over_that_of_the_environment_and_that_over_the_settings(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("earshot.toml").write_text('store = "sqlite:set.db"\n')
    search = ("search", "police", "--data", str(data))
    assert settings_for(*search).store == f"sqlite:{data / 'set.db'}"
    monkeypatch.setenv("EARSHOT_STORE", "sqlite:told.db")
    assert settings_for(*search).store == f"sqlite:{data.parent / 'told.db'}"
    assert settings_for(*search, "--store", "sqlite:here.db").store == f"sqlite:{data.parent / 'here.db'}"


def test_what_is_live_is_never_shown_as_that_of_an_exercise(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("earshot.toml").write_text('store = "elasticsearch:http://127.0.0.1:9200"\n')
    monkeypatch.setenv("EARSHOT_STORE", "elasticsearch:http://127.0.0.1:9200")
    (data / EXERCISE_MARKER).write_text("")
    found = settings_for("dashboard", "--data", str(data))
    assert (found.store, found.state) == (f"sqlite:{data / 'mentions.db'}", f"sqlite:{data / 'state.db'}")
