"""A loopback web server that publishes posts in feeds as time goes by, and keeps the notices it is sent. The feed
`hang` never answers, `broken` answers 500."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """What is out, by feed, and what was received at /hook. Safe from many threads."""

    feeds: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: dict[str, int] = field(default_factory=dict)

    def publish(self, feed: str, text: str, at: datetime | None = None) -> str:
        """Put a post on a feed now; returns its guid."""
        stamp = format_datetime(at or datetime.now(UTC))
        with self.lock:
            items = self.feeds.setdefault(feed, [])
            guid = f"https://{feed}.example/{len(items)}"
            item = f"<item><guid>{guid}</guid><link>{guid}</link><title>{text}</title><pubDate>{stamp}</pubDate></item>"
            items.append((guid, item))
        return guid

    def render(self, feed: str) -> bytes:
        with self.lock:
            self.asked[feed] = self.asked.get(feed, 0) + 1
            items = "".join(item for _, item in reversed(self.feeds.get(feed, [])))
        return f'<rss version="2.0"><channel><title>{feed}</title>{items}</channel></rss>'.encode()


class SiteServer:
    """Serves a Site on a loopback port until closed."""

    def __init__(self, site: Site) -> None:
        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                name = self.path.strip("/")
                body = b"User-agent: *\nAllow: /\n" if name == "robots.txt" else site.render(name)
                if name == "hang":
                    time.sleep(60)
                self.answer(500 if name == "broken" else 200, body)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/hang":
                    site.asked["hang"] = site.asked.get("hang", 0) + 1
                    time.sleep(60)
                with site.lock:
                    site.received.append({"key": self.headers["Idempotency-Key"], "body": body})
                self.answer(200, b"")

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/rss+xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed daemon hangs up
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
