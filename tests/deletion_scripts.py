"""What a platform answers before and after a post is deleted, played to the real connector over loopback.

A script is `tests/recordings/<kind>/gone.json`, written by us, beside the `normal.json` of the same folder, whose
options, secrets and answers are those of the poll:

    {"words": "...", "stays": "...", "gone": [exchange, ...]}

`words` are those of the post that is deleted, as the mention has them (title, line break, text; or a part of at least
six words with a rare one): none may be found afterwards. `stays` are words of a post that stays, and may be left out.
`gone` are the answers once it is deleted: to the log-in, if there is one, and to the re-check. `options`, `secrets` and
`there` (exchanges while the post stands) may be given in place of those of `normal.json`; {url} is our server.

An exchange is {"method": "GET", "path": "/2/tweets", "query": {"ids": "1"}, "status": 200, "headers": {}, "body": ...}:
all but the path may be left out, and then any method fits, and any query. `query` need only be part of what is asked
(of a form that is posted as well); a body that is no string is sent as JSON. The first that fits answers; whatever none
fits answers 404.
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
    """The script of a kind, whole; None where there is none."""
    path = RECORDINGS / kind / "gone.json"
    if not path.exists():
        return None
    normal = json.loads((path.parent / "normal.json").read_text("utf-8"))
    there = [{**answer, **_asked(answer["path"])} for answer in normal["answers"]]
    script: dict[str, Any] = {
        "options": normal["options"],
        "secrets": normal.get("secrets", {}),
        "there": there,
        **json.loads(path.read_text("utf-8")),
    }
    return script


def _asked(path: str) -> dict[str, Any]:
    parts = urlsplit(path)
    return {"path": parts.path, "query": dict(parse_qsl(parts.query))}


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
            fits = each.get("method", method) == method and each["path"] == path
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
