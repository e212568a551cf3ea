"""Recorded traffic of platforms, read from the files of several recorders and served again on loopback."""

from __future__ import annotations

import base64
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml  # type: ignore[import-untyped]

from tests.faulty_server import Asked, FaultyServer, Reply

# What tells one page, or one call, of a path from another.
CURSORS = (
    "next_token pagination_token pageToken after before min_id max_id cursor page offset method photo_id parentId post"
).split()
FIRST_PAGES = [("page", "1"), ("offset", "0")]  # the same as none
NOT_SENT = ("content-length", "transfer-encoding", "content-encoding", "connection", "keep-alive", "set-cookie")


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer; the body is unpacked."""

    method: str
    uri: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.uri).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.uri).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def read_recording(path: Path) -> list[Exchange]:
    """The exchanges of a file: VCR's YAML or JSON (old and new), Betamax's JSON, or one {request, status,
    headers, body}."""
    text = path.read_text("utf-8")
    found = yaml.load(text, _Loader) if path.suffix in (".yaml", ".yml") else json.loads(text)
    if "status" in found and "request" in found:
        return [_plain(found)]
    return [_exchange(each) for each in found.get("interactions") or found["http_interactions"]]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the recordings hold long bodies


def _plain(found: Mapping[str, Any]) -> Exchange:
    asked = found["request"]
    pairs = asked.get("params") or []
    uri = f"{asked['path']}?{urlencode(pairs if isinstance(pairs, Mapping) else list(map(tuple, pairs)), doseq=True)}"
    headers = {name: value for name, value in found["headers"].items() if name.lower() not in NOT_SENT}
    return Exchange(asked["method"], uri, found["status"], json.dumps(found["body"]).encode(), headers)


def _exchange(found: Mapping[str, Any]) -> Exchange:
    asked, answer = found["request"], found["response"]
    status = answer.get("status", answer.get("status_code"))
    body = answer.get("body", answer.get("content"))
    content = body.get("string", "") if isinstance(body, Mapping) else body
    if isinstance(body, Mapping) and "base64_string" in body:
        content = base64.b64decode(body["base64_string"])
    elif isinstance(content, str):
        content = content.encode()
    headers = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in answer["headers"].items()
    }
    return Exchange(
        asked["method"],
        asked["uri"],
        status["code"] if isinstance(status, Mapping) else status,
        gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content,
        {name: value for name, value in headers.items() if name.lower() not in NOT_SENT},
    )


class RecordedServer(FaultyServer):
    """Answers as recorded: by method, path and the page that the query names, equal requests in the order they were
    recorded, the last one for ever; everything else is 404. What `serve` sets goes before.

    `calls` lists what was asked, as "METHOD path". `spoil(n, reply)` gives the n-th request (from 0) that reply.
    """

    def __init__(self, *recordings: Path | Iterable[Exchange], cursors: Iterable[str] = CURSORS) -> None:
        super().__init__()
        self._cursors = tuple(cursors)
        self._recorded: dict[tuple[str, ...], list[Exchange]] = defaultdict(list)
        self._spoilt: dict[int, Reply] = {}
        self.calls: list[str] = []
        for recording in recordings:
            for exchange in read_recording(recording) if isinstance(recording, Path) else recording:
                self.add(exchange)

    def add(self, *exchanges: Exchange) -> None:
        """Serve these too."""
        for exchange in exchanges:
            self._recorded[self._key(exchange.method, exchange.uri)].append(exchange)

    def spoil(self, number: int, reply: Reply) -> None:
        """Let one request, counted from 0, go wrong."""
        self._spoilt[number] = reply

    def answer(self, asked: Asked) -> Reply:
        number = len(self.calls)
        self.calls.append(f"{asked.method} {urlsplit(asked.path).path}")
        if number in self._spoilt:
            self.asked[asked.path].append(asked)
            return self._spoilt[number]
        if asked.path in self._replies:
            return super().answer(asked)
        self.asked[asked.path].append(asked)
        queue = self._recorded.get(self._key(asked.method, asked.path))
        if not queue:
            return Reply(b'{"error": "not recorded"}', 404, {"Content-Type": "application/json"})
        found = queue.pop(0) if len(queue) > 1 else queue[0]
        return Reply(found.body, found.status, found.headers)

    def _key(self, method: str, uri: str) -> tuple[str, ...]:
        parts = urlsplit(uri)
        pairs = [pair for pair in parse_qsl(parts.query) if pair not in FIRST_PAGES]
        page = sorted((key, value) for key, value in pairs if key in self._cursors)
        return (method, parts.path.rstrip("/"), urlencode(page))
