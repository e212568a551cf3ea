"""Reddit's submissions and comments as its interface gives them, into mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from listener.connector import SourceInfo, Tools
from listener.dates import believable
from listener.markup import plain_line, plain_text
from listener.platform_pages import reactions
from mentions.failures import TemporaryFailure
from mentions.mention import Mention

SUBMISSION, COMMENT, MORE = "t3", "t1", "more"
EMPTIED = frozenset(("[deleted]", "[removed]", "[ removed by reddit ]", "[deleted by user]", "[unavailable]"))
CLOSED = frozenset(("private", "gold_only", "gold_restricted", "employees_only", "user"))  # kinds of subreddit
SITE = "https://www.reddit.com"
_BASE36 = re.compile(r"[0-9a-z]{1,13}")


class Deleted(Exception):
    """The post is there in name only: deleted by its author or removed by others."""


class Hidden(Exception):
    """The post is no public one."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer: what it lists, as given, and where the next page begins ("" for nowhere)."""

    children: tuple[Any, ...] = ()
    after: str = ""


def read_listing(content: Any, where: str) -> Listing:
    """The parts of a listing. Raises TemporaryFailure for what is none."""
    data = content.get("data") if isinstance(content, dict) and content.get("kind") == "Listing" else None
    children = data.get("children") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(children, list):
        raise TemporaryFailure(f"{where}: answered with something that is no listing; it will be tried again")
    after = data.get("after")
    return Listing(tuple(children), after if isinstance(after, str) else "")


def fullname_of(child: Any) -> str:
    """`t3_...` of a submission, `t1_...` of a comment; "" for what has none."""
    data = child.get("data") if isinstance(child, dict) else None
    if not isinstance(data, dict):
        return ""
    name = data.get("name") or f"{child.get('kind')}_{data.get('id')}"
    return name if isinstance(name, str) and age(name) else ""


def age(fullname: str) -> int:
    """Grows with the time of posting among one kind; 0 for what is no fullname."""
    kind, _, number = fullname.partition("_")
    return int(number, 36) if kind and _BASE36.fullmatch(number) else 0


def flatten(children: Any) -> Iterator[Any]:
    """Comments and, below each, its replies. What Reddit folded away comes as a child of kind "more"."""
    waiting = list(reversed(children)) if isinstance(children, list) else []
    while waiting:
        child = waiting.pop()
        yield child
        data = child.get("data") if isinstance(child, dict) else None
        replies = data.get("replies") if isinstance(data, dict) else None
        below = replies.get("data") if isinstance(replies, dict) else None
        if isinstance(below, dict) and isinstance(below.get("children"), list):
            waiting += reversed(below["children"])


@dataclass(frozen=True, slots=True)
class Posting:
    """Makes mentions of what one source lists."""

    source: SourceInfo
    tools: Tools

    def mention(self, child: Any, now: datetime) -> Mention:
        """One child of a listing. Raises Deleted or Hidden, and ValueError, TypeError, KeyError or AttributeError for
        what is no post."""
        kind, data, name = child["kind"], child["data"], fullname_of(child)
        if kind not in (SUBMISSION, COMMENT):
            raise Hidden("no post but a message or another thing")
        if not name:
            raise ValueError("no id")
        refuse_emptied(kind, data)
        if data.get("subreddit_type") in CLOSED and not str(data.get("subreddit", "")).startswith("u_"):
            raise Hidden("a post of a subreddit that is not public")
        title = plain_line(data["title"]) if kind == SUBMISSION else ""
        text = plain_text((data.get("selftext") or "") if kind == SUBMISSION else data["body"])
        if not title and not text:
            raise ValueError("nothing said")
        author = data.get("author")
        author = author if isinstance(author, str) and author != "[deleted]" else ""
        score = None if data.get("score_hidden") or data.get("hide_score") else data.get("score")
        return Mention(
            id=f"reddit:{name}",
            platform="reddit",
            source=self.source.name,
            published_at=_time(data, now),
            first_seen_at=now,
            text=text,
            title=title,
            link=link_of(kind, data, name),
            native_id=name,
            author_key=self.tools.pseudonym("reddit", author) if author else "",
            publisher=self.source.publisher,
            voice=self.tools.voice(self.source, author),
            thread=f"reddit:{thread_of(kind, data, name)}",
            likes=reactions(score),
            shares=reactions(data.get("num_crossposts")),
            replies=reactions(data.get("num_comments")) if kind == SUBMISSION else None,
        )


def refuse_emptied(kind: str, data: Mapping[str, Any]) -> None:
    """Raise Deleted where only the name of a post is left."""
    words = data.get("selftext") if kind == SUBMISSION else data.get("body")
    emptied = isinstance(words, str) and words.strip().lower() in EMPTIED
    titled = str(data.get("title", "")).strip().lower() in EMPTIED if kind == SUBMISSION else False
    if emptied or titled or data.get("removed_by_category"):
        raise Deleted("deleted or removed")


def _time(data: Mapping[str, Any], now: datetime) -> datetime:
    return believable(datetime.fromtimestamp(float(data["created_utc"]), UTC), now) or now


def submission_of(link: str) -> str:
    """The submission's fullname in an address at Reddit; "" for none."""
    found = re.search(r"/comments/([0-9a-z]{1,13})(?:/|$)", link)
    return f"{SUBMISSION}_{found[1]}" if found else ""


def thread_of(kind: str, data: Mapping[str, Any], name: str) -> str:
    """The fullname of the submission all replies stand under."""
    if kind == SUBMISSION:
        return name
    told = data.get("link_id")
    return str(told) if told else submission_of(str(data.get("permalink") or data.get("context") or "")) or name


def link_of(kind: str, data: Mapping[str, Any], name: str) -> str:
    """Where it can be read. An address that holds a person's name (`/r/u_...`, `/user/...`) is given without it."""
    told = str(data.get("permalink") or data.get("context") or "").partition("?")[0]
    if told.startswith("/r/") and not told.lower().startswith("/r/u_"):
        return SITE + told
    number = name.partition("_")[2]
    if kind == SUBMISSION:
        return f"{SITE}/comments/{number}/"
    thread = thread_of(kind, data, name)
    return f"{SITE}/comments/{thread.partition('_')[2]}/_/{number}/" if thread.startswith(SUBMISSION) else SITE
