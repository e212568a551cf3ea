"""`earshot compliance`, and what a backup that is put back brings with it, as a user types them."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.incidents import acknowledge
from listener.cli import main
from listener.connectors import CONNECTORS
from listener.lock import hold
from mentions.correcting import Signature, correct
from mentions.corrections import Choices
from mentions.mention import DELETED, LAPSED, Assessed, Assessment, Mention
from mentions.sqlstate import open_state
from mentions.stores import open_store
from tests import seeding
from tests.deletion_scripts import ScriptServer
from tests.toy_connector import KIND, ToyConnector

NOW = datetime.now(UTC)
WORDS = "Somebody saw the officers crouch behind the laundrette at noon"


def post(number: int, ago: timedelta = timedelta(days=2), **facts: Any) -> Assessed:
    at = NOW - ago
    told = {"text": f"{WORDS} {number}", "native_id": str(number), "source": "Pictures"} | facts
    return Assessed(Mention(f"{KIND}:{number}", KIND, published_at=at, first_seen_at=at, **told), Assessment())


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "earshot-data"
    folder.mkdir()
    with closing(open_store(f"sqlite:{folder}/mentions.db")) as store:
        store.save([post(1), post(2), post(3, timedelta(hours=1))])
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    return capsys.readouterr().out


def test_what_is_due_is_told_and_nothing_is_done(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "compliance", "--json"))
    row = told["platforms"][KIND]
    assert (row["held"], row["due"], row["limit_hours"]) == (3, 2, None)
    assert (told["done"], told["done_now"], told["burials_waiting"]) == ({}, {}, 0)
    lines = said(capsys, "compliance").splitlines()
    assert lines[1].split()[:3] == [KIND, "3", "2"]
    assert lines[-1] == "nothing was looked at again yet"


def test_with_run_it_is_done_now_and_told_by_day(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONNECTORS, KIND, ToyConnector)
    stays = {"id": 2, "at": NOW.isoformat(), "text": f"{WORDS} 2", "likes": 5}
    with ScriptServer() as server:
        server.now = [{"path": "/look", "body": [stays]}]
        Path("earshot.toml").write_text(
            f'[fetch]\nallow = ["{server.address}"]\nhost_gap = "0s"\n'
            f'[[sources]]\nname = "Pictures"\nkind = "{KIND}"\nurl = "{server.url}"\n'
        )
        told = json.loads(said(capsys, "compliance", "--run", "--json"))
    day = {KIND: {"checked": 2, "edited": 1, "gone": 1, "lapsed": 0}}
    assert told["done"] == {f"{datetime.now(UTC):%Y-%m-%d}": day}
    assert told["done_now"] == {KIND: {**day[KIND], "held_up": {}}}
    assert told["platforms"][KIND]["due"] == 0
    found = {row["id"]: row for row in json.loads(said(capsys, "search", "", "--json"))}
    assert found[f"{KIND}:1"]["deleted"]["because"] == DELETED
    assert found[f"{KIND}:1"]["text"] == ""
    assert not {"deleted", "sightings"} & set(found[f"{KIND}:2"])
    assert "[deleted at its source, seen on " in said(capsys, "search", "deleted:yes")
    assert "looked at" in said(capsys, "compliance")


def test_a_platform_nobody_can_ask_is_told_of(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "compliance", "--run", code=1)
    assert f"{KIND}: Pictures could not be asked: no source that is set up can look at it again" in out


def test_a_daemon_at_work_does_it_by_itself(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with hold(data):
        assert main(["compliance", "--run"]) == 2
    assert "it looks at what is due every two minutes by itself" in capsys.readouterr().err


def test_where_nothing_is_held_there_is_nothing_to_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compliance", "--data", str(tmp_path / "none")]) == 2
    assert "there is no mention store" in capsys.readouterr().err


def test_what_was_deleted_since_a_snapshot_does_not_come_back_with_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "store", "snapshot", "--to", "old.db")
    with closing(open_state(f"sqlite:{data}/state.db")) as state:
        state.note_burials([f"{KIND}:1", f"{KIND}:unknown"], NOW, DELETED)
    said(capsys, "compliance", "--run", code=1)
    told = json.loads(said(capsys, "store", "restore", "--from", "old.db", "--replace", "--json"))
    assert told == {"mentions": 3, "buried_again": 1}
    with closing(open_store(f"sqlite:{data}/mentions.db", readonly=True)) as store:
        assert store.get([f"{KIND}:1"])[f"{KIND}:1"].mention.buried_at == NOW
    assert f"{WORDS} 1".encode() not in (data / "mentions.db").read_bytes()
    assert f"{WORDS} 2".encode() in (data / "mentions.db").read_bytes()


def test_a_copy_makes_tombstones_of_what_its_target_had_words_of(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = data / "other.db"
    said(capsys, "store", "copy", "--from", f"sqlite:{data}/mentions.db", "--to", f"sqlite:{other}")
    with closing(open_store(f"sqlite:{data}/mentions.db")) as store:
        store.bury([f"{KIND}:1"], NOW, DELETED)
    out = said(capsys, "store", "copy", "--from", f"sqlite:{data}/mentions.db", "--to", f"sqlite:{other}", "--json")
    assert json.loads(out)["equal"] is True
    assert f"{WORDS} 1".encode() not in other.read_bytes()


def test_the_audit_never_holds_a_posts_words_whoever_quotes_them(data: Path) -> None:
    seeded = seeding.open_seeded(data)
    incident = seeding.seed_crisis(seeded)
    acknowledge(seeded.state, incident.id, "Sam Roe", NOW, f"meant is: {WORDS} 1")
    signed = Signature("Sam Roe", f"they say {WORDS} 1, which is about another force", NOW)
    correct(seeded.store, seeded.state, f"{KIND}:1", {"relevant": "yes"}, Choices((), ()), signed)
    entries = seeded.state.audit_trail()
    assert {"acknowledge", "correct"} <= {entry.action for entry in entries}
    assert not any("laundrette" in json.dumps(entry.detail) for entry in entries)
    assert "meant is" in seeded.state.transitions(incident.id)[-1].reason
    seeded.close()


def test_neither_a_copy_of_an_old_snapshot_nor_an_old_export_brings_deleted_words_into_a_new_store(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "store", "snapshot", "--to", "old.db")
    said(capsys, "export", "--out", "old.jsonl")
    with closing(open_state(f"sqlite:{data}/state.db")) as state:
        state.note_burials([f"{KIND}:1"], NOW, DELETED)
        state.note_burials([f"{KIND}:2"], NOW, LAPSED)
    copied, imported = data.parent / "copied.db", data.parent / "imported.db"
    for _ in range(2):
        out = said(capsys, "store", "copy", "--from", "sqlite:old.db", "--to", f"sqlite:{copied}", "--json")
        assert json.loads(out)["equal"] is True
    said(capsys, "import", "old.jsonl", "--store", f"sqlite:{imported}")
    for path in (copied, imported):
        assert f"{WORDS} 1".encode() not in path.read_bytes()
        with closing(open_store(f"sqlite:{path}", readonly=True)) as store:
            held = store.get([f"{KIND}:1", f"{KIND}:2"])
        assert [each.mention.buried_because for each in held.values()] == [DELETED, ""]
