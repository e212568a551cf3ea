"""A store that is down, killed or slow: listening goes on, nothing is lost or doubled, and everybody is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mentions.failures import UserError
from mentions.query_tree import Everything
from mentions.stores import open_store
from tests.earshot import Start, command, earshot, free_port, surroundings, wait_for
from tests.elastic_found import Lacking
from tests.elastic_server import ElasticServer
from tests.flow.test_daemon import health, write_settings
from tests.flow.test_kill import alerts, kill
from tests.live_feeds import Site, SiteServer


@pytest.fixture
def site() -> Iterator[tuple[Site, SiteServer]]:
    made = Site()
    server = SiteServer(made)
    yield made, server
    server.close()


@pytest.fixture
def server() -> Iterator[ElasticServer]:
    """An Elasticsearch that does not run yet."""
    try:
        made = ElasticServer()
    except Lacking as lack:
        pytest.skip(str(lack))
    yield made
    made.stop()


def set_up(folder: Path, address: str, store: str, *feeds: str, more: str = "") -> int:
    """Settings for a daemon with that store; the port of its health."""
    port = write_settings(folder, address, *feeds)
    settings = folder / "earshot.toml"
    settings.write_text(f'store = "{store}"\n{settings.read_text()}\n{more}')
    return port


def stored(url: str) -> list[str]:
    store = open_store(url, readonly=True)
    try:
        return [each.mention.link for each in store.search(Everything(), limit=10_000)]
    finally:
        store.close()


WATCH = '[[watchlists]]\nname = "bridge"\nquery = "bridge"\npurpose = "a test"\n'


@pytest.mark.slow
def test_a_daemon_started_and_killed_without_its_store_loses_and_doubles_nothing_and_then_raises_the_alarm(
    tmp_path: Path, site: tuple[Site, SiteServer], server: ElasticServer, start: Start
) -> None:
    feeds = [f"site{number}" for number in range(4)]
    port = set_up(tmp_path, site[1].address, server.url, *feeds, more=WATCH)
    expected = [site[0].publish(feed, "Met Police thanked for help in Croydon") for feed in feeds]
    first = start(tmp_path)
    wait_for(lambda: health(port).get("waiting") == len(feeds), 60)
    told = health(port)
    assert told["status"] == "red"
    assert "nothing is lost; no alert can be raised" in str(told["reason"])
    assert told["blind"] == []
    assert told["mentions"] is None
    rows = json.loads(earshot("sources", "--json", cwd=tmp_path).stdout)
    assert {(row["state"], row["mentions"]) for row in rows} == {("on time", 1)}, "a source is not to blame"

    expected += [site[0].publish(feeds[n % 4], f"Crowds at the bridge, report {n}") for n in range(16)]
    wait_for(lambda: health(port).get("waiting") == len(expected), 60)
    kill(first)
    second = start(tmp_path)
    wait_for(lambda: health(port).get("waiting") == len(expected), 30)
    server.start()
    wait_for(lambda: health(port).get("waiting") == 0, 60)
    wait_for(lambda: any(each["crisis_at"] for each in alerts(tmp_path)), 60)
    wait_for(lambda: health(port)["status"] == "green", 60)
    assert sorted(stored(server.url)) == sorted(expected)
    assert not list((tmp_path / "earshot-data" / "spool").iterdir())
    second.send_signal(signal.SIGTERM)
    assert second.wait(10) == 0
    log = (tmp_path / "log").read_text()
    assert "Traceback" not in log
    assert log.count("store=silent") == 2, "once for each daemon"


@pytest.mark.slow
def test_a_store_killed_and_started_again_and_again_under_a_daemon_loses_and_doubles_nothing(
    tmp_path: Path, site: tuple[Site, SiteServer], server: ElasticServer, start: Start
) -> None:
    port = set_up(tmp_path, site[1].address, server.url, "news", "forum")
    expected = [site[0].publish("news", "Met Police thanked for help in Croydon")]
    server.start()
    daemon = start(tmp_path)
    wait_for(lambda: health(port).get("mentions") == 1, 60)
    for round_number in range(2):
        server.kill()
        expected += [site[0].publish("forum", f"Police in Croydon, {round_number} {n}") for n in range(5)]
        wait_for(lambda: bool(health(port).get("waiting")), 60)
        wait_for(lambda: "has not answered since" in str(health(port)["reason"]), 30)
        server.start()
        wait_for(lambda: health(port).get("mentions") == len(expected), 60)  # noqa: B023
        wait_for(lambda: health(port)["status"] == "green", 60)
    assert sorted(stored(server.url)) == sorted(expected)
    daemon.terminate()
    assert daemon.wait(10) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.slow
def test_a_store_that_hangs_holds_up_neither_health_nor_polling_nor_the_end(
    tmp_path: Path, site: tuple[Site, SiteServer], server: ElasticServer, start: Start
) -> None:
    port = set_up(tmp_path, site[1].address, server.url, "news")
    site[0].publish("news", "Met Police thanked for help in Croydon")
    server.start()
    daemon = start(tmp_path)
    wait_for(lambda: health(port).get("mentions") == 1, 60)
    (node,) = server.processes()
    os.killpg(node, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert health(port)["status"] != "no answer"
        assert time.monotonic() - began < 5
        asked = site[0].asked["news"]
        wait_for(lambda: "has not answered since" in str(health(port)["reason"]), 40)
        site[0].publish("news", "Police in Croydon again")
        wait_for(lambda: site[0].asked["news"] > asked and bool(health(port).get("waiting")), 90)
        daemon.terminate()
        assert daemon.wait(10) == 0
    finally:
        os.killpg(node, signal.SIGCONT)


@pytest.mark.slow
def test_a_full_spool_stops_polling_aloud_and_everything_is_fetched_once_the_store_is_back(
    tmp_path: Path, site: tuple[Site, SiteServer], server: ElasticServer, start: Start
) -> None:
    port = set_up(tmp_path, site[1].address, server.url, "news", more="[spool]\nmax_bytes = 100000\n")
    expected = [site[0].publish("news", f"Met Police in Croydon, report {n}") for n in range(10)]
    daemon = start(tmp_path)
    wait_for(lambda: health(port).get("waiting") == 10, 60)
    expected += [site[0].publish("news", f"Met Police in Croydon, long report {n} {'x ' * 100}") for n in range(200)]
    wait_for(lambda: "No source is polled" in str(health(port)["reason"]), 60)
    assert health(port)["status"] == "red"
    assert health(port)["waiting"] == 10, "a page that does not fit is left where it is"
    asked = site[0].asked["news"]
    time.sleep(35)
    assert site[0].asked["news"] == asked, "polled although nothing could be kept"
    server.start()
    wait_for(lambda: health(port).get("mentions") == len(expected), 150)
    assert sorted(stored(server.url)) == sorted(expected)
    daemon.terminate()
    assert daemon.wait(10) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("spool=full") == 1
    assert "Traceback" not in log


@pytest.mark.parametrize(
    "words",
    [
        ("search", "police"),
        ("export",),
        ("store", "status"),
        ("store", "copy", "--from", "{here}", "--to", "sqlite:other.db"),
    ],
    ids=" ".join,
)
def test_a_command_that_reads_says_in_one_line_that_the_store_is_away(tmp_path: Path, words: tuple[str, ...]) -> None:
    url = f"elasticsearch:http://127.0.0.1:{free_port()}"
    (tmp_path / "earshot.toml").write_text(f'store = "{url}"\n')
    done = earshot(*(word.replace("{here}", url) for word in words), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("is Elasticsearch running?")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_check_tells_of_a_store_that_is_away_beside_everything_else(tmp_path: Path) -> None:
    (tmp_path / "earshot.toml").write_text(f'store = "elasticsearch:http://127.0.0.1:{free_port()}"\n')
    done = earshot("check", cwd=tmp_path)
    assert done.returncode == 1
    assert "BAD store" in done.stdout
    assert "ok  state" in done.stdout


@pytest.mark.slow
def test_an_import_lives_through_a_store_that_is_killed_and_started_again(
    tmp_path: Path, server: ElasticServer
) -> None:
    row = {"platform": "x", "text": "Police in Croydon", "time": "2026-01-01"}
    rows = [row | {"id": str(number)} for number in range(20_000)]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "earshot.toml").write_text(f'store = "{server.url}"\n')
    server.start()
    pipe = subprocess.PIPE
    words = command("import", "posts.jsonl")
    with subprocess.Popen(words, cwd=tmp_path, env=surroundings(), stdout=pipe, stderr=pipe) as importing:
        wait_for(lambda: held(server.url) > 0, 60)
        server.kill()
        time.sleep(3)
        server.start()
        out, err = importing.communicate(timeout=120)
    assert importing.returncode == 0, err.decode()
    assert b"it is waited for" in err
    assert out.decode().split()[:2] == ["seen", "20000"]
    assert held(server.url) == 20_000


def held(url: str) -> int:
    """How many mentions are there; none before there is a store."""
    store = open_store(url, readonly=True)
    try:
        return store.count(Everything())
    except UserError:
        return 0
    finally:
        store.close()
