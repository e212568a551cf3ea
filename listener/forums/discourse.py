"""Discourse forums by their JSON: post ids rise over the whole board, so that the newest id known is the mark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from listener.connector import Tools
from listener.dates import believable, read_date
from listener.feed_memory import FeedMemory, sift
from listener.feeds import short_hash
from listener.fetch import Fetched
from listener.forums.asking import Absent, ask
from listener.markup import decode, looks_like_sign_in, plain_line, plain_text
from mentions.failures import NeedsAttention, NotConfigured, TemporaryFailure

STEP = 50  # ids a page reaches back
YOUNG = 1000  # up to this id, all posts of a board that was empty are new; beyond it, its past had been hidden from us
HIDDEN = "a post that is hidden or deleted"
GONE = "gone"
MOST_ASKED_AFTER = 3
REGULAR = 1  # post_type; others are notes of the forum itself ("closed this topic")


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a board, cleaned."""

    id: int
    topic: int
    title: str
    text: str
    author: str
    link: str
    published_at: datetime | None
    likes: int | None = None
    replies: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a board was read: every post up to `newest` (-1 before the first look).

    While pages between are missing, `before` is where to go on and `ahead` what `newest` becomes once they are read.
    A first look reads `left` pages more.
    """

    newest: int = -1
    ahead: int = 0
    before: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one page gave: new or changed posts, how far we are, and how many posts were odd."""

    posts: tuple[Post, ...]
    mark: Mark
    memory: FeedMemory
    at: datetime
    odd: Mapping[str, str] = field(default_factory=dict)
    not_before: datetime | None = None
    gone: tuple[int, ...] = ()


def read_board(tools: Tools, base: str, mark: Mark, memory: FeedMemory, pages: int = 1) -> Turn:
    """The newest page, or the next of the pages between it and what was known; a first look reads so many `pages`."""
    now = tools.clock()
    filling = bool(mark.before)
    url = f"{base}/posts.json" + (f"?before={mark.before}" if filling else "")
    ask = not filling and memory.trusts_validators(now, forum=True)
    leave = tools.permitted(tools.source)
    got = tools.fetch.get(url, etag=memory.etag if ask else None, accept="application/json", permitted=leave)
    if got.status == 304:
        return Turn((), mark, replace(memory, quiet=memory.quiet + 1), now, {}, got.not_before)
    rows = read_rows(got, base)
    posts, odd = read_posts(rows, base, now)
    found = {seen_as(post.id): short_hash(f"{post.title}\n{post.text}", 8) for post in posts}
    ids = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
    gone = hidden_now(memory, odd) + (() if filling else deleted_now(tools, base, memory, ids))
    told = {key: GONE if memory.seen.get(key) == GONE else "odd" for key in odd}
    fresh, seen = sift(memory.seen, {**told, **found})
    after = go_on(mark, ids) if filling else look_back(mark, ids, pages)
    changed: dict[str, Any] = {"seen": {**seen, **dict.fromkeys(map(seen_as, gone), GONE)}}
    if not filling:  # a gap voids the validator: the newest page is to be read again once it is filled
        changed |= {"etag": None if after.before else got.etag, "quiet": 0, "full_at": now}
    return Turn(
        posts=tuple(post for post in posts if seen_as(post.id) in fresh),
        mark=after,
        memory=replace(memory, **changed),
        at=now,
        odd={key: why for key, why in odd.items() if key in fresh},
        not_before=got.not_before,
        gone=gone,
    )


def seen_as(post_id: int) -> str:
    """The key under which a post is remembered."""
    return str(post_id).rjust(16, "0")


def hidden_now(memory: FeedMemory, odd: Mapping[str, str]) -> tuple[int, ...]:
    """Posts we brought that the board shows as hidden or deleted now."""
    hidden = [key for key, why in odd.items() if why == HIDDEN and memory.seen.get(key, GONE) not in (GONE, "odd")]
    return tuple(int(key) for key in hidden)


def deleted_now(tools: Tools, base: str, memory: FeedMemory, ids: Sequence[int]) -> tuple[int, ...]:
    """Posts we brought that the newest page leaves out, though it shows older and newer ones, and that answer 404.

    A post that merely aged out of the page is not among them. A few are asked after at a time.
    """
    known = {int(key) for key, digest in memory.seen.items() if key.isdecimal() and digest not in (GONE, "odd")}
    missing = sorted(known - set(ids), reverse=True)
    within = [post_id for post_id in missing if ids and min(ids) < post_id < max(ids)]
    gone = []
    for post_id in within[:MOST_ASKED_AFTER]:
        try:
            ask(tools, f"{base}/posts/{post_id}.json", accept="application/json")
        except Absent:
            gone.append(post_id)
        except NeedsAttention:  # not for the public any more
            gone.append(post_id)
        except NotConfigured:  # robots.txt closes the posts' own addresses: nothing can be told
            break
    return tuple(gone)


def look_back(mark: Mark, ids: Sequence[int], pages: int = 1) -> Mark:
    """After the newest page: all known now, or a gap below it that later pages fill.

    A board that was empty so far (0) is read back to its first post only while it is young.
    """
    newest = max([0, mark.newest, *ids])
    if mark.newest < 0 and pages > 1 and ids:
        return Mark(-1, newest, min(ids), pages - 1)
    if mark.newest >= 0 and ids and min(ids) > mark.newest + 1 and (mark.newest or min(ids) <= YOUNG):
        return Mark(mark.newest, newest, min(ids))
    return Mark(newest)


def go_on(mark: Mark, ids: Sequence[int]) -> Mark:
    """After a page of the gap. A page may be empty (posts we may not see), so we go down by ids, not by pages."""
    lower = [post_id for post_id in ids if post_id < mark.before]
    if mark.newest < 0:
        return Mark(-1, mark.ahead, min(lower), mark.left - 1) if lower and mark.left > 1 else Mark(mark.ahead)
    before = min(lower) if lower else mark.before - STEP
    return Mark(mark.newest, mark.ahead, before) if before > mark.newest + 1 else Mark(mark.ahead)


def read_rows(got: Fetched, base: str) -> list[Any]:
    """The posts of an answer; raises where it is no such answer."""
    text = decode(got.body, got.charset)
    where = base.partition("://")[2]
    try:
        document = json.loads(text)
        rows = document["latest_posts"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if looks_like_sign_in(text):
            raise NeedsAttention(f"{where}: answered with a sign-in page; only public forums are read") from error
        raise TemporaryFailure(f"{where}/posts.json: answered with something that is no list of posts") from error
    if not isinstance(rows, list):
        raise TemporaryFailure(f"{where}/posts.json: answered with something that is no list of posts")
    return rows


def read_posts(rows: Sequence[Any], base: str, now: datetime, topic: str = "") -> tuple[list[Post], dict[str, str]]:
    """The readable posts, and a key and a reason for each that is not; hidden and deleted ones under their own id.
    `topic` is the title of what they stand in, for those that do not tell it."""
    posts: list[Post] = []
    odd: dict[str, str] = {}
    for row in rows:
        try:
            if row.get("hidden") or row.get("user_deleted") or row.get("deleted_at"):
                odd[seen_as(int(row["id"]))] = HIDDEN
            elif row.get("post_type", REGULAR) != REGULAR:
                odd[seen_as(int(row["id"]))] = "a note of the forum itself, no post"
            else:
                posts.append(read_post(row, base, now, topic))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            odd[short_hash(repr(row))] = f"a post that cannot be read ({type(error).__name__})"
    return posts, odd


def read_post(row: Mapping[str, Any], base: str, now: datetime, title: str = "") -> Post:
    """One post; raises ValueError, TypeError or KeyError where it is odd."""
    text = plain_text(row["cooked"])
    title = plain_line(str(row.get("topic_html_title") or row.get("topic_title") or title))
    if not text and not title:
        raise ValueError("nothing said")
    topic, number = int(row["topic_id"]), int(row.get("post_number") or 1)
    likes = [each.get("count") for each in row.get("actions_summary") or [] if each.get("id") == 2]
    return Post(
        id=int(row["id"]),
        topic=topic,
        title=title,
        text=text,
        author=str(row.get("username") or ""),
        link=f"{base}/t/{row.get('topic_slug') or '-'}/{topic}/{number}",
        published_at=believable(read_date(str(row.get("created_at") or ""), ZoneInfo("UTC")), now),
        likes=int(likes[0]) if likes and likes[0] is not None else None,
        replies=int(row.get("reply_count") or 0),
    )


def base_of(url: str) -> str:
    """The board's root of any address inside it."""
    parts = urlsplit(url)
    path = parts.path
    for inside in ("/posts.json", "/posts.rss", "/posts/", "/latest", "/t/", "/c/", "/categories", "/top"):
        path = path.partition(inside)[0] if inside in path else path
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"
