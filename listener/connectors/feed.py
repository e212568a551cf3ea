"""RSS, Atom and JSON feeds: newsrooms, blogs, councils."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from listener.connector import Page, SourceInfo, Terms, Tools
from listener.domains import registrable_domain
from listener.feed_memory import FeedMemory, read_note, write_note
from listener.feed_reader import FeedReader, Reading
from listener.feeds import FeedItem, short_hash
from listener.web import WebAddress, ZoneName
from mentions.mention import Mention, Reach, Voice


class FeedOptions(BaseModel):
    """What a `feed` source needs to know."""

    model_config = ConfigDict(extra="forbid")

    url: WebAddress = Field(description="The feed's own address, beginning with http:// or https://")
    timezone: ZoneName = Field(
        default=None, description="Zone of dates that name none, such as Europe/London; the settings' zone if left out"
    )


class FeedConnector:
    """Reads one feed. Press items reach widely and count for the publisher their link belongs to."""

    kind: ClassVar[str] = "feed"
    Options: ClassVar[type[BaseModel]] = FeedOptions
    terms: ClassVar[Terms] = Terms()
    keeps_rhythm: ClassVar[bool] = True

    def __init__(self, source: SourceInfo, options: FeedOptions, tools: Tools) -> None:
        self._source = source
        self._url = options.url
        self._tools = tools
        self._reader = FeedReader(source.name, tools, ZoneInfo(options.timezone or tools.zone))

    def poll(self, cursor: str | None) -> Page:
        """New and changed items of the feed, all of them at the first poll."""
        reading = self._reader.read(self._url, FeedMemory.read(read_note(cursor)))
        return Page(
            mentions=tuple(self._mention(item, reading) for item in reading.items),
            cursor=write_note(reading.memory.note()),
            left_out=reading.left_out,
            sample=reading.sample,
            not_before=reading.not_before,
            expected_rhythm=reading.rhythm,
            gap=reading.gap,
            moved_to=reading.moved_to,
        )

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
            native_id=item.identity,
            author_key=self._tools.pseudonym("rss", author) if author else "",
            publisher=publisher,
            voice=self._tools.voice(self._source, item.author),
            reach=Reach.WIDE if self._source.voice is Voice.PRESS else Reach.UNKNOWN,
            lang=item.lang,
            replies=item.replies,
        )
