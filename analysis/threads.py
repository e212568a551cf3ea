"""Which posts belong to one thread: by its own id, or by link and title where a feed gives no more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from mentions.mention import Assessed, Mention
from mentions.normalise import normalise

_REPLY = re.compile(r"^\s*(?:(?:re|aw|fwd?)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
# What a link to one post or one page of a thread has more than the link to the thread.
_POST_IN_PATH = re.compile(
    r"(?:/(?:page|post|comment)[-/]?\d+|/(?:latest|unread|last|new)|(?<=/t)(/[^/]+/\d+)/\d+)/?$", re.IGNORECASE
)
_NOT_THE_THREAD = re.compile(
    r"p|pid|post|postid|page|pagenumber|start|msg|comment|goto|view|highlight|sid|s|utm_\w+|xg_source|ref|fbclid|do|new"
)
_SMF_POST = re.compile(r"\.(?:msg)?\d+$|\.new$")
_PHORUM = re.compile(r"^(\d+,\d+)(?:,.*)?$")


def group_threads(held: Iterable[Assessed]) -> list[tuple[Assessed, ...]]:
    """The posts by thread, each thread and the posts in it oldest first; the same whatever order they come in."""
    posts = sorted({each.mention.id: each for each in held}.values(), key=_by_age)
    leader: dict[str, str] = {}  # each name of a thread -> the name found for it before
    for post in posts:
        first, *others = (_lead(leader, name) for name in thread_names(post.mention))
        for other in others:
            leader[max(first, other)] = min(first, other)
            first = min(first, other)
    threads: dict[str, list[Assessed]] = {}
    for post in posts:
        threads.setdefault(_lead(leader, thread_names(post.mention)[0]), []).append(post)
    return [tuple(thread) for thread in threads.values()]


def _by_age(held: Assessed) -> tuple[object, ...]:
    return held.mention.counts_at, held.mention.id


def _lead(leader: Mapping[str, str], name: str) -> str:
    while (before := leader.get(name, name)) != name:
        name = before
    return name


def thread_names(mention: Mention) -> Sequence[str]:
    """What tells this mention's thread from others, surest first; two mentions that share one are of one thread."""
    if mention.thread:
        return (f"thread {mention.platform} {mention.thread}",)
    names = []
    if link := thread_link(mention.link):
        names.append(f"link {link}")
    if title := normalise(strip_reply(mention.title)):
        names.append(f"title {normalise(mention.source)} {title}")
    return names or (f"post {mention.id}",)


def strip_reply(title: str) -> str:
    """A title without the "Re:" of an answer."""
    return _REPLY.sub("", title).strip()


def thread_link(link: str) -> str:
    """The link of the thread a link leads into: without fragment, page and post; "" where there is none."""
    try:
        parts = urlsplit(link.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    if not host:
        return ""
    path = _POST_IN_PATH.sub(lambda found: found[1] or "", parts.path).rstrip("/")
    phorum = _PHORUM.match(parts.query)
    query = phorum[1] if phorum else "&".join(sorted(_thread_query(parts.query)))
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def _thread_query(query: str) -> Iterable[str]:
    for key, value in parse_qsl(query.replace(";", "&")):
        if not _NOT_THE_THREAD.fullmatch(key.lower()):
            yield f"{key}={_SMF_POST.sub('', value) if key == 'topic' else value}"
