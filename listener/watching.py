"""Watchlists from the settings and those that people added: which run, and what keeps one from running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from analysis.persons import PersonGate
from config.problems import Problem
from config.settings import Settings, WatchlistSettings
from listener.acts import open_known_state
from mentions.facets import FACT_FIELDS, facet
from mentions.failures import UserError
from mentions.query import Query, parse
from mentions.records import WatchlistRow
from mentions.times import EPOCH
from mentions.watchlists import Watchlist, find_unmatchable


class Standing(StrEnum):
    """Whether a watchlist is matched, and why not."""

    RUNNING = "running"
    HELD = "held"  # names a private person, and nobody has approved it
    EXPIRED = "expired"
    HIDDEN = "hidden"  # the settings have one of that name
    UNREADABLE = "unreadable"  # its query is not understood, as by an older Earshot


def open_gate(settings: Settings) -> PersonGate:
    """What tells private persons from whomever this force may name."""
    return PersonGate(settings.own_handles, settings.public_names, settings.places)


@lru_cache(20_000)  # the daemon asks every half minute which run
def read_watched(text: str) -> Query:
    """A watchlist's query. Raises UserError where it cannot be read, or asks for what is not known in time."""
    query = parse(text, EPOCH)  # no date is taken in the end
    if field := find_unmatchable(query):
        raise UserError(
            f"a watchlist cannot ask for {field}: it is matched as a mention comes in, before it is judged; "
            f"use words and the fields {', '.join(FACT_FIELDS)}, and filter by {field} when you search"
        )
    return query


def find_watchlist_problems(settings: Settings, file: str) -> Iterator[Problem]:
    """Queries that cannot be read or matched, names that are one to a search, private persons."""
    first: dict[str, int] = {}
    gate = open_gate(settings) if settings.watchlists else None
    for number, watchlist in enumerate(settings.watchlists, start=1):
        where = f"watchlists[{number}]"
        earlier = first.setdefault(facet("watchlist", watchlist.name), number)
        if earlier != number:
            expected = (
                f"a name that a search can tell from that of watchlists[{earlier}]: only letters and digits count"
            )
            yield Problem(file, f"{where}.name", f'"{watchlist.name}"', expected)
        try:
            query = read_watched(watchlist.query)
        except UserError as error:
            yield Problem(file, f"{where}.query", f'"{watchlist.query}"', f"a query: {error}")
            continue
        for person in gate.find_persons(query) if gate else ():
            yield Problem(file, f"{where}.query", f"a private person: {person}", _INSTEAD)


_INSTEAD = (
    "topics, places, organisations or accounts of ours; name an organisation or office-holder in public_names, or use "
    "`earshot watchlists add`, where a second person can approve it"
)


def today_of(settings: Settings, now: datetime) -> date:
    """The day it is in the force's own zone."""
    return now.astimezone(ZoneInfo(settings.timezone)).date()


def standing_of(watchlist: WatchlistSettings | WatchlistRow, settings: Settings, now: datetime) -> Standing:
    """Whether a watchlist is matched now."""
    if isinstance(watchlist, WatchlistRow):
        if facet("watchlist", watchlist.name) in _names_of(settings):
            return Standing.HIDDEN
        if watchlist.is_held:
            return Standing.HELD
    if watchlist.expires is not None and watchlist.expires <= today_of(settings, now):
        return Standing.EXPIRED
    try:
        read_watched(watchlist.query)
    except UserError:
        return Standing.UNREADABLE
    return Standing.RUNNING


@lru_cache(8)
def _facets_of(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(facet("watchlist", name) for name in names)


def _names_of(settings: Settings) -> frozenset[str]:
    """The names that the settings have taken, as a search sees them."""
    return _facets_of(tuple(each.name for each in settings.watchlists))


def running_watchlists(settings: Settings, added: Sequence[WatchlistRow], now: datetime) -> tuple[Watchlist, ...]:
    """Those that are matched now, by name. Where the settings and an added one share a name, the settings' is."""
    every: tuple[WatchlistSettings | WatchlistRow, ...] = (*settings.watchlists, *added)
    running = [each for each in every if standing_of(each, settings, now) is Standing.RUNNING]
    found = [Watchlist(each.name, read_watched(each.query), each.purpose, each.owner) for each in running]
    return tuple(sorted(found, key=lambda each: each.name))


def known_watchlists(settings: Settings, now: datetime) -> tuple[Watchlist, ...]:
    """Those that are matched now, where there is no daemon to ask: added ones are read from the state."""
    state = open_known_state(settings)
    if state is None:
        return running_watchlists(settings, (), now)
    with closing(state):
        return running_watchlists(settings, state.watchlists(), now)
