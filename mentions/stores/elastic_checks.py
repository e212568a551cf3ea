"""Tombstones of the Elasticsearch store, and which of its mentions are to be looked at again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from mentions.facets import facet
from mentions.mention import Assessed
from mentions.store import Due, ToCheck
from mentions.stores.elastic_access import Address
from mentions.stores.elastic_erasing import erase, with_deleted
from mentions.stores.elastic_paging import scan
from mentions.stores.elastic_rows import KEPT, Held, from_hit, round_of, scheduled, to_held
from mentions.stores.elastic_writing import CHUNK, find, settle
from mentions.times import micros, moment
from mentions.tombstones import entombed

_PAGE = 1000  # rounds a page


def bury(client: Elasticsearch, address: Address, ids: Sequence[str], at: datetime, because: str) -> int:
    """See `MentionStore.bury`."""

    def buried(held: Held) -> Held:
        now = entombed(held.now, at, because)
        return held if now == held.now else replace(held, now=now, norm="", due=None, checked=None)

    before = find(client, address, ids)
    _change(client, address, before, buried)
    touched = {held.index for held in before.values()}
    fresh = [held for held in before.values() if held.now.mention.buried_at is None]
    erase(client, address, touched if fresh else touched & set(with_deleted(client, address)))
    return len(fresh)


def note_checked(client: Elasticsearch, address: Address, ids: Sequence[str], at: datetime) -> None:
    """See `MentionStore.note_checked`."""
    _change(client, address, find(client, address, ids), lambda held: scheduled(held, at))


def schedule_anew(client: Elasticsearch, address: Address, indices: Sequence[str]) -> None:
    """Say of every mention of indices of an older schema when it is to be looked at again."""
    unscheduled = {"bool": {"must_not": {"exists": {"field": "round"}}}}
    for batch in _batches(scan(client, ",".join(indices), query=unscheduled)):
        _change(client, address, batch, lambda held: scheduled(held, moment(held.fetched)))


def postpone(client: Elasticsearch, address: Address, ids: Sequence[str], until: datetime) -> None:
    """See `MentionStore.postpone`."""
    later = micros(until)
    _change(
        client,
        address,
        find(client, address, ids),
        lambda held: held if held.due is None else replace(held, due=later),
    )


def drop_locators(client: Elasticsearch, address: Address, platforms: Sequence[str], collected_before: datetime) -> int:
    """See `MentionStore.drop_locators`. What has neither is gone through as well: no index tells them apart."""
    wanted = [
        {"terms": {"facets": [facet("platform", platform) for platform in platforms]}},
        {"range": {"seen": {"lt": micros(collected_before)}}},
    ]
    gone, touched = 0, set[str]()
    for batch in _batches(scan(client, address.index, query={"bool": {"filter": wanted}})):
        located = {each: held for each, held in batch.items() if held.now.mention.native_id or held.now.mention.link}
        _change(client, address, located, _without_locator)
        gone += len(located)
        touched |= {held.index for held in located.values()}
    if gone:
        client.indices.refresh(index=address.index)
        erase(client, address, touched)
    return gone


def _batches(hits: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, Held]]:
    batch: dict[str, Held] = {}
    for hit in hits:
        held = to_held(hit)
        batch[held.now.mention.id] = held
        if len(batch) == CHUNK:
            yield batch
            batch = {}
    if batch:
        yield batch


def _without_locator(held: Held) -> Held:
    mention = replace(held.now.mention, native_id="", link="")
    return replace(held, now=Assessed(mention, held.now.assessment), due=None, checked=None)


def _change(client: Elasticsearch, address: Address, held: Mapping[str, Held], change: Callable[[Held], Held]) -> None:
    """Write what differs after the change; what another changed meanwhile is read and changed again."""

    def plan(ids: Sequence[str], now: Mapping[str, Held]) -> dict[str, Held]:
        wanted = {each: change(now[each]) for each in ids if each in now}
        return {each: after for each, after in wanted.items() if _differs(after, now[each])}

    settle(client, address, held, list(held), plan)


def _differs(one: Held, other: Held) -> bool:
    return (one.now, one.due, one.checked) != (other.now, other.due, other.checked)


# -- reading ----------------------------------------------------------------------------------------------------------


def to_check(client: Elasticsearch, address: Address, at: datetime) -> list[ToCheck]:
    """See `MentionStore.to_check`."""
    due = {
        "filter": {"range": {"due": {"lte": micros(at)}}},
        "aggs": {"checked": {"min": {"field": "checked"}}},
    }
    composite: dict[str, Any] = {"size": _PAGE, "sources": [{"round": {"terms": {"field": "round"}}}]}
    found: list[ToCheck] = []
    while True:
        cells = client.search(
            index=address.index,
            query={"exists": {"field": "round"}},
            aggs={"rounds": {"composite": composite, "aggs": {"due": due, "first": {"min": {"field": "due"}}}}},
            size=0,
            track_total_hits=False,
            allow_partial_search_results=False,
        )["aggregations"]["rounds"]
        found += map(_told, cells["buckets"])
        if len(cells["buckets"]) < _PAGE:
            return sorted(found, key=lambda each: (each.platform, each.source))
        composite["after"] = cells["after_key"]


def _told(bucket: Mapping[str, Any]) -> ToCheck:
    platform, _, source = bucket["key"]["round"].partition("\n")
    due, first, checked = bucket["due"]["doc_count"], bucket["first"]["value"], bucket["due"]["checked"]["value"]
    return ToCheck(
        platform,
        source,
        bucket["doc_count"],
        due,
        moment(int(first)) if due else None,
        None if checked is None else moment(int(checked)),
    )


def due(
    client: Elasticsearch,
    address: Address,
    platform: str,
    source: str,
    at: datetime,
    limit: int,
    checked_before: datetime | None,
) -> list[Due]:
    """See `MentionStore.due`."""
    wanted: list[dict[str, Any]] = [
        {"term": {"round": round_of(platform, source)}},
        {"range": {"due": {"lte": micros(at)}}},
    ]
    if checked_before is not None:
        wanted.append({"range": {"checked": {"lt": micros(checked_before)}}})
    hits = client.search(
        index=address.index,
        query={"bool": {"filter": wanted}},
        sort=[{"due": "asc"}],
        size=limit,
        source={"includes": [*KEPT, "checked"]},
        track_total_hits=False,
        allow_partial_search_results=False,
    )["hits"]["hits"]
    return [_due(from_hit(hit), hit["_source"]["checked"]) for hit in hits]


def _due(held: Assessed, checked: int) -> Due:
    mention = held.mention
    return Due(mention.id, mention.native_id, mention.link, moment(checked))
