"""What every test can count on: shared test material, sockets shut but for loopback, no settings from outside."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

ROOT = Path(__file__).parent.parent
SLOW_LIMIT = 300  # seconds
# Others are read as tests are loaded.
KEPT_VARIABLES = ("EARSHOT_SHARED", "EARSHOT_EXPECT", "EARSHOT_ELASTIC_ZIPS", "EARSHOT_BLUESKY")
# What a machine may lack, by the words that the reason of a skipped test names it with.
THINGS = {
    "shared": ("shared",),
    "postgres": ("postgres",),
    "browser": ("chromium", "browser", "playwright"),
    "openssl": ("openssl",),
    "disk": ("small disk",),
    "elasticsearch": ("elasticsearch",),
    "bluesky": ("bluesky network",),
}

hypothesis_settings.register_profile("earshot", deadline=None)  # a busy machine is no bug
hypothesis_settings.load_profile("earshot")


def find_shared() -> Path | None:
    """The shared test material: $EARSHOT_SHARED, else ../shared/data beside the checkout; None where there is none."""
    folder = Path(os.environ.get("EARSHOT_SHARED") or ROOT.parent / "shared" / "data")
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the shared test material; the test is skipped where it is not there."""
    folder = find_shared()
    if folder is None:
        pytest.skip("no shared test material: set EARSHOT_SHARED or put it in ../shared/data")
    return folder


@pytest.fixture(scope="session")
def elastic_server() -> Iterator[Any]:
    """One node of Elasticsearch, started for this run, for tests that look into its files; all share it."""
    from tests.elastic_found import Lacking  # only here: no other test needs them
    from tests.elastic_server import ElasticServer

    try:
        server = ElasticServer()
    except Lacking as lack:
        pytest.skip(str(lack))
    with server:
        yield server


@pytest.fixture(scope="session")
def elastic(request: pytest.FixtureRequest) -> str:
    """The address of an Elasticsearch store on a server that all tests share: $ES_TEST_URL (http://HOST:PORT), else
    the node started for this run. Tests keep their data apart: see `elastic_url`."""
    if told := os.environ.get("ES_TEST_URL"):
        return f"elasticsearch:{told}"
    url: str = request.getfixturevalue("elastic_server").url
    return url


@pytest.fixture
def elastic_url(elastic: str) -> Iterator[str]:
    """An empty store of the test's own on the shared server, by an index name of its own; cleared away afterwards."""
    from tests.contracts.store_cases import clear_away, elastic_address

    url = elastic_address(elastic)
    yield url
    clear_away(url)


# -- nothing from outside, nothing to the outside ---------------------------------------------------------------------


class OutsideWorld(OSError):
    """A test tried to reach something other than this machine."""


def _is_here(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = str(address[0]).split("%")[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


@pytest.fixture(autouse=True, scope="session")
def _sockets_shut() -> Iterator[None]:
    """Only loopback can be connected to, and names are only looked up where that needs nobody else."""
    patch = pytest.MonkeyPatch()
    look_up = socket.getaddrinfo

    def guarded(name: str) -> Any:
        connect = getattr(socket.socket, name)

        def connect_here(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address):
                raise OutsideWorld(f"{address} is not on this machine")
            return connect(self, address)

        return connect_here

    def look_up_here(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        if host not in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
            flags |= socket.AI_NUMERICHOST  # a number in any spelling, never a question to a name server
        return look_up(host, port, family, type, proto, flags)

    patch.setattr(socket.socket, "connect", guarded("connect"))
    patch.setattr(socket.socket, "connect_ex", guarded("connect_ex"))
    patch.setattr(socket, "getaddrinfo", look_up_here)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    """A developer's own EARSHOT_ variables and proxies change no test."""
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        theirs = name.startswith("EARSHOT_") and name not in KEPT_VARIABLES
        if theirs or name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name)
    yield
    patch.undo()


# -- slow tests, and what may be skipped ------------------------------------------------------------------------------


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked slow or browser may take their time, and so may those that need Elasticsearch, as the first of them
    waits for it to start; any other has the usual limit."""
    for item in items:
        allowed = item.get_closest_marker("slow") or item.get_closest_marker("browser")
        if (allowed or _needs_elasticsearch(item)) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    # The slowest files first, so that none is begun last; then the browser's, so that the others need not wait for it.
    items.sort(key=lambda item: (-slow[item.path], item.get_closest_marker("browser") is None))


def _needs_elasticsearch(item: pytest.Item) -> bool:
    """By its fixtures, or as one of the stores that a contract runs over."""
    callspec = getattr(item, "callspec", None)
    named = "elasticsearch" in callspec.params.values() if callspec else False
    return named or "elastic" in getattr(item, "fixturenames", ())


def must_not_skip(reason: str) -> str | None:
    """Why a skip for this reason is a failure, None where it may stand. With EARSHOT_EXPECT set (to what this machine
    is known to have: shared, postgres, browser, ...), only what is not in that list may be missed."""
    expected = os.environ.get("EARSHOT_EXPECT")
    if expected is None:
        return None
    here = {thing.strip() for thing in expected.split(",")}
    lacking = {thing for thing, words in THINGS.items() if any(word in reason.lower() for word in words)}
    if lacking and not lacking & here:
        return None
    return f"skipped, though EARSHOT_EXPECT={expected} does not excuse it: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report: pytest.TestReport = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    report: pytest.CollectReport = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail") or not isinstance(report.longrepr, tuple):
        return
    if failure := must_not_skip(report.longrepr[2]):
        report.outcome = "failed"
        report.longrepr = failure
