"""The promises of conftest: tests stay on this machine, and a skip nobody expected is a failure."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).parent.parent / "conftest.py"
SKIPS = """
import pytest

def test_that_needs_a_database():
    pytest.skip("no postgres here")

def test_that_was_not_in_the_mood():
    pytest.skip("not today")
"""


def test_nothing_but_this_machine_can_be_connected_to() -> None:
    with pytest.raises(OSError, match="not on this machine"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_names_are_not_looked_up() -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://example.org/")


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.slow  # starts pytest inside pytest, which takes its time on a busy machine
@pytest.mark.parametrize(
    ("expect", "outcome"),
    [
        pytest.param(None, {"skipped": 2}, id="a developer's machine may lack anything"),
        pytest.param("shared", {"skipped": 1, "failed": 1}, id="what is not listed may be missing"),
        pytest.param("shared,postgres", {"failed": 2}, id="what is listed may not"),
    ],
)
def test_a_skip_that_was_not_expected_is_a_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, expect: str | None, outcome: dict[str, int]
) -> None:
    monkeypatch.delenv("EARSHOT_EXPECT", raising=False)
    if expect is not None:
        monkeypatch.setenv("EARSHOT_EXPECT", expect)
    pytester.makeconftest(CONFTEST.read_text("utf-8"))
    pytester.makeini("[pytest]\nmarkers =\n    slow\n    browser\n    timeout\n")
    pytester.makepyfile(SKIPS)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(**outcome)
