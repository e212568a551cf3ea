"""What an address of a board leads to: its feed, its JSON, a list of topics, or one topic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from listener.connector import Tools
from listener.domains import registrable_domain
from listener.fetch import Fetched
from listener.forums.asking import Absent, ask
from listener.forums.discourse import base_of, read_rows
from listener.forums.json_pages import read_json, read_json_page
from listener.forums.kinds import Software, find_feeds, is_feed, recognise
from listener.forums.lists import read_links
from listener.forums.nodes import Place, search
from listener.forums.pages import ForumPage, base_of_page, decode_page, parse_html, read_page
from listener.forums.rules import all_software, rules_for
from listener.markup import looks_like_sign_in
from mentions.failures import NeedsAttention, NotConfigured, TemporaryFailure

PAGE_OR_FEED = "text/html, application/xhtml+xml, application/rss+xml, application/atom+xml, */*;q=0.5"
_DISCOURSE_TOPIC = re.compile(r"^(.*)/t/(?:[^/]+/)?(\d+)(?:/\d+)?/?$")


@dataclass(frozen=True, slots=True)
class Found:
    """Where to read: `mode` is posts (a whole Discourse board), feed, list or topic."""

    software: Software | None
    mode: str
    address: str


class Finder:
    """Finds out what a board is, once; and reads its pages, for as long as it is known."""

    def __init__(self, tools: Tools, url: str, software: Software | None, zone: ZoneInfo) -> None:
        self._tools = tools
        self._url = url
        self._given = software
        self._zone = zone
        self._where = registrable_domain(url)

    def find(self) -> Found:
        """What to read. Raises `TemporaryFailure` where nothing is found that could be read, or as `Fetcher.get`."""
        if self._given is Software.DISCOURSE and (found := self._discourse(self._url)):
            return found
        try:
            got = ask(self._tools, self._url, accept=PAGE_OR_FEED)
        except Absent as absent:
            return self._elsewhere(absent)
        text = decode_page(got.body, got.charset)
        if document := read_json(text):
            if "latest_posts" in document and not urlsplit(self._url).query:
                return Found(Software.DISCOURSE, "posts", base_of(self._url))
            if "version" not in document:
                return self._json(got, self._given)
        software = self._given or recognise(text)
        if is_feed(text) or read_json(text):
            return Found(software, "feed", self._url)
        if text.lstrip().startswith(("{", "[")):
            raise TemporaryFailure(f"{self._where}: answered with JSON that is no board; check the url")
        if software is Software.DISCOURSE and (found := self._discourse(got.url)):
            return found
        if software is Software.NODEBB and (found := self._nodebb(got.url)):
            return found
        return self._page(text, got, software)

    def look(self) -> None:
        """See that the board is there, by its feed, its list or its one topic. Raises `TemporaryFailure` or
        `RateLimited` where it is not."""
        try:
            found = self.find()
            if found.mode == "posts":
                read_rows(ask(self._tools, f"{found.address}/posts.json", accept="application/json"), found.address)
            elif found.mode == "topic" and not self.read(ask(self._tools, found.address), found.software).posts:
                raise TemporaryFailure(f"{self._where}: shows no posts")
        except (Absent, NeedsAttention, NotConfigured) as failure:
            why = failure.as_failure() if isinstance(failure, Absent) else failure
            raise TemporaryFailure(
                f"whether posts are gone cannot be told while their board is away ({why})"
            ) from failure

    def _elsewhere(self, absent: Absent) -> Found:
        """There is no such page: the feed of the software that was told may be where it always is."""
        for candidate in find_feeds("", self._url, self._given) if self._given else ():
            if self._is_feed(candidate):
                return Found(self._given, "feed", candidate)
        raise absent.as_failure() from absent

    def _json(self, got: Fetched, software: Software | None) -> Found:
        page = self.read(got, software)
        return Found(software, "topic" if page.posts else "list", self._url)

    def _discourse(self, url: str) -> Found | None:
        """A topic's JSON or the whole board's; None for an address that names its own form."""
        parts = urlsplit(url)
        if parts.query and parts.path.endswith(".json"):
            return None
        if found := _DISCOURSE_TOPIC.match(f"{parts.scheme}://{parts.netloc}{parts.path}"):
            return Found(Software.DISCOURSE, "topic", f"{found[1]}/t/{found[2]}.json")
        if parts.path.endswith((".rss", ".json")) and not parts.path.endswith("/posts.json"):
            return None
        if "/t/" in parts.path:
            return None
        return Found(Software.DISCOURSE, "posts", base_of(url))

    def _nodebb(self, url: str) -> Found | None:
        """NodeBB's JSON, where it is open. Unverified."""
        parts = urlsplit(url)
        inside = re.search(r"/(?:topic|category)/\d+", parts.path)
        root = parts.path[: inside.start()] if inside else parts.path.rstrip("/")
        address = f"{parts.scheme}://{parts.netloc}{root}/api{inside[0] if inside else '/recent'}"
        try:
            found = self._json_at(address)
        except (TemporaryFailure, NeedsAttention, NotConfigured):
            return None
        return Found(Software.NODEBB, "topic" if found.posts else "list", address)

    def _json_at(self, address: str) -> ForumPage:
        return self.read(self._get(address, "application/json"), Software.NODEBB)

    def _page(self, text: str, got: Fetched, software: Software | None) -> Found:
        """What a page of a board leads to."""
        place = Place(got.url, self._zone, self._tools.clock())
        software, page = self._tools.apart(best_page, text, place, software)
        if page.posts:
            return Found(software, "topic", self._url)
        for candidate in self._candidates(text, got.url, software, page):
            if self._is_feed(candidate):
                return Found(software, "feed", candidate)
        if page.rows or page.boards:
            return Found(software, "list", self._url)
        if looks_like_sign_in(text):
            raise NeedsAttention(f"{self._where}: asks for a sign-in; only public forums are read")
        raise TemporaryFailure(
            f"{self._where}: no feed found at this address, nor topics or posts; tried again, or check the url"
        )

    def _candidates(self, text: str, url: str, software: Software | None, page: ForumPage) -> Iterator[str]:
        """Where a feed may be. A page of one board wants that board's own feed, or is read itself."""
        board = search(rules_for(software, "").board, url) if software and software in all_software() else ""
        if not (board and page.rows):
            yield from find_feeds(text, url, software)
            return
        own = re.compile(rf"(?<![A-Za-z0-9]){re.escape(board)}(?![A-Za-z0-9])")
        yield from (each for each in find_feeds(text, url, software) if own.search(each.partition("://")[2]))

    def _is_feed(self, candidate: str) -> bool:
        try:
            got = self._get(candidate, PAGE_OR_FEED)
        except (TemporaryFailure, NeedsAttention, NotConfigured):
            return False
        return is_feed(decode_page(got.body, got.charset))

    def _get(self, url: str, accept: str) -> Fetched:
        return self._tools.fetch.get(url, accept=accept, permitted=self._tools.may_read(url))

    def read_any(self, got: Fetched) -> ForumPage:
        """The page in an answer of a board whose software was not told."""
        return self.read(got, self._given or recognise(decode_page(got.body, got.charset)))

    def read(self, got: Fetched, software: Software | None) -> ForumPage:
        """See `read_answer`; what strangers sent is taken apart in a process of its own."""
        return self._tools.apart(read_answer, got, software, Place(got.url, self._zone, self._tools.clock()))


def read_answer(got: Fetched, software: Software | None, place: Place) -> ForumPage:
    """The page in an answer. Raises `NeedsAttention` for a sign-in page, `TemporaryFailure` for no page at all."""
    text = decode_page(got.body, got.charset)
    where = f"{place.host}{urlsplit(got.url).path}"
    if document := read_json(text):
        try:
            page = read_json_page(document, place)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise TemporaryFailure(f"{where}: answered with JSON that cannot be read") from error
        if page is None:
            raise TemporaryFailure(f"{where}: answered with JSON that is no topic and no list; check the url")
        return page
    _, page = best_page(text, place, software)
    if not (page.posts or page.rows or page.boards or page.missing) and looks_like_sign_in(text):
        raise NeedsAttention(f"{where}: answered with a sign-in page; only public pages are read")
    return page


def best_page(text: str, place: Place, software: Software | None) -> tuple[Software | None, ForumPage]:
    """The page by its software's rules; where they find nothing on it, by those of others that find most."""
    host = host_of(text, place)
    own = [software] if software and software in all_software() else []
    page = by_rules_of(own[0], text, place, host) if own else ForumPage(place.url)
    if page.posts or page.rows or page.missing:
        return software, page
    others = [] if page.boards else [name for name in all_software() if name not in own]
    pages = {name: by_rules_of(name, text, place, host) for name in others}
    most = max(pages, key=lambda name: (len(pages[name].posts), len(pages[name].rows)), default="")
    if most and (pages[most].posts or len(pages[most].rows) > 1):
        return (software or Software(most)), pages[most]
    for name in own:
        tree = parse_html(text, place)
        page = replace(page, rows=read_links(tree, rules_for(name, host), place, base_of_page(tree, place.url)))
    return software, page


def by_rules_of(name: str, text: str, place: Place, host: str) -> ForumPage:
    """The page as one software's rules take it apart."""
    return read_page(parse_html(text, place), rules_for(name, host), place)


_CANONICAL = re.compile(r"""<link\b[^<>]*\brel=["']canonical["'][^<>]*>""", re.IGNORECASE)


def host_of(text: str, place: Place) -> str:
    """The host a page belongs to, by what it says of itself: exceptions are kept under that name."""
    found = _CANONICAL.search(text[:200_000])
    named = re.search(r"https?://([^/\"'?#]+)", found[0]) if found else None
    return named[1].lower() if named else place.host
