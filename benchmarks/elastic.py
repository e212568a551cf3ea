"""How fast the Elasticsearch store saves and searches: python -m benchmarks.elastic [--rows 1000000] [--url URL].

Without a URL it starts a server of its own (see `make elasticsearch`).
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any
from uuid import uuid4

from elasticsearch import Elasticsearch, helpers

from benchmarks.store import BATCH, SEED, START, make_mentions, make_words, milliseconds
from mentions.mention import Assessed
from mentions.query import parse
from mentions.store import MentionStore
from mentions.stores import open_store
from mentions.stores.elastic_access import read_address
from mentions.stores.elastic_rows import document_id, new, to_body
from mentions.stores.elastic_schema import month_of
from tests.elastic_server import ElasticServer

COMPARED = 200_000  # mentions that are saved both ways, batch by batch in turn


@dataclass(slots=True)
class Spent:
    """Wall seconds of each way."""

    ours: float = 0.0
    raw: float = 0.0


@contextmanager
def served(url: str | None) -> Iterator[str]:
    """Where a server is."""
    if url:
        yield url
        return
    with ElasticServer(heap="1g", short_lived=False) as server:
        yield server.url


def send_raw(client: Elasticsearch, url: str, batch: Sequence[Assessed], spent: Spent) -> None:
    """The same documents, made before, through a bare `streaming_bulk`: nothing is looked up, merged or seen to."""
    address = read_address(url)
    actions: list[dict[str, Any]] = []
    for each in batch:
        index = month_of(address, each.mention.published_at)
        body = to_body(new(each, index))
        actions.append({"_op_type": "create", "_index": index, "_id": document_id(each.mention.id), "_source": body})
    began = time.perf_counter()
    for _ in helpers.streaming_bulk(client, actions, chunk_size=2000, max_chunk_bytes=8_000_000):
        pass
    spent.raw += time.perf_counter() - began


def compare(ours: MentionStore, client: Elasticsearch, raw_url: str, rows: int) -> Spent:
    """Save through our store and raw, in turn, each into indices of its own."""
    spent, mentions = Spent(), make_mentions(rows)
    turn = 0
    while batch := list(islice(mentions, BATCH)):

        def save(batch: list[Assessed] = batch) -> None:
            began = time.perf_counter()
            ours.save(batch)
            spent.ours += time.perf_counter() - began

        ways: list[Callable[[], None]] = [save, partial(send_raw, client, raw_url, batch, spent)]
        for way in ways if turn % 2 else reversed(ways):
            way()
        turn += 1
    return spent


def measure_reading(store: MentionStore) -> None:
    """Print what the pages ask for, each with its median, warm."""
    newest = store.status().newest_at or START
    day, month = newest - timedelta(days=1), newest - timedelta(days=30)
    common, second = make_words(random.Random(SEED))[:2]
    for query in (common, "rare77", f"{common} {second}", f'"{common} {second}"', "rag:red", f"{common} rag:red", ""):
        whole = milliseconds(partial(store.search, parse(query)))
        within = milliseconds(partial(store.search, parse(query), since=month, until=day))
        count = milliseconds(partial(store.count, parse(query)))
        told = f"newest 50 {whole:7.1f} ms, of 29 days past {within:7.1f} ms, count {count:7.1f} ms"
        print(f"{query or 'everything':24} {told}")
    month_start = newest - timedelta(days=30)
    hour = timedelta(hours=1)
    acts: dict[str, Callable[[], object]] = {
        "tallies of 24 h by borough": partial(store.tallies_by_borough, day, newest),
        "tallies of 24 h by source": partial(store.tallies_by_source, day, newest),
        "tallies of 30 days by borough": partial(store.tallies_by_borough, month_start, newest),
        "series of 24 h": partial(store.series, "relevant", day, newest),
        "members of 24 h, 100": partial(store.members, "relevant", day, newest, 100),
        "series names": store.series_names,
        f"histogram of {common} by day, all": partial(store.histogram, parse(common), 24 * hour),
        f"histogram of {common} by hour, 30 days": partial(store.histogram, parse(common), hour, since=month_start),
        "status": store.status,
    }
    for name, act in acts.items():
        print(f"{name:40} {milliseconds(act):7.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--url", metavar="elasticsearch:URL")
    args = parser.parse_args()
    with served(args.url) as server:
        ours_url, raw_url = (f"{server}?index=bench_{uuid4().hex[:8]}" for _ in range(2))
        with closing(open_store(ours_url)) as ours, closing(open_store(raw_url)) as raw:
            raw.status()  # lays its template down
            client = Elasticsearch(list(read_address(server).hosts), request_timeout=60)
            rows = min(args.rows, COMPARED)
            spent = compare(ours, client, raw_url, rows)
            print(f"save(): {rows / spent.ours:,.0f} a second, batches of {BATCH:,}")
            print(f"raw streaming_bulk of the same documents, made before: {rows / spent.raw:,.0f} a second")
            print(f"save() reaches {spent.raw / spent.ours:.2f} of raw")
            drop(client, raw_url)
            for batch in batches(make_mentions(args.rows), rows):
                ours.save(batch)
            print(f"{ours.status().mentions:,} mentions, {ours.status().bytes_on_disk / args.rows:,.0f} bytes each")
            measure_reading(ours)
            drop(client, ours_url)


def batches(mentions: Iterator[Assessed], skipped: int) -> Iterator[list[Assessed]]:
    """What was not saved yet."""
    rest = islice(mentions, skipped, None)
    while batch := list(islice(rest, BATCH)):
        yield batch


def drop(client: Elasticsearch, url: str) -> None:
    """Take a store of ours away."""
    index = read_address(url).index
    months = list(client.indices.get(index=f"{index}-*"))
    client.indices.delete(index=months)
    client.indices.delete_index_template(name=index)


if __name__ == "__main__":
    main()
