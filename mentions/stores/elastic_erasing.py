"""Letting mentions go in the Elasticsearch store, down to the bytes in its files.

What is deleted there is only marked, and kept for a copy of the index that may have been away for a while (12 hours).
So erasing tells the server to keep nothing back, waits until every copy has let go, which the server sees to every half
minute, and has the files written anew. A month of which nothing stays is dropped whole, at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import orjson
from elasticsearch import Elasticsearch

from mentions.failures import TemporaryFailure
from mentions.stores.elastic_access import LONG_SECONDS, Address, failure_of
from mentions.stores.elastic_paging import scan
from mentions.stores.elastic_rows import Action
from mentions.stores.elastic_schema import ensure_alias
from mentions.stores.elastic_writing import harmless, hits_of, send
from mentions.times import micros

LET_GO_SECONDS = 90  # twice half a minute, and what a busy server needs
_KEPT_BACK = "index.soft_deletes.retention_lease.period"
_BLOCK = "index.blocks.write"
_SEEN_TO = "indices.*.shards.*.retention_leases.leases.retaining_seq_no,indices.*.shards.*.seq_no.max_seq_no"


def forget(client: Elasticsearch, address: Address, ids: Sequence[str]) -> int:
    """See `MentionStore.forget`. Ids that are not there finish an erasure that was broken off."""
    places = [(hit["_index"], hit["_id"]) for hit in hits_of(client, address, ids, source=False)]
    gone = _delete(client, address, places)
    if places:
        erase(client, address, {index for index, _ in places})
    elif ids:
        erase(client, address, with_deleted(client, address))
    return gone


def purge(client: Elasticsearch, address: Address, collected_before: datetime) -> int:
    """See `MentionStore.purge`."""
    cutoff = micros(collected_before)
    gone, touched = 0, []
    for index in _months(client, address):
        _lift_block(client, index)
        old = _count(client, index, {"lt": cutoff})
        if old and not _count(client, index, {"gte": cutoff}):
            dropped = _drop(client, index, cutoff)
            gone, old = gone + dropped, old - dropped
        if old:
            touched.append(index)
            gone += _delete(client, address, _older(client, index, cutoff))
    ensure_alias(client, address)
    erase(client, address, touched or with_deleted(client, address))
    return gone


def _months(client: Elasticsearch, address: Address) -> list[str]:
    return sorted(client.indices.get_alias(name=address.index).body)


def with_deleted(client: Elasticsearch, address: Address) -> list[str]:
    told = client.indices.stats(index=address.index, metric="docs", filter_path="indices.*.total.docs.deleted")
    return [index for index, held in told.get("indices", {}).items() if held["total"]["docs"]["deleted"]]


def _count(client: Elasticsearch, index: str, seen: dict[str, int]) -> int:
    return int(client.count(index=index, query={"range": {"seen": seen}})["count"])


def _drop(client: Elasticsearch, index: str, cutoff: int) -> int:
    """Drop a month whole; how many mentions that were. 0 where something newer came into it in the meantime: so it is
    closed to writing before the last look. Whoever wants to write there tries again."""
    client.indices.add_block(index=index, block="write")
    client.indices.refresh(index=index)
    if _count(client, index, {"gte": cutoff}):
        _lift_block(client, index)
        return 0
    old = _count(client, index, {"lt": cutoff})
    client.indices.delete(index=index)
    return old


def _lift_block(client: Elasticsearch, index: str) -> None:
    """Ours, or that of a purge that was killed between closing a month and dropping it."""
    if client.indices.get_settings(index=index, name=_BLOCK, flat_settings=True).body:
        client.indices.put_settings(index=index, settings={_BLOCK: None})


def _older(client: Elasticsearch, index: str, cutoff: int) -> Iterator[tuple[str, str]]:
    """Where the mentions first seen before the cutoff are, as of now."""
    for hit in scan(client, index, query={"range": {"seen": {"lt": cutoff}}}, source=False, size=5000):
        yield hit["_index"], hit["_id"]


def _delete(client: Elasticsearch, address: Address, places: Iterable[tuple[str, str]]) -> int:
    gone = 0
    actions: Iterator[Action] = (_deletion(index, name) for index, name in places)
    for _, status, error in send(client, actions):
        gone += status == 200
        if status >= 300 and status != 404:  # 404: another was quicker
            raise failure_of(address, status, error.get("type", ""), harmless(error))
    return gone


def _deletion(index: str, name: str) -> Action:
    return orjson.dumps({"delete": {"_index": index, "_id": name}}), None


def erase(client: Elasticsearch, address: Address, indices: Iterable[str]) -> None:
    """Write the files of these indices anew without what was deleted, and let the journal go that it stood in."""
    named = ",".join(sorted(indices))
    if not named:
        return
    patient = client.options(request_timeout=LONG_SECONDS)
    patient.indices.refresh(index=named)
    with _nothing_kept_back(patient, named):
        patient.indices.flush(index=named, force=True, wait_if_ongoing=True)
        _wait_until_let_go(patient, address, named)
        patient.indices.forcemerge(index=named, only_expunge_deletes=True)
        patient.indices.flush(index=named, force=True, wait_if_ongoing=True)


@contextmanager
def _nothing_kept_back(client: Elasticsearch, named: str) -> Iterator[None]:
    client.indices.put_settings(index=named, settings={_KEPT_BACK: "1s"})
    try:
        yield
    finally:
        client.indices.put_settings(index=named, settings={_KEPT_BACK: None})


def _wait_until_let_go(client: Elasticsearch, address: Address, named: str) -> None:
    """Until no copy is kept anything back for that was deleted before this call."""
    due = {index: max(newest) for index, (newest, _) in _leases(client, named).items() if newest}
    deadline = time.monotonic() + LET_GO_SECONDS
    while any(
        min(kept, default=0) <= due[index] for index, (_, kept) in _leases(client, named).items() if index in due
    ):
        if time.monotonic() > deadline:
            raise TemporaryFailure(
                f"{address.url}: deleted, but a copy is missing or behind, and its files are not yet cleaned of the "
                "words; do it again when all nodes are there"
            )
        time.sleep(0.5)


def _leases(client: Elasticsearch, named: str) -> dict[str, tuple[list[int], list[int]]]:
    """Of each index: the last change of each copy, and from which change onwards each copy keeps what was deleted."""
    told = client.indices.stats(index=named, level="shards", filter_path=_SEEN_TO).get("indices", {})
    found = {}
    for index, held in told.items():
        copies = [copy for shard in held["shards"].values() for copy in shard]
        newest = [copy["seq_no"]["max_seq_no"] for copy in copies if "seq_no" in copy]
        leases = [lease for copy in copies for lease in copy.get("retention_leases", {}).get("leases", [])]
        found[index] = (newest, [lease["retaining_seq_no"] for lease in leases])
    return found
