"""Searching and counting in the Elasticsearch store; each works with its caller's client."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from elasticsearch import Elasticsearch

from mentions.mention import Assessed
from mentions.order import KEY_BITS
from mentions.query_tree import Query
from mentions.stores.elastic_access import Address
from mentions.stores.elastic_match import Dsl, to_dsl
from mentions.stores.elastic_paging import scan
from mentions.stores.elastic_rows import KEPT, from_hit
from mentions.stores.elastic_totals import buckets
from mentions.times import micros, moment

NEWEST_FIRST = ({"place": "desc"}, {"key": "desc"})
LARGEST_PAGE = 5000  # a server answers at most 10,000 at once
_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of what a query finds: published in [since, until), and behind `before` in the one order."""

    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None

    def over(self, query: Query) -> Dsl:
        """The query within the times of this window."""
        return {"bool": {"filter": [to_dsl(query), *within("published", self.since, self.until)]}}


def within(field: str, since: datetime | None, until: datetime | None) -> list[Dsl]:
    """That a field of microseconds lies in [since, until)."""
    bounds = {name: micros(at) for name, at in (("gte", since), ("lt", until)) if at is not None}
    return [{"range": {field: bounds}}] if bounds else []


def search(client: Elasticsearch, address: Address, query: Query, window: Window, limit: int) -> list[Assessed]:
    """See `MentionStore.search`."""
    after = None if window.before is None else divmod(window.before, 1 << KEY_BITS)
    return _first(client, address, window.over(query), NEWEST_FIRST, limit, after)


def _first(
    client: Elasticsearch,
    address: Address,
    query: Dsl,
    sort: Sequence[Mapping[str, Any]],
    limit: int,
    after: Sequence[int] | None = None,
) -> list[Assessed]:
    found: list[Assessed] = []
    while len(found) < limit:
        size = min(limit - len(found), LARGEST_PAGE)
        hits = client.search(
            index=address.index,
            query=query,
            sort=list(sort),
            search_after=None if after is None else list(after),
            size=size,
            source={"includes": list(KEPT)},
            track_total_hits=False,
            allow_partial_search_results=False,
        )["hits"]["hits"]
        found += map(from_hit, hits)
        if len(hits) < size:
            break
        after = hits[-1]["sort"]
    return found


def count(client: Elasticsearch, address: Address, query: Query, window: Window) -> int:
    """See `MentionStore.count`."""
    found = client.search(
        index=address.index,
        query=window.over(query),
        size=0,
        track_total_hits=True,
        allow_partial_search_results=False,
    )
    return int(found["hits"]["total"]["value"])


def histogram(
    client: Elasticsearch, address: Address, query: Query, every: timedelta, window: Window
) -> list[tuple[datetime, int]]:
    """See `MentionStore.histogram`."""
    span = f"{every // timedelta(seconds=1)}s"
    starts = {"date_histogram": {"field": "published_at", "fixed_interval": span}}
    found = buckets(client, address, window.over(query), {"start": starts})
    return [(moment(key["start"] * _MILLI), held) for key, held in found]


def pending(client: Elasticsearch, address: Address, step: str, limit: int) -> list[Assessed]:
    """See `MentionStore.pending`."""
    return _first(client, address, {"term": {"pending": step}}, NEWEST_FIRST, limit)


def members(
    client: Elasticsearch,
    address: Address,
    name: str,
    since: datetime,
    until: datetime,
    limit: int,
    seen_since: datetime | None,
) -> list[Assessed]:
    """See `MentionStore.members`."""
    wanted = [{"term": {"series": name}}, {"term": {"history": False}}, *within("counted", since, until)]
    query = {"bool": {"filter": [*wanted, *within("seen", seen_since, None)]}}
    return _first(client, address, query, ({"counted": "desc"}, *NEWEST_FIRST), limit)


def everything(client: Elasticsearch, address: Address) -> Generator[Assessed, None, None]:
    """Every mention, newest first, as of the first one asked for."""
    with closing(scan(client, address.index, sort=NEWEST_FIRST, source={"includes": list(KEPT)})) as hits:
        for hit in hits:
            yield from_hit(hit)
