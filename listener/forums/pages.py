"""A page of a forum, taken apart by its software's rules: posts, topics, boards, and where the next page is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from listener.feeds import normalise_link, short_hash
from listener.forums.lists import TopicRow, read_rows
from listener.forums.moments import read_moment, writes_month_first
from listener.forums.nodes import Place, after, distinct, links, numbers_of, post_key, search, values
from listener.forums.rules import Rules, ThreadRules
from listener.markup import decode, plain_line, plain_text, safe_link
from mentions.failures import TemporaryFailure

LARGEST = 3_000_000  # characters of one page
DEEPEST = 2000  # tags within tags: beyond it a parser's time grows with the square

_META_CHARSET = re.compile(rb"""<meta[^<>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_NESTS = re.compile(
    r"<(/?)(?:div|span|table|tbody|ul|ol|dl|section|article|blockquote|font|b|i|u|em|strong|a|form)\b", re.I
)
_CLOCK = re.compile(r"\d[:h]\d\d|\d ?[ap]\.?m\b|\bago\b|^\d{10}", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class PagePost:
    """One post. `key` is the same on every page of the board that shows it; `number` the board's own id."""

    key: str
    number: str
    text: str
    link: str
    author: str = ""
    published_at: datetime | None = None
    title: str = ""
    likes: int | None = None
    replies: int | None = None

    @property
    def digest(self) -> str:
        """Changes when the words do."""
        return short_hash(self.text, 8)


@dataclass(frozen=True, slots=True)
class ForumPage:
    """What a page holds. `topic` names the thread it belongs to; `missing` says that the page tells of a deletion."""

    url: str
    topic: str = ""
    title: str = ""
    posts: tuple[PagePost, ...] = ()
    rows: tuple[TopicRow, ...] = ()
    boards: tuple[str, ...] = ()
    next: str = ""
    previous: str = ""
    last: str = ""
    missing: bool = False
    odd: tuple[str, ...] = ()  # why posts on it were left out


def decode_page(body: bytes, label: str | None) -> str:
    """The text of an HTML page, by its own <meta> where HTTP names no charset."""
    found = _META_CHARSET.search(body[:8192])
    return decode(body, label or (found[1].decode("ascii") if found else None))


def parse_html(text: str, place: Place) -> LexborHTMLParser:
    """The page as a tree; raises `TemporaryFailure` for one that is too long or too deep to be a page of a forum."""
    where = f"{place.host}{urlsplit(place.url).path}"
    if len(text) > LARGEST:
        raise TemporaryFailure(f"{where}: the page is longer than {LARGEST // 1_000_000} million characters; not read")
    depth = deepest = 0
    for found in _NESTS.finditer(text):
        depth = max(0, depth - 1) if found[1] else depth + 1
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise TemporaryFailure(f"{where}: the page is a tangle of tags and was not read")
    return LexborHTMLParser(text)


def read_page(tree: LexborHTMLParser, rules: Rules, place: Place) -> ForumPage:
    """Posts, else topics, of a page, with the way to the pages beside it."""
    base = base_of_page(tree, place.url)
    page = with_neighbours(ForumPage(url=place.url), tree, rules, base, place)
    topic, title = topic_of(tree, rules, place), title_of(tree, rules.title)
    posts = read_posts(tree, rules, place, base)
    page = replace(page, topic=topic, title=title, posts=posts)
    if not posts:
        page = replace(
            page,
            rows=read_rows(tree, rules, place, base),
            boards=tuple(dict.fromkeys(links(tree, rules.topics.board, base, place.host))),
            missing=bool(rules.missing and rules.missing.search((tree.body.text() if tree.body else "")[:100_000])),
        )
    return page


def base_of_page(tree: LexborHTMLParser, url: str) -> str:
    """What the page's relative links refer to."""
    node = tree.css_first("base[href]")
    return urljoin(url, node.attributes.get("href") or "") if node else url


def topic_of(tree: LexborHTMLParser, rules: Rules, place: Place) -> str:
    """What names the thread of this page: by its address, by what it says its address is, else the address itself."""
    named = (search(rules.topic, link) for link in (place.url, *canonical(tree)))
    return next((name for name in named if name), urlsplit(normalise_link(place.url)).path)


def canonical(tree: LexborHTMLParser) -> Iterator[str]:
    """Addresses that the page gives for itself."""
    for selector, name in (("link[rel=canonical]", "href"), ("meta[property='og:url']", "content")):
        if (node := tree.css_first(selector)) and (link := node.attributes.get(name)):
            yield link


# -- posts ------------------------------------------------------------------------------------------------------------


def read_posts(tree: LexborHTMLParser, rules: Rules, place: Place, base: str) -> tuple[PagePost, ...]:
    """The posts by whichever of the software's ways of writing shows most of them."""
    best: tuple[PagePost, ...] = ()
    for thread in rules.threads:
        nodes = distinct(tree.css(thread.post), thread.innermost)
        if len(nodes) > len(best):
            posts = tuple(gather_posts(nodes, thread, rules, place, base))
            best = posts if len(posts) > len(best) else best
    return best


def gather_posts(
    nodes: Sequence[LexborNode], thread: ThreadRules, rules: Rules, place: Place, base: str
) -> Iterator[PagePost]:
    """The posts at these nodes, one for each id."""
    scopes = [scope_of(node, thread) for node in nodes]
    times = [list(values(scope, thread.time)) for scope in scopes]
    month_first = writes_month_first((each for told in times for each in told), place.now, rules.month_first)
    seen: set[tuple[str, str]] = set()
    for scope, told in zip(scopes, times, strict=True):
        kind, number = id_of(scope, thread)
        author = next((line for each in values(scope, thread.author) if (line := plain_line(each, 200))), "")
        ranked = sorted(told, key=lambda each: _CLOCK.search(each) is None)  # a day alone is often when somebody joined
        moments = (read_moment(after(each, thread.time_after), place.zone, place.now, month_first) for each in ranked)
        link = permalink(scope, rules, number, base) if number else ""
        link = link or f"{place.url.partition('#')[0]}#{anchor(scope[0], number)}".rstrip("#")
        text = text_of(scope[0], thread)
        if not number and author and text:  # the words must serve
            number = short_hash(f"{author}|{told[:1]}|{text}")
        if not number or (kind, number) in seen:
            continue
        seen.add((kind, number))
        yield PagePost(
            key=post_key(place, f"{kind}{number}"),
            number=number,
            author=author,
            published_at=next((moment for moment in moments if moment), None),
            link=link,
            text=text,
        )


def scope_of(node: LexborNode, thread: ThreadRules) -> list[LexborNode]:
    """The post's node, and what belongs to it and stands before it."""
    scope, sibling = [node], node.prev
    while thread.before and sibling is not None and not sibling.is_element_node:
        sibling = sibling.prev
    if thread.before and sibling is not None and any(sibling.css_matches(each) for each in thread.before):
        scope.append(sibling)
    return scope


def id_of(scope: Sequence[LexborNode], thread: ThreadRules) -> tuple[str, str]:
    """What kind of post ("" where numbers alone tell posts apart) and its number."""
    pattern = re.compile(thread.id_pattern)
    for selector in thread.id:
        for value in values(scope, (selector,)):
            if found := pattern.search(value):
                kind = value[: found.start()].lower().strip("_-#")[-20:] if thread.split_ids else ""
                return ("discussion" if "discussion" in kind and "comment" not in kind else ""), found[1]
    return "", ""


def permalink(scope: Sequence[LexborNode], rules: Rules, number: str, base: str) -> str:
    """The link that the post gives for itself."""
    for node in scope:
        for link in node.css("a[href]"):
            href = link.attributes.get("href") or ""
            if "#" in href and search(rules.post, href) == number and search(rules.topic, href):
                return safe_link(href, base)
    return ""


def anchor(node: LexborNode, number: str) -> str:
    """The name of the post's place on its page."""
    return node.attributes.get("id") or number


def text_of(node: LexborNode, thread: ThreadRules) -> str:
    """The post's own words: no quotes, no signature, no buttons. The tree is spent afterwards."""
    body = next((found for selector in thread.text if (found := node.css_first(selector)) is not None), None)
    if body is None:
        return ""
    for selector in thread.drop:
        for each in body.css(selector):
            if each.mem_id != body.mem_id:
                each.decompose()
    return plain_text(body.html or "")


# -- the pages beside it ----------------------------------------------------------------------------------------------


def with_neighbours(page: ForumPage, tree: LexborHTMLParser, rules: Rules, base: str, place: Place) -> ForumPage:
    """The page with its next, previous and last one; all of them on the same host."""
    here = normalise_link(place.url)
    forward = next((link for link in links(tree, rules.next, base, place.host) if normalise_link(link) != here), "")
    back = next(iter(links(tree, ("link[rel=prev]", "a[rel=prev]"), base, place.host)), "")
    known = [forward] if forward else []
    shape = skeleton(forward or back or place.url)
    alike = [link for link in (*links(tree, rules.all, base, place.host), *known) if skeleton(link) == shape]
    numbers = {link: numbers_of(link) for link in alike}
    last = max(alike, key=numbers.__getitem__, default="")
    if last and numbers[last] < numbers_of(place.url) and skeleton(place.url) == shape:
        last = ""
    before = [link for link in alike if numbers[link] < (numbers_of(place.url) if skeleton(place.url) == shape else [])]
    back = back or (max(before, key=numbers.__getitem__) if before else "")
    return replace(page, next=forward, previous=back, last=last if forward else "")


def skeleton(link: str) -> str:
    """A link without its numbers: alike for the pages of one thread."""
    return _PAGE_NUMBER.sub("#", normalise_link(link))


def title_of(tree: LexborHTMLParser, selectors: Iterable[str]) -> str:
    """The first words that one of the selectors finds, without what some boards put into a heading beside them."""
    for selector in selectors:
        for node in tree.css(selector)[:1]:
            for each in node.css("nav, .PageNav, .pagination, .DateTime, script"):
                each.decompose()
            if line := plain_line(node.html or ""):
                return line
    return ""
