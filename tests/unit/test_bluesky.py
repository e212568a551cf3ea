"""What the Bluesky connector keeps and leaves out, how it walks back, and what it sees when it looks again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.connector import Backfills, Connector, Locator, OwnPosts, Page, Rechecks, Threads
from mentions.failures import RateLimited, TemporaryFailure
from mentions.mention import Voice
from tests.bluesky_server import CREATE, SEARCH, Bluesky, Build, bluesky, error, post, texts, uri
from tests.faulty_server import NOON, Reply


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[Bluesky, Build]]:
    with bluesky(tmp_path) as both:
        yield both


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
