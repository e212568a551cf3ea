"""The promises of mentions.state.State about burials, over SQLite and a real PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from mentions.failures import TemporaryFailure
from mentions.mention import DELETED, LAPSED, Rag
from mentions.records import Burial, Incident, IncidentState, Level, Notice, NoticeKind, SourceRow, Transition
from mentions.sqlstate import database, open_state
from mentions.state import State
from tests.contracts.test_state import NOW, make_older

WORDS = 'Qzjxkvbwpt saw the "officers" crouch behind the laundrette at noon'
HOUR = timedelta(hours=1)


def test_what_is_to_be_buried_is_kept_until_it_is_done_and_listed_for_good(state: State) -> None:
    state.note_burials(["x:2", "x:1", "x:2"], NOW, DELETED)
    state.note_burials(["y:1"], NOW + HOUR, LAPSED)
    assert [each.mention_id for each in state.unfinished_burials(9)] == ["x:1", "x:2", "y:1"]
    assert [each.mention_id for each in state.unfinished_burials(1)] == ["x:1"]
    state.finish_burials(["x:1", "y:1", "unknown"])
    state.finish_burials([])
    assert [each.mention_id for each in state.unfinished_burials(9)] == ["x:2"]
    assert state.burials() == [
        Burial("x:1", NOW, DELETED, True), Burial("x:2", NOW, DELETED), Burial("y:1", NOW + HOUR, LAPSED, True)
    ]  # fmt: skip
    assert [each.mention_id for each in state.burials("x:1", 1)] == ["x:2"]


def test_what_was_deleted_is_buried_once_and_what_lapsed_again(state: State) -> None:
    state.note_burials(["x:1"], NOW, DELETED)
    state.note_burials(["y:1"], NOW, LAPSED)
    state.finish_burials(["x:1", "y:1"])
    state.note_burials(["x:1", "y:1"], NOW + HOUR, DELETED)
    assert state.unfinished_burials(9) == [Burial("y:1", NOW + HOUR, DELETED)]


def quoting(state: State) -> Incident:
    incident = Incident(0, "k", IncidentState.OPEN, Level.WARNING, Rag.RED, f"Says: {WORDS}", NOW, NOW)
    notice = Notice("{incident_id}:1:desk", 0, "desk", NoticeKind.OPENED, "A matter", f"Somebody wrote:\n{WORDS}\nEnd",
                    NOW, NOW, payload={"why": [WORDS], "count": 3})  # fmt: skip
    opened = state.open_incident(incident, Transition(0, NOW, "note", f"the post {WORDS!r} is meant"), [notice])
    state.keep_board("stories", NOW, '{"told": {"first": "officers crouch behind the laundrette at noon today"}}')
    state.register_sources([("Corner", "feed")], NOW)
    state.save_source(SourceRow("Corner", "feed", sample=WORDS))
    return opened


def test_the_words_of_a_buried_mention_are_taken_out_of_whatever_quotes_them(state: State) -> None:
    opened = quoting(state)
    entry = state.audit(NOW, "A. Person", "note", {"incident": opened.id})
    assert state.redact(["Another text that nobody quoted here", WORDS]) == 5
    notice = state.notices()[0]
    assert (notice.subject, notice.body) == ("A matter", "Somebody wrote:\n[deleted]\nEnd")
    assert notice.payload == {"why": ["[deleted]"], "count": 3}
    assert state.incident(opened.id).title == "Says: [deleted]"
    assert state.transitions(opened.id)[0].reason == "the post '[deleted]' is meant"
    board = state.board("stories")
    assert board is not None
    assert board.body == '{"told": {"first": "[deleted] today"}}'
    assert state.source("Corner").sample == "[deleted]"
    assert state.redact([WORDS]) == 0
    assert (state.broken_audit(), state.audit_trail()) == (None, [entry])


@pytest.mark.parametrize("texts", [[], [""], ["ok"], ["two words"]])
def test_common_talk_is_nobodys(state: State, texts: list[str]) -> None:
    quoting(state)
    assert state.redact(texts) == 0


def test_no_byte_of_them_stays_in_the_file(tmp_path: Path) -> None:
    state = open_state(f"sqlite:{tmp_path}/state.db")
    quoting(state)
    assert any(b"laundrette" in file.read_bytes() for file in tmp_path.iterdir())
    state.redact([WORDS])
    assert not any(b"laundrette" in file.read_bytes() for file in tmp_path.iterdir())
    state.close()


def test_a_database_from_before_there_were_burials_gets_them(state: State, url: str) -> None:
    state.put("kept", "yes")
    state.close()
    make_older(url, 4)
    upgraded = open_state(url)
    assert upgraded.get("kept") == "yes"
    upgraded.note_burials(["x:1"], NOW, DELETED)
    assert upgraded.unfinished_burials(9) == [Burial("x:1", NOW, DELETED)]
    upgraded.close()


def test_what_was_deleted_stays_noted_as_that_though_it_lapses_before_it_is_done(state: State) -> None:
    state.note_burials(["x:1"], NOW, DELETED)
    state.note_burials(["x:1"], NOW + HOUR, LAPSED)
    assert state.unfinished_burials(9) == [Burial("x:1", NOW, DELETED)]


def test_the_words_that_are_ours_stay_though_a_post_repeats_them(state: State) -> None:
    quoting(state)
    repeated = [f"They always tell us: {WORDS}"]
    assert state.redact(repeated, ["Another sentence of ours that is longer than a run", WORDS]) == 0
    assert state.redact(repeated) == 5


def test_files_that_somebody_was_reading_are_cleaned_at_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    path = tmp_path / "state.db"
    state = open_state(f"sqlite:{path}")
    quoting(state)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM notices").fetchone()
        with pytest.raises(TemporaryFailure, match="not yet cleaned"):
            state.redact([WORDS])
    assert any(b"laundrette" in file.read_bytes() for file in tmp_path.iterdir())
    assert state.redact([WORDS]) == 0
    assert not any(b"laundrette" in file.read_bytes() for file in tmp_path.iterdir())
    state.close()
