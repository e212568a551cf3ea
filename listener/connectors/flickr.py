"""Flickr: photos that a search finds or a member shows, comments under a photo; by its REST interface."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode
from xml.etree import ElementTree

from pydantic import BaseModel, Field, model_validator

from listener.connector import UNBOUNDED, Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.feed_memory import read_note, write_note
from listener.fetch import Answer
from listener.flickr import (
    FlickrPosts,
    NotThere,
    comments_of,
    is_rsp,
    page_after,
    photo_of,
    photo_of_comment,
    photos_of,
    read_rsp,
)
from listener.newest_first import Listing, Walk, read_entries
from listener.platform_fetch import PlatformFetch, credential
from listener.platform_options import PlatformOptions
from mentions.mention import Mention, Voice

HOME = "https://api.flickr.com"
DOMAINS = ("flickr.com",)
PER_PAGE = 250
MOST_PAGES = 4000 // PER_PAGE  # what a search shows beyond are repetitions
EXTRAS = "description,date_upload,owner_name,path_alias,count_faves,count_comments"


class FlickrOptions(PlatformOptions):
    """What a `flickr` source needs to know."""

    read: Literal["search", "photos", "comments"] = Field(
        default="search", description="search: photos found by words; photos: a member's; comments: under one photo"
    )
    query: str = Field(default="", description='The words to search for; needed where read is "search"')
    user_id: str = Field(default="", description='A member\'s id, such as "12345678@N01"; for read "photos"')
    photo_id: str = Field(default="", description='A photo\'s id; for read "comments"')
    token_env: str = Field(default="EARSHOT_FLICKR_API_KEY", description="Variable that holds the API key")

    @model_validator(mode="after")
    def _complete(self) -> FlickrOptions:
        key = {"search": "query", "photos": "user_id", "comments": "photo_id"}[self.read]
        if not getattr(self, key).strip():
            raise ValueError(f'{key}: needed where read is "{self.read}"')
        return self


class FlickrConnector:
    """Reads one listing. All comments of a photo come at once: one that is missing was deleted."""

    kind: ClassVar[str] = "flickr"
    Options: ClassVar[type[BaseModel]] = FlickrOptions
    terms: ClassVar[Terms] = Terms("https://www.flickr.com/help/terms/api", home=HOME, domains=DOMAINS, counted=True)
    most_at_once: ClassVar[int] = 20

    def __init__(self, source: SourceInfo, options: FlickrOptions, tools: Tools) -> None:
        self._options = options
        self._tools = tools
        self._posts = FlickrPosts(source, tools)
        self._platform = PlatformFetch(tools, HOME, options.api_root, domains=DOMAINS, judge=_judge, speaks_json=False)
        self._budget = tools.budget(self.kind) if self._platform.is_home else UNBOUNDED
        self._what = {"search": options.query, "photos": options.user_id, "comments": options.photo_id}[options.read]

    def poll(self, cursor: str | None) -> Page:
        """A page of the listing. Where the photo itself is gone, so are its comments; after that a person must look."""
        walk = Walk.from_note(read_note(cursor), f"{self._options.read} {self._what}")
        try:
            listing = self._list(walk.next)
        except NotThere:
            if not walk.seen:
                raise
            gone = (self._what, *walk.seen)
            return Page(cursor=write_note(Walk(walk.of).note()), gone=tuple(f"{self.kind}:{key}" for key in gone))
        walk, taken = walk.take(listing, self._options.pages)
        return Page(
            mentions=taken.mentions,
            cursor=write_note(walk.note()),
            more=bool(walk.next),
            left_out=taken.left_out,
            sample=taken.sample,
            gone=tuple(f"{self.kind}:{key}" for key in taken.gone),
            gap=taken.gap,
        )

    def close(self) -> None:
        """Nothing of our own is open."""

    # -- what some of us can do beside polling --

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Photos and comments as they stand now; all comments of one photo cost one call."""
        found: list[Mention] = []
        gone: list[str] = []
        under = defaultdict(list)
        for each in locators:
            if photo := photo_of_comment(each.native_id):
                under[photo].append(each)
                continue
            there = self._photo(each.native_id, recheck=True)
            found += [replace(mention, id=each.id) for mention in there]
            gone += [] if there else [each.id]
        for photo, asked in under.items():
            standing = {each.native_id: each for each in self._comments(photo, recheck=True)}
            found += [standing[each.native_id] for each in asked if each.native_id in standing]
            gone += [each.id for each in asked if each.native_id not in standing]
        return Rechecked(tuple(found), tuple(gone))

    def own_posts(self) -> Page:
        """The member's newest photos; nothing where the source names none."""
        if not self._options.user_id:
            return Page()
        root = self._ask("flickr.people.getPublicPhotos", user_id=self._options.user_id, page=1)
        entries = read_entries(photos_of(root), self._posts.from_photo)
        return Page(tuple(replace(each.mention, voice=Voice.OWN) for each in entries if each.mention is not None))

    def thread(self, locator: Locator) -> Page:
        """A photo with all its comments, oldest first."""
        photo = photo_of_comment(locator.native_id) or locator.native_id
        found = [*self._photo(photo), *self._comments(photo)]
        return Page(tuple(sorted(found, key=lambda each: each.published_at)))

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """A page of what was uploaded or said in that span, oldest first."""
        first, last = int(since.timestamp()), int(until.timestamp())
        page, full = int(read_note(cursor).get("page", 1)), False
        if self._options.read == "comments":
            found = self._comments(self._what, min_comment_date=first, max_comment_date=last)
            after = ""
        else:
            which: dict[str, Any] = {"text": self._what} if self._options.read == "search" else {"user_id": self._what}
            root = self._ask("flickr.photos.search", **which, min_upload_date=first, max_upload_date=last,
                             sort="date-posted-asc", page=page)  # fmt: skip
            entries = read_entries(photos_of(root), self._posts.from_photo)
            found = [entry.mention for entry in entries if entry.mention is not None]
            after, full = page_after(root, page, MOST_PAGES), page == MOST_PAGES and bool(entries)
        return Page(
            mentions=tuple(each for each in found if since <= each.published_at < until),
            cursor=write_note({"page": int(after or page)}),
            more=bool(after),
            gap="a search shows no more than 4,000 photos: ask for a shorter span" if full else "",
        )

    # -- the listings --

    def _list(self, after: str) -> Listing:
        if self._options.read == "comments":
            root = self._ask("flickr.photos.comments.getList", photo_id=self._what)
            return Listing(read_entries(comments_of(root), self._posts.from_comment), whole=True)
        page = int(after or 1)
        if self._options.read == "photos":
            root = self._ask("flickr.people.getPublicPhotos", user_id=self._what, page=page)
        else:
            root = self._ask("flickr.photos.search", text=self._what, sort="date-posted-desc", page=page)
        entries = read_entries(photos_of(root), self._posts.from_photo)
        return Listing(entries, page_after(root, page, MOST_PAGES))

    def _photo(self, photo: str, recheck: bool = False) -> list[Mention]:
        """The photo as it stands; none where it is gone or not public."""
        try:
            root = self._ask("flickr.photos.getInfo", recheck, photo_id=photo)
        except NotThere:
            return []
        return [e.mention for e in read_entries([photo_of(root)], self._posts.from_photo) if e.mention is not None]

    def _comments(self, photo: str, recheck: bool = False, **span: int) -> list[Mention]:
        """The comments under a photo; none where it is gone."""
        try:
            root = self._ask("flickr.photos.comments.getList", recheck, photo_id=photo, **span)
        except NotThere:
            return []
        entries = read_entries(comments_of(root), self._posts.from_comment)
        return [entry.mention for entry in entries if entry.mention is not None]

    def _ask(self, method: str, recheck: bool = False, **given: Any) -> ElementTree.Element:
        (key,) = credential(self._tools, self.kind, self._options.token_env)
        if "page" in given:
            given = {**given, "per_page": PER_PAGE, "extras": EXTRAS}
        self._budget.take(recheck=recheck)
        query = urlencode({"method": method, "api_key": key, **given})
        answer = self._platform.ask("GET", f"{HOME}/services/rest/?{query}", {"Accept": "text/xml"})
        return read_rsp(answer, method)


def _judge(answer: Answer, content: Any) -> bool:
    return is_rsp(answer)
