"""A store that is down, killed or slow: listening goes on, nothing is lost or doubled, and everybody is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mentions.failures import UserError
from mentions.mention import Assessed
from mentions.query_tree import Everything
from mentions.stores import open_store
from tests.conftest import SLOW_LIMIT
from tests.contracts.store_cases import served
from tests.earshot import Start, command, earshot, free_port, surroundings, wait_for
from tests.elastic_server import ElasticServer
from tests.flow.test_daemon import health, write_settings
from tests.flow.test_kill import alerts, kill
from tests.judging import deep
from tests.live_feeds import Site, SiteServer

ROWS = int(os.environ.get("EARSHOT_IMPORTED", "20000"))  # of the tests that disturb an import
KILLS = int(os.environ.get("EARSHOT_KILLS", "2"))


@pytest.fixture
def server() -> Iterator[ElasticServer]:
    """An Elasticsearch that does not run yet."""
    made = served()
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
    assert log.count("spool=full") <= log.count("spool=has room again"), "told once for every time it was full"
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
@pytest.mark.timeout(SLOW_LIMIT * max(1, ROWS // 20_000))
def test_an_import_lives_through_a_store_that_is_killed_and_started_again(
    tmp_path: Path, server: ElasticServer
) -> None:
    write_posts(tmp_path / "posts.jsonl", ROWS)
    server.start()
    with importing(tmp_path, server.url) as running:
        before = 0
        for number in range(1, KILLS + 1):
            least = max(ROWS * number / (KILLS + 2), before)  # killed again only once it has gone on
            wait_for(lambda: held(server.url) > least or running.poll() is not None, 120)  # noqa: B023
            assert running.poll() is None, "too quick: give it more rows"
            server.kill()
            time.sleep(1)
            server.start()
            before = held(server.url)
        out, err = running.communicate(timeout=600)
    assert running.returncode == 0, err.decode()
    assert err.count(b"it is waited for") == KILLS
    assert out.decode().split()[:2] == ["seen", str(ROWS)]
    assert_whole(tmp_path, server.url)


@pytest.mark.slow
@pytest.mark.timeout(SLOW_LIMIT * max(1, ROWS // 20_000))
def test_three_nodes_lose_the_one_that_leads_and_nobody_notices_but_by_the_health(
    tmp_path: Path, site: tuple[Site, SiteServer], start: Start
) -> None:
    cluster = served(nodes=3)
    write_posts(tmp_path / "posts.jsonl", ROWS)
    site[0].publish("news", "Met Police thanked for help in Croydon")
    with cluster:
        port = set_up(tmp_path, site[1].address, cluster.url, "news")
        daemon = start(tmp_path)
        wait_for(lambda: health(port)["status"] == "green", 60)
        (tmp_path / "elsewhere").mkdir()
        with importing(tmp_path, cluster.url, "--data", "elsewhere") as running:
            wait_for(lambda: held(cluster.url) > ROWS / 4, 120)
            cluster.wait_green()
            assert running.poll() is None, "too quick: give it more rows"
            cluster.kill(leader(cluster))
            out, err = running.communicate(timeout=600)
        assert running.returncode == 0, err.decode()
        assert out.decode().split()[:2] == ["seen", str(ROWS)]
        site[0].publish("news", "Met Police thanked again, in Camden")
        wait_for(lambda: health(port).get("mentions") == ROWS + 2, 90)
        told = health(port)
        assert (told["status"], told["waiting"]) == ("amber", 0)
        assert "one node missing" in str(told["reason"])
        assert_whole(tmp_path, cluster.url, besides=2)
        daemon.terminate()
        assert daemon.wait(10) == 0
    log = (tmp_path / "log").read_text()
    assert "level=error" not in log, log
    assert "Traceback" not in log


def leader(cluster: ElasticServer) -> int:
    """The number of the node that has the first copy of what is imported, and takes every write to it."""
    shards = cluster.ask("/_cat/shards/mentions-2026.01?format=json")
    (node,) = {each["node"] for each in shards if each["prirep"] == "p"}
    return int(node.removeprefix("node"))


def write_posts(path: Path, count: int) -> None:
    """Posts of one month, each about something else."""
    texts = ("Police in Croydon", "Thanks to the officers in Camden", "Bus fares again", "Arrest outside the station")
    with path.open("w") as file:
        for number in range(count):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=10 * number)
            text = f"{texts[number % len(texts)]} {number}"
            file.write(json.dumps({"id": str(number), "platform": "x", "text": text, "time": at.isoformat()}) + "\n")


def importing(folder: Path, url: str, *words: str) -> subprocess.Popen[bytes]:
    """An import that runs."""
    words = ("import", "posts.jsonl", "--store", url, *words)
    return subprocess.Popen(
        command(*words), cwd=folder, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def assert_whole(folder: Path, url: str, besides: int = 0) -> None:
    """Every post is there once, judged as an import that nothing disturbs judges it."""
    here = f"sqlite:{folder / 'undisturbed.db'}"
    done = earshot("import", "posts.jsonl", "--data", "undisturbed", "--store", here, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    wanted, found = ({each.mention.id: each for each in everything(store)} for store in (here, url))
    assert len(wanted) == ROWS
    assert len(found) == ROWS + besides == held(url)
    wrong = [key for key, each in wanted.items() if not is_same(each, found.get(key))]
    assert wrong == []


def everything(url: str) -> list[Assessed]:
    with closing(open_store(url, readonly=True)) as store:
        assert store.check() == []
        return list(store.everything())


def is_same(one: Assessed, other: Assessed | None) -> bool:
    """Whether they differ in nothing but when they came in; what a daemon beside it has read by the model since is
    judged so."""
    if other is None:
        return False
    if one.assessment.pending and not other.assessment.pending:
        one = replace(one, assessment=deep().assess_whole(one.mention))
    at = one.mention.first_seen_at
    return one == replace(other, mention=replace(other.mention, first_seen_at=at))


def held(url: str) -> int:
    """How many mentions are there; none before there is a store."""
    store = open_store(url, readonly=True)
    try:
        return store.count(Everything())
    except UserError:
        return 0
    finally:
        store.close()
