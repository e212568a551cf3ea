"""What the Bluesky connector keeps and leaves out, how it walks back, and how few log-ins it makes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from config.load import load
from listener.bluesky_session import pds_of
from listener.connector import Backfills, Connector, Locator, OwnPosts, Page, Rechecks, Threads
from listener.connectors import build_connector
from listener.connectors.bluesky import BlueskyConnector
from listener.house import open_connectors
from listener.sessions import Sessions
from mentions.clock import utc_now
from mentions.failures import NeedsAttention, NotConfigured, RateLimited, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import NOON, Asked, Clock, FaultyServer, Reply, reach, source, tools

ACCOUNT = {"EARSHOT_BLUESKY_HANDLE": "press.example", "EARSHOT_BLUESKY_APP_PASSWORD": "abcd-efgh"}
SEARCH, NOTIFICATIONS = "app.bsky.feed.searchPosts", "app.bsky.notification.listNotifications"
CREATE, REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"

Build = Callable[..., BlueskyConnector]


def uri(number: int) -> str:
    return f"at://did:plc:lou/app.bsky.feed.post/3k{number}"


def post(number: int, late: float = 0, **more: Any) -> dict[str, Any]:
    """A post; the higher its number the later, a second each. Its index was so many seconds `late`."""
    at = NOON - timedelta(seconds=5000 - number)
    record = {"$type": "app.bsky.feed.post", "text": f"Post {number}", "langs": ["en"], "createdAt": at.isoformat()}
    return {
        "uri": uri(number), "cid": "bafy", "author": {"did": "did:plc:lou", "handle": "lou.example", "labels": []},
        "record": {**record, **more.pop("record", {})}, "indexedAt": (at + timedelta(seconds=late)).isoformat(),
        "likeCount": 1, "repostCount": 2, "quoteCount": 3, "replyCount": 0, "labels": [], **more,
    }  # fmt: skip


def error(status: int, name: str) -> Reply:
    return Reply(json.dumps({"error": name, "message": name}).encode(), status)


def bearer(asked: Asked) -> str:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return headers.get("authorization", "").removeprefix("Bearer ")


class Bluesky(FaultyServer):
    """A data server: `posts` are found by every search; tokens are numbered, and those below `good_from` worn out."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.spoilt: dict[str, Reply] = {}
        self.good_from = self.tokens = 0
        self.cursors = True

    def answer(self, asked: Asked) -> Reply:
        method = urlsplit(asked.path).path.removeprefix("/xrpc/")
        self.calls.append(method)
        self.asked[asked.path].append(asked)
        if method in self.spoilt:
            return self.spoilt[method]
        if method in (CREATE, REFRESH):
            self.tokens += 1
            made = {"accessJwt": f"secret{self.tokens}", "refreshJwt": f"again{self.tokens}"}
            return Reply(json.dumps({"did": "did:plc:press", "handle": "press.example", **made}).encode())
        token = bearer(asked).removeprefix("secret")
        if not token or int(token) < self.good_from:
            return error(400, "ExpiredToken")
        return self._page(method, {key: each[0] for key, each in parse_qs(urlsplit(asked.path).query).items()})

    def _page(self, method: str, given: dict[str, str]) -> Reply:
        ordered = sorted(self.posts, key=lambda view: min(view["indexedAt"], view["record"]["createdAt"]), reverse=True)
        start, limit = int(given.get("cursor", 0)) if self.cursors else 0, int(given["limit"])
        rest = {"cursor": str(start + limit)} if len(ordered) > start + limit or not self.cursors else {}
        name = "posts" if method == SEARCH else "notifications"
        return Reply(json.dumps({name: ordered[start : start + limit], **rest}).encode())


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[Bluesky, Build]]:
    clock = Clock()
    with Bluesky() as server:
        fetch = reach(server, clock=clock)
        made: list[Connector] = []

        def build(secrets: dict[str, str] | None = None, **options: Any) -> Any:
            """As a new process would make it."""
            given = tools(fetch, clock, ACCOUNT if secrets is None else secrets)
            given = replace(given, sessions=Sessions(tmp_path / "sessions"))
            options = {"api_root": server.url, "query": "larkfield", **options}
            made.append(build_connector("bluesky", source("s"), options, given))
            return made[-1]

        yield server, build
        for each in made:
            each.close()
        fetch.close()


def texts(page: Page) -> list[str]:
    return [mention.text for mention in page.mentions]


def drain(connector: Connector, cursor: str | None = None) -> tuple[list[str], str | None]:
    found: list[str] = []
    for _ in range(50):
        page = connector.poll(cursor)
        found += texts(page)
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("never came to an end")


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_it_can_all_that_a_source_can(board: Any) -> None:
    assert all(isinstance(board[1](), each) for each in (Rechecks, OwnPosts, Threads, Backfills))


def labelled(*names: str, neg: bool = False) -> dict[str, Any]:
    labels = [{"val": name, **({"neg": True} if neg else {})} for name in names]
    return {"did": "did:plc:lou", "handle": "lou.example", "labels": labels}


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({"author": labelled("!no-unauthenticated")}, False),
        ({"author": labelled("!no-unauthenticated", neg=True)}, True),
        ({"author": labelled("spam")}, True),
        ({"labels": [{"val": "!takedown"}]}, False),
        ({"author": {"did": "did:plc:x", "handle": "x.example", "viewer": {"blockedBy": True}}}, False),
        ({"author": {"did": "did:plc:x", "handle": "x.example", "viewer": {"blocking": "at://x"}}}, False),
        ({"record": {"$type": "app.bsky.feed.generator"}}, False),
    ],
)
def test_what_is_not_for_everybody_is_left_out_and_counted_once(board: Any, more: dict[str, Any], kept: bool) -> None:
    server, build = board
    server.posts = [post(2, **more), post(1)]
    connector = build()
    page = connector.poll(None)
    assert (len(page.mentions), page.left_out) == (1 + kept, 1 - kept)
    server.posts[0]["likeCount"] = 7
    again = connector.poll(page.cursor)
    assert (again.mentions, again.left_out) == ((), 0)


def test_only_mentions_answers_and_quotes_are_posts_to_us(board: Any) -> None:
    server, build = board
    reasons = ("mention", "reply", "quote", "like", "repost", "follow", "starterpack-joined", "subscribed-post")
    server.posts = [post(n, reason=reason) for n, reason in enumerate(reasons)]
    page = build(read="mentions").poll(None)
    assert (set(texts(page)), page.left_out) == ({"Post 0", "Post 1", "Post 2"}, 5)


@pytest.mark.parametrize("said", ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon", None])
def test_a_clock_of_an_author_that_cannot_be_right_gives_way_to_the_index(board: Any, said: str | None) -> None:
    server, build = board
    view = post(1, record={"createdAt": said})
    server.spoilt[SEARCH] = Reply(json.dumps({"posts": [view]}).encode())
    (mention,) = build().poll(None).mentions
    assert mention.published_at == datetime.fromisoformat(view["indexedAt"])


def test_a_post_names_nobody_and_tells_its_thread(board: Any) -> None:
    server, build = board
    root = {"uri": uri(1), "cid": "bafy"}
    server.posts = [post(2, record={"reply": {"root": root, "parent": root}}), post(1, replyCount=1), post(0)]
    answer, opening, alone = build().poll(None).mentions
    assert answer.thread == opening.thread == opening.id
    assert alone.thread == ""
    assert (answer.native_id, answer.link) == (uri(2), "https://bsky.app/profile/did:plc:lou/post/3k2")
    assert answer.author_key == "<bluesky:did:plc:lou>"
    assert (answer.likes, answer.shares, answer.lang) == (1, 5, "en")
    assert "lou.example" not in repr(answer)


def test_our_own_account_is_known_by_its_identifier(board: Any) -> None:
    server, build = board
    server.posts = [post(1, author={"did": "did:plc:press", "handle": "renamed.example"})]
    assert build().poll(None).mentions[0].voice is Voice.OWN


def test_a_post_may_consist_of_a_picture(board: Any) -> None:
    server, build = board
    server.posts = [
        post(2, record={"text": "", "embed": {"$type": "app.bsky.embed.images"}}),
        post(1, record={"text": ""}),
    ]
    page = build().poll(None)
    assert (texts(page), page.left_out) == ([""], 1)


# -- walking back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pages", "read_back"), [(1, 100), (2, 200), (3, 250), (9, 250)])
@pytest.mark.parametrize("read", ["search", "mentions"])
def test_a_first_look_reads_back_so_many_pages(board: Any, read: str, pages: int, read_back: int) -> None:
    server, build = board
    server.posts = [post(n, reason="mention") if read == "mentions" else post(n) for n in range(250)]
    connector = build(read=read, pages=pages)
    found, cursor = drain(connector)
    assert found == [f"Post {n}" for n in reversed(range(250 - read_back, 250))]
    assert drain(connector, cursor)[0] == []


def test_later_looks_read_on_to_what_is_known_and_past_what_the_index_brings_late(board: Any) -> None:
    server, build = board
    server.posts = [post(n) for n in range(100)]
    connector = build()
    _, cursor = drain(connector)
    server.posts += [post(n) for n in range(100, 400) if n != 150]
    found, cursor = drain(connector, cursor)
    assert sorted(found) == sorted(f"Post {n}" for n in range(100, 400) if n != 150)
    server.posts.append(post(150, late=250))  # below two pages of known ones
    found, cursor = drain(connector, cursor)
    assert found == ["Post 150"]
    server.posts += [post(n) for n in range(1400, 1500)]  # a quarter of an hour on
    assert len(drain(connector, cursor)[0]) == 100


def test_a_long_first_look_and_a_busy_search_are_remembered_whole(board: Any) -> None:
    server, build = board
    server.posts = [post(n) for n in range(1500)]
    server.posts[1499] = post(1499, labels=[{"val": "!hide"}])
    connector = build(pages=15)
    found, cursor = drain(connector)
    assert len(found) == 1499
    for _ in range(3):
        page = connector.poll(cursor)
        assert (page.mentions, page.left_out) == ((), 0)
        while page.more:  # ten minutes are six pages here
            page = connector.poll(page.cursor)
            assert page.mentions == ()
        cursor = page.cursor


def test_a_quiet_search_costs_one_call_a_look(board: Any) -> None:
    server, build = board
    server.posts = [post(n * 60) for n in range(80)]
    connector = build()
    _, cursor = drain(connector)
    for _ in range(3):
        cursor = connector.poll(cursor).cursor
    assert server.calls == [CREATE, *[SEARCH] * 4]


def test_a_search_that_found_nothing_at_first_loses_nothing(board: Any) -> None:
    server, build = board
    connector = build()
    _, cursor = drain(connector)
    server.posts = [post(5000 + n) for n in range(250)]
    assert len(drain(connector, cursor)[0]) == 250


def test_a_server_that_gives_one_page_for_every_page_is_asked_no_further(board: Any) -> None:
    server, build = board
    server.posts, server.cursors = [post(n) for n in range(200)], False
    assert len(drain(build(pages=50))[0]) == 100
    assert server.calls.count(SEARCH) == 2


def test_a_fault_on_the_second_page_costs_neither_the_first_nor_the_second(board: Any) -> None:
    server, build = board
    server.posts = [post(n) for n in range(150)]
    connector = build(pages=5)
    first = connector.poll(None)
    assert (len(first.mentions), first.more) == (100, True)
    server.spoilt[SEARCH] = Reply(b"{}", 429)
    with pytest.raises(RateLimited):
        connector.poll(first.cursor)
    server.spoilt.clear()
    assert len(drain(build(pages=5), first.cursor)[0]) == 50


def test_where_bluesky_reads_back_no_further_there_is_a_gap(board: Any) -> None:
    server, build = board
    server.posts = [post(n) for n in range(150)]
    connector = build(pages=5)
    first = connector.poll(None)
    server.spoilt[SEARCH] = error(400, "InvalidRequest")
    page = connector.poll(first.cursor)
    assert page.gap
    assert not page.more
    server.spoilt.clear()
    assert connector.poll(page.cursor).mentions == ()


def test_the_past_is_filled_in_page_by_page(board: Any) -> None:
    server, build = board
    server.posts = [post(n) for n in range(1000)]
    connector = build()
    since, until = NOON - timedelta(seconds=4800), NOON - timedelta(seconds=4650)
    found, cursor = [], None
    for _ in range(20):
        page = connector.backfill(since, until, cursor)
        found += texts(page)
        cursor = page.cursor
        if not page.more:
            break
    assert found == [f"Post {n}" for n in reversed(range(200, 350))]


# -- log-ins ----------------------------------------------------------------------------------------------------------


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


# -- looking again ----------------------------------------------------------------------------------------------------

GET_POSTS, THREAD = "app.bsky.feed.getPosts", "app.bsky.feed.getPostThread"


def locators(page: Page) -> list[Locator]:
    return [Locator(mention.id, mention.native_id) for mention in page.mentions]


def test_what_is_left_out_of_an_answer_is_deleted(board: Any) -> None:
    server, build = board
    server.posts = [post(n) for n in (3, 2, 1)]
    connector = build()
    page = connector.poll(None)
    ids = [mention.id for mention in page.mentions]
    shown = [post(3, likeCount=8), post(2, author=labelled("!no-unauthenticated"))]
    server.spoilt[GET_POSTS] = Reply(json.dumps({"posts": shown}).encode())
    looked = connector.recheck([*locators(page), Locator("bluesky:odd", "no address")])
    assert [(mention.id, mention.likes) for mention in looked.found] == [(ids[0], 8)]
    assert set(looked.gone) == set(ids[1:])


def test_a_post_that_cannot_be_read_any_more_is_not_taken_for_deleted(board: Any) -> None:
    server, build = board
    server.posts = [post(1)]
    connector = build()
    page = connector.poll(None)
    server.spoilt[GET_POSTS] = Reply(json.dumps({"posts": [post(1, record={"text": 17})]}).encode())
    looked = connector.recheck(locators(page))
    assert (looked.found, looked.gone) == ((), ())


@pytest.mark.parametrize("answer", [Reply(b"{}"), Reply(b"", 503), error(400, "InvalidRequest")])
def test_an_answer_that_tells_nothing_deletes_nothing(board: Any, answer: Reply) -> None:
    server, build = board
    server.posts = [post(1)]
    connector = build()
    page = connector.poll(None)
    server.spoilt[GET_POSTS] = answer
    with pytest.raises(TemporaryFailure):
        connector.recheck(locators(page))


@pytest.mark.parametrize("name", ["NotFound", "RecordNotFound"])
def test_that_there_is_no_such_post_is_a_deletion(board: Any, name: str) -> None:
    server, build = board
    server.posts = [post(2), post(1)]
    connector = build()
    page = connector.poll(None)
    server.spoilt |= {GET_POSTS: error(400, name), THREAD: error(400, name)}
    assert set(connector.recheck(locators(page)).gone) == {mention.id for mention in page.mentions}
    where = locators(page)[0]
    assert connector.thread(where).gone == (where.id,)


def test_a_conversation_comes_oldest_first(board: Any) -> None:
    server, build = board
    hidden = {"$type": "app.bsky.feed.defs#blockedPost", "uri": uri(9), "blocked": True}
    later = {"post": post(3), "replies": [hidden, {"post": post(4)}]}
    thread = {"post": post(2), "parent": {"post": post(1), "parent": hidden}, "replies": [later]}
    server.spoilt[THREAD] = Reply(json.dumps({"thread": thread}).encode())
    page = build().thread(Locator("bluesky:x", uri(2)))
    assert texts(page) == ["Post 1", "Post 2", "Post 3", "Post 4"]
    server.spoilt[THREAD] = Reply(json.dumps({"thread": {"uri": uri(2), "notFound": True}}).encode())
    assert build().thread(Locator("bluesky:x", uri(2))).gone == ("bluesky:x",)


def test_own_posts_are_ours_and_what_we_repost_is_not(board: Any) -> None:
    server, build = board
    feed = [{"post": post(2, likeCount=4)}, {"post": post(1), "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}]
    server.spoilt["app.bsky.feed.getAuthorFeed"] = Reply(json.dumps({"feed": feed}).encode())
    (mention,) = build().own_posts().mentions
    assert (mention.text, mention.voice, mention.likes) == ("Post 2", Voice.OWN, 4)
    assert any("actor=did%3Aplc%3Apress" in path for path in server.asked)


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
