"""The state that its contract is held to: over SQLite and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mentions.sqlstate import open_state
from mentions.state import State
from tests.postgres import postgres  # noqa: F401 - a fixture


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with nothing there yet."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path}/state.db"
    made: str = request.getfixturevalue("postgres")()
    return made


@pytest.fixture
def state(url: str) -> Iterator[State]:
    """A new state at that address."""
    opened = open_state(url)
    yield opened
    opened.close()
