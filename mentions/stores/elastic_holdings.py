"""What an Elasticsearch store holds, how it fares, and whether all of it is as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from mentions.normalise import index_text
from mentions.store import StoreStatus
from mentions.stores.elastic_access import Address
from mentions.stores.elastic_paging import scan
from mentions.stores.elastic_rows import document_id, to_body, to_held
from mentions.stores.elastic_schema import SCHEMA, month_of
from mentions.times import moment

_COUNT: dict[str, Any] = {"size": 0, "track_total_hits": True}
_PENDING = {**_COUNT, "query": {"exists": {"field": "pending"}}}
_EDGE: dict[str, Any] = {"size": 1, "source": False, "track_total_hits": False}


def status(client: Elasticsearch, address: Address, nodes_seen: int) -> tuple[StoreStatus, int]:
    """See `MentionStore.status`; and how many nodes answer."""
    edges = [{**_EDGE, "sort": [{"published": order}]} for order in ("asc", "desc")]
    held, waiting, oldest, newest = (
        client.search(index=address.index, allow_partial_search_results=False, **body).body
        for body in (_COUNT, _PENDING, *edges)
    )
    size = client.indices.stats(index=address.index, metric="store", filter_path="_all.total.store.size_in_bytes")
    health = client.cluster.health(index=address.index)
    expected = max(len(address.hosts), nodes_seen)
    told = StoreStatus(
        url=address.url,
        schema=SCHEMA,
        mentions=held["hits"]["total"]["value"],
        oldest_at=_published(oldest),
        newest_at=_published(newest),
        pending=waiting["hits"]["total"]["value"],
        bytes_on_disk=size["_all"]["total"]["store"]["size_in_bytes"],
        doubt=doubt_of(health.body, expected),
    )
    return told, health["number_of_nodes"]


def _published(found: Mapping[str, Any]) -> datetime | None:
    hits = found["hits"]["hits"]
    return moment(hits[0]["sort"][0]) if hits else None


def doubt_of(health: Mapping[str, Any], expected: int) -> str:
    """What weakens the cluster, in words for a status page; "" where nothing does."""
    there = health["number_of_nodes"]
    missing = expected - there
    if health["status"] == "red":
        return f"some mentions cannot be reached ({there} of {expected} nodes answer): bring the missing nodes back"
    if missing > 0:
        which = "one node" if missing == 1 else f"{missing} nodes"
        return f"{which} missing ({there} of {expected} answer): nothing is lost"
    if there > 1 and health["unassigned_shards"]:
        return f"second copies are being made ({health['unassigned_shards']} to go): nothing is lost"
    return ""


def check(client: Elasticsearch, address: Address) -> list[str]:
    """See `MentionStore.check`: each document is held against one made anew from its own facts and opinion."""
    wrong: Counter[str] = Counter()
    seen: set[str] = set()
    for hit in scan(client, address.index):
        held = to_held(hit)
        held.norm = index_text(held.now.mention.words)
        fresh, source = to_body(held), hit["_source"]
        wrong.update(name for name in fresh.keys() | source.keys() if fresh.get(name) != source.get(name))
        wrong["_id"] += hit["_id"] != document_id(held.now.mention.id)
        wrong["month"] += hit["_index"] != month_of(address, held.now.mention.published_at)
        wrong["held twice"] += hit["_id"] in seen
        seen.add(hit["_id"])
    return [f"{name}: wrong in {count} mentions" for name, count in sorted(wrong.items()) if count]
