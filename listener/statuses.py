"""A Mastodon status into a mention: public words only, and nobody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from listener.connector import SourceInfo, Tools
from listener.dates import believable
from listener.feeds import short_hash
from listener.markup import plain_line, plain_text, safe_link
from listener.platform_pages import count
from listener.rows import reach_of
from mentions.mention import Mention, Reach, Voice

OPEN = ("public", "unlisted")  # "private" is for followers, "direct" for those named
SHOWN = ("media_attachments", "poll", "quote", "card")  # what a post without words may consist of


class NoPost(ValueError):
    """Why a status is not kept; never its text."""


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads the statuses that one server gives. `host` is its name; times that name no zone are of `zone`. `untold` is
    whom a status is for that does not say it: everybody, on timelines that hold nothing else."""

    source: SourceInfo
    tools: Tools
    host: str
    zone: tzinfo = UTC
    untold: str = ""

    def read(self, status: Any, now: datetime, voice: Voice | None = None) -> Mention:
        """The mention of one status, spoken by `voice` where that is known. Raises `NoPost` for what is not public or
        is no post, and ValueError, TypeError, KeyError or AttributeError for what cannot be read."""
        if (status.get("visibility") or self.untold) not in OPEN:
            raise NoPost("a post that is not for everybody")
        if status.get("reblog"):
            raise NoPost("a boost of another post")
        account, published = status["account"], status["created_at"]
        warning, text = plain_line(status.get("spoiler_text") or ""), plain_text(status["content"] or "")
        if not isinstance(published, datetime) or not (warning or text or any(map(status.get, SHOWN))):
            raise ValueError("no time or nothing said")
        zoned = published if published.tzinfo else published.replace(tzinfo=self.zone)
        author = str(account.get("uri") or account.get("url") or account["acct"])
        name = str(account["acct"])  # of another server's account in full: a namesake elsewhere is not us
        return Mention(
            id=identity(status["uri"]),
            platform="mastodon",
            source=self.source.name,
            published_at=believable(zoned.astimezone(UTC), now) or now,
            first_seen_at=now,
            text=text,
            title=warning,
            link=safe_link(str(status.get("url") or status["uri"])),
            native_id=str(status["id"]),
            author_key=self.tools.pseudonym("mastodon", author),
            publisher=self.source.publisher,
            voice=voice or self.tools.voice(self.source, name, f"{name}@{self.host.partition('/')[0]}"),
            reach=band(account.get("followers_count")),
            thread=thread_of(status),
            lang=str(status.get("language") or ""),
            likes=count(status.get("favourites_count")),
            shares=count(status.get("reblogs_count")),
            replies=count(status.get("replies_count")),
        )


def identity(uri: object) -> str:
    """A mention's id: of the status's address, which is the same on every server and names its author, so hashed."""
    if not isinstance(uri, str) or not uri:
        raise ValueError("a status without an address")
    return f"mastodon:{short_hash(uri)}"


def id_of(item: Any) -> str:
    """A status's or notification's id on this server; "" for one that has none."""
    return str(item.get("id") or "") if isinstance(item, Mapping) else ""


def age(status_id: str) -> tuple[int, str]:
    """Sorts ids by age: numbers of any length, or names of one length as other servers give."""
    return len(status_id), status_id


def thread_of(status: Any) -> str:
    """What a reply answers, hashed; "" for a post that answers nothing."""
    answered = status.get("in_reply_to_id")
    return f"mastodon:{short_hash(str(answered))}" if answered else ""


def band(followers: object) -> Reach:
    """The reach of an account; the number itself is forgotten."""
    return reach_of(followers if isinstance(followers, int) and not isinstance(followers, bool) else None)
