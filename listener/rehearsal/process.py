"""Start the exercise's server, steer its clock, ask it what it published, stop it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from listener.rehearsal.plan import SourceSpec, expected_ids, plan, read_setting
from listener.rehearsal.posts import Posts
from mentions.failures import UserError

ROOT = Path(__file__).resolve().parents[2]


class Rehearsal:
    """A running server over some posts. It ends with `stop`, and by itself when this process dies.

    `sources` are what a daemon has to poll, `places` what the scenario tells of its invented places, `address` the
    host:port that a fetcher has to be allowed, `sink_url` a webhook receiver that accepts and keeps every notice.
    """

    def __init__(
        self,
        posts: Posts,
        files: Sequence[Path],
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        start_at: datetime | None = None,
        speed: float = 1.0,
    ) -> None:
        """`posts` are what `load_posts` read from the same files and times.

        The scenario's clock stands one second before the first post until `move_to`; with `start_at` it runs by
        itself from there, `speed` times as fast as the wall clock. Raises `UserError` if no server starts.
        """
        setting = read_setting(files)
        self._posts = posts
        self._process = _start(files, {"--from": since, "--to": until, "--start-at": start_at}, speed)
        self.url = _wait_until_ready(self._process)
        self.address = urlsplit(self.url).netloc
        self.sink_url = f"{self.url}/sink"
        self.places = setting.places
        self.sources: list[SourceSpec] = plan(posts.posts, self.url, setting.patches)
        self._connection = http.client.HTTPConnection(self.address, timeout=30)

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def move_to(self, now: datetime) -> None:
        """Publish what is due by `now`; refused by a server whose clock runs by itself."""
        self._ask("PUT", "/control/now", now.isoformat())

    def expected_ids(self) -> list[str]:
        """The id of the mention that each post should become, in order of time."""
        return expected_ids(self._posts.posts, self.url)

    def published(self) -> dict[str, Any]:
        """{"now", "published": how many, "boards": {"shape/name": how many}, "ids": [row ids]}."""
        answer: dict[str, Any] = json.loads(self._ask("GET", "/control/published"))
        return answer

    def notices(self) -> list[dict[str, Any]]:
        """What the sink was sent: [{"at", "key", "body"}], repeats included."""
        answer: list[dict[str, Any]] = json.loads(self._ask("GET", "/control/notices"))
        return answer

    def stop(self) -> None:
        """End the server; harmless when it has ended already."""
        self._connection.close()
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        self._connection.request(method, path, body)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
        return content


def _start(files: Sequence[Path], times: dict[str, datetime | None], speed: float) -> subprocess.Popen[str]:
    options = ["--until-stdin-closes", "--speed", str(speed)]
    for flag, at in times.items():
        options += [flag, at.isoformat()] if at is not None else []
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", "listener.rehearsal.server", *options, *map(str, files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": search},
    )


def _wait_until_ready(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if line.startswith("ready "):
        return line.split()[1]
    process.kill()
    process.communicate()
    raise UserError("the exercise's server did not start: see the lines above")
