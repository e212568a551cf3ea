"""What a forum's feed tells of its threads, where nothing more of them can be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from listener.connector import Connector
from listener.connectors import build_connector
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, item, reach, rss, source, tools

BEGAN = NOON - timedelta(hours=2)
LINK = "https://board.example/forum/local-2/topic/noise-{}/"


def topic(number: int, words: str) -> str:
    """A thread as machina tells of it: the words of its last post, the time of its first."""
    link = LINK.format(number)
    return item(link, f"Noise {number}", words, link=link, date=f"{BEGAN:%a, %d %b %Y %H:%M:%S} +0000")


@contextmanager
def board(server: FaultyServer) -> Iterator[Connector]:
    clock = Clock()
    fetch = reach(server, clock=clock)
    options = {"url": f"{server.url}/feed", "software": "machina"}
    yield build_connector("forum", source("Larkfield"), options, tools(fetch, clock))
    fetch.close()


def test_what_a_machina_feed_shows_first_has_its_own_time_and_a_later_reply_is_from_now() -> None:
    with FaultyServer() as server, board(server) as connector:
        server.serve("/feed", Reply(rss(topic(1, "Sirens"), topic(2, "Drums"))))
        page = connector.poll(None)
        assert [each.published_at for each in page.mentions] == [BEGAN, BEGAN]
        assert [each.native_id for each in page.mentions] == [LINK.format(1), LINK.format(2)]
        server.serve("/feed", Reply(rss(topic(1, "Sirens again"), topic(2, "Drums"))))
        (reply,) = connector.poll(page.cursor).mentions
        assert (reply.text, reply.published_at) == ("Sirens again", NOON)
