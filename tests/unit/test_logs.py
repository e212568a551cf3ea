"""Log lines: one a record, key=value, no secret in any."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterator

import pytest

from config.logs import set_up_logs

ENV = {
    "EARSHOT_SMTP_PASSWORD": "hunter2-and-more",
    "EARSHOT_STATE": "postgresql://earshot:correct-horse@db/earshot",
    "MASTODON_TOKEN": "t0ken-of-ours",
    "EARSHOT_HOST": "127.0.0.1",
    "HOME": "/somewhere/home",
}


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged, with the logging of the test run put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers[:], root.level = before


def test_a_line_says_when_how_bad_and_where(stream: io.StringIO) -> None:
    set_up_logs("info", ENV, stream=stream)
    logging.getLogger("listener.polling").warning("source=%s late=%d", "bbc", 3)
    line = r"at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=warning from=listener.polling source=bbc late=3\n"
    assert re.fullmatch(line, stream.getvalue())


@pytest.mark.parametrize(
    "secret", ["hunter2-and-more", "correct-horse", "t0ken-of-ours", "https://me:pw@feeds.example/x"]
)
def test_secrets_are_hidden_wherever_they_turn_up(stream: io.StringIO, secret: str) -> None:
    set_up_logs("info", ENV, stream=stream)
    try:
        raise ValueError(f"refused: {secret}")
    except ValueError:
        logging.getLogger("x").exception("password=%s", secret)
    said = stream.getvalue()
    assert said.count("***") == 2  # in the message and at the end of the trace
    assert not re.search(r"hunter2|correct-horse|t0ken|me:pw", said)


def test_what_only_says_where_things_are_is_not_hidden(stream: io.StringIO) -> None:
    set_up_logs("info", ENV, stream=stream)
    logging.getLogger("x").info("at=127.0.0.1 home=/somewhere/home")
    assert "at=127.0.0.1 home=/somewhere/home" in stream.getvalue()


def test_a_trace_stays_on_its_line(stream: io.StringIO) -> None:
    set_up_logs("info", ENV, stream=stream)
    try:
        raise RuntimeError("first\nsecond")
    except RuntimeError:
        logging.getLogger("x").exception("source=a bug=b")
    assert stream.getvalue().count("\n") == 1
    assert 'RuntimeError: first\\nsecond"' in stream.getvalue()


def test_libraries_tell_of_requests_only_when_asked(stream: io.StringIO) -> None:
    set_up_logs("info", ENV, stream=stream)
    logging.getLogger("httpx").info("HTTP Request: GET https://example.org/?q=somebody")
    assert stream.getvalue() == ""
    set_up_logs("info", ENV, verbose=True, stream=stream)
    logging.getLogger("httpx").info("HTTP Request")
    assert "HTTP Request" in stream.getvalue()


def test_setting_up_again_replaces_and_does_not_double(stream: io.StringIO) -> None:
    set_up_logs("info", ENV, stream=stream)
    set_up_logs("warning", ENV, stream=stream)
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud")
    assert stream.getvalue().count("\n") == 1


def test_warnings_of_libraries_go_to_the_log(stream: io.StringIO) -> None:
    set_up_logs("info", ENV, stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old way" in stream.getvalue()
