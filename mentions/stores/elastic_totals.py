"""What mentions add up to in the Elasticsearch store: counted when it is asked for, so that it cannot go stale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from elasticsearch import Elasticsearch

from mentions.mention import Mood
from mentions.store import Tally
from mentions.stores.elastic_access import Address
from mentions.times import HOUR, MINUTE, micros, moment

BUCKETS = 10_000  # a page: a server makes at most 65,536 at once
CELLS = 15_000  # the same, where each brings two counts more
_MILLI = 1000
_MOODS = {"against": Mood.NEGATIVE, "favour": Mood.POSITIVE}


def buckets(
    client: Elasticsearch, address: Address, query: Mapping[str, Any], by: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[dict[str, Any], int]]:
    """How many documents of the query there are for every combination of values, however many there are: (the values by
    name, count), ordered by the first of them, then the second."""
    composite = _composite(by, BUCKETS)
    while True:
        found = _cells(client, address, query, {"composite": composite})
        for bucket in found["buckets"]:
            yield bucket["key"], bucket["doc_count"]
        if len(found["buckets"]) < BUCKETS:
            return
        composite["after"] = found["after_key"]


def _composite(by: Mapping[str, Mapping[str, Any]], size: int) -> dict[str, Any]:
    return {"size": size, "sources": [{name: dict(source)} for name, source in by.items()]}


def _cells(
    client: Elasticsearch, address: Address, query: Mapping[str, Any], cells: Mapping[str, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = client.search(
        index=address.index,
        query=dict(query),
        aggs={"cells": dict(cells)},
        size=0,
        track_total_hits=False,
        allow_partial_search_results=False,
    )["aggregations"]["cells"]
    return found


def series(
    client: Elasticsearch, address: Address, name: str, since: datetime, until: datetime
) -> list[tuple[datetime, int, int]]:
    """See `MentionStore.series`."""
    first, last = (-(-micros(at) // MINUTE) * MINUTE for at in (since, until))  # whole minutes that begin in between
    wanted = [{"term": {"series": name}}, {"range": {"counted": {"gte": first, "lt": last}}}]
    by = {"minute": {"histogram": {"field": "counted", "interval": MINUTE}}, "past": _terms("history")}
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for key, held in buckets(client, address, {"bool": {"filter": wanted}}, by):
        counts[int(key["minute"])][bool(key["past"])] += held
    return [(moment(minute), live, past) for minute, (live, past) in counts.items()]


def series_names(client: Elasticsearch, address: Address) -> list[str]:
    """See `MentionStore.series_names`."""
    return [key["name"] for key, _ in buckets(client, address, {"match_all": {}}, {"name": _terms("series")})]


def tallies(client: Elasticsearch, address: Address, field: str, since: datetime, until: datetime) -> list[Tally]:
    """The tallies of hours that begin in [since, until), oldest first, by the values of a field."""
    first, last = (-(-micros(at) // HOUR) * HOUR for at in (since, until))
    hours = {"date_histogram": {"field": "published_at", "fixed_interval": "1h"}}
    composite = _composite({"hour": hours, "key": _terms(field), "rag": _terms("rag")}, CELLS)
    moods = {name: {"filter": {"term": {"mood": str(mood)}}} for name, mood in _MOODS.items()}
    found: list[Tally] = []
    while True:
        query = {"range": {"published": {"gte": first, "lt": last}}}
        page = _cells(client, address, query, {"composite": composite, "aggs": moods})
        found += map(_tally, page["buckets"])
        if len(page["buckets"]) < CELLS:
            return found
        composite["after"] = page["after_key"]
        first = page["after_key"]["hour"] * _MILLI  # what came before need not be gone through again


def _tally(bucket: Mapping[str, Any]) -> Tally:
    key, against, favour = bucket["key"], bucket["against"]["doc_count"], bucket["favour"]["doc_count"]
    return Tally(moment(key["hour"] * _MILLI), key["key"], key["rag"], bucket["doc_count"], against, favour)


def _terms(field: str) -> dict[str, Any]:
    return {"terms": {"field": field}}
