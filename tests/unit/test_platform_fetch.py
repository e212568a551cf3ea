"""What client libraries ask through: how an answer is judged before any of them sees it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from listener.fetch_libraries import FetcherAdapter, FetcherHttp, FetcherTransport, open_session
from listener.platform_fetch import PlatformFetch, Unchanged, translated
from mentions.failures import NeedsAttention, TemporaryFailure
from tests.faulty_server import Clock, FaultyServer, Reply, reach, tools


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture
def platform(server: FaultyServer) -> Iterator[PlatformFetch]:
    clock = Clock()
    fetch = reach(server, clock=clock)
    yield PlatformFetch(tools(fetch, clock), server.url)
    fetch.close()


@pytest.mark.parametrize("library", ["requests", "httpx", "httplib2"])
def test_nothing_changed_is_no_answer_to_whoever_did_not_ask_that(
    server: FaultyServer, platform: PlatformFetch, library: str
) -> None:
    url = server.serve("/posts", Reply(status=304))
    asking = {
        "requests": lambda: open_session(FetcherAdapter(platform)).get(url),
        "httpx": lambda: httpx.Client(transport=FetcherTransport(platform)).get(url),
        "httplib2": lambda: FetcherHttp(platform).request(url),
    }[library]
    with pytest.raises(TemporaryFailure, match="304"), translated("here"):
        asking()


def test_nothing_changed_is_an_answer_to_whoever_asked_that(server: FaultyServer, platform: PlatformFetch) -> None:
    url, adapter = server.serve("/posts", Reply(status=304)), FetcherAdapter(platform)
    adapter.validator = '"a"'
    with pytest.raises(Unchanged), translated("here"):
        open_session(adapter).get(url)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, NeedsAttention), (404, TemporaryFailure), (500, TemporaryFailure), (503, TemporaryFailure)],
)
def test_a_server_in_trouble_that_talks_of_signing_in_is_in_trouble(
    server: FaultyServer, platform: PlatformFetch, status: int, kind: type[Exception]
) -> None:
    url = server.serve("/posts", Reply(b"<title>Please log in later</title>", status))
    with pytest.raises(kind):
        platform.ask("GET", url, {})


def test_credentials_never_travel_unencrypted_to_the_platform_itself(server: FaultyServer) -> None:
    clock = Clock()
    fetch = reach(server, clock=clock)
    platform = PlatformFetch(tools(fetch, clock), "https://api.example", "http://api.example:80")
    with pytest.raises(NeedsAttention, match="unencrypted"):
        platform.ask("GET", "https://api.example/posts", {"Authorization": "Bearer t0ken"})
    fetch.close()
