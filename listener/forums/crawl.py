"""From a list or a feed of topics into the topics: every reply is a post of its own, edits and deletions show."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from listener.connector import Tools
from listener.feed_memory import FeedMemory, sift
from listener.feeds import FeedItem
from listener.fetch import Fetched
from listener.forums.asking import Absent, ask
from listener.forums.lists import TopicRow
from listener.forums.pages import ForumPage, PagePost
from listener.forums.topics import MOST_FAULTS, BoardNote, Errand, PageNote, TopicNote
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited, TemporaryFailure

PAGES_A_POLL = 4  # of topics; the rest waits in the cursor for the next poll
LISTS_ON = 3  # further pages of a list read where all topics on one are new
RESTED = timedelta(days=1)  # on a board read for the first time, topics without a post for longer are its past
SOON = timedelta(minutes=2)  # a queue older than this waits until the list has been looked at again
MOST_REFUSALS = 10  # topics in a row that are not for us: then somebody must look

ITSELF = "topic"  # the key of the topic that a source is, where it is but one

Shown = TopicRow | FeedItem


class Reader(Protocol):
    """Makes a page of an answer."""

    def __call__(self, got: Fetched) -> ForumPage:
        """The page; raises `TemporaryFailure` or `NeedsAttention` for one that is none."""


@dataclass(slots=True)
class Harvest:
    """What a poll brought. `shown` are topics of which there is no more than what a list or a feed shows of them."""

    posts: list[tuple[ForumPage, PagePost]] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    gap: str = ""
    not_before: datetime | None = None
    rhythm: timedelta | None = None
    moved_to: str = ""
    looked: bool = False
    read: int = 0


class Walk:
    """One poll's way through a board: `note` is changed as it goes; `lists` is what the last look showed of topics.

    A page that fails ends the poll. What was reached before it is kept, and `failure` says what is to be raised next.
    """

    def __init__(self, tools: Tools, reader: Reader, note: BoardNote, lists: dict[str, list[Shown]]) -> None:
        self.note = note
        self.harvest = Harvest()
        self.failure: Failure | None = None
        self._tools = tools
        self._reader = reader
        self._lists = lists
        self._now = tools.clock()

    def is_due(self) -> bool:
        """Whether the list is to be looked at, before what is left of the queue."""
        looked = self.note.looked_at
        return not self.note.queue or looked is None or not timedelta(0) <= self._now - looked < SOON

    def begin(self) -> bool:
        """The list is looked at now; returns whether it is so for the first time."""
        first, self.note.looked_at, self.harvest.looked = self.note.looked_at is None, self._now, True
        if not first:
            self.note.want_again(self._now)
        return first

    def look_at_list(self, address: str, memory: FeedMemory, pages: int) -> FeedMemory:
        """Look at a list of topics; returns the memory of it."""
        trusts = memory.trusts_validators(self._now, forum=True)
        try:
            got = ask(self._tools, address, etag=memory.etag if trusts else None)
        except Absent as absent:
            raise absent.as_failure() from absent
        first = self.begin()
        self.harvest.not_before = got.not_before
        if got.status == 304:
            return replace(memory, quiet=memory.quiet + 1)
        page = self._reader(got)
        if not page.rows and not page.boards:
            raise TemporaryFailure(f"{_where(address)}: no topics were recognised on the page; check the url")
        memory = replace(memory, url=address, etag=got.etag, quiet=0, full_at=self._now)
        return self.take_list(page, memory, first, pages)

    def take_list(
        self, page: ForumPage, memory: FeedMemory, first: bool, pages: int, since: datetime | None = None
    ) -> FeedMemory:
        """Put the topics of a list that are new or moved on the queue; `since` leaves out those that rested before."""
        rows = {row.key: row for row in page.rows}
        if page.rows:
            self.note.listed(rows)
        fresh, seen = sift(memory.seen, {key: row.digest for key, row in rows.items()})
        for row in [row for key, row in rows.items() if key in fresh]:
            self._take_row(row, page.url, first, pages, since)
        if not page.rows:
            for board in page.boards[:20]:
                self.note.want(Errand("", board, "list"))
        all_new = len(fresh) >= max(2, len(rows))
        if page.next and ((first and pages > 1) or (not first and all_new and memory.seen)):
            self.note.want(Errand("", page.next, "list", pages - 2 if first else LISTS_ON))
        return replace(memory, seen=seen)

    def _take_row(self, row: TopicRow, page: str, first: bool, pages: int, since: datetime | None) -> None:
        address = row.address or row.link
        if since is not None and row.last_at is not None and row.last_at < since:
            return
        taken = any(each.url == address and each.topic != row.key for each in self.note.queue)
        if taken or not same_site(address, page):
            self.harvest.shown.append(row)
            return
        self.moved(row.key, address, row, first, pages)
        if row.board and not first:  # an index shows the last topic of each board: others may have moved too
            self.note.want(Errand("", row.board, "list"))

    def moved(self, key: str, url: str, shown: Shown, first: bool, pages: int) -> None:
        """Something was posted in a topic that a list or a feed shows. Of one that began before we knew it only the
        beginning and the end are read, as at a first look."""
        self._lists.setdefault(key, []).append(shown)
        began = shown.published_at
        old = began is not None and began < self._now - RESTED
        self.note.moved(key, url, self._now, first or old, pages)

    def read_queue(self, memory: FeedMemory, pages: int) -> FeedMemory:
        """Read a few of the pages that are wanted."""
        for _ in range(PAGES_A_POLL):
            if not self.note.queue:
                break
            errand = self.note.queue.pop(0)
            try:
                memory = self._run(errand, memory, pages)
            except (NeedsAttention, NotConfigured) as failure:
                self._refused(errand, failure)
            except (TemporaryFailure, RateLimited) as failure:
                self._fail(errand, failure)
                break
        for key, lost in self.note.settled():
            self.harvest.gone += sorted(lost)
            topic = self.note.topics[key]
            for page in topic.pages:
                page.posts = {post: digest for post, digest in page.posts.items() if post not in lost}
        self.note.forget_oldest()
        return memory

    def _run(self, errand: Errand, memory: FeedMemory, pages: int) -> FeedMemory:
        if errand.why == "list":
            return self._read_list(errand, memory, pages)
        topic = self.note.topics.get(errand.topic)
        if topic is not None:
            self._read_topic(errand, topic)
        return memory

    def _read_list(self, errand: Errand, memory: FeedMemory, pages: int) -> FeedMemory:
        first = not memory.seen
        try:
            page = self._reader(ask(self._tools, errand.url))
        except Absent:
            return memory
        self.harvest.read += 1
        known = set(memory.seen)
        since = None if first else self._now - RESTED
        memory = self.take_list(replace(page, next=""), memory, first, pages, since)
        if page.rows and not known & {row.key for row in page.rows} and page.next:
            if errand.left > 0:
                self.note.want(Errand("", page.next, "list", errand.left - 1))
            elif known and not first:
                self.harvest.gap = "more topics moved than were read back"
        return memory

    def _read_topic(self, errand: Errand, topic: TopicNote) -> None:
        known = topic.page(errand.url)
        try:
            got = ask(self._tools, errand.url, etag=known.etag if known and errand.why == "check" else None)
            page = self._reader(got) if got.status != 304 else None
        except Absent as absent:
            its_first = errand.topic == ITSELF and errand.url == topic.url
            if its_first and not (topic.pages and absent.for_good):
                raise absent.as_failure() from absent
            if not topic.pages or absent.for_good or self._again_absent(errand, topic):
                self._absent(errand, topic)
            return
        topic.absent.pop(errand.url, None)
        if errand.topic == ITSELF and page and not (page.posts or page.missing or page.odd):
            raise TemporaryFailure(f"{_where(errand.url)}: no posts were recognised on the page; check the url")
        self.harvest.read += 1
        self.note.read_any, self.note.refused, topic.faults = True, 0, 0
        if page is None:
            return
        if page.missing and not page.posts:
            self._absent(errand, topic)
        elif not page.posts and not page.odd:
            self._odd(errand, "a topic on whose page no posts were recognised")
        else:
            self._take(errand, topic, page, got.etag)

    def _take(self, errand: Errand, topic: TopicNote, page: ForumPage, etag: str | None) -> None:
        """Posts that are new or were edited; posts that are gone from the page; where to go on."""
        self._lists.pop(errand.topic, None)
        before, known = topic.posts(), topic.page(errand.url)
        if known is None:
            self.harvest.odd += page.odd
        found = {post.key: post.digest for post in page.posts}
        self.harvest.posts += [(page, post) for post in page.posts if before.get(post.key) != post.digest]
        lost = set(known.posts) - set(found) if known else set()
        topic.keep(PageNote(errand.url, etag, found, page.previous))
        topic.missing -= set(found)
        if lost and (page.previous or errand.url == topic.url):
            self._look_before(errand.topic, topic, lost, page.previous, but=errand.url)
        self._go_on(errand, topic, page)

    def _look_before(self, key: str, topic: TopicNote, lost: set[str], previous: str, but: str = "") -> None:
        """Posts are not where they were: they may have moved to the page before, which is read before they are gone."""
        if not previous and not but:
            return  # nobody told which page that is
        topic.missing |= lost
        self.note.check(key, but)
        if previous and topic.page(previous) is None:
            self.note.want(Errand(key, previous, "check"))

    def _go_on(self, errand: Errand, topic: TopicNote, page: ForumPage) -> None:
        """The pages after this one: all of a topic that began, the last of one whose past is read."""
        if not page.next or topic.page(page.next) is not None:
            return
        if errand.why == "check" and errand.url != topic.pages[-1].url:
            return  # the pages between are of the past
        if errand.left > 0:
            self.note.want(replace(errand, url=page.next, left=errand.left - 1,
                                   why="tail" if errand.why == "check" else errand.why), soon=True)  # fmt: skip
        elif errand.why == "first" and page.last and topic.page(page.last) is None:
            self.note.want(Errand(errand.topic, page.last, "first"), soon=True)

    def _again_absent(self, errand: Errand, topic: TopicNote) -> bool:
        """Whether a page was not there at an earlier look either: a post that is noted as gone cannot come back."""
        look = self.note.looked_at.isoformat() if self.note.looked_at else ""
        return topic.absent.setdefault(errand.url, look) != look

    def _absent(self, errand: Errand, topic: TopicNote) -> None:
        """A page is not there: a topic without its first page is deleted, any other page has only become one less."""
        known = topic.page(errand.url)
        topic.absent.pop(errand.url, None)
        if errand.url != topic.url:
            if known is not None:
                topic.pages.remove(known)
                self._look_before(errand.topic, topic, set(known.posts), known.previous)
            return
        self.harvest.gone += sorted({*topic.posts(), *topic.missing})
        self._drop(errand.topic)

    def _refused(self, errand: Errand, failure: NeedsAttention | NotConfigured) -> None:
        """A page that is not for us: where all are, somebody must look; of one there is only what its list shows."""
        self.note.refused += 1
        self.harvest.odd.append("a topic that is not public")
        self._drop(errand.topic)
        if (not self.note.read_any and not self.note.queue) or self.note.refused >= MOST_REFUSALS:
            self.failure = failure

    def _odd(self, errand: Errand, why: str) -> None:
        self.harvest.odd.append(why)
        self._drop(errand.topic)

    def _drop(self, key: str) -> None:
        """No more is to be had of a topic than what was shown of it."""
        topic = self.note.topics.pop(key, None)
        self.note.queue = [each for each in self.note.queue if each.topic != key or each.why == "list"]
        shown = self._lists.pop(key, [])
        if topic is None or not topic.pages:
            self.harvest.shown += shown

    def _fail(self, errand: Errand, failure: Failure) -> None:
        topic = self.note.topics.get(errand.topic)
        if not self.harvest.looked and not self.harvest.read:
            raise failure
        if topic is not None and isinstance(failure, TemporaryFailure):
            topic.faults += 1
            if topic.faults >= MOST_FAULTS:
                self._odd(errand, "a topic that could not be read")
                return
        self.note.queue.append(errand)
        self.failure = failure


def same_site(link: str, address: str) -> bool:
    """Whether a link stays at the board's own host, with or without "www."."""
    here, there = (urlsplit(each).netloc.lower().removeprefix("www.") for each in (address, link))
    return bool(link) and here == there


def _where(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.netloc}{parts.path}"


Follow = Callable[[FeedItem], tuple[str, str] | None]


def take_items(walk: Walk, items: Iterable[FeedItem], follow: Follow, first: bool, pages: int) -> None:
    """Put the topics of a feed's items on the queue; an item that leads to none is all there is of it.

    `follow` gives the key and the address of an item's topic.
    """
    for item in items:
        if topic := follow(item):
            walk.moved(*topic, item, first, pages)
        else:
            walk.harvest.shown.append(item)
