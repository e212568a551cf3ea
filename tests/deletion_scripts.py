"""What a platform answers before and after a post is deleted, played to the real connector over loopback.

A script is `tests/recordings/<kind>/gone.json`, written by us:

    {"options": {"read": "search", "query": "police", "api_root": "{url}"},
     "env": {"EARSHOT_X_BEARER_TOKEN": "t"},
     "words": "...",
     "stays": "...",
     "there": [exchange, ...],
     "gone": [exchange, ...]}

`options` are the source's, with {url} for the server's address; `env` its credentials. `words` are those of the post
that is deleted, distinctive, as the mention has them (title, line break, text; or a part): none may be found later.
`stays` are words of a post that stays, and may be left out. `there` are the answers while the post stands (the log-in
and the poll), `gone` those once it is deleted (the log-in again and the re-check).

An exchange is {"method": "GET", "path": "/2/tweets", "query": {"ids": "1"}, "status": 200, "headers": {}, "body": ...};
method, query, status and headers may be left out. `query` need only be part of what is asked (of a form that is posted
as well); a body that is no string is sent as JSON. The first that fits answers; whatever none fits answers 404.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RECORDINGS = Path(__file__).parent / "recordings"


def read_script(kind: str) -> dict[str, Any] | None:
    """The script of a kind; None where there is none."""
    path = RECORDINGS / kind / "gone.json"
    if not path.exists():
        return None
    script: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return script


class ScriptServer:
    """Plays the exchanges in `now`."""

    def __init__(self) -> None:
        self.now: Sequence[Mapping[str, Any]] = ()
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answerer())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{self.address}"

    def __enter__(self) -> ScriptServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def filled_in(self, value: Any) -> Any:
        """With this server's address in place of {url}."""
        return json.loads(json.dumps(value).replace("{url}", self.url))

    def _find(self, method: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        for each in self.now:
            wanted = each.get("query", {})
            fits = each.get("method", "GET") == method and each["path"] == path
            if fits and all(query.get(name) == str(value) for name, value in wanted.items()):
                return each
        return {"status": 404, "body": ""}

    def _answerer(script) -> type[BaseHTTPRequestHandler]:  # type: ignore[no-untyped-def]
        class Answerer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                posted = self.rfile.read(length).decode("utf-8", "replace")
                parts = urlsplit(self.path)
                script.asked.append(f"{self.command} {self.path}")
                query = {**dict(parse_qsl(parts.query)), **dict(parse_qsl(posted))}
                found = script.filled_in(script._find(self.command, parts.path, query))
                body = found.get("body", "")
                content = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(found.get("status", 200))
                for name, value in found.get("headers", {}).items():
                    self.send_header(name, value)
                if "Content-Type" not in found.get("headers", {}):
                    self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Answerer
