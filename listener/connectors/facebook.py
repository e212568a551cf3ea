"""Facebook: a page's feed, posts that tag it, comments under a post; by its Graph interface."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field, model_validator

from listener.connector import UNBOUNDED, Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.facebook import STOP_FOR, FacebookPosts, NotThere, PageForgotten, judge, post_in, rest_until
from listener.feed_memory import read_note, write_note
from listener.fetch import Answer
from listener.newest_first import Entry, Listing, Walk, read_entries
from listener.platform_fetch import PlatformFetch, credential, read_json
from listener.platform_options import PlatformOptions
from mentions.failures import RateLimited, TemporaryFailure
from mentions.mention import Mention, Voice

HOME = "https://graph.facebook.com"
DOMAINS = ("facebook.com", "fb.com")
VERSION = "v25.0"
POST = (
    "id,message,story,created_time,permalink_url,from,privacy,is_hidden,is_published,shares,"
    "attachments{title,description},comments.limit(0).summary(true),reactions.limit(0).summary(true)"
)
TAGGED = "id,message,story,created_time,permalink_url,from,privacy"
COMMENT = "id,message,created_time,permalink_url,from,like_count,comment_count,is_hidden,is_private,attachment"
PER_PAGE = 100
DEFINITELY = 5  # so many asked for and none of them there: rather our permissions than that many deletions
MOST_OF_A_THREAD = 5  # pages
AN_ID = re.compile(r"[\w.-]+")


class FacebookOptions(PlatformOptions):
    """What a `facebook` source needs to know."""

    page_id: str = Field(description="The page's id, as Facebook gives it")
    read: Literal["feed", "tagged", "comments"] = Field(
        default="feed", description="feed: what stands on the page; tagged: posts that tag it; comments: under a post"
    )
    post_id: str = Field(default="", description='A post\'s id, such as "PAGE_POST"; needed where read is "comments"')
    token_env: str = Field(
        default="EARSHOT_FACEBOOK_PAGE_TOKEN", description="Variable that holds the page's access token"
    )

    @model_validator(mode="after")
    def _complete(self) -> FacebookOptions:
        if not AN_ID.fullmatch(self.page_id):
            raise ValueError("page_id: expected the page's id")
        if self.read == "comments" and not AN_ID.fullmatch(self.post_id):
            raise ValueError('post_id: expected a post\'s id where read is "comments"')
        return self


class FacebookConnector:
    """Reads one listing of a page whose token we have: Facebook has no search."""

    kind: ClassVar[str] = "facebook"
    Options: ClassVar[type[BaseModel]] = FacebookOptions
    terms: ClassVar[Terms] = Terms("https://developers.facebook.com/terms/", home=HOME, domains=DOMAINS, counted=True)
    most_at_once: ClassVar[int] = 50

    def __init__(self, source: SourceInfo, options: FacebookOptions, tools: Tools) -> None:
        self._options = options
        self._tools = tools
        self._posts = FacebookPosts(source, tools, options.page_id)
        self._platform = PlatformFetch(tools, HOME, options.api_root, domains=DOMAINS, judge=self._judge)
        self._budget = tools.budget(self.kind) if self._platform.is_home else UNBOUNDED
        self._rest: datetime | None = None  # until when the newest answer asks us to
        self._spent_until: datetime | None = None  # the same, where it asks for more than going slow

    def poll(self, cursor: str | None) -> Page:
        """A page of the listing; where allowances run low the rest of it waits. Where the post itself is gone, so are
        its comments; after that a person must look."""
        options = self._options
        walk = Walk.from_note(read_note(cursor), f"{options.read} {options.page_id} {options.post_id}")
        try:
            listing = self._list(walk.next)
        except NotThere:
            known = {**walk.seen, **walk.found}
            if options.read != "comments" or not known or not self._sees_page():
                raise
            gone = (options.post_id, *known)
            return Page(cursor=write_note(Walk(walk.of).note()), gone=tuple(f"{self.kind}:{key}" for key in gone))
        except PageForgotten as lost:
            return Page(cursor=write_note(walk.restart().note()), gap=str(lost))
        walk, taken = walk.take(listing, options.pages)
        return Page(
            mentions=taken.mentions,
            cursor=write_note(walk.note()),
            more=bool(walk.next) and self._rest is None,
            left_out=taken.left_out,
            sample=taken.sample,
            gone=tuple(f"{self.kind}:{key}" for key in taken.gone),
            gap=taken.gap,
            not_before=self._rest,
        )

    def close(self) -> None:
        """Nothing of our own is open."""

    # -- what some of us can do beside polling --

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Posts and comments as they stand now. Facebook refuses a whole request for one that is gone: then one by
        one. One that Facebook does not show is gone only where this token saw the page it belongs to: Facebook says
        the same of what it hides from us."""
        if self._spent_until is not None and self._tools.clock() < self._spent_until:
            raise RateLimited(f"{self._platform.root}: its allowance is nearly spent", self._spent_until)
        told: dict[str, Entry | None] = {}
        for fields in (POST, TAGGED, COMMENT):
            alike = [each for each in locators if self._fields(each) == fields]
            try:
                told |= self._look_up(alike, fields) if alike else {}
            except NotThere:
                for each in alike:
                    told[each.native_id] = self._look_up_one(each, fields)
        found = tuple(entry.mention for entry in told.values() if entry and entry.mention)
        missing = [each for each in locators if told[each.native_id] is None]
        if len(missing) == len(locators) >= DEFINITELY:
            raise TemporaryFailure(f"{self._platform.root}: shows none of the posts looked up; it will be tried again")
        closed = [each.id for each in locators if (entry := told[each.native_id]) and entry.closed]
        return Rechecked(found, (*closed, *self._gone_of(missing, told)))

    def _gone_of(self, missing: Sequence[Locator], told: Mapping[str, Entry | None]) -> list[str]:
        """Those of them that belong to our page, where it can be read."""
        options = self._options
        ours = [each.id for each in missing if options.read == "tagged" or self._is_ours(post_of(each, options))]
        if not ours or any(entry and self._is_ours(native) for native, entry in told.items()):
            return ours
        return ours if self._sees_page() else []

    def _sees_page(self) -> bool:
        try:
            self._ask(f"{self._options.page_id}/feed", recheck=True, fields="id", limit=1)
        except NotThere:
            return False
        return True

    def _is_ours(self, native: str) -> bool:
        return native.startswith(f"{self._options.page_id}_")

    def own_posts(self) -> Page:
        """What the page itself has posted last."""
        rows, _ = self._ask(f"{self._options.page_id}/posts", fields=POST, limit=PER_PAGE)
        return Page(tuple(replace(each, voice=Voice.OWN) for each in self._mentions(rows)))

    def thread(self, locator: Locator) -> Page:
        """A post with its comments and replies, oldest first."""
        post = post_of(locator, self._options)
        above = self._look_up_one(Locator("", post), POST)
        found = [above.mention] if above and above.mention else []
        after = ""
        for _ in range(MOST_OF_A_THREAD):
            rows, after = self._comments(post, after)
            entries = read_entries(rows, lambda row: self._posts.from_comment(row, post))
            found += [entry.mention for entry in entries if entry.mention is not None]
            if not after:
                break
        return Page(tuple(sorted(found, key=lambda each: each.published_at)))

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """A page of what was posted in that span."""
        listing = self._list(str(read_note(cursor).get("next", "")), since, until)
        found = [entry.mention for entry in listing.entries if entry.mention is not None]
        older = bool(found) and all(each.published_at < since for each in found)
        return Page(
            mentions=tuple(each for each in found if since <= each.published_at < until),
            cursor=write_note({"next": listing.next}),
            more=bool(listing.next) and not older and self._rest is None,
            not_before=self._rest,
        )

    # -- the listings --

    def _judge(self, answer: Answer, content: Any) -> bool:
        judge(answer, content, self._tools.clock())
        return False

    def _list(self, after: str, since: datetime | None = None, until: datetime | None = None) -> Listing:
        options = self._options
        if options.read == "comments":
            rows, after = self._comments(options.post_id, after)
            return Listing(read_entries(rows, lambda row: self._posts.from_comment(row, options.post_id)), after)
        span = {name: int(at.timestamp()) for name, at in (("since", since), ("until", until)) if at}
        fields = POST if options.read == "feed" else TAGGED
        rows, after = self._ask(f"{options.page_id}/{options.read}", after, fields=fields, limit=PER_PAGE, **span)
        return Listing(read_entries(rows, self._posts.from_post), after)

    def _comments(self, post: str, after: str) -> tuple[list[Any], str]:
        return self._ask(f"{post}/comments", after, fields=COMMENT, filter="stream", order="reverse_chronological",
                         limit=PER_PAGE)  # fmt: skip

    def _mentions(self, rows: Sequence[Any]) -> list[Mention]:
        entries = read_entries(rows, self._posts.from_post)
        return [entry.mention for entry in entries if entry.mention is not None]

    def _fields(self, locator: Locator) -> str:
        """What to ask of it: a comment, a post of our page, or another's. Whichever source of ours brought it."""
        if "comment_id=" in locator.link or locator.native_id.count("_") == 2:
            return COMMENT
        return POST if self._is_ours(locator.native_id) else TAGGED

    def _look_up(self, locators: Sequence[Locator], fields: str) -> dict[str, Entry | None]:
        """What Facebook shows of each of them; None for one that it does not show."""
        answer = self._get("", recheck=True, ids=",".join(each.native_id for each in locators), fields=fields)
        return {each.native_id: self._read(answer.get(each.native_id), each, fields) for each in locators}

    def _look_up_one(self, locator: Locator, fields: str) -> Entry | None:
        try:
            return self._read(self._get(locator.native_id, recheck=True, fields=fields), locator, fields)
        except NotThere:
            return None

    def _read(self, row: Any, locator: Locator, fields: str) -> Entry | None:
        """A post or a comment under the id we know it by, or why there is none to show; None where there is no row."""
        if not isinstance(row, dict):
            return None
        post = post_of(locator, self._options)
        build = (lambda each: self._posts.from_comment(each, post)) if fields == COMMENT else self._posts.from_post
        return read_entries([{**row, "id": locator.native_id}], build)[0]

    def _ask(self, path: str, after: str = "", **given: Any) -> tuple[list[Any], str]:
        """The rows of one answer, and the mark of the page after; a short page is not the last."""
        if after:
            given["after"] = after
        answer = self._get(path, **given)
        rows, paging = answer.get("data"), answer.get("paging") or {}
        if not isinstance(rows, list) or not isinstance(paging, dict):
            raise TemporaryFailure(f"{self._platform.root}: answered with something that is no list of posts")
        mark = (paging.get("cursors") or {}).get("after") if paging.get("next") else ""
        return rows, str(mark or "")

    def _get(self, path: str, recheck: bool = False, **given: Any) -> dict[str, Any]:
        (token,) = credential(self._tools, self.kind, self._options.token_env)
        self._budget.take(recheck=recheck)
        answer = self._platform.ask(
            "GET",
            f"{HOME}/{VERSION}/{path}?{urlencode(given)}",
            {"Authorization": f"Bearer {token}", "Accept": "application/json"},
        )
        now = self._tools.clock()
        self._rest = rest_until(answer, now)
        self._spent_until = self._rest if self._rest is not None and self._rest - now >= STOP_FOR else None
        content = read_json(answer.body)
        if not isinstance(content, dict):
            raise TemporaryFailure(f"{self._platform.root}: answered with something that is no answer of Graph's")
        return content


def post_of(locator: Locator, options: FacebookOptions) -> str:
    """The post that something belongs to: itself, or where it is a comment the one its link or its id names
    (PAGE_POST_COMMENT), else the one whose comments are read."""
    parts = locator.native_id.split("_")
    if len(parts) == 3:
        return "_".join(parts[:2])
    if "comment_id=" in locator.link:
        return post_in(locator.link) or options.post_id
    return locator.native_id
