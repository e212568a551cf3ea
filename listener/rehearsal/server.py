"""The exercise's server, a process of its own on loopback: `python -m listener.rehearsal.server FILE.jsonl ...`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from listener.rehearsal.posts import Posts, Shape, board_tag, boards, load_posts
from listener.rehearsal.published import STATUS_PAGE, Document, FeedBoard, ForumBoard, Paging, StatusBoard
from mentions.clock import Clock
from mentions.failures import UserError

LONGEST_BODY = 1 << 20
INSTANCE = {
    "domain": "exercise.invalid",
    "title": "EXERCISE",
    "version": "4.4.0",
    "source_url": "https://exercise.invalid/",
    "description": "EXERCISE",
    "languages": ["en"],
    "configuration": {"urls": {}, "statuses": {"max_characters": 500}},
    "registrations": {"enabled": False},
    "api_versions": {"mastodon": 6},
    "rules": [],
}


@dataclass(slots=True)
class Stage:
    """Everything the server knows: the posts, what time it is in the scenario, and the notices it was sent."""

    posts: Posts
    clock: Clock
    feeds: dict[str, FeedBoard] = field(default_factory=dict)
    forums: dict[str, ForumBoard] = field(default_factory=dict)
    statuses: dict[str, StatusBoard] = field(default_factory=dict)
    notices: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for board in boards(self.posts.posts):
            if board.shape is Shape.FEED:
                self.feeds[board.name] = FeedBoard(board)
            elif board.shape is Shape.FORUM:
                self.forums[board.name] = ForumBoard(board)
            else:
                self.statuses[board.name] = StatusBoard(board)

    def published(self) -> dict[str, object]:
        """How many posts are out, by board, and the ids of their rows."""
        now = self.clock()
        held: list[FeedBoard | ForumBoard | StatusBoard] = []
        held += [*self.feeds.values(), *self.forums.values(), *self.statuses.values()]
        counts = {f"{one.board.shape}/{one.board.name}": one.visible(now) for one in held}
        ids = [post.row.id for post in self.posts.posts if post.at <= now]
        return {"now": now.isoformat(), "published": len(ids), "boards": counts, "ids": ids}


class SetClock:
    """Scenario time that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def running_clock(start_at: datetime, speed: float) -> Clock:
    """Scenario time that runs `speed` times as fast as the wall clock, from `start_at` now."""
    started = time.monotonic()
    return lambda: start_at + timedelta(seconds=(time.monotonic() - started) * speed)


class Server(ThreadingHTTPServer):
    """Listens on loopback only, on a port the system chooses unless one is given."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stage: Stage, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Answers)
        self.stage = stage

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up (a daemon that is killed) is no fault of ours; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Answers(BaseHTTPRequestHandler):
    """One connection; it is kept open, since a sped-up exercise asks thousands of times."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    server: Server

    def do_GET(self) -> None:
        """Everything a connector or the exercise reads."""
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        head, _, rest = url.path.strip("/").partition("/")
        routes: dict[str, Callable[[str, dict[str, str]], None]] = {
            "feeds": self._feed,
            "forums": self._forum,
            "mastodon": self._mastodon,
            "api": self._tag,
            "control": self._control,
            "robots.txt": self._robots,
        }
        answer = routes.get(head)
        if answer is None:
            self._send(404, b"no such page")
        else:
            answer(rest, query)

    def do_PUT(self) -> None:
        """`PUT /control/now` with an ISO time as its body sets the scenario's clock."""
        clock = self.server.stage.clock
        try:
            now = datetime.fromisoformat(self._body().decode())
        except ValueError:
            self._send(400, b"the body must be an ISO time")
            return
        if self.path != "/control/now" or not isinstance(clock, SetClock):
            self._send(409, b"this clock runs by itself")
            return
        clock.now = now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
        self._send(204, b"")

    def do_POST(self) -> None:
        """`POST /sink` takes a notice, as a webhook receiver would."""
        body = self._body()
        if self.path != "/sink":
            self._send(404, b"no such page")
            return
        received = {"at": self.server.stage.clock().isoformat(), "key": self.headers.get("Idempotency-Key", "")}
        self.server.stage.notices.append({**received, "body": body.decode("utf-8", "replace")})
        self._send(204, b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: one line a poll would be thousands."""

    def _feed(self, rest: str, query: dict[str, str]) -> None:
        board = self.server.stage.feeds.get(rest.removesuffix(".xml"))
        if board is None:
            self._send(404, b"no such feed")
        else:
            self._send_document(board.document(self.server.stage.clock()))

    def _forum(self, rest: str, query: dict[str, str]) -> None:
        name, _, page = rest.partition("/")
        board = self.server.stage.forums.get(name)
        if board is None or page != "posts.json":
            self._send(404, b"no such page")
            return
        before = query.get("before", "")
        self._send_document(board.document(self.server.stage.clock(), int(before) if before.isdigit() else None))

    def _mastodon(self, rest: str, query: dict[str, str]) -> None:
        name, _, page = rest.partition("/")
        board = self.server.stage.statuses.get(name)
        if board is None:
            self._send(404, b'{"error": "Record not found"}', "application/json")
        elif page in ("api/v1/instance", "api/v2/instance"):
            self._send_json(INSTANCE)
        elif page == "api/v1/timelines/public":
            self._timeline(board, query, None)
        elif page.startswith("api/v1/timelines/tag/"):
            self._timeline(board, query, page.rpartition("/")[2])
        else:
            self._send(404, b'{"error": "Record not found"}', "application/json")

    def _tag(self, rest: str, query: dict[str, str]) -> None:
        tag = rest.removeprefix("v1/timelines/tag/")
        board = next((each for name, each in self.server.stage.statuses.items() if board_tag(name) == tag), None)
        if board is None:
            self._send(404, b'{"error": "Record not found"}', "application/json")
        else:
            self._timeline(board, query, None)

    def _timeline(self, board: StatusBoard, query: dict[str, str], tag: str | None) -> None:
        asked = {key: int(query[key]) for key in ("max_id", "since_id", "min_id") if query.get(key, "").isdigit()}
        limit = int(query["limit"]) if query.get("limit", "").isdigit() else STATUS_PAGE
        body, newest, oldest = board.page(self.server.stage.clock(), Paging(limit=limit, **asked), tag)
        here = f"{self.server.url}{urlsplit(self.path).path}?limit={limit}"
        links = f'<{here}&max_id={oldest}>; rel="next", <{here}&min_id={newest}>; rel="prev"'
        etag = f'W/"{limit}-{oldest}-{newest}"'  # statuses never change, so their ids say which they are
        known = self.headers.get("If-None-Match") == etag
        headers = {"ETag": etag, "Link": links} if newest else {"ETag": etag}
        self._send(304 if known else 200, b"" if known else body, "application/json; charset=utf-8", headers)

    def _control(self, rest: str, query: dict[str, str]) -> None:
        stage = self.server.stage
        if rest == "published":
            self._send_json(stage.published())
        elif rest == "notices":
            self._send_json(stage.notices)
        elif rest == "now":
            self._send(200, stage.clock().isoformat().encode())
        else:
            self._send(404, b"no such page")

    def _robots(self, rest: str, query: dict[str, str]) -> None:
        self._send(200, b"User-agent: *\nAllow: /\n")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(min(int(length), LONGEST_BODY) if length.isdigit() else 0)

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), "application/json; charset=utf-8")

    def _send_document(self, document: Document) -> None:
        given = self.headers.get("If-None-Match")
        since = self.headers.get("If-Modified-Since")
        known = given == document.etag if given is not None else bool(since) and since == document.modified
        headers = {"ETag": document.etag, "Last-Modified": document.modified}
        kept = {key: value for key, value in headers.items() if value}
        self._send(304 if known else 200, b"" if known else document.body, document.content_type, kept)

    def _send(self, status: int, body: bytes, kind: str = "text/plain", headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        if status not in (204, 304):
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="listener.rehearsal.server", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="posts, one JSON object a line")
    parser.add_argument("--from", dest="start", type=_time, help="leave out what is earlier")
    parser.add_argument("--to", dest="end", type=_time, help="leave out what is this late or later")
    parser.add_argument("--start-at", type=_time, help="run by itself, from this scenario time")
    parser.add_argument("--speed", type=float, default=1.0, help="with --start-at: times real time")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when standard input closes")
    return parser.parse_args(arguments)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _end_with_stdin() -> None:
    """Never outlive the exercise, however it ends: its death closes our standard input."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(0)

    Thread(target=wait, daemon=True).start()


def main(arguments: Sequence[str] | None = None) -> None:
    """Load, listen, say `ready URL`, and answer until told to end."""
    options = _read_options(arguments)
    try:
        posts = load_posts(options.files, options.start, options.end)
    except UserError as error:
        sys.exit(str(error))
    first = posts.first_at or datetime.now(UTC)
    clock: Clock = SetClock(first - timedelta(seconds=1))
    if options.start_at is not None:
        clock = running_clock(options.start_at, options.speed)
    if options.until_stdin_closes:
        _end_with_stdin()
    with Server(Stage(posts, clock), options.port) as server:
        sys.stdout.write(f"ready {server.url}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
