"""Posts looked at again, whole conversations, and what was posted in a past span: beside polling."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from listener.connector import Locator, Tools
from listener.forums.asking import Absent, ask
from listener.forums.crawl import same_site
from listener.forums.finding import Finder
from listener.forums.lists import TopicRow
from listener.forums.nodes import Place, topic_key
from listener.forums.pages import ForumPage, PagePost
from mentions.failures import Failure, NeedsAttention, NotConfigured

AROUND = 5  # pages of a conversation read before and after the one that a post stands on
PAGES_A_CALL = 4
MOST_WAITING = 500  # addresses a backfill's cursor may hold
_DISCOURSE_POST = re.compile(r"^(.*/t)/[^/]+/(\d+)/(\d+)$")

Found = tuple[ForumPage, PagePost]


@dataclass(slots=True)
class Again:
    """What became of posts: `found` on their pages, `gone` from them; `there` says that some page showed posts."""

    found: list[Found] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    there: bool = False


class Rereader:
    """Reads pages that links lead to."""

    def __init__(self, tools: Tools, finder: Finder, zone: ZoneInfo) -> None:
        self._tools = tools
        self._finder = finder
        self._zone = zone

    def recheck(self, locators: Sequence[Locator]) -> Again:
        """Look at posts where they stand, page by page. What a failure keeps us from is in neither list, also where a
        board or its guard refuses us or robots.txt closes the page: that tells nothing of the posts. The first failure
        is raised where nothing could be told at all. Where all that could be told is that posts are gone, the board
        itself is looked at too: one that is being moved or mended has none of its pages."""
        again = Again()
        first: Failure | None = None
        for link, wanted in by_page(locators).items():
            try:
                self._recheck_page(link, wanted, again)
            except (NeedsAttention, NotConfigured) as failure:
                first = first or failure
            except Failure as failure:
                first = first or failure
                break
        if again.gone and not again.there:
            self._finder.look()
        if first is not None and not (again.found or again.gone):
            raise first
        return again

    def _recheck_page(self, link: str, wanted: Sequence[Locator], again: Again) -> None:
        try:
            page = self._page(link)
        except Absent:
            again.gone += [each.id for each in wanted]
            return
        shown = {post.key: (page, post) for post in page.posts}
        again.there = again.there or bool(shown)
        missing = []
        for each in wanted:
            if found := shown.get(key_of(each)):
                again.found.append(found)
            else:
                missing.append(each)
        if not missing or not (page.posts or page.missing):
            return
        if page.missing:
            again.gone += [each.id for each in missing]
            return
        again.gone += [each.id for each in self._not_moved(page, missing, again)]

    def _not_moved(self, page: ForumPage, missing: Sequence[Locator], again: Again) -> Iterator[Locator]:
        """Those that are not on the page before either: an earlier deletion moves a post there."""
        place = Place(page.url, self._zone, self._tools.clock())
        posts = [
            each for each in missing if each.native_id.isdecimal() and key_of(each) != topic_key(place, page.topic)
        ]
        before = self._page(page.previous) if posts and page.previous else None
        shown = {post.key: (before, post) for post in before.posts} if before else {}
        for each in posts:
            if found := shown.get(key_of(each)):
                again.found.append(found)
            else:
                yield each

    def conversation(self, link: str) -> list[Found]:
        """The posts of the thread a link leads into, oldest first, as far as five pages to each side."""
        try:
            here = self._page(readable(link))
            pages = [*reversed(list(self._beside(here, "previous"))), here, *self._beside(here, "next")]
        except Absent as absent:
            raise absent.as_failure() from absent
        posts = {post.key: (page, post) for page in pages for post in page.posts}
        return list(posts.values())

    def _beside(self, page: ForumPage, side: str) -> Iterator[ForumPage]:
        seen = {page.url}
        for _ in range(AROUND):
            link = getattr(page, side)
            if not link or link in seen:
                return
            seen.add(link)
            page = self._page(link)
            yield page

    def past(self, since: datetime, until: datetime, note: Mapping[str, Any]) -> tuple[list[Found], dict[str, Any]]:
        """Posts published in [since, until) on the next few pages, and where to go on; `note` names pages of `lists`
        and of `topics` still to be read."""
        lists, topics = list(note["lists"]), list(note["topics"])
        found: list[Found] = []
        for _ in range(PAGES_A_CALL):
            if topics:
                try:
                    page = self._page(topics.pop(0))
                except (Absent, NeedsAttention, NotConfigured):
                    continue
                found += [(page, post) for post in page.posts if within(post.published_at, since, until)]
                times = [post.published_at for post in page.posts if post.published_at]
                if page.next and (not times or min(times) < until):
                    topics.insert(0, page.next)
            elif lists:
                page = self._page(lists.pop(0))
                topics += [each for each in self._of_list(page, since, until) if each not in topics]
                lists += [each for each in further(page, since) if each not in lists]
        return found, {"lists": lists[:MOST_WAITING], "topics": topics[:MOST_WAITING]}

    def _of_list(self, page: ForumPage, since: datetime, until: datetime) -> Iterator[str]:
        if page.posts:
            yield page.url
        for row in page.rows:
            address = row.address or row.link
            if same_site(address, page.url) and may_hold(row, since, until):
                yield address

    def _page(self, link: str) -> ForumPage:
        return self._finder.read_any(ask(self._tools, link))


def by_page(locators: Sequence[Locator]) -> dict[str, list[Locator]]:
    """The posts by the page they stand on."""
    pages: dict[str, list[Locator]] = {}
    for each in locators:
        if each.link:
            pages.setdefault(readable(each.link), []).append(each)
    return pages


def readable(link: str) -> str:
    """What to ask for to see a post: its page without the place on it, Discourse's as JSON."""
    page = link.partition("#")[0]
    found = _DISCOURSE_POST.match(page)
    return f"{found[1]}/{found[2]}/{found[3]}.json" if found else page


def key_of(locator: Locator) -> str:
    """The post's key, which its mention's id holds."""
    return locator.id.partition(":")[2]


def within(moment: datetime | None, since: datetime, until: datetime) -> bool:
    """Whether a post's time is known and in the span."""
    return moment is not None and since <= moment < until


def may_hold(row: TopicRow, since: datetime, until: datetime) -> bool:
    """Whether a topic may hold posts of the span, by when it began and when something was posted in it last."""
    begun = row.published_at if row.published_at != row.last_at else None
    return (row.last_at is None or row.last_at >= since) and (begun is None or begun < until)


def further(page: ForumPage, since: datetime) -> Iterator[str]:
    """The lists after this one: its boards, and its next page while topics on it are young enough."""
    yield from page.boards[:50]
    times = [row.last_at for row in page.rows if row.last_at]
    if page.next and page.rows and (not times or max(times) >= since):
        yield page.next


def started(address: str) -> dict[str, Any]:
    """Where a backfill begins."""
    return {"lists": [address], "topics": []}
