"""Forums: Discourse by its JSON, the others by their feeds. Nobody signs in; only public boards are read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from listener.connector import Page, SourceInfo, Terms, Tools
from listener.discourse import Mark, Post, base_of, read_board
from listener.domains import registrable_domain
from listener.feed_memory import FeedMemory, read_note, write_note
from listener.feed_reader import FeedReader
from listener.feeds import FeedItem, short_hash
from listener.forum_kinds import Software, adapt_item, find_feeds, is_feed, recognise, thread_key
from listener.markup import decode, looks_like_sign_in
from listener.web import WebAddress, ZoneName
from mentions.failures import NeedsAttention, NotConfigured, TemporaryFailure
from mentions.mention import Mention, Reach

VERSION = 1
PAGE_OR_FEED = "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, */*;q=0.5"


class ForumOptions(BaseModel):
    """What a `forum` source needs to know."""

    model_config = ConfigDict(extra="forbid")

    url: WebAddress = Field(description="The board's address, or its feed's")
    software: Software | None = Field(
        default=None, description="discourse, phpbb, xenforo, smf, vbulletin or machina; found out if left out"
    )
    timezone: ZoneName = Field(
        default=None, description="Zone of dates that name none, such as Europe/London; the settings' zone if left out"
    )


class ForumConnector:
    """Reads one board. What software it is and where its feed lies is found out once and kept in the cursor."""

    kind: ClassVar[str] = "forum"
    Options: ClassVar[type[BaseModel]] = ForumOptions
    terms: ClassVar[Terms] = Terms()

    def __init__(self, source: SourceInfo, options: ForumOptions, tools: Tools) -> None:
        self._source = source
        self._options = options
        self._tools = tools
        self._zone = ZoneInfo(options.timezone or tools.zone)

    def poll(self, cursor: str | None) -> Page:
        """New and changed posts; at a board shown by threads, a reply shows as its thread's newest post."""
        note = read_note(cursor)
        if note.get("v") != VERSION or note["url"] != self._options.url:
            software, address = self._find()
            note = {"v": VERSION, "url": self._options.url, "software": software, "address": address}
        if note["software"] == Software.DISCOURSE:
            return self._read_discourse(note)
        return self._read_feed(note)

    def close(self) -> None:
        """Nothing of our own is open."""

    def _find(self) -> tuple[Software | None, str]:
        """The software, and the address to read: Discourse's root, else a feed."""
        url, software = self._options.url, self._options.software
        if software is Software.DISCOURSE:
            return software, base_of(url)
        got = self._tools.fetch.get(url, accept=PAGE_OR_FEED)
        page = decode(got.body, got.charset)
        software = software or recognise(page)
        if is_feed(page):
            return (None if software is Software.DISCOURSE else software), url
        if software is Software.DISCOURSE:
            return software, base_of(got.url)
        for candidate in find_feeds(page, got.url, software):
            if (text := self._try(candidate)) is not None:
                return software or recognise(text), candidate
        if looks_like_sign_in(page) and software is None:
            raise NeedsAttention(f"{registrable_domain(url)}: asks for a sign-in; only public forums are read")
        raise NeedsAttention(f"{registrable_domain(url)}: no feed found at this board; give its feed's address as url")

    def _try(self, candidate: str) -> str | None:
        try:
            got = self._tools.fetch.get(candidate, accept=PAGE_OR_FEED)
        except (TemporaryFailure, NeedsAttention, NotConfigured):
            return None
        text = decode(got.body, got.charset)
        return text if is_feed(text) else None

    def _read_feed(self, note: dict[str, Any]) -> Page:
        software = Software(note["software"]) if note["software"] else None
        adapt = partial(adapt_item, software=software)
        reader = FeedReader(self._source.name, self._tools, self._zone, forum=True, adapt=adapt)
        memory = FeedMemory.read(note.get("memory", {}))
        reading = reader.read(note["address"], memory)
        # machina dates a thread's last post by its first; what we had not seen a poll ago is from now
        dated = not (software is Software.MACHINA and memory.seen)
        return Page(
            mentions=tuple(self._from_item(item, reading.at, dated) for item in reading.items),
            cursor=write_note({**note, "memory": reading.memory.note()}),
            left_out=reading.left_out,
            sample=reading.sample,
            not_before=reading.not_before,
            expected_rhythm=reading.rhythm,
        )

    def _read_discourse(self, note: dict[str, Any]) -> Page:
        mark, memory = Mark(**note.get("mark", {})), FeedMemory.read(note.get("memory", {}))
        turn = read_board(self._tools, note["address"], mark, memory)
        return Page(
            mentions=tuple(self._from_post(post, note["address"], turn.at) for post in turn.posts),
            cursor=write_note({**note, "mark": asdict(turn.mark), "memory": turn.memory.note()}),
            more=bool(turn.mark.before),
            left_out=len(turn.odd),
            sample=list(turn.odd.values())[-1] if turn.odd else "",
            not_before=turn.not_before,
        )

    def _from_item(self, item: FeedItem, now: datetime, dated: bool) -> Mention:
        return Mention(
            id=f"forum:{short_hash(item.identity)}",
            platform="forum",
            source=self._source.name,
            published_at=(item.published_at if dated else None) or now,
            first_seen_at=now,
            text=item.text,
            title=item.title,
            link=item.link,
            native_id=item.identity,
            author_key=self._pseudonym(item.author),
            publisher=self._publisher(),
            voice=self._tools.voice(self._source, item.author),
            reach=Reach.UNKNOWN,
            thread=thread_key(item.link),
            lang=item.lang,
            replies=item.replies,
        )

    def _from_post(self, post: Post, base: str, now: datetime) -> Mention:
        return Mention(
            id=f"forum:{short_hash(f'{base}/p/{post.id}')}",
            platform="forum",
            source=self._source.name,
            published_at=post.published_at or now,
            first_seen_at=now,
            text=post.text,
            title=post.title,
            link=post.link,
            native_id=str(post.id),
            author_key=self._pseudonym(post.author),
            publisher=self._publisher(),
            voice=self._tools.voice(self._source, post.author),
            reach=Reach.UNKNOWN,
            thread=f"{base.partition('://')[2]}/{post.topic}",
            likes=post.likes,
            replies=post.replies,
        )

    def _publisher(self) -> str:
        return self._source.publisher or registrable_domain(self._options.url)

    def _pseudonym(self, author: str) -> str:
        """The keyed hash of a name at this board: one name at two boards is two people."""
        return self._tools.pseudonym("forum", f"{self._publisher()}/{author}") if author else ""
