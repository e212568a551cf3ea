"""What can be seen of a board at a time, rendered once and kept until more falls due."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from threading import Lock

from listener.rehearsal import shapes
from listener.rehearsal.posts import Board, Post
from mentions.mention import Voice

FEED_ITEMS = 20  # a usual newsroom's window ...
FEED_WINDOW = timedelta(hours=3)  # ... but never less than this, so that a daemon that was down loses nothing
FORUM_PAGE = 50  # Discourse's own page
STATUS_PAGE, STATUS_PAGE_MOST = 20, 40  # Mastodon's default and its limit
FIRST_FORUM_POST = 1000


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that stays the same until more falls due."""

    body: bytes
    etag: str
    modified: str  # "" where nothing was published yet
    content_type: str


@dataclass(slots=True)
class _Kept:
    """The last answers, by what they depend on."""

    limit: int = 64
    answers: dict[tuple[int, ...], Document] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def get(self, key: tuple[int, ...], render: Callable[[], Document]) -> Document:
        with self.lock:
            if key not in self.answers:
                if len(self.answers) >= self.limit:
                    self.answers.clear()
                self.answers[key] = render()
            return self.answers[key]


def _document(name: str, key: tuple[int, ...], body: bytes, newest: Post | None, content_type: str) -> Document:
    modified = format_datetime(newest.at, usegmt=True) if newest else ""
    return Document(body, f'W/"{name}-{"-".join(map(str, key))}"', modified, content_type)


class FeedBoard:
    """A newsroom's or a blog's feed: the press speaks RSS, everybody else Atom."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._times = [post.at for post in board.posts]
        self._rss = board.voice is Voice.PRESS
        self._kept = _Kept(limit=2)

    def visible(self, now: datetime) -> int:
        """How many of the board's posts are out."""
        return bisect_right(self._times, now)

    def document(self, now: datetime) -> Document:
        """The feed as of `now`: the newest items, newest first."""
        count = self.visible(now)
        return self._kept.get((count,), lambda: self._render(count))

    def _render(self, count: int) -> Document:
        posts = self.board.posts[:count]
        start = 0
        if posts:
            start = min(max(count - FEED_ITEMS, 0), bisect_left(self._times, posts[-1].at - FEED_WINDOW))
        shown = posts[start:][::-1]
        if self._rss:
            body = shapes.rss_document(self.board, [shapes.rss_item(post) for post in shown])
        else:
            body = shapes.atom_document(self.board, [shapes.atom_entry(post) for post in shown])
        kind = "application/rss+xml" if self._rss else "application/atom+xml"
        return _document(self.board.name, (count,), body, posts[-1] if posts else None, f"{kind}; charset=utf-8")


class ForumBoard:
    """A forum that runs Discourse. Post ids rise over the whole forum, in order of time."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._times = [post.at for post in board.posts]
        self._entries = [json.dumps(entry).encode() for entry in _discourse_entries(board.posts)]
        self._kept = _Kept()

    def visible(self, now: datetime) -> int:
        """How many of the board's posts are out."""
        return bisect_right(self._times, now)

    def document(self, now: datetime, before: int | None = None) -> Document:
        """`/posts.json`: the newest page, or the page whose newest post has the id `before`."""
        count = self.visible(now)
        end = count if before is None else min(count, max(before - FIRST_FORUM_POST, 0))
        return self._kept.get((count, end), lambda: self._render(count, end))

    def _render(self, count: int, end: int) -> Document:
        shown = self._entries[max(end - FORUM_PAGE, 0) : end][::-1]
        body = b'{"latest_posts": [' + b", ".join(shown) + b"]}"
        newest = self.board.posts[end - 1] if end else None
        return _document(self.board.name, (count, end), body, newest, "application/json; charset=utf-8")


def forum_post_ids(posts: Sequence[Post]) -> dict[str, int]:
    """The Discourse post id of each row id of one board."""
    return {post.row.id: FIRST_FORUM_POST + place for place, post in enumerate(posts, 1)}


def _discourse_entries(posts: Sequence[Post]) -> list[dict[str, object]]:
    ids = forum_post_ids(posts)
    topics: dict[str, tuple[int, str]] = {}
    places: dict[str, int] = {}
    entries = []
    for post in posts:
        key = shapes.topic_key(post)
        topic_id, title = topics.setdefault(key, (len(topics) + 11, post.row.title or post.row.text[:60]))
        places[key] = places.get(key, 0) + 1
        entries.append(shapes.discourse_post(post, ids[post.row.id], topic_id, places[key], title))
    return entries


@dataclass(frozen=True, slots=True)
class Paging:
    """What a client asks of a Mastodon timeline; ids are exclusive."""

    limit: int = STATUS_PAGE
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None


class StatusBoard:
    """A Mastodon server's public timeline and its tags."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._times = [post.at for post in board.posts]
        self.ids = status_ids(board.posts)
        self._statuses = [json.dumps(_status(post, i)).encode() for post, i in zip(board.posts, self.ids, strict=True)]
        self._tagged: dict[str, list[int]] = {}
        for place, post in enumerate(board.posts):
            for tag in shapes.tags_of(post):
                self._tagged.setdefault(tag, []).append(place)

    def visible(self, now: datetime) -> int:
        """How many of the board's posts are out."""
        return bisect_right(self._times, now)

    def page(self, now: datetime, paging: Paging, tag: str | None = None) -> tuple[bytes, int, int]:
        """A JSON array, newest first, with the ids of its newest and its oldest status (0, 0 for an empty one).

        As the real one: with `min_id` the oldest that are newer than it, else the newest that are newer than
        `since_id`; in both cases older than `max_id`.
        """
        places = range(self.visible(now))
        found = [p for p in self._tagged.get(tag.lower(), ()) if p in places] if tag is not None else places
        low = max(paging.min_id or 0, paging.since_id or 0)
        start = bisect_right(found, low, key=self.ids.__getitem__)
        stop = len(found)
        if paging.max_id is not None:
            stop = bisect_left(found, paging.max_id, key=self.ids.__getitem__)
        limit = max(1, min(paging.limit, STATUS_PAGE_MOST))
        wanted = found[start:stop]
        shown = wanted[:limit] if paging.min_id is not None else wanted[max(len(wanted) - limit, 0) :]
        body = b"[" + b",".join(self._statuses[place] for place in reversed(shown)) + b"]"
        return (body, self.ids[shown[-1]], self.ids[shown[0]]) if shown else (body, 0, 0)


def _status(post: Post, status_id: int) -> dict[str, object]:
    return shapes.mastodon_status(post, status_id)


def status_ids(posts: Sequence[Post]) -> list[int]:
    """Ids as Mastodon makes them: the millisecond, then a number that tells apart what fell into it."""
    ids: list[int] = []
    for post in posts:
        first = int(post.at.timestamp() * 1000) << 16
        ids.append(max(first, ids[-1] + 1) if ids else first)
    return ids
