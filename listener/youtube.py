"""What YouTube's answers say: its errors as ours, its videos and comments as mentions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx

from listener.connector import SourceInfo, Tools
from listener.dates import believable
from listener.fetch import Answer
from listener.fetch_status import WAIT_UNTOLD, place, retry_after
from listener.markup import plain_line, plain_text
from listener.newest_first import LeftOut, Walk, read_entries
from listener.platform_pages import digits
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure
from mentions.mention import Mention

PLATFORM = "youtube"
PACIFIC = ZoneInfo("America/Los_Angeles")  # where the day of an allowance ends
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
OUT_OF_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "rateLimitExceededUnreg", "RATE_LIMIT_EXCEEDED"})
THEIR_FAULT = frozenset({"processingFailure", "backendError", "internalError", "serviceUnavailable"})
WITHDRAWN = frozenset({"Private video", "Deleted video"})  # what a list calls a video that nobody may see


class CommentsOff(NeedsAttention):
    """A video whose owner takes no comments."""


class NotThere(TemporaryFailure):
    """YouTube knows no such thing."""


class Balked(TemporaryFailure):
    """YouTube is well, and yet could not do just this."""


class PageForgotten(TemporaryFailure):
    """YouTube no longer knows the page we were to go on with."""


def judge(answer: Answer, content: Any, now: datetime) -> None:
    """Raise what an error of YouTube's means, whatever status it came with; return where it is none that we know."""
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return
    where = place(httpx.URL(answer.url))
    reasons = set(_reasons(error))
    if reasons & OUT_OF_QUOTA:
        until = next_day(now)
        raise RateLimited(f"{where}: today's allowance of calls is spent; next try at {until:%H:%M} UTC", until)
    if answer.status == 429 or reasons & TOO_FAST:
        until = retry_after(answer.headers, now, refused=True) or now + WAIT_UNTOLD
        raise RateLimited(f"{where}: asks us to slow down; next try at {until:%H:%M} UTC", until)
    if "commentsDisabled" in reasons:
        raise CommentsOff(f"{where}: comments are turned off there")
    if "invalidPageToken" in reasons:
        raise PageForgotten(f"{where}: the page to go on with is no longer known")
    if answer.status == 404:
        raise NotThere(f"{where}: no such thing at YouTube (404); it will be tried again")
    if reasons & THEIR_FAULT or answer.status >= 500:
        kind = TemporaryFailure if answer.status >= 500 else Balked
        raise kind(f"{where}: could not do it this time ({answer.status}); it will be tried again")
    why = ", ".join(sorted(each for each in reasons if re.fullmatch(r"\w+", each)))[:100] or str(answer.status)
    raise NeedsAttention(f"{where}: refuses us ({why}); check the key and the source's ids")


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    for each in (*(error.get("errors") or ()), *(error.get("details") or ())):
        if isinstance(each, dict) and isinstance(each.get("reason"), str):
            yield each["reason"]


def next_day(now: datetime) -> datetime:
    """The next midnight on the Pacific coast."""
    there = now.astimezone(PACIFIC)
    midnight = (there + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight.astimezone(UTC)


class YouTubePosts:
    """Makes mentions of what YouTube gives. A channel's name can be taken by anybody: who speaks is told by its id,
    or by its handle where that is given."""

    def __init__(self, source: SourceInfo, tools: Tools) -> None:
        self._source = source
        self._tools = tools

    def from_search(self, row: Mapping[str, Any]) -> Mention:
        """A result of a search: videos only."""
        kind = str(row["id"]["kind"]).rpartition("#")[2]
        if kind != "video":
            key = str(row["id"].get(f"{kind}Id") or "")
            raise LeftOut(f"a {kind}, which is no video" if kind in ("channel", "playlist") else "no video", key)
        return self._video(str(row["id"]["videoId"]), row["snippet"])

    def from_upload(self, row: Mapping[str, Any]) -> Mention:
        """An entry of a list of videos."""
        snippet = row["snippet"]
        video = str(snippet["resourceId"]["videoId"])
        if snippet.get("title") in WITHDRAWN and not snippet.get("thumbnails"):
            raise LeftOut("a video that is not public", video, closed=True)
        _check_public(row, video)
        return self._video(video, snippet)

    def from_video(self, row: Mapping[str, Any]) -> Mention:
        """A video looked up by its id."""
        _check_public(row, str(row["id"]))
        return self._video(str(row["id"]), row["snippet"], row.get("statistics") or {})

    def _video(self, video: str, snippet: Mapping[str, Any], statistics: Mapping[str, Any] | None = None) -> Mention:
        if not VIDEO_ID.fullmatch(video):
            raise ValueError("no video's id")
        channel = str(snippet.get("channelId") or "")
        counts = statistics or {}
        return self._mention(
            video,
            snippet,
            channel,
            title=plain_line(snippet["title"]),
            text=plain_text(snippet.get("description") or ""),
            link=f"https://www.youtube.com/watch?v={video}",
            thread=f"{PLATFORM}:{video}",
            lang=str(snippet.get("defaultAudioLanguage") or snippet.get("defaultLanguage") or ""),
            likes=digits(counts.get("likeCount")),
            replies=digits(counts.get("commentCount")),
        )

    def from_comment(self, row: Mapping[str, Any], video: str = "") -> Mention:
        """A comment or a reply; `video` is where it stands, should it not say so itself."""
        comment, snippet = str(row["id"]), row["snippet"]
        said = snippet["textDisplay"] if "textDisplay" in snippet else snippet["textOriginal"]
        name, channel = str(snippet.get("authorDisplayName") or ""), snippet.get("authorChannelId") or {}
        author = str(channel.get("value") or snippet.get("authorChannelUrl") or name)
        video, home = str(snippet.get("videoId") or video), str(snippet.get("channelId") or "")
        below = f"watch?v={video}&lc={comment}" if video else f"channel/{home}/discussion?lc={comment}"
        return self._mention(
            comment,
            snippet,
            author,
            name if name.startswith("@") else "",
            text=plain_text(said),
            link=f"https://www.youtube.com/{below}",
            thread=f"{PLATFORM}:{video or comment.partition('.')[0]}",
            likes=digits(snippet.get("likeCount")),
            replies=digits(row.get("totalReplyCount")),
        )

    def _mention(self, native: str, snippet: Mapping[str, Any], author: str, *names: str, **facts: Any) -> Mention:
        now = self._tools.clock()
        published = snippet.get("publishedAt")
        told = datetime.fromisoformat(published).astimezone(UTC) if published else None
        return Mention(
            id=f"{PLATFORM}:{native}",
            platform=PLATFORM,
            source=self._source.name,
            published_at=believable(told, now) or now,
            first_seen_at=now,
            native_id=native,
            author_key=self._tools.pseudonym(PLATFORM, author) if author else "",
            publisher=self._source.publisher,
            voice=self._tools.voice(self._source, author, *names),
            **facts,
        )


def _check_public(row: Mapping[str, Any], video: str) -> None:
    if str((row.get("status") or {}).get("privacyStatus") or "public") != "public":
        raise LeftOut("a video that is not public", video, closed=True)


def mentions_of(rows: Iterable[Any], build: Callable[[Any], Mention]) -> list[Mention]:
    """Those of the rows that can be read."""
    return [entry.mention for entry in read_entries(rows, build) if entry.mention is not None]


def comments_of(threads: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The comments of threads, each followed by the replies that came with it; what is no thread is passed on."""
    for thread in threads:
        try:
            snippet = thread["snippet"]
            first = {**snippet["topLevelComment"], "totalReplyCount": snippet.get("totalReplyCount")}
            above = {"videoId": snippet.get("videoId"), "channelId": snippet.get("channelId")}
            yield {**first, "snippet": {**above, **first["snippet"]}}
            for reply in (thread.get("replies") or {}).get("comments") or ():
                yield {**reply, "snippet": {**above, **reply["snippet"]}}
        except (TypeError, KeyError, AttributeError):
            yield thread


class Wanted(NamedTuple):
    """A thread whose replies are to be asked for: its comment, the page to go on with, its video and how many replies
    it is said to have; `failed` where that went wrong since the list was last begun."""

    parent: str
    token: str = ""
    video: str = ""
    total: str = ""
    failed: bool = False

    @property
    def key(self) -> str:
        """What is remembered under it: the number of replies there were when all of them were read."""
        return f"{self.parent}/replies"


def replies_wanted(walk: Walk, threads: Sequence[Any]) -> list[Wanted]:
    """Threads of which only some replies came along, and whose number of replies has changed since we last read
    them."""
    wanted: list[Wanted] = []
    for thread in threads:
        try:
            given, total = len(thread["replies"]["comments"]), int(thread["snippet"]["totalReplyCount"])
            parent, video = str(thread["id"]), str(thread["snippet"].get("videoId") or "")
        except (TypeError, KeyError, AttributeError, ValueError):
            continue
        each = Wanted(parent, "", video, str(total))
        if total > given and walk.marked(each.key) != each.total:
            wanted.append(each)
    return wanted


def video_of(link: str) -> str:
    """The video that a comment's link leads to; "" for none."""
    return parse_qs(urlsplit(link).query).get("v", [""])[0]


def open_client(key: str, http: Any) -> Any:
    """YouTube's interface through google-api-python-client, which comes with a description of it."""
    from googleapiclient.discovery import (
        build,
    )  # a third of a second, which only those who have such a source shall pay

    return build("youtube", "v3", developerKey=key, http=http, static_discovery=True, cache_discovery=False)
