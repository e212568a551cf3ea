"""Long work waits for a store that is away, and gives up in words."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.pipeline import Pipeline
from listener.importing import Reader, import_files
from mentions.failures import NoSpace, TemporaryFailure
from mentions.patience import patiently
from mentions.pseudonyms import AuthorKey
from mentions.query_tree import Everything
from mentions.stores import open_store

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def test_an_import_waits_for_a_locked_store_and_then_saves_everything_once(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    rows = [{"id": str(n), "platform": "x", "text": f"Police in Croydon {n}", "time": "2026-01-01"} for n in range(50)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    store = open_store(f"sqlite:{tmp_path}/mentions.db")
    other = sqlite3.connect(tmp_path / "mentions.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    told: list[str] = []
    reader = Reader(Pipeline(), AuthorKey.load_or_create(tmp_path / "author.key"), NOW)
    release = threading.Timer(12, other.rollback)  # longer than SQLite itself waits
    release.start()
    done = import_files([file], store, reader, lambda size, done: None, lambda failure: told.append(str(failure)))
    release.join()
    other.close()
    assert told
    assert (done.seen, done.new, store.count(Everything())) == (50, 50, 50)
    store.close()


def test_patience_ends_and_the_last_reason_is_told() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise TemporaryFailure(f"down, try {len(tries)}")

    told: list[TemporaryFailure] = []
    with pytest.raises(TemporaryFailure, match="down, try 2"):
        patiently(work, told.append, timedelta(seconds=1))
    assert len(told) == 1


@pytest.mark.parametrize("kind", [ZeroDivisionError, NoSpace])
def test_what_is_no_matter_of_waiting_is_not_waited_for(kind: type[Exception]) -> None:
    def work() -> None:
        raise kind

    with pytest.raises(kind):
        patiently(work, patience=timedelta(seconds=60))
