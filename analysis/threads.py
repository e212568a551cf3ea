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
# A post's number: where it was all that a link held, nothing is left that names a thread.
_POST_KEY = re.compile(r"p|pid|post|postid|msg|comment", re.IGNORECASE)
_POST_END = re.compile(r"/(?:post|comment)[-/]?\d+/?$", re.IGNORECASE)
_THREAD_IN_PATH = re.compile(r"(?:thread|topic|discussion)s?[-/][^/.]|/t/.|(?<![a-z])\d[^/]*$", re.IGNORECASE)
_SCRIPT = re.compile(r"\.(?:php|aspx?|cgi|pl|jsp)$", re.IGNORECASE)
_THREAD_KEY = re.compile(
    r"t|tid|id|(?:show)?topic(?:_?id)?|thread(?:_?id)?|discussion(?:_?id)?|/?(?:topic/)?\d.*", re.IGNORECASE
)
_SMF_POST = re.compile(r"\.(?:msg)?\d+$|\.new$")
_PHORUM = re.compile(r"^(\d+,\d+)(?:,.*)?$")


def group_threads(held: Iterable[Assessed]) -> list[tuple[Assessed, ...]]:
    """The posts by thread, each thread and the posts in it oldest first; the same whatever order they come in."""
    posts = sorted({each.mention.id: each for each in held}.values(), key=_by_age)
    named = _name([post.mention for post in posts])
    leader: dict[str, str] = {}  # each name of a thread -> the name found for it before
    for names in named:
        first, *others = (_lead(leader, name) for name in names)
        for other in others:
            leader[max(first, other)] = min(first, other)
            first = min(first, other)
    threads: dict[str, list[Assessed]] = {}
    for post, names in zip(posts, named, strict=True):
        threads.setdefault(_lead(leader, names[0]), []).append(post)
    return [tuple(thread) for thread in threads.values()]


def _name(mentions: Sequence[Mention]) -> list[Sequence[str]]:
    """The names of each one's thread, of mentions oldest first. Threads of one title are told apart by their links; an
    answer, or a post without a link, is of the one that was opened last before it."""
    opened: dict[str, dict[str, int]] = {}  # title -> links it was opened under, and which post did so
    named = [thread_names(mention) for mention in mentions]
    for at, (mention, (link, *titles)) in enumerate(zip(mentions, named, strict=True)):
        if titles and not _REPLY.match(mention.title):
            opened.setdefault(titles[0], {}).setdefault(link, at)
    for at, (mention, (name, *titles)) in enumerate(zip(mentions, named, strict=True)):
        links = opened.get(titles[0] if titles else name, {})
        if not links:
            continue
        own = (name,) if titles else ()
        answers = not own or (name not in links and _REPLY.match(mention.title))
        before = [link for link, opened_at in links.items() if opened_at < at] or list(links)[:1]
        named[at] = (*own, before[-1]) if answers else own
    return named


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
    if _is_of_a_post(parts.path, parts.query) and not (phorum or _tells_a_thread(path, query)):
        return ""
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def _is_of_a_post(path: str, query: str) -> bool:
    """Whether a link says which post is meant."""
    keys = (key for key, _ in parse_qsl(query.replace(";", "&")))
    return bool(_POST_END.search(path)) or any(map(_POST_KEY.fullmatch, keys))


def _tells_a_thread(path: str, query: str) -> bool:
    """Whether what is left without the post says which thread, and not only which board."""
    if any(_THREAD_KEY.fullmatch(part.partition("=")[0]) for part in query.split("&")):
        return True
    return not _SCRIPT.search(path) and bool(_THREAD_IN_PATH.search(path))


def _thread_query(query: str) -> Iterable[str]:
    for key, value in parse_qsl(query.replace(";", "&"), keep_blank_values=True):
        if _NOT_THE_THREAD.fullmatch(key.lower()):
            continue
        if value:
            yield f"{key}={_SMF_POST.sub('', value) if key == 'topic' else value}"
        else:
            yield _POST_IN_PATH.sub("", key).rstrip("/")  # vBulletin 4: showthread.php?12-bikes/page2
