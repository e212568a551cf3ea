"""Nothing a stranger writes leads our requests inward, and no bomb of theirs goes off: by any way it could come."""

from __future__ import annotations

import gzip
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from listener.apart import Apart
from listener.connector import Locator
from listener.connectors import build_connector
from listener.connectors.feed import FeedConnector
from mentions.failures import NeedsAttention, TemporaryFailure
from mentions.mention import Mention
from tests.faulty_server import Clock, FaultyServer, Reply, bomb, item, reach, rss, source, tools

INWARD = (
    "http://127.0.0.1/",
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
)
EVERYWHERE = pytest.mark.parametrize("address", INWARD)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture
def connect(server: FaultyServer) -> Iterator[Callable[[str], FeedConnector]]:
    clock = Clock()
    fetch, apart = reach(server, clock=clock), Apart()

    def make(url: str) -> FeedConnector:
        made = build_connector("feed", source(), {"url": url}, tools(fetch, clock, apart=apart.do))
        assert isinstance(made, FeedConnector)
        return made

    yield make
    fetch.close()
    apart.close()


@EVERYWHERE
def test_as_the_address_of_a_source(connect: Callable[[str], FeedConnector], address: str) -> None:
    with pytest.raises(NeedsAttention, match="private address"):
        connect(address).poll(None)


@EVERYWHERE
def test_by_a_redirect(server: FaultyServer, connect: Callable[[str], FeedConnector], address: str) -> None:
    server.serve("/feed", Reply(status=302, headers={"Location": address}))
    with pytest.raises(NeedsAttention, match="private address"):
        connect(f"{server.url}/feed").poll(None)


@EVERYWHERE
def test_by_a_page_that_names_it_as_its_feed(
    server: FaultyServer, connect: Callable[[str], FeedConnector], address: str
) -> None:
    server.serve("/", Reply(f'<html><link rel="alternate" type="application/rss+xml" href="{address}">'.encode()))
    with pytest.raises(NeedsAttention, match="private address"):
        connect(f"{server.url}/").poll(None)


def test_by_links_and_enclosures_in_a_feed(server: FaultyServer, connect: Callable[[str], FeedConnector]) -> None:
    other = FaultyServer()
    with other:
        inward = [*INWARD, f"{other.url}/", "file:///etc/passwd", "gopher://127.0.0.1/"]
        entries = [
            f"<item><guid>{link}</guid><link>{link}</link><title>A</title><comments>{link}</comments>"
            f'<enclosure url="{link}" type="audio/mpeg" length="1"/><source url="{link}">x</source></item>'
            for link in inward
        ]
        server.serve("/feed", Reply(rss(*entries)))
        connector = connect(f"{server.url}/feed")
        page = connector.poll(None)
        again = connector.recheck([Locator(f"rss:{link}", link, link) for link in inward])
        assert len(page.mentions) == len(inward)
        assert (again.gone, again.there) == ((), ())
        assert not other.asked, "an enclosure or a link was followed"
    assert set(server.asked) == {"/robots.txt", "/feed"}


def test_by_robots_that_redirect(server: FaultyServer, connect: Callable[[str], FeedConnector]) -> None:
    server.serve("/robots.txt", Reply(status=302, headers={"Location": "http://169.254.169.254/"}))
    server.serve("/feed", Reply(rss(item("1", "A"))))
    with pytest.raises((NeedsAttention, TemporaryFailure)):
        connect(f"{server.url}/feed").poll(None)


def test_a_redirect_to_a_file_or_to_another_scheme_is_refused(
    server: FaultyServer, connect: Callable[[str], FeedConnector]
) -> None:
    for address in ("file:///etc/passwd", "gopher://x/", "ftp://x/", "data:text/xml,<rss/>"):
        server.serve("/feed", Reply(status=302, headers={"Location": address}))
        with pytest.raises((NeedsAttention, TemporaryFailure)):
            connect(f"{server.url}/feed").poll(None)


# -- bombs ------------------------------------------------------------------------------------------------------------

LAUGHS = b'<!DOCTYPE rss [<!ENTITY l0 "lol">' + b"".join(
    b'<!ENTITY l%d "%s">' % (depth, b"&l%d;" % (depth - 1) * 10) for depth in range(1, 10)
) + b']><rss version="2.0"><channel><item><guid>1</guid><title>&l9;</title></item></channel></rss>'  # fmt: skip
QUADRATIC = (
    b'<!DOCTYPE rss [<!ENTITY a "' + b"a" * 100_000 + b'">]><rss version="2.0"><channel><item><title>'
    + b"&a;" * 20_000 + b"</title></item></channel></rss>"
)  # fmt: skip
OUTSIDE = (
    b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY % y SYSTEM "http://169.254.169.254/">%y;]>'
    b'<rss version="2.0"><channel><item><guid>1</guid><title>T &x;</title></item></channel></rss>'
)
BOMBS = {
    "gzip": bomb(400),
    "gzip in gzip": Reply(gzip.compress(gzip.compress(b" " * 9_000_000)), headers={"Content-Encoding": "gzip"}),
    "two layers named": Reply(
        gzip.compress(gzip.compress(b" " * 9_000_000)), headers={"Content-Encoding": "gzip, gzip"}
    ),
    "laughs": Reply(LAUGHS),
    "quadratic": Reply(QUADRATIC),
    "entities from outside": Reply(OUTSIDE),
    "deep": Reply(b"<rss><channel>" + b"<a>" * 300_000 + b"</a>" * 300_000 + b"</channel></rss>"),
    "wide": Reply(b"<rss><channel>" + b"<item/>" * 600_000 + b"</channel></rss>"),
    "attributes": Reply(b"<rss " + b" ".join(b'a%d="1"' % n for n in range(300_000)) + b"><channel/></rss>"),
    "one long name": Reply(b"<" + b"a" * 4_900_000 + b"/>"),
    "a comment that never ends": Reply(b"<rss><channel><!--" + b"-" * 4_900_000),
    "tags that never end": Reply(b"<rss><channel><item><description>" + b"&lt;" * 1_200_000),
    "data sections": Reply(b"<rss><channel>" + b"<![CDATA[" * 500_000),
    "ampersands": Reply(b"<rss><channel><item><title>" + b"&" * 4_900_000),
    "deep json": Reply(b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 4_000_000),
    "a long number": Reply(b'{"version":"https://jsonfeed.org/version/1","items":[{"id":' + b"9" * 4_000_000 + b"}]}"),
}


def read_bomb(connector: FeedConnector) -> tuple[Mention, ...]:
    try:
        return connector.poll(None).mentions
    except (TemporaryFailure, NeedsAttention):
        return ()


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_costs_more_than_its_own_source(
    server: FaultyServer, connect: Callable[[str], FeedConnector], name: str
) -> None:
    server.serve("/feed", BOMBS[name])
    server.serve("/good", Reply(rss(item("1", "Patrols doubled"))))
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for mention in read_bomb(connect(f"{server.url}/feed")):
        assert len(mention.title) <= 500
        assert "root:" not in mention.words
    assert time.monotonic() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000, "kB of our own process"
    assert len(connect(f"{server.url}/good").poll(None).mentions) == 1
