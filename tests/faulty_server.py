"""A loopback web server that answers as it is told: well, badly, slowly, or not at all."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from listener.connector import SourceInfo, Tools
from listener.fetch import Fetcher, FetchSettings
from mentions.mention import Voice

NOON = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Reply:
    """One answer. `fault`: "hang" (no answer), "cut" (half a body), "drip" (a byte now and then), "hang up"."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


Answer = Callable[[Asked], Reply]


class Clock:
    """Time that stands still until it is set."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class FaultyServer:
    """`serve` a path's replies in turn, the last one for ever; whatever has none answers 404."""

    def __init__(self) -> None:
        self._replies: dict[str, list[Reply | Answer]] = {}
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Answers)
        self._server.house = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def serve(self, path: str, *replies: Reply | Answer) -> str:
        """Set what a path answers (query included); returns its address."""
        self._replies[path] = list(replies)
        return self.url + path

    def answer(self, asked: Asked) -> Reply:
        self.asked[asked.path].append(asked)
        queue = self._replies.get(asked.path) or [Reply(b"no such page", 404)]
        reply = queue.pop(0) if len(queue) > 1 else queue[0]
        return reply(asked) if callable(reply) else reply

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    house: FaultyServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what these tests are about."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._reply(b"")

    def do_POST(self) -> None:
        self._reply(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _reply(self, body: bytes) -> None:
        house = self.server.house
        reply = house.answer(Asked(self.path, dict(self.headers.items()), self.command, body))
        if reply.fault == "hang":
            house.closing.wait(30)
        if reply.fault in ("hang", "hang up"):
            self._drop()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.status in (204, 304):
            return
        if reply.fault == "drip":
            self._drip(reply.body)
        else:
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.fault == "cut" else reply.body)
        if reply.fault == "cut":
            self._drop()

    def _drip(self, body: bytes) -> None:
        for byte in body:
            if self.server.house.closing.wait(0.05):
                break
            self.wfile.write(bytes([byte]))

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def conditional(body: bytes, etag: str = '"one"', **headers: str) -> Answer:
    """An answer that says 304 to whoever already has it."""
    kept = {"ETag": etag, **headers}

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("If-None-Match") == etag:
            return Reply(status=304, headers=kept)
        return Reply(body, headers=kept)

    return answer


def bomb(megabytes: int) -> Reply:
    """A small gzip answer that unpacks to so many megabytes."""
    packed = gzip.compress(b"<rss>" + b" " * (megabytes * 1_000_000))
    return Reply(packed, headers={"Content-Encoding": "gzip"})


def reach(*servers: FaultyServer, clock: Clock | None = None, total: float = 5.0, **settings: object) -> Fetcher:
    """A fetcher that may read these servers."""
    allow = tuple(f"127.0.0.1:{server.port}" for server in servers)
    given = {"allow": allow, "total_timeout": total, "connect_timeout": 2.0, "user_agent": "EarshotTest/1", **settings}
    return Fetcher(FetchSettings(**given), clock or Clock())  # type: ignore[arg-type]


def tools(fetch: Fetcher, clock: Clock, secrets: Mapping[str, str] | None = None) -> Tools:
    """What connectors are built with; the pseudonym shows its parts, so that tests can read it."""
    return Tools(
        fetch=fetch,
        clock=clock,
        pseudonym=lambda platform, author: f"<{platform}:{author}>",
        secret=(secrets or {}).get,
        own_handles=frozenset({"exampleforce", "exampleforce@force.example"}),
    )


def source(name: str = "test", voice: Voice = Voice.PUBLIC, publisher: str = "") -> SourceInfo:
    """A source as the settings would name it."""
    return SourceInfo(name, voice, publisher)


def rss(*items: str, ttl: str = "") -> bytes:
    """An RSS document around items."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{ttl}{"".join(items)}</channel></rss>'.encode()


def item(guid: str, title: str, text: str = "", date: str = "Tue, 09 Jun 2026 11:00:00 +0000", link: str = "") -> str:
    """One item of RSS; empty parts are left out."""
    parts = {"guid": guid, "title": title, "description": text, "pubDate": date, "link": link}
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value) + "</item>"


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something another thread does."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    assert true()
