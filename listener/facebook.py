"""What Facebook's Graph answers say: its errors and its warnings as ours, its posts and comments as mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from listener.connector import SourceInfo, Tools
from listener.dates import believable
from listener.fetch import Answer
from listener.fetch_status import LONGEST_WAIT, WAIT_UNTOLD, place, retry_after
from listener.markup import plain_text, safe_link
from listener.newest_first import LeftOut
from listener.platform_fetch import read_json
from listener.platform_pages import count
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure
from mentions.mention import Mention, Voice

PLATFORM = "facebook"
THROTTLED = frozenset((4, 17, 32, 613, *range(80000, 80015)))
THEIR_FAULT = frozenset((1, 2))
ALIAS_UNKNOWN = 803
NO_TOKEN = frozenset((102, 190, 463, 467))
NOT_ALLOWED = frozenset((3, 10, *range(200, 300)))
SLOW_DOWN, STOP = 75, 95  # per cent of an allowance
SLOW_FOR, STOP_FOR = timedelta(minutes=15), timedelta(hours=1)  # an allowance is of the last hour
USAGE = ("x-app-usage", "x-page-usage", "x-business-use-case-usage", "x-ad-account-usage")
PARTS = ("call_count", "total_time", "total_cputime", "acc_id_util_pct")


class NotThere(NeedsAttention):
    """Facebook has no such thing, or not for this token."""


class PageForgotten(TemporaryFailure):
    """Facebook no longer knows the page we were to go on with."""


def judge(answer: Answer, content: Any, now: datetime) -> None:
    """Raise what an error of Graph's means, whatever status it came with; return where there is none."""
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return
    where = place(httpx.URL(answer.url))
    code, below = _number(error.get("code")), _number(error.get("error_subcode"))
    if code in THROTTLED or answer.status == 429:
        until = retry_after(answer.headers, now, refused=True) or rest_until(answer, now) or now + WAIT_UNTOLD
        raise RateLimited(f"{where}: asks us to slow down (error {code}); next try at {until:%H:%M} UTC", until)
    if (code, below) == (100, 33) or code == ALIAS_UNKNOWN:
        raise NotThere(f"{where}: no such thing at Facebook, or not for this token to see; check the source's ids")
    if code == 100 and "cursor" in str(error.get("message")).lower():
        raise PageForgotten(f"{where}: the page to go on with is no longer known")
    if code in NO_TOKEN:
        raise NeedsAttention(f"{where}: the token is no longer good (error {code}); put a new one in its place")
    if code in NOT_ALLOWED:
        raise NeedsAttention(f"{where}: the token has no permission for this (error {code}); give it one")
    if code in THEIR_FAULT or error.get("is_transient") is True or answer.status >= 500:
        raise TemporaryFailure(f"{where}: could not do it this time (error {code}); it will be tried again")
    if answer.status != 404:
        raise NeedsAttention(f"{where}: refuses what we ask (error {code}); check the token and the source's ids")


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def rest_until(answer: Answer, now: datetime) -> datetime | None:
    """Until when to leave Facebook alone, by what it says is used up of our allowances; None where there is no hurry
    to stop."""
    worst, told = 0.0, timedelta(0)
    for usage in _usages(answer):
        numbers = [usage[part] for part in PARTS if isinstance(usage.get(part), int | float)]
        worst = max([worst, *numbers])
        minutes = usage.get("estimated_time_to_regain_access")
        told = max(told, timedelta(minutes=minutes) if isinstance(minutes, int) and 0 < minutes < 10_000 else told)
    if worst < SLOW_DOWN and not told:
        return None
    return now + min(LONGEST_WAIT, max(told, SLOW_FOR if worst < STOP else STOP_FOR))


def _usages(answer: Answer) -> Iterator[Mapping[str, Any]]:
    for name in USAGE:
        waiting = [read_json(answer.headers.get(name, "").encode())]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                yield each
                waiting += [inner for inner in each.values() if isinstance(inner, dict | list)]
            elif isinstance(each, list):
                waiting += each


class FacebookPosts:
    """Makes mentions of what Graph gives. What the page itself says is our own."""

    def __init__(self, source: SourceInfo, tools: Tools, page: str) -> None:
        self._source = source
        self._tools = tools
        self._page = page

    def from_post(self, row: Mapping[str, Any]) -> Mention:
        """A post; without a message, the story Facebook tells of it or what is attached."""
        post = str(row["id"])
        _check_public(row, post, "a post")
        return self._mention(
            post,
            row,
            text=plain_text(row.get("message") or row.get("story") or _attached(row)),
            thread=f"{PLATFORM}:{post}",
            likes=_total(row.get("reactions")),
            shares=count((row.get("shares") or {}).get("count")),
            replies=_total(row.get("comments")),
        )

    def from_comment(self, row: Mapping[str, Any], post: str) -> Mention:
        """A comment or a reply under a post."""
        comment = str(row.get("id") or id_in(str(row["permalink_url"])))
        _check_public(row, comment, "a comment")
        named = safe_link(str(row.get("permalink_url") or ""))
        return self._mention(
            comment,
            {**row, "permalink_url": named or f"https://www.facebook.com/{post}?comment_id={comment}"},
            text=plain_text(row.get("message") or _attached({"attachments": {"data": [row.get("attachment")]}})),
            thread=f"{PLATFORM}:{post}",
            likes=count(row.get("like_count")),
            replies=count(row.get("comment_count")),
        )

    def _mention(self, native: str, row: Mapping[str, Any], **facts: Any) -> Mention:
        if not native:
            raise ValueError("no id")
        now, created = self._tools.clock(), row.get("created_time")
        told = datetime.fromisoformat(created).astimezone(UTC) if created else None
        author = str((row.get("from") or {}).get("id") or "")
        ours = bool(author) and author == self._page
        return Mention(
            id=f"{PLATFORM}:{native}",
            platform=PLATFORM,
            source=self._source.name,
            published_at=believable(told, now) or now,
            first_seen_at=now,
            native_id=native,
            link=safe_link(str(row.get("permalink_url") or "")) or f"https://www.facebook.com/{native}",
            author_key=self._tools.pseudonym(PLATFORM, author) if author else "",
            publisher=self._source.publisher,
            voice=Voice.OWN if ours else self._tools.voice(self._source, author),
            **facts,
        )


def _check_public(row: Mapping[str, Any], key: str, what: str) -> None:
    audience = (row.get("privacy") or {}).get("value") or "EVERYONE"
    if audience != "EVERYONE" or row.get("is_private") or row.get("is_hidden") or row.get("is_published") is False:
        raise LeftOut(f"{what} that is not public", key, closed=True)


def id_in(permalink: str) -> str:
    """The id of the comment that a link leads to, of the reply where it leads to one; "" for none."""
    query = parse_qs(urlsplit(permalink).query)
    return (query.get("reply_comment_id") or query.get("comment_id") or [""])[0]


def post_in(permalink: str) -> str:
    """The id of the post that a comment's link leads to, as Graph calls it; "" for none."""
    found = re.match(r"/(\w+)/posts/(\w+)/?$|/(\w+_\w+)$", urlsplit(permalink).path)
    return found[3] or f"{found[1]}_{found[2]}" if found else ""


def _attached(row: Mapping[str, Any]) -> str:
    for each in (row.get("attachments") or {}).get("data") or ():
        if isinstance(each, dict) and (words := [each[key] for key in ("title", "description") if each.get(key)]):
            return "\n".join(words)
    return ""


def _total(edge: Any) -> int | None:
    return count(((edge or {}).get("summary") or {}).get("total_count"))
