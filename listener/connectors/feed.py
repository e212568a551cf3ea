"""RSS, Atom and JSON feeds: newsrooms, blogs, councils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from listener.connector import Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.domains import registrable_domain
from listener.feed_finding import find_feed
from listener.feed_memory import FeedMemory, read_note, write_note
from listener.feed_reader import FeedReader, Reading
from listener.feeds import FeedItem, NoFeed, SignInInstead, short_hash
from listener.web import WebAddress, ZoneName
from mentions.failures import NeedsAttention, NotConfigured, NotItsTurn, RateLimited, TemporaryFailure
from mentions.mention import Mention, Reach, Voice

OK, MISSING, GONE = 200, 404, 410


class FeedOptions(BaseModel):
    """What a `feed` source needs to know."""

    model_config = ConfigDict(extra="forbid")

    url: WebAddress = Field(description="The feed's address, or that of a page which names one")
    timezone: ZoneName = Field(
        default=None, description="Zone of dates that name none, such as Europe/London; the settings' zone if left out"
    )


class FeedConnector:
    """Reads one feed. Press items reach widely and count for the publisher their link belongs to."""

    kind: ClassVar[str] = "feed"
    Options: ClassVar[type[BaseModel]] = FeedOptions
    terms: ClassVar[Terms] = Terms()
    keeps_rhythm: ClassVar[bool] = True
    most_at_once: ClassVar[int] = 10

    def __init__(self, source: SourceInfo, options: FeedOptions, tools: Tools) -> None:
        self._source = source
        self._url = self._address = options.url
        self._tools = tools = replace(tools, source=source.name, site=options.url)
        self._reader = FeedReader(source.name, tools, ZoneInfo(options.timezone or tools.zone))

    def poll(self, cursor: str | None) -> Page:
        """New and changed items of the feed, all of them at the first poll. Where the address is a page's, its feed is
        looked for once and kept in the cursor."""
        note = read_note(cursor)
        memory = FeedMemory.read(note)
        address = memory.url if note.get("page") == self._url and memory.url else self._url
        try:
            reading = self._reader.read(address, memory)
        except (NoFeed, SignInInstead) as page:
            if memory.seen or memory.full_at or address != self._url:
                raise  # it was a feed before: this is a site in trouble
            reading = find_feed(page, self._reader)
        self._address = reading.memory.url
        return Page(
            mentions=tuple(self._mention(item, reading) for item in reading.items),
            cursor=write_note({**reading.memory.note(), "page": self._url}),
            left_out=reading.left_out,
            sample=reading.sample,
            not_before=reading.not_before,
            expected_rhythm=reading.rhythm,
            gap=reading.gap,
            moved_to=reading.moved_to,
        )

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """What the feed still shows is found; of the rest those are gone whose own page says so for good (410), and
        missing those whose page was not found (404). What has merely aged out of the feed is neither."""
        try:
            reading = self._reader.read_whole(self._address)
        except (NoFeed, SignInInstead) as page:  # nothing was polled yet in this daemon's life
            reading = find_feed(page, self._reader)
        now = {mention.id: mention for mention in (self._mention(item, reading) for item in reading.items)}
        found = tuple(now[each.id] for each in locators if each.id in now)
        standing = {each.id: self._status(each.link) for each in locators if each.id not in now and each.link}
        return Rechecked(
            found=found,
            gone=tuple(each for each, status in standing.items() if status == GONE),
            there=tuple(each for each, status in standing.items() if status == OK),
            missing=tuple(each for each, status in standing.items() if status == MISSING),
        )

    def _status(self, link: str) -> int:
        """What a page answers; 0 where nothing can be told. Leave to read our feed's host is none for another."""
        permitted = self._tools.may_read(link)
        try:
            answer = self._tools.fetch.exchange(link, {"Accept": "text/html, */*;q=0.5"}, permitted=permitted)
        except (RateLimited, NotItsTurn):
            raise
        except (NeedsAttention, NotConfigured, TemporaryFailure):
            return 0
        return answer.status

    def close(self) -> None:
        """Nothing of our own is open."""

    def _mention(self, item: FeedItem, reading: Reading) -> Mention:
        publisher = self._source.publisher or registrable_domain(item.origin or item.link or self._url)
        author = f"{publisher}/{item.author}" if item.author else ""
        return Mention(
            id=f"rss:{short_hash(item.identity)}",
            platform="rss",
            source=self._source.name,
            published_at=item.published_at or reading.at,
            first_seen_at=reading.at,
            text=item.text,
            title=item.title,
            link=item.link,
            native_id=item.native_id(self._source.name),
            author_key=self._tools.pseudonym("rss", author) if author else "",
            publisher=publisher,
            voice=self._tools.voice(self._source, item.author),
            reach=Reach.WIDE if self._source.voice is Voice.PRESS else Reach.UNKNOWN,
            lang=item.lang,
            replies=item.replies,
        )
