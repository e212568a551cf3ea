"""`earshot watchlists` as a user types it, and a daemon that follows it without a restart."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from mentions.query import parse
from mentions.sqlstate import open_state
from mentions.stores import open_store
from tests.earshot import Start, earshot, wait_for
from tests.flow.test_daemon import health, write_settings
from tests.live_feeds import Site, SiteServer

ADD = ("watchlists", "add", "bus fares", "--query", "bus AND fare*", "--purpose", "a test", "--owner", "desk")
HELD = ("watchlists", "add", "him", "--query", '"dave smith"', "--purpose", "a test", "--owner", "desk", "--by", "Sam")


def listed(folder: Path) -> list[dict[str, str]]:
    done = earshot("watchlists", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, str]] = json.loads(done.stdout)
    return rows


def audited(folder: Path) -> list[str]:
    with closing(open_state(f"sqlite:{folder / 'earshot-data/state.db'}")) as state:
        assert state.broken_audit() is None
        return [entry.action for entry in state.audit_trail()]


def test_nothing_watched_for_is_said(tmp_path: Path) -> None:
    done = earshot("watchlists", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "nothing is watched for: add a watchlist here or in the settings\n")
    assert listed(tmp_path) == []


def test_what_is_added_is_listed_with_who_and_why_and_can_be_taken_out(tmp_path: Path) -> None:
    done = earshot(*ADD, "--by", "Sam Roe", "--expires", "2099-01-31", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"bus fares" is added' in done.stdout
    (row,) = listed(tmp_path)
    told = {key: row[key] for key in ("name", "status", "query", "purpose", "owner", "expires", "where", "made_by")}
    assert list(told.values()) == [
        *("bus fares", "running", "bus AND fare*", "a test", "desk", "2099-01-31", "added by hand", "Sam Roe")
    ]
    removed = earshot("watchlists", "remove", "bus fares", "--by", "Sam Roe", cwd=tmp_path)
    assert (removed.returncode, listed(tmp_path)) == (0, [])


def test_a_private_person_is_held_until_somebody_else_approves_and_all_is_on_record(tmp_path: Path) -> None:
    done = earshot(*HELD, cwd=tmp_path)
    assert done.returncode == 0
    assert "is held, and matches nothing yet" in done.stdout
    assert "dave smith" in done.stdout
    assert [row["status"] for row in listed(tmp_path)] == ["held"]
    assert "somebody else may approve it" in earshot("watchlists", cwd=tmp_path).stdout
    approve = ("watchlists", "approve", "him", "--because", "head of the union")
    for words, says in (((*approve, "--by", " SAM."), "somebody else"), (approve, "needs --by")):
        refused = earshot(*words, cwd=tmp_path)
        assert (refused.returncode, says in refused.stderr) == (2, True), refused.stderr
    assert [row["status"] for row in listed(tmp_path)] == ["held"]
    assert earshot(*approve, "--by", "Kim", cwd=tmp_path).returncode == 0
    (row,) = listed(tmp_path)
    assert (row["status"], row["approved_by"], row["approved_because"]) == ("running", "Kim", "head of the union")
    again = earshot(*approve, "--by", "Kim", cwd=tmp_path)
    assert (again.returncode, "not held" in again.stderr) == (2, True)
    actions = audited(tmp_path)
    assert actions.count("add watchlist") == actions.count("approve watchlist") == 1


def test_where_approvers_are_named_nobody_else_approves(tmp_path: Path) -> None:
    (tmp_path / "earshot.toml").write_text('watchlist_approvers = ["Kim Roe"]\n')
    earshot(*HELD, cwd=tmp_path)
    approve = ("watchlists", "approve", "him", "--because", "head of the union", "--by")
    refused = earshot(*approve, "Alex", cwd=tmp_path)
    assert (refused.returncode, "can be approved by Kim Roe" in refused.stderr) == (2, True)
    assert earshot(*approve, "kim roe", cwd=tmp_path).returncode == 0
    assert [row["status"] for row in listed(tmp_path)] == ["running"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (ADD, "watchlists add needs --by"),
        ((*ADD, "--by", "Sam", "--expires", "soon"), "--expires: found"),
        ((*ADD, "--by", "Sam", "--expires", "2020-01-01"), "that day is past"),
        ((*ADD[:4], "bus rag:red", *ADD[5:], "--by", "Sam"), "cannot ask for rag"),
        ((*ADD[:4], "(bus", *ADD[5:], "--by", "Sam"), "character 1: the parenthesis is never closed"),
        ((*ADD[:2], "Set!", *ADD[3:], "--by", "Sam"), 'a watchlist "set" in the settings already'),
        (("watchlists", "approve", "none", "--by", "Sam", "--because", "x"), 'no watchlist "none"'),
        (("watchlists", "remove", "set", "--by", "Sam"), "changed in the settings file"),
        (("watchlists", "list", "set"), "too much"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    (tmp_path / "earshot.toml").write_text('[[watchlists]]\nname = "set"\nquery = "tram"\npurpose = "a test"\n')
    done = earshot(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert says in done.stderr
    assert [row["name"] for row in listed(tmp_path)] == ["set"]


@pytest.mark.slow
def test_a_running_daemon_applies_a_new_watchlist_to_what_is_held_and_to_what_comes(
    tmp_path: Path, site: tuple[Site, SiteServer], start: Start
) -> None:
    site[0].publish("news", "Police see bus fares rise in Croydon")
    port = write_settings(tmp_path, site[1].address, "news")
    daemon = start(tmp_path)
    wait_for(lambda: health(port).get("mentions") == 1, 30)
    assert earshot(*ADD, "--by", "Sam", cwd=tmp_path).returncode == 0
    assert earshot(*HELD, cwd=tmp_path).returncode == 0
    site[0].publish("news", "Police: Dave Smith on bus fares in Camden")

    def marks() -> list[tuple[str, ...]]:
        with closing(open_store(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}", readonly=True)) as store:
            return [each.assessment.watchlists for each in store.search(parse('watchlist:"bus fares"'))]

    wait_for(lambda: len(marks()) == 2, 90)
    assert marks() == [("bus fares",)] * 2, "the held one matches nothing"
    daemon.terminate()
    assert daemon.wait(10) == 0
    log = (tmp_path / "log").read_text()
    assert "watchlists changed new=bus fares gone=" in log
    assert "Traceback" not in log
