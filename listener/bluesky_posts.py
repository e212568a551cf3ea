"""A Bluesky post into a mention: public words only, and nobody's name."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from listener.connector import SourceInfo, Tools
from listener.dates import believable
from listener.feeds import short_hash
from listener.markup import plain_text, safe_link
from listener.platform_pages import count
from listener.statuses import NoPost
from mentions.mention import Mention, Voice

POST = "app.bsky.feed.post"
MENTIONING = ("mention", "reply", "quote")  # the reasons of notifications that are posts to us
# An author who asks apps not to show the account to strangers, and what moderators took out of sight.
WITHHELD = ("!no-unauthenticated", "!hide", "!takedown", "!suspend")


@dataclass(frozen=True, slots=True)
class PostReader:
    """Reads posts as Bluesky's views and notifications show them. Times that name no zone are of `zone`."""

    source: SourceInfo
    tools: Tools
    zone: tzinfo = UTC

    def read(self, view: Any, now: datetime, own: str = "", voice: Voice | None = None) -> Mention:
        """The mention of one post, spoken by `voice` where that is known; `own` is our account's DID.

        Raises `NoPost` for what is not for everybody or is no post, ValueError, TypeError, KeyError or AttributeError
        for what cannot be read.
        """
        refuse(view)
        author, record, uri = view["author"], view["record"], at_uri(view["uri"])
        text = tidy(record["text"])
        if not (text or record.get("embed")):
            raise ValueError("nothing said")
        did = str(author["did"])
        said = read_time(record.get("createdAt"), self.zone)  # by the author's clock, which may say anything
        reply = record.get("reply") or {}
        root = (reply.get("root") or reply.get("parent") or {}).get("uri") or (uri if view.get("replyCount") else "")
        ours = did == own or voice is Voice.OWN
        langs = record.get("langs")
        return Mention(
            id=identity(uri),
            platform="bluesky",
            source=self.source.name,
            published_at=believable(said, now) or believable(indexed_at(view, self.zone), now) or now,
            first_seen_at=now,
            text=text,
            link=safe_link(f"https://bsky.app/profile/{did}/post/{uri.rpartition('/')[2]}"),
            native_id=uri,
            author_key=self.tools.pseudonym("bluesky", did),
            publisher=self.source.publisher,
            voice=Voice.OWN if ours else self.tools.voice(self.source, str(author.get("handle") or did)),
            thread=identity(str(root)) if root else "",
            lang=str(langs[0]) if isinstance(langs, list) and langs else "",
            likes=count(view.get("likeCount")),
            shares=shares_of(view),
            replies=count(view.get("replyCount")),
        )


def refuse(view: Any) -> None:
    """Raise `NoPost` for what is not kept, with the reason."""
    if "reason" in view and view["reason"] not in MENTIONING:
        raise NoPost("a notification of something else than a mention, a reply or a quote")
    author, record = view["author"], view["record"]
    if record.get("$type", POST) != POST:
        raise NoPost("something else than a post")
    viewer = author.get("viewer") or {}
    if viewer.get("blockedBy") or viewer.get("blocking"):
        raise NoPost("a post by an account that blocks us or that we block")
    if any(name in WITHHELD for name in (*labels(author), *labels(view))):
        raise NoPost("a post that is not for everybody")


def labels(subject: Mapping[str, Any]) -> Iterator[str]:
    """The labels that stand on an account or a post."""
    for label in subject.get("labels") or ():
        if isinstance(label, dict) and not label.get("neg"):
            yield str(label.get("val"))


def at_uri(uri: Any) -> str:
    """A post's address; raises ValueError for anything else."""
    if not isinstance(uri, str) or not uri.startswith("at://") or uri.count("/") != 4:
        raise ValueError("no address of a post")
    return uri


def identity(uri: str) -> str:
    """A mention's id: of the post's address, which holds its author's identifier, so hashed."""
    return f"bluesky:{short_hash(uri)}"


def tidy(text: Any) -> str:
    """The words of a post, which are plain text: what looks like markup in them was written so."""
    if not isinstance(text, str):
        raise TypeError("text that is none")
    return plain_text(html.escape(text, quote=False))


def shares_of(view: Mapping[str, Any]) -> int | None:
    """Reposts and quotes together; None where neither is told."""
    told = [count(view.get(name)) for name in ("repostCount", "quoteCount")]
    known = [each for each in told if each is not None]
    return sum(known) if known else None


def read_time(text: Any, zone: tzinfo) -> datetime | None:
    """The aware UTC time that an ISO text names; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def indexed_at(view: Any, zone: tzinfo = UTC) -> datetime | None:
    """When Bluesky took the post in, by its own clock."""
    return read_time(view.get("indexedAt"), zone) if isinstance(view, Mapping) else None


def posts_of(thread: Any) -> Iterator[Any]:
    """The posts of a thread as it is given, whatever their order, and None for each that is not shown."""
    waiting, seen = [thread], 0
    while waiting and seen < 5000:
        node, seen = waiting.pop(), seen + 1
        if not isinstance(node, Mapping):
            continue
        yield node.get("post")
        replies = node.get("replies")
        waiting += [node.get("parent"), *(replies if isinstance(replies, list) else ())]
