"""kill -9 of the daemon at any moment: nothing lost, nothing doubled, no alert lost."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.earshot import Start, earshot, free_port, wait_for
from tests.live_feeds import Site, SiteServer

FEEDS = [f"site{number}" for number in range(8)]
KILLS = 20


def write_settings(folder: Path, address: str) -> None:
    sources = "".join(
        f'[[sources]]\nname = "{feed}"\nkind = "feed"\nurl = "http://{address}/{feed}"\nevery = "30s"\n'
        for feed in FEEDS
    )
    (folder / "earshot.toml").write_text(
        f'[health]\nport = {free_port()}\n[fetch]\nallow = ["{address}"]\n'
        '[[watchlists]]\nname = "bridge"\nquery = "bridge"\npurpose = "a test"\n'
        f'[[channels]]\nname = "hook"\nkind = "webhook"\nurl = "http://{address}/hook"\n{sources}'
    )


def kill(daemon: subprocess.Popen[bytes]) -> None:
    assert daemon.poll() is None, "the daemon ended by itself"
    daemon.kill()
    daemon.wait()


@pytest.mark.slow
def test_twenty_kills_lose_nothing_double_nothing_and_lose_no_alert(tmp_path: Path, start: Start) -> None:
    site, chance = Site(), random.Random(7)
    server = SiteServer(site)
    write_settings(tmp_path, server.address)
    expected: set[str] = set()
    starts: list[int] = []  # how many notices had arrived when each daemon began

    def publish(count: int) -> None:
        for _ in range(count):
            feed = chance.choice(FEEDS)
            words = f"Crowds at the bridge near the station, report {len(expected)}"
            expected.add(site.publish(feed, words))

    first = start(tmp_path)
    wait_for(lambda: all(site.asked.get(feed) for feed in FEEDS), 30)  # the first polls bring history: none here
    time.sleep(1)
    kill(first)
    for _ in range(KILLS - 1):
        publish(5)
        daemon = start(tmp_path)
        starts.append(len(site.received))
        time.sleep(chance.uniform(0.3, 6))
        kill(daemon)
    publish(5)
    last = start(tmp_path)
    starts.append(len(site.received))
    wait_for(lambda: len(stored_links(tmp_path)) >= len(expected), 120)
    wait_for(lambda: bool(accepted_keys(tmp_path)), 60)
    last.terminate()
    assert last.wait(10) == 0
    server.close()

    links = stored_links(tmp_path)
    assert set(links) == expected, "lost"
    assert len(links) == len(expected), "doubled"
    found = alerts(tmp_path)
    (crisis,) = [incident for incident in found if incident["crisis_at"]]
    assert [notice["kind"] for notice in crisis["notices"]].count("opened") == 1
    received = Counter(each["key"] for each in site.received)
    assert accepted_keys(tmp_path) <= received.keys(), "a notice counted as accepted never arrived"
    assert all(notice["state"] == "accepted" for each in found for notice in each["notices"])
    for begun, ended in pairwise([*starts, len(site.received)]):
        sent = Counter(each["key"] for each in site.received[begun:ended])
        assert all(times == 1 for times in sent.values()), "told twice without a kill in between"


def stored_links(folder: Path) -> list[str]:
    done = earshot("search", "", "--limit", "100000", "--json", cwd=folder)
    return [row["link"] for row in json.loads(done.stdout)]


def alerts(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(earshot("alerts", "--json", cwd=folder).stdout)
    return found


def accepted_keys(folder: Path) -> set[str]:
    notices = [notice for each in alerts(folder) for notice in each["notices"]]
    return {notice["key"] for notice in notices if notice["state"] == "accepted"}
