"""What the polite HTTP client promises, against real servers on loopback."""

from __future__ import annotations

import gzip
import threading
import time
from datetime import timedelta

import pytest

from listener.fetch import Fetcher, FetchSettings
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited, TemporaryFailure
from tests.faulty_server import NOON, Asked, Clock, FaultyServer, Reply, bomb, conditional, reach


@pytest.fixture
def server():
    with FaultyServer() as server:
        yield server


@pytest.fixture
def fetch(server):
    fetch = reach(server)
    yield fetch
    fetch.close()


def test_a_page_comes_with_its_type_charset_and_validators(server, fetch):
    headers = {"Content-Type": 'text/xml; charset="ISO-8859-1"', "ETag": 'W/"a"', "Last-Modified": "yesterday, sort of"}
    got = fetch.get(server.serve("/feed", Reply(b"hello", headers=headers)))
    assert (got.status, got.body, got.content_type, got.charset) == (200, b"hello", "text/xml", "iso-8859-1")
    assert (got.etag, got.last_modified) == ('W/"a"', "yesterday, sort of")


def test_validators_of_an_answer_that_expires_at_once_are_not_kept(server, fetch):
    got = fetch.get(server.serve("/feed", Reply(b"x", headers={"ETag": '"a"', "Expires": "0"})))
    assert got.etag is None
    assert got.last_modified is None


def test_an_etag_is_sent_alone_and_a_date_only_without_one(server, fetch):
    url = server.serve("/feed", Reply(status=304))
    assert fetch.get(url, etag='"a"', modified="Mon").status == 304
    fetch.get(url, modified="Mon")
    first, second = server.asked["/feed"]
    assert first.headers["If-None-Match"] == '"a"'
    assert "If-Modified-Since" not in first.headers
    assert second.headers["If-Modified-Since"] == "Mon"


def test_we_say_who_we_are_and_ask_for_gzip_only(server, fetch):
    fetch.get(server.serve("/feed", Reply(b"x")))
    headers = server.asked["/feed"][0].headers
    assert headers["User-Agent"] == "EarshotTest/1"
    assert headers["Accept-Encoding"] == "gzip"


def test_gzip_is_unpacked(server, fetch):
    packed = Reply(gzip.compress(b"a") + gzip.compress(b"b"), headers={"Content-Encoding": "gzip"})
    assert fetch.get(server.serve("/feed", packed)).body == b"ab"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(b"not gzip", headers={"Content-Encoding": "gzip"}), id="damaged gzip"),
        pytest.param(Reply(gzip.compress(b"a" * 99)[:-9], headers={"Content-Encoding": "gzip"}), id="gzip cut short"),
        pytest.param(Reply(b"x", headers={"Content-Encoding": "br"}), id="a packing not asked for"),
        pytest.param(Reply(b"x", headers={"Content-Encoding": "gzip, gzip"}), id="two layers"),
        pytest.param(Reply(b"x" * 99, fault="cut"), id="a body cut short"),
        pytest.param(Reply(fault="hang up"), id="no answer at all"),
        pytest.param(Reply(b"x", status=500), id="500"),
        pytest.param(Reply(b"x", status=404), id="404"),
        pytest.param(Reply(b"x" * 3_000_000), id="too large"),
        pytest.param(Reply(status=302, headers={"Location": "http://x:port/"}), id="a redirect to nonsense"),
        pytest.param(Reply(status=302, headers={"Location": "/feed"}), id="redirects for ever"),
    ],
)
def test_what_may_mend_itself_is_a_temporary_failure(server, reply):
    fetch = reach(server, max_bytes=2_000_000)
    with pytest.raises(TemporaryFailure, match=r"^127\.0\.0\.1:\d+/feed: "):
        fetch.get(server.serve("/feed", reply))
    fetch.close()


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        pytest.param(Reply(status=401), "sign-in", id="401"),
        pytest.param(Reply(status=403), "refuses", id="403"),
        pytest.param(Reply(status=410), "gone", id="410"),
        pytest.param(Reply(status=403, headers={"cf-mitigated": "challenge"}), "check for robots", id="a challenge"),
        pytest.param(Reply(status=302, headers={"Location": "/user/login?next=/"}), "sign-in", id="sent to sign in"),
        pytest.param(Reply(status=302, headers={"Location": "ftp://x/"}), "only http", id="a redirect off the web"),
        pytest.param(Reply(status=302, headers={"Location": "file:///etc/passwd"}), "only http", id="a file"),
    ],
)
def test_what_will_not_mend_itself_needs_attention(server, fetch, reply, says):
    with pytest.raises(NeedsAttention, match=says):
        fetch.get(server.serve("/feed", reply))


def test_a_server_in_trouble_is_not_asked_before_the_time_it_names(server, fetch):
    with pytest.raises(TemporaryFailure) as caught:
        fetch.get(server.serve("/feed", Reply(status=503, headers={"Retry-After": "60"})))
    assert caught.value.until == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {}, timedelta(minutes=15)),
        (429, {"Retry-After": "120"}, timedelta(minutes=2)),
        (429, {"Retry-After": "Tue, 09 Jun 2026 12:30:00 GMT"}, timedelta(minutes=30)),
        (429, {"Retry-After": "9999999"}, timedelta(hours=24)),
        (429, {"Retry-After": "soon"}, timedelta(minutes=15)),
        (429, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -0100"}, timedelta(minutes=15)),
        (
            429,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9999-12-31T23:59:59-01:00"},
            timedelta(minutes=15),
        ),
        (429, {"x-rate-limit-reset": str(int(NOON.timestamp()) + 300)}, timedelta(minutes=5)),
        (429, {"x-ratelimit-reset": "42"}, timedelta(seconds=42)),
        (429, {"ratelimit-reset": str(int(NOON.timestamp()) - 300)}, timedelta(0)),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-06-09T12:05:00.000Z"}, timedelta(minutes=5)),
    ],
)
def test_asked_to_wait_we_wait_so_long(server, fetch, status, headers, wait):
    with pytest.raises(RateLimited) as caught:
        fetch.get(server.serve("/feed", Reply(status=status, headers=headers)))
    assert caught.value.until == NOON + wait


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Cache-Control": "public, max-age=300"}, timedelta(minutes=5)),
        ({"Cache-Control": "max-age=300", "Age": "240"}, timedelta(minutes=1)),
        ({"Cache-Control": "max-age=864000"}, timedelta(hours=1)),
        ({"Cache-Control": "no-cache, max-age=300"}, None),
        ({"Retry-After": "600"}, timedelta(minutes=10)),
    ],
)
def test_a_good_answer_says_when_it_may_be_asked_for_again(server, fetch, headers, wait):
    got = fetch.get(server.serve("/feed", Reply(b"x", headers=headers)))
    assert got.not_before == (NOON + wait if wait else None)


def test_a_redirect_is_followed_to_the_page(server, fetch):
    server.serve("/new", Reply(b"here"))
    got = fetch.get(server.serve("/old", Reply(status=301, headers={"Location": "/new#part"})))
    assert (got.body, got.url) == (b"here", f"{server.url}/new")


def test_a_secret_header_does_not_travel_to_another_site(server):
    with FaultyServer() as other:
        fetch = reach(server, other)
        here = server.serve("/here", Reply(status=302, headers={"Location": "/there"}))
        server.serve("/there", Reply(status=302, headers={"Location": other.serve("/end", Reply(b"x"))}))
        fetch.exchange(here, {"Authorization": "Bearer secret"})
        assert server.asked["/there"][0].headers["Authorization"] == "Bearer secret"
        assert "Authorization" not in other.asked["/end"][0].headers
        fetch.close()


def test_messages_show_no_query(server, fetch):
    with pytest.raises(Failure) as caught:
        fetch.get(server.serve("/feed?key=secret", Reply(status=500)))
    assert "secret" not in str(caught.value)


def test_cookies_are_not_kept(server, fetch):
    url = server.serve("/feed", Reply(b"x", headers={"Set-Cookie": "sid=1; Path=/"}))
    fetch.get(url)
    fetch.get(url)
    assert "Cookie" not in server.asked["/feed"][1].headers


def test_a_proxy_of_the_environment_is_not_used(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    fetch = reach(server)
    assert fetch.get(server.serve("/feed", Reply(b"direct"))).body == b"direct"
    fetch.close()


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_request_ends_in_time_however_slowly_the_answer_comes(server, fault):
    fetch = reach(server, total=0.5)
    began = time.monotonic()
    with pytest.raises(TemporaryFailure, match="no whole answer within"):
        fetch.get(server.serve("/feed", Reply(b"x" * 1000, fault=fault)))
    assert time.monotonic() - began < 2
    fetch.close()


def test_a_bomb_is_stopped_at_the_limit(server):
    fetch = reach(server, max_bytes=1_000_000)
    with pytest.raises(TemporaryFailure, match="larger than 1 MB"):
        fetch.get(server.serve("/feed", bomb(40)))
    fetch.close()


def test_a_connection_is_used_again(server, fetch):
    url = server.serve("/feed", conditional(b"x"))
    before = threading.active_count()
    for _ in range(20):
        fetch.get(url, etag='"one"')
    assert threading.active_count() <= before + 1  # the server has a thread for each connection


def test_one_host_is_asked_one_thing_at_a_time(server, fetch):
    inside, most, lock = 0, 0, threading.Lock()

    def answer(_asked: Asked) -> Reply:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.02)
        with lock:
            inside -= 1
        return Reply(b"x")

    url = server.serve("/feed", answer)
    threads = [threading.Thread(target=fetch.get, args=(url,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.asked["/feed"]) == 5
    assert most == 1


# -- robots.txt -------------------------------------------------------------------------------------------------------


def test_robots_txt_is_obeyed_with_its_wildcards(server, fetch):
    server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /private\nDisallow: /*?sid=\n"))
    server.serve("/public", Reply(b"x"))
    assert fetch.get(server.url + "/public").body == b"x"
    for path in ("/private/feed", "/public?sid=1"):
        with pytest.raises(NotConfigured, match=r"robots\.txt"):
            fetch.get(server.url + path)
        assert path not in server.asked


def test_a_rule_for_us_by_name_is_obeyed(server, fetch):
    server.serve("/robots.txt", Reply(b"User-agent: EarshotTest\nDisallow: /\n\nUser-agent: *\nAllow: /\n"))
    with pytest.raises(NotConfigured):
        fetch.get(server.serve("/feed", Reply(b"x")))


def test_robots_txt_is_asked_once_a_day(server):
    clock = Clock()
    fetch = reach(server, clock=clock)
    url = server.serve("/feed", Reply(b"x"))
    for hours in (0, 1, 23):
        clock.now = NOON + timedelta(hours=hours)
        fetch.get(url)
    assert len(server.asked["/robots.txt"]) == 1
    clock.now = NOON + timedelta(hours=25)
    fetch.get(url)
    assert len(server.asked["/robots.txt"]) == 2
    fetch.close()


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(fault="hang up")], ids=["500", "no answer"])
def test_nothing_is_read_while_robots_txt_cannot_be(server, fetch, reply):
    server.serve("/robots.txt", reply, Reply(status=404))
    url = server.serve("/feed", Reply(b"x"))
    with pytest.raises(TemporaryFailure, match=r"robots\.txt"):
        fetch.get(url)
    assert "/feed" not in server.asked
    assert fetch.get(url).body == b"x"


def test_a_robots_txt_behind_a_sign_in_is_none(server, fetch):
    server.serve("/robots.txt", Reply(status=302, headers={"Location": "/login?next=/robots.txt"}))
    assert fetch.get(server.serve("/feed", Reply(b"x"))).body == b"x"


def test_a_redirect_into_what_robots_txt_forbids_is_not_followed(server, fetch):
    server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /private\n"))
    with pytest.raises(NotConfigured):
        fetch.get(server.serve("/feed", Reply(status=302, headers={"Location": "/private"})))
    assert "/private" not in server.asked


def test_robots_txt_can_be_left_aside_by_the_settings(server):
    fetch = reach(server, respect_robots=False)
    server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /\n"))
    assert fetch.get(server.serve("/feed", Reply(b"x"))).body == b"x"
    fetch.close()


def test_a_fetcher_needs_no_network_to_be_made():
    Fetcher(FetchSettings(), Clock()).close()
