"""Which forum software a board runs, where its feed is, and what an item of it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from listener.feed_xml import root_name
from listener.feeds import FeedItem, short_hash
from listener.markup import plain_line, safe_link


class Software(StrEnum):
    """The forum programs we know."""

    DISCOURSE = "discourse"
    NODEBB = "nodebb"
    PHPBB = "phpbb"
    XENFORO = "xenforo"
    SMF = "smf"
    MYBB = "mybb"
    VBULLETIN = "vbulletin"
    VANILLA = "vanilla"
    BBPRESS = "bbpress"
    JIVE = "jive"
    INVISION = "invision"
    NING = "ning"
    MACHINA = "machina"
    SPIRIT = "spirit"


UNVERIFIED = (Software.NODEBB, Software.INVISION, Software.NING)  # neither a server nor a recording was to be had
FEED_PATHS: dict[Software, tuple[str, ...]] = {
    Software.DISCOURSE: ("posts.rss", "latest.rss"),
    Software.NODEBB: ("recent.rss",),
    Software.PHPBB: ("app.php/feed", "feed", "feed.php"),
    Software.XENFORO: ("forums/-/index.rss",),
    Software.SMF: ("index.php?action=.xml;type=rss2;sa=recent;limit=50",),
    Software.MYBB: ("syndication.php?limit=50",),
    Software.VBULLETIN: ("external.php?type=RSS2",),
    Software.VANILLA: ("discussions/feed.rss",),
    Software.BBPRESS: ("feed/",),
    Software.JIVE: (),
    Software.INVISION: ("discover/all.xml/",),
    Software.NING: ("forum/topic/list?feed=yes&xn_auth=no",),
    Software.MACHINA: ("feeds/topics/",),
    Software.SPIRIT: (),
}
POST_LEVEL = (Software.PHPBB, Software.SMF, Software.BBPRESS)  # their feeds may hold posts, not topics
FEED_ROOTS = ("rss", "feed", "rdf")

_FOOTPRINTS = (
    (Software.DISCOURSE, re.compile(r'content="Discourse|discourse-application|<generator>Discourse', re.I)),
    (Software.XENFORO, re.compile(r'<html[^>]{0,400}\bid="(?:XF|XenForo)"|<generator>XenForo', re.I)),
    (Software.NODEBB, re.compile(r'\bnodebb\b[^<>]{0,40}"|"relative_path"[^<]{0,400}nodebb|<generator>NodeBB', re.I)),
    (
        Software.INVISION,
        re.compile(r"\bips\.(?:setSetting|baseURL)|ipsSettings|<generator>Invision|\bipsLayout_", re.I),
    ),
    (Software.VANILLA, re.compile(r"\bgdn\b|vanillaforums|<generator>Vanilla|class=\"[^\"]*\bItemDiscussion\b", re.I)),
    (Software.VANILLA, re.compile(r"\bhref=\"[^\"]*/discussions?/(?:feed\.rss|\d+)", re.I)),
    (Software.BBPRESS, re.compile(r"\bbbp-(?:body|topic|reply|forum)|class=\"[^\"]*\bbbpress\b|id=\"bbpress", re.I)),
    (Software.SPIRIT, re.compile(r"\bcomments_list__comment\b|\blayout__topics__topic\b|js-clickable-area", re.I)),
    (Software.MACHINA, re.compile(r"machina|\btopic-name-link\b|\bpost-content-wrapper\b|\bforum-name-link\b", re.I)),
    (Software.SMF, re.compile(r"smf_scripturl|Powered by SMF|<generator>SMF", re.I)),
    (Software.MYBB, re.compile(r"Powered [Bb]y\W[^<]{0,20}<a[^>]*mybb|my_post_key|<generator>MyBB|\bmybb\.com", re.I)),
    (Software.VBULLETIN, re.compile(r'content="vBulletin|<generator>vBulletin|id="vbulletin_html"', re.I)),
    (Software.PHPBB, re.compile(r'Powered by <a[^>]*>phpBB|<generator>phpBB|<body[^>]*id="phpbb"|\bphpBB\b', re.I)),
    (Software.NING, re.compile(r"\bxg_(?:module|user_generated|theme)|static\.ning\.com", re.I)),
    (Software.JIVE, re.compile(r"\bjive-|\bthread\.jspa?\?|Powered by Jive", re.I)),
    # What their links look like, where they do not say who they are.
    (Software.XENFORO, re.compile(r"/threads/[^\"<>\s]*\.\d+/", re.I)),
    (Software.SMF, re.compile(r"index\.php\?(?:action=\.xml|topic=\d)", re.I)),
    (Software.MYBB, re.compile(r"showthread\.php\?tid=\d|syndication\.php", re.I)),
    (Software.VBULLETIN, re.compile(r"showthread\.php\?|forumdisplay\.php\?", re.I)),
    (Software.PHPBB, re.compile(r"viewtopic\.php\?", re.I)),
    (Software.MACHINA, re.compile(r"/topic/[\w-]+-\d+/", re.I)),
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


_BY = re.compile(r"Posted by (.{1,100}?) (?:-|–|—) ", re.I)


def adapt_item(item: FeedItem, software: Software | None, followed: bool = False) -> FeedItem:
    """An item as this software means it.

    machina shows a thread with the words of its last post, but with the author and the time of its first: unless the
    thread itself is read (`followed`), each last post is an item of its own, by nobody known. XenForo and others show
    a thread with its first post: a reply moves it up, which counts as a change of the same item.
    """
    if software is Software.MACHINA and not followed:
        return replace(item, identity=f"{item.identity}|{item.digest}", author="")
    if software in (Software.XENFORO, Software.VBULLETIN, Software.MYBB, Software.VANILLA):
        return replace(item, digest=short_hash(f"{item.digest} {item.published_at} {item.replies}", 8))
    by = _BY.search(item.stamp)
    return item if item.author or not by else replace(item, author=plain_line(by[1], 200))
