"""The judgement by this force's settings; apart from the house, so that commands which only judge start quickly."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.pipeline import Pipeline
from config.settings import Settings
from listener.watching import known_watchlists
from mentions.clock import utc_now
from mentions.watchlists import Watchlist


def open_pipeline(settings: Settings, watchlists: Sequence[Watchlist] | None = None) -> Pipeline:
    """The judgement, with this force's handles, places and patches; with these watchlists, else those that run now."""
    return Pipeline(
        watchlists=known_watchlists(settings, utc_now()) if watchlists is None else watchlists,
        own_handles=settings.own_handles,
        places=settings.places,
        patches={source.name: source.boroughs for source in settings.sources if source.boroughs},
    )
