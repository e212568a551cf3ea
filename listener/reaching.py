"""What the settings can reach, noted for the pages."""

from __future__ import annotations

from config.settings import Settings
from listener.budgets import allowances_of
from listener.connectors import CONNECTORS
from mentions.allowances import ALLOWANCES_NOTE, to_note
from mentions.reach import REACH_NOTE, Reach
from mentions.state import State


def note_reach(settings: Settings, state: State) -> None:
    """Tell the pages what can be reached, and what that may cost."""
    state.put(ALLOWANCES_NOTE, to_note(allowances_of(settings)))
    state.put(REACH_NOTE, reach_of(settings).to_text())


def reach_of(settings: Settings) -> Reach:
    """Every kind there is, those that are set up, and what is known of each source."""
    return Reach(
        kinds=tuple(CONNECTORS),
        configured=tuple(sorted({source.kind for source in settings.sources})),
        patches={source.name: list(source.boroughs) for source in settings.sources if source.boroughs},
        terms={source.name: link for source in settings.sources if (link := CONNECTORS[source.kind].terms.link)},
    )
