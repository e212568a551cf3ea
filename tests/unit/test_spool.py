"""Mentions wait on disk in order while the store takes none, and nothing of it is lost, doubled or in the way."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.pipeline import Pipeline
from listener import intake as intakes
from listener.intake import Intake
from listener.spool import Spool, SpoolFull
from listener.store_watch import StoreWatch
from mentions.failures import Unsavable
from mentions.mention import Assessed, Reason
from mentions.query import parse
from mentions.query_tree import Everything
from mentions.store import MentionStore, Saved
from mentions.stores import open_store
from mentions.watchlists import Watchlist
from tests.contracts.store_cases import T0, judged, said

WORDS = "Met Police in Croydon 👮‍♀️ \u2028 \ud83d"  # with half a character, as broken sites send them


def make_spool(folder: Path, *, max_bytes: int = 1_000_000, free_bytes: int = 0) -> Spool:
    return Spool(folder / "spool", lambda: T0, max_bytes=max_bytes, free_bytes=free_bytes)


def batch(*numbers: int) -> list[Assessed]:
    return [judged(said(number, WORDS), relevant=True, reasons=(Reason("says so", 0, 3),)) for number in numbers]


def drained(spool: Spool) -> list[Assessed]:
    found: list[Assessed] = []
    while waiting := spool.oldest(10):
        found += waiting.mentions
        spool.remove(waiting)
    return found


def fill(keep: Callable[[list[Assessed]], object]) -> int:
    """Until it is full; how many it took."""
    for number in range(1000):
        try:
            keep(batch(number))
        except SpoolFull:
            return number
    raise AssertionError("never full")


# -- on disk -----------------------------------------------------------------------------------------------------------


def test_what_was_put_in_comes_out_the_same_in_the_same_order_also_after_a_restart(tmp_path: Path) -> None:
    first = make_spool(tmp_path)
    for number in range(25):
        first.add(batch(number, 100 + number))
    again = make_spool(tmp_path)
    assert (again.mentions, again.since, again.size) == (50, T0, first.size)
    again.add(batch(999))
    assert drained(again) == [each for number in range(25) for each in batch(number, 100 + number)] + batch(999)
    assert not [*(tmp_path / "spool").iterdir()], "what was drained is deleted down to the file"


def test_only_the_own_user_can_read_what_waits(tmp_path: Path) -> None:
    make_spool(tmp_path).add(batch(1))
    (file,) = (tmp_path / "spool").iterdir()
    assert (stat.S_IMODE(file.parent.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)


def test_a_batch_that_was_half_written_is_no_batch(tmp_path: Path) -> None:
    make_spool(tmp_path).add(batch(1))
    (tmp_path / "spool" / "000000000002-9-1.part").write_bytes(b'{"fact": {"id"')
    again = make_spool(tmp_path)
    assert drained(again) == batch(1)
    assert not [*(tmp_path / "spool").iterdir()]


def test_a_line_that_cannot_be_read_is_put_aside_and_told_and_blocks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = make_spool(tmp_path)
    spool.add(batch(1, 2, 3))
    spool.add(batch(4))
    file = min((tmp_path / "spool").iterdir())
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b'{"fact": {"colour": 1}, "opinion": {}}\n\xff\xfe\n')
    assert drained(make_spool(tmp_path)) == batch(1, 4)
    assert make_spool(tmp_path).aside == 1
    (kept,) = (tmp_path / "spool" / "aside").iterdir()
    assert kept.read_bytes() == b'{"fact": {"colour": 1}, "opinion": {}}\n\xff\xfe\n'
    assert "unread=2" in caplog.text
    assert "colour" not in caplog.text


def test_what_was_put_aside_can_be_put_back(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    spool.add(batch(1))
    waiting = spool.oldest(10)
    assert waiting
    spool.set_aside(waiting)
    assert (spool.mentions, spool.aside) == (0, 1)
    spool.add(batch(2))
    (kept,) = (tmp_path / "spool" / "aside").iterdir()
    kept.rename(tmp_path / "spool" / kept.name)
    assert drained(make_spool(tmp_path)) == batch(1, 2)


def test_a_file_that_lost_its_end_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_spool(tmp_path).add(batch(1, 2, 3))
    (file,) = (tmp_path / "spool").iterdir()
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    assert drained(make_spool(tmp_path)) == batch(1, 2)
    assert "lost=1" in caplog.text


def test_files_of_other_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "notes.jsonl").write_text("mine")
    spool = make_spool(tmp_path)
    spool.add(batch(1))
    assert drained(spool) == batch(1)
    assert (tmp_path / "spool" / "notes.jsonl").read_text() == "mine"


def test_a_batch_beyond_the_limit_is_refused_whole(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, max_bytes=2000)
    held = fill(spool.add)
    with pytest.raises(SpoolFull, match=r"spool\.max_bytes"):
        spool.add(batch(1000))
    assert 0 < held < 100
    assert spool.size <= 2000
    assert spool.mentions == make_spool(tmp_path).mentions == held


def test_the_last_of_the_disk_is_left_to_others(tmp_path: Path) -> None:
    with pytest.raises(SpoolFull, match=r"spool\.free_bytes"):
        make_spool(tmp_path, free_bytes=1 << 60).add(batch(1))
    assert not (tmp_path / "spool").exists()


def test_many_threads_lose_and_double_nothing(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    threads = [
        threading.Thread(target=lambda first=first: [spool.add(batch(first + n)) for n in range(20)])  # type: ignore[misc]
        for first in range(0, 160, 20)
    ]
    for each in threads:
        each.start()
    found = []
    while any(each.is_alive() for each in threads) or spool.mentions:
        found += [each.mention.id for each in drained(spool)]
    assert sorted(found) == sorted(f"forum:{number}" for number in range(160))
    for first in range(0, 160, 20):
        mine = [f"forum:{first + n}" for n in range(20)]
        assert [each for each in found if each in mine] == mine, "each thread's in its order"


def test_a_batch_that_cannot_be_changed_for_want_of_room_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = make_spool(tmp_path)
    spool.add(batch(1))
    before = [path.read_bytes() for path in (tmp_path / "spool").iterdir()]

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SpoolFull, match="No space"):
        spool.change(lambda held: replace(held, assessment=replace(held.assessment, reasons=(Reason("x"),))))
    assert [path.read_bytes() for path in (tmp_path / "spool").iterdir()] == before
    monkeypatch.undo()
    assert len(drained(spool)) == len(batch(1))


# -- into the store ----------------------------------------------------------------------------------------------------


@dataclass
class Bench:
    """An intake before a real store that another program can lock."""

    folder: Path
    store: MentionStore
    other: sqlite3.Connection
    pipeline: Pipeline = field(default_factory=Pipeline)

    def open(self, **limits: int) -> Intake:
        watch = StoreWatch(self.store, lambda: T0)
        spool = make_spool(self.folder, **limits)
        return Intake(self.store, spool, watch, lambda mention: self.pipeline.assess_for_store(mention))

    def lock(self) -> None:
        self.other.execute("BEGIN IMMEDIATE")

    def unlock(self) -> None:
        self.other.rollback()

    def stored(self) -> set[str]:
        return {each.mention.id for each in self.store.search(Everything(), limit=10_000)}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("mentions.stores.sqlite_schema.PATIENCE", 0.05)
    monkeypatch.setattr(intakes, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(intakes, "ASK_AGAIN", 0.0)
    store = open_store(f"sqlite:{tmp_path}/mentions.db")
    other = sqlite3.connect(tmp_path / "mentions.db")
    yield Bench(tmp_path, store, other)
    other.close()
    store.close()


def drain(intake: Intake) -> int:
    total = 0
    while count := intake.drain():
        total += count
    return total


def test_while_the_store_takes_mentions_none_touches_the_spool(bench: Bench) -> None:
    assert bench.open().save(batch(1)) == Saved(new=("forum:1",))
    assert not (bench.folder / "spool").exists()


def test_a_store_that_is_away_costs_nothing_and_is_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    intake = bench.open()
    bench.lock()
    assert intake.save(batch(1, 2)).new == ("forum:1", "forum:2")
    assert intake.save(batch(3)).new == ("forum:3",)
    assert intake.drain() == 0
    note = intake.note()
    assert (note.waiting, note.waiting_since, note.is_blind) == (3, T0, True)
    assert "locked" in note.stuck
    bench.unlock()
    assert drain(intake) == 3
    assert bench.stored() == {"forum:1", "forum:2", "forum:3"}
    assert intake.note().tell(str) == ""
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1


def test_while_any_waits_new_ones_wait_behind_it(bench: Bench) -> None:
    intake = bench.open()
    bench.lock()
    intake.save([judged(said(1, "as first published"))])
    bench.unlock()
    intake.save([judged(replace(said(1, "as edited since"), first_seen_at=T0 + timedelta(hours=1)))])
    assert bench.stored() == set()
    drain(intake)
    assert bench.store.get(["forum:1"])["forum:1"].mention.text == "as edited since"


class DiesAfter:
    """A real store whose caller is killed once a batch has been saved."""

    def __init__(self, store: MentionStore) -> None:
        self._store = store

    def save(self, saved: Sequence[Assessed]) -> Saved:
        self._store.save(saved)
        raise KeyboardInterrupt


def test_killed_between_the_store_and_the_spool_nothing_is_lost_or_doubled(bench: Bench) -> None:
    intake = bench.open()
    bench.lock()
    for number in range(5):
        intake.save(batch(number))
    bench.unlock()
    dying = Intake(DiesAfter(bench.store), make_spool(bench.folder), StoreWatch(bench.store, lambda: T0), judged)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        dying.drain()
    assert bench.store.count(Everything()) == 5
    again = bench.open()
    assert again.spool.mentions == 5
    assert drain(again) == 5
    assert bench.store.count(Everything()) == 5
    assert again.spool.mentions == 0


def test_a_spool_that_is_full_refuses_loudly_drops_nothing_and_takes_more_once_drained(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    intake = bench.open(max_bytes=3000)
    bench.lock()
    taken = fill(intake.save)
    with pytest.raises(SpoolFull):
        intake.save(batch(taken))
    assert intake.is_full()
    assert "No source is polled" in intake.note().tell(str)
    assert caplog.text.count("spool=full") == 1
    bench.unlock()
    assert drain(intake) == taken
    assert not intake.is_full()
    assert bench.stored() == {f"forum:{number}" for number in range(taken)}


def test_a_disk_without_room_lets_polling_go_on_once_the_store_answers(bench: Bench) -> None:
    intake = bench.open(free_bytes=1 << 60)
    bench.lock()
    with pytest.raises(SpoolFull):
        intake.save(batch(1))
    bench.unlock()
    assert not intake.is_full(), "nothing waits, so only another poll can tell"
    assert intake.save(batch(1)).new == ("forum:1",)


def test_a_watchlist_that_came_meanwhile_marks_what_waited(bench: Bench) -> None:
    intake = bench.open()
    bench.lock()
    intake.save([Assessed(said(1, "crowds at the bridge"), Pipeline().assess(said(1, "crowds at the bridge")))])
    bench.unlock()
    bench.pipeline = Pipeline([Watchlist("bridge", parse("bridge"))])
    drain(intake)
    assert bench.store.get(["forum:1"])["forum:1"].assessment.watchlists == ("bridge",)


class Allergic:
    """A real store that a fault makes fail on one mention, or on all."""

    def __init__(self, store: MentionStore, to: str, fault: Exception) -> None:
        self._store, self.to, self._fault = store, to, fault

    def save(self, saved: Sequence[Assessed]) -> Saved:
        if any(self.to in (each.mention.id, "all") for each in saved):
            raise self._fault
        return self._store.save(saved)


def make_sick(bench: Bench, store: Allergic, waiting: int, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """An intake before that store, with so many batches of one mention in its spool, which makes no pauses."""
    monkeypatch.setattr(intakes, "FIRST_PAUSE", 0.0)
    intake = bench.open()
    bench.lock()
    for number in range(waiting):
        intake.save(batch(number))
    bench.unlock()
    watch = StoreWatch(bench.store, lambda: T0)
    return Intake(store, make_spool(bench.folder), watch, bench.pipeline.assess_for_store)  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", [ZeroDivisionError(), Unsavable("refused")], ids=["a bug", "a refusal"])
def test_a_batch_that_breaks_the_saving_is_put_aside_and_blocks_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    sick = make_sick(bench, Allergic(bench.store, "forum:2", fault), 5, monkeypatch)
    for _ in range(30):
        drain(sick)
    assert bench.stored() == {f"forum:{number}" for number in (0, 1, 3, 4)}
    assert (sick.note().aside, sick.note().waiting) == (1, 0)
    (kept,) = (bench.folder / "spool" / "aside").iterdir()
    assert json.loads(kept.read_text())["fact"]["id"] == "forum:2"


@pytest.mark.parametrize(
    "fault", [RuntimeError("can't start new thread"), Unsavable("refused")], ids=["a bug", "a refusal"]
)
def test_a_fault_of_ours_that_passes_puts_nothing_aside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    store = Allergic(bench.store, "all", fault)
    sick = make_sick(bench, store, 5, monkeypatch)
    for _ in range(30):
        drain(sick)
    assert (sick.note().aside, sick.note().waiting) == (0, 5)
    assert sick.note().stuck
    store.to = "nobody"
    drain(sick)
    assert (sick.note().aside, sick.note().waiting) == (0, 0)
    assert len(bench.stored()) == 5


def test_a_batch_that_cannot_be_read_at_this_moment_stays_where_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = make_sick(bench, Allergic(bench.store, "nobody", ValueError()), 3, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda path: os.open(f"{path}/no/such", os.O_RDONLY))
        assert drain(sick) == 0
    assert (sick.note().aside, sick.note().waiting) == (0, 3)
    assert drain(sick) == 3
    assert len(bench.stored()) == 3


def test_tries_grow_rarer_while_the_store_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intakes, "FIRST_PAUSE", 0.4)
    intake = bench.open()
    bench.lock()
    intake.save(batch(1))
    intake.drain()
    bench.unlock()
    assert intake.drain() == 0, "not yet"
    threading.Event().wait(0.5)
    assert intake.drain() == 1
