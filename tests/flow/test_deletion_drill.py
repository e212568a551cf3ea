"""Deletion, drilled on every platform: after one turn no byte of the words is left anywhere in the data directory.

A connector that can look again needs `tests/recordings/<kind>/gone.json` (see `tests.deletion_scripts`), and no more.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.load import load
from listener.cli import main
from listener.connectors import CONNECTORS
from listener.house import House, open_house
from mentions.boards import write_board
from mentions.mention import Assessed, Rag
from mentions.query import Everything, parse
from mentions.records import Incident, IncidentState, Level, Notice, NoticeKind, Transition
from tests.deletion_scripts import ScriptServer, read_script
from tests.faulty_server import Clock
from tests.toy_connector import ToyConnector, ToyOfX

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
TOY = {
    "options": {"url": "{url}"},
    "words": 'Qzjxkvbwpt saw "two" officers crouch behind the laundrette; why? 👮',
    "stays": "The officers on the market square were kind today",
    "there": [
        {"path": "/posts", "body": [
            {"id": 1, "at": "2026-11-01T11:00:00+00:00", "title": "Zwyxvu laundrette",
             "text": 'Qzjxkvbwpt saw "two" officers crouch behind the laundrette; why? 👮'},
            {"id": 2, "at": "2026-11-01T11:30:00+00:00",
             "text": "The officers on the market square were kind today", "likes": 1},
        ]},
    ],
    "gone": [
        {"path": "/look", "body": [
            {"id": 2, "at": "2026-11-01T11:30:00+00:00",
             "text": "The officers on the market square were kind today", "likes": 7},
        ]},
    ],
}  # fmt: skip
TOYS: dict[str, Any] = {ToyConnector.kind: ToyConnector, ToyOfX.kind: ToyOfX}
KINDS = sorted(kind for kind, each in CONNECTORS.items() if hasattr(each, "recheck"))


@contextmanager
def at_work(folder: Path, kind: str, options: dict[str, Any], server: ScriptServer, clock: Clock) -> Iterator[House]:
    """A house with one source, at the address of the script."""
    lines = [
        f"data = {json.dumps(str(folder / 'data'))}",
        "[fetch]",
        f"allow = [{json.dumps(server.address)}]",
        'host_gap = "0s"',
        "[[sources]]",
        f"name = {json.dumps('The source')}",
        f"kind = {json.dumps(kind)}",
        *(f"{name} = {json.dumps(value)}" for name, value in server.filled_in(options).items()),
    ]
    path = folder / "earshot.toml"
    path.write_text("\n".join(lines), "utf-8")
    settings = load(path, {})
    settings.data.mkdir(exist_ok=True)
    house = open_house(settings, clock, jitter=0)
    try:
        yield house
    finally:
        house.close()


def left_everywhere(house: House, held: Assessed) -> None:
    """Put the words wherever they could get to in the life of a data directory."""
    mention, data, now = held.mention, house.settings.data, house.clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(data)
        config = str(data.parent / "earshot.toml")
        assert main(["export", "--config", config, "--out", str(data / "all.jsonl")]) == 0
        assert main(["export", "--config", config, "--out", str(data / "rated.jsonl"), "--query", "NOT lang:xx"]) == 0
    with (data / "sheet.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "text", "link"])
        writer.writerow([mention.id, mention.title, mention.text, mention.link])
    (data / "found.json").write_text(json.dumps([{"id": mention.id, "text": mention.text}, {"note": mention.text}]))
    (data / "briefing").mkdir()
    (data / "briefing" / "morning.txt").write_text(f"Somebody says: {mention.words}\nWe answer at noon.\n", "utf-8")
    (data / "old.txt").write_bytes(b"Fran\xe7ais: " + mention.text.encode("latin-1", "replace"))
    house.intake.spool.add([held])
    incident = Incident(
        0, "k", IncidentState.OPEN, Level.WARNING, Rag.RED, "A matter", now, now, evidence=(mention.id,)
    )
    notice = Notice("{incident_id}:1:d", 0, "d", NoticeKind.OPENED, "A matter", f"It says {mention.words}", now, now,
                    payload={"quote": mention.text})  # fmt: skip
    house.state.open_incident(incident, Transition(0, now, "note", f"meant is: {mention.text}", "A. Person"), [notice])
    house.state.keep_board("stories", now, write_board({"first": mention.words}, now))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def traces(folder: Path, words: str) -> list[str]:
    """Where any five words of it in a row are found, in whatever case, or half of it as JSON spells it."""
    said = words.casefold().split()
    runs = {" ".join(said[at : at + 5]) for at in range(max(1, len(said) - 4))}
    spelt = {json.dumps(words)[1:-1][: len(words) // 2].casefold(), words[: len(words) // 2].casefold()}
    looked_for = [run.encode() for run in runs | spelt if len(run) > 12]
    longest = max(said, key=len).encode()  # a rare word, in an index
    return [
        name for name, content in bytes_of(folder).items()
        if any(run in content.lower() for run in looked_for) or longest in content.lower()
    ]  # fmt: skip


def drill(folder: Path, kind: str, script: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in script.get("secrets", {}).items():
        monkeypatch.setenv(name, value)
    clock = Clock(START)
    with ScriptServer() as server, at_work(folder, kind, script["options"], server, clock) as house:
        server.now = script["there"]
        poll = house.poll("The source")
        assert poll is not None
        assert poll.outcome == "ok", house.state.source("The source").message
        words = " ".join(script["words"].split())
        found = [each for each in house.store.search(Everything()) if words in " ".join(each.mention.words.split())]
        assert len(found) == 1, "the poll does not bring the words of the script once"
        held = found[0]
        left_everywhere(house, held)
        assert len(traces(house.settings.data, script["words"])) >= 8
        before = house.store.tallies_by_source(START - timedelta(days=9000), START + timedelta(days=9))
        server.now = script["gone"]
        due = house.store.to_check(START + timedelta(days=400))
        assert due, f"nothing that {kind} brings is ever looked at again: has its platform a duty?"
        clock.now = max(each.due_at for each in due if each.due_at) + timedelta(minutes=1)
        house.comply()
        check_gone(house, held, script, before)


def check_gone(house: House, held: Assessed, script: dict[str, Any], before: object) -> None:
    assert traces(house.settings.data, script["words"]) == []
    gone = house.store.get([held.mention.id])[held.mention.id]
    assert gone.mention.shown.startswith("[deleted at its source")
    assert gone.assessment.rag is held.assessment.rag
    assert house.store.tallies_by_source(START - timedelta(days=9000), START + timedelta(days=9)) == before
    if stays := script.get("stays"):
        kept = [each.mention.words for each in house.store.search(parse("deleted:no"))]
        assert any(" ".join(stays.split()) in " ".join(words.split()) for words in kept)
        assert traces(house.settings.data, stays)
    house.drain()
    assert house.intake.spool.mentions == 0
    assert house.store.get([held.mention.id])[held.mention.id] == gone
    assert (house.store.check(), house.state.broken_audit()) == ([], None)


@pytest.mark.parametrize("named", [*KINDS, *(f"toy {kind}" for kind in sorted(TOYS))])
def test_no_byte_of_a_deleted_post_is_left(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = named.removeprefix("toy ")
    script = TOY if named != kind else read_script(kind)
    if named != kind:
        monkeypatch.setitem(CONNECTORS, kind, TOYS[kind])
    assert script is not None, f"{kind} can look again, so it needs tests/recordings/{kind}/gone.json"
    drill(tmp_path, kind, script, monkeypatch)


def test_every_script_belongs_to_a_connector() -> None:
    folders = {path.parent.name for path in (Path(__file__).parent.parent / "recordings").glob("*/gone.json")}
    assert folders <= set(CONNECTORS)
