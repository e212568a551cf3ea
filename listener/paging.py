"""What a store holds, page by page, without holding it all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import Query
from mentions.store import MentionStore

BATCH = 500


def pages(
    store: MentionStore, query: Query, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Assessed]:
    """Every mention that the query finds, published in [since, until), newest first; read as far as they are taken."""
    for batch in batches(store, query, since, until):
        yield from batch


def batches(
    store: MentionStore, query: Query, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Sequence[Assessed]]:
    """The same in batches; writing what a batch brought between two of them disturbs nothing."""
    before: int | None = None
    while batch := store.search(query, since=since, until=until, limit=BATCH, before=before):
        yield batch
        before = order_key(batch[-1].mention)
