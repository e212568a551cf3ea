"""A web page given in a feed's place: its feed is found, once, and nothing inward is reached by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from listener.connector import Locator, Rechecks
from listener.connectors import build_connector
from listener.connectors.feed import FeedConnector
from listener.discovery import feed_addresses
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited, TemporaryFailure
from tests.faulty_server import Clock, FaultyServer, Reply, item, reach, rss, source, tools

FEED = rss(item("https://a.example/1", "Patrols doubled", link="https://a.example/1"))
JSON_FEED = (
    b'{"version": "https://jsonfeed.org/version/1.1", "title": "x",'
    b' "items": [{"id": "1", "url": "https://a.example/1", "title": "Patrols doubled"}]}'
)


def page(*links: str, body: str = "") -> Reply:
    return Reply(f"<!doctype html><html><head>{''.join(links)}</head><body>{body}</body></html>".encode())


def alternate(href: str, kind: str = "application/rss+xml", title: str = "") -> str:
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


@contextmanager
def reading(path: str = "/") -> Iterator[tuple[FaultyServer, FeedConnector]]:
    clock = Clock()
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        made = build_connector("feed", source(), {"url": f"{server.url}{path}"}, tools(fetch, clock))
        assert isinstance(made, FeedConnector)
        yield server, made
        fetch.close()


def titles(connector: FeedConnector) -> list[str]:
    return [mention.title for mention in connector.poll(None).mentions]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/rss+xml", FEED),
        ("application/atom+xml", FEED),
        ("application/feed+json", JSON_FEED),
        ("application/json", JSON_FEED),
    ],
)
def test_the_feed_a_page_names_is_read(kind: str, body: bytes) -> None:
    with reading("/news") as (server, connector):
        server.serve("/news", page(alternate("feeds/all.xml?feed=1", kind)))
        server.serve("/feeds/all.xml?feed=1", Reply(body))
        assert titles(connector) == ["Patrols doubled"]


def test_the_feed_is_looked_for_once() -> None:
    with reading() as (server, connector):
        server.serve("/", page(alternate("/posts.rss")))
        server.serve("/posts.rss", Reply(FEED))
        cursor = connector.poll(None).cursor
        assert connector.poll(cursor).mentions == ()
        assert (len(server.asked["/"]), len(server.asked["/posts.rss"])) == (1, 2)


def test_a_feed_of_comments_is_taken_last() -> None:
    with reading() as (server, connector):
        server.serve("/", page(alternate("/comments/feed", title="Site comments"), alternate("/posts")))
        server.serve("/comments/feed", Reply(rss(item("9", "A comment"))))
        server.serve("/posts", Reply(FEED))
        assert titles(connector) == ["Patrols doubled"]


def test_where_a_page_names_none_the_usual_places_are_tried() -> None:
    with reading("/news") as (server, connector):
        server.serve("/news", page(body="hello"))
        server.serve("/news/index.xml", Reply(FEED))
        assert titles(connector) == ["Patrols doubled"]
        assert all(len(asked) == 1 for asked in server.asked.values())


def test_a_channel_page_leads_to_its_videos() -> None:
    channel = "UC" + "a1B2-c3_d4" * 2 + "xy"
    with reading(f"/channel/{channel}") as (server, connector):
        server.serve(f"/channel/{channel}", page())
        server.serve(f"/feeds/videos.xml?channel_id={channel}", Reply(FEED))
        assert titles(connector) == ["Patrols doubled"]


def test_handles_and_playlists_of_youtube_are_known_by_what_the_page_says() -> None:
    channel = "UC" + "a1B2-c3_d4" * 2 + "xy"
    handle = feed_addresses(f'<meta itemprop="identifier" content="{channel}">', "https://www.youtube.com/@somebody")
    assert handle[0] == f"https://www.youtube.com/feeds/videos.xml?channel_id={channel}"
    playlist = feed_addresses("", "https://www.youtube.com/playlist?list=PL123")
    assert playlist[0] == "https://www.youtube.com/feeds/videos.xml?playlist_id=PL123"


def test_interfaces_of_wordpress_are_no_feeds_and_a_base_is_heeded() -> None:
    head = '<base href="https://b.example/x/">' + alternate("/wp-json/a", "application/json") + alternate("feed")
    assert feed_addresses(head, "https://a.example/")[0] == "https://b.example/x/feed"


def test_a_page_with_a_sign_in_may_name_a_feed_and_is_not_searched_behind() -> None:
    form = "<form><input type=password></form>"
    with reading() as (server, connector):
        server.serve("/", page(alternate("/posts"), body=form))
        server.serve("/posts", Reply(FEED))
        assert titles(connector) == ["Patrols doubled"]
    with reading() as (server, connector):
        server.serve("/", page(body=form))
        with pytest.raises(NeedsAttention, match="sign-in"):
            connector.poll(None)
        assert list(server.asked) == ["/robots.txt", "/"]


def test_a_page_without_a_feed_is_a_temporary_failure_that_says_so() -> None:
    with reading() as (server, connector):
        server.serve("/", page())
        with pytest.raises(TemporaryFailure, match="a web page, not a feed"):
            connector.poll(None)
        assert len(server.asked["/"]) == 1


def test_a_feed_that_turned_into_a_page_is_a_site_in_trouble_and_nothing_else_is_tried() -> None:
    with reading("/feed") as (server, connector):
        server.serve("/feed", Reply(FEED), page(alternate("/other")))
        server.serve("/other", Reply(rss(item("2", "Another site"))))
        cursor = connector.poll(None).cursor
        with pytest.raises(TemporaryFailure, match="a web page"):
            connector.poll(cursor)
        assert "/other" not in server.asked


def test_a_site_that_asks_to_wait_is_not_searched_on() -> None:
    with reading() as (server, connector):
        server.serve("/", page(alternate("/posts")))
        server.serve("/posts", Reply(status=429))
        with pytest.raises(RateLimited):
            connector.poll(None)
        assert list(server.asked) == ["/robots.txt", "/", "/posts"]


def test_an_item_keeps_the_name_the_feed_gives_it() -> None:
    with reading("/feed") as (server, connector):
        server.serve("/feed", Reply(rss(item("yt:video:lark0000001", "Sirens"))))
        (mention,) = connector.poll(None).mentions
    assert mention.native_id == "yt:video:lark0000001"


# -- looked at again --------------------------------------------------------------------------------------------------


def test_what_the_feed_shows_is_found_what_answers_is_there_and_only_what_is_gone_is_gone() -> None:
    with reading("/feed") as (server, connector):
        assert isinstance(connector, Rechecks)
        kept = item("https://a.example/1", "Patrols doubled, edited", link="https://a.example/1")
        server.serve("/feed", Reply(rss(kept)))
        for path, status in (("/aged", 200), ("/deleted", 404), ("/removed", 410), ("/broken", 500), ("/shut", 403)):
            server.serve(path, Reply(b"x", status=status))
        paths = ("/aged", "/deleted", "/removed", "/broken", "/shut")
        (mention,) = connector.poll(None).mentions
        known = [Locator(mention.id, mention.native_id, mention.link)]
        again = connector.recheck([*known, *(Locator(f"rss:{path}", path, server.url + path) for path in paths)])
    assert [each.title for each in again.found] == ["Patrols doubled, edited"]
    assert (again.gone, again.missing, again.there) == (("rss:/removed",), ("rss:/deleted",), ("rss:/aged",))


def test_a_page_that_robots_txt_closes_costs_its_neighbours_nothing() -> None:
    with reading("/feed") as (server, connector):
        server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /closed"))
        server.serve("/feed", Reply(FEED))
        server.serve("/aged", Reply(b"x"))
        again = connector.recheck([Locator(f"rss:{path}", path, server.url + path) for path in ("/closed", "/aged")])
    assert (again.gone, again.missing, again.there) == ((), (), ("rss:/aged",))


def test_a_leave_to_read_one_host_is_none_to_read_another() -> None:
    clock = Clock()
    with FaultyServer() as own, FaultyServer() as other:
        for server in (own, other):
            server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /"))
            server.serve("/feed", Reply(FEED))
            server.serve("/1", Reply(b"x"))
        own.serve("/", page(alternate(f"{other.url}/feed")))
        fetch = reach(own, other, clock=clock)
        given = replace(tools(fetch, clock), permitted=lambda source: True)
        connector: Any = build_connector("feed", source(), {"url": f"{own.url}/feed"}, given)
        again = connector.recheck([Locator(f"rss:{each.url}", "1", f"{each.url}/1") for each in (own, other)])
        assert again.there == (f"rss:{own.url}",)
        with pytest.raises(Failure):
            build_connector("feed", source(), {"url": f"{own.url}/"}, given).poll(None)
        assert list(other.asked) == ["/robots.txt"]
        fetch.close()


def test_a_page_with_a_closed_feed_and_an_open_one_is_read_by_the_open_one() -> None:
    with reading("/") as (server, connector):
        server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /closed"))
        server.serve("/", page(alternate("/closed"), alternate("/open")))
        server.serve("/open", Reply(FEED))
        assert titles(connector)


def test_a_page_whose_only_feed_is_closed_says_so() -> None:
    with reading("/") as (server, connector):
        server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /closed"))
        server.serve("/", page(alternate("/closed")))
        with pytest.raises(NotConfigured, match=r"robots\.txt"):
            connector.poll(None)


def test_a_link_that_leads_inside_is_not_looked_at() -> None:
    with reading("/feed") as (server, connector):
        server.serve("/feed", Reply(FEED))
        again = connector.recheck([Locator("rss:x", "x", "http://169.254.169.254/latest"), Locator("rss:y", "y", "")])
    assert (again.found, again.gone, again.there) == ((), (), ())


# -- moved for good ---------------------------------------------------------------------------------------------------


def moving(status: int) -> Reply:
    return Reply(status=status, headers={"Location": "/new"})


def polls(connector: FeedConnector, clock: Clock, hours: tuple[int, ...]) -> str:
    cursor, start, moved = None, clock.now, ""
    for hour in hours:
        clock.now = start + timedelta(hours=hour)
        found = connector.poll(cursor)
        cursor, moved = found.cursor, found.moved_to
    return moved


@pytest.mark.parametrize(
    ("status", "hours", "settles"),
    [
        (301, (0, 13, 26), True),
        (308, (0, 13, 26), True),
        (301, (0, 1, 2, 3), False),  # not over a day
        (301, (0, 26), False),  # not three times
        (302, (0, 13, 26, 39), False),
        (307, (0, 13, 26, 39), False),
    ],
)
def test_a_move_is_believed_after_three_looks_over_more_than_a_day(
    status: int, hours: tuple[int, ...], settles: bool
) -> None:
    clock = Clock()
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        made = build_connector("feed", source(), {"url": f"{server.url}/old"}, tools(fetch, clock))
        assert isinstance(made, FeedConnector)
        server.serve("/old", moving(status))
        server.serve("/new", Reply(FEED))
        assert polls(made, clock, hours) == (f"{server.url}/new" if settles else "")
        fetch.close()


def test_after_a_move_only_the_new_address_is_asked_and_nothing_is_new_for_it() -> None:
    clock = Clock()
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        made = build_connector("feed", source(), {"url": f"{server.url}/old"}, tools(fetch, clock))
        server.serve("/old", moving(301))
        server.serve("/new", Reply(FEED))
        cursor = None
        for hour in (0, 13, 26, 39):
            clock.now += timedelta(hours=hour)
            found = made.poll(cursor)
            cursor = found.cursor
        assert found.mentions == ()
        assert len(server.asked["/old"]) == 3
        fetch.close()


def test_a_move_that_is_taken_back_is_forgotten() -> None:
    clock = Clock()
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        made = build_connector("feed", source(), {"url": f"{server.url}/old"}, tools(fetch, clock))
        assert isinstance(made, FeedConnector)
        server.serve("/old", moving(301), moving(301), Reply(FEED), moving(301))
        server.serve("/new", Reply(FEED))
        assert polls(made, clock, (0, 13, 26, 39)) == ""
        fetch.close()


# -- a window that was too small --------------------------------------------------------------------------------------


def test_a_window_in_which_nothing_known_is_left_is_full() -> None:
    with reading("/feed") as (server, connector):
        first = rss(item("1", "A"), item("2", "B"))
        server.serve("/feed", Reply(first), Reply(rss(item("3", "C"), item("2", "B"))), Reply(rss(item("5", "E"))))
        one = connector.poll(None)
        two = connector.poll(one.cursor)
        three = connector.poll(two.cursor)
    assert (one.gap, two.gap) == ("", "")
    assert "window full" in three.gap
