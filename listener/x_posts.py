"""X's posts as its interface gives them, into mentions; its error answers into what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.connector import SourceInfo, Tools, Volume
from listener.dates import believable
from listener.markup import plain_line, plain_text
from listener.platform_pages import reactions
from listener.rows import reach_of
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure
from mentions.mention import Mention, Reach, Voice

EPOCH_MS = 1_288_834_974_657  # ids since November 2010 hold the milliseconds since then, above 22 bits
FIRST_TIMED_ID = 29_700_859_247
NO_LANGUAGE = frozenset(("und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"))
PROTECTED = "a post of a protected account"
VANISHED = ("resource-not-found", "not-authorized-for-resource")  # deleted or suspended; protected or withheld


class CursorTooOld(TemporaryFailure):
    """X looks back seven days and our last id is older."""


class PageTokenSpent(TemporaryFailure):
    """The mark between two pages is not taken any more."""


@dataclass(frozen=True, slots=True)
class Posts:
    """One answer: the posts, whom they are by and what they refer to, as given."""

    posts: tuple[Any, ...] = ()
    users: Mapping[str, Any] = field(default_factory=dict)
    referred: Mapping[str, Any] = field(default_factory=dict)
    vanished: tuple[str, ...] = ()
    next_token: str = ""
    newest: int = 0


def read_posts(content: Any, where: str) -> Posts:
    """The parts of an answer. Raises TemporaryFailure for what is none, NeedsAttention where X will not show it."""
    if not isinstance(content, dict):
        raise TemporaryFailure(f"{where}: answered with something that is no list of posts; it will be tried again")
    data, meta, errors = content.get("data"), content.get("meta"), content.get("errors")
    includes = content.get("includes")
    if not isinstance(data, list):
        if data is None and not isinstance(meta, dict) and vanished_of(errors):
            return Posts(vanished=vanished_of(errors))
        if data is not None or not isinstance(meta, dict):
            raise TemporaryFailure(f"{where}: answered with something that is no list of posts; it will be tried again")
        data = []
    meta = meta if isinstance(meta, dict) else {}
    token = meta.get("next_token")
    return Posts(
        tuple(data),
        _by_id(includes, "users"),
        _by_id(includes, "tweets"),
        vanished_of(errors),
        token if isinstance(token, str) else "",
        max((number(id_of(each)) for each in (*data, {"id": meta.get("newest_id")})), default=0),
    )


def together(*answers: Posts) -> Posts:
    """Several answers as one, which has no next page."""
    return Posts(
        tuple(post for each in answers for post in each.posts),
        {user: data for each in answers for user, data in each.users.items()},
        {post: data for each in answers for post, data in each.referred.items()},
        tuple(post for each in answers for post in each.vanished),
        newest=max((each.newest for each in answers), default=0),
    )


def read_volumes(content: Any, where: str) -> tuple[Volume, ...]:
    """The hours of a count. Raises TemporaryFailure for what is none."""
    try:
        return tuple(
            Volume(_moment(each["start"]), _moment(each["end"]), int(each["tweet_count"])) for each in content["data"]
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise TemporaryFailure(f"{where}: answered with something that is no count; it will be tried again") from error


def _moment(told: str) -> datetime:
    moment = datetime.fromisoformat(told)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _by_id(includes: Any, name: str) -> dict[str, Any]:
    found = includes.get(name) if isinstance(includes, dict) else None
    return {id_of(each): each for each in found if id_of(each)} if isinstance(found, list) else {}


def vanished_of(errors: Any) -> tuple[str, ...]:
    """The ids that X names as deleted or as not to be shown to us."""
    named = (each for each in errors if isinstance(each, dict)) if isinstance(errors, list) else ()
    return tuple(
        str(each.get("resource_id") or each.get("value") or "")
        for each in named
        if str(each.get("type", "")).endswith(VANISHED)
    )


def id_of(post: Any) -> str:
    """The id of a post or a user; "" for what has none."""
    found = post.get("id") if isinstance(post, dict) else None
    return str(found) if isinstance(found, str | int) and str(found).isdecimal() else ""


def number(post_id: str) -> int:
    """Ids are compared as numbers: text would sort 9 after 10. They have 64 bits; anything longer is none."""
    return int(post_id) if post_id.isdecimal() and len(post_id) < 20 else 0


def time_of(post: Mapping[str, Any], now: datetime) -> datetime:
    """When it was posted: as told, else as its id tells; the first ids tell nothing."""
    told, post_id = post.get("created_at"), number(id_of(post))
    if isinstance(told, str):
        return believable(_moment(told), now) or now
    return (believable(posted_at(post_id), now) if post_id >= FIRST_TIMED_ID else None) or now


def posted_at(post_id: int) -> datetime:
    """The time that an id holds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=(post_id >> 22) + EPOCH_MS)


def history_of(post: Mapping[str, Any]) -> list[str]:
    """The ids of a post's versions, oldest first; its own is always among them."""
    told = post.get("edit_history_tweet_ids")
    ids = [str(each) for each in told if str(each).isdecimal()] if isinstance(told, list) else []
    return sorted({*ids, id_of(post)}, key=number)


def text_of(post: Mapping[str, Any], referred: Mapping[str, Any]) -> str:
    """The words, the long ones where a post has more than the first 280 signs. A repost is cut by X: where the
    original came along, its words are put in full behind "RT @name: "."""
    text = _whole(post)
    opening, separator, begun = text.partition(": ")
    if text.startswith("RT @") and separator and begun.endswith("…"):
        for each in post.get("referenced_tweets") or ():
            original = referred.get(id_of(each))
            if each.get("type") == "retweeted" and original and _whole(original).startswith(begun[:-1].rstrip()):
                text = f"{opening}: {_whole(original)}"
    return plain_text(text)


def _whole(post: Mapping[str, Any]) -> str:
    long = post.get("note_tweet")
    text = long.get("text") if isinstance(long, dict) else None
    text = text if isinstance(text, str) and text else post["text"]
    if not isinstance(text, str):
        raise TypeError("words are text")
    return text


@dataclass(frozen=True, slots=True)
class Posting:
    """Makes mentions of posts for one source. `own_id` is the account whose posts are ours ("" where untold);
    `all_own` says that all are."""

    source: SourceInfo
    tools: Tools
    own_id: str = ""
    all_own: bool = False

    def mention(self, post: Any, posts: Posts, now: datetime) -> Mention:
        """One post as a mention, under the id of its first version. Raises ValueError, TypeError, KeyError or
        AttributeError for what is no post, PermissionError for one that is not public."""
        post_id, author = id_of(post), str(post.get("author_id") or "")
        text = text_of(post, posts.referred)
        user = posts.users.get(author) or {}
        if not post_id or not text:
            raise ValueError("no id or nothing said")
        if user.get("protected"):
            raise PermissionError(PROTECTED)
        metrics = post.get("public_metrics") or {}
        lang = str(post.get("lang") or "")
        conversation = str(post.get("conversation_id") or "")
        shares = [reactions(metrics.get(name)) for name in ("retweet_count", "quote_count")]
        return Mention(
            id=f"x:{history_of(post)[0]}",
            platform="x",
            source=self.source.name,
            published_at=time_of(post, now),
            first_seen_at=now,
            text=text,
            link=f"https://x.com/i/status/{post_id}",  # opens the post without naming its author
            native_id=post_id,
            author_key=self.tools.pseudonym("x", author) if author else "",
            publisher=self.source.publisher,
            voice=self._voice(author, user),
            reach=_band(user),
            thread=f"x:{conversation}" if conversation else "",
            lang="" if lang in NO_LANGUAGE else lang,
            likes=reactions(metrics.get("like_count")),
            shares=None if None in shares else sum(each or 0 for each in shares),
            replies=reactions(metrics.get("reply_count")),
        )

    def _voice(self, author: str, user: Mapping[str, Any]) -> Voice:
        if self.all_own or (self.own_id and author == self.own_id):
            return Voice.OWN
        return self.tools.voice(self.source, str(user.get("username") or ""))


def _band(user: Mapping[str, Any]) -> Reach:
    followers = (user.get("public_metrics") or {}).get("followers_count")
    return reach_of(reactions(followers))


def judge_refusal(status: int, content: Any, where: str, now: datetime) -> None:
    """Raise what an error answer means at X; return where its status says it all."""
    if status == 402:
        raise NeedsAttention(f"{where}: the account's credits at X are used up (402); top them up, or read counts only")
    if status == 429 and isinstance(content, dict) and content.get("title") == "UsageCapExceeded":
        raise RateLimited(f"{where}: the account's posts at X are used up", cap_ends(content.get("period"), now))
    errors = content.get("errors") if isinstance(content, dict) else None
    if status != 400 or not isinstance(errors, list):
        return
    named = {name for each in errors if isinstance(each, dict) for name in each.get("parameters") or ()}
    if named & {"since_id", "start_time"} or any("since_id" in str(each) for each in errors):
        raise CursorTooOld(f"{where}: the last post known is older than X looks back")
    if named & {"next_token", "pagination_token"}:
        raise PageTokenSpent(f"{where}: the mark of the next page is spent")
    said = plain_line(str(errors[0].get("message") if isinstance(errors[0], dict) else ""), 160)
    raise NeedsAttention(f"{where}: X does not understand the request (400): {said}; check the source's keys")


def cap_ends(period: object, now: datetime) -> datetime:
    """When an account's allowance begins anew: on the first of the month, else at midnight UTC."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) if period == "Monthly" else day + timedelta(days=1)
