"""A page that lists topics: one row for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser, LexborNode

from listener.feeds import normalise_link, short_hash
from listener.forums.moments import read_moment, writes_month_first
from listener.forums.nodes import MOST_TRIED, Place, after, distinct, links, search, topic_key, values, without_session
from listener.forums.rules import ListRules, Rules
from listener.markup import plain_line, plain_text, safe_link

SHORTEST_TITLE = 4  # characters; what is shorter is the number of a page or an arrow
FEWEST_LINKS = 3  # to topics on a page that lists them
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic as a list shows it. `digest` changes when something is posted in it, never when it is looked at.

    `address` is what to read, where that is not the link for people.
    """

    key: str
    link: str
    title: str
    digest: str
    author: str = ""
    excerpt: str = ""
    published_at: datetime | None = None
    replies: int | None = None
    board: str = ""
    number: str = ""
    address: str = ""
    last_at: datetime | None = None


def read_rows(tree: LexborHTMLParser, rules: Rules, place: Place, base: str) -> tuple[TopicRow, ...]:
    """The topics that a page lists, each once."""
    table = rules.topics
    nodes = distinct(tree.css(table.row), innermost=True)  # rows stand in rows where tables make up the page
    times = [[*values([node], table.time), *values([node], table.last)] for node in nodes]
    month_first = writes_month_first((each for told in times for each in told), place.now, rules.month_first)
    rows: dict[str, TopicRow] = {}
    for node in nodes:
        if row := read_row(node, rules, table, place, base, month_first):
            rows.setdefault(row.key, row)
    return tuple(rows.values())


def read_links(tree: LexborHTMLParser, rules: Rules, place: Place, base: str) -> tuple[TopicRow, ...]:
    """The topics that a page links to, where it lists them in no way that the rules know."""
    rows: dict[str, TopicRow] = {}
    for each in tree.css("a[href]"):
        link, title = safe_link(each.attributes.get("href") or "", base), plain_line(each.html or "")
        name = search(rules.topic, link)
        if not name or len(title) < SHORTEST_TITLE or title.isdecimal() or "#" in link:
            continue
        key, known = topic_key(place, name), rows.get(topic_key(place, name))
        if known is None or len(title) > len(known.title):
            rows[key] = TopicRow(key, strip_to_topic(link), title, short_hash(title, 8), number=name)
    return tuple(rows.values()) if len(rows) >= FEWEST_LINKS else ()


def read_row(
    node: LexborNode, rules: Rules, table: ListRules, place: Place, base: str, month_first: bool
) -> TopicRow | None:
    """One topic; None for a row that links to none."""
    link, title = topic_link(node, rules, table, base)
    if not link or not title:
        return None
    key = search(rules.topic, link) or normalise_link(link)
    told = [read_moment(after(each, table.time_after), place.zone, place.now, month_first)
            for each in values([node], table.time)]  # fmt: skip
    last = [read_moment(each, place.zone, place.now, month_first) for each in values([node], table.last)]
    counts = (_NUMBER.search(each) for each in values([node], table.replies))
    replies = next((count[0] for count in counts if count), "")
    hrefs = (each.attributes.get("href") or "" for each in node.css("a[href]"))
    posts = sorted({found for href in hrefs if (found := search(rules.post, href))})
    moved = "" if replies and posts else next((f"{each:%Y%m%d%H%M}" for each in last if each), "")
    board = next(links(node, table.board, base, place.host), "")
    return TopicRow(
        key=topic_key(place, key),
        number=key,
        link=link,
        title=title,
        digest=short_hash(f"{title}|{replies}|{posts}|{moved}", 8),
        author=next((line for each in values([node], table.author) if (line := plain_line(each, 200))), ""),
        excerpt=next((text for each in node_html(node, table.excerpt) if (text := plain_text(each))), ""),
        published_at=next((each for each in (*told, *last) if each), None),
        last_at=max((each for each in last if each), default=None),
        replies=int(replies[:9]) if replies else None,
        board=board,
    )


def topic_link(node: LexborNode, rules: Rules, table: ListRules, base: str) -> tuple[str, str]:
    """Where a row's topic stands, and what it is called."""
    for selector in table.link:
        for each in node.css(selector)[:MOST_TRIED]:
            link = safe_link(each.attributes.get("href") or "", base)
            title = plain_line(each.attributes.get("title") or "") if "lastpost" in selector else ""
            title = title or plain_line(each.html or "")
            if link and title and (search(rules.topic, link) or selector == table.link[0]):
                return strip_to_topic(link), title
    return "", ""


def strip_to_topic(link: str) -> str:
    """A link to a topic's beginning: without what leads on to its last or first unread post."""
    link = without_session(link.partition("#")[0])
    link = re.sub(r"(?<=[?&;])(?:action=lastpost|goto=\w+|view=\w+)&?", "", link)
    link = re.sub(r"/(?:unread|latest)/?$", "/", link)
    return re.sub(r"(topic=\d+)\.(?:msg|new)\d*", r"\1.0", link).rstrip("?&;")


def node_html(node: LexborNode, selectors: Iterable[str]) -> Iterator[str]:
    """The markup of what the selectors find."""
    for selector in selectors:
        for each in node.css(selector)[:1]:
            yield each.html or ""
