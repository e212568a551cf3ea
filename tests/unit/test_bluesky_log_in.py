"""How few log-ins the Bluesky connector makes, where it keeps them, and how secret they stay."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from listener.bluesky_session import pds_of
from listener.outfit import open_connectors
from mentions.clock import utc_now
from mentions.failures import NeedsAttention, NotConfigured, TemporaryFailure, UserError
from tests.bluesky_server import ACCOUNT, CREATE, REFRESH, SEARCH, Bluesky, Build, bearer, bluesky, error, post, texts
from tests.faulty_server import Reply, reach


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[Bluesky, Build]]:
    with bluesky(tmp_path) as both:
        yield both


def test_without_credentials_it_is_not_configured(board: Any) -> None:
    server, build = board
    for name in ACCOUNT:
        with pytest.raises(NotConfigured, match=name):
            build({key: value for key, value in ACCOUNT.items() if key != name}).poll(None)
    with pytest.raises(NotConfigured, match="THEIRS"):
        build(token_env="THEIRS").poll(None)
    with pytest.raises(UserError, match="query"):
        build(query=" ")
    assert not server.calls


def test_one_log_in_does_for_all_polls_sources_and_restarts_and_stays_secret(
    board: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server, build = board
    caplog.set_level(logging.DEBUG)
    server.posts = [post(1, reason="mention")]
    for read in ("search", "mentions", "search"):
        connector = build(read=read)
        page = connector.poll(None)
        connector.poll(page.cursor)
        assert "secret" not in str(page.cursor)
    assert server.calls.count(CREATE) == 1
    (file,) = (tmp_path / "sessions").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "abcd" not in file.read_text("utf-8")
    assert "secret" not in caplog.text
    assert server.asked[f"/xrpc/{CREATE}"][0].method == "POST"


def test_a_worn_out_session_is_renewed_and_the_new_one_kept(board: Any) -> None:
    server, build = board
    build().poll(None)
    server.good_from = 2
    server.calls.clear()
    build().poll(None)
    assert server.calls == [SEARCH, REFRESH, SEARCH]
    assert bearer(server.asked[f"/xrpc/{REFRESH}"][0]) == "again1"
    server.calls.clear()
    build().poll(None)
    assert server.calls == [SEARCH]


@pytest.mark.parametrize("answer", [error(400, "ExpiredToken"), error(401, "AuthMissing"), Reply(b"", 404)])
def test_a_session_that_cannot_be_renewed_costs_one_log_in(board: Any, answer: Reply) -> None:
    server, build = board
    build().poll(None)
    server.good_from, server.spoilt[REFRESH] = 2, answer
    server.calls.clear()
    build().poll(None)
    assert server.calls == [SEARCH, REFRESH, CREATE, SEARCH]


def test_a_renewal_that_fails_for_now_costs_no_log_in(board: Any) -> None:
    server, build = board
    build().poll(None)
    server.good_from, server.spoilt[REFRESH] = 2, Reply(b"", 502)
    with pytest.raises(TemporaryFailure):
        build().poll(None)
    assert server.calls.count(CREATE) == 1
    server.spoilt.clear()
    build().poll(None)
    assert server.calls.count(CREATE) == 1


def test_an_account_that_is_never_taken_needs_attention_after_three_tries(board: Any) -> None:
    server, build = board
    build().poll(None)
    server.good_from = 99
    server.calls.clear()
    with pytest.raises(NeedsAttention, match="EARSHOT_BLUESKY_APP_PASSWORD"):
        build().poll(None)
    assert (server.calls.count(SEARCH), server.calls.count(REFRESH), server.calls.count(CREATE)) == (3, 1, 1)


def test_a_file_that_is_no_session_is_as_none(board: Any, tmp_path: Path) -> None:
    server, build = board
    build().poll(None)
    (file,) = (tmp_path / "sessions").iterdir()
    for strange in (b"", b"{}", b"\xff\xfe", b'{"access": "x", "colour": 1}', b"[1]"):
        file.write_bytes(strange)
        build().poll(None)
    assert server.calls.count(CREATE) == 6


def test_a_view_without_log_ins_is_read_without_and_says_where_one_is_needed(board: Any) -> None:
    server, build = board
    server.spoilt = {
        CREATE: error(501, "MethodNotImplemented"),
        SEARCH: Reply(json.dumps({"posts": [post(1)]}).encode()),
    }
    connector = build()
    page = connector.poll(None)
    assert texts(page) == ["Post 1"]
    connector.poll(page.cursor)
    assert server.calls.count(CREATE) == 1
    server.spoilt[SEARCH] = error(401, "AuthMissing")
    with pytest.raises(NeedsAttention, match="EARSHOT_BLUESKY_HANDLE"):
        connector.poll(page.cursor)


@pytest.mark.parametrize(
    ("named", "server"),
    [
        ("https://oyster.host.example", "https://oyster.host.example"),
        ("https://oyster.host.example:443/", "https://oyster.host.example:443"),
        ("http://oyster.host.example", ""),
        ("https://oyster.host.example:8443", ""),
        ("https://me@oyster.host.example", ""),
        ("https://oyster.host.example/path", ""),
        ("https://[oyster", ""),
        ("file:///etc/passwd", ""),
        (17, ""),
    ],
)
def test_an_account_s_server_is_followed_to_a_public_https_address_only(named: Any, server: str) -> None:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": named}
    assert pds_of({"service": [None, {"id": "#other"}, service]}) == server
    assert [pds_of(each) for each in (None, {}, {"service": 1})] == [""] * 3


def test_a_daemon_keeps_its_log_ins_in_the_data_directory(
    board: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = board
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "earshot.toml"
    asked = f'kind = "bluesky"\nquery = "larkfield"\napi_root = "{server.url}"\n'
    path.write_text(f'data = "{tmp_path}/data"\n[[sources]]\nname = "B"\n{asked}', "utf-8")
    for _ in range(2):
        with closing(reach(server)) as fetch:
            connector = open_connectors(load(path, {}), fetch, utc_now)["B"]
            connector.poll(None)
            connector.close()
    (kept,) = (tmp_path / "data" / "sessions").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert server.calls.count(CREATE) == 1
