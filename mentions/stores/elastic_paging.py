"""Reading all of something page by page, as it was when the first page was asked for."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

PAGE = 1000
_KEPT_FOR = "5m"  # by the server, until the next page is asked for


def scan(
    client: Elasticsearch,
    index: str,
    *,
    query: Mapping[str, Any] | None = None,
    sort: Sequence[str | Mapping[str, Any]] = ("_shard_doc",),
    source: bool | Mapping[str, Any] = True,
    size: int = PAGE,
) -> Generator[Mapping[str, Any], None, None]:
    """Every hit of the query as of the first one asked for, with what changing it needs; "_shard_doc" is the quickest
    order."""
    pit = client.open_point_in_time(index=index, keep_alive=_KEPT_FOR)["id"]
    after: Any = None
    try:
        while True:
            found = client.search(
                pit={"id": pit, "keep_alive": _KEPT_FOR},
                query=query,
                sort=list(sort),
                size=size,
                source=source,
                search_after=after,
                seq_no_primary_term=True,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
            hits = found["hits"]["hits"]
            yield from hits
            if len(hits) < size:
                return
            pit, after = found["pit_id"], hits[-1]["sort"]
    finally:
        with suppress(ApiError, TransportError):  # a server that is away lets go of it by itself
            client.close_point_in_time(id=pit)
