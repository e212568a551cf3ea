"""The judgement by this force's settings; apart from the house, so that commands which only judge start quickly."""

from __future__ import annotations

from analysis.pipeline import Pipeline
from config.settings import Settings
from mentions.clock import utc_now
from mentions.query import parse
from mentions.watchlists import Watchlist


def open_pipeline(settings: Settings) -> Pipeline:
    """The judgement, with this force's handles, places, patches and watchlists."""
    today = utc_now().date()
    current = [w for w in settings.watchlists if w.expires is None or w.expires > today]
    return Pipeline(
        watchlists=[Watchlist(w.name, parse(w.query), w.purpose, w.owner) for w in current],
        own_handles=settings.own_handles,
        places=settings.places,
        patches={source.name: source.boroughs for source in settings.sources if source.boroughs},
    )
