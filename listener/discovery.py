"""From the address of a web page to the feed it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urljoin, urlsplit

from listener.markup import safe_link

LOOKED_AT = 500_000  # characters of a page
MOST_TRIED = 12  # addresses a person's page costs its host, at the most
FEED_TYPES = ("rss", "atom", "feed+json", "rdf+xml")
WELL_KNOWN = ("atom.xml", "feed.atom", "feed.xml", "feed/", "index.rss", "index.xml", "rss.xml", "rss/")
YOUTUBE_HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com")

_LINK = re.compile(r"<(?:link|base)\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""\b(rel|type|href|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_COMMENTS = re.compile(r"comment", re.IGNORECASE)
_CHANNEL = re.compile(r"/channel/(UC[\w-]{22})(?:[/?#]|$)")
_CHANNEL_NAMED = re.compile(
    r"""(?:itemprop=["'](?:channelId|identifier)["']\s+content=|"(?:channelId|externalId)"\s*:\s*)["'](UC[\w-]{22})["']"""
)


def feed_addresses(page: str, url: str) -> list[str]:
    """Where the feed of the page at `url` may be, the likeliest first, each once."""
    found = [*linked_feeds(page, url), *youtube_feeds(page, url), *usual_places(url)]
    return [link for link in dict.fromkeys(found) if link != url][:MOST_TRIED]


def linked_feeds(page: str, url: str) -> list[str]:
    """What `<link rel=alternate>` names as feeds; those of comments behind those of posts."""
    base, found = url, []
    for tag in _LINK.findall(page[:LOOKED_AT]):
        named = {name.lower(): one or two or three for name, one, two, three in _ATTRIBUTE.findall(tag)}
        if tag[:5].lower() == "<base":
            base = safe_link(named.get("href", ""), url) or base
            continue
        kind, link = named.get("type", "").lower(), safe_link(named.get("href", ""), base)
        is_feed = any(each in kind for each in FEED_TYPES) or (kind == "application/json" and "feed" in link)
        if link and is_feed and "alternate" in named.get("rel", "").lower().split() and "/wp-json/" not in link:
            found.append((bool(_COMMENTS.search(named.get("title", "") + link)), link))
    return [link for _, link in sorted(found, key=lambda each: each[0])]


def youtube_feeds(page: str, url: str) -> Iterator[str]:
    """The feed of a channel or a playlist, at the site that shows it."""
    parts = urlsplit(url)
    named = _CHANNEL.search(url)
    if parts.hostname in YOUTUBE_HOSTS:
        if playlist := parse_qs(parts.query).get("list"):
            yield urljoin(url, f"/feeds/videos.xml?playlist_id={playlist[0]}")
        named = named or _CHANNEL_NAMED.search(page)
    if named:
        yield urljoin(url, f"/feeds/videos.xml?channel_id={named[1]}")


def usual_places(url: str) -> Iterator[str]:
    """Where many sites keep their feed: beside the page, then at the site's root."""
    here = url if url.endswith("/") else f"{url}/"
    inside = "." not in urlsplit(url).path.rpartition("/")[2]
    for root in dict.fromkeys((here if inside else urljoin(url, "."), urljoin(url, "/"))):
        yield from (urljoin(root, path) for path in WELL_KNOWN)
