"""Any feed (RSS, Atom, RDF, JSON Feed) into one shape: items with an identity that lasts."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import feedparser

from listener.dates import believable, read_date
from listener.feed_xml import Tangle, mend_xml, root_name
from listener.json_feed import json_entries
from listener.markup import decode, looks_like_sign_in, plain_line, plain_text, safe_link
from mentions.failures import NeedsAttention, TemporaryFailure

if TYPE_CHECKING:
    from listener.fetch import Fetched

LARGEST = 5_000_000  # bytes of one feed
SESSION_KEYS = frozenset({"sid", "s", "phpsessid", "fbclid", "gclid"})
ADDRESSES = ("http://", "https://", "//", "/")
UNTITLED = "(no words)"
# What an entry may hold without holding anything: its bare id, its times, and what feedparser adds to an empty tag.
BARE = frozenset(
    f"{name}{part}"
    for name in ("id", "guidislink", "link", "links", "published", "updated", "created", "title", "summary", "content")
    for part in ("", "_parsed", "_detail")
)
PERIODS = {"hourly": 1, "daily": 24, "weekly": 24 * 7, "monthly": 24 * 30, "yearly": 24 * 365}


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry, cleaned. `identity` is the same at every reading; `digest` changes when the words do.

    `published_at` is None where the feed gives no believable time. `stamp` is the line with which some forums end a
    post ("Posted by ... on ..."), already taken out of the text. `origin` is the site an aggregator took it from,
    `guid` the entry's own name as the feed gives it.
    """

    identity: str
    digest: str
    title: str
    text: str
    link: str
    author: str = ""
    published_at: datetime | None = None
    lang: str = ""
    origin: str = ""
    stamp: str = ""
    replies: int | None = None
    guid: str = ""

    def native_id(self, source: str) -> str:
        """What the feed calls it; where it has no name, its identity without the source's."""
        return self.guid or self.identity.removeprefix(f"{source}|")


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """What a document held. `odd` holds a short key for each entry left out, and why; `cut` how many broke off."""

    items: tuple[FeedItem, ...]
    odd: Mapping[str, str]
    cut: int = 0
    rhythm: timedelta | None = None
    generator: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a document was read: what relative links, zone-less times and bare ids refer to."""

    source: str
    url: str
    zone: ZoneInfo
    now: datetime


def parse_feed(body: bytes, label: str | None, setting: Setting) -> ParsedFeed:
    """The items of a document, in its order.

    Raises `NeedsAttention` for a sign-in page, `TemporaryFailure` for an empty body and for anything that is no feed.
    One unreadable entry is left out and counted, never its neighbours.
    """
    where = place_of(setting.url)
    if len(body) > LARGEST:
        raise TemporaryFailure(f"{where}: the feed is larger than {LARGEST // 1_000_000} MB and was not read")
    text = decode(body, label).lstrip("\ufeff \t\r\n\x00")
    if not text:
        raise TemporaryFailure(f"{where}: answered with nothing at all; it will be tried again")
    if text.startswith("{"):
        entries = json_entries(text)
        if entries is None:
            raise TemporaryFailure(f"{where}: answered with JSON that is no feed; check the url")
        return gather(entries, setting)
    root = root_name(text)
    if root in ("html", "body", "head", "") or "<html" in text[:1000].lower():
        refuse_page(text, where)
    return parse_xml(text, where, setting)


class NoFeed(TemporaryFailure):
    """It is a web page: perhaps one that names a feed. `got` is the answer that held it, where it was asked for."""

    got: Fetched | None = None


class SignInInstead(NeedsAttention):
    """It is a page that has a sign-in: perhaps one that names a feed all the same."""

    got: Fetched | None = None


def refuse_page(text: str, where: str) -> None:
    """Say what a web page served in a feed's place means."""
    if looks_like_sign_in(text):
        raise SignInInstead(f"{where}: answered with a sign-in page; only public pages are read, check the url")
    raise NoFeed(f"{where}: answered with a web page, not a feed; it will be tried again, or check the url")


def place_of(url: str) -> str:
    """Host and path, for messages."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"


def parse_xml(text: str, where: str, setting: Setting) -> ParsedFeed:
    """The items of RSS, Atom or RDF, mended where it is broken."""
    try:
        mended = mend_xml(text)
    except Tangle as tangle:
        raise TemporaryFailure(f"{where}: the feed is a tangle of tags and was not read") from tangle
    parsed = ask_feedparser(mended.xml, where)
    if not parsed.entries and not parsed.version:
        if looks_like_sign_in(text):
            refuse_page(text, where)
        raise TemporaryFailure(f"{where}: answered with something that is no feed; check the url")
    feed = gather([dict(xml_entry(entry)) for entry in parsed.entries], setting)
    lost = mended.cut if mended.whole else max(0, mended.items - len(parsed.entries))
    return ParsedFeed(feed.items, feed.odd, lost, rhythm_of(parsed.feed), str(parsed.feed.get("generator") or ""))


def ask_feedparser(xml: bytes, where: str) -> Any:
    """What feedparser makes of it; its own faults over odd documents are failures of the document."""
    try:
        return feedparser.parse(
            io.BytesIO(xml),  # never bare bytes: feedparser would open a file of that name
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError, AssertionError) as error:
        raise TemporaryFailure(f"{where}: the feed could not be read ({type(error).__name__})") from error


def xml_entry(entry: Any) -> dict[str, str]:
    """The fields we use of feedparser's entry, raw, under one set of names.

    feedparser's own lookup maps missing dates to others, so plain dictionary access is used throughout.
    """
    get: Callable[..., Any] = lambda name, default="": dict.get(entry, name, default) or default  # noqa: E731
    content = get("content", [])
    body = next((part.get("value", "") for part in content if part.get("value")), "")
    source = get("source", {})
    guid, link = str(get("id")), str(get("link")) or next((str(each.get("href", "")) for each in get("links", [])), "")
    lost_guid = not guid and get("guidislink", False)  # an address that feedparser could not read
    if link == guid and not get("links", []) and not link.startswith(ADDRESSES):
        link = ""  # feedparser takes every guid for a link
    return {
        "id": guid,
        "link": link,
        "title": str(get("title")),
        "html": str(body or get("summary") or get("description")),
        "author": str(get("author")),
        "date": str(get("published") or get("updated") or get("created")),
        "lang": str(get("language")),
        "origin": str(source.get("href") or source.get("link") or "") if isinstance(source, dict) else "",
        "replies": str(get("slash_comments") or get("thr_total")),
        "rest": "more" if lost_guid or any(value for name, value in entry.items() if name not in BARE) else "",
    }


def rhythm_of(feed: Any) -> timedelta | None:
    """The gap between posts that the feed itself names, by ttl or sy:updatePeriod."""
    ttl = str(dict.get(feed, "ttl", "")).strip()
    if ttl.isdecimal() and int(ttl[:6]) > 0:
        return timedelta(minutes=int(ttl[:6]))
    hours = PERIODS.get(str(dict.get(feed, "sy_updateperiod", "")).strip().lower())
    often = str(dict.get(feed, "sy_updatefrequency", "1")).strip()
    return timedelta(hours=hours) / max(1, int(often[:4]) if often.isdecimal() else 1) if hours else None


def gather(entries: Sequence[dict[str, str]], setting: Setting) -> ParsedFeed:
    """Items of raw entries; those that hold nothing, and those that cannot be read, are odd."""
    shared = shared_names(entries, setting.url)
    items: dict[str, FeedItem] = {}
    odd: dict[str, str] = {}
    for entry in entries:
        try:
            item = clean_entry(entry, shared, setting)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            odd[short_hash(repr(entry))] = f"an entry that cannot be read ({type(error).__name__})"
            continue
        if item is None:
            odd[short_hash(repr(entry))] = "an entry that holds nothing"
        else:
            items.setdefault(item.identity, item)
    return ParsedFeed(tuple(items.values()), odd)


def shared_names(entries: Sequence[dict[str, str]], url: str) -> set[str]:
    """The guids, or the links of entries without one, that different entries of one document share; a plain repetition
    of an entry is none."""
    names = [entry["id"].strip() or normalise_link(safe_link(entry["link"], url)) for entry in entries]
    distinct = {
        (name, entry["link"], entry["title"], entry["html"]) for name, entry in zip(names, entries, strict=True)
    }
    return {name for name, times in Counter(name for name, *_ in distinct).items() if name and times > 1}


def clean_entry(entry: dict[str, str], shared: set[str], setting: Setting) -> FeedItem | None:
    """One raw entry, cleaned and named; None where there is nothing in it.

    A post that is only a picture or a link is a post: it goes by its address, or by `UNTITLED`.
    """
    markup, stamp = split_stamp(entry["html"])
    title, text = plain_line(entry["title"]), plain_text(markup)
    link = safe_link(entry["link"], setting.url)
    address = link or entry["link"] or entry["id"].startswith(ADDRESSES)
    if not (title or text or address or entry["title"] or entry["html"] or entry.get("rest")):
        return None
    words = f"{title}\n{text}" if title or text else short_hash(repr(entry))
    if not (title or text):
        title = place_of(link) or UNTITLED
    replies = entry.get("replies", "")
    return FeedItem(
        identity=identify(entry["id"].strip(), link, words, shared, setting.source),
        digest=short_hash(f"{title}\n{text}", 8),
        title=title,
        text=text,
        link=link,
        author=author_name(entry["author"]),
        published_at=believable(read_date(entry["date"], setting.zone), setting.now),
        lang=plain_line(entry.get("lang", ""), 20).lower(),
        origin=safe_link(entry.get("origin", "")),
        stamp=stamp,
        replies=int(replies[:9]) if replies.isdecimal() else None,
        guid=entry["id"].strip(),
    )


def identify(guid: str, link: str, words: str, shared: Collection[str], source: str) -> str:
    """The identity of an item: its guid, else its link, else its words.

    A guid or a link that several items of a document share is joined with the words. Anything that is no address of its
    own (a bare number, the words) holds only within its source.
    """
    address = normalise_link(link)
    if guid and guid not in shared:
        return guid if guid.startswith(("http://", "https://", "tag:", "urn:uuid:")) else f"{source}|{guid}"
    if guid or address in shared:
        return f"{source}|{guid}|{address}|{short_hash(words)}"
    return address or f"{source}|{short_hash(words)}"


def normalise_link(link: str) -> str:
    """A link without its fragment and without what changes from visit to visit (utm_*, session ids)."""
    if not link:
        return ""
    parts = urlsplit(link)
    kept = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if key.lower() not in SESSION_KEYS and not key.lower().startswith("utm_")
    ]
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, urlencode(kept), ""))


def short_hash(text: str, length: int = 16) -> str:
    """The first hexadecimal digits of sha256."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:length]


_MAILED = re.compile(r"^\S+@\S+ \((.+)\)$")  # the form RSS asks for: mailbox (name)
_STAMPED = re.compile(
    r"<p>\s*Statistics: Posted by |<p>.*memberlist\.php\?mode=viewprofile|<i>\s*Posted by [^<]{1,200} - [^<]*</i>\s*$",
    re.DOTALL,
)


def author_name(author: str) -> str:
    """The name alone, without a mailbox before it."""
    line = plain_line(author, 200)
    found = _MAILED.match(line)
    return found[1] if found else line


def split_stamp(markup: str) -> tuple[str, str]:
    """The text of a forum post, and the line its software appends: who posted when, with counts of views.

    That line changes at every view (phpBB) and names a person, so it must be neither hashed nor kept.
    """
    at = max(markup.rfind("<p>"), markup.rfind("<i>"))
    tail = markup[at:] if at >= 0 else ""
    if len(tail) < 2000 and _STAMPED.match(tail):
        return markup[:at], plain_line(tail)
    return markup, ""
