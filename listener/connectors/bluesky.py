"""Bluesky: a search, or who mentions us, through the atproto client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, model_validator

from listener.bluesky_posts import MENTIONING, PostReader, identity, indexed_at, posts_of
from listener.bluesky_session import DOMAINS, HOME, BlueskyAccount, NotThere, Refused
from listener.connector import Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.feed_memory import KEY_LENGTH, read_note, write_note
from listener.feeds import short_hash
from listener.platform_options import PlatformOptions
from listener.statuses import NoPost
from mentions.failures import TemporaryFailure
from mentions.mention import Mention, Voice

VERSION = 1
PAGE = 100  # most posts at once
OVERLAP = timedelta(minutes=10)  # Bluesky's index lags and is out of order
LEAST_KEPT, MOST_KEPT = 500, 10_000  # posts remembered
NOTHING = Page()
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
SEARCH = ("app.bsky.feed.searchPosts", "AppBskyFeedSearchPosts", "posts")
NOTIFICATIONS = ("app.bsky.notification.listNotifications", "AppBskyNotificationListNotifications", "notifications")


class BlueskyOptions(PlatformOptions):
    """What a `bluesky` source needs to know."""

    read: Literal["search", "mentions"] = Field(
        default="search", description="search: posts that hold `query`; mentions: of our account, answers and quotes"
    )
    query: str = Field(default="", max_length=500, description='What to search for; needed where read is "search"')
    token_env: str = Field(
        default="EARSHOT_BLUESKY_APP_PASSWORD",
        description="Variable that holds an app password of the account that EARSHOT_BLUESKY_HANDLE names",
    )

    @model_validator(mode="after")
    def _named(self) -> BlueskyOptions:
        self.query = self.query.strip()
        if self.read == "search" and not self.query:
            raise ValueError('query: what to search for, such as "hackney police"')
        return self


class BlueskyConnector:
    """Reads the newest first, page by page down to ten minutes before what was newest at the last look.

    The mark moves only once all of that is read. A first look reads so many `pages`, and nothing
    below it is read later.
    """

    kind: ClassVar[str] = "bluesky"
    Options: ClassVar[type[BaseModel]] = BlueskyOptions
    terms: ClassVar[Terms] = Terms(
        "https://docs.bsky.app/docs/support/developer-guidelines", home=HOME, domains=DOMAINS
    )
    most_at_once: ClassVar[int] = 25

    def __init__(self, source: SourceInfo, options: BlueskyOptions, tools: Tools) -> None:
        self._tools = tools
        self._options = options
        self._account = BlueskyAccount(tools, options.api_root, options.token_env)
        self._reader = PostReader(source, tools, ZoneInfo(options.timezone) if options.timezone else UTC)

    def poll(self, cursor: str | None) -> Page:
        """The next page of the walk down from the newest."""
        note = read_note(cursor)
        if note.get("v") != VERSION:
            note = {"v": VERSION, "mark": "", "floor": "", "width": 0, "seen": [], "walk": None}
        walk = note["walk"] or {"at": None, "newest": "", "left": 0 if note["mark"] else self._options.pages, "held": 0}
        try:
            views, after = self._fetch(walk["at"])
        except Refused:
            if walk["at"] is None:
                raise
            return self._land(note, walk, gap="Bluesky would not read back any further")
        return self._page(note, walk, views, after)

    def close(self) -> None:
        """Give back the client."""
        self._account.close()

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Look at posts again, 25 to a call: one that is left out of the answer is deleted."""
        wanted = {each.native_id: each.id for each in locators[: self.most_at_once] if is_post(each.native_id)}
        if not wanted:
            return Rechecked()
        try:
            content = self._account.ask("app.bsky.feed.getPosts", "AppBskyFeedGetPosts", uris=list(wanted))
            views = self._list(content, "posts")
        except NotThere:
            if len(wanted) > 1:
                return join(self.recheck([Locator(each, uri)]) for uri, each in wanted.items())
            views = []
        shown = {identity(str(view.get("uri"))) for view in views if isinstance(view, Mapping)}
        mentions, _, limited = self._sort(views)
        found = tuple(each for each in mentions.values() if each.id in wanted.values())
        return Rechecked(found, tuple(each for each in wanted.values() if each not in shown or each in limited))

    def own_posts(self) -> Page:
        """The newest posts and answers of the account that is logged in."""
        did = self._account.log_in()
        if not did:
            return Page()
        content = self._account.ask("app.bsky.feed.getAuthorFeed", "AppBskyFeedGetAuthorFeed", actor=did,
                                    filter="posts_with_replies", limit=PAGE)  # fmt: skip
        items = self._list(content, "feed")
        own = [each.get("post") for each in items if isinstance(each, Mapping) and not each.get("reason")]
        mentions, odd, _ = self._sort(own, Voice.OWN)
        return Page(tuple(mentions.values()), left_out=len(odd), sample=next(reversed(odd.values()), ""))

    def thread(self, locator: Locator) -> Page:
        """The conversation round a post, oldest first."""
        if not is_post(locator.native_id):
            return Page()
        try:
            content = self._account.ask("app.bsky.feed.getPostThread", "AppBskyFeedGetPostThread",
                                        uri=locator.native_id, depth=100, parent_height=100)  # fmt: skip
        except NotThere:
            return Page(gone=(locator.id,))
        thread = content.get("thread")
        if isinstance(thread, Mapping) and thread.get("notFound"):
            return Page(gone=(locator.id,))
        views = [view for view in posts_of(thread) if view is not None]
        mentions, odd, _ = self._sort(views)
        ordered = sorted(mentions.values(), key=lambda each: (each.published_at, each.id))
        return Page(tuple(ordered), left_out=len(odd), sample=next(reversed(odd.values()), ""))

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """A page of what was published then, newest first. Bluesky searches by when a post came in or was said to be
        written, whichever is earlier."""
        note = read_note(cursor)
        try:
            views, after = self._fetch(note.get("at"), since=iso(since), until=iso(until))
        except Refused:
            if not note.get("at"):
                raise
            return Page(gap="Bluesky would not read back any further")
        mentions, odd, _ = self._sort(views)
        wanted = tuple(each for each in mentions.values() if since <= each.published_at < until)
        keys = sorted([*mentions, *odd])
        low = min(filter(None, map(indexed_at, views)), default=None)
        below = low is not None and low < since and all(each.published_at < since for each in mentions.values())
        if not after or below or not keys or short_hash("".join(keys)) == note.get("page"):
            return Page(wanted, left_out=len(odd), sample=next(reversed(odd.values()), ""))
        here = write_note({"at": after, "page": short_hash("".join(keys))})
        return Page(wanted, here, more=True, left_out=len(odd), sample=next(reversed(odd.values()), ""))

    def _fetch(self, at: str | None, **span: str) -> tuple[list[Any], str]:
        """A page of what this source reads, and where the next one begins; "" where there is none."""
        asked: dict[str, Any] = {"limit": PAGE, **({"cursor": at} if at else {})}
        if self._options.read == "search":
            method, model, name = SEARCH
            asked |= {"q": self._options.query, "sort": "latest", **span}
        else:
            method, model, name = NOTIFICATIONS
            asked |= {"reasons": list(MENTIONING)}
        content = self._account.ask(method, model, **asked)
        return self._list(content, name), str(content.get("cursor") or "")

    def _list(self, content: Mapping[str, Any], name: str) -> list[Any]:
        found = content.get(name)
        if not isinstance(found, list):
            raise TemporaryFailure("Bluesky: answered with something that is no list of posts")
        return found

    def _page(self, note: dict[str, Any], walk: dict[str, Any], views: list[Any], after: str) -> Page:
        mentions, odd, _ = self._sort(views)
        found = {key: short_hash(each.text, 8) for key, each in mentions.items()} | dict.fromkeys(odd, "odd")
        seen = {line[:KEY_LENGTH]: line[KEY_LENGTH:] for line in note["seen"]}
        walked = set(list(seen)[len(seen) - walk["held"] :])  # what this walk found is at the end
        fresh = {key for key, digest in found.items() if seen.get(key) != digest}
        kept = {key: digest for key, digest in seen.items() if key not in found} | found
        held = len(walked | set(found))
        room = min(max(LEAST_KEPT, 2 * held, 2 * note["width"]), MOST_KEPT)
        kept = dict(list(kept.items())[-room:])
        times = sorted(filter(None, map(indexed_at, views)))
        on = {**note, "seen": [key + digest for key, digest in kept.items()]}
        down = {
            "at": after,
            "newest": max(walk["newest"], iso(times[-1]) if times else ""),
            "left": max(walk["left"] - 1, 0),
            "held": min(held, len(kept)),
        }
        low = iso(times[0]) if times else ""
        page = Page(
            mentions=tuple(each for key, each in mentions.items() if key in fresh),
            left_out=sum(key in fresh for key in odd),
            sample=next((why for key, why in reversed(odd.items()) if key in fresh), ""),
        )
        over = not after or set(found) <= walked
        if over or (down["left"] == 0 if not note["mark"] else low and low <= self._bottom(note)):
            return self._land({**on, "floor": note["floor"] if note["mark"] else low}, down, page)
        return with_cursor(page, {**on, "walk": down}, more=True)

    def _bottom(self, note: Mapping[str, Any]) -> str:
        """How far down there may be something new: a while before the last mark, but not where nothing was read yet."""
        return max(iso(datetime.fromisoformat(note["mark"]) - OVERLAP), str(note["floor"]))

    def _land(self, note: dict[str, Any], walk: dict[str, Any], page: Page = NOTHING, gap: str = "") -> Page:
        """The end of a walk: the mark moves to the newest that it saw, or to now where there was nothing at all."""
        now = iso(self._tools.clock())
        mark = max(note["mark"], min(walk["newest"] or note["mark"] or now, now))
        return with_cursor(page, {**note, "mark": mark, "width": walk["held"], "walk": None}, more=False, gap=gap)

    def _sort(
        self, views: Sequence[Any], voice: Voice | None = None
    ) -> tuple[dict[str, Mention], dict[str, str], set[str]]:
        """Mentions by their short ids, why each of the others is none, by a key of its own, and which of them are
        posts that are not for everybody."""
        now, own = self._tools.clock(), self._account.did
        mentions: dict[str, Mention] = {}
        odd: dict[str, str] = {}
        limited: set[str] = set()
        for view in views:
            uri = str(view.get("uri")) if isinstance(view, Mapping) else repr(view)
            try:
                mention = self._reader.read(view, now, own, voice)
                mentions[mention.id.partition(":")[2]] = mention
            except NoPost as why:
                odd[short_hash(f"odd {uri}")] = str(why)
                limited.add(identity(uri))
            except UNREADABLE as error:
                odd[short_hash(f"odd {uri}")] = f"a post that cannot be read ({type(error).__name__})"
        return mentions, odd, limited


def is_post(uri: str) -> bool:
    """Whether that is the address of a post; one that is none spoils a whole question."""
    return uri.startswith("at://did:") and uri.count("/") == 4


def iso(moment: datetime) -> str:
    """A time as text that sorts as times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def with_cursor(page: Page, note: Mapping[str, Any], *, more: bool, gap: str = "") -> Page:
    """The page with where the next one goes on."""
    return replace(page, cursor=write_note(note), more=more, gap=gap)


def join(parts: Iterable[Rechecked]) -> Rechecked:
    """Several re-checks as one."""
    found = list(parts)
    return Rechecked(
        tuple(mention for each in found for mention in each.found), tuple(gone for each in found for gone in each.gone)
    )
