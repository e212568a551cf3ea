"""`earshot store` and `--store`, as a user types them: status, copies both ways, snapshots and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from listener.copying import Sum
from mentions.failures import UserError
from mentions.query import Everything
from mentions.stores import elastic_snapshots, open_store
from mentions.stores.elastic import ElasticStore
from mentions.stores.elastic_access import connect, read_address
from tests.contracts.store_cases import HOUR, MINUTE, T0, clear_away, elastic_address, judged, said
from tests.earshot import command, earshot, surroundings
from tests.elastic_found import Lacking
from tests.elastic_server import ElasticServer

HELD = [
    judged(
        said(n, f"helicopter over Croydon number {n} #tag{n % 7}", at=T0 + n * MINUTE, likes=n % 5 or None),
        relevant=n % 2 == 0,
        boroughs=("Croydon",) if n % 3 == 0 else (),
    )
    for n in range(1500)
]


def fill(url: str) -> Sum:
    """Everything, one of them heard again later; and the sum of it."""
    again = replace(HELD[3], mention=replace(HELD[3].mention, likes=77, first_seen_at=T0 + 9 * HOUR))
    whole = Sum()
    with closing(open_store(url)) as store:
        store.save(HELD)
        store.save([again])
        for held in store.everything():
            whole.add(held)
    return whole


def sum_of(url: str) -> Sum:
    whole = Sum()
    with closing(open_store(url, readonly=True)) as store:
        for held in store.everything():
            whole.add(held)
        assert store.check() == []
    return whole


def copy(folder: Path, source: str, target: str) -> dict[str, object]:
    done = earshot("store", "copy", "--from", source, "--to", target, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("beyond", ["sqlite", pytest.param("elasticsearch", marks=pytest.mark.slow)])
def test_a_copy_there_and_back_is_equal_to_the_last_fact(
    beyond: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    first, back = f"sqlite:{tmp_path / 'first.db'}", f"sqlite:{tmp_path / 'back.db'}"
    there = f"sqlite:{tmp_path / 'there.db'}"
    if beyond == "elasticsearch":
        there = elastic_address(request.getfixturevalue("elastic"))
    whole = fill(first)
    told = copy(tmp_path, first, there)
    assert (told["copied"], told["there_before"], told["others"], told["equal"]) == (1500, 0, 0, True)
    assert told["from"] == told["to"] == {"count": 1500, "hash": whole.hash}
    copy(tmp_path, there, back)
    assert sum_of(there) == sum_of(back) == whole
    stale = replace(HELD[3], mention=replace(HELD[3].mention, likes=1, first_seen_at=T0 + 8 * HOUR))
    with closing(open_store(back)) as store:
        assert store.save([stale]).unchanged == 1  # a copy knows when the facts it holds were fetched
    clear_away(there)


def test_a_copy_goes_on_where_it_was_and_brings_what_came_since(tmp_path: Path) -> None:
    source, target = f"sqlite:{tmp_path / 'one.db'}", f"sqlite:{tmp_path / 'two.db'}"
    fill(source)
    with closing(open_store(target)) as store:
        store.save(HELD[700:])
        store.save([judged(said("other", "somebody else"))])
    told = copy(tmp_path, source, target)
    assert (told["copied"], told["there_before"], told["others"]) == (700, 800, 1)
    with closing(open_store(source)) as store:
        store.judge([replace(HELD[9], assessment=replace(HELD[9].assessment, debate=True))])
        store.save([judged(said("new", "came since"))])
    assert copy(tmp_path, source, target)["copied"] == 2


def test_a_copy_killed_half_way_is_finished_by_running_it_again(tmp_path: Path) -> None:
    source, target = f"sqlite:{tmp_path / 'one.db'}", f"sqlite:{tmp_path / 'two.db'}"
    with closing(open_store(source)) as store:
        for start in range(0, 8000, 4000):
            store.save([judged(said(f"{start}-{n}", f"word{n}", at=T0 + n * MINUTE)) for n in range(4000)])
    words = command("store", "copy", "--from", source, "--to", target)
    running = subprocess.Popen(words, cwd=tmp_path, env=surroundings(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while not _count(tmp_path / "two.db"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = _count(tmp_path / "two.db")
    assert 0 < before < 8000
    told = copy(tmp_path, source, target)
    assert told["there_before"] == before
    assert told["copied"] == 8000 - before
    assert sum_of(target) == sum_of(source)


def _count(path: Path) -> int:
    if not path.exists():
        return 0
    with closing(open_store(f"sqlite:{path}")) as store:
        return store.count(Everything())


def test_a_copy_that_is_not_equal_says_so_and_ends_with_1(tmp_path: Path) -> None:
    source, target = f"sqlite:{tmp_path / 'one.db'}", f"sqlite:{tmp_path / 'two.db'}"
    fill(source)
    newer = replace(HELD[5], mention=replace(HELD[5].mention, text="edited", first_seen_at=T0 + 99 * HOUR))
    with closing(open_store(target)) as store:
        store.save([newer])
    done = earshot("store", "copy", "--from", source, "--to", target, cwd=tmp_path)
    assert done.returncode == 1
    assert "NOT equal" in done.stdout
    with closing(open_store(target)) as store:
        assert store.get([newer.mention.id])[newer.mention.id].mention.text == "edited"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("copy", "--from", "sqlite:a.db"), "store copy needs --to"),
        (("status", "--to", "x"), "store status takes no --to"),
        (("copy", "--from", "sqlite:a.db", "--to", "sqlite:a.db"), "two different stores"),
        (("copy", "--from", "sqlite:none.db", "--to", "sqlite:b.db"), "there is no mention store"),
        (("copy", "--from", "mongo:x", "--to", "sqlite:b.db"), "'mongo:x' is none"),
        (("status", "--store", "elasticsearch:http://me:secret@host:9200"), "EARSHOT_ELASTIC_PASSWORD"),
        (("status", "--store", "elasticsearch:http://example.org:9200"), "EARSHOT_ELASTIC_PLAIN_HTTP"),
        (("restore", "--from", "nowhere.db"), "no snapshot at"),
        (("snapshot", "--to", "x.db"), "nothing to take a snapshot of"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = earshot("store", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "secret" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_sqlite_store_comes_back_from_its_snapshot(tmp_path: Path) -> None:
    whole = fill(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}")
    assert earshot("store", "snapshot", "--to", "kept.db", cwd=tmp_path).returncode == 0
    assert (tmp_path / "kept.db").stat().st_mode & 0o777 == 0o600
    again = earshot("store", "snapshot", "--to", "kept.db", cwd=tmp_path)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
    with closing(open_store(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}")) as store:
        store.forget([held.mention.id for held in HELD[:100]])
    refused = earshot("store", "restore", "--from", "kept.db", cwd=tmp_path)
    assert (refused.returncode, "--replace" in refused.stderr) == (2, True)
    done = earshot("store", "restore", "--from", "kept.db", "--replace", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1,500 mentions" in done.stdout
    assert sum_of(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}") == whole
    assert sum_of(f"sqlite:{tmp_path / 'kept.db'}") == whole


def test_a_damaged_snapshot_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'earshot-data/mentions.db'}"
    whole = fill(url)
    earshot("store", "snapshot", "--to", "kept.db", cwd=tmp_path)
    body = bytearray((tmp_path / "kept.db").read_bytes())
    body[4096 * 20 : 4096 * 24] = b"\0" * 4096 * 4
    (tmp_path / "kept.db").write_bytes(body)
    done = earshot("store", "restore", "--from", "kept.db", "--replace", cwd=tmp_path)
    assert done.returncode == 2
    assert sum_of(url) == whole
    assert sorted(each.name for each in (tmp_path / "earshot-data").glob(".*")) == []


def test_a_snapshot_that_does_not_fit_on_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    fill(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}")
    words = command("store", "snapshot", "--to", str(tmp_path / "kept" / "kept.db"))
    (tmp_path / "kept").mkdir()
    room = ["bash", "-c", 'ulimit -f 200; exec "$@"', "-", *words]  # no file may grow beyond 200 kB
    done = subprocess.run(room, cwd=tmp_path, env=surroundings(), capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr, done.stderr.count("\n")) == (2, False, 1)
    assert list((tmp_path / "kept").iterdir()) == []


# -- snapshots of Elasticsearch, on a server of their own -------------------------------------------------------------


@pytest.fixture(scope="module")
def keeping() -> Iterator[ElasticServer]:
    """A server whose folder of snapshots is at hand."""
    try:
        server = ElasticServer()
    except Lacking as lack:
        pytest.skip(str(lack))
    with server:
        yield server


@dataclass(frozen=True)
class Kept:
    """A store of a test's own with a snapshot of it, and the sum of both."""

    url: str
    folder: Path
    whole: Sum
    server: ElasticServer

    def indices(self) -> dict[str, str]:
        """Each index that has to do with the store, and the server's own mark of it, which no other ever gets."""
        name = self.url.rpartition("=")[2]
        found = self.server.ask(f"/{name}*/_settings?expand_wildcards=all")
        return {index: told["settings"]["index"]["uuid"] for index, told in found.items()}

    def ids(self) -> set[str]:
        """What is read there now."""
        with closing(open_store(self.url, readonly=True)) as store:
            return {held.mention.id for held in store.everything()}

    def add(self) -> None:
        """Something that the snapshot lacks."""
        with closing(open_store(self.url)) as store:
            store.save([judged(said("new", "came since"))])


@pytest.fixture
def kept(keeping: ElasticServer) -> Iterator[Kept]:
    """1,500 mentions, the snapshot, and nothing else so far."""
    url = elastic_address(keeping.url)
    folder = keeping.folder / "snapshots" / url.rpartition("=")[2]
    whole = fill(url)
    with closing(ElasticStore(url)) as store:
        store.take_snapshot(str(folder))
    yield Kept(url, folder, whole, keeping)
    clear_away(url)


def restore(kept: Kept, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return earshot("store", "restore", "--from", str(kept.folder), "--store", kept.url, *words, cwd=folder)


@pytest.mark.slow
def test_an_elasticsearch_store_comes_back_from_its_snapshot(tmp_path: Path, kept: Kept) -> None:
    again = earshot("store", "snapshot", "--to", str(kept.folder), "--store", kept.url, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    outside = earshot("store", "snapshot", "--to", "/nowhere/else", "--store", kept.url, cwd=tmp_path)
    assert (outside.returncode, "path.repo" in outside.stderr) == (2, True)
    names = set(kept.indices())
    kept.add()
    refused = restore(kept, tmp_path)
    assert (refused.returncode, "--replace" in refused.stderr) == (2, True)
    nothing = earshot("store", "restore", "--from", f"{kept.folder}-none", "--store", kept.url, cwd=tmp_path)
    assert (nothing.returncode, "there is no snapshot" in nothing.stderr) == (2, True)
    done = restore(kept, tmp_path, "--replace")
    assert done.returncode == 0, done.stderr
    assert sum_of(kept.url) == kept.whole
    assert set(kept.indices()) == names
    kept.add()  # what came back can be written
    assert len(kept.ids()) == 1501


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["indices/**/__*", "indices/*/meta-*", "snap-*"])
def test_a_broken_snapshot_leaves_an_elasticsearch_store_as_it_was(broken: str, tmp_path: Path, kept: Kept) -> None:
    kept.add()
    before = kept.indices()
    largest = max(kept.folder.glob(broken), key=lambda each: each.stat().st_size)
    largest.write_bytes(bytes(largest.stat().st_size))
    done = restore(kept, tmp_path, "--replace")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "the store is as it was" in done.stderr
    assert "restore from another folder" in done.stderr
    assert kept.indices() == before
    assert sum_of(kept.url).count == 1501


class Killed(BaseException):
    """In place of kill -9: nothing that we run afterwards is run."""


def restore_until(kept: Kept, changes: int, monkeypatch: pytest.MonkeyPatch, *, replace: bool) -> None:
    """Restore; Killed before more than so many requests that change anything on the server."""
    address = read_address(kept.url)
    with closing(connect(address, {})) as client:
        perform, left = client.transport.perform_request, count(changes, -1)

        def perform_until(method: str, path: str, **how: Any) -> Any:
            if method != "GET" and "/_count" not in path and not next(left):
                raise Killed
            return perform(method, path, **how)

        monkeypatch.setattr(client.transport, "perform_request", perform_until)
        elastic_snapshots.restore_snapshot(client, address, str(kept.folder), replace=replace)


@pytest.mark.slow
@pytest.mark.parametrize("replace", [True, False])
def test_a_restore_that_is_killed_at_any_point_is_finished_by_running_it_again(
    replace: bool, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, new = set(kept.indices()), kept.ids()
    unfinished = 0
    for changes in count(1):
        clear_away(kept.url)
        with closing(ElasticStore(kept.url)) as store:
            store.save(HELD[:40] if replace else [])
        old = kept.ids()
        try:
            restore_until(kept, changes, monkeypatch, replace=replace)
            break
        except Killed:
            assert kept.ids() in (old, new)
        if any("restore-again" in each for each in kept.indices()) and kept.ids() == new:
            unfinished += 1
            with closing(ElasticStore(kept.url)) as store, pytest.raises(UserError, match="run it again"):
                store.take_snapshot(str(kept.folder))
        restore_until(kept, 99, monkeypatch, replace=replace)
        assert (kept.ids(), set(kept.indices())) == (new, names)
    assert unfinished >= 2  # with some of the right names missing, and with none
    assert sum_of(kept.url) == kept.whole


def test_status_tells_what_is_held(tmp_path: Path) -> None:
    fill(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}")
    told = json.loads(earshot("store", "status", "--json", cwd=tmp_path).stdout)
    assert (told["mentions"], told["doubt"], told["schema"]) == (1500, "", 3)
    assert "1,500" in earshot("store", "status", cwd=tmp_path).stdout


@pytest.mark.slow
def test_every_command_that_uses_mentions_takes_another_store(tmp_path: Path, elastic: str) -> None:
    url = elastic_address(elastic)
    row = {"id": "1", "platform": "x", "text": "Helicopter over Croydon", "time": "2026-03-01T10:00:00Z"}
    (tmp_path / "posts.jsonl").write_text(json.dumps(row) + "\n")
    assert earshot("import", "posts.jsonl", "--store", url, cwd=tmp_path).returncode == 0
    found = json.loads(earshot("search", "helicop* platform:x", "--store", url, "--json", cwd=tmp_path).stdout)
    assert [each["id"] for each in found] == ["x:1"]
    assert "x:1" in earshot("export", "--store", url, cwd=tmp_path).stdout
    assert json.loads(earshot("store", "status", "--store", url, "--json", cwd=tmp_path).stdout)["mentions"] == 1
    assert "1 mentions" in earshot("check", "--store", url, cwd=tmp_path).stdout
    assert not (tmp_path / "earshot-data/mentions.db").exists()
    clear_away(url)
