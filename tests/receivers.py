"""Real servers on loopback that notices can be sent to: a mail server and a webhook, in good and in bad moods."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from alerts.channel import Channel
from alerts.channels import build_channel

SECRET = "correct-horse-battery"  # what no error may ever show


@dataclass
class Received:
    """One notice as the other side got it."""

    key: str
    words: str
    raw: Any


class Server(Protocol):
    """The other side of a channel. `answers` are given in turn, the last for ever: ok, broken, full, refused, hang,
    drip, limited, close."""

    answers: list[str]
    received: list[Received]

    def channel(self, **changes: object) -> Channel: ...


@dataclass
class MailServer:
    """A real SMTP server, in a loop of its own."""

    answers: list[str] = field(default_factory=lambda: ["ok"])
    received: list[Received] = field(default_factory=list)
    port: int = 0
    context: ssl.SSLContext | None = None

    CODES: ClassVar = {
        "broken": "451 try later",
        "full": "452 disk full",
        "refused": "554 not here",
        "limited": "450 slow down",
    }

    def channel(self, **changes: object) -> Channel:
        options = {"host": "127.0.0.1", "port": self.port, "security": "none", "timeout": 10.0}
        people = {"sender": "earshot@desk.example", "to": ["duty@desk.example", "head@desk.example"]}
        signing = {"username": "desk", "password_env": "TEST_SECRET"}
        return build_channel("email", "mail", {**options, **people, **signing, **changes})

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, login: Any) -> AuthResult:
        good = isinstance(login, LoginPassword) and login.password == SECRET.encode()
        return AuthResult(success=good, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer in ("hang", "drip"):
            await asyncio.sleep(8)
        if answer in self.CODES:
            return self.CODES[answer]
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        words = f"{message['Subject']}\n{message.get_content()}"
        self.received.append(Received(message["X-Earshot-Key"], words, message))
        return "250 taken"

    @contextmanager
    def running(self, **options: Any) -> Iterator[MailServer]:
        loop = asyncio.new_event_loop()
        settings = {"authenticator": self.authenticate, "auth_require_tls": False, "hostname": "mail", **options}
        made = loop.create_server(
            lambda: SMTP(self, loop=loop, **settings), "127.0.0.1", 0, ssl=self.context if not options else None
        )
        server = loop.run_until_complete(made)
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(server.close)
            asyncio.run_coroutine_threadsafe(_end_tasks(), loop).result(5)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _end_tasks() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class HookServer:
    """A real HTTP server that checks signatures."""

    answers: list[str] = field(default_factory=lambda: ["ok"])
    received: list[Received] = field(default_factory=list)
    port: int = 0
    retry_after: str = "120"
    pause: float = 0.0  # seconds before each answer

    CODES: ClassVar = {"broken": 500, "full": 507, "refused": 403, "limited": 429, "before": 409, "moved": 301}

    def channel(self, **changes: object) -> Channel:
        url = f"http://127.0.0.1:{self.port}/hooks/{SECRET}"
        return build_channel("webhook", "hook", {"url": url, "secret_env": "TEST_SECRET", "timeout": 10.0, **changes})

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        signed = f"{request.headers['X-Earshot-Timestamp']}.".encode() + body
        expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers["X-Earshot-Signature"]):
            answer = "refused"
        if answer == "hang":
            time.sleep(8)
        if answer == "drip":
            return drip(request.connection, b"HTTP/1.1 200 OK\r\nX-Slow: ")
        if answer == "close":
            return request.connection.close()
        if answer == "ok":
            content = json.loads(body)
            words = json.dumps(content, ensure_ascii=False)
            self.received.append(Received(request.headers["Idempotency-Key"], words, content))
        time.sleep(self.pause)
        request.send_response(self.CODES.get(answer, 204))
        if answer == "limited" and self.retry_after:
            request.send_header("Retry-After", self.retry_after)
        if answer == "moved":
            request.send_header("Location", f"http://127.0.0.1:{self.port}/elsewhere")
        request.end_headers()
        return None

    @contextmanager
    def running(self) -> Iterator[HookServer]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.take(self)

            def do_OPTIONS(self) -> None:
                self.send_response(405)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def drip(connection: socket.socket, opening: bytes) -> None:
    """An answer that never ends: a byte every 50 ms keeps any single time-out from running out."""
    with suppress(OSError):  # the other side has had enough
        connection.sendall(opening)
        for _ in range(200):
            connection.sendall(b"a")
            time.sleep(0.05)
