"""The posts of an exercise: read from files, in order of time, each with the board it will be published on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from listener.domains import registrable_domain
from listener.rows import WORDLESS, BadRow, Row, read_rows
from mentions.mention import PRESS_PLATFORMS, Voice


class Shape(StrEnum):
    """How a platform is read: by its feed, by Discourse's JSON or by Mastodon's interface."""

    FEED = "feed"
    FORUM = "forum"
    MASTODON = "mastodon"


_SHAPES = {**dict.fromkeys((*PRESS_PLATFORMS, "blog"), Shape.FEED), "forum": Shape.FORUM}


@dataclass(frozen=True, slots=True)
class Post:
    """One post that will be published at `at` on `board`. `number` counts from 1 in order of time over all boards."""

    number: int
    at: datetime
    shape: Shape
    board: str
    row: Row


@dataclass(frozen=True, slots=True)
class Posts:
    """What an exercise plays, oldest first, and what it left out, with reasons. `unread` of those are broken lines; the
    others are good rows that no exercise can play."""

    posts: tuple[Post, ...]
    skipped: tuple[BadRow, ...]
    unread: int = 0

    @property
    def first_at(self) -> datetime | None:
        """When the first post is published; None where there is none."""
        return self.posts[0].at if self.posts else None

    @property
    def last_at(self) -> datetime | None:
        """When the last post is published; None where there is none."""
        return self.posts[-1].at if self.posts else None


@dataclass(frozen=True, slots=True)
class Board:
    """One source of the exercise: what is published at one address, oldest first."""

    name: str
    shape: Shape
    posts: tuple[Post, ...]

    @property
    def voice(self) -> Voice:
        """Who speaks here: what the rows say themselves, else the press for headlines and the public for the rest."""
        row = self.posts[0].row
        return row.voice or (Voice.PRESS if row.platform in PRESS_PLATFORMS else Voice.PUBLIC)


def load_posts(files: Sequence[Path], start: datetime | None = None, end: datetime | None = None) -> Posts:
    """Read the files; `start` is inclusive, `end` exclusive, and what lies outside was not asked for and not counted.

    A row that cannot be read, has no words, no time, or the id of an earlier row is skipped with its reason. Rows of
    one time keep the order of the files.
    """
    kept: list[tuple[datetime, Row]] = []
    skipped: list[BadRow] = []
    unread = 0
    seen: set[str] = set()
    for file in files:
        for row in read_rows(file):
            if isinstance(row, BadRow):
                skipped.append(row)
                unread += row.reason != WORDLESS
            elif row.at is None:
                skipped.append(BadRow(str(file), row.line, "time: is missing, so it never falls due"))
            elif row.id in seen:
                skipped.append(BadRow(str(file), row.line, "id: was there before"))
            elif (start is None or row.at >= start) and (end is None or row.at < end):
                seen.add(row.id)
                kept.append((row.at, row))
    kept.sort(key=lambda pair: pair[0])
    posts = (_post(number, at, row) for number, (at, row) in enumerate(kept, 1))
    return Posts(tuple(posts), tuple(skipped), unread)


def _post(number: int, at: datetime, row: Row) -> Post:
    shape = _SHAPES.get(row.platform, Shape.MASTODON)
    return Post(number, at, shape, board_name(row, shape), row)


def board_name(row: Row, shape: Shape) -> str:
    """The board a row belongs to: its feed or site by name, else its platform; letters, digits and dashes only."""
    name = row.source or ("" if shape is Shape.MASTODON else registrable_domain(row.link)) or row.platform
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or row.platform


def board_tag(name: str) -> str:
    """The hashtag under which all posts of a board of statuses are read: one server shows every such board."""
    return f"board_{name.replace('-', '_')}"


def boards(posts: Sequence[Post]) -> list[Board]:
    """The boards of these posts, by shape and name."""
    by_board = attrgetter("shape", "board")
    ordered = sorted(posts, key=by_board)  # stable: the order of time stays within a board
    return [Board(name, shape, tuple(group)) for (shape, name), group in groupby(ordered, key=by_board)]
