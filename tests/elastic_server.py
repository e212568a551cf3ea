"""A real Elasticsearch on loopback, for tests and for `make elasticsearch`: the server that Elastic publishes on Maven
Central (no more than its core modules), one node or several, as an ordinary user.

    python -m tests.elastic_server            run one node in the foreground, its data kept in build/elasticsearch
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.elastic_found import VERSION, Lacking, find_home, find_java, other_user

USER = "elastic"
PASSWORD = "only-for-tests"
START_SECONDS = 120
_PORTS = range(20_000, 32_000)  # below those that outgoing connections are given
# Ends the whole process group when the server has ended, and when whoever started it is gone, however that came.
_WATCHED = """
exec 3<&0
"$@" </dev/null & server=$!
{ cat <&3 >/dev/null; kill -KILL 0; } &
trap : TERM INT
while kill -0 $server 2>/dev/null; do wait $server; done
kill -KILL 0
"""


@dataclass(slots=True)
class _Node:
    name: str
    folder: Path
    http: int
    transport: int
    process: subprocess.Popen[bytes] | None = None


class ElasticServer:
    """One cluster on loopback; entering it starts all nodes and waits for them, leaving it kills them.

    `folder` keeps configuration, data and logs (a throw-away one without it); every folder on the way there must be
    open to all users. With `security` it wants USER and PASSWORD; `tls` takes (certificate, key), both PEM files; each
    of `roles` is a descriptor, and has a user of its own name with the same PASSWORD.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        version: str = VERSION,
        nodes: int = 1,
        security: bool = False,
        tls: tuple[Path, Path] | None = None,
        roles: Mapping[str, Any] | None = None,
        port: int = 0,
        heap: str = "512m",
        short_lived: bool = True,
    ) -> None:
        self._home, self._java, self._user = find_home(version), find_java(version), other_user()
        user = self._user
        self._as_user: dict[str, Any] = (
            {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user is not None else {}
        )
        self._thrown_away = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="earshot-elastic-", dir="/var/tmp"))
        self._security, self._tls = security, tls
        # What runs for a minute does not earn back what compiling it thoroughly costs.
        self._java_options = f"-Xms{heap} -Xmx{heap}" + " -XX:TieredStopAtLevel=1" * short_lived
        self._roles = roles or {}
        ports = _free_ports(2 * nodes)
        self._nodes = [
            _Node(f"node{n}", self.folder / f"node{n}", (port if n == 0 else 0) or ports[2 * n], ports[2 * n + 1])
            for n in range(nodes)
        ]
        for node in self._nodes:
            self._lay_out(node)

    def __enter__(self) -> ElasticServer:
        try:
            for node in range(len(self._nodes)):
                self._launch(node)
            self.wait(len(self._nodes))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def hosts(self) -> list[str]:
        """The address of each node."""
        scheme = "https" if self._tls else "http"
        return [f"{scheme}://127.0.0.1:{node.http}" for node in self._nodes]

    @property
    def url(self) -> str:
        """The address of the store for the settings; all nodes are in it."""
        return f"elasticsearch:{','.join(self.hosts)}"

    def start(self, node: int = 0) -> None:
        """Start a node that was stopped or killed, and wait until it has joined those that run."""
        self._launch(node)
        self.wait(sum(each.process is not None for each in self._nodes))

    def kill(self, node: int = 0) -> None:
        """kill -9, and nothing else."""
        self._end(self._nodes[node], signal.SIGKILL)

    def stop(self, *, orderly: bool = False) -> None:
        """Stop all nodes; a throw-away folder goes with them."""
        for node in self._nodes:
            self._end(node, signal.SIGTERM if orderly else signal.SIGKILL)
        if self._thrown_away:
            shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self, nodes: int) -> None:
        """Until each node that runs says that `nodes` are there, and every primary is. Raises RuntimeError where that
        takes too long."""
        deadline = time.monotonic() + START_SECONDS
        path = f"/_cluster/health?wait_for_status=yellow&wait_for_nodes=>={nodes}&timeout=1s"
        while time.monotonic() < deadline:
            running = [node for node in self._nodes if node.process is not None]
            for node in running:
                if node.process is not None and node.process.poll() is not None:
                    raise RuntimeError(f"Elasticsearch ended: {self._log(node)}")
            if all(self._answers(node, path) for node in running):
                return
            time.sleep(0.2)
        raise RuntimeError(f"Elasticsearch was not ready after {START_SECONDS} s: {self._log(self._nodes[0])}")

    def processes(self) -> list[int]:
        """The process group of each node that runs."""
        return [node.process.pid for node in self._nodes if node.process is not None]

    def wait_green(self) -> None:
        """Until every copy of everything is in step. Raises OSError where that takes longer than a minute."""
        if self.ask("/_cluster/health?wait_for_status=green&timeout=60s")["timed_out"]:
            raise OSError("the copies are not in step")

    def ask(self, path: str, *, method: str = "GET", body: Any = None, node: int = 0) -> Any:
        """What one node answers, past the store and its client. Raises OSError where it does not."""
        host = self._nodes[node]
        headers = {"Content-Type": "application/json"}
        if self._security:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        connection = self._connect(host.http)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise OSError(f"{answer.status} {text.decode('utf-8', 'replace')[:500]}")
        return json.loads(text)

    def _connect(self, port: int) -> http.client.HTTPConnection:
        if not self._tls:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        trusting = ssl.create_default_context(cafile=str(self._tls[0]))
        return http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=trusting)

    def _answers(self, node: _Node, path: str) -> bool:
        try:
            return not self.ask(path, node=self._nodes.index(node))["timed_out"]
        except (OSError, http.client.HTTPException, ValueError):
            return False

    # -- its processes ------------------------------------------------------------------------------------------------

    def _launch(self, number: int) -> None:
        node = self._nodes[number]
        with (node.folder / "out").open("ab") as out:
            node.process = subprocess.Popen(
                ["sh", "-c", _WATCHED, "sh", str(self._home / "bin" / "elasticsearch")],
                cwd=node.folder,
                env=self._environment(node),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **self._as_user,
            )

    def _environment(self, node: _Node) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(node.folder),
            "ES_JAVA_HOME": str(self._java),
            "ES_JAVA_OPTS": self._java_options,
            "ES_PATH_CONF": str(node.folder / "config"),
            "ES_TMPDIR": str(node.folder / "tmp"),
        }

    def _end(self, node: _Node, how: signal.Signals) -> None:
        process, node.process = node.process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, how)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if process.stdin:
            process.stdin.close()

    def _log(self, node: _Node) -> str:
        return (node.folder / "out").read_text("utf-8", "replace")[-2000:]

    # -- its files ----------------------------------------------------------------------------------------------------

    def _lay_out(self, node: _Node) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        config = node.folder / "config"
        folders = [node.folder / name for name in ("config", "data", "logs", "tmp")]
        for each in (*folders, self.folder / "snapshots"):
            each.mkdir(parents=True, exist_ok=True)
        ours = self._home / "config"
        shutil.copy(ours / "log4j2.properties", config)
        # Logs of the collector and of a crash would go where only the owner of the unpacked server may write.
        lines = (ours / "jvm.options").read_text().splitlines()
        kept = [line for line in lines if "-Xlog:gc" not in line and "logs/" not in line]
        (config / "jvm.options").write_text("\n".join(kept) + "\n")
        if self._tls:
            for path, name in zip(self._tls, ("http.crt", "http.key"), strict=True):
                shutil.copy(path, config / name)
        told = "\n".join(f"{name}: {json.dumps(value)}" for name, value in self._settings(node).items())
        (config / "elasticsearch.yml").write_text(told + "\n")
        self._give_away()
        if self._security and not (config / "elasticsearch.keystore").exists():
            self._set_password(node)

    def _settings(self, node: _Node) -> dict[str, object]:
        settings: dict[str, object] = {
            "cluster.name": "earshot",
            "node.name": node.name,
            "network.host": "127.0.0.1",
            "http.port": node.http,
            "transport.port": node.transport,
            "path.data": str(node.folder / "data"),
            "path.logs": str(node.folder / "logs"),
            "path.repo": [str(self.folder / "snapshots")],
            "xpack.security.enabled": self._security,
            "cluster.routing.allocation.disk.threshold_enabled": False,
        }
        if self._tls:
            settings["xpack.security.http.ssl.enabled"] = True
            settings["xpack.security.http.ssl.certificate"] = "http.crt"
            settings["xpack.security.http.ssl.key"] = "http.key"
        if len(self._nodes) == 1:
            return {**settings, "discovery.type": "single-node"}
        return {
            **settings,
            "discovery.seed_hosts": [f"127.0.0.1:{each.transport}" for each in self._nodes],
            "cluster.initial_master_nodes": [each.name for each in self._nodes],
        }

    def _set_password(self, node: _Node) -> None:
        roles = "".join(f"{name}: {json.dumps(role)}\n" for name, role in self._roles.items())  # JSON is YAML too
        for name, text in (("roles.yml", roles), ("users", ""), ("users_roles", "")):
            (node.folder / "config" / name).write_text(text)
        self._give_away()
        tools = [("keystore", "create"), ("keystore", "add", "-x", "-f", "bootstrap.password")]
        tools += [("users", "useradd", role, "-p", PASSWORD, "-r", role) for role in self._roles]
        for tool, *words in tools:
            subprocess.run(
                [self._home / "bin" / f"elasticsearch-{tool}", *words],
                env=self._environment(node),
                input=PASSWORD.encode(),
                stdout=subprocess.DEVNULL,
                check=True,
                **self._as_user,
            )

    def _give_away(self) -> None:
        """All that is in the folder belongs to the user who runs the server."""
        if self._user is None:
            return
        for each in (self.folder, *self.folder.rglob("*")):
            os.chown(each, self._user.pw_uid, self._user.pw_gid)


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise Lacking("no free port on this machine for Elasticsearch")


# -- make elasticsearch -----------------------------------------------------------------------------------------------


def main() -> int:
    """Run one node in the foreground until Ctrl-C."""
    folder = Path(__file__).parent.parent / "build" / "elasticsearch"
    port = int(os.environ.get("PORT") or 9200)
    stopped: list[int] = []
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _: stopped.append(number))
    try:
        server = ElasticServer(folder, port=port, short_lived=False)
        sys.stdout.write(f"== starting Elasticsearch {VERSION} on 127.0.0.1:{port}, data in {folder}; half a minute\n")
        with server:
            sys.stdout.write(
                f'== ready. In the settings:  store = "{server.url}"   (Ctrl-C stops it; what it holds stays)\n'
            )
            while not stopped:
                time.sleep(0.2)
            server.stop(orderly=True)
    except (Lacking, RuntimeError, OSError) as error:
        sys.stderr.write(f"make elasticsearch: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
