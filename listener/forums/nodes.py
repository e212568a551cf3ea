"""What selectors find in a page, and what links in it are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from selectolax.lexbor import LexborHTMLParser, LexborNode

from listener.feeds import normalise_link, short_hash
from listener.markup import safe_link

_NUMBER = re.compile(r"\d+")
MOST_TRIED = 4  # nodes a selector is tried on


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a page was read: what links, zone-less times and "yesterday" refer to."""

    url: str
    zone: ZoneInfo
    now: datetime

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc


def post_key(place: Place, number: str) -> str:
    """The identity of a post at this site, hashed."""
    return short_hash(f"{place.host}/post/{number}")


def topic_key(place: Place, name: str) -> str:
    """The identity of a topic at this site, hashed."""
    return short_hash(f"{place.host}/topic/{name}")


def search(patterns: Iterable[re.Pattern[str]], link: str) -> str:
    """The first that the patterns catch in a link; "" for nothing."""
    finds = (pattern.search(link) for pattern in patterns)
    return next((found[1] for found in finds if found), "")


_SESSION = re.compile(r"(?<=[?&;])(?:sid|s|phpsessid)=[0-9a-f]{16,}[&;]?", re.IGNORECASE)


def without_session(link: str) -> str:
    """A link without the number of our visit."""
    before, mark, place = link.partition("#")
    return f"{_SESSION.sub('', before).rstrip('?&;')}{mark}{place}"


def distinct(nodes: Sequence[LexborNode], innermost: bool) -> list[LexborNode]:
    """Of nodes within nodes only the outer ones, or only the inner ones."""
    nodes = list({node.mem_id: node for node in nodes}.values())  # one that two selectors find is found twice
    ids = {node.mem_id for node in nodes}
    holding = {above.mem_id for node in nodes for above in ancestors(node) if above.mem_id in ids}
    if innermost:
        return [node for node in nodes if node.mem_id not in holding]
    return [node for node in nodes if not any(above.mem_id in ids for above in ancestors(node))]


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """What a node stands in, from the inside out."""
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def values(scope: Sequence[LexborNode], selectors: Iterable[str]) -> Iterator[str]:
    """What the selectors find, in their order: words, or an attribute's value for `selector@name`."""
    for selector in selectors:
        path, _, name = selector.partition("@")
        for node in scope:
            for each in [node] if not path else node.css(path)[:MOST_TRIED]:
                value = each.attributes.get(name) if name else each.text(separator=" ")
                if value and value.strip():
                    yield value.strip()[:1000]


def links(tree: LexborHTMLParser | LexborNode, selectors: Iterable[str], base: str, host: str) -> Iterator[str]:
    """The links that the selectors find and that stay on the host."""
    for selector in selectors:
        for each in tree.css(selector):
            link = safe_link(each.attributes.get("href") or "", base)
            if link and urlsplit(link).netloc == host:
                yield link


def after(text: str, pattern: str) -> str:
    """What follows the pattern's last find; all of it where there is none."""
    finds = list(re.finditer(pattern, text)) if pattern else []
    return text[finds[-1].end() :] if finds else text


def numbers_of(link: str) -> list[int]:
    """Its numbers, by which pages of one thread are in order."""
    return [int(each[:12]) for each in _NUMBER.findall(normalise_link(link))]
