"""A platform under any of its names is the platform: approval, budget and pauses hold; a stand-in has none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from listener.approval import asks_home, subject_of
from listener.connector import UNBOUNDED, Budget
from listener.connectors import CONNECTORS, build_connector
from listener.forums.asking import ask
from listener.platform_fetch import PlatformFetch
from mentions.failures import NotConfigured
from tests.faulty_server import Clock, FaultyServer, Reply, reach, source, tools

NEEDED: dict[str, dict[str, str]] = {
    "x": {"query": "patrols"},
    "reddit": {"subreddit": "london"},
    "youtube": {"query": "patrols"},
    "flickr": {"query": "patrols"},
    "facebook": {"page_id": "1"},
}
ITS_OWN = {
    "x": ("api.x.com", "API.X.com.", "api.x.com:443", "api.twitter.com:443", "api.x\u3002com", "api.\uff58.com"),
    "reddit": ("oauth.reddit.com:443", "www.reddit.com", "api.reddit.com", "old.reddit.com."),
    "youtube": ("www.googleapis.com", "youtube.googleapis.com:443", "youtube.googleapis.com:80"),
    "flickr": ("www.flickr.com", "api.flickr.com:8443"),
    "facebook": ("graph.facebook.com:443", "graph-video.facebook.com"),
}
CASES = [
    (kind, f"{scheme}://{host}") for kind, hosts in ITS_OWN.items() for host in hosts for scheme in ("https", "http")
]
STAND_INS = (
    "http://127.0.0.1:9",
    "http://[::1]:9",
    "http://localhost:9",
    "https://x.com.example",
    "https://notx.com",
)


def test_the_kinds_that_take_from_a_budget_are_the_ones_that_say_so() -> None:
    assert {kind for kind, each in CONNECTORS.items() if each.terms.counted} == set(NEEDED)


@contextmanager
def budgets_asked(kind: str, root: str) -> Iterator[list[str]]:
    """What kinds of budgets a connector asks for when it is built."""
    asked: list[str] = []

    def budget(kind: str) -> Budget:
        asked.append(kind)
        return UNBOUNDED

    fetch = reach(clock=Clock())
    given = replace(tools(fetch, Clock()), budget=budget)
    connector = build_connector(kind, source(), {"api_root": root, **NEEDED[kind]}, given)
    yield asked
    connector.close()
    fetch.close()


@pytest.mark.parametrize(("kind", "root"), CASES)
def test_every_spelling_of_a_platform_is_the_platform(kind: str, root: str) -> None:
    terms = CONNECTORS[kind].terms
    assert asks_home({"api_root": root}, terms)
    assert subject_of(kind, {"api_root": root}) == subject_of(kind, {})
    with budgets_asked(kind, root) as asked:
        assert asked == [kind]


@pytest.mark.parametrize("kind", NEEDED)
@pytest.mark.parametrize("root", STAND_INS)
def test_a_stand_in_is_never_the_platform(kind: str, root: str) -> None:
    assert not asks_home({"api_root": root}, CONNECTORS[kind].terms)
    with budgets_asked(kind, root) as asked:
        assert asked == []


@pytest.mark.parametrize("kind", [kind for kind, each in CONNECTORS.items() if each.terms.home])
def test_every_platform_with_a_home_names_the_domains_that_it_lies_under(kind: str) -> None:
    terms = CONNECTORS[kind].terms
    assert terms.domains
    fetch = reach(clock=Clock())
    assert PlatformFetch(tools(fetch, Clock()), "", terms.home, domains=terms.domains).is_home
    fetch.close()


def test_leave_to_read_a_forum_is_none_to_read_what_it_links_to() -> None:
    closed = Reply(b"User-agent: *\nDisallow: /")
    with FaultyServer() as board, FaultyServer() as other:
        for server in (board, other):
            server.serve("/robots.txt", closed)
            server.serve("/t", Reply(b"x"))
        fetch = reach(board, other, clock=Clock())
        given = replace(
            tools(fetch, Clock()), permitted=lambda source: source == "test", source="test", site=f"{board.url}/forum"
        )
        assert ask(given, f"{board.url}/t").body == b"x"
        with pytest.raises(NotConfigured):
            ask(given, f"{other.url}/t")
        fetch.close()
