"""What the SQLite store promises beyond the contract: about its file, and about what can go wrong with one."""

from __future__ import annotations

import errno
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mentions.failures import NeedsAttention, TemporaryFailure, UserError
from mentions.normalise import normalise
from mentions.order import order_key
from mentions.query import Everything, parse
from mentions.stores import open_store, sqlite_schema
from mentions.stores.sqlite_snapshots import restore_snapshot, take_snapshot
from tests.contracts.store_cases import ALWAYS, HOUR, T0, ids, judged, said, twins

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("swapped", [False, True])
def test_mentions_that_share_all_bits_of_their_place_stay_as_they_came_in(tmp_path: Path, swapped: bool) -> None:
    pair = twins()[:: -1 if swapped else 1]
    with closing(open_store(f"sqlite:{tmp_path}/mentions.db")) as store:
        for twin in pair:
            store.save([judged(twin)])
        assert [each.mention for each in store.search(Everything())] == list(pair)
        assert [each.mention for each in store.search(Everything(), before=order_key(pair[0]))] == [pair[1]]


@pytest.mark.parametrize("url", ["", "mentions.db", "sqlite:", "mysql:mentions", "elastic//x"])
def test_an_address_of_no_known_kind_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UserError, match="sqlite:PATH"):
        open_store(url)


def test_the_directory_of_a_new_store_is_made(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:{tmp_path}/a/b c?%41#/mentions.db")) as store:
        assert store.status().mentions == 0
    assert (tmp_path / "a" / "b c?%41#" / "mentions.db").exists()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mentions.db"
    open_store(f"sqlite:{path}").close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for readonly in (False, True):
        with pytest.raises(UserError, match=r"written by a newer Earshot \(schema 99, this one knows \d+\): upgrade"):
            open_store(f"sqlite:{path}", readonly=readonly)


def test_a_file_that_is_no_database_is_refused_and_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "mentions.db"
    path.write_text("this is a shopping list, not a database\n" * 100)
    for readonly in (False, True):
        with pytest.raises(UserError, match="is not a mention store"):
            open_store(f"sqlite:{path}", readonly=readonly)
    assert path.read_text().startswith("this is a shopping list")


def test_the_database_of_something_else_is_refused_and_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "mentions.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoice (id)")
    with pytest.raises(UserError, match="something else"):
        open_store(f"sqlite:{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("invoice",)]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be"):
        open_store(f"sqlite:{tmp_path}/file/mentions.db")
    with pytest.raises(UserError, match="cannot be"):
        open_store(f"sqlite:{tmp_path}")


def test_a_reader_needs_a_store_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="start the daemon first"):
        open_store(f"sqlite:{tmp_path}/mentions.db", readonly=True)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_what_the_writer_saves_and_can_write_nothing(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/mentions.db"
    with closing(open_store(url)) as writer, closing(open_store(url, readonly=True)) as reader:
        writer.save([judged(said(1), relevant=True)])
        assert ids(reader.search(Everything())) == ["1"]
        assert reader.check() == []
        with pytest.raises(NeedsAttention):
            reader.save([judged(said(2))])
        writer.save([judged(said(3))])
        assert reader.status().mentions == 2


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_a_temporary_failure_and_nothing_half_done_stays(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:{tmp_path}/mentions.db")) as store:
        store.save([judged(said(1), relevant=True)])
        with files_limited_to(2_000_000), pytest.raises(TemporaryFailure):
            store.save([judged(said(n, "long " * 1000), relevant=True) for n in range(2, 2000)])
        assert store.check() == []
        assert ids(store.search(Everything())) == ["1"]
        assert store.save([judged(said(2))]).new == ("forum:2",)


def test_a_store_another_process_keeps_locked_is_a_temporary_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_schema, "PATIENCE", 0.1)
    path = tmp_path / "mentions.db"
    with closing(open_store(f"sqlite:{path}")) as store, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TemporaryFailure, match="locked"):
            store.save([judged(said(1))])
        assert store.search(Everything()) == []
        other.execute("ROLLBACK")
        assert store.save([judged(said(1))]).new == ("forum:1",)


def test_an_erasure_that_a_reader_holds_up_is_made_good_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_schema, "PATIENCE", 0.1)
    path = tmp_path / "mentions.db"
    with closing(open_store(f"sqlite:{path}")) as store, closing(sqlite3.connect(path)) as reader:
        store.save([judged(said(1, "qzjxkvbwpt"))])
        reader.execute("BEGIN")
        reader.execute("SELECT text FROM mention").fetchall()
        with pytest.raises(TemporaryFailure, match="do it again"):
            store.forget(["forum:1"])
        assert store.search(Everything()) == []
        reader.execute("ROLLBACK")
        assert store.forget(["forum:1"]) == 0
        assert not any(b"xkvbwpt" in file.read_bytes() for file in tmp_path.iterdir())


def test_a_damaged_running_total_is_found(tmp_path: Path) -> None:
    path = tmp_path / "mentions.db"
    with closing(open_store(f"sqlite:{path}")) as store:
        store.save([judged(said(n), relevant=True, boroughs=("Camden",), pending=("model",)) for n in range(3)])
        for table in ("tally_borough", "tally_source", "series_minute", "series_member", "pending"):
            with closing(sqlite3.connect(path)) as connection:
                connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
                connection.execute(f"DELETE FROM {table}")
                connection.commit()
                assert len(store.check()) == 1
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
                connection.execute("DROP TABLE kept")
                connection.commit()
            assert store.check() == []


def test_a_word_index_that_does_not_fit_the_mentions_is_found(tmp_path: Path) -> None:
    path = tmp_path / "mentions.db"
    with closing(open_store(f"sqlite:{path}")) as store:
        store.save([judged(said(1))])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE mention SET norm = 'other words'")
            connection.commit()
        assert store.check()[0].startswith("word index")


def test_every_character_is_found_by_the_word_it_stands_in(tmp_path: Path) -> None:
    points = [*range(0x12000), *range(0x12000, 0x110000, 61)]
    words = [f"x{chr(point)}y" for point in points if normalise(chr(point))]
    with closing(open_store(f"sqlite:{tmp_path}/mentions.db")) as store:
        store.save([judged(said(at, " ".join(words[at : at + 500]))) for at in range(0, len(words), 500)])
        missed = [word for word in words[::23] if not store.count(parse(f'"{word}"'))]
        assert missed == []
        assert store.check() == []


WRITER = """
import sys
from mentions.stores import open_store
from tests.contracts.store_cases import judged, said
store = open_store(sys.argv[1])
for batch in range(1000):
    store.save([judged(said(f"{batch}-{n}", "killed in the middle"), relevant=True) for n in range(200)])
    print(batch, flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_saved_outlives_a_kill_at_any_moment(tmp_path: Path) -> None:
    for attempt in range(5):
        url = f"sqlite:{tmp_path}/{attempt}.db"
        writer = subprocess.Popen([sys.executable, "-c", WRITER, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(3 + attempt)]
        writer.send_signal(signal.SIGKILL)
        told += map(int, writer.communicate()[0].split())
        with closing(open_store(url)) as store:
            held = store.count(parse("killed"))
            assert held % 200 == 0
            assert held // 200 in (len(told), len(told) + 1)
            assert sum(live for _, live, _ in store.series("relevant", *ALWAYS)) == held
            assert store.check() == []
            assert store.members("relevant", T0, T0 + HOUR, limit=1) != []


# -- snapshots --------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from mentions.stores import open_store
from tests.contracts.store_cases import judged, said
open_store(sys.argv[1]).save([judged(said("last", "saved just before the kill"))])
os.kill(os.getpid(), signal.SIGKILL)
"""


def kept_and_killed(folder: Path) -> tuple[Path, Path]:
    """A store whose writer was killed when it had saved what the snapshot of it lacks, and that snapshot."""
    path, kept = folder / "mentions.db", folder / "kept.db"
    with closing(open_store(f"sqlite:{path}")) as store:
        store.save([judged(said(n)) for n in range(100)])
    take_snapshot(path, kept)
    subprocess.run([sys.executable, "-c", KILLED, f"sqlite:{path}"], cwd=ROOT, check=False)
    assert path.with_name("mentions.db-wal").stat().st_size > 0
    return path, kept


def all_sound(path: Path) -> int:
    with closing(open_store(f"sqlite:{path}")) as store:
        assert store.check() == []
        return store.count(Everything())


def test_a_restore_that_fails_at_the_very_end_keeps_what_a_killed_writer_had_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kept = kept_and_killed(tmp_path)

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, "Device or resource busy")  # as where the file is mounted by itself

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(UserError, match="cannot be written"):
            restore_snapshot(path, kept, replace=True)
    assert all_sound(path) == 101
    restore_snapshot(path, kept, replace=True)
    assert all_sound(path) == 100


def test_a_snapshot_takes_the_place_of_a_damaged_store_and_of_what_lies_beside_it(tmp_path: Path) -> None:
    path, kept = kept_and_killed(tmp_path)
    path.write_bytes(b"no database" * 4096)
    restore_snapshot(path, kept, replace=True)
    assert all_sound(path) == 100


def test_a_store_that_somebody_reads_is_not_restored(tmp_path: Path) -> None:
    path, kept = kept_and_killed(tmp_path)
    with closing(open_store(f"sqlite:{path}")) as store:
        reading = store.everything()
        next(reading)
        store.save([judged(said("later", "while it is read"))])
        with pytest.raises(UserError, match="is in use"):
            restore_snapshot(path, kept, replace=True)
        del reading
    assert all_sound(path) == 102
