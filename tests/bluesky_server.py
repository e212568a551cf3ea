"""A loopback data server of Bluesky's as a test tells it to be, and connectors that read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from listener.connector import Connector, Page
from listener.connectors import build_connector
from listener.connectors.bluesky import BlueskyConnector
from listener.sessions import Sessions
from tests.faulty_server import NOON, Asked, Clock, FaultyServer, Reply, reach, source, tools

ACCOUNT = {"EARSHOT_BLUESKY_HANDLE": "press.example", "EARSHOT_BLUESKY_APP_PASSWORD": "abcd-efgh"}
SEARCH, NOTIFICATIONS = "app.bsky.feed.searchPosts", "app.bsky.notification.listNotifications"
CREATE, REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"

Build = Callable[..., BlueskyConnector]


def uri(number: int) -> str:
    return f"at://did:plc:lou/app.bsky.feed.post/3k{number}"


def post(number: int, late: float = 0, **more: Any) -> dict[str, Any]:
    """A post; the higher its number the later, a second each. Its index was so many seconds `late`."""
    at = NOON - timedelta(seconds=5000 - number)
    record = {"$type": "app.bsky.feed.post", "text": f"Post {number}", "langs": ["en"], "createdAt": at.isoformat()}
    return {
        "uri": uri(number), "cid": "bafy", "author": {"did": "did:plc:lou", "handle": "lou.example", "labels": []},
        "record": {**record, **more.pop("record", {})}, "indexedAt": (at + timedelta(seconds=late)).isoformat(),
        "likeCount": 1, "repostCount": 2, "quoteCount": 3, "replyCount": 0, "labels": [], **more,
    }  # fmt: skip


def error(status: int, name: str) -> Reply:
    return Reply(json.dumps({"error": name, "message": name}).encode(), status)


def bearer(asked: Asked) -> str:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return headers.get("authorization", "").removeprefix("Bearer ")


class Bluesky(FaultyServer):
    """A data server: `posts` are found by every search; tokens are numbered, and those below `good_from` worn out."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.spoilt: dict[str, Reply] = {}
        self.good_from = self.tokens = 0
        self.cursors = True

    def answer(self, asked: Asked) -> Reply:
        method = urlsplit(asked.path).path.removeprefix("/xrpc/")
        self.calls.append(method)
        self.asked[asked.path].append(asked)
        if method in self.spoilt:
            return self.spoilt[method]
        if method in (CREATE, REFRESH):
            self.tokens += 1
            made = {"accessJwt": f"secret{self.tokens}", "refreshJwt": f"again{self.tokens}"}
            return Reply(json.dumps({"did": "did:plc:press", "handle": "press.example", **made}).encode())
        token = bearer(asked).removeprefix("secret")
        if not token or int(token) < self.good_from:
            return error(400, "ExpiredToken")
        return self._page(method, {key: each[0] for key, each in parse_qs(urlsplit(asked.path).query).items()})

    def _page(self, method: str, given: dict[str, str]) -> Reply:
        ordered = sorted(self.posts, key=lambda view: min(view["indexedAt"], view["record"]["createdAt"]), reverse=True)
        start, limit = int(given.get("cursor", 0)) if self.cursors else 0, int(given["limit"])
        rest = {"cursor": str(start + limit)} if len(ordered) > start + limit or not self.cursors else {}
        name = "posts" if method == SEARCH else "notifications"
        return Reply(json.dumps({name: ordered[start : start + limit], **rest}).encode())


@contextmanager
def bluesky(folder: Path) -> Iterator[tuple[Bluesky, Build]]:
    """The server, and what makes connectors that keep their log-ins in that folder."""
    clock = Clock()
    with Bluesky() as server:
        fetch = reach(server, clock=clock)
        made: list[Connector] = []

        def build(secrets: dict[str, str] | None = None, **options: Any) -> Any:
            """As a new process would make it."""
            given = tools(fetch, clock, ACCOUNT if secrets is None else secrets)
            given = replace(given, sessions=Sessions(folder / "sessions"))
            options = {"api_root": server.url, "query": "larkfield", **options}
            made.append(build_connector("bluesky", source("s"), options, given))
            return made[-1]

        yield server, build
        for each in made:
            each.close()
        fetch.close()


def texts(page: Page) -> list[str]:
    return [mention.text for mention in page.mentions]
