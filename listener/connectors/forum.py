"""Forums: feed first, JSON where there is some, pages last. Nobody signs in; only public boards are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from listener.connector import Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.domains import registrable_domain
from listener.feed_memory import FeedMemory, read_note, write_note
from listener.feed_reader import FeedReader
from listener.feeds import FeedItem, short_hash
from listener.forums.again import Rereader, started
from listener.forums.crawl import ITSELF, Harvest, Shown, Walk, same_site, take_items
from listener.forums.discourse import Mark, Post, read_board
from listener.forums.finding import Finder
from listener.forums.kinds import POST_LEVEL, Software, adapt_item, thread_key
from listener.forums.lists import TopicRow, strip_to_topic
from listener.forums.nodes import Place, post_key, search, topic_key, without_session
from listener.forums.pages import ForumPage, PagePost
from listener.forums.rules import all_software, rules_of
from listener.forums.topics import BoardNote
from listener.platform_options import Pages
from listener.web import WebAddress, ZoneName
from mentions.failures import Failure
from mentions.mention import Mention, Reach

VERSION = 2


class ForumOptions(BaseModel):
    """What a `forum` source needs to know."""

    model_config = ConfigDict(extra="forbid")

    url: WebAddress = Field(description="The board's address, or that of its feed, of one list or of one thread")
    software: Software | None = Field(default=None, description=f"One of {', '.join(Software)}; found out if left out")
    pages: Pages = 1
    timezone: ZoneName = Field(
        default=None, description="Zone of dates that name none, such as Europe/London; the settings' zone if left out"
    )


class ForumConnector:
    """Reads one board. What it is and where to read it is found out once and kept in the cursor."""

    kind: ClassVar[str] = "forum"
    Options: ClassVar[type[BaseModel]] = ForumOptions
    terms: ClassVar[Terms] = Terms()
    most_at_once: ClassVar[int] = 20
    keeps_rhythm: ClassVar[bool] = True

    def __init__(self, source: SourceInfo, options: ForumOptions, tools: Tools) -> None:
        self._source = source
        self._options = options
        self._tools = tools = replace(tools, source=source.name, site=options.url)
        self._zone = ZoneInfo(options.timezone or tools.zone)
        self._finder = Finder(tools, options.url, options.software, self._zone)
        self._rereader = Rereader(tools, self._finder, self._zone)
        self._lists: dict[str, list[Shown]] = {}  # what a list or a feed shows of topics still to be read
        self._at_first: set[str] = set()  # items that the feed's first look showed: their dates are their own
        self._pending: tuple[str | None, Failure] | None = None  # what the poll after this cursor has to raise

    def poll(self, cursor: str | None) -> Page:
        """New and changed posts; a thread that cannot be read itself shows as its list or its feed shows it."""
        pending, self._pending = self._pending, None
        if pending is not None and pending[0] == cursor:
            raise pending[1]
        note = read_note(cursor)
        if note.get("v") != VERSION or note["url"] != self._options.url:
            found = self._finder.find()
            note = {"v": VERSION, "url": self._options.url, **asdict(found)}
        if note["mode"] == "posts":
            return self._read_discourse(note)
        return self._walk(note)

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Posts as they stand now; gone is what its own page no longer shows."""
        again = self._rereader.recheck(locators[: self.most_at_once])
        now = self._tools.clock()
        return Rechecked(tuple(self._from_page(page, post, now) for page, post in again.found), tuple(again.gone))

    def thread(self, locator: Locator) -> Page:
        """The conversation a post stands in."""
        now = self._tools.clock()
        posts = self._rereader.conversation(locator.link)
        return Page(mentions=tuple(self._from_page(page, post, now) for page, post in posts))

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """Posts of a past span, list by list and thread by thread; a feed alone shows no past."""
        note = read_note(cursor)
        if not note:
            found = self._finder.find()
            if found.mode == "feed" and found.address == self._options.url:
                return Page(gap="a feed shows no past; give the board's own address as url")
            note = started(f"{found.address}/latest.json" if found.mode == "posts" else self._options.url)
        posts, after = self._rereader.past(since, until, note)
        now = self._tools.clock()
        return Page(
            mentions=tuple(self._from_page(page, post, now) for page, post in posts),
            cursor=write_note(after),
            more=bool(after["lists"] or after["topics"]),
        )

    def close(self) -> None:
        """Nothing of our own is open."""

    def _walk(self, note: dict[str, Any]) -> Page:
        software = Software(note["software"]) if note["software"] else None
        board, memory = BoardNote.read(note.get("board", {})), FeedMemory.read(note.get("memory", {}))
        walk = Walk(self._tools, lambda got: self._finder.read(got, software), board, self._lists)
        if walk.is_due():
            memory = self._look(walk, note, memory, software)
        memory = walk.read_queue(memory, self._options.pages)
        after = write_note({**note, "memory": memory.note(), "board": board.note()})
        if walk.failure is not None:
            self._pending = (after, walk.failure)
        return self._page(walk, after, software)

    def _look(self, walk: Walk, note: dict[str, Any], memory: FeedMemory, software: Software | None) -> FeedMemory:
        """Look at what tells of new posts: a feed, a list, or the one topic itself."""
        if note["mode"] == "feed":
            return self._read_feed(walk, note["address"], memory, software)
        if note["mode"] == "list":
            return walk.look_at_list(note["address"], memory, self._options.pages)
        first = walk.begin()
        walk.note.moved(ITSELF, note["address"], self._tools.clock(), first, self._options.pages)
        walk.harvest.looked = False  # nothing was asked yet
        return memory

    def _read_feed(self, walk: Walk, address: str, memory: FeedMemory, software: Software | None) -> FeedMemory:
        def follow(item: FeedItem) -> tuple[str, str] | None:
            return self._topic_of(item, software, address)

        def adapt(item: FeedItem) -> FeedItem:
            return adapt_item(item, software, followed=follow(item) is not None)

        reader = FeedReader(self._source.name, self._tools, self._zone, forum=True, adapt=adapt)
        reading = reader.read(address, memory)
        shown = {item.identity for item in reading.items}
        self._at_first = self._at_first - shown if memory.seen else shown
        first = walk.begin()
        walk.harvest.not_before, walk.harvest.rhythm = reading.not_before, reading.rhythm
        walk.harvest.gap, walk.harvest.moved_to = reading.gap or walk.harvest.gap, reading.moved_to
        walk.harvest.odd += [reading.sample] * reading.left_out
        take_items(walk, reading.items, follow, first, self._options.pages)
        return reading.memory

    def _topic_of(self, item: FeedItem, software: Software | None, address: str) -> tuple[str, str] | None:
        """The key and the address of the topic an item tells of; None where the item is all that can be read."""
        if software is None or software not in all_software() or not same_site(item.link, address):
            return None
        rules = rules_of(software)
        name = search(rules.topic, item.link)
        if not name or (software in POST_LEVEL and "topics" not in address and search(rules.post, item.link)):
            return None
        place = Place(item.link, self._zone, self._tools.clock())
        return topic_key(place, name), strip_to_topic(item.link)

    def _page(self, walk: Walk, after: str, software: Software | None) -> Page:
        harvest, now = walk.harvest, self._tools.clock()
        found = {mention.id: mention for mention in self._mentions(harvest, now, software)}
        return Page(
            mentions=tuple(found.values()),
            cursor=after,
            more=bool(walk.note.queue) or walk.failure is not None,
            left_out=len(harvest.odd),
            sample=harvest.odd[-1] if harvest.odd else "",
            gone=tuple(f"forum:{key}" for key in dict.fromkeys(harvest.gone) if f"forum:{key}" not in found),
            gap=harvest.gap,
            not_before=harvest.not_before,
            expected_rhythm=harvest.rhythm,
            moved_to=harvest.moved_to,
        )

    def _mentions(self, harvest: Harvest, now: datetime, software: Software | None) -> list[Mention]:
        posts = [self._from_page(page, post, now) for page, post in harvest.posts]
        shown = [
            self._from_row(each, now) if isinstance(each, TopicRow) else self._from_item(each, now, software)
            for each in harvest.shown
        ]
        return [*shown, *(mention for mention in posts if mention.text or mention.title)]

    def _read_discourse(self, note: dict[str, Any]) -> Page:
        mark, memory = Mark(**note.get("mark", {})), FeedMemory.read(note.get("memory", {}))
        base = note["address"]
        turn = read_board(self._tools, base, mark, memory, self._options.pages)
        return Page(
            mentions=tuple(self._from_post(post, base, turn.at) for post in turn.posts),
            cursor=write_note({**note, "mark": asdict(turn.mark), "memory": turn.memory.note()}),
            more=bool(turn.mark.before),
            left_out=len(turn.odd),
            sample=list(turn.odd.values())[-1] if turn.odd else "",
            gone=tuple(f"forum:{short_hash(f'{base}/p/{post_id}')}" for post_id in turn.gone),
            not_before=turn.not_before,
        )

    def _mention(self, key: str, native: str, author: str, now: datetime, at: datetime | None, **facts: Any) -> Mention:
        return Mention(
            id=f"forum:{key}",
            platform="forum",
            source=self._source.name,
            published_at=at or now,
            first_seen_at=now,
            native_id=native,
            author_key=self._pseudonym(author),
            publisher=self._publisher(),
            voice=self._tools.voice(self._source, author),
            reach=Reach.UNKNOWN,
            **facts,
        )

    def _from_item(self, item: FeedItem, now: datetime, software: Software | None) -> Mention:
        # machina dates a thread's last post by its first; what no look had shown before this one is from now
        dated = software is not Software.MACHINA or item.identity in self._at_first
        return self._mention(
            self._key_of(item),
            item.native_id(self._source.name),
            item.author,
            now,
            item.published_at if dated else None,
            text=item.text,
            title=item.title,
            link=item.link,
            thread=thread_key(item.link),
            lang=item.lang,
            replies=item.replies,
        )

    def _key_of(self, item: FeedItem) -> str:
        """An item that is a post has the post's key; one that stands for a thread has its own."""
        for software in POST_LEVEL:
            if number := search(rules_of(software).post, item.link) if "#" in item.link else "":
                return post_key(Place(item.link, self._zone, self._tools.clock()), number)
        return short_hash(item.identity)

    def _from_row(self, row: TopicRow, now: datetime) -> Mention:
        return self._mention(
            row.key, row.number, row.author, now, row.published_at, text=row.excerpt, title=row.title, link=row.link,
            thread=self._thread(row.number), replies=row.replies,
        )  # fmt: skip

    def _from_page(self, page: ForumPage, post: PagePost, now: datetime) -> Mention:
        return self._mention(
            post.key, post.number, post.author, now, post.published_at, text=post.text, title=post.title or page.title,
            link=without_session(post.link), thread=self._thread(page.topic), likes=post.likes, replies=post.replies,
        )  # fmt: skip

    def _from_post(self, post: Post, base: str, now: datetime) -> Mention:
        return self._mention(
            short_hash(f"{base}/p/{post.id}"), str(post.id), post.author, now, post.published_at, text=post.text,
            title=post.title, link=post.link, thread=f"{base.partition('://')[2]}/{post.topic}", likes=post.likes,
            replies=post.replies,
        )  # fmt: skip

    def _thread(self, topic: str) -> str:
        return f"{urlsplit(self._options.url).hostname}/{topic.strip('/')}" if topic else ""

    def _publisher(self) -> str:
        return self._source.publisher or registrable_domain(self._options.url)

    def _pseudonym(self, author: str) -> str:
        """The keyed hash of a name at this board: one name at two boards is two people."""
        name = author.removeprefix("@")  # as Discourse's feeds write it
        return self._tools.pseudonym("forum", f"{self._publisher()}/{name}") if name else ""
