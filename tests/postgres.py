"""A real PostgreSQL for tests: Debian's own binaries, a throw-away cluster on a free loopback port."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

WAIT_SECONDS = 60


def find_binaries() -> Path | None:
    """The folder with initdb and postgres, newest version first; None where there is none."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root, so as root it runs as nobody."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody").pw_name
    except KeyError:
        pytest.skip("no postgres here: it does not run as root, and there is no user nobody")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes a new, empty database at each call and returns its address."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no postgres here: install the Debian package postgresql")
    user = _other_user()
    with tempfile.TemporaryDirectory(prefix="earshot-pg-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        cluster = folder / "cluster"
        setup = [binaries / "initdb", "-D", cluster, "-U", "earshot", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(setup, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        port = _free_port()
        settings = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}", "fsync=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", cluster, *options], user=user, cwd=folder, stdout=log, stderr=log
            )
        try:
            _wait(server, port, folder / "log")
            yield _maker(port)
        finally:
            server.terminate()
            server.wait(WAIT_SECONDS)


def _maker(port: int) -> Callable[[], str]:
    made = iter(range(1_000_000))

    def make() -> str:
        name = f"earshot_{next(made)}"
        with psycopg.connect(_address(port, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return _address(port, name)

    return make


def _address(port: int, database: str) -> str:
    return f"postgresql://earshot@127.0.0.1:{port}/{database}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(_address(port, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"PostgreSQL did not start: {log.read_text('utf-8', 'replace')[-500:]}")
