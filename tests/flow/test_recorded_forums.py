"""Recorded pages of real boards: as many posts as a person counts on them, with their ids, and none twice.

`forum_counts.json` holds what was counted by hand: by eye, and by a plain pattern over the bytes of each page that
shares nothing with the rules under test. A list of topics counts one for each, since none of them is to be had here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.connector import Connector
from listener.connectors import build_connector
from listener.forums.kinds import recognise
from listener.forums.pages import decode_page
from listener.markup import plain_text
from listener.trying import Tried, try_source
from tests.faulty_server import Clock, FaultyServer, Reply, reach, source, tools

AUTUMN = datetime(2026, 11, 25, tzinfo=UTC)
COUNTED = json.loads((Path(__file__).parent / "forum_counts.json").read_text("utf-8"))
EACH = pytest.mark.parametrize("counted", COUNTED, ids=[each["page"] for each in COUNTED])


@contextmanager
def board(path: str, body: bytes, kind: str = "text/html", **options: Any) -> Iterator[tuple[FaultyServer, Connector]]:
    """One page on loopback; all else answers 404."""
    clock = Clock(AUTUMN)
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        url = server.serve(path, Reply(body, headers={"Content-Type": kind}))
        yield server, build_connector("forum", source(), {"url": url, **options}, tools(fetch, clock))
        fetch.close()


def tried(path: str, body: bytes, kind: str = "text/html", **options: Any) -> Tried:
    with board(path, body, kind, **options) as (_, connector):
        return try_source(connector, 2)


def page_at(shared: Path, name: str) -> bytes:
    return next((shared / "recorded" / "forum_html").glob(f"*/{name}.html")).read_bytes()


@EACH
def test_a_recorded_page_gives_as_many_posts_as_were_counted_by_hand(shared: Path, counted: dict[str, Any]) -> None:
    found = tried("/some/page", page_at(shared, counted["page"]))
    assert (found.state, found.left_out) == ("ok", 0)
    assert found.polls == [{"new": counted["count"], "edited": 0, "gone": 0}, {"new": 0, "edited": 0, "gone": 0}]
    ids = [mention.native_id for mention in found.mentions.values()]
    if "ids" in counted:
        assert sorted(ids, key=int) == sorted(map(str, counted["ids"]), key=int)
    else:
        assert hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest() == counted["sha256"]  # ids that are words


@EACH
def test_every_recorded_post_has_its_author_and_its_time(shared: Path, counted: dict[str, Any]) -> None:
    mentions = tried("/some/page", page_at(shared, counted["page"]), timezone="Europe/Berlin").mentions.values()
    assert all(mention.author_key for mention in mentions)
    assert all(mention.link.startswith("http") and mention.title for mention in mentions)
    undated = sum(mention.published_at == AUTUMN for mention in mentions)
    assert undated == (0 if counted["page"] != "29_vanilla" else undated)  # some there bear the hour alone


@EACH
def test_the_software_of_a_recorded_page_is_recognised(shared: Path, counted: dict[str, Any]) -> None:
    page = decode_page(page_at(shared, counted["page"]), None)
    assert recognise(page) in (counted["software"], None)


def test_quotes_signatures_and_buttons_are_no_part_of_a_post(shared: Path) -> None:
    found = tried("/page", page_at(shared, "pocketpc.ch.auslieferung"))
    words = "\n".join(mention.text for mention in found.mentions.values())
    assert "Zitat von" not in words
    found = tried("/page", page_at(shared, "1_xenforo1"))
    words = "\n".join(mention.text for mention in found.mentions.values())
    assert "said:" not in words
    assert "Click to expand" not in words


@pytest.mark.parametrize(
    ("path", "name", "options"),
    [
        ("/posts.json", "critfall/posts", {}),
        ("/posts.json", "discourse_api/posts_latest", {}),
        ("/posts.json?before=14", "discourse_api/posts_before", {}),
        ("/t/2144/posts.json", "critfall/t_2144_posts", {}),
        ("/t/2144/posts.json?post_number=21", "critfall/t_2144_posts_pn_21", {"software": "discourse"}),
    ],
)
def test_windows_of_a_discourse_board_give_every_post_once(
    shared: Path, path: str, name: str, options: dict[str, str]
) -> None:
    body = (shared / "recorded" / "discourse" / f"{name}.json").read_bytes()
    document = json.loads(body)
    recorded = document.get("latest_posts") or document["post_stream"]["posts"]
    found = tried(path, body, "application/json", **options)
    assert found.polls == [{"new": len(recorded), "edited": 0, "gone": 0}, {"new": 0, "edited": 0, "gone": 0}]
    mentions = list(found.mentions.values())
    assert [mention.native_id for mention in mentions] == [str(post["id"]) for post in recorded]
    assert [mention.text for mention in mentions] == [plain_text(post["cooked"]) for post in recorded]
    assert [mention.published_at for mention in mentions] == [
        datetime.fromisoformat(post["created_at"]) for post in recorded
    ]


def test_a_list_of_discourse_topics_gives_every_topic(shared: Path) -> None:
    body = (shared / "recorded/discourse/discourse_api/latest.json").read_bytes()
    found = tried("/latest.json", body, "application/json")
    recorded = json.loads(body)["topic_list"]["topics"]
    assert sorted(mention.title for mention in found.mentions.values()) == sorted(each["title"] for each in recorded)
    assert found.polls[1] == {"new": 0, "edited": 0, "gone": 0}


@pytest.mark.parametrize("name", ["posts", "t_2144"])
def test_feeds_of_a_discourse_board_give_every_post(shared: Path, name: str) -> None:
    body = (shared / "recorded" / "discourse" / "critfall" / f"{name}.rss").read_bytes()
    found = tried(f"/{name}.rss", body, "application/rss+xml")
    assert found.polls == [{"new": body.count(b"<item>"), "edited": 0, "gone": 0}, {"new": 0, "edited": 0, "gone": 0}]
    assert all("-post-" in mention.native_id for mention in found.mentions.values())


def test_a_phpbb_feed_whose_counters_move_shows_no_edit(shared: Path) -> None:
    body = (shared / "recorded/forum_feeds/phpbb3_topics_excerpt.atom").read_bytes()
    with board("/feed", body, "application/atom+xml") as (server, connector):
        page = connector.poll(None)
        server.serve("/feed", Reply(body.replace(b"Views 1436", b"Views 1502").replace(b"Replies 0", b"Replies 3")))
        assert len(page.mentions) == 1
        assert connector.poll(page.cursor).mentions == ()


def test_recorded_pages_of_a_live_machina_board_are_read(shared: Path) -> None:
    pages = json.loads((shared / "recorded/forum_live/machina_html.json").read_text("utf-8"))
    listed, topic = pages[1], pages[2]
    with board(listed["request"]["path"], listed["body"].encode()) as (server, connector):
        server.serve(topic["request"]["path"], Reply(topic["body"].encode()))
        found = try_source(connector, 2)
    assert found.polls == [{"new": 3, "edited": 0, "gone": 0}, {"new": 0, "edited": 0, "gone": 0}]
    read = [mention for mention in found.mentions.values() if mention.text]
    assert [mention.native_id for mention in read] == ["1"]
    assert read[0].published_at.isoformat() == "2026-11-23T04:07:00+00:00"
