"""The mention store for more than one machine: an Elasticsearch cluster, through server-core features only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

from elasticsearch import ConnectionTimeout, Elasticsearch

from mentions.failures import NeedsAttention, TemporaryFailure, UserError
from mentions.mention import Assessed
from mentions.query_tree import Query
from mentions.store import Due, Saved, StoreStatus, Tally, ToCheck
from mentions.stores import elastic_checks as checks
from mentions.stores import elastic_erasing as erasing
from mentions.stores import elastic_holdings as holdings
from mentions.stores import elastic_reading as reading
from mentions.stores import elastic_schema as schema
from mentions.stores import elastic_snapshots as snapshots
from mentions.stores import elastic_totals as totals
from mentions.stores import elastic_writing as writing
from mentions.stores.elastic_access import connect, read_address, translated

SHOW_SECONDS = 3
MOST_UNSEEN = 20_000  # mentions


class ElasticStore:
    """`MentionStore` over one cluster; see there for what each method promises.

    `url` is "elasticsearch:http://HOST:PORT[,http://HOST:PORT...][?index=NAME]": NAME, "mentions" unless told, is the
    alias, the template's name and what the monthly indices NAME-YYYY.MM begin with, so that several stores can share a
    cluster. Opening reaches nothing: the first call that finds the server there lays down the template (a readonly
    store only looks). UserError until then, NeedsAttention afterwards, says what a person must mend.

    A search sees only what the server has made visible. That costs as much for one mention as for thousands, so whoever
    reads sees to it, not whoever saves.
    """

    def __init__(self, url: str, *, readonly: bool = False, env: Mapping[str, str] = os.environ) -> None:
        self._address = read_address(url)
        self._readonly = readonly
        self._client = connect(self._address, env)
        self._ready = self._reached = False
        self._closed = False
        self._nodes_seen = 0  # the most at once: fewer means that one is missing
        self._guard = threading.Lock()  # over _unseen
        self._preparing = threading.Lock()
        self._failed_at, self._failed = 0.0, ""  # when preparing last failed (monotonic), and why
        self._unseen: dict[str, str] = {}  # the index of each mention that was saved and not made visible since

    @contextmanager
    def _connected(self) -> Iterator[Elasticsearch]:
        """The client, for a call whose errors become ours."""
        if self._closed:
            raise ValueError(f"the store at {self._address.url} is closed")
        if not self._ready:
            self._prepare()
        try:
            with translated(self._address):
                yield self._client
        except TemporaryFailure:
            self._ready = False  # who knows what it comes back with: a month must never be made without the template
            raise

    @contextmanager
    def _reading(self) -> Iterator[Elasticsearch]:
        """The same, and all that was written before is seen."""
        with self._connected() as client:
            self._show(client)
            yield client

    @contextmanager
    def _writing(self) -> Iterator[Elasticsearch]:
        self._refuse_readonly()
        with self._reading() as client:
            yield client

    def _refuse_readonly(self) -> None:
        if self._readonly:
            raise NeedsAttention(f"{self._address.url} was opened to be read only: nothing can be written")

    def _show(self, client: Elasticsearch) -> None:
        """Make visible what anybody has written so far. Where we lack the right to, it becomes so within a second."""
        with self._guard:
            shown = list(self._unseen)
        hasty = client.options(ignore_status=403, request_timeout=SHOW_SECONDS, retry_on_timeout=False)
        try:
            hasty.indices.refresh(index=self._address.index)
        except ConnectionTimeout:  # a part of it is away: reading says so at once, where this would wait a minute
            if shown:
                raise
        with self._guard:
            for each in shown:
                self._unseen.pop(each, None)

    def _note(self, written: Mapping[str, str]) -> None:
        with self._guard:
            self._unseen.update(written)

    def _prepare(self) -> None:
        """One at a time; whoever waited while another found the server away does not wait for it once more."""
        came = time.monotonic()
        with self._preparing:
            if self._ready:
                return
            if self._failed_at > came:
                raise TemporaryFailure(self._failed)
            try:
                with translated(self._address):
                    if self._readonly:
                        schema.look(self._client, self._address)
                    else:
                        schema.prepare(self._client, self._address, checks.schedule_anew)
            except TemporaryFailure as failure:
                self._failed_at, self._failed = time.monotonic(), str(failure)
                raise
            except (NeedsAttention, UserError) as error:
                raise (NeedsAttention if self._reached else UserError)(str(error)) from error
            self._ready = self._reached = True

    # -- writing --------------------------------------------------------------------------------------------------

    def save(self, batch: Sequence[Assessed]) -> Saved:
        self._refuse_readonly()
        with self._connected() as client:
            if len(self._unseen) > MOST_UNSEEN:
                self._show(client)
            with self._guard:
                unseen = dict(self._unseen)
            return writing.save(client, self._address, batch, unseen, self._note)

    def judge(self, judged: Sequence[Assessed]) -> None:
        with self._writing() as client:
            writing.judge(client, self._address, judged)

    def forget(self, ids: Sequence[str]) -> int:
        with self._writing() as client:
            return erasing.forget(client, self._address, ids)

    def bury(self, ids: Sequence[str], at: datetime, because: str) -> int:
        with self._writing() as client:
            return checks.bury(client, self._address, ids, at, because)

    def note_checked(self, ids: Sequence[str], at: datetime) -> None:
        with self._writing() as client:
            checks.note_checked(client, self._address, ids, at)

    def postpone(self, ids: Sequence[str], until: datetime) -> None:
        with self._writing() as client:
            checks.postpone(client, self._address, ids, until)

    def drop_locators(self, platforms: Sequence[str], collected_before: datetime) -> int:
        with self._writing() as client:
            return checks.drop_locators(client, self._address, platforms, collected_before)

    def purge(self, collected_before: datetime) -> int:
        with self._writing() as client:
            return erasing.purge(client, self._address, collected_before)

    # -- reading --------------------------------------------------------------------------------------------------

    def get(self, ids: Sequence[str]) -> dict[str, Assessed]:
        with self._reading() as client:
            found = writing.find(client, self._address, ids)
        return {mention_id: found[mention_id].now for mention_id in ids if mention_id in found}

    def to_check(self, at: datetime) -> list[ToCheck]:
        with self._reading() as client:
            return checks.to_check(client, self._address, at)

    def due(
        self, platform: str, source: str, at: datetime, limit: int, *, checked_before: datetime | None = None
    ) -> list[Due]:
        with self._reading() as client:
            return checks.due(client, self._address, platform, source, at, limit, checked_before)

    def pending(self, step: str, limit: int) -> list[Assessed]:
        with self._reading() as client:
            return reading.pending(client, self._address, step, limit)

    def search(
        self,
        query: Query,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Assessed]:
        with self._reading() as client:
            return reading.search(client, self._address, query, reading.Window(since, until, before), limit)

    def count(self, query: Query, *, since: datetime | None = None, until: datetime | None = None) -> int:
        with self._reading() as client:
            return reading.count(client, self._address, query, reading.Window(since, until))

    def histogram(
        self, query: Query, every: timedelta, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[tuple[datetime, int]]:
        with self._reading() as client:
            return reading.histogram(client, self._address, query, every, reading.Window(since, until))

    def series(self, name: str, since: datetime, until: datetime) -> list[tuple[datetime, int, int]]:
        with self._reading() as client:
            return totals.series(client, self._address, name, since, until)

    def series_names(self) -> list[str]:
        with self._reading() as client:
            return totals.series_names(client, self._address)

    def members(
        self, name: str, since: datetime, until: datetime, limit: int = 1000, *, seen_since: datetime | None = None
    ) -> list[Assessed]:
        with self._reading() as client:
            return reading.members(client, self._address, name, since, until, limit, seen_since)

    def tallies_by_borough(self, since: datetime, until: datetime) -> list[Tally]:
        with self._reading() as client:
            return totals.tallies(client, self._address, "boroughs", since, until)

    def tallies_by_source(self, since: datetime, until: datetime) -> list[Tally]:
        with self._reading() as client:
            return totals.tallies(client, self._address, "source", since, until)

    def everything(self) -> Iterator[Assessed]:
        found = self._everything()
        next(found)  # the snapshot is the one of this call, not that of the first mention asked for
        return (each for each in found if each)

    def _everything(self) -> Iterator[Assessed | None]:
        with self._reading() as client, closing(reading.everything(client, self._address)) as found:
            first = next(found, None)
            yield None
            if first is not None:
                yield first
                yield from found

    def status(self) -> StoreStatus:
        with self._reading() as client:
            told, nodes = holdings.status(client, self._address, self._nodes_seen)
        self._nodes_seen = max(self._nodes_seen, nodes)
        return told

    def check(self) -> list[str]:
        with self._reading() as client:
            return holdings.check(client, self._address)

    def take_snapshot(self, to: str) -> str:
        """Keep all of it in the server's folder `to`; the snapshot's name."""
        with self._writing() as client:
            return snapshots.take_snapshot(client, self._address, to)

    def restore_snapshot(self, source: str, *, replace: bool) -> str:
        """Bring back the newest snapshot in the server's folder `source`; its name."""
        with self._writing() as client:
            return snapshots.restore_snapshot(client, self._address, source, replace=replace)

    def close(self) -> None:
        self._closed = True
        self._client.close()
