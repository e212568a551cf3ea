"""A Hugging Face hub on loopback: the few addresses its library asks, and the ways in which a hub says no."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REFUSALS = {"RepoNotFound": 404, "GatedRepo": 403, "RevisionNotFound": 404, "broken": 500}


@dataclass
class Hub:
    """Serves the folders in `models` by name. `refuses` says no to everything, by its code; `cuts` breaks files of that
    ending off half-way."""

    models: dict[str, Path]
    refuses: str = ""
    cuts: str = ""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Answers)
        self._server.hub = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def files(self, name: str) -> list[str]:
        folder = self.models[name]
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


Told = dict[str, str] | None  # headers


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what these tests are about."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        hub, path = self.server.hub, self.path.partition("?")[0]
        hub.asked.append(f"{self.command} {path}")
        name = next((each for each in hub.models if each in path), "")
        if hub.refuses or not name:
            self._refuse(hub.refuses or "RepoNotFound")
        elif path.startswith("/api/models/"):
            self._describe(name, path)
        else:
            self._send_file(hub.models[name] / path.partition(f"/resolve/{COMMIT}/")[2])

    do_HEAD = do_GET

    def _describe(self, name: str, path: str) -> None:
        hub = self.server.hub
        if "/tree/" in path:
            folder = hub.models[name]
            entries = [
                {"type": "file", "path": each, "size": (folder / each).stat().st_size, "oid": digest(folder / each)}
                for each in hub.files(name)
            ]
            self._send(json.dumps(entries).encode())
        elif path.endswith((f"/{name}", "/revision/main", "/revision/v1", f"/revision/{COMMIT}")):
            told = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": each} for each in hub.files(name)]}
            self._send(json.dumps(told).encode())
        else:
            self._refuse("RevisionNotFound")

    def _send_file(self, file: Path) -> None:
        if not file.is_file():
            self._refuse("EntryNotFound")
            return
        cut = bool(self.server.hub.cuts) and file.name.endswith(self.server.hub.cuts)
        self._send(file.read_bytes(), {"ETag": f'"{digest(file)}"', "X-Repo-Commit": COMMIT}, cut=cut)

    def _refuse(self, code: str) -> None:
        self._send(b"", {"X-Error-Code": code}, REFUSALS.get(code, 404))

    def _send(self, body: bytes, more: Told = None, status: int = 200, *, cut: bool = False) -> None:
        self.send_response(status)
        for header, value in {"Content-Type": "application/json", **(more or {})}.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True
            with suppress(OSError):
                self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def digest(file: Path) -> str:
    """What stands for its content."""
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()
