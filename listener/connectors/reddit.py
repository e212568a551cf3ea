"""Reddit: new submissions or comments of subreddits, a search, or mentions of an account, through praw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from listener.connector import UNBOUNDED, Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.feed_memory import read_note, write_note
from listener.feeds import short_hash
from listener.platform_options import PlatformOptions
from listener.platform_pages import sift_page
from listener.reddit_client import DOMAINS, HOME, RedditClient
from listener.reddit_posts import (
    MORE,
    SUBMISSION,
    Deleted,
    Hidden,
    Listing,
    Posting,
    age,
    flatten,
    fullname_of,
    read_listing,
    submission_of,
)
from mentions.failures import TemporaryFailure
from mentions.mention import Mention, Voice

VERSION = 1
PAGE = 100  # most items Reddit lists at once
MOST_TOLD = 2048  # comments of one submission
DEFINITELY = 5  # so many asked for and none of them there: rather a fault of Reddit's than that many deletions
WINDOW = "Reddit lists no more than about a thousand: posts before these may be missing"
SUBREDDITS = re.compile(r"[A-Za-z0-9_]{2,30}(?:\+[A-Za-z0-9_]{2,30})*")


class RedditOptions(PlatformOptions):
    """What a `reddit` source needs to know."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    read: Literal["new", "comments", "search", "mentions"] = Field(
        default="new", description="new: submissions; comments: replies; search: submissions; mentions: of an account"
    )
    subreddit: str = Field(default="", description='The subreddit without "r/"; several joined with "+"')
    query: str = Field(default="", description='What to search for; needed where read is "search"')
    token_env: str = Field(
        default="EARSHOT_REDDIT_REFRESH_TOKEN", description="Variable that holds the account's refresh token"
    )

    @model_validator(mode="after")
    def _keys_given(self) -> RedditOptions:
        self.subreddit = re.sub(r"^/?r/", "", self.subreddit.strip()).rstrip("/")
        self.query = self.query.strip()
        if self.read != "mentions" and not SUBREDDITS.fullmatch(self.subreddit):
            raise ValueError('subreddit: a name without "r/", such as "london", or several joined with "+"')
        if self.read == "search" and not self.query:
            raise ValueError('query: the words to look for; needed where read is "search"')
        return self


class RedditConnector:
    """Reads a listing newest first, down to what was the newest at the last look."""

    kind: ClassVar[str] = "reddit"
    Options: ClassVar[type[BaseModel]] = RedditOptions
    terms: ClassVar[Terms] = Terms(
        "https://support.reddithelp.com/hc/en-us/articles/42728983564564",
        approval="Reddit gives access to approved applications only, one for each use; name who holds the approval",
        home=HOME,
        domains=DOMAINS,
        counted=True,
    )
    most_at_once: ClassVar[int] = 100

    def __init__(self, source: SourceInfo, options: RedditOptions, tools: Tools) -> None:
        self._source = source
        self._options = options
        self._tools = tools
        self._client = RedditClient(tools, options.api_root, options.token_env)
        self._posting = Posting(source, tools)
        self._budget = tools.budget("reddit") if self._client.is_home else UNBOUNDED

    def close(self) -> None:
        """Give back the session."""
        self._client.close()

    def poll(self, cursor: str | None) -> Page:
        """The next page of what is new."""
        note = read_note(cursor)
        if note.get("v") != VERSION:
            note = {"v": VERSION, "newest": {}, "run": None, "seen": [], "first": True}
        run = note["run"] or {
            "after": "", "read": 0, "top": note["newest"], "left": self._options.pages if note["first"] else 0,
        }  # fmt: skip
        listing = self._list(run["after"])
        found, odd, gone = self._mentions(listing.children)
        news = sift_page(note["seen"], found, odd, gone)
        names = [name for child in listing.children if (name := fullname_of(child))]
        left, read = run["left"] - 1, run["read"] + len(names)
        reached = reaches(names, note["newest"])
        more = bool(listing.after) and news.brought and not reached and left != 0
        run = {"after": listing.after, "read": read, "top": newest(names, run["top"]), "left": left}
        overflowed = bool(note["newest"]) and not reached and not listing.after and news.brought and read >= PAGE
        note = {**note, "run": run if more else None, "seen": news.seen, "first": note["first"] and more}
        return Page(
            mentions=news.mentions,
            cursor=write_note(note if more else {**note, "newest": run["top"]}),
            more=more,
            left_out=news.left_out,
            sample=news.sample,
            gone=news.gone,
            gap=WINDOW if overflowed else "",
            not_before=self._client.pause,
        )

    # -- asking

    def _list(self, after: str = "") -> Listing:
        """A page of what the source reads, newest first."""
        read, subreddit = self._options.read, self._options.subreddit
        paging: dict[str, Any] = {"limit": PAGE, **({"after": after} if after else {})}
        if read == "mentions":
            return self._listing("message/mentions", as_account=True, **paging)
        if read == "search":
            everywhere = subreddit.lower() == "all"
            return self._listing(
                f"r/{subreddit}/search/", q=self._options.query, sort="new", t="all", syntax="lucene",
                restrict_sr=str(not everywhere), **paging,
            )  # fmt: skip
        return self._listing(f"r/{subreddit}/{'comments/' if read == 'comments' else 'new'}", **paging)

    def _listing(self, path: str, **params: Any) -> Listing:
        return read_listing(self._ask(path, **params), self._client.where)

    def _ask(self, path: str, *, recheck: bool = False, **params: Any) -> Any:
        self._budget.take(recheck=recheck)
        return self._client.ask(path, **params)

    def _mentions(
        self, children: Iterable[Any], posting: Posting | None = None
    ) -> tuple[dict[str, Mention], dict[str, str], set[str]]:
        """Mentions by id, why the others are left out, and which of those are deleted."""
        now = self._tools.clock()
        found: dict[str, Mention] = {}
        odd: dict[str, str] = {}
        gone: set[str] = set()
        for child in children:
            name = f"reddit:{fullname_of(child)}" if fullname_of(child) else short_hash(repr(child))
            try:
                found[name] = (posting or self._posting).mention(child, now)
            except Deleted as why:
                gone.add(name)
                odd[name] = str(why)
            except Hidden as why:
                odd[name] = str(why)
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError) as error:
                odd[name] = f"a post that cannot be read ({type(error).__name__})"
        return found, odd, gone

    # -- beside polling

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Look posts up. One that is emptied or missing is gone, unless all of many are missing."""
        wanted = {each.native_id: each.id for each in locators if age(each.native_id)}
        if not wanted:
            return Rechecked()
        listing = self._listing("api/info/", recheck=True, id=",".join(wanted), limit=PAGE)
        found, odd, gone = self._mentions(listing.children)
        told = {fullname_of(child) for child in listing.children}
        missing = {mention for name, mention in wanted.items() if name not in told}
        if len(missing) == len(wanted) >= DEFINITELY:
            raise TemporaryFailure(f"{self._client.where}: shows none of the posts looked up; it will be tried again")
        ids = set(wanted.values())
        closed = {name for name, why in odd.items() if "not public" in why}
        return Rechecked(
            tuple(each for name, each in found.items() if name in ids), tuple(sorted(missing | ((gone | closed) & ids)))
        )

    def own_posts(self) -> Page:
        """The newest submissions and comments of the account behind the refresh token."""
        me = self._ask("api/v1/me", as_account=True)
        name = me.get("name") if isinstance(me, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,30}", name):
            raise TemporaryFailure(f"{self._client.where}: does not say whose account it is; it will be tried again")
        listing = self._listing(f"user/{name}/overview", as_account=True, limit=PAGE, sort="new")
        own = Posting(SourceInfo(self._source.name, Voice.OWN, self._source.publisher), self._tools)
        found, odd, gone = self._mentions(listing.children, own)
        return Page(tuple(found.values()), left_out=len(odd), gone=tuple(gone), not_before=self._client.pause)

    def thread(self, locator: Locator) -> Page:
        """A submission with the comments that Reddit shows at once, oldest first."""
        submission = locator.native_id if locator.native_id.startswith(SUBMISSION) else submission_of(locator.link)
        if not submission:
            (child,) = self._listing("api/info/", id=locator.native_id).children[:1] or ({},)
            submission = str((child.get("data") or {}).get("link_id") or "") if isinstance(child, dict) else ""
        if not age(submission):
            return Page(gap="Reddit does not say which submission this answers")
        told = self._ask(f"comments/{submission.partition('_')[2]}/", limit=MOST_TOLD, sort="old")
        if not isinstance(told, list) or len(told) != 2:
            raise TemporaryFailure(f"{self._client.where}: answered with something that is no thread")
        above, below = (read_listing(each, self._client.where) for each in told)
        children = [*above.children, *flatten(list(below.children))]
        folded = sum(_count(child) for child in children if isinstance(child, dict) and child.get("kind") == MORE)
        found, odd, gone = self._mentions(
            child for child in children if not (isinstance(child, dict) and child.get("kind") == MORE)
        )
        posts = sorted(found.values(), key=lambda each: (each.published_at, age(each.native_id)))
        gap = f"{folded} comments are folded away at Reddit and were not read" if folded else ""
        return Page(tuple(posts), left_out=len(odd), sample=next(iter(odd.values()), ""), gone=tuple(gone), gap=gap)

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """What was posted in the span, as far as Reddit lists it: about a thousand posts back."""
        note = read_note(cursor)
        after = str(note.get("after") or "")
        listing = self._list(after)
        found, odd, gone = self._mentions(listing.children)
        times = [each.published_at for each in found.values()]
        over = not listing.after or listing.after == after or (bool(times) and max(times) < since)
        short = over and not (times and min(times) < since) and not listing.after
        gap = "Reddit lists nothing older, whatever there was" if short and listing.children else ""
        kept = tuple(each for each in found.values() if since <= each.published_at < until)
        return Page(
            kept, write_note({"after": listing.after}), not over, len(odd), next(iter(odd.values()), ""), tuple(gone),
            gap=gap, not_before=self._client.pause,
        )  # fmt: skip


def _count(more: Any) -> int:
    number = (more.get("data") or {}).get("count")
    return number if isinstance(number, int) else 0


def newest(names: Iterable[str], before: dict[str, int]) -> dict[str, int]:
    """The highest number of each kind, these and those before."""
    top = dict(before)
    for name in names:
        kind = name.partition("_")[0]
        top[kind] = max(top.get(kind, 0), age(name))
    return top


def reaches(names: Sequence[str], known: dict[str, int]) -> bool:
    """Whether a page, newest first, ends at or below what was the newest before. By number and not by name: the post
    that was the newest may have been deleted since."""
    last = names[-1] if names else ""
    return bool(last) and age(last) <= known.get(last.partition("_")[0], -1)
