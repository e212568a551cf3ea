"""What is remembered of a board between polls: its live topics, their pages, and which pages are still to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from listener.forums.nodes import numbers_of

KEY = 16  # characters of a post's key
MOST_TOPICS = 60  # live topics remembered
MOST_PAGES = 8  # pages remembered of one: the first and the newest
LIVE_FOR = timedelta(days=7)  # after that long without a post a topic is not looked at again of itself
AGAIN_AFTER = timedelta(hours=24)  # live topics are read again, for edits and deletions that no list shows
MOST_AGAIN = 10  # topics read again in one poll
NEWS_FOR = timedelta(hours=24)  # so long after a post a topic's pages are read again, a few at every look
MOST_NEWS = 2  # pages of those in one poll
MOST_VANISHED = 3  # topics looked after in one poll because the list no longer holds them
MOST_FAULTS = 3  # then a topic that cannot be read is left out until something is posted in it


@dataclass(slots=True)
class PageNote:
    """A page of a topic as it was read last: its tag, a digest of every post on it, and the page before it."""

    url: str
    etag: str | None = None
    posts: dict[str, str] = field(default_factory=dict)
    previous: str = ""


@dataclass(slots=True)
class TopicNote:
    """A topic: where it begins, when something was last posted and when it was last read, its pages.

    `missing` are posts that a page no longer shows and that may have moved to another page; `absent` are pages that
    were not there when they were asked for last, with the look at which that was so first.
    """

    url: str
    moved_at: datetime
    read_at: datetime
    pages: list[PageNote] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    faults: int = 0
    absent: dict[str, str] = field(default_factory=dict)

    def posts(self) -> dict[str, str]:
        """Every post known, with its digest."""
        return {key: digest for page in self.pages for key, digest in page.posts.items()}

    def page(self, url: str) -> PageNote | None:
        """The page at this address, if it was read."""
        return next((page for page in self.pages if page.url == url), None)

    def keep(self, page: PageNote) -> None:
        """Remember a page as it is now; of many, the first and the newest."""
        known = self.page(page.url)
        if known is not None:
            known.etag, known.posts, known.previous = page.etag, page.posts, page.previous
            return
        self.pages.append(page)
        self.pages.sort(key=lambda each: [] if each.url == self.url else numbers_of(each.url))  # in the thread's order
        if len(self.pages) > MOST_PAGES:
            del self.pages[1]


@dataclass(frozen=True, slots=True)
class Errand:
    """A page to be read. `why`: first (a topic's past), new (a topic just begun), tail (something was posted in it),
    check (it may have been edited), list (a further list of topics). `left`: how many pages to go on to from it."""

    topic: str
    url: str
    why: str
    left: int = 0


@dataclass(slots=True)
class BoardNote:
    """All of it. `read_any` says whether any topic could ever be read; `refused` how many in a row could not."""

    topics: dict[str, TopicNote] = field(default_factory=dict)
    queue: list[Errand] = field(default_factory=list)
    looked_at: datetime | None = None
    read_any: bool = False
    refused: int = 0
    turn: int = 0  # which of the newest topics' pages are looked at next
    shown: list[str] = field(default_factory=list)  # topics that the list held when it was last looked at

    @staticmethod
    def read(note: Mapping[str, Any]) -> BoardNote:
        """From what `note` wrote."""
        return BoardNote(
            topics={key: _topic(each) for key, each in note.get("topics", {}).items()},
            queue=[Errand(*each) for each in note.get("queue", [])],
            looked_at=_time(note.get("looked_at")),
            read_any=bool(note.get("read_any")),
            refused=int(note.get("refused", 0)),
            turn=int(note.get("turn", 0)),
            shown=list(note.get("shown", [])),
        )

    def note(self) -> dict[str, Any]:
        """As JSON can hold it. No text and no name stands in it."""
        return {
            "topics": {key: _topic_note(each) for key, each in self.topics.items()},
            "queue": [[each.topic, each.url, each.why, each.left] for each in self.queue],
            "looked_at": self.looked_at.isoformat() if self.looked_at else None,
            "read_any": self.read_any,
            "refused": self.refused,
            "turn": self.turn,
            "shown": self.shown,
        }

    def moved(self, key: str, url: str, now: datetime, first: bool, pages: int) -> None:
        """Something was posted in a topic, known or not: it is to be read."""
        known = self.topics.pop(key, None)
        if known is None:
            known = TopicNote(url, now, now)
            errand = Errand(key, url, "first" if first else "new", pages - 1 if first else 20)
        else:
            known.moved_at = now
            last = known.pages[-1].url if known.pages else url
            errand = Errand(key, last, "tail", 20)
        self.topics[key] = known  # the newest stand last
        self.want(errand)

    def want(self, errand: Errand, soon: bool = False) -> None:
        """Put a page on the list, unless it stands there."""
        if not any(each.url == errand.url for each in self.queue):
            self.queue.insert(0 if soon else len(self.queue), errand)

    def want_again(self, now: datetime) -> None:
        """Put the pages of live topics on the list that were not read for a day, those that were not there when they
        were asked for last, and a few of the newest in turn."""
        due = [key for key, each in self.topics.items() if each.pages and each.read_at <= now - AGAIN_AFTER]
        live = [key for key in due if self.topics[key].moved_at > now - LIVE_FOR]
        for key in live[-MOST_AGAIN:]:
            self.topics[key].read_at = now
            self.check(key)
        for key, topic in self.topics.items():
            for url in topic.absent:
                self.want(Errand(key, url, "check"))
        news = [(key, page.url) for key, each in self.topics.items() if each.moved_at > now - NEWS_FOR
                for page in each.pages]  # fmt: skip
        for step in range(min(MOST_NEWS, len(news))):
            key, url = news[(self.turn + step) % len(news)]
            self.want(Errand(key, url, "check", 20))
        self.turn = (self.turn + MOST_NEWS) % max(1, len(news))

    def listed(self, keys: Iterable[str]) -> None:
        """What the list holds now: a topic that it held before has aged out, or is deleted, and is looked after."""
        now = list(keys)
        vanished = [key for key in self.shown if key in self.topics and key not in now]
        for key in vanished[:MOST_VANISHED]:
            self.want(Errand(key, self.topics[key].url, "check"))
        self.shown = now[:MOST_TOPICS]

    def check(self, key: str, but: str = "") -> None:
        """Put all known pages of a topic on the list, but for one just read."""
        for page in self.topics[key].pages:
            if page.url != but:
                self.want(Errand(key, page.url, "check", 20))

    def is_wanted(self, key: str) -> bool:
        """Whether pages of a topic are still to be read."""
        return any(each.topic == key for each in self.queue)

    def settled(self) -> Iterator[tuple[str, set[str]]]:
        """Topics all of whose pages were read, with the posts that are on none of them any more."""
        for key, topic in self.topics.items():
            if topic.missing and not self.is_wanted(key):
                lost, topic.missing = topic.missing - set(topic.posts()), set()
                yield key, lost

    def forget_oldest(self) -> None:
        """Keep no more topics than we may."""
        idle = [key for key in self.topics if not self.is_wanted(key)]
        for key in idle[: max(0, len(self.topics) - MOST_TOPICS)]:
            del self.topics[key]


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _topic(note: Mapping[str, Any]) -> TopicNote:
    pages = [PageNote(each["u"], each["e"], {post[:KEY]: post[KEY:] for post in each["p"]}) for each in note["pages"]]
    moved, read = datetime.fromisoformat(note["moved_at"]), datetime.fromisoformat(note["read_at"])
    absent = dict(note.get("absent", {}))
    return TopicNote(note["url"], moved, read, pages, set(note["missing"]), note["faults"], absent)


def _topic_note(topic: TopicNote) -> dict[str, Any]:
    return {
        "url": topic.url,
        "moved_at": topic.moved_at.isoformat(),
        "read_at": topic.read_at.isoformat(),
        "pages": [
            {"u": page.url, "e": page.etag, "b": page.previous, "p": [key + seen for key, seen in page.posts.items()]}
            for page in topic.pages
        ],
        "missing": sorted(topic.missing),
        "faults": topic.faults,
        "absent": topic.absent,
    }
