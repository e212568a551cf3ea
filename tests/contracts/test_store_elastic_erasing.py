"""What is let go from an Elasticsearch store is gone, down to the bytes in its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from mentions.failures import TemporaryFailure
from mentions.query import Everything
from mentions.store import Saved
from mentions.stores import elastic_erasing as erasing
from mentions.stores.elastic import ElasticStore
from tests.contracts.store_cases import DAY, HOUR, T0, clear_away, elastic_address, ids, judged, said, server_of
from tests.elastic_server import ElasticServer


@pytest.fixture
def store(elastic_url: str) -> Iterator[ElasticStore]:
    with closing(ElasticStore(elastic_url)) as opened:
        yield opened


def bytes_there(folder: Path, word: bytes) -> bool:
    return any(word in file.read_bytes() for file in folder.rglob("*") if file.is_file())


# A server lets go of what was deleted every half minute only: so all that wait for it wait at once.
@pytest.mark.slow
def test_what_is_let_go_is_gone_whatever_else_is_in_its_month(elastic_server: ElasticServer) -> None:
    cases: list[Callable[[ElasticStore, str], None]] = [
        partial(what_is_forgotten_is_gone_from_the_files_and_from_the_journal, elastic_server.folder),
        a_month_with_something_newer_loses_only_what_is_old,
        a_purge_that_was_killed_half_way_is_finished_by_the_next,
    ]

    def tried(case: Callable[[ElasticStore, str], None]) -> None:
        url = elastic_address(elastic_server.url)
        with closing(ElasticStore(url)) as opened:
            case(opened, url)
        clear_away(url)

    with ThreadPoolExecutor(len(cases)) as pool:
        faults = [fault for each in [pool.submit(tried, case) for case in cases] if (fault := each.exception())]
    if faults:
        raise BaseExceptionGroup("of these", faults)


def what_is_forgotten_is_gone_from_the_files_and_from_the_journal(folder: Path, store: ElasticStore, url: str) -> None:
    store.save([judged(said(n, f"words {n}")) for n in range(200)])
    store.save([judged(said("x", "wqzjxkvpt in the street"))])
    store.save([judged(said("x", "wqzjxkvpt edited", first_seen_at=T0 + HOUR))])
    assert bytes_there(folder, b"wqzjxkvpt")
    assert store.forget(["forum:x", "forum:unknown"]) == 1
    assert not bytes_there(folder, b"wqzjxkvpt")
    assert store.status().mentions == 200
    assert store.forget(["forum:x"]) == 0


def test_a_month_of_which_all_is_old_is_dropped_whole(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(n, at=T0 + n * 20 * DAY)) for n in range(4)])
    assert store.count(Everything()) == 4
    host, index = server_of(elastic_url)
    assert store.purge(T0 + 25 * DAY) == 2
    assert f"{index}-2026.03" not in httpx.get(f"{host}/{index}").json()
    assert sorted(ids(store.search(Everything()))) == ["2", "3"]


def a_month_with_something_newer_loses_only_what_is_old(store: ElasticStore, url: str) -> None:
    late = said("late", at=T0, first_seen_at=T0 + 30 * DAY)
    store.save([judged(said("old", at=T0)), judged(late)])
    assert store.purge(T0 + DAY) == 1
    assert store.search(Everything()) == [judged(late)]
    assert store.save([judged(said("next"))]) == Saved(new=("forum:next",))


def test_what_comes_into_a_month_as_it_is_dropped_is_kept(
    store: ElasticStore, elastic_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save([judged(said("old"))])
    late = judged(said("late", first_seen_at=T0 + 30 * DAY))
    drop = erasing._drop

    def drop_late(*asked: object) -> int:
        with closing(ElasticStore(elastic_url)) as other:
            other.save([late])
        return drop(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "_drop", drop_late)
    assert store.purge(T0 + DAY) == 1
    assert store.search(Everything()) == [late]


def a_purge_that_was_killed_half_way_is_finished_by_the_next(store: ElasticStore, url: str) -> None:
    store.save([judged(said("old")), judged(said("new", first_seen_at=T0 + 30 * DAY))])
    host, index = server_of(url)
    httpx.put(f"{host}/{index}-2026.03/_block/write").raise_for_status()
    with pytest.raises(TemporaryFailure):
        store.save([judged(said("waits"))])
    assert store.purge(T0 + DAY) == 1
    assert store.save([judged(said("waits"))]) == Saved(new=("forum:waits",))


def test_a_store_that_was_emptied_can_still_be_read(store: ElasticStore) -> None:
    store.save([judged(said(1))])
    assert store.purge(T0 + DAY) == 1
    assert store.status().mentions == 0
    assert store.search(Everything()) == []
