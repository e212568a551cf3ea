"""A dead host is left alone, holds nobody up, and is tried again by one request."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from listener.circuit import Circuits
from listener.fetch import Fetcher
from listener.fetch_body import keep_pace
from listener.fetch_gate import MOST_FOR_ONE
from listener.fetch_status import fresh_until
from mentions.failures import NotConfigured, NotItsTurn, TemporaryFailure
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, reach

MINUTE = timedelta(minutes=1)
CLOSED = Reply(b"User-agent: *\nDisallow: /\nCrawl-delay: 3\n")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


def fail(fetch: Fetcher, url: str, times: int) -> TemporaryFailure:
    for _ in range(times):
        with pytest.raises(TemporaryFailure) as caught:
            fetch.get(url)
    return caught.value


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(status=503), Reply(fault="hang up"), Reply(b"x" * 9, fault="cut")]
)
def test_after_five_failures_in_a_row_a_host_rests_for_a_quarter_of_an_hour(server: FaultyServer, reply: Reply) -> None:
    clock = Clock()
    fetch = reach(server, clock=clock)
    urls = [server.serve(f"/{number}", reply) for number in range(6)]
    server.serve("/robots.txt", Reply(status=404), reply)
    for url in urls[:4]:
        fail(fetch, url, 1)
    fail(fetch, urls[4], 1)
    refused = fail(fetch, urls[5], 1)
    assert refused.until == NOON + 15 * MINUTE
    assert "left alone until 12:15 UTC" in str(refused)
    assert "/5" not in server.asked
    fetch.close()


def test_an_answer_of_any_page_says_that_the_host_lives(server: FaultyServer) -> None:
    fetch = reach(server)
    bad, missing = server.serve("/bad", Reply(status=500)), f"{server.url}/missing"
    for _ in range(3):
        fail(fetch, bad, 4)
        fail(fetch, missing, 1)  # 404: it answers
    assert len(server.asked["/bad"]) == 12
    fetch.close()


def test_one_request_tries_it_again_and_each_rest_is_twice_as_long_up_to_six_hours(server: FaultyServer) -> None:
    clock = Clock()
    fetch = reach(server, clock=clock)
    url = server.serve("/bad", Reply(status=500))
    fail(fetch, url, 5)
    rests = []
    for _ in range(7):
        until = fail(fetch, url, 1).until
        assert until is not None
        rests.append((until - clock.now) // MINUTE)
        asked = len(server.asked["/bad"])
        clock.now = until
        fail(fetch, url, 2)  # one is asked, the other finds the host at rest again
        assert len(server.asked["/bad"]) == asked + 1
    assert rests == [15, 30, 60, 120, 240, 360, 360]
    server.serve("/bad", Reply(b"well again"))
    clock.now += timedelta(hours=6)
    assert fetch.get(url).body == b"well again"
    server.serve("/bad", Reply(status=500))
    fail(fetch, url, 4)
    assert len(server.asked["/bad"]) == 5 + 7 + 1 + 4, "it begins to count anew"
    fetch.close()


def test_another_port_of_the_same_machine_is_another_host(server: FaultyServer) -> None:
    with FaultyServer() as other:
        fetch = reach(server, other)
        fail(fetch, server.serve("/bad", Reply(status=500)), 6)
        assert fetch.get(other.serve("/good", Reply(b"x"))).body == b"x"
        fetch.close()


def test_a_host_that_hangs_holds_few_workers_and_nobody_elses_turn(server: FaultyServer) -> None:
    with FaultyServer() as other:
        fetch = reach(server, other, total=2.0)
        slow, good = server.serve("/slow", Reply(fault="hang")), other.serve("/good", Reply(b"x"))
        failures: list[Exception] = []

        def ask() -> None:
            try:
                fetch.get(slow)
            except TemporaryFailure as failure:
                failures.append(failure)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        assert fetch.get(good).body == b"x"
        assert time.monotonic() - began < 1.5
        for thread in threads:
            thread.join()
        assert sum(isinstance(failure, NotItsTurn) for failure in failures) >= 8 - MOST_FOR_ONE
        fetch.close()


def test_what_comes_by_drips_is_not_waited_for() -> None:
    moments = iter([0.0, 1.0, 4.0, 6.0])
    slow = keep_pace([b"x" * 100] * 3, "a.example/feed", lambda: next(moments))
    with pytest.raises(TemporaryFailure, match=r"^a\.example/feed: answers too slowly"):
        list(slow)
    moments = iter([0.0, 1.0, 4.0, 6.0])
    assert b"".join(keep_pace([b"x" * 5000] * 3, "a.example/feed", lambda: next(moments))) == b"x" * 15000


def test_circuits_are_counted_by_host_alone() -> None:
    circuits = Circuits(Clock())
    for _ in range(5):
        circuits.failed("a:80")
    circuits.check("b:80")
    with pytest.raises(TemporaryFailure):
        circuits.check("a:80")


# -- leave to read ----------------------------------------------------------------------------------------------------


def test_what_robots_forbid_may_be_read_with_leave_of_the_site_and_says_how_to_record_it(server: FaultyServer) -> None:
    fetch = reach(server)
    server.serve("/robots.txt", CLOSED)
    url = server.serve("/feed", Reply(b"x"))
    with pytest.raises(NotConfigured, match="sources permit"):
        fetch.get(url)
    assert fetch.get(url, permitted=True).body == b"x"
    fetch.close()


def test_leave_of_one_site_is_none_of_another(server: FaultyServer) -> None:
    with FaultyServer() as other:
        fetch = reach(server, other)
        other.serve("/robots.txt", CLOSED)
        url = server.serve("/feed", Reply(status=302, headers={"Location": other.serve("/feed", Reply(b"x"))}))
        with pytest.raises(NotConfigured, match=r"robots\.txt"):
            fetch.get(url, permitted=True)
        fetch.close()


def test_cookies_are_never_kept(server: FaultyServer) -> None:
    fetch = reach(server)
    url = server.serve("/feed", Reply(b"x", headers={"Set-Cookie": "sessionid=1; Path=/"}))
    fetch.get(url)
    fetch.get(url)
    assert all("Cookie" not in asked.headers for asked in server.asked["/feed"])
    fetch.close()


@pytest.mark.parametrize(
    ("chain", "moved"),
    [
        (((301, "/b"),), "/b"),
        (((308, "/b"), (301, "/c")), "/c"),
        (((301, "/b"), (302, "/c")), "/b"),
        (((302, "/b"), (301, "/c")), ""),
        (((307, "/b"),), ""),
        ((), ""),
    ],
)
def test_only_what_is_moved_for_good_counts_as_moved(
    server: FaultyServer, chain: tuple[tuple[int, str], ...], moved: str
) -> None:
    fetch, at = reach(server), "/a"
    for status, to in chain:
        server.serve(at, Reply(status=status, headers={"Location": to}))
        at = to
    server.serve(at, Reply(b"x"))
    assert fetch.get(f"{server.url}/a").moved == (f"{server.url}{moved}" if moved else "")
    fetch.close()


def test_freshness_by_an_expiry_date_is_waited_for() -> None:
    headers = httpx.Headers({"Date": "Tue, 09 Jun 2026 10:00:00 GMT", "Expires": "Tue, 09 Jun 2026 10:20:00 GMT"})
    assert fresh_until(headers, NOON) == NOON + 20 * MINUTE
    assert fresh_until(httpx.Headers({"Expires": "0"}), NOON) is None
    assert fresh_until(httpx.Headers({**headers, "Cache-Control": "no-cache"}), NOON) is None
