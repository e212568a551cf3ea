"""The daemon as a process: it collects, tells how it is, stops when asked, and lives through a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.earshot import Start, earshot, free_port, wait_for
from tests.live_feeds import Site, SiteServer

pytestmark = pytest.mark.slow


def write_settings(folder: Path, address: str, *feeds: str) -> int:
    port = free_port()
    sources = "".join(
        f'[[sources]]\nname = "{feed}"\nkind = "feed"\nurl = "http://{address}/{feed}"\nevery = "30s"\n'
        for feed in feeds
    )
    (folder / "earshot.toml").write_text(f'[health]\nport = {port}\n[fetch]\nallow = ["{address}"]\n{sources}')
    return port


def health(port: int) -> dict[str, object]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            found: dict[str, object] = json.load(answer)
    except HTTPError as error:
        with error:
            found = json.load(error)
    except OSError:
        return {"status": "no answer"}
    return found


def test_it_collects_says_it_is_well_and_exits_0_on_sigterm(
    tmp_path: Path, site: tuple[Site, SiteServer], start: Start
) -> None:
    site[0].publish("news", "Met Police thanked for help in Croydon")
    port = write_settings(tmp_path, site[1].address, "news")
    daemon = start(tmp_path)
    wait_for(lambda: health(port)["status"] == "green", 30)
    assert health(port)["mentions"] == 1
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
    state = json.loads(earshot("sources", "--json", cwd=tmp_path).stdout)
    assert [(row["name"], row["state"], row["mentions"]) for row in state] == [("news", "on time", 1)]


def test_it_stops_in_time_although_a_site_never_answers(
    tmp_path: Path, site: tuple[Site, SiteServer], start: Start
) -> None:
    port = write_settings(tmp_path, site[1].address, "news", "hang")
    daemon = start(tmp_path)
    wait_for(lambda: health(port)["status"] != "no answer" and bool(site[0].asked.get("hang")), 30)
    daemon.terminate()
    assert daemon.wait(10) == 0


def test_it_stops_in_time_although_a_channel_never_answers(
    tmp_path: Path, site: tuple[Site, SiteServer], start: Start
) -> None:
    feeds = ("north", "south", "west")
    port = write_settings(tmp_path, site[1].address, *feeds)
    with (tmp_path / "earshot.toml").open("a") as settings:
        settings.write('[[watchlists]]\nname = "bridge"\nquery = "bridge"\npurpose = "a test"\n')
        settings.write(f'[[channels]]\nname = "hook"\nkind = "webhook"\nurl = "http://{site[1].address}/hang"\n')
        settings.write("timeout = 19\n")
    daemon = start(tmp_path)
    wait_for(lambda: health(port)["status"] == "green", 30)
    for number in range(12):
        site[0].publish(feeds[number % 3], f"Crowds at the bridge, report {number}")
    wait_for(lambda: "hang" in site[0].asked, 90)  # the notice of the crisis is on its way
    daemon.terminate()
    assert daemon.wait(10) == 0


def test_health_is_red_while_nothing_is_collected(tmp_path: Path, start: Start) -> None:
    port = write_settings(tmp_path, f"127.0.0.1:{free_port()}", "nobody-there")
    daemon = start(tmp_path)
    wait_for(lambda: health(port)["status"] != "no answer", 30)
    found = health(port)
    assert (found["status"], found["blind"]) == ("red", ["nobody-there"])
    daemon.terminate()
    assert daemon.wait(10) == 0


def test_failing_sites_never_hold_up_another(tmp_path: Path, site: tuple[Site, SiteServer], start: Start) -> None:
    other = SiteServer(Site())
    site[0].publish("news", "Met Police thanked for help in Croydon")
    port = write_settings(tmp_path, site[1].address, "news")
    text = (tmp_path / "earshot.toml").read_text()
    ailing = "".join(
        f'[[sources]]\nname = "{name}"\nkind = "feed"\nurl = "http://{other.address}/{name}"\n'
        for name in ("hang", "broken")
    )
    (tmp_path / "earshot.toml").write_text(
        text.replace(site[1].address, f'{site[1].address}", "{other.address}', 1) + ailing
    )
    daemon = start(tmp_path)
    wait_for(lambda: health(port).get("mentions") == 1, 20)
    daemon.terminate()
    assert daemon.wait(10) == 0
    other.close()


def test_a_full_disk_is_told_once_and_lived_through(
    tmp_path: Path, site: tuple[Site, SiteServer], start: Start
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here, so a full one cannot be tried")
    try:
        port = write_settings(tmp_path, site[1].address, "news")
        text = (tmp_path / "earshot.toml").read_text()
        (tmp_path / "earshot.toml").write_text(f'data = "{disk}/d"\n{text}')
        site[0].publish("news", "Met Police thanked for help in Croydon")
        daemon = start(tmp_path)
        wait_for(lambda: health(port).get("mentions") == 1, 30)
        filler = disk / "filler"
        fill(filler)
        time.sleep(15)
        assert daemon.poll() is None
        filler.unlink()
        wait_for(lambda: "works again" in (tmp_path / "log").read_text(), 30)
        daemon.terminate()
        assert daemon.wait(10) == 0
        log = (tmp_path / "log").read_text()
        assert 1 <= log.count("cannot work") <= 6, "one line for each kind of work, not one for each second"
        assert "Traceback" not in log
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            os.fsync(file.fileno())
