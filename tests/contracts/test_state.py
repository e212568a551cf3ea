"""The promises of mentions.state.State, over SQLite and a real PostgreSQL."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from mentions.failures import TemporaryFailure, UserError
from mentions.mention import Rag
from mentions.records import (
    Incident,
    IncidentState,
    Level,
    Notice,
    NoticeKind,
    NoticeState,
    SourceRow,
    SourceState,
    Transition,
)
from mentions.sqlstate import open_state, schema
from mentions.state import State

NOW = datetime(2026, 1, 12, 10, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def change_by_hand(url: str, *statements: str) -> None:
    """What nobody should do: SQL past the program."""
    address = url.replace("sqlite:", "sqlite:///").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(address)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def make_older(url: str, version: int) -> None:
    """Bring a database back to how an earlier version made it."""
    later = [step for number, steps in sorted(schema.STEPS.items()) if number > version for step in steps]
    undone = []
    for step in later:
        if made := re.match(r"CREATE TABLE (\w+)", step):
            undone.append(f"DROP TABLE {made[1]}")
        elif added := re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", step):
            undone.append(f"ALTER TABLE {added[1]} DROP COLUMN {added[2]}")
    stamp = f"INSERT INTO state_schema (version, at) VALUES ({version}, 0)"
    change_by_hand(url, *undone, "DELETE FROM state_schema", stamp)


def an_incident(**changes: object) -> Incident:
    basis = Incident(
        id=0,
        key="surge:march",
        state=IncidentState.OPEN,
        level=Level.CRISIS,
        colour=Rag.RED,
        title="March \u2014 na\u00efve \U0001f6a8",
        opened_at=NOW,
        updated_at=NOW,
        boroughs=("Camden", "Kensington & Chelsea"),
        keys=("surge:march",),
        crisis_at=NOW,
        score=1.25,
        evidence=("x:1", "x:2"),
        exercise=True,
    )
    return replace(basis, **changes)  # type: ignore[arg-type]


def a_notice(key: str = "{incident_id}:opened:mail", **changes: object) -> Notice:
    basis = Notice(
        key=key,
        incident_id=0,
        channel="mail",
        kind=NoticeKind.OPENED,
        subject="incident {incident_id}",
        body="see {incident_id}",
        queued_at=NOW,
        due_at=NOW,
        payload={"id": "{incident_id}", "link": "alerts?id={incident_id}", "nested": {"quiet": None, "n": 1.5}},
    )
    return replace(basis, **changes)  # type: ignore[arg-type]


def said(what: str = "opened", at: datetime = NOW) -> Transition:
    return Transition(0, at, what, "because")


def queue(state: State, *notices: Notice) -> Incident:
    return state.open_incident(an_incident(), said(), notices)


# -- opening ----------------------------------------------------------------------------------------------------------


def test_what_was_kept_is_there_after_closing_and_opening_again(state: State, url: str) -> None:
    state.put("looked:sam", "yesterday")
    state.close()
    again = open_state(url)
    assert again.get("looked:sam") == "yesterday"
    again.close()


def test_a_database_of_a_newer_version_is_refused_in_one_line_and_left_alone(state: State, url: str) -> None:
    state.close()
    change_by_hand(url, "INSERT INTO state_schema (version, at) VALUES (99, 0)")
    with pytest.raises(UserError, match="version 99") as refusal:
        open_state(url)
    assert "\n" not in str(refusal.value)


def test_an_older_database_is_brought_up_to_date_step_by_step(
    state: State, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.put("kept", "yes")
    state.close()
    now = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", now + 2)
    monkeypatch.setattr("mentions.sqlstate.database.VERSION", now + 2)
    steps = {now + 1: ("ALTER TABLE notes ADD COLUMN colour TEXT",), now + 2: ("UPDATE notes SET colour = 'blue'",)}
    monkeypatch.setattr(schema, "STEPS", steps)
    with pytest.raises(UserError, match="older version"):
        open_state(url, readonly=True)
    upgraded = open_state(url)
    assert upgraded.get("kept") == "yes"
    upgraded.close()
    change_by_hand(url, "UPDATE notes SET value = colour WHERE key = 'kept'")
    again = open_state(url)
    assert again.get("kept") == "blue"
    again.close()


def test_a_reader_reads_and_writes_nothing(state: State, url: str) -> None:
    state.put("kept", "yes")
    reader = open_state(url, readonly=True)
    assert reader.get("kept") == "yes"
    with pytest.raises(TemporaryFailure):
        reader.put("kept", "no")
    state.put("kept", "still")
    assert reader.get("kept") == "still"
    reader.close()


def test_eight_that_open_an_empty_database_at_once_all_succeed(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        states = list(pool.map(lambda _: open_state(url), range(8)))
    assert len({opened.get("identity") for opened in states}) == 1
    for opened in states:
        opened.close()


def test_every_database_has_its_own_identity(state: State, tmp_path: Path) -> None:
    other = open_state(f"sqlite:{tmp_path}/other.db")
    assert state.get("identity")
    assert state.get("identity") != other.get("identity")
    other.close()


@pytest.mark.parametrize("bad", ["mysql://x", "state.db", "postgresql://:bad:/:"])
def test_an_address_of_no_known_kind_is_refused_with_what_was_expected(bad: str) -> None:
    with pytest.raises(UserError, match="expected"):
        open_state(bad)


def test_a_missing_directory_is_one_line_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        open_state(f"sqlite:{tmp_path}/nowhere/state.db")
    with pytest.raises(UserError, match="does not exist"):
        open_state(f"sqlite:{tmp_path}/state.db", readonly=True)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("dear diary, this is not a database at all\n" * 50)
    before = path.read_bytes()
    with pytest.raises(UserError, match="not an Earshot state database"):
        open_state(f"sqlite:{path}")
    assert path.read_bytes() == before


def test_a_server_that_is_not_there_is_a_temporary_failure_without_its_password() -> None:
    with pytest.raises(TemporaryFailure) as failure:
        open_state("postgresql://earshot:hunter2@127.0.0.1:9/earshot")
    assert "hunter2" not in str(failure.value)


def test_a_writer_that_waits_too_long_gets_a_temporary_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mentions.sqlstate.database.BUSY_MS", 100)
    state = open_state(f"sqlite:{tmp_path}/state.db")
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryFailure, match="locked"):
        state.put("a", "b")
    other.execute("ROLLBACK")
    other.close()
    state.put("a", "b")
    state.close()


def test_a_commit_on_sqlite_survives_a_loss_of_power(tmp_path: Path) -> None:
    """By SQLite's own word: WAL with synchronous FULL."""
    from mentions.sqlstate.database import open_database

    database = open_database(f"sqlite:{tmp_path}/state.db", readonly=False)
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()


# -- sources ----------------------------------------------------------------------------------------------------------


def test_a_new_source_is_due_at_once_and_never_twice_registered(state: State) -> None:
    state.register_sources([("bbc", "feed"), ("forum", "forum")], NOW)
    state.save_source(replace(state.source("bbc"), cursor="page 2", next_check_at=NOW + MINUTE, polls=1))
    state.register_sources([("bbc", "feed"), ("forum", "forum")], NOW)
    assert [row.name for row in state.due_sources(NOW, 10)] == ["forum"]
    assert state.source("bbc").cursor == "page 2"
    assert [row.name for row in state.sources()] == ["bbc", "forum"]


def test_a_source_no_longer_named_is_kept_but_never_due(state: State) -> None:
    state.register_sources([("bbc", "feed"), ("forum", "forum")], NOW)
    state.save_source(replace(state.source("bbc"), cursor="page 2"))
    state.register_sources([("forum", "forum")], NOW)
    assert [row.name for row in state.due_sources(NOW, 10)] == ["forum"]
    assert not state.claim("bbc", "me", NOW, MINUTE)
    assert state.source("bbc").cursor == "page 2"
    state.register_sources([("bbc", "feed"), ("forum", "forum")], NOW)
    assert state.source("bbc").cursor == "page 2"


def test_a_source_that_changes_its_kind_forgets_its_cursor(state: State) -> None:
    state.register_sources([("bbc", "feed")], NOW)
    state.save_source(replace(state.source("bbc"), cursor="page 2", next_check_at=NOW + MINUTE))
    state.register_sources([("bbc", "forum")], NOW)
    assert state.source("bbc") == SourceRow("bbc", "forum", next_check_at=NOW)


def test_the_longest_overdue_come_first_and_no_more_than_asked_for(state: State) -> None:
    state.register_sources([(name, "feed") for name in "abcd"], NOW)
    for minutes, name in enumerate("dbca"):
        state.save_source(replace(state.source(name), next_check_at=NOW - minutes * MINUTE))
    assert [row.name for row in state.due_sources(NOW, 3)] == ["a", "c", "b"]
    assert [row.name for row in state.due_sources(NOW - 2 * MINUTE, 9)] == ["a", "c"]


def test_a_row_comes_back_exactly_as_it_was_saved(state: State) -> None:
    state.register_sources([("bbc", "feed")], NOW)
    row = SourceRow(
        "bbc",
        "feed",
        cursor='{"seen": ["\u00e9"]}',
        state=SourceState.QUIET,
        next_check_at=NOW,
        polled_at=NOW - MINUTE,
        succeeded_at=NOW - 2 * MINUTE,
        newest_at=NOW - timedelta(days=9999, microseconds=1),
        brought_at=NOW,
        failures=3,
        message="wait",
        polls=7,
        mentions=5,
        left_out=2,
        sample="no date",
        moved_to="https://new.example/feed",
        weekly=12.5,
    )
    state.save_source(row)
    assert state.source("bbc") == row


def test_times_of_other_zones_come_back_as_the_same_moment_in_utc(state: State) -> None:
    state.register_sources([("bbc", "feed")], NOW)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    state.save_source(replace(state.source("bbc"), next_check_at=elsewhere))
    found = state.source("bbc").next_check_at
    assert found == NOW
    assert found is not None
    assert found.utcoffset() == timedelta(0)


def test_a_leased_source_is_nobody_elses_until_the_lease_runs_out(state: State) -> None:
    state.register_sources([("bbc", "feed")], NOW)
    assert state.claim("bbc", "one", NOW, MINUTE)
    assert not state.claim("bbc", "two", NOW + MINUTE / 2, MINUTE)
    assert state.due_sources(NOW + MINUTE / 2, 9) == []
    assert state.claim("bbc", "one", NOW + MINUTE / 2, MINUTE / 2)
    assert [row.name for row in state.due_sources(NOW + MINUTE, 9)] == ["bbc"]
    assert state.claim("bbc", "two", NOW + MINUTE, MINUTE)


def test_saving_a_source_gives_its_lease_back(state: State) -> None:
    state.register_sources([("bbc", "feed")], NOW)
    state.claim("bbc", "one", NOW, MINUTE)
    state.save_source(state.source("bbc"))
    assert state.claim("bbc", "two", NOW, MINUTE)


def test_what_a_poll_has_changed_so_far_is_kept_with_its_lease_unless_another_has_taken_it(state: State) -> None:
    state.register_sources([("bbc", "feed"), ("itv", "feed")], NOW)
    state.claim("bbc", "one", NOW, MINUTE)
    row = replace(state.source("bbc"), cursor="two", mentions=7)
    assert state.keep_source(row, "one", NOW + MINUTE, MINUTE)
    assert (state.source("bbc"), state.source("itv").cursor) == (row, None)
    assert not state.claim("bbc", "two", NOW + MINUTE, MINUTE)
    assert state.claim("bbc", "two", NOW + 2 * MINUTE, MINUTE)
    assert not state.keep_source(replace(row, cursor="three"), "one", NOW + 2 * MINUTE, MINUTE)
    assert state.source("bbc") == row
    assert not state.claim("bbc", "three", NOW + 2 * MINUTE, MINUTE)


def test_an_owner_that_starts_again_gives_back_its_own_leases_only(state: State) -> None:
    state.register_sources([("bbc", "feed"), ("forum", "forum")], NOW)
    state.claim("bbc", "one", NOW, MINUTE)
    state.claim("forum", "two", NOW, MINUTE)
    state.release("one")
    assert [row.name for row in state.due_sources(NOW, 9)] == ["bbc"]


def test_a_paused_source_is_not_due_until_a_person_resumes_it(state: State) -> None:
    state.register_sources([("bbc", "feed")], NOW)
    state.save_source(replace(state.source("bbc"), state=SourceState.PAUSED, failures=4, message="sign in"))
    assert state.due_sources(NOW, 9) == []
    assert state.next_due_at() is None
    state.resume("bbc", NOW + MINUTE)
    (row,) = state.due_sources(NOW + MINUTE, 9)
    assert (row.state, row.failures, row.next_check_at) == (SourceState.FAILING, 0, NOW + MINUTE)


def test_what_does_not_exist_is_a_key_error(state: State) -> None:
    for call in (
        lambda: state.source("who"),
        lambda: state.save_source(SourceRow("who", "feed")),
        lambda: state.resume("who", NOW),
        lambda: state.incident(7),
        lambda: state.change_incident(an_incident(id=7), [], []),
        lambda: state.settle_notice(a_notice(id=7)),
    ):
        with pytest.raises(KeyError):
            call()
    assert not state.claim("who", "me", NOW, MINUTE)


def test_the_next_due_time_is_the_earliest_of_sources_and_notices(state: State) -> None:
    assert state.next_due_at() is None
    state.register_sources([("bbc", "feed")], NOW)
    assert state.next_due_at() == NOW
    state.claim("bbc", "me", NOW, 5 * MINUTE)
    assert state.next_due_at() == NOW + 5 * MINUTE
    queue(state, a_notice(due_at=NOW + MINUTE))
    assert state.next_due_at() == NOW + MINUTE
    (notice,) = state.claim_notices(NOW + MINUTE, MINUTE)
    assert state.next_due_at() == NOW + 2 * MINUTE
    state.settle_notice(replace(notice, state=NoticeState.ACCEPTED))
    assert state.next_due_at() == NOW + 5 * MINUTE


# -- incidents and outbox ---------------------------------------------------------------------------------------------


def test_an_incident_comes_back_as_it_was_opened_with_its_id_filled_in_everywhere(state: State) -> None:
    queue(state)
    opened = queue(state, a_notice())
    assert opened == an_incident(id=2)
    assert state.incident(2) == opened
    assert state.transitions(2) == [replace(said(), incident_id=2)]
    (notice,) = state.notices(2)
    assert (notice.key, notice.subject, notice.body) == ("2:opened:mail", "incident 2", "see 2")
    assert notice.payload == {"id": 2, "link": "alerts?id=2", "nested": {"quiet": None, "n": 1.5}}
    assert (notice.incident_id, notice.queued_at, notice.state) == (2, NOW, NoticeState.QUEUED)


def test_a_change_keeps_row_history_and_notices_together(state: State) -> None:
    opened = queue(state, a_notice())
    later = replace(opened, state=IncidentState.RESOLVED, resolved_at=NOW + MINUTE)
    assert state.change_incident(later, [said("resolved", NOW + MINUTE)], [a_notice("{incident_id}:resolved:mail")])
    assert state.incident(1) == later
    assert [transition.what for transition in state.transitions(1)] == ["opened", "resolved"]
    assert [notice.key for notice in state.notices(1)] == ["1:opened:mail", "1:resolved:mail"]


def test_when_a_part_cannot_be_written_nothing_is(state: State) -> None:
    opened = queue(state, a_notice())
    broken = a_notice("new", payload={"unwritable": object()})
    with pytest.raises(TypeError):
        state.change_incident(replace(opened, title="other"), [said("worse")], [broken])
    with pytest.raises(TypeError):
        state.open_incident(an_incident(), said(), [broken])
    assert state.incidents() == [opened]
    assert len(state.transitions(1)) == len(state.notices()) == 1


def test_a_notice_whose_key_exists_is_left_as_it_is(state: State) -> None:
    opened = queue(state, a_notice())
    state.change_incident(opened, [], [a_notice(subject="again"), a_notice("other")])
    assert [(notice.key, notice.subject) for notice in state.notices()] == [
        ("1:opened:mail", "incident 1"),
        ("other", "incident 1"),
    ]


def test_a_change_against_an_outdated_row_writes_nothing_and_says_so(state: State) -> None:
    opened = queue(state)
    assert state.change_incident(replace(opened, title="mine"), [], [], seen=opened)
    assert not state.change_incident(replace(opened, title="yours"), [said("worse")], [a_notice()], seen=opened)
    assert state.incident(1).title == "mine"
    assert len(state.transitions(1)) == 1
    assert state.notices() == []


def test_incidents_are_listed_newest_first_and_by_what_is_open(state: State) -> None:
    for hours, standing in enumerate((IncidentState.RESOLVED, IncidentState.OPEN, IncidentState.ACKNOWLEDGED)):
        at = NOW + timedelta(hours=hours)
        state.open_incident(an_incident(state=standing, opened_at=at, updated_at=at), said(), [])
    assert [incident.id for incident in state.incidents()] == [3, 2, 1]
    assert [incident.id for incident in state.incidents(open_only=True)] == [3, 2]
    assert [incident.id for incident in state.incidents(since=NOW + timedelta(hours=1))] == [3, 2]
    assert [incident.id for incident in state.incidents(limit=1)] == [3]
    state.change_incident(replace(state.incident(1), updated_at=NOW + timedelta(hours=1)), [], [])
    assert len(state.incidents(since=NOW + timedelta(hours=1))) == 3


def test_due_notices_are_claimed_in_the_order_they_were_queued_and_once(state: State) -> None:
    queue(state, a_notice("b", due_at=NOW - MINUTE), a_notice("a", due_at=NOW - 2 * MINUTE), a_notice("c"))
    assert [notice.key for notice in state.claim_notices(NOW, MINUTE, limit=2)] == ["b", "a"]
    assert state.claim_notices(NOW, MINUTE) == []  # c waits for its channel: two senders would mix up the order
    assert [notice.key for notice in state.claim_notices(NOW + MINUTE, MINUTE)] == ["b", "a", "c"]


def test_a_notice_that_is_not_due_waits_unless_its_channel_is_tried_anyway(state: State) -> None:
    queue(state, a_notice("old", due_at=NOW + 10 * MINUTE), a_notice("other", channel="hook", due_at=NOW + MINUTE))
    assert state.claim_notices(NOW, MINUTE) == []
    state.change_incident(state.incident(1), [], [a_notice("new")])
    assert [notice.key for notice in state.claim_notices(NOW, MINUTE)] == ["old", "new"]


def test_settling_keeps_what_the_attempt_changed_and_frees_the_channel(state: State) -> None:
    queue(state, a_notice("a"), a_notice("b"))
    first, second = state.claim_notices(NOW, MINUTE)
    state.settle_notice(replace(first, state=NoticeState.ACCEPTED, attempts=1, accepted_at=NOW))
    state.settle_notice(replace(second, attempts=1, due_at=NOW + MINUTE, message="server was down"))
    assert state.claim_notices(NOW, MINUTE) == []
    (again,) = state.claim_notices(NOW + MINUTE, MINUTE)
    assert (again.key, again.attempts, again.message) == ("b", 1, "server was down")
    assert [(n.state, n.accepted_at) for n in state.notices()] == [
        (NoticeState.ACCEPTED, NOW),
        (NoticeState.QUEUED, None),
    ]


# -- small things, audit ----------------------------------------------------------------------------------------------


def test_a_note_is_replaced_and_a_missing_one_is_none(state: State) -> None:
    assert state.get("exercise") is None
    state.put("exercise", "one")
    state.put("exercise", "two")
    assert state.get("exercise") == "two"


def test_the_audit_trail_is_newest_first_and_sound(state: State) -> None:
    assert state.broken_audit() is None
    made = [state.audit(NOW + n * MINUTE, "Sam", "search", {"query": f"caf\u00e9 {n}"}) for n in range(5)]
    assert state.audit_trail(limit=3) == made[:1:-1]
    assert state.broken_audit() is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = 'Alex' WHERE id = 3", 3),
        ("UPDATE audit SET detail = '{}' WHERE id = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE id = 5", 5),
        ("UPDATE audit SET chain = 'f00' WHERE id = 4", 4),
        ("DELETE FROM audit WHERE id = 3", 4),
        ("DELETE FROM audit WHERE id = 1", 2),
    ],
)
def test_an_edit_or_a_deletion_in_the_trail_is_found(state: State, url: str, statement: str, broken: int) -> None:
    for number in range(5):
        state.audit(NOW, "Sam", "search", {"n": number})
    change_by_hand(url, statement)
    assert state.broken_audit() == broken


# -- many at once -----------------------------------------------------------------------------------------------------

WORKER = """
import sys
from datetime import UTC, datetime, timedelta
from mentions.sqlstate import open_state

state, me, now = open_state(sys.argv[1]), sys.argv[2], datetime(2026, 1, 12, 10, 0, tzinfo=UTC)
won = 0
for number in range(30):
    won += state.claim(f"source{number}", me, now, timedelta(minutes=1)) is not None
    state.audit(now, me, "claimed", {"n": number})
keys = [notice.key for notice in state.claim_notices(now, timedelta(minutes=1))]
print(won, len(keys))
state.close()
"""


@pytest.mark.slow
def test_two_processes_share_one_state_without_treading_on_each_other(state: State, url: str) -> None:
    state.register_sources([(f"source{number}", "feed") for number in range(30)], NOW - MINUTE)
    queue(state, *(a_notice(f"n{number}", due_at=NOW - MINUTE) for number in range(20)))
    command = [sys.executable, "-c", WORKER, url]
    workers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("one", "two")]
    printed = [worker.communicate(timeout=120)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    assert sum(int(won) for won, _ in printed) == 30
    assert sum(int(claimed) for _, claimed in printed) == 20
    assert len(state.audit_trail(limit=1000)) == 60
    assert state.broken_audit() is None


def test_eight_threads_share_one_state_without_treading_on_each_other(state: State) -> None:
    state.register_sources([(f"source{number}", "feed") for number in range(10)], NOW)

    def work(thread: int) -> int:
        won = 0
        for number in range(10):
            if state.claim(f"source{number}", f"thread{thread}", NOW, MINUTE):
                won += 1
            state.audit(NOW, f"thread{thread}", "claimed", {"n": number})
            queue(state, a_notice(f"{thread}-{number}"))
        return won

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 10
    assert state.broken_audit() is None
    assert sorted(incident.id for incident in state.incidents()) == list(range(1, 81))
    assert len(state.notices()) == 80
