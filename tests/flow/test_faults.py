"""Each way a source can go wrong ends as it should, and the source polled beside it is unharmed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from listener.connector import Connector
from listener.connectors import build_connector
from mentions.failures import NeedsAttention, TemporaryFailure
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, bomb, item, reach, rss, source, tools

FINE = rss(item("1", "All is well"))


@pytest.fixture
def servers() -> Iterator[tuple[FaultyServer, FaultyServer]]:
    with FaultyServer() as bad, FaultyServer() as good:
        yield bad, good


class Beside:
    """Two feeds on two hosts, read through one fetcher as in a daemon."""

    def __init__(self, bad: FaultyServer, good: FaultyServer, *replies: Reply) -> None:
        self.clock = Clock()
        self.fetch = reach(bad, good, clock=self.clock, total=1.0, max_bytes=5_000_000)
        self.bad = self.build("bad", bad.serve("/feed", *replies))
        self.good = self.build("good", good.serve("/feed", Reply(FINE)))

    def build(self, name: str, url: str) -> Connector:
        return build_connector("feed", source(name), {"url": url}, tools(self.fetch, self.clock))

    def titles(self, cursor: str | None = None) -> tuple[list[str], str | None, int]:
        page = self.bad.poll(cursor)
        return sorted(mention.title for mention in page.mentions), page.cursor, page.left_out

    def good_is_unharmed(self) -> None:
        began = time.monotonic()
        assert [mention.title for mention in self.good.poll(None).mentions] == ["All is well"]
        assert time.monotonic() - began < 1.0

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, *_: object) -> None:
        self.good_is_unharmed()
        self.fetch.close()


def test_a_stray_ampersand_loses_nothing(servers) -> None:
    body = rss(item("1", "Fish & chips", link="https://a.example/?a=1&b=2"), item("2", "Two"))
    with Beside(*servers, Reply(body)) as both:
        assert both.titles()[0] == ["Fish & chips", "Two"]


def test_a_truncated_feed_gives_what_is_whole_and_the_rest_comes_later(servers) -> None:
    whole = rss(item("1", "One"), item("2", "Two", "long story"))
    with Beside(*servers, Reply(whole[: whole.index(b"story")]), Reply(whole)) as both:
        titles, cursor, left_out = both.titles()
        assert (titles, left_out) == (["One"], 1)
        assert both.titles(cursor)[0] == ["Two"]


def test_a_body_cut_off_on_the_way_is_read_whole_the_next_time(servers) -> None:
    body = rss(item("1", "One"), item("2", "Two"))
    with Beside(*servers, Reply(body, fault="cut"), Reply(body)) as both:
        with pytest.raises(TemporaryFailure, match="cut short"):
            both.titles()
        assert both.titles()[0] == ["One", "Two"]


def test_a_sign_in_page_served_as_200_asks_for_a_person(servers) -> None:
    page = b"<!DOCTYPE html><html><title>Log in</title><form><input type='password'></form></html>"
    with (
        Beside(*servers, Reply(page, headers={"Content-Type": "application/rss+xml"})) as both,
        pytest.raises(NeedsAttention, match="sign-in"),
    ):
        both.titles()


def test_a_feed_without_dates_is_dated_when_first_seen(servers) -> None:
    with Beside(*servers, Reply(rss(item("1", "One", date=""), item("2", "Two", date="")))) as both:
        page = both.bad.poll(None)
        assert [mention.published_at for mention in page.mentions] == [NOON, NOON]
        assert both.bad.poll(page.cursor).mentions == ()


def test_a_late_item_is_kept(servers) -> None:
    new = item("1", "Newest", date="Tue, 09 Jun 2026 11:59:00 GMT")
    late = item("2", "Late", date="Mon, 01 Jun 2026 08:00:00 GMT")
    with Beside(*servers, Reply(rss(new)), Reply(rss(new, late))) as both:
        cursor = both.titles()[1]
        (mention,) = both.bad.poll(cursor).mentions
        assert (mention.title, mention.published_at) == ("Late", datetime(2026, 6, 1, 8, tzinfo=UTC))


def test_two_items_of_the_same_second_are_kept(servers) -> None:
    one, two, three = (item(str(n), f"Item {n}", date="Tue, 09 Jun 2026 11:00:00 GMT") for n in (1, 2, 3))
    with Beside(*servers, Reply(rss(one, two)), Reply(rss(one, two, three))) as both:
        titles, cursor, _ = both.titles()
        assert titles == ["Item 1", "Item 2"]
        assert both.titles(cursor)[0] == ["Item 3"]


def test_an_edited_item_with_the_same_guid_comes_again_under_its_id(servers) -> None:
    before, after = rss(item("7", "Title", "old words")), rss(item("7", "Title", "new words"))
    with Beside(*servers, Reply(before), Reply(after), Reply(after)) as both:
        first = both.bad.poll(None)
        second = both.bad.poll(first.cursor)
        assert [mention.id for mention in second.mentions] == [mention.id for mention in first.mentions]
        assert second.mentions[0].text == "new words"
        assert both.bad.poll(second.cursor).mentions == ()


def test_a_500_is_tried_again(servers) -> None:
    with Beside(*servers, Reply(status=500), Reply(FINE)) as both:
        with pytest.raises(TemporaryFailure, match="answered 500"):
            both.titles()
        assert both.titles()[0] == ["All is well"]


def test_a_hang_ends_in_time_while_others_are_read(servers) -> None:
    with Beside(*servers, Reply(fault="hang")) as both:
        ended: list[Exception] = []

        def poll() -> None:
            try:
                both.bad.poll(None)
            except TemporaryFailure as failure:
                ended.append(failure)

        thread = threading.Thread(target=poll)
        thread.start()
        both.good_is_unharmed()
        assert thread.is_alive()  # the good source was read while the bad one hung
        thread.join(5)
        assert "no whole answer within" in str(ended[0])


def test_a_gzip_bomb_is_left_unread(servers) -> None:
    with Beside(*servers, bomb(50)) as both, pytest.raises(TemporaryFailure, match="larger than 5 MB"):
        both.titles()


def test_a_source_that_was_swapped_for_a_page_keeps_what_it_knew(servers) -> None:
    with Beside(*servers, Reply(FINE), Reply(b"<html><title>Moved</title></html>"), Reply(FINE)) as both:
        cursor = both.titles()[1]
        with pytest.raises(TemporaryFailure, match="a web page, not a feed"):
            both.bad.poll(cursor)
        assert both.titles(cursor)[0] == []
