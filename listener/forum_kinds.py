"""Which forum software a board runs, where its feed is, and what an item of it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

from listener.feed_xml import root_name
from listener.feeds import FeedItem, short_hash
from listener.markup import plain_line, safe_link


class Software(StrEnum):
    """The forum programs we know."""

    DISCOURSE = "discourse"
    PHPBB = "phpbb"
    XENFORO = "xenforo"
    SMF = "smf"
    VBULLETIN = "vbulletin"
    MACHINA = "machina"


FEED_PATHS: dict[Software, tuple[str, ...]] = {
    Software.DISCOURSE: ("posts.rss", "latest.rss"),
    Software.PHPBB: ("app.php/feed", "feed", "feed.php"),
    Software.XENFORO: ("forums/-/index.rss",),
    Software.SMF: ("index.php?action=.xml;type=rss2;sa=recent;limit=50",),
    Software.VBULLETIN: ("external.php?type=RSS2",),
    Software.MACHINA: ("feeds/topics/",),
}
FEED_ROOTS = ("rss", "feed", "rdf")

_FOOTPRINTS = (
    (Software.DISCOURSE, re.compile(r'content="Discourse|discourse-application|<generator>Discourse', re.I)),
    (Software.XENFORO, re.compile(r'<html[^>]{0,300}\bid="XF"|<generator>XenForo|/threads/[^"<>\s]*\.\d+/', re.I)),
    (Software.SMF, re.compile(r"smf_scripturl|Powered by SMF|index\.php\?(?:action=\.xml|topic=\d)", re.I)),
    (Software.VBULLETIN, re.compile(r'content="vBulletin|<generator>vBulletin|showthread\.php\?', re.I)),
    (Software.PHPBB, re.compile(r"Powered by <a[^>]*>phpBB|<generator>phpBB|viewtopic\.php\?", re.I)),
    (Software.MACHINA, re.compile(r"machina|/topic/[\w-]+-\d+/", re.I)),
)
_ALTERNATE = re.compile(r"<link\b[^<>]*>", re.I)
_ATTRIBUTE = re.compile(r"""\b(rel|type|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.I)
_THREADS = (
    re.compile(r"/t/[^/]+/(\d+)(?:/\d+)?/?(?:[?#]|$)"),
    re.compile(r"viewtopic\.php\?(?:[^#]*&)?t=(\d+)"),
    re.compile(r"/threads/(?:[^/]*\.)?(\d+)"),
    re.compile(r"[?;/&]topic=(\d+)"),
    re.compile(r"showthread\.php\?(?:[^#]*&)?(?:t=)?(\d+)"),
    re.compile(r"/topic/[\w-]*?-(\d+)/"),
)


def recognise(page: str) -> Software | None:
    """The software behind a page or a feed, by what it says of itself, then by how its links look."""
    head = page[:500_000]
    return next((software for software, mark in _FOOTPRINTS if mark.search(head)), None)


def is_feed(text: str) -> bool:
    """Whether a document is RSS, Atom or RDF."""
    return root_name(text) in FEED_ROOTS


def find_feeds(page: str, url: str, software: Software | None) -> Iterator[str]:
    """Addresses at which a board's feed may be, the page's own hints first, then the usual places."""
    linked = [safe_link(hint, url) for hint in linked_feeds(page)]
    own = [link for link in linked if link and urlsplit(link).hostname == urlsplit(url).hostname]
    yield from sorted(dict.fromkeys(own), key=lambda link: "sa=news" in link)
    root = url if url.endswith("/") or "." in urlsplit(url).path.rpartition("/")[2] else f"{url}/"
    for kind in (software,) if software else Software:
        yield from (urljoin(root, path) for path in FEED_PATHS[kind])


def linked_feeds(page: str) -> Iterator[str]:
    """What `<link rel=alternate>` names as feeds, WordPress's JSON interface left out."""
    for tag in _ALTERNATE.findall(page[:500_000]):
        found = {name.lower(): one or two or three for name, one, two, three in _ATTRIBUTE.findall(tag)}
        kind, link = found.get("type", "").lower(), found.get("href", "")
        feed = "rss" in kind or "atom" in kind
        if feed and "alternate" in found.get("rel", "").lower() and "/wp-json/" not in link:
            yield link


def thread_key(link: str) -> str:
    """Host and number of the thread a link leads into; "" where it shows none."""
    found = next((match for pattern in _THREADS if (match := pattern.search(link))), None)
    return f"{urlsplit(link).hostname}/{found[1]}" if found else ""


_BY = re.compile(r"Posted by (.{1,100}?) (?:-|–|—) (.+)$", re.I)
_WHEN = re.compile(
    r"(\d{1,2}) ([A-Za-z]{3})[a-z]*\.? (\d{4}), (?:(\d{1,2})(?::(\d{2}))? ([ap])\.?m|(noon|midnight))", re.I
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_stamp(stamp: str, zone: ZoneInfo) -> tuple[str, datetime | None]:
    """Who posted and when, from the line a forum ends its posts with; "" and None where it does not say."""
    by = _BY.search(stamp)
    if not by:
        return "", None
    when = _WHEN.search(by[2])
    if not when or when[2].lower() not in _MONTHS:
        return plain_line(by[1], 200), None
    hour = int(when[4] or 12) % 12 + (12 if (when[6] or "").lower() == "p" or (when[7] or "").lower() == "noon" else 0)
    try:
        moment = datetime(
            int(when[3]), _MONTHS.index(when[2].lower()) + 1, int(when[1]), hour, int(when[5] or 0), tzinfo=zone
        )
    except ValueError:
        return plain_line(by[1], 200), None
    return plain_line(by[1], 200), moment


def adapt_item(item: FeedItem, software: Software | None, zone: ZoneInfo) -> FeedItem:
    """An item as this software means it.

    machina shows a thread with its last post: each last post is an item of its own, at that post's time. XenForo and
    vBulletin show a thread with its first post: a reply moves it up, which counts as a change of the same item.
    """
    author, posted_at = read_stamp(item.stamp, zone)
    item = replace(item, author=item.author or author)
    if software is Software.MACHINA and item.stamp:
        identity = f"{item.identity}|{item.stamp}"
        return replace(item, identity=identity, published_at=posted_at or item.published_at)
    if software in (Software.XENFORO, Software.VBULLETIN):
        return replace(item, digest=short_hash(f"{item.digest} {item.published_at} {item.replies}", 8))
    return item
