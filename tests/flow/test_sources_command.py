"""`earshot sources` as a person uses it: try, add, permit, list; against loopback sites."""

from __future__ import annotations

import io
import json
import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.known_sources import known_sources
from listener import cli
from mentions.clock import utc_now
from mentions.sqlstate import open_state
from tests.faulty_server import FaultyServer, Reply

CONFIG = """# ours: keep this comment
force = "Larkfield Police"   # and this

[fetch]
allow = ["127.0.0.1:{port}"]
host_gap = "0s"

[[sources]]
name = "Old"
kind = "feed"
url = "http://127.0.0.1:{port}/old.xml"
"""
ITEM = (
    "<item><title>Road shut by police {n}</title><link>{base}/{n}</link><guid>g{n}</guid>"
    "<pubDate>Mon, 08 Jun 2026 10:0{n}:00 GMT</pubDate></item>"
)
PAGE = """<html><head><title>Larkfield: News | Home</title>
<link rel="alternate" type="application/rss+xml" href="/news.xml"></head>
<body><a href="/terms-of-use">Terms of use</a></body></html>"""

Outcome = tuple[int, str, str]
Call = Callable[..., Outcome]


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `earshot sources ...` in a directory of its own; exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Outcome:
        try:
            code = cli.main(["sources", *map(str, words)])
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def config(tmp_path: Path, server: FaultyServer) -> Path:
    path = tmp_path / "earshot.toml"
    path.write_text(CONFIG.format(port=server.port), "utf-8")
    return path


def feed(server: FaultyServer, *numbers: int, title: str = "Larkfield News") -> bytes:
    items = "".join(ITEM.format(n=n, base=server.url) for n in numbers)
    return f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'.encode()


# -- try --------------------------------------------------------------------------------------------------------------


def test_a_trial_without_settings_gives_what_was_posted_and_leaves_nothing_behind(
    call: Call, server: FaultyServer, tmp_path: Path
) -> None:
    url = server.serve("/feed", Reply(feed(server, 1, 2)), Reply(feed(server, 1, 2, 3)))
    code, out, err = call(
        "try", "feed", "--set", f"url={url}", "--allow", f"127.0.0.1:{server.port}", "--polls", 2, "--json"
    )
    told = json.loads(out)
    assert (code, err, told["state"], told["left_out"]) == (0, "", "ok", 0)
    assert told["polls"] == [{"new": 2, "edited": 0, "gone": 0}, {"new": 1, "edited": 0, "gone": 0}]
    assert [each["native_id"][-2:] for each in told["mentions"]] == ["g1", "g2", "g3"]
    assert list(tmp_path.iterdir()) == []


def test_a_trial_tells_people_the_newest_posts_and_what_was_left_out(call: Call, server: FaultyServer) -> None:
    odd = feed(server, 1, 2).replace(b"</channel>", b"<item><guid>odd</guid></item></channel>")
    url = server.serve("/feed", Reply(odd))
    code, out, _ = call("try", "feed", "--set", f"url={url}", "--allow", f"127.0.0.1:{server.port}")
    lines = out.splitlines()
    assert (code, lines[0], lines[1]) == (0, "ok", "poll 1: 2 new, 0 edited, 0 gone")
    assert lines[2].startswith("2026-06-08 10:02 UTC  Road shut by police 2")
    assert lines[-1] == "2 posts, 1 left out (an entry that holds nothing); nothing was stored"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nope"], 'KIND: found "nope"'),
        (["feed"], "url: found nothing"),
        (["feed", "--set", "url=http://a.example", "ulr=x"], 'ulr: found an unknown key, expected it to be "url"'),
        (["feed", "--set", "url"], "expected KEY=VALUE"),
        (["feed", "--set", "url=http://a.example", "url=http://b.example"], "url is given twice"),
        (["feed", "--set", "url=http://a.example", "--polls", "0"], "--polls"),
        (["feed", "--set", "url=http://a.example", "--polls", "101"], "--polls"),
        (["feed", "--set", "url=http://a.example", "--allow", "nonsense"], "expected HOST:PORT"),
        (["feed", "--set", "url=http://a.example", "timezone=Nowhere"], 'timezone: found "Nowhere"'),
    ],
)
def test_a_trial_that_cannot_be_made_ends_with_2_and_names_what_is_wrong(
    call: Call, words: list[str], told: str
) -> None:
    code, out, err = call("try", *words)
    assert (code, out) == (2, "")
    assert told in err.splitlines()[-1]


def test_a_trial_of_a_platform_that_wants_an_approval_says_what_to_do_unless_it_asks_a_stand_in(
    call: Call, server: FaultyServer
) -> None:
    told = json.loads(call("try", "x", "--set", "query=larkfield", "--json")[1])
    assert told["state"] == "not_configured"
    assert "sources permit NAME --by WHO --because WHY" in told["reason"]
    stand_in = (f"api_root={server.url}", "query=larkfield")
    told = json.loads(call("try", "x", "--set", *stand_in, "--allow", f"127.0.0.1:{server.port}", "--json")[1])
    assert told["state"] == "not_configured"
    assert "EARSHOT_X_BEARER_TOKEN" in told["reason"]


def test_options_may_stand_before_the_act_or_behind_it(call: Call, tmp_path: Path) -> None:
    for words in (
        ("--data", tmp_path / "d", "list", "--json"),
        ("list", "--json", "--data", tmp_path / "d"),
        ("--json",),
    ):
        assert call(*words) == (0, "[]\n", "")


# -- add --------------------------------------------------------------------------------------------------------------


def test_a_page_s_feed_is_found_tried_and_put_at_the_end_of_the_settings(
    call: Call, server: FaultyServer, config: Path
) -> None:
    server.serve("/", Reply(PAGE.encode(), headers={"Content-Type": "text/html"}))
    server.serve("/news.xml", Reply(feed(server, 1, 2)))
    before = config.read_text("utf-8")
    code, out, err = call("add", server.url + "/", "--yes")
    assert (code, err) == (0, "")
    assert "2026-06-08 10:02 UTC  Road shut by police 2" in out
    assert "robots.txt allows it" in out
    assert f"terms     {server.url}/terms-of-use" in out
    after = config.read_text("utf-8")
    assert after.startswith(before)
    added = tomllib.loads(after)["sources"][-1]
    assert added == {
        "name": "Larkfield News",
        "kind": "feed",
        "url": f"{server.url}/news.xml",
        "every": "15m",
        "verified": True,
    }
    assert [path.name for path in config.parent.iterdir()] == ["earshot.toml"]
    code, out, err = call("add", f"{server.url}/news.xml", "--yes")
    assert (code, out) == (2, "")
    assert '"Larkfield News" reads that already' in err
    assert config.read_text("utf-8") == after


def test_nothing_is_written_without_a_yes(
    call: Call, server: FaultyServer, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    url = server.serve("/news.xml", Reply(feed(server, 1)))
    before = config.read_bytes()
    code, out, _ = call("add", url)
    assert (code, out.splitlines()[-1].endswith("nothing was written")) == (0, True)
    code, out, _ = call("add", url, "--json")
    assert (code, json.loads(out)["written"], config.read_bytes()) == (0, False, before)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, out, _ = call("add", url)
    assert (code, config.read_bytes() != before) == (0, True)
    assert "restart the daemon" in out


def test_a_forum_is_told_by_its_page_and_read_as_one(call: Call, server: FaultyServer, config: Path) -> None:
    board = '<html id="XF"><head><title>Our Board</title></head><a href="/threads/x.1/">x</a></html>'
    server.serve("/", Reply(board.encode(), headers={"Content-Type": "text/html"}))
    server.serve("/forums/-/index.rss", Reply(feed(server, 1, title="Our Board")))
    code, out, err = call("add", server.url, "--name", "Board", "--yes", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["kind"], told["software"], told["written"]) == ("forum", "xenforo", True)
    assert tomllib.loads(config.read_text("utf-8"))["sources"][-1]["software"] == "xenforo"


def test_what_robots_txt_closes_is_said_and_not_read(call: Call, server: FaultyServer, config: Path) -> None:
    server.serve("/robots.txt", Reply(b"User-agent: *\nDisallow: /"))
    url = server.serve("/news.xml", Reply(feed(server, 1)))
    code, out, _ = call("add", url, "--name", "Closed", "--yes")
    assert (code, "/news.xml" in server.asked) == (0, False)
    assert "robots    robots.txt does not allow" in out
    assert 'it stays off; once that is settled: earshot sources permit "Closed"' in out
    assert tomllib.loads(config.read_text("utf-8"))["sources"][-1]["verified"] is False
    code, out, err = call("add", server.url + "/page", "--yes")
    assert (code, out) == (2, "")
    assert "robots.txt does not allow" in err


def test_an_account_of_a_platform_is_added_and_told_to_be_off_until_it_is_permitted(call: Call, config: Path) -> None:
    code, out, err = call("add", "https://x.com/larkfieldpolice", "--yes")
    assert (code, err) == (0, "")
    added = tomllib.loads(config.read_text("utf-8"))["sources"][-1]
    assert (added["kind"], added["query"], added["verified"]) == ("x", "@larkfieldpolice", False)
    assert f'it stays off; once that is settled: earshot sources permit "{added["name"]}"' in out
    assert "robots.txt not asked" not in out
    assert call("permit", added["name"], "--by", "Sam Roe", "--because", "agreed")[0] == 0
    assert "reads that already" in call("add", "https://twitter.com/larkfieldpolice", "--yes")[2]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://nextdoor.co.uk/news_feed/", "closed to outsiders"),
        ("https://www.facebook.com/groups/123", "Facebook groups cannot be listened to"),
        ("https://www.instagram.com/someone", "no connector reads it"),
        ("not an address", "no web address"),
        ("ftp://example.org/feed", "no web address"),
    ],
)
def test_what_cannot_be_listened_to_is_said_in_one_line(call: Call, config: Path, url: str, told: str) -> None:
    code, out, err = call("add", url, "--yes")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert told in err


def test_a_page_without_feed_and_a_site_that_is_down_write_nothing(
    call: Call, server: FaultyServer, config: Path
) -> None:
    before = config.read_bytes()
    server.serve("/", Reply(b"<html><title>Nothing</title></html>", headers={"Content-Type": "text/html"}))
    assert "neither a feed nor forum software" in call("add", server.url, "--yes")[2]
    server.serve("/down", Reply(b"", 503))
    assert call("add", f"{server.url}/down", "--yes")[0] == 2
    assert config.read_bytes() == before


def test_settings_that_are_missing_wrong_or_not_writable_give_a_clear_line(
    call: Call, server: FaultyServer, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.serve("/news.xml", Reply(feed(server, 1)))
    code, _, err = call("add", url, "--yes", "--config", tmp_path / "nowhere.toml")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "no such settings file" in err
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, _, err = call("add", url, "--yes")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "cannot be written" in err
    config.write_text("force = 1\n", "utf-8")
    assert 'force: found 1, expected text in "quotes"' in call("add", url, "--yes")[2]


def test_a_known_site_is_added_by_its_name_with_its_patch(call: Call, config: Path) -> None:
    code, out, _ = call("add", "hackney citizen", "--json")
    told = json.loads(out)
    assert (code, told["written"], told["table"]["boroughs"], told["table"]["voice"]) == (
        0,
        False,
        ["Hackney"],
        "press",
    )
    assert told["tried"]["state"] == "temporary"  # no network here
    assert call("add", "hackney citizen", "--yes")[0] == 2


# -- known ------------------------------------------------------------------------------------------------------------


def test_known_sites_are_listed_by_borough_and_say_that_none_was_seen(call: Call) -> None:
    code, out, _ = call("known", "--borough", "lewisham", "--json")
    found = json.loads(out)
    assert code == 0
    assert "SE23.life" in {each["name"] for each in found}
    assert all("Lewisham" in each["boroughs"] and each["verified"] is False for each in found)
    assert f"{len(known_sources())} known; 0 seen live" in call("known")[1]
    assert call("known", "--borough", "Leeds")[0] == 2


# -- permit and list --------------------------------------------------------------------------------------------------


def test_a_permission_is_recorded_shown_and_withdrawn_and_the_audit_keeps_both(
    call: Call, config: Path, server: FaultyServer, tmp_path: Path
) -> None:
    assert call("permit", "Old", "--by", "Sam Roe")[0] == 2
    assert call("permit", "Nobody", "--by", "Sam Roe", "--because", "agreed")[0] == 2
    assert call("permit", "Old", "--withdraw", "--by", "Sam Roe", "--because", "over")[0] == 2
    code, out, _ = call("permit", "Old", "--by", "Sam Roe", "--because", "agreed with the site")
    assert (code, out) == (0, f"permitted: Old (feed 127.0.0.1:{server.port})\n")
    state = open_state(f"sqlite:{tmp_path}/earshot-data/state.db")
    state.register_sources([("Old", "feed")], utc_now())
    row = json.loads(call("--json")[1])[0]
    assert (row["permission"]["by"], row["permission"]["because"]) == ("Sam Roe", "agreed with the site")
    assert "permitted Old" in call()[1]
    assert call("permit", "Old", "--withdraw", "--by", "Ann Lee", "--because", "the contract ended")[0] == 0
    assert [(each.action, each.actor.split(" (")[0]) for each in state.audit_trail()] == [
        ("withdraw permission", "Ann Lee"),
        ("permit source", "Sam Roe"),
    ]
    assert (state.permissions(), state.broken_audit()) == ([], None)
    state.close()


def test_the_list_tells_coverage_budgets_and_blind_spots(call: Call, config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text("utf-8") + "\n[budgets.mastodon]\ncalls_per_day = 10\n", "utf-8")
    (tmp_path / "earshot-data").mkdir()
    state = open_state(f"sqlite:{tmp_path}/earshot-data/state.db")
    state.register_sources([("Old", "feed")], utc_now())
    state.note_gap("Old", utc_now(), "window full")
    state.close()
    told = json.loads(call("--coverage", "--json")[1])
    assert (told["adequate"], told["sources"][0]["coverage"]["verdict"]) == (False, "not heard")
    assert told["sources"][0]["coverage"]["gaps_7d"][0]["why"] == "window full"
    assert {"Nextdoor", "Facebook groups", "Mastodon"} <= set(told["blind_spots"])
    assert told["budgets"][0]["calls_left"] == 10
    out = call()[1]
    assert "coverage  NOT ADEQUATE" in out
    assert "budget    mastodon: 0 of 10 calls today; left: 10 calls" in out
    assert "window full" in out
