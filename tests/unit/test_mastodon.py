"""What the Mastodon connector keeps, leaves out, reads back, looks at again and fills in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from listener.connector import Backfills, Connector, Locator, OwnPosts, Page, Rechecks, Threads
from listener.connectors import build_connector
from listener.connectors.mastodon import MastodonConnector
from mentions.failures import NotConfigured, RateLimited, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import NOON, Asked, Clock, FaultyServer, Reply, reach, source, tools

TOKEN = {"EARSHOT_MASTODON_TOKEN": "t0ken"}
FIRST_ID = int(NOON.timestamp() * 1000) << 16

Build = Callable[..., MastodonConnector]


def status(number: int, **more: Any) -> dict[str, Any]:
    """A status; the higher its number the later, a minute each, with an id that tells the time."""
    at = NOON - timedelta(minutes=100 - number)
    return {
        "id": str(int(at.timestamp() * 1000) << 16), "created_at": at.isoformat(), "visibility": "public",
        "uri": f"https://m.example/s/{number}", "content": f"<p>Post {number}</p>", "spoiler_text": "", "reblog": None,
        "account": {"id": "1", "acct": "lou", "uri": "https://m.example/users/lou", "followers_count": 5}, **more,
    }  # fmt: skip


class Listing:
    """A list of Mastodon's on a server: newest first, paged by ids or offset as asked."""

    def __init__(self, items: list[dict[str, Any]], wrap: Callable[[list[Any]], Any] = lambda items: items) -> None:
        self.items = items
        self._wrap = wrap

    def __call__(self, asked: Asked) -> Reply:
        given = {key: values[0] for key, values in parse_qs(urlsplit(asked.path).query).items()}
        limit, offset = int(given.get("limit", 20)), int(given.get("offset", 0))
        items = sorted(self.items, key=lambda item: int(item["id"]), reverse=True)
        if "max_id" in given:
            items = [item for item in items if int(item["id"]) < int(given["max_id"])]
        if "min_id" in given:
            items = [item for item in items if int(item["id"]) > int(given["min_id"])][-limit:]
        return Reply(json.dumps(self._wrap(items[offset : offset + limit])).encode())


class PathServer(FaultyServer):
    """Answers by path alone, whatever the query."""

    def answer(self, asked: Asked) -> Reply:
        self.asked[asked.path].append(asked)
        queue = self._replies.get(urlsplit(asked.path).path) or [Reply(b'{"error": "Record not found"}', 404)]
        return queue[0](asked) if callable(queue[0]) else queue[0]


@pytest.fixture
def board() -> Iterator[tuple[PathServer, Build]]:
    clock = Clock()
    with PathServer() as server:
        fetch = reach(server, clock=clock)
        made: list[Connector] = []

        def build(secrets: dict[str, str] | None = None, **options: Any) -> Any:
            given = tools(fetch, clock, TOKEN if secrets is None else secrets)
            made.append(build_connector("mastodon", source("s"), {"api_root": server.url, **options}, given))
            return made[-1]

        yield server, build
        for each in made:
            each.close()
        fetch.close()


def texts(page: Page) -> list[str]:
    return [mention.text for mention in page.mentions]


def drain(connector: Connector, cursor: str | None) -> tuple[list[str], str | None]:
    found: list[str] = []
    for _ in range(50):
        page = connector.poll(cursor)
        found += texts(page)
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("never came to an end")


TAG = "/api/v1/timelines/tag/x"
SEARCH = "/api/v2/search"
NOTIFICATIONS = "/api/v1/notifications"


def test_it_can_all_that_a_source_can(board: Any) -> None:
    connector = board[1](tag="x")
    assert all(isinstance(connector, each) for each in (Rechecks, OwnPosts, Threads, Backfills))


def test_only_what_everybody_may_read_is_kept_and_the_rest_counted_once(board: Any) -> None:
    server, build = board
    kinds = ("public", "unlisted", "private", "direct", "local")
    shown = [status(n, visibility=kind) for n, kind in enumerate(kinds)]
    server.serve(TAG, Reply(json.dumps([*shown, status(7, reblog=status(8))]).encode()))
    connector = build(tag="x")
    page = connector.poll(None)
    assert (texts(page), page.left_out) == (["Post 0", "Post 1"], 4)
    assert "boost" in page.sample
    for each in shown:
        each["favourites_count"] = 3
    server.serve(TAG, Reply(json.dumps(shown).encode()))
    again = connector.poll(page.cursor)
    assert (again.mentions, again.left_out) == ((), 0)


def test_a_notification_whose_post_does_not_say_for_whom_it_is_is_not_kept(board: Any) -> None:
    server, build = board
    posts = [status(1), {**status(2), "visibility": None}]
    items = [notice(n, post) for n, post in enumerate(posts)]
    server.serve(NOTIFICATIONS, Reply(json.dumps(items).encode()))
    page = build(read="mentions").poll(None)
    assert (texts(page), page.left_out) == (["Post 1"], 1)


def notice(number: int, post: dict[str, Any] | None, kind: str = "mention") -> dict[str, Any]:
    account = {"id": "1", "acct": "lou", "uri": "https://m.example/users/lou"}
    return {"id": str(number), "type": kind, "created_at": NOON.isoformat(), "account": account, "status": post}


def test_notifications_of_other_kinds_are_left_out(board: Any) -> None:
    server, build = board
    items = [notice(4, status(4)), notice(3, status(3), "favourite"), notice(2, None), notice(1, None, "follow")]
    server.serve(NOTIFICATIONS, Reply(json.dumps(items).encode()))
    connector = build(read="mentions")
    page = connector.poll(None)
    assert (texts(page), page.left_out) == (["Post 4"], 3)
    assert connector.poll(page.cursor).left_out == 0
    asked = next(path for path in server.asked if path.startswith(NOTIFICATIONS))
    assert "types%5B%5D=mention" in asked


@pytest.mark.parametrize(
    "more",
    [{"media_attachments": [{"id": "1", "type": "image"}]}, {"poll": {"id": "1", "options": []}}],
    ids=["a picture", "a poll"],
)
def test_a_post_may_consist_of_what_it_shows(board: Any, more: dict[str, Any]) -> None:
    server, build = board
    server.serve(TAG, Reply(json.dumps([status(1, content="", **more), status(2, content="")]).encode()))
    page = build(tag="x").poll(None)
    assert ([mention.native_id for mention in page.mentions], page.left_out) == ([status(1)["id"]], 1)


@pytest.mark.parametrize(("pages", "read_back"), [(1, 40), (2, 80), (3, 90), (9, 90)])
@pytest.mark.parametrize("read", ["tag", "search", "mentions"])
def test_a_first_look_reads_back_so_many_pages(board: Any, read: str, pages: int, read_back: int) -> None:
    server, build = board
    posts = [status(n) for n in range(90)]
    server.serve(TAG, Listing(posts))
    server.serve(SEARCH, Listing(posts, lambda found: {"accounts": [], "statuses": found, "hashtags": []}))
    server.serve(NOTIFICATIONS, Listing([notice(n + 1, post) for n, post in enumerate(posts)]))
    connector = build(read=read, tag="x", query="x", pages=pages)
    found, cursor = drain(connector, None)
    assert sorted(found) == sorted(f"Post {n}" for n in range(90 - read_back, 90))
    assert drain(connector, cursor)[0] == []


@pytest.mark.parametrize("read", ["tag", "search"])
def test_what_a_long_first_look_began_with_is_remembered(board: Any, read: str) -> None:
    server, build = board
    posts = [status(n) for n in range(-1900, 100)]
    posts[-1]["visibility"] = "private"
    server.serve(TAG, Listing(posts))
    server.serve(SEARCH, Listing(posts, lambda found: {"accounts": [], "statuses": found, "hashtags": []}))
    connector = build(read=read, tag="x", query="x", pages=50)
    cursor, found = None, 0
    while (page := connector.poll(cursor)).more:
        cursor, found = page.cursor, found + len(page.mentions)
    assert found + len(page.mentions) == 1999
    again = build(read=read, tag="x", query="x", pages=50).poll(page.cursor)
    assert (again.mentions, again.left_out, again.more) == ((), 0, False)


def test_a_search_is_read_on_to_what_is_known(board: Any) -> None:
    server, build = board
    posts = [status(n) for n in range(3)]
    server.serve(SEARCH, Listing(posts, lambda found: {"accounts": [], "statuses": found, "hashtags": []}))
    connector = build(read="search", query="x")
    found, cursor = drain(connector, None)
    assert len(found) == 3
    posts += [status(n) for n in range(3, 98)]
    found, cursor = drain(connector, cursor)
    assert sorted(found) == sorted(f"Post {n}" for n in range(3, 98))
    assert drain(connector, cursor)[0] == []


def test_a_server_that_gives_one_page_for_every_page_is_asked_no_further(board: Any) -> None:
    server, build = board
    server.serve(TAG, Reply(json.dumps([status(2), status(1)]).encode()))
    found, _ = drain(build(tag="x", pages=50), None)
    assert found == ["Post 2", "Post 1"]
    assert sum(map(len, server.asked.values())) == 2


def test_a_fault_on_the_second_page_costs_neither_the_first_nor_the_second(board: Any) -> None:
    server, build = board
    posts = Listing([status(n) for n in range(60)])
    server.serve(TAG, posts)
    connector = build(tag="x", pages=5)
    first = connector.poll(None)
    assert (len(first.mentions), first.more) == (40, True)
    server.serve(TAG, Reply(b"", 429))
    with pytest.raises(RateLimited):
        connector.poll(first.cursor)
    server.serve(TAG, posts)
    assert len(drain(connector, first.cursor)[0]) == 20


@pytest.mark.parametrize("read", ["search", "mentions"])
def test_what_needs_a_token_is_not_configured_without(board: Any, read: str) -> None:
    server, build = board
    with pytest.raises(NotConfigured, match="EARSHOT_MASTODON_TOKEN"):
        build({}, read=read, query="x").poll(None)
    with pytest.raises(NotConfigured, match="THEIRS"):
        build({}, read=read, query="x", token_env="THEIRS").poll(None)
    assert not server.asked


def test_a_search_needs_its_words(board: Any) -> None:
    with pytest.raises(UserError, match="query"):
        board[1](read="search")


@pytest.mark.parametrize(
    "headers", [{"X-RateLimit-Reset": "soon"}, {"Date": "x"}, {"Link": "<a"}, {"Deprecation": "1"}]
)
def test_strange_headers_spoil_no_good_answer(board: Any, headers: dict[str, str]) -> None:
    server, build = board
    server.serve(TAG, Reply(json.dumps([status(1)]).encode(), headers=headers))
    assert texts(build(tag="x").poll(None)) == ["Post 1"]


def locators(page: Page) -> list[Locator]:
    return [Locator(mention.id, mention.native_id) for mention in page.mentions]


def test_looking_again_shows_edits_likes_and_deletions(board: Any) -> None:
    server, build = board
    posts = [status(n) for n in range(5)]
    server.serve(TAG, Reply(json.dumps(posts).encode()))
    connector = build(tag="x")
    page = connector.poll(None)
    edited = {**posts[0], "content": "<p>Changed</p>", "edited_at": NOON.isoformat(), "favourites_count": 9}
    server.serve(f"/api/v1/statuses/{posts[0]['id']}", Reply(json.dumps(edited).encode()))
    server.serve(f"/api/v1/statuses/{posts[1]['id']}", Reply(b"", 410))
    server.serve(f"/api/v1/statuses/{posts[2]['id']}", Reply(json.dumps({**posts[2], "visibility": "direct"}).encode()))
    other = {**posts[3], "uri": "https://elsewhere.example/1"}
    server.serve(f"/api/v1/statuses/{posts[3]['id']}", Reply(json.dumps(other).encode()))
    looked = connector.recheck(locators(page))
    ids = [mention.id for mention in page.mentions]
    assert [(mention.id, mention.text, mention.likes) for mention in looked.found] == [(ids[0], "Changed", 9)]
    assert set(looked.gone) == {ids[1], ids[2], ids[4]}  # the last one is not served at all


def test_a_server_that_has_nothing_any_more_deletes_nothing(board: Any) -> None:
    server, build = board
    server.serve(TAG, Reply(json.dumps([status(1)]).encode()))
    connector = build(tag="x")
    page = connector.poll(None)
    lost = Reply(b"<html><h1>404 Not Found</h1>nginx</html>", 404)
    server.serve(f"/api/v1/statuses/{status(1)['id']}", lost)
    assert connector.recheck(locators(page)).gone == (page.mentions[0].id,)  # the rest of it answers well
    server.serve(TAG, lost)
    with pytest.raises(TemporaryFailure):
        connector.recheck(locators(page))


def test_a_re_check_that_is_broken_off_keeps_what_it_found(board: Any) -> None:
    server, build = board
    posts = [status(n) for n in range(3)]
    server.serve(TAG, Reply(json.dumps(posts).encode()))
    connector = build(tag="x")
    page = connector.poll(None)
    server.serve(f"/api/v1/statuses/{posts[0]['id']}", Reply(json.dumps(posts[0]).encode()))
    server.serve(f"/api/v1/statuses/{posts[1]['id']}", Reply(b"", 429))
    looked = connector.recheck(locators(page))
    assert (len(looked.found), looked.gone) == (1, ())
    with pytest.raises(RateLimited):
        connector.recheck(locators(page)[1:])


def test_a_conversation_comes_oldest_first(board: Any) -> None:
    server, build = board
    root, middle, last, hidden = (status(n) for n in (1, 2, 3, 4))
    path = f"/api/v1/statuses/{middle['id']}"
    server.serve(path, Reply(json.dumps(middle).encode()))
    around = {"ancestors": [root], "descendants": [{**hidden, "visibility": "private"}, last]}
    server.serve(f"{path}/context", Reply(json.dumps(around).encode()))
    page = build(tag="x").thread(Locator("mastodon:x", middle["id"]))
    assert (texts(page), page.left_out) == (["Post 1", "Post 2", "Post 3"], 1)
    assert build(tag="x").thread(Locator("mastodon:y", "99")).gone == ("mastodon:y",)


def test_own_posts_are_ours(board: Any) -> None:
    server, build = board
    server.serve("/api/v1/accounts/verify_credentials", Reply(b'{"id": "77", "acct": "force"}'))
    server.serve("/api/v1/accounts/77/statuses", Reply(json.dumps([status(1, favourites_count=4)]).encode()))
    (mention,) = build(tag="x").own_posts().mentions
    assert (mention.voice, mention.likes) == (Voice.OWN, 4)
    with pytest.raises(NotConfigured):
        build({}, tag="x").own_posts()


@pytest.mark.parametrize("read", ["tag", "search"])
def test_the_past_is_filled_in_page_by_page(board: Any, read: str) -> None:
    server, build = board
    posts = [status(n) for n in range(-900, 100)]
    listing = Listing(posts, lambda found: {"accounts": [], "statuses": found} if read == "search" else found)
    server.serve(TAG, listing)
    server.serve(SEARCH, listing)
    connector = build(read=read, tag="x", query="x")
    since, until = NOON - timedelta(minutes=700), NOON - timedelta(minutes=600)
    found, cursor = [], None
    for _ in range(60):
        page = connector.backfill(since, until, cursor)
        found += texts(page)
        cursor = page.cursor
        if not page.more:
            break
    assert found == [f"Post {n}" for n in reversed(range(-600, -500))]
    asked = sum(map(len, server.asked.values()))
    assert asked < 8 if read == "tag" else asked < 22  # ids of Mastodon's own tell the time, and offsets do not


def test_ids_that_tell_no_time_are_walked_through(board: Any) -> None:
    server, build = board
    posts = [{**status(n), "id": str(1000 + n)} for n in range(100)]
    server.serve(TAG, Listing(posts))
    connector = build(tag="x")
    page = connector.backfill(NOON - timedelta(minutes=100), NOON - timedelta(minutes=95), None)
    found = texts(page)
    while page.more:
        page = connector.backfill(NOON - timedelta(minutes=100), NOON - timedelta(minutes=95), page.cursor)
        found += texts(page)
    assert found == [f"Post {n}" for n in reversed(range(5))]


def test_times_without_a_zone_are_of_the_zone_given(board: Any) -> None:
    server, build = board
    server.serve(TAG, Reply(json.dumps([status(1, created_at="2026-06-09T10:00:00")]).encode()))
    (mention,) = build(tag="x", timezone="Europe/London").poll(None).mentions
    assert mention.published_at == datetime(2026, 6, 9, 9, tzinfo=UTC)
