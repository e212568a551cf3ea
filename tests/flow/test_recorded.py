"""Real traffic of real platforms, replayed over loopback through the real connectors: all of it, once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from listener.connector import Connector, Page
from listener.connectors import build_connector
from listener.markup import plain_text
from tests.faulty_server import Asked, Clock, FaultyServer, Reply, reach, source, tools

AUTUMN = datetime(2026, 11, 1, tzinfo=UTC)


@contextmanager
def reading(kind: str, **options: str) -> Iterator[tuple[FaultyServer, Connector]]:
    clock = Clock(AUTUMN)
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        given = {key: value.replace("{url}", server.url) for key, value in options.items()}
        connector = build_connector(kind, source(), given, tools(fetch, clock))
        yield server, connector
        connector.close()
        fetch.close()


def twice(connector: Connector) -> Page:
    """The first page, after making sure that the same again is nothing new."""
    page = connector.poll(None)
    assert connector.poll(page.cursor).mentions == ()
    assert len({mention.id for mention in page.mentions}) == len(page.mentions)
    return page


# -- forums -----------------------------------------------------------------------------------------------------------


def test_a_discourse_board_by_its_json_gives_every_post(shared: Path) -> None:
    body = (shared / "recorded/discourse/critfall/posts.json").read_bytes()
    recorded = json.loads(body)["latest_posts"]
    with reading("forum", url="{url}", software="discourse") as (server, connector):
        server.serve("/posts.json", Reply(body))
        page = twice(connector)
    assert [mention.native_id for mention in page.mentions] == [str(post["id"]) for post in recorded]
    assert [mention.published_at for mention in page.mentions] == [
        datetime.fromisoformat(post["created_at"]) for post in recorded
    ]
    assert [mention.text for mention in page.mentions] == [plain_text(post["cooked"]) for post in recorded]
    assert page.left_out == 0


def test_the_same_board_by_its_feed_gives_the_same_threads(shared: Path) -> None:
    folder = shared / "recorded/discourse/critfall"
    with reading("forum", url="{url}/posts.rss") as (server, connector):
        server.serve("/posts.rss", Reply((folder / "posts.rss").read_bytes()))
        page = twice(connector)
    assert len(page.mentions) == 50
    recorded = json.loads((folder / "posts.json").read_bytes())["latest_posts"]
    topics = {mention.thread.rpartition("/")[2] for mention in page.mentions}
    assert topics == {str(post["topic_id"]) for post in recorded}


@pytest.mark.parametrize(
    ("name", "title", "at", "thread"),
    [
        ("phpbb3_topics_excerpt.atom", "General Discussion • ", "2013-04-03T19:42:15+00:00", "/2375"),
        ("xenforo2_excerpt.rss", "nxm.com", "2026-06-09T03:02:08+00:00", "/634918"),
    ],
)
def test_excerpts_of_public_boards_are_read(shared: Path, name: str, title: str, at: str, thread: str) -> None:
    with reading("forum", url="{url}/feed") as (server, connector):
        server.serve("/feed", Reply((shared / "recorded/forum_feeds" / name).read_bytes()))
        (mention,) = twice(connector).mentions
    assert mention.title.startswith(title)
    assert mention.published_at.isoformat() == at
    assert mention.thread.endswith(thread)
    assert mention.author_key
    assert "Posted by" not in mention.text


def test_a_recorded_session_at_a_machina_board_shows_the_reply(shared: Path) -> None:
    steps = json.loads((shared / "recorded/forum_live/machina_feed_session.json").read_text("utf-8"))
    first, replied, deleted = (next(s for s in steps if s["step"].startswith(n)) for n in ("1 ", "4 ", "6 "))
    replies = [Reply(s["body"].encode(), headers={"ETag": s["headers"]["etag"]}) for s in (first, replied, deleted)]
    with reading("forum", url="{url}/feed", software="machina") as (server, connector):
        server.serve("/feed", replies[0], *replies)  # the first request looks for the feed
        page = connector.poll(None)
        assert len(page.mentions) == first["body"].count("<item>")
        (reply,) = (again := connector.poll(page.cursor)).mentions
        assert reply.thread in {mention.thread for mention in page.mentions}
        assert "crime ref" in reply.text
        assert reply.id not in {mention.id for mention in page.mentions}
        assert reply.published_at == AUTUMN  # when it was seen: the board dates it by the thread's first post
        assert connector.poll(again.cursor).mentions == ()  # the reply is gone, and the post before it is known


# -- feeds ------------------------------------------------------------------------------------------------------------


def test_every_recorded_feed_is_read_once(shared: Path) -> None:
    for file in sorted((shared / "recorded/feeds/real2026").glob("*.feed")):
        with reading("feed", url="{url}/feed") as (server, connector):
            server.serve("/feed", Reply(file.read_bytes()))
            page = twice(connector)
        assert page.mentions, file.name
        assert all(mention.link and mention.publisher for mention in page.mentions), file.name


# -- Mastodon ---------------------------------------------------------------------------------------------------------


def interactions(file: Path) -> list[tuple[str, list[dict[str, Any]]]]:
    """Path and statuses of every list a recording holds, in order."""
    text = file.read_text("utf-8")
    found = re.findall(r"method: GET\n\s+uri: (\S+).*?\n {6}string: '((?:[^']|'')*)'", text, re.DOTALL)
    lists = [(urlsplit(uri)._replace(scheme="", netloc="").geturl(), body.replace("''", "'")) for uri, body in found]
    return [(path, json.loads(re.sub(r"\n\s*", " ", body))) for path, body in lists if body.startswith("[")]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("test_public_tl.yaml", {"read": "public"}),
        ("test_hashtag_tl.yaml", {"read": "tag", "tag": "hoot"}),
    ],
)
def test_a_recorded_timeline_comes_whole_through_mastodon_py(shared: Path, name: str, read: dict[str, str]) -> None:
    path, statuses = interactions(shared / "recorded/mastodon" / name)[0]
    with reading("mastodon", api_root="{url}", **read) as (server, connector):
        server.serve(f"{path}?limit=40", Reply(json.dumps(statuses).encode()))
        page = twice(connector)
    assert [mention.native_id for mention in page.mentions] == [status["id"] for status in statuses]
    assert [mention.text for mention in page.mentions] == [plain_text(status["content"]) for status in statuses]
    assert [mention.published_at for mention in page.mentions] == [
        datetime.fromisoformat(status["created_at"]) for status in statuses
    ]
    assert all(
        status["account"]["username"] not in mention.id for status, mention in zip(statuses, page.mentions, strict=True)
    )


def test_recorded_pages_are_walked_without_gap(shared: Path) -> None:
    pages = interactions(shared / "recorded/mastodon/test_fetch_next_previous.yaml")
    known = {status["id"]: status for _, statuses in pages for status in statuses}
    ids = sorted(known, key=int)
    assert len(ids) == 10

    def answer(asked: Asked) -> Reply:
        minimum = re.search(r"min_id=(\d+)", asked.path)
        above = [i for i in ids if minimum and int(i) > int(minimum[1])][:3] if minimum else ids[-3:]
        return Reply(json.dumps([known[i] for i in reversed(above)]).encode())

    with reading("mastodon", api_root="{url}", read="public") as (server, connector):
        root = "/api/v1/timelines/public?limit=40"
        server.serve(root, Reply(json.dumps([known[ids[0]]]).encode()), answer)
        for minimum in ids:
            server.serve(f"/api/v1/timelines/public?min_id={minimum}&limit=40", answer)
            server.serve(f"{root}&min_id={minimum}", answer)
        cursor, found = None, []
        for _ in range(9):
            page = connector.poll(cursor)
            found += [mention.native_id for mention in page.mentions]
            cursor = page.cursor
    assert sorted(found, key=int) == ids
