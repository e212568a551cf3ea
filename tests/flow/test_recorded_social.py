"""Recorded traffic of Mastodon and Bluesky, tried out over loopback as a person would: `earshot sources try`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from listener.connectors import build_connector
from listener.markup import plain_text
from listener.trying import Tried, try_source
from mentions.clock import utc_now
from tests.earshot import command, surroundings
from tests.faulty_server import Reply, reach, source, tools
from tests.recorded_traffic import Exchange, RecordedServer, read_recording

TOKEN = {"EARSHOT_MASTODON_TOKEN": "t0ken"}
ACCOUNT = {"EARSHOT_BLUESKY_HANDLE": "press.example", "EARSHOT_BLUESKY_APP_PASSWORD": "abcd-efgh"}
ELSEWHERE = {"service": [{"id": "#atproto_pds", "serviceEndpoint": "https://pds.invalid"}]}
LOGGED_IN = {
    "did": "did:plc:press",
    "handle": "press.example",
    "accessJwt": "a",
    "refreshJwt": "r",
    "didDoc": ELSEWHERE,
}
LOG_IN = Exchange(
    "POST", "/xrpc/com.atproto.server.createSession", 200, json.dumps(LOGGED_IN).encode(),
    {"Content-Type": "application/json"},
)  # fmt: skip
SIGN_IN = Reply(b"<html><title>Sign in</title><form><input type=password></form></html>")
WEB_PAGE = Reply(b"<html><title>Down</title></html>", headers={"Content-Type": "text/html"})


def try_out(
    server: RecordedServer, folder: Path, kind: str, *options: str, env: Mapping[str, str], polls: int = 2
) -> dict[str, Any]:
    words = command(
        "sources", "try", kind, "--set", f"api_root={server.url}", *options, "--allow", f"127.0.0.1:{server.port}",
        "--polls", str(polls), "--json",
    )  # fmt: skip
    done = subprocess.run(
        words, cwd=folder, env={**surroundings(), **env}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def times(mentions: Iterable[Mapping[str, Any]]) -> list[datetime]:
    return [datetime.fromisoformat(each["published_at"]) for each in mentions]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("test_public_tl", ["read=public"]),
        ("test_hashtag_tl", ["tag=hoot"]),
        ("test_entity_searchv2", ["read=search", "query=halcy"]),
        ("test_search", ["read=search", "query=mastodonpy_test"]),
        ("test_notifications_mentions_only", ["read=mentions"]),
        ("test_entity_notification", ["read=mentions"]),
    ],
)
def test_what_mastodon_gave_comes_as_recorded(shared: Path, tmp_path: Path, name: str, options: list[str]) -> None:
    file = shared / "recorded/mastodon" / f"{name}.yaml"
    paths = ("/timelines/", "/search", "/v1/notifications")
    lists = [each for each in read_recording(file) if each.method == "GET" and any(p in each.path for p in paths)]
    body = lists[0].json
    items = body["statuses"] if isinstance(body, dict) else body
    statuses = [item.get("status") if "type" in item and "content" not in item else item for item in items]
    open_ones = [each for each in statuses if each and each["visibility"] in ("public", "unlisted")]
    with RecordedServer(file) as server:
        tried = try_out(server, tmp_path, "mastodon", *options, env=TOKEN)
    assert (tried["state"], tried["left_out"]) == ("ok", len(items) - len(open_ones))
    assert tried["polls"][1] == {"new": 0, "edited": 0, "gone": 0}
    mentions = tried["mentions"]
    assert [each["native_id"] for each in mentions] == [each["id"] for each in open_ones]
    assert [each["text"] for each in mentions] == [plain_text(each["content"]) for each in open_ones]
    assert times(mentions) == [datetime.fromisoformat(each["created_at"]) for each in open_ones]


@pytest.mark.parametrize(
    ("name", "options"), [("searchPosts_p1", ["query=police"]), ("listNotifications", ["read=mentions"])]
)
def test_what_bluesky_gave_comes_as_recorded(shared: Path, tmp_path: Path, name: str, options: list[str]) -> None:
    file = shared / "recorded/bluesky/devnet" / f"{name}.json"
    body = read_recording(file)[0].json
    views = body.get("posts") or body["notifications"]
    with RecordedServer(file, [LOG_IN]) as server:
        tried = try_out(server, tmp_path, "bluesky", *options, env=ACCOUNT, polls=3)
        logins = server.calls.count(f"POST {LOG_IN.path}")
    assert (tried["state"], tried["left_out"], logins) == ("ok", 0, 1)
    assert tried["polls"][1:] == [{"new": 0, "edited": 0, "gone": 0}] * 2
    mentions = tried["mentions"]
    assert [each["native_id"] for each in mentions] == [each["uri"] for each in views]
    assert [each["text"] for each in mentions] == [each["record"]["text"] for each in views]
    assert times(mentions) == [datetime.fromisoformat(each["record"]["createdAt"]) for each in views]


@pytest.mark.parametrize("name", ["createSession_badpw", "searchPosts_noauth"])
def test_recorded_refusals_need_attention(shared: Path, tmp_path: Path, name: str) -> None:
    with RecordedServer(shared / "recorded/bluesky/devnet" / f"{name}.json", [LOG_IN]) as server:
        tried = try_out(server, tmp_path, "bluesky", "query=police", env=ACCOUNT)
        assert len(server.calls) <= 2
    assert tried["state"] == "needs_attention"


FAULTS = {
    "429": (Reply(b"{}", 429), "rate_limited"),
    "401": (Reply(b"{}", 401), "needs_attention"),
    "403": (Reply(b"{}", 403), "needs_attention"),
    "410": (Reply(b"{}", 410), "needs_attention"),
    "404": (Reply(b"{}", 404), "temporary"),
    "500": (Reply(b"", 500), "temporary"),
    "a web page": (WEB_PAGE, "temporary"),
    "cut off": (Reply(b"[" * 99, fault="cut"), "temporary"),
    "hung up": (Reply(fault="hang up"), "temporary"),
    "no answer": (Reply(fault="hang"), "temporary"),
    "a sign-in page": (SIGN_IN, "needs_attention"),
    "sent elsewhere": (Reply(status=302, headers={"Location": "http://10.0.0.1/"}), "needs_attention"),
}


def try_here(server: RecordedServer, kind: str, secrets: Mapping[str, str], **options: str) -> Tried:
    """The same in this process, and less patient."""
    fetch = reach(server, clock=utc_now, total=0.5)  # type: ignore[arg-type]
    given = tools(fetch, utc_now, secrets)  # type: ignore[arg-type]
    with closing(fetch), closing(build_connector(kind, source(), {"api_root": server.url, **options}, given)) as made:
        return try_source(made, 2)


@pytest.mark.parametrize("call", [0, 1, 2], ids=["log-in", "first look", "second look"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_of_bluesky_is_told_as_what_it_is(shared: Path, call: int, fault: str) -> None:
    reply, state = FAULTS[fault]
    with RecordedServer(shared / "recorded/bluesky/devnet/searchPosts_p1.json", [LOG_IN]) as server:
        server.spoil(call, reply)
        tried = try_here(server, "bluesky", ACCOUNT, query="police")
        assert len(server.calls) == call + 1
    assert (tried.state, len(tried.mentions)) == (state, 5 if call == 2 else 0)


@pytest.mark.parametrize("call", [0, 1], ids=["first look", "second look"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_of_mastodon_is_told_as_what_it_is(shared: Path, call: int, fault: str) -> None:
    reply, state = FAULTS[fault]
    with RecordedServer(shared / "recorded/mastodon/test_public_tl.yaml") as server:
        server.spoil(call, reply)
        tried = try_here(server, "mastodon", {}, read="public")
        assert len(server.calls) == call + 1
    assert (tried.state, len(tried.mentions)) == (state, 8 if call else 0)
