"""YouTube: videos that a search finds, a channel's uploads, comments; through google-api-python-client."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit
from weakref import WeakSet

from pydantic import BaseModel, Field, model_validator

from listener.connector import UNBOUNDED, Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.feed_memory import read_note, write_note
from listener.fetch import Answer
from listener.fetch_libraries import FetcherHttp
from listener.newest_first import Listing, Taken, Walk, read_entries
from listener.platform_fetch import PlatformFetch, credential, translated
from listener.platform_options import PlatformOptions
from listener.youtube import (
    VIDEO_ID,
    Balked,
    CommentsOff,
    NotThere,
    PageForgotten,
    Wanted,
    YouTubePosts,
    comments_of,
    judge,
    mentions_of,
    open_client,
    replies_wanted,
    video_of,
)
from mentions.failures import NeedsAttention, NotItsTurn, TemporaryFailure
from mentions.mention import Mention, Voice

HOME = "https://youtube.googleapis.com"
DOMAINS = ("googleapis.com", "youtube.com", "google.com")
SEARCH_GAP = timedelta(minutes=15)  # times the searches we have: a hundred a day are all there are
SEARCH_REACHES = 10  # pages; a search shows about 500 results and no more
LONGEST_QUERY = 1500  # as it stands in an address: googleapiclient would POST what is much longer
AT_ONCE = 25  # ids in one request, for the same reason
MOST_REPLIES = 5  # pages of a thread
MOST_FAILED = 20  # threads that are asked again


class YouTubeOptions(PlatformOptions):
    """What a `youtube` source needs to know."""

    read: Literal["search", "comments", "uploads"] = Field(
        default="search",
        description="search: videos found by words; comments: of a channel or a video; uploads: of a channel",
    )
    query: str = Field(default="", description='The words to search for; needed where read is "search"')
    channel_id: str = Field(default="", description='A channel\'s id, such as "UC...": for its comments or uploads')
    video_id: str = Field(default="", description="A video's id: for its comments")
    token_env: str = Field(default="EARSHOT_YOUTUBE_API_KEY", description="Variable that holds the API key")

    @model_validator(mode="after")
    def _complete(self) -> YouTubeOptions:
        self.query, self.channel_id, self.video_id = (
            each.strip() for each in (self.query, self.channel_id, self.video_id)
        )
        if self.read == "search" and not self.query:
            raise ValueError('query: needed where read is "search"')
        if len(quote(self.query)) > LONGEST_QUERY:
            raise ValueError("query: is too long for one request")
        if self.read == "comments" and bool(self.channel_id) == bool(self.video_id):
            raise ValueError('channel_id or video_id: one of them is needed where read is "comments"')
        if self.read == "uploads" and not re.fullmatch(r"UC[\w-]+", self.channel_id):
            raise ValueError('channel_id: needed where read is "uploads", and begins with "UC"')
        return self


class YouTubeConnector:
    """Reads one listing. Replies beyond those that come with their thread are fetched after it, a request a poll."""

    kind: ClassVar[str] = "youtube"
    Options: ClassVar[type[BaseModel]] = YouTubeOptions
    terms: ClassVar[Terms] = Terms(
        "https://developers.google.com/youtube/terms/developer-policies", home=HOME, domains=DOMAINS, counted=True
    )
    most_at_once: ClassVar[int] = 50
    _searching: ClassVar[WeakSet[YouTubeConnector]] = WeakSet()  # all that share the hundred

    def __init__(self, source: SourceInfo, options: YouTubeOptions, tools: Tools) -> None:
        self._source = source
        self._options = options
        self._tools = tools
        self._posts = YouTubePosts(source, tools)
        self._platform = PlatformFetch(tools, HOME, options.api_root, domains=DOMAINS, judge=self._judge)
        self._budget = tools.budget(self.kind) if self._platform.is_home else UNBOUNDED
        if options.read == "search" and self._platform.is_home:
            self._searching.add(self)
        self._client: Any = None
        self._failure: NeedsAttention | TemporaryFailure | None = None  # of a thread, to be raised
        self._raise_at: str | None = None  # by the poll after this cursor
        self._where = urlsplit(self._platform.root).netloc

    def poll(self, cursor: str | None) -> Page:
        """A page of the listing, or of replies in one of its threads. A thread that fails is told of, and asked again
        once the listing is looked at anew: it holds up neither the listing nor the other threads."""
        failure, self._failure = self._failure, None
        if failure is not None and cursor == self._raise_at:
            raise failure
        note = read_note(cursor)
        walk = Walk.from_note(note, self._name())
        waiting = [Wanted(*each) for each in note.get("waiting", ())] if note.get("of") == walk.of else []
        if any(not each.failed for each in waiting):
            walk, taken, waiting = self._read_replies(walk, waiting)
        else:
            anew = not walk.next
            try:
                rows, listing = self._list(walk.next)
            except CommentsOff:
                return Page(cursor=write_note(walk.note()), sample="comments are turned off at this video")
            except PageForgotten as lost:
                return Page(cursor=write_note(walk.restart().note()), gap=str(lost))
            walk, taken = walk.take(listing, self._options.pages)
            if self._options.read == "comments":
                waiting = _together(replies_wanted(walk, rows), waiting, anew)
        page = self._page(walk, taken, waiting)
        self._raise_at = page.cursor
        return page

    def close(self) -> None:
        """Give back the client."""
        self._searching.discard(self)
        if self._client is not None:
            self._client.close()

    # -- what some of us can do beside polling --

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Videos and comments as they stand now; YouTube leaves out what is gone."""
        found: list[Mention] = []
        gone: list[str] = []
        videos = [each for each in locators if VIDEO_ID.fullmatch(each.native_id)]
        comments = [each for each in locators if not VIDEO_ID.fullmatch(each.native_id)]
        for kind, all_of_kind in (("videos", videos), ("comments", comments)):
            for start in range(0, len(all_of_kind), AT_ONCE):
                asked = all_of_kind[start : start + AT_ONCE]
                there = {each.native_id: each for each in self._look_up(kind, asked)}
                found += there.values()
                gone += [each.id for each in asked if each.native_id not in there]
        return Rechecked(tuple(found), tuple(gone))

    def own_posts(self) -> Page:
        """The newest uploads of the channel; nothing where the source names none."""
        if not self._options.channel_id:
            return Page()
        rows = self._ask("playlistItems", part="snippet,status", playlistId=self._uploads(), maxResults=AT_ONCE)[0]
        ids = [mention.native_id for mention in mentions_of(rows, self._posts.from_upload)]
        videos = self._ask("videos", part="snippet,statistics,status", id=",".join(ids))[0] if ids else []
        return Page(tuple(replace(each, voice=Voice.OWN) for each in mentions_of(videos, self._posts.from_video)))

    def thread(self, locator: Locator) -> Page:
        """A video with its newest comments, or a comment with its replies; oldest first."""
        if VIDEO_ID.fullmatch(locator.native_id):
            found = self._look_up("videos", [locator])
            rows = self._threads(videoId=locator.native_id)[0]
            found += mentions_of(comments_of(rows), self._posts.from_comment)
        else:
            root = locator.native_id.partition(".")[0]
            found = self._look_up("comments", [replace(locator, native_id=root)])
            token = ""
            for _ in range(MOST_REPLIES):
                rows, token = self._ask("comments", part="snippet", parentId=root, maxResults=100, **_going_on(token))
                found += mentions_of(rows, lambda row: self._posts.from_comment(row, video_of(locator.link)))
                if not token:
                    break
        return Page(tuple(sorted(found, key=lambda each: each.published_at)))

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """A page of what was published in that span. Replies come with their thread, as far as it brings them along."""
        note = read_note(cursor)
        read = int(note.get("read", 0)) + 1
        try:
            listing = self._list(str(note.get("next", "")), since, until)[1]
        except PageForgotten:
            return Page(cursor=None, more=True)  # from the beginning: what came before comes again
        mentions = [entry.mention for entry in listing.entries if entry.mention is not None]
        older = bool(mentions) and all(each.published_at < since for each in mentions)
        more = bool(listing.next) and not older
        full = more and self._options.read == "search" and read >= SEARCH_REACHES
        return Page(
            mentions=tuple(each for each in mentions if since <= each.published_at < until),
            cursor=write_note({"next": listing.next, "read": read}),
            more=more and not full,
            gap="a search shows no more than about 500 videos: ask for a shorter span" if full else "",
        )

    # -- the listings --

    def _judge(self, answer: Answer, content: Any) -> bool:
        judge(answer, content, self._tools.clock())
        return False

    def _name(self) -> str:
        options = self._options
        return f"{options.read} {options.query or options.channel_id or options.video_id}"

    def _list(self, token: str, since: datetime | None = None, until: datetime | None = None) -> tuple[Any, Listing]:
        options, build = self._options, self._posts.from_upload
        if options.read == "search":
            span = {"publishedAfter": since, "publishedBefore": until}
            within: dict[str, Any] = {
                name: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, at in span.items() if at
            }
            rows, after = self._ask("search", part="snippet", q=options.query, type="video", order="date",
                                    safeSearch="none", maxResults=50, **within, **_going_on(token))  # fmt: skip
            build = self._posts.from_search
        elif options.read == "uploads":
            rows, after = self._ask("playlistItems", part="snippet,status", playlistId=self._uploads(), maxResults=50,
                                    **_going_on(token))  # fmt: skip
        else:
            which: dict[str, Any] = {"videoId": options.video_id} if options.video_id else {
                "allThreadsRelatedToChannelId": options.channel_id}  # fmt: skip
            rows, after = self._threads(**which, **_going_on(token))
            return rows, Listing(read_entries(comments_of(rows), self._posts.from_comment), after)
        return rows, Listing(read_entries(rows, build), after)

    def _threads(self, **which: Any) -> tuple[list[Any], str]:
        return self._ask("commentThreads", part="snippet,replies", order="time", textFormat="html", maxResults=100,
                         **which)  # fmt: skip

    def _read_replies(self, walk: Walk, waiting: list[Wanted]) -> tuple[Walk, Taken, list[Wanted]]:
        one = next(each for each in waiting if not each.failed)
        others = [each for each in waiting if each is not one]
        try:
            rows, after = self._ask("comments", part="snippet", parentId=one.parent, textFormat="html", maxResults=100,
                                    **_going_on(one.token))  # fmt: skip
        except (NotThere, PageForgotten, Balked, CommentsOff) as lost:  # asked again as long as the list shows it
            known = walk.marked(one.key) == f"lost {one.total}"
            gap = "" if known else f"replies to a comment: {lost}"
            return walk.mark({one.key: f"lost {one.total}"}), Taken(gap=gap), others
        except NotItsTurn:
            raise
        except (NeedsAttention, TemporaryFailure) as failure:
            self._failure = failure
            return walk, Taken(), [*others, one._replace(failed=True)]
        entries = read_entries(rows, lambda row: self._posts.from_comment(row, one.video))
        walk, taken = walk.add(entries)
        if after and taken.mentions:  # the newest come first
            return walk, taken, [one._replace(token=after), *others]
        return walk.mark({one.key: one.total}), taken, others

    def _look_up(self, kind: str, locators: Sequence[Locator]) -> list[Mention]:
        """Those of them that are still there. One that is not may fail a whole request for comments: then by halves."""
        part = "snippet,statistics,status" if kind == "videos" else "snippet"
        texts: dict[str, Any] = {} if kind == "videos" else {"textFormat": "html"}
        ids = ",".join(each.native_id for each in locators)
        try:
            rows, _ = self._ask(kind, recheck=True, part=part, id=ids, **texts)
        except NotThere:
            half = len(locators) // 2
            return self._look_up(kind, locators[:half]) + self._look_up(kind, locators[half:]) if half else []
        if kind == "videos":
            return mentions_of(rows, self._posts.from_video)
        videos = {each.native_id: video_of(each.link) for each in locators}
        return mentions_of(rows, lambda row: self._posts.from_comment(row, videos.get(row["id"], "")))

    def _ask(self, kind: str, *, recheck: bool = False, **given: Any) -> tuple[list[Any], str]:
        """The rows of one answer, and the mark of the page after."""
        (key,) = credential(self._tools, self.kind, self._options.token_env)
        if self._client is None:
            self._client = open_client(key, FetcherHttp(self._platform))
        self._budget.take(bucket="search" if kind == "search" else "", recheck=recheck)
        with translated(self._where):
            answer = getattr(self._client, kind)().list(**given).execute(num_retries=0)
        rows = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise TemporaryFailure(f"{self._where}: answered with something that is no list; it will be tried again")
        return rows, str(answer.get("nextPageToken") or "")

    def _uploads(self) -> str:
        """A channel's uploads are a list of their own, called after it."""
        return "UU" + self._options.channel_id[2:]

    def _page(self, walk: Walk, taken: Taken, waiting: list[Wanted]) -> Page:
        more = bool(walk.next or self._failure) or any(not each.failed for each in waiting)
        resting = self in self._searching and not more
        return Page(
            mentions=taken.mentions,
            cursor=write_note({**walk.note(), "waiting": waiting}),
            more=more,
            left_out=taken.left_out,
            sample=taken.sample,
            gone=tuple(f"{self.kind}:{key}" for key in taken.gone),
            gap=taken.gap,
            not_before=self._tools.clock() + SEARCH_GAP * len(self._searching) if resting else None,
        )


def _together(wanted: list[Wanted], failed: list[Wanted], anew: bool) -> list[Wanted]:
    """Threads to ask, with those that failed before: these have another chance each time the list is begun anew. One
    that failed amid its pages goes on there, after what has come to it since."""
    unchanged = {(each.parent, each.total) for each in failed}
    wanted = [each for each in wanted if (each.parent, each.total) not in unchanged]
    from_the_top = {each.parent for each in wanted}
    kept = [each for each in failed if each.token or each.parent not in from_the_top][-MOST_FAILED:]
    return wanted + [each._replace(failed=not anew) for each in kept]


def _going_on(token: str) -> dict[str, Any]:
    return {"pageToken": token} if token else {}
