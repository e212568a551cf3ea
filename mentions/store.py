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


@dataclass(frozen=True, slots=True)
class ToCheck:
    """Mentions of one source and platform that are to be looked at again from time to time: how many there are, how
    many of them are due, since when, and when the one that has waited longest was looked at last."""

    platform: str
    source: str
    held: int
    due: int
    due_at: datetime | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """One that is due, and where it stands at its platform."""

    id: str
    native_id: str
    link: str
    checked_at: datetime


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
        corrected in either, the older copy too, stays laid over it; see `mentions.corrections.corrected`. A copy from
        another source adds that source to the `sightings`, whenever it was fetched.

        No copy brings the words of a tombstone back, but one fetched after they lapsed; see `bury`. A copy that is a
        tombstone makes one of what is held.
        """

    def judge(self, judged: Sequence[Assessed]) -> None:
        """Replace the opinions of these mentions; facts stay untouched, unknown ids are ignored. Corrections that are
        held, or that come along, are laid over the new opinions: none is lost, of two of one field the later stands.

        One whose title or text has changed since it was judged is left as it is: its newer words have their opinion. So
        is a tombstone, but for its corrections.
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

    def bury(self, ids: Sequence[str], at: datetime, because: str) -> int:
        """Make tombstones of these mentions: their words, author and locator go, down to the bytes on disk, and so do
        the reasons that quote them. What they are counted in (series, tallies, histogram) and the opinion stay.
        `because` is `DELETED` or `LAPSED`. Unknown ids are ignored; how many had words until now. Doing it again
        finishes an erasure that was broken off."""

    def to_check(self, at: datetime) -> list[ToCheck]:
        """What is to be looked at again (see `mentions.duties`), by platform and source, and how much of it is due."""

    def due(
        self, platform: str, source: str, at: datetime, limit: int, *, checked_before: datetime | None = None
    ) -> list[Due]:
        """Up to `limit` of those that are due at that time, the longest due first; with `checked_before` only those
        that were last looked at before then."""

    def note_checked(self, ids: Sequence[str], at: datetime) -> None:
        """They were looked at then, and are due again as their platform asks."""

    def postpone(self, ids: Sequence[str], until: datetime) -> None:
        """Looking at them told nothing: they are due again then, and count as looked at when they last were."""

    def drop_locators(self, platforms: Sequence[str], collected_before: datetime) -> int:
        """Forget native id and link of what was first seen before that time on these platforms, down to the bytes on
        disk; how many had either. They can no longer be looked at again."""

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
