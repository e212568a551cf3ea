"""What connectors are given to work with, from the settings."""

from __future__ import annotations

import os
from dataclasses import replace

from config.settings import Settings
from listener.apart import READING
from listener.approval import open_approvals
from listener.budgets import open_budgets
from listener.connector import Connector, SourceInfo, Tools
from listener.connectors import build_connector
from listener.fetch import Fetcher, FetchSettings
from listener.sessions import Sessions
from mentions.clock import Clock
from mentions.mention import Voice
from mentions.pseudonyms import AuthorKey, plain_name
from mentions.state import State

SESSIONS = "sessions"  # in the data directory


def open_connectors(
    settings: Settings, fetcher: Fetcher, clock: Clock, state: State | None = None
) -> dict[str, Connector]:
    """A connector for every source; without a state none is permitted anything, and nothing is counted."""
    tools = open_tools(settings, fetcher, clock, AuthorKey.load_or_create(settings.author_key), state)
    tools = replace(tools, sessions=Sessions(settings.data / SESSIONS))
    return {
        source.name: build_connector(
            source.kind, SourceInfo(source.name, Voice(source.voice), source.publisher), source.options, tools
        )
        for source in settings.sources
    }


def open_tools(settings: Settings, fetcher: Fetcher, clock: Clock, key: AuthorKey, state: State | None = None) -> Tools:
    """What every connector is built with."""
    handles = frozenset(map(plain_name, settings.own_handles))
    tools = Tools(fetcher, clock, key.pseudonym, os.environ.get, settings.timezone, handles, apart=READING.do)
    if state is None:
        return tools
    approvals = open_approvals(settings.sources, state)
    return replace(tools, budget=open_budgets(settings, state, clock), permitted=approvals.permitted)


def fetch_settings(settings: Settings) -> FetchSettings:
    """The fetch layer's settings from the file's."""
    given = settings.fetch
    contact = f" (+{given.contact})" if given.contact else ""
    return FetchSettings(
        user_agent=given.user_agent + contact,
        connect_timeout=given.connect_timeout.total_seconds(),
        total_timeout=given.total_timeout.total_seconds(),
        max_bytes=given.max_bytes,
        host_gap=given.host_gap.total_seconds(),
        allow=given.allow,
        respect_robots=given.respect_robots,
    )
