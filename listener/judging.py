"""The judgement by this force's settings; apart from the house, so that commands which only judge start quickly."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.hub import HubModel
from analysis.pipeline import Pipeline
from analysis.reading import Model, ModelUnavailable, shipped
from config.settings import AnalysisSettings, Settings
from listener.acts import open_known_state
from listener.watching import known_watchlists
from mentions.clock import utc_now
from mentions.failures import UserError
from mentions.state import State
from mentions.watchlists import Watchlist

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """What reads texts: the shipped model, unless it cannot be used, and, where the settings name one, the model
    that has the last word on the mood. `by_words` names what word lists judge for want of them."""

    shipped: Model | None
    mood: HubModel | None = None
    by_words: str = ""


def open_pipeline(
    settings: Settings,
    watchlists: Sequence[Watchlist] | None = None,
    taught: Mapping[str, Sequence[str]] | None = None,
) -> Pipeline:
    """The judgement, with this force's handles, places and patches; with these watchlists, else those that run now, and
    with the places that people taught, else those of the state.

    Raises UserError where the model of mood that the settings name is not there: no other takes its place unasked.
    """
    lessons = read_lessons(settings) if taught is None else taught
    models = open_models(settings.analysis)
    return Pipeline(
        watchlists=known_watchlists(settings, utc_now()) if watchlists is None else watchlists,
        own_handles=settings.own_handles,
        places={**lessons, **settings.places},
        patches={source.name: source.boroughs for source in settings.sources if source.boroughs},
        model=models.shipped,
        mood_model=models.mood,
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


@cache  # a daemon builds its judgement anew with every change of its watchlists, and the models are the same
def open_models(given: AnalysisSettings) -> Models:
    """The models that these settings ask for, never from the network. That the shipped one cannot be used is logged
    once; raises UserError where the one named cannot."""
    mood = open_mood_model(given) if given.mood_model else None
    try:
        return Models(shipped(), mood)
    except ModelUnavailable as unavailable:
        by_words = "attitude and topic" if mood else "mood, attitude and topic"
        log.warning("model unavailable reason=%s, so %s by word list", unavailable, by_words)
        return Models(None, mood, by_words)


def open_mood_model(given: AnalysisSettings) -> HubModel:
    """The model of mood that the settings name; raises UserError that says what to do where it cannot be used."""
    folder = place_of(given.mood_model, given.models)
    if not folder.is_dir():
        raise UserError(f"analysis.mood_model: {tell_absence(given.mood_model, folder)}")
    try:
        return HubModel(folder)
    except ModelUnavailable as unavailable:
        raise UserError(f"analysis.mood_model: {unavailable}") from None


def tell_absence(name: str, folder: Path) -> str:
    """That a model is not here, and what to do."""
    mend = "no such folder" if folder == Path(name) else f"earshot models fetch {name}"
    return f'"{name}" is not on this machine: {mend}'


def prove_models(settings: Settings) -> Models:
    """The models, after the one that the settings name has read a sentence: a daemon that only finds at its first
    mention that it cannot would leave all of them without a judgement. Raises UserError."""
    models = open_models(settings.analysis)
    if models.mood:
        try:
            models.mood.prove()
        except ModelUnavailable as unavailable:
            raise UserError(f"analysis.mood_model: {unavailable}") from None
    return models


def place_of(name: str, fetched: Path) -> Path:
    """The folder of a model by its name or, where the name is one, by its folder."""
    return fetched / name.replace("/", "--") if not name.startswith("/") else Path(name)
