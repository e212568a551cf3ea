"""The judgement by this force's settings; apart from the house, so that commands which only judge start quickly."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from analysis.pipeline import Pipeline
from config.settings import Settings, WatchlistSettings
from mentions.clock import Clock, utc_now
from mentions.query import parse
from mentions.watchlists import Watchlist


def open_pipeline(settings: Settings, clock: Clock = utc_now) -> Pipeline:
    """The judgement, with this force's handles, places, patches and the watchlists that run today."""
    return Pipeline(
        watchlists=[Watchlist(w.name, parse(w.query), w.purpose, w.owner) for w in current_watchlists(settings, clock)],
        own_handles=settings.own_handles,
        places=settings.places,
        patches={source.name: source.boroughs for source in settings.sources if source.boroughs},
    )


def current_watchlists(settings: Settings, clock: Clock) -> tuple[WatchlistSettings, ...]:
    """Those that have not expired, by the date in the force's own zone."""
    today = clock().astimezone(ZoneInfo(settings.timezone)).date()
    return tuple(each for each in settings.watchlists if each.expires is None or each.expires > today)
