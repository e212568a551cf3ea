"""No address of ours can be reached through a source, whatever it is called."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

import pytest

from listener.fetch import Fetcher, FetchSettings, follow, parse_url
from listener.fetch_gate import HostGate
from listener.fetch_guard import is_public
from mentions.failures import NeedsAttention, RateLimited
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, reach

PRIVATE = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://192.88.99.1/",
    "http://192.0.0.8/",
    "http://[::ffff:192.0.0.8]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "https://127.0.0.1/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_address_is_never_dialled(url):
    fetch = Fetcher(FetchSettings(), Clock())
    with pytest.raises(NeedsAttention, match="private address"):
        fetch.exchange(url, {}, robots=False)
    fetch.close()


@pytest.mark.parametrize("url", PRIVATE)
def test_nor_through_a_redirect(url):
    with FaultyServer() as server:
        fetch = reach(server)
        with pytest.raises(NeedsAttention, match="private address"):
            fetch.get(server.serve("/feed", Reply(status=302, headers={"Location": url})))
        fetch.close()


def test_an_unusual_port_is_refused_unless_it_is_listed():
    with FaultyServer() as server:
        url = server.serve("/feed", Reply(b"x"))
        closed, named = reach(), reach(allow=(f"localhost:{server.port}",))
        with pytest.raises(NeedsAttention, match=f"list 127.0.0.1:{server.port}"):
            closed.get(url)
        assert named.get(url.replace("127.0.0.1", "localhost")).body == b"x"
        closed.close()
        named.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "//example.org/", "feed"])
def test_only_the_web_is_read(url):
    fetch = Fetcher(FetchSettings(), Clock())
    with pytest.raises(NeedsAttention):
        fetch.get(url)
    fetch.close()


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "151.101.0.81", "2a00:1450:4009::200e", "64:ff9b::808:808"])
def test_the_open_internet_is_public(address):
    assert is_public(ipaddress.ip_address(address))


def test_a_redirect_that_gives_up_encryption_is_refused():
    with pytest.raises(NeedsAttention, match="unencrypted"):
        follow(parse_url("https://example.org/feed"), "http://example.org/feed")
    assert str(follow(parse_url("http://example.org/feed"), "https://example.org/")) == "https://example.org/"


# -- turns at a host --------------------------------------------------------------------------------------------------


class Timepiece:
    """A tick that only sleeping moves."""

    def __init__(self):
        self.at = 100.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += seconds


def test_a_host_gets_its_pause_and_others_do_not_wait_for_it():
    time = Timepiece()
    gate = HostGate(Clock(), lambda: time.at, time.sleep)
    for host in ("a:80", "a:80", "b:80"):
        with gate.turn(host, 2.0):
            pass
    assert time.slept == [2.0]
    time.at += 5
    with gate.turn("a:80", 2.0):
        pass
    assert time.slept == [2.0]


def test_a_pause_too_long_to_sleep_goes_back_to_the_schedule():
    time = Timepiece()
    gate = HostGate(Clock(), lambda: time.at, time.sleep)
    with gate.turn("a:80", 600.0):
        pass
    with pytest.raises(RateLimited) as caught, gate.turn("a:80", 600.0):
        pass
    assert caught.value.until == NOON + timedelta(seconds=600)
    assert time.slept == []
