"""The promises of a mention store; one contract suite holds every store to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mentions.mention import Assessed
from mentions.query import Query


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a batch, as ids: `new` were unknown, `updated` had other facts than before."""

    new: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """One cell of a rollup: how many mentions, and of those how many of each attitude towards the police."""

    at: datetime  # start of the hour, aware UTC
    key: str  # borough or source
    rag: str
    count: int
    negative: int
    positive: int


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What is held, for status pages and for the data protection officer. `doubt` says what weakens the store though it
    still answers, such as "one node missing"; "" where nothing does."""

    url: str
    schema: int
    mentions: int
    oldest_at: datetime | None
    newest_at: datetime | None
    pending: int
    bytes_on_disk: int
    doubt: str = ""


class MentionStore(Protocol):
    """Keeps mentions and opinions. Safe to use from many threads; times in and out are aware UTC.

    One order everywhere: newest first by published second, ties by 20 bits of sha256(id) (see `order_key`). Where two
    share those as well, each store has a lasting order of its own: SQLite the one they came in, Elasticsearch that of
    the whole `order_key`.
    Raises `TemporaryFailure` when the store cannot be reached or its disk is full; what was refused can be done again.
    """

    def save(self, batch: Sequence[Assessed]) -> Saved:
        """Keep a batch, durably and visibly for every later call; saving the same again changes nothing. SQLite keeps
        all of a batch or none of it; Elasticsearch each mention whole, so a batch broken off is to be saved again.

        For a known id the facts are merged: what was fetched earlier (`first_seen_at`, `history`) stays, newer text,
        title, link and engagement win; facts older than what is held (by `first_seen_at` of the incoming copy) are
        dropped. The held opinion is kept unless title or text changed, then the incoming one replaces it. What people
        corrected in either, the older copy too, stays laid over it; see `mentions.corrections.corrected`.
        """

    def judge(self, judged: Sequence[Assessed]) -> None:
        """Replace the opinions of these mentions; facts stay untouched, unknown ids are ignored. Corrections that are
        held, or that come along, are laid over the new opinions: none is lost, of two of one field the later stands.

        One whose title or text has changed since it was judged is left as it is: its newer words have their opinion.
        """

    def get(self, ids: Sequence[str]) -> dict[str, Assessed]:
        """The mentions with these ids; unknown ids are simply missing."""

    def pending(self, step: str, limit: int) -> list[Assessed]:
        """Up to `limit` mentions whose assessment still names deferred step `step`, newest first."""

    def search(
        self,
        query: Query,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Assessed]:
        """Newest first; `since` inclusive, `until` exclusive, on `published_at`. `before` is the `order_key` of the
        last row of the page before, for paging without gaps."""

    def count(self, query: Query, *, since: datetime | None = None, until: datetime | None = None) -> int:
        """How many mentions `search` would return without a limit."""

    def histogram(
        self, query: Query, every: timedelta, *, since: datetime | None = None, until: datetime | None = None
    ) -> list[tuple[datetime, int]]:
        """How many of those were published in each span of `every` (whole seconds), counted from 1970 in UTC: (start,
        count), oldest first, spans without any left out."""

    def series(self, name: str, since: datetime, until: datetime) -> list[tuple[datetime, int, int]]:
        """Minutes of series `name` in [since, until) that hold anything: (minute, live count, history count), oldest
        first, counted by `Mention.counts_at`. Names: `watch:<watchlist>`, `relevant`, `red` (relevant and red).
        What the force says itself (`Voice.OWN`) belongs to none."""

    def series_names(self) -> list[str]:
        """Every series that holds anything, in alphabetical order."""

    def members(
        self, name: str, since: datetime, until: datetime, limit: int = 1000, *, seen_since: datetime | None = None
    ) -> list[Assessed]:
        """The live (never history) mentions of series `name` counted in [since, until), newest counted first; with
        `seen_since` only those first seen then or later."""

    def tallies_by_borough(self, since: datetime, until: datetime) -> list[Tally]:
        """Relevant mentions per hour x borough x rag over published hours in [since, until); "" is no borough. A
        mention of several boroughs is counted in each; the sum over "*" (all) counts it once."""

    def tallies_by_source(self, since: datetime, until: datetime) -> list[Tally]:
        """All mentions per hour x source x rag over published hours in [since, until)."""

    def forget(self, ids: Sequence[str]) -> int:
        """Delete mentions, their words and locators included, down to the bytes on disk; how many there were."""

    def purge(self, collected_before: datetime) -> int:
        """Forget every mention first seen before this time; returns how many."""

    def everything(self) -> Iterator[Assessed]:
        """Every mention, newest first, without holding them all in memory; a snapshot as of the call's start."""

    def status(self) -> StoreStatus:
        """What is held."""

    def check(self) -> list[str]:
        """Problems found (rollups that differ from a recount, index damage); empty when sound. May be slow."""

    def close(self) -> None:
        """Give back connections and files."""
