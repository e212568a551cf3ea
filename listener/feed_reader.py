"""From a feed's address and a memory to the items that are new or changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from listener.connector import Tools
from listener.feed_memory import FeedMemory, sift
from listener.feeds import FeedItem, NoFeed, ParsedFeed, Setting, SignInInstead, parse_feed, short_hash
from listener.fetch import Fetched

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, application/xml;q=0.9,"
    " text/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
)
WINDOW_FULL = "window full: nothing known was left in the feed, so that posts before its oldest may have been missed"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a feed gave: new or changed items, and the memory for the next look."""

    items: tuple[FeedItem, ...]
    memory: FeedMemory
    at: datetime
    left_out: int = 0
    sample: str = ""
    not_before: datetime | None = None
    rhythm: timedelta | None = None
    gap: str = ""

    @property
    def moved_to(self) -> str:
        """Where the feed has gone for good, once that is believed."""
        return self.memory.address if self.memory.address != self.memory.url else ""


def as_it_is(item: FeedItem) -> FeedItem:
    """No change."""
    return item


class FeedReader:
    """Reads one source's feed. `adapt` lets a platform change an item's identity or digest before it is compared."""

    def __init__(
        self,
        source: str,
        tools: Tools,
        zone: ZoneInfo,
        *,
        forum: bool = False,
        adapt: Callable[[FeedItem], FeedItem] = as_it_is,
    ) -> None:
        self._source = source
        self._tools = tools
        self._zone = zone
        self._forum = forum
        self._adapt = adapt

    def read(self, url: str, memory: FeedMemory) -> Reading:
        """Items not in the memory, or with other words than there; raises what `Fetcher.get` and `parse_feed` do."""
        now = self._tools.clock()
        memory = memory if memory.url == url else FeedMemory(url)
        ask = memory.trusts_validators(now, self._forum)
        got = self._tools.fetch.get(
            memory.address,
            etag=memory.etag if ask else None,
            modified=memory.modified if ask else None,
            accept=ACCEPT,
            permitted=self._tools.may_read(memory.address),
        )
        memory = memory.note_move(got.moved, now)
        if got.status == 304:
            quiet = memory.quiet + 1 if self._forum else 0
            calm = replace(memory, quiet=quiet, modified=got.last_modified or memory.modified)
            return Reading((), calm, now, not_before=got.not_before)
        memory = replace(memory, etag=got.etag, modified=got.last_modified, quiet=0, full_at=now)
        body = hashlib.sha256(got.body).hexdigest()[:16]
        if body == memory.body and memory.seen:
            return Reading((), memory, now, not_before=got.not_before)
        try:
            feed = self._tools.apart(parse_feed, got.body, got.charset, Setting(self._source, got.url, self._zone, now))
        except (NoFeed, SignInInstead) as page:
            page.got = got
            raise
        return self._compare(feed, got, replace(memory, body=body), now)

    def read_whole(self, url: str) -> Reading:
        """All items as they stand now, whatever is remembered; raises as `read` does."""
        return self.read(url, FeedMemory(url))

    def _compare(self, feed: ParsedFeed, got: Fetched, memory: FeedMemory, now: datetime) -> Reading:
        items = {short_hash(item.identity): item for item in map(self._adapt, feed.items)}
        found = {key: item.digest for key, item in items.items()}
        fresh, seen = sift(memory.seen, {**dict.fromkeys(feed.odd, "odd"), **found})
        odd = [key for key in feed.odd if key in fresh]
        full = bool(memory.seen and items) and not any(key in memory.seen for key in (*items, *feed.odd))
        sample = feed.odd[odd[-1]] if odd else "the feed broke off inside an entry" if feed.cut else ""
        return Reading(
            items=tuple(item for key, item in items.items() if key in fresh),
            memory=replace(memory, seen=seen),
            at=now,
            left_out=len(odd) + feed.cut,
            sample=sample,
            not_before=got.not_before,
            rhythm=feed.rhythm,
            gap=WINDOW_FULL if full else "",
        )
