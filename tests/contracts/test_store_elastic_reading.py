"""What reading from the Elasticsearch store promises beyond the contract: page by page, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from mentions.failures import TemporaryFailure
from mentions.mention import Mood
from mentions.order import order_key
from mentions.query import Everything, parse
from mentions.stores import elastic_access
from mentions.stores import elastic_reading as reading
from mentions.stores import elastic_totals as totals
from mentions.stores.elastic import ElasticStore
from tests.contracts.store_cases import (
    ALWAYS,
    DAY,
    HOUR,
    MINUTE,
    T0,
    counted,
    ids,
    judged,
    mood,
    said,
    server_of,
    tallied,
    twins,
)

HELD = [
    judged(
        said(n, f"word{n % 3}", at=T0 + n * HOUR / 7, source=f"Corner {n % 5}"),
        relevant=n % 2 == 0,
        boroughs=("Camden", "Brent")[: n % 3],
        watchlists=tuple(f"list {k}" for k in range(n % 4)),
        sentiment=mood(tuple(Mood)[n % 4]),
        pending=("model",),
    )
    for n in range(60)
]


@pytest.fixture
def store(elastic_url: str) -> Iterator[ElasticStore]:
    with closing(ElasticStore(elastic_url)) as opened:
        yield opened


def test_answers_longer_than_a_server_gives_at_once_are_whole(
    store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST_PAGE", 7)
    monkeypatch.setattr(totals, "BUCKETS", 5)
    monkeypatch.setattr(totals, "CELLS", 5)
    store.save(HELD)
    found = sorted(HELD, key=lambda each: -order_key(each.mention))
    for limit in (6, 7, 8, 59, 60, 61, 1000):
        assert store.search(Everything(), limit=limit) == found[:limit]
        assert store.pending("model", limit) == found[:limit]
    live = [each for each in found if each.assessment.relevant]
    assert store.members("relevant", *ALWAYS) == live
    assert store.members("relevant", *ALWAYS, limit=15) == live[:15]
    series = counted(HELD)
    assert store.series_names() == sorted(series)
    assert {name: store.series(name, *ALWAYS) for name in series} == series
    assert store.tallies_by_borough(*ALWAYS) == tallied(HELD, "borough")
    assert store.tallies_by_source(*ALWAYS) == tallied(HELD, "source")
    assert sum(count for _, count in store.histogram(parse("word1"), MINUTE)) == store.count(parse("word1")) == 20


def test_a_search_may_ask_for_more_than_ten_thousand(store: ElasticStore) -> None:
    store.save([judged(said(n, at=T0 + timedelta(seconds=n))) for n in range(10_200)])
    found = store.search(Everything(), limit=10_100)
    assert ids(found) == [str(n) for n in range(10_199, 99, -1)]
    assert store.count(Everything()) == 10_200


def test_mentions_that_share_all_bits_of_their_place_are_ordered_by_their_key(store: ElasticStore) -> None:
    pair = sorted(twins(), key=order_key, reverse=True)
    for twin in reversed(pair):
        store.save([judged(twin)])
    assert [each.mention for each in store.search(Everything())] == pair
    assert [each.mention for each in store.everything()] == pair
    assert [each.mention for each in store.search(Everything(), before=order_key(pair[0]))] == pair[1:]


def test_reading_everything_leaves_nothing_open_at_the_server(store: ElasticStore, elastic_url: str) -> None:
    host, index = server_of(elastic_url)

    def still_open() -> int:
        told = httpx.get(f"{host}/{index}-*/_stats/search").json()
        return int(told["_all"]["total"]["search"]["open_contexts"])

    store.save([judged(said(n)) for n in range(2100)])
    assert len(list(store.everything())) == 2100
    assert still_open() == 0
    broken_off = store.everything()
    next(broken_off)
    assert still_open() > 0
    broken_off.close()  # type: ignore[attr-defined]
    assert still_open() == 0


READINGS: dict[str, Callable[[ElasticStore], object]] = {
    "search": lambda store: store.search(Everything()),
    "search page": lambda store: store.search(parse("street"), before=order_key(said(0, at=T0 + DAY))),
    "count": lambda store: store.count(parse("street")),
    "histogram": lambda store: store.histogram(Everything(), HOUR),
    "get": lambda store: store.get(["forum:1"]),
    "pending": lambda store: store.pending("model", 9),
    "members": lambda store: store.members("relevant", *ALWAYS),
    "everything": lambda store: list(store.everything()),
    "series": lambda store: store.series("relevant", *ALWAYS),
    "series names": lambda store: store.series_names(),
    "tallies by borough": lambda store: store.tallies_by_borough(*ALWAYS),
    "tallies by source": lambda store: store.tallies_by_source(*ALWAYS),
}


def test_where_a_month_cannot_be_read_nothing_passes_for_the_whole(
    store: ElasticStore, elastic_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elastic_access, "_MOMENTS", ())  # this one does not come back in a moment
    store.save([judged(said(1), relevant=True, pending=("model",))])
    host, index = server_of(elastic_url)
    nowhere = {"settings": {"index.routing.allocation.require._name": "nobody"}, "aliases": {index: {}}}
    lost = f"{host}/{index}-2026.05"
    httpx.put(f"{lost}?wait_for_active_shards=0", json=nowhere).raise_for_status()
    told_as_whole = []
    for name, read in READINGS.items():
        try:
            read(store)
        except TemporaryFailure:
            continue
        told_as_whole.append(name)
    assert told_as_whole == []
    httpx.delete(lost).raise_for_status()
    for read in READINGS.values():
        assert read(store)


def test_a_month_without_mentions_is_no_failure(store: ElasticStore) -> None:
    for name, read in READINGS.items():
        assert not read(store), name
    store.save([judged(said(1))])
    assert store.purge(T0 + DAY) == 1  # takes the whole month's index away
    for name, read in READINGS.items():
        assert not read(store), name
