"""What commands look up in the state, and what somebody did at the command line, put into the audit."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from config.settings import Settings
from mentions.clock import utc_now
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.stores import open_store


def open_known_state(settings: Settings) -> State | None:
    """The state database to read; None where nothing has been kept yet, which is no fault."""
    kind, _, path = settings.state.partition(":")
    return None if kind == "sqlite" and not Path(path).exists() else open_state(settings.state)


def refuse_missing(settings: Settings) -> None:
    """A slip in `--data` makes no store: where nothing is held there is nothing to act on. Raises UserError."""
    open_store(settings.store, readonly=True).close()


def note_act(settings: Settings, action: str, detail: dict[str, object]) -> None:
    """Put what somebody did at the command line into the audit."""
    state = open_state(settings.state)
    try:
        state.audit(utc_now(), f"command line, {whoever()}", action, detail)
    finally:
        state.close()


def whoever() -> str:
    """The user's name; in a container that has none, the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
