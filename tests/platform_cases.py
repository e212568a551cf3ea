"""What the tests of platforms share: a connector with made-up credentials, and what a server can do to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from listener.connectors import build_connector
from listener.trying import Tried, try_source
from mentions.mention import Mention
from tests.faulty_server import Clock, FaultyServer, Reply, reach, source, tools

AUTUMN = datetime(2026, 11, 1, 12, tzinfo=UTC)
CREDENTIALS = {
    "EARSHOT_YOUTUBE_API_KEY": "not-a-real-key",
    "EARSHOT_FACEBOOK_PAGE_TOKEN": "not-a-real-token",
    "EARSHOT_FLICKR_API_KEY": "not-a-real-key",
}
FAULTS = [
    pytest.param(Reply(b"{}", 429), "rate_limited", id="429"),
    pytest.param(Reply(status=401), "needs_attention", id="401"),
    pytest.param(Reply(status=403), "needs_attention", id="403"),
    pytest.param(Reply(status=410), "needs_attention", id="410"),
    pytest.param(Reply(b"<title>Log in</title>"), "needs_attention", id="sign-in page"),
    pytest.param(Reply(status=302, headers={"Location": "/login"}), "needs_attention", id="sent to sign in"),
    pytest.param(Reply(b"not here", 404), "temporary", id="404"),
    pytest.param(Reply(status=500), "temporary", id="500"),
    pytest.param(Reply(status=503), "temporary", id="503"),
    pytest.param(Reply(b"[" * 99, fault="cut"), "temporary", id="cut off"),
    pytest.param(Reply(fault="hang up"), "temporary", id="hung up"),
    pytest.param(Reply(b"<html><title>Down</title></html>"), "temporary", id="other HTML"),
    pytest.param(Reply(b"[]"), "temporary", id="other JSON"),
]


@contextmanager
def reading(kind: str, server: FaultyServer, clock: Clock | None = None, **options: Any) -> Iterator[Any]:
    """A connector that reads this server."""
    clock = clock or Clock(AUTUMN)
    fetch = reach(server, clock=clock)
    given = tools(fetch, clock, CREDENTIALS)
    connector = build_connector(kind, source("Larkfield"), {"api_root": server.url, **options}, given)
    yield connector
    connector.close()
    fetch.close()


def polled(connector: Any, polls: int = 2) -> Tried:
    """What so many polls give; no post comes twice."""
    tried = try_source(connector, polls)
    assert len({each.native_id for each in tried.mentions.values()}) == len(tried.mentions)
    return tried


def nothing_new(tried: Tried) -> bool:
    """Whether the polls after the first found all as it was."""
    return all(not any(poll.values()) for poll in tried.polls[1:])


def found(tried: Tried) -> list[Mention]:
    """The mentions in the order they came."""
    return list(tried.mentions.values())
