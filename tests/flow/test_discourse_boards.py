"""Discourse by its JSON: how far a first look reads, what is hidden or deleted, looking again, and the past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from listener.connector import Locator
from listener.connectors import build_connector
from listener.trying import try_source
from mentions.failures import NeedsAttention, TemporaryFailure
from tests.faulty_server import Clock, FaultyServer, Reply, reach, source, tools


def post(number: int, words: str = "", **facts: Any) -> dict[str, Any]:
    return {
        "id": number, "username": "lou", "created_at": f"2026-06-0{1 + number // 10 % 8}T10:00:00Z",
        "cooked": f"<p>{words or f'Post {number}'}</p>", "topic_id": 7, "post_number": number, "topic_slug": "sirens",
        "topic_title": "Sirens", **facts,
    }  # fmt: skip


def latest(*posts: dict[str, Any]) -> Reply:
    return Reply(json.dumps({"latest_posts": list(posts)}).encode())


def topic(*posts: dict[str, Any]) -> Reply:
    document = {"id": 7, "title": "Sirens", "posts_count": len(posts), "post_stream": {"posts": list(posts)}}
    return Reply(json.dumps(document).encode())


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture
def connector(server: FaultyServer) -> Iterator[Any]:
    clock = Clock()
    fetch = reach(server, clock=clock)
    yield build_connector(
        "forum", source(), {"url": server.url, "software": "discourse", "pages": 2}, tools(fetch, clock)
    )
    fetch.close()


def test_a_first_look_reads_as_many_pages_as_it_is_told(server: FaultyServer, connector: Any) -> None:
    server.serve("/posts.json", latest(post(15), post(14)))
    server.serve("/posts.json?before=14", latest(post(13), post(12)))
    server.serve("/posts.json?before=12", latest(post(11)))
    tried = try_source(connector, 2)
    assert [mention.native_id for mention in tried.mentions.values()] == ["15", "14", "13", "12"]
    assert tried.polls[1] == {"new": 0, "edited": 0, "gone": 0}


def test_a_post_that_is_hidden_or_left_out_of_the_middle_is_gone_and_one_that_aged_out_is_not(
    server: FaultyServer, connector: Any
) -> None:
    server.serve("/posts.json", latest(post(15), post(14), post(13), post(12)))
    server.serve("/posts.json?before=12", latest())
    page = connector.poll(None)
    ids = {mention.native_id: mention.id for mention in page.mentions}
    page = connector.poll(page.cursor)
    server.serve("/posts.json", latest(post(16), post(15, hidden=True), post(13)))  # 14 is left out, 12 aged out
    page = connector.poll(page.cursor)
    assert [mention.native_id for mention in page.mentions] == ["16"]
    assert sorted(page.gone) == sorted([ids["14"], ids["15"]])
    again = connector.poll(page.cursor)
    assert (again.mentions, again.gone, again.left_out) == ((), (), 0)


def test_posts_are_looked_at_again_in_their_topic(server: FaultyServer, connector: Any) -> None:
    server.serve("/posts.json", latest(post(15), post(14)))
    mentions = connector.poll(None).mentions
    locators = [Locator(each.id, each.native_id, each.link) for each in mentions]
    server.serve("/t/7/15.json", topic(post(15, "Put differently")))
    server.serve("/t/7/14.json", topic(post(13), post(15)))
    result = connector.recheck(locators)
    assert [(each.id, each.text, each.title) for each in result.found] == [
        (mentions[0].id, "Put differently", "Sirens")
    ]
    assert result.gone == (mentions[1].id,)


def test_where_a_board_answers_404_to_everything_no_post_counts_as_gone(server: FaultyServer, connector: Any) -> None:
    server.serve("/posts.json", latest(post(15), post(14)))
    locators = [Locator(each.id, each.native_id, each.link) for each in connector.poll(None).mentions]
    server.serve("/posts.json", Reply(status=404))
    with pytest.raises(TemporaryFailure):
        connector.recheck(locators)
    server.serve("/posts.json", latest(post(16)))
    assert len(connector.recheck(locators).gone) == 2


def test_a_post_that_is_only_a_picture_is_kept_by_its_topics_title(server: FaultyServer) -> None:
    picture = {key: value for key, value in post(2).items() if key != "topic_title"} | {"cooked": "<img src='/a.png'>"}
    server.serve("/t/7.json", topic(post(1), picture))
    clock = Clock()
    options = {"url": f"{server.url}/t/sirens/7", "software": "discourse"}
    with closing(reach(server, clock=clock)) as fetch:
        tried = try_source(build_connector("forum", source(), options, tools(fetch, clock)), 2)
    assert [(each.native_id, each.title, each.text) for each in tried.mentions.values()] == [
        ("1", "Sirens", "Post 1"),
        ("2", "Sirens", ""),
    ]
    assert tried.left_out == 0


def test_what_a_board_refuses_never_counts_as_gone(server: FaultyServer, connector: Any) -> None:
    server.serve("/posts.json", latest(post(15), post(14)))
    mentions = connector.poll(None).mentions
    locators = [Locator(each.id, each.native_id, each.link) for each in mentions]
    for number in (14, 15):
        server.serve(f"/t/7/{number}.json", Reply(status=403))
    with pytest.raises(NeedsAttention):
        connector.recheck(locators)
    server.serve("/t/7/15.json", topic(post(15)))
    again = connector.recheck(locators)
    assert ([each.id for each in again.found], again.gone) == ([mentions[0].id], ())


@pytest.mark.parametrize("closed_by", ["a guard", "robots.txt"])
def test_a_post_left_out_of_the_middle_is_not_gone_where_its_own_address_is_closed(
    server: FaultyServer, connector: Any, closed_by: str
) -> None:
    server.serve("/posts.json", latest(post(15), post(14), post(13)))
    server.serve("/posts.json?before=13", latest())
    page = connector.poll(connector.poll(None).cursor)
    server.serve("/posts.json", latest(post(16), post(15), post(13)))
    if closed_by == "robots.txt":
        server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /posts/"))
        connector._tools.clock.now += timedelta(days=2)
    server.serve("/posts/14.json", Reply(status=403, headers={"cf-mitigated": "challenge"}))
    assert connector.poll(page.cursor).gone == ()


def test_a_page_that_robots_txt_closes_is_not_gone(server: FaultyServer, connector: Any) -> None:
    server.serve("/posts.json", latest(post(15), post(14)))
    locators = [Locator(each.id, each.native_id, each.link) for each in connector.poll(None).mentions]
    server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /t/7/14"))
    connector._tools.clock.now += timedelta(days=2)  # robots.txt is asked again
    server.serve("/t/7/15.json", topic(post(15)))
    again = connector.recheck(locators)
    assert ([each.id for each in again.found], again.gone) == ([locators[0].id], ())


def test_a_conversation_and_a_past_span_are_read(server: FaultyServer, connector: Any) -> None:
    server.serve("/t/7/2.json", topic(post(11), post(12)))
    page = connector.thread(Locator("forum:x", "12", f"{server.url}/t/sirens/7/2"))
    assert [mention.native_id for mention in page.mentions] == ["11", "12"]
    listed = [{"id": 7, "title": "Sirens", "slug": "sirens", "created_at": "2026-06-01T09:00:00Z", "reply_count": 2}]
    server.serve("/latest.json", Reply(json.dumps({"topic_list": {"topics": listed}}).encode()))
    server.serve("/t/7.json", topic(post(11), post(21), post(41)))
    since = page.mentions[0].published_at + timedelta(hours=1)
    cursor, found = None, []
    for _ in range(5):
        page = connector.backfill(since, since + timedelta(days=2), cursor)
        found += [mention.native_id for mention in page.mentions]
        cursor = page.cursor
        if not page.more:
            break
    assert found == ["21"]
