"""What the settings can reach, noted for the pages."""

from __future__ import annotations

from config.settings import Settings
from listener.connectors import CONNECTORS
from mentions.reach import Reach


def reach_of(settings: Settings) -> Reach:
    """Every kind there is, those that are set up, and what is known of each source."""
    return Reach(
        kinds=tuple(CONNECTORS),
        configured=tuple(sorted({source.kind for source in settings.sources})),
        patches={source.name: list(source.boroughs) for source in settings.sources if source.boroughs},
        terms={source.name: link for source in settings.sources if (link := CONNECTORS[source.kind].terms.link)},
    )
