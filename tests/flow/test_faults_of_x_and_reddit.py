"""Everything that can go wrong at each call of X and Reddit: the log-in, the first page, the second."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

import pytest

from listener.connector import Connector, Page
from listener.connectors import build_connector
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited, TemporaryFailure
from tests.faulty_server import NOON, Clock, Reply, reach, source, tools
from tests.recorded_traffic import Exchange, RecordedServer

SECRETS = {
    "EARSHOT_X_BEARER_TOKEN": "t0ken",
    "EARSHOT_REDDIT_CLIENT_ID": "app",
    "EARSHOT_REDDIT_CLIENT_SECRET": "s3cret",
}
JSON = {"Content-Type": "application/json"}
SIGN_IN = b"<html><title>Log in</title><form><input type=password></form></html>"
FAULTS = {
    "hung": (Reply(fault="hang"), TemporaryFailure),
    "no answer": (Reply(fault="hang up"), TemporaryFailure),
    "cut short": (Reply(b'{"data": [' + b" " * 99, headers=JSON, fault="cut"), TemporaryFailure),
    "500": (Reply(b"{}", 500, JSON), TemporaryFailure),
    "503 with a page": (Reply(b"<html>Our servers are busy</html>", 503), TemporaryFailure),
    "404": (Reply(b'{"message": "Not Found", "error": 404}', 404, JSON), TemporaryFailure),
    "a web page": (Reply(b"<html><title>Well done</title></html>"), TemporaryFailure),
    "another JSON": (Reply(b'{"hello": 1}', headers=JSON), TemporaryFailure),
    "a list": (Reply(b"[1]", headers=JSON), TemporaryFailure),
    "nothing": (Reply(b"", headers=JSON), TemporaryFailure),
    "429": (Reply(b"{}", 429, {**JSON, "Retry-After": "90"}), RateLimited),
    "429 untold": (Reply(b"<html>Too Many Requests</html>", 429), RateLimited),
    "401": (Reply(b'{"title": "Unauthorized"}', 401, JSON), NeedsAttention),
    "403": (Reply(b'{"reason": "private", "message": "Forbidden", "error": 403}', 403, JSON), NeedsAttention),
    "410": (Reply(b"gone", 410), NeedsAttention),
    "451": (Reply(b"{}", 451, JSON), NeedsAttention),
    "a sign-in page": (Reply(SIGN_IN), NeedsAttention),
    "sent elsewhere": (Reply(status=302, headers={"Location": "https://other.example/"}), NeedsAttention),
}
CALLS = {"x": ("first page", "second page"), "reddit": ("log-in", "first page", "second page")}
CASES = [(kind, call, fault) for kind, calls in CALLS.items() for call in range(len(calls)) for fault in FAULTS]


def x_page(ids: list[int], token: str = "") -> Exchange:
    data = [{"id": str(each), "text": f"Post {each}", "author_id": "7"} for each in ids]
    meta = {"newest_id": str(ids[0]), "result_count": len(ids), **({"next_token": "two"} if not token else {})}
    uri = f"/2/tweets/search/recent{'?next_token=' + token if token else ''}"
    return Exchange("GET", uri, 200, json.dumps({"data": data, "meta": meta}).encode(), JSON)


def reddit_page(ids: list[int], after: str = "") -> Exchange:
    children = [
        {"kind": "t3", "data": {"name": f"t3_{each}", "title": f"Post {each}", "created_utc": 1781000000 + each}}
        for each in ids
    ]
    body = {"kind": "Listing", "data": {"after": None if after else f"t3_{ids[-1]}", "children": children}}
    return Exchange("GET", f"/r/london/new{'?after=' + after if after else ''}", 200, json.dumps(body).encode(), JSON)


TOKEN = Exchange(
    "POST", "/api/v1/access_token", 200,
    b'{"access_token": "t", "token_type": "bearer", "expires_in": 86400, "scope": "*"}', JSON,
)  # fmt: skip


def server_of(kind: str) -> RecordedServer:
    if kind == "x":
        return RecordedServer([x_page([40, 30]), x_page([20, 10], "two")])
    return RecordedServer([TOKEN, reddit_page([40, 30]), reddit_page([20, 10], "t3_30")])


@contextmanager
def reading(kind: str, clock: Clock, server: RecordedServer, seconds: float = 5.0) -> Iterator[Connector]:
    options: dict[str, Any] = {"api_root": server.url, "pages": 2}
    options |= {"query": "x"} if kind == "x" else {"subreddit": "london"}
    fetch = reach(server, clock=clock, total=seconds)
    connector = build_connector(kind, source(), options, tools(fetch, clock, SECRETS))
    with closing(fetch), closing(connector):
        yield connector


def drain(connector: Connector, cursor: str | None = None) -> tuple[list[Page], Failure | None]:
    """Pages until there is no more, or until a failure."""
    pages: list[Page] = []
    for _ in range(10):
        try:
            pages.append(connector.poll(cursor))
        except Failure as failure:
            return pages, failure
        cursor = pages[-1].cursor
        if not pages[-1].more:
            return pages, None
    raise AssertionError("never came to an end")


def numbers(pages: list[Page]) -> list[str]:
    return [mention.words for page in pages for mention in page.mentions]


@pytest.mark.parametrize(("kind", "call", "fault"), CASES, ids=lambda value: str(value))
def test_a_fault_at_any_call_is_told_apart_at_once_and_costs_nothing_that_was_read(
    kind: str, call: int, fault: str
) -> None:
    reply, expected = FAULTS[fault]
    clock = Clock()
    with server_of(kind) as server, reading(kind, clock, server, 0.4) as connector:
        server.spoil(call, reply)
        renewed = fault == "401" and CALLS[kind][call] == "second page" and kind == "reddit"
        if renewed:  # a token may run out between two pages: it is renewed, and what comes with the new one counts
            server.spoil(call + 2, reply)
        began = time.monotonic()
        pages, failure = drain(connector)
        assert time.monotonic() - began < 3
        assert isinstance(failure, expected)
        assert len(server.calls) == call + (3 if renewed else 1)
        assert numbers(pages) == (["Post 40", "Post 30"] if CALLS[kind][call] == "second page" else [])
        if isinstance(failure, RateLimited):
            assert failure.until == NOON + (timedelta(seconds=90) if fault == "429" else timedelta(minutes=15))
        # Afterwards it goes on where it was.
        rest, failure = drain(connector, pages[-1].cursor if pages else None)
        assert failure is None
        assert numbers(pages + rest) == [f"Post {each}" for each in (40, 30, 20, 10)]
        last, failure = drain(connector, rest[-1].cursor)
        assert (numbers(last), failure) == ([], None)


@pytest.mark.parametrize("kind", CALLS)
def test_without_credentials_it_is_not_configured_and_asks_nothing(kind: str) -> None:
    clock = Clock()
    with server_of(kind) as server, closing(reach(server, clock=clock)) as fetch:
        options = {"api_root": server.url, **({"query": "x"} if kind == "x" else {"subreddit": "london"})}
        connector = build_connector(kind, source(), options, tools(fetch, clock))
        with pytest.raises(NotConfigured, match="EARSHOT_X_BEARER_TOKEN" if kind == "x" else "EARSHOT_REDDIT_CLIENT"):
            connector.poll(None)
        assert server.calls == []


def test_a_token_that_has_run_out_is_renewed_once() -> None:
    clock = Clock()
    with server_of("reddit") as server, reading("reddit", clock, server) as connector:
        first = connector.poll(None)
        server.spoil(2, Reply(b"{}", 401, JSON))
        second = connector.poll(first.cursor)
        assert numbers([first, second]) == ["Post 40", "Post 30", "Post 20", "Post 10"]
        assert [call.partition(" ")[0] for call in server.calls] == ["POST", "GET", "GET", "POST", "GET"]


@pytest.mark.parametrize(
    "answer", [Reply(b'{"error": "invalid_grant"}', 400, JSON), Reply(b'{"error": "invalid_grant"}')]
)
def test_a_log_in_that_is_refused_says_so(answer: Reply) -> None:
    clock = Clock()
    with server_of("reddit") as server, reading("reddit", clock, server) as connector:
        server.spoil(0, answer)
        with pytest.raises(NeedsAttention, match="invalid_grant"):
            connector.poll(None)
