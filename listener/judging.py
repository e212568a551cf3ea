"""The judgement by this force's settings; apart from the house, so that commands which only judge start quickly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from analysis.pipeline import Pipeline
from config.settings import Settings
from listener.acts import open_known_state
from listener.watching import known_watchlists
from mentions.clock import utc_now
from mentions.state import State
from mentions.watchlists import Watchlist


def open_pipeline(
    settings: Settings,
    watchlists: Sequence[Watchlist] | None = None,
    taught: Mapping[str, Sequence[str]] | None = None,
) -> Pipeline:
    """The judgement, with this force's handles, places and patches; with these watchlists, else those that run now, and
    with the places that people taught, else those of the state."""
    lessons = read_lessons(settings) if taught is None else taught
    return Pipeline(
        watchlists=known_watchlists(settings, utc_now()) if watchlists is None else watchlists,
        own_handles=settings.own_handles,
        places={**lessons, **settings.places},
        patches={source.name: source.boroughs for source in settings.sources if source.boroughs},
    )


def read_lessons(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The places that people taught, with their boroughs, where there is no daemon to ask."""
    state = open_known_state(settings)
    if state is None:
        return {}
    with closing(state):
        return lessons_of(state)


def lessons_of(state: State) -> dict[str, tuple[str, ...]]:
    """The places that people taught, with their boroughs."""
    return {place.name: place.boroughs for place in state.taught_places()}
