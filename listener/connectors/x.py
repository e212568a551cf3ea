"""X: a search, its counts, mentions of an account, its own posts, or a conversation, through tweepy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from listener.connector import UNBOUNDED, Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.feed_memory import read_note, write_note
from listener.feeds import short_hash
from listener.fetch import Answer
from listener.fetch_libraries import FetcherAdapter, open_session
from listener.fetch_status import retry_after
from listener.platform_fetch import PlatformFetch, credential, translated
from listener.platform_options import PlatformOptions
from listener.platform_pages import sift_page
from listener.x_bill import COUNTS, OWN_POST, POST, USER, Bill
from listener.x_posts import (
    PROTECTED,
    CursorTooOld,
    PageTokenSpent,
    Posting,
    Posts,
    history_of,
    id_of,
    judge_refusal,
    number,
    posted_at,
    read_posts,
    read_volumes,
    together,
)
from mentions.failures import Failure, NeedsAttention, NotAsked, NotConfigured, RateLimited
from mentions.mention import Mention

VERSION = 1
HOME = "https://api.twitter.com"  # a constant in tweepy
DOMAINS = ("x.com", "twitter.com")
LOOKS_BACK = timedelta(days=7) - timedelta(minutes=1)  # of a search; a minute for clocks that differ
HOUR = timedelta(hours=1)
SETTLED = timedelta(seconds=30)  # X takes no end of a span that is nearer than ten seconds
TWEET_FIELDS = [
    "author_id", "conversation_id", "created_at", "edit_history_tweet_ids", "lang", "note_tweet", "public_metrics",
    "referenced_tweets",
]  # fmt: skip
USER_FIELDS = ["protected", "public_metrics", "username"]
KEYS = {"search": "query", "counts": "query", "mentions": "user_id", "own": "user_id", "replies": "conversation_id"}
SEARCHES = ("search", "replies")
EDITS_KEPT = 100
GAP = "the last look was longer ago than X looks back (7 days): posts in between are missing"

logging.getLogger("tweepy").setLevel(logging.WARNING)  # at DEBUG it writes down posts and the token


class XOptions(PlatformOptions):
    """What an `x` source needs to know."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    read: Literal["search", "counts", "mentions", "own", "replies"] = Field(
        default="search",
        description="search: posts that match; counts: how many; mentions, own: of an account; replies: a conversation",
    )
    query: str = Field(default="", description="X's query, such as '\"Larkfield police\" -is:retweet lang:en'")
    user_id: str = Field(default="", description="The number of the account, not its name")
    conversation_id: str = Field(default="", description="The number of the post that began the conversation")
    authors: bool = Field(default=True, description="Ask for authors too, which tells reach and costs more")
    token_env: str = Field(default="EARSHOT_X_BEARER_TOKEN", description="Variable that holds the app's bearer token")

    @model_validator(mode="after")
    def _key_given(self) -> XOptions:
        self.query = self.query.strip()
        key = KEYS[self.read]
        value = str(getattr(self, key))
        if not value or (key != "query" and not (value.isascii() and value.isdecimal())):
            what = "the words to look for" if key == "query" else "a number"
            raise ValueError(f'{key}: {what}; needed where read is "{self.read}"')
        return self


class XConnector:
    """Reads page by page down to the last post known, which moves up once the last page has been read."""

    kind: ClassVar[str] = "x"
    Options: ClassVar[type[BaseModel]] = XOptions
    terms: ClassVar[Terms] = Terms(
        "https://docs.x.com/developer-terms/policy",
        approval="X forbids watching events and persons without its written approval; name who holds it",
        home=HOME,
        domains=DOMAINS,
        counted=True,
    )
    most_at_once: ClassVar[int] = 100

    def __init__(self, source: SourceInfo, options: XOptions, tools: Tools) -> None:
        self._options = options
        self._tools = tools
        self._platform = PlatformFetch(tools, HOME, options.api_root, domains=DOMAINS, judge=self._judge)
        self._where = self._platform.root.partition("://")[2]
        self._session = open_session(FetcherAdapter(self._platform))
        self._posting = Posting(source, tools, options.user_id)
        self._own = Posting(source, tools, options.user_id, all_own=True)
        self._bill = Bill(tools.budget("x") if self._platform.is_home else UNBOUNDED, tools.clock)
        self._status: int | None = None  # of the newest answer
        self._pause: datetime | None = None  # until when nothing is left of an allowance

    def close(self) -> None:
        """Give back the session."""
        self._session.close()

    # -- polling

    def poll(self, cursor: str | None) -> Page:
        """The next page of what is new; where the budget is spent, how many posts there were instead."""
        note = read_note(cursor)
        if note.get("v") != VERSION:
            note = {"v": VERSION, "newest": 0, "looked": "", "run": None, "seen": [], "edits": {}, "counted": ""}
        if self._options.read == "counts":
            return self._count(note)
        run = note["run"] or self._begin(note)
        try:
            posts = self._next_posts(run)
        except _BudgetSpent as spent:
            if self._options.read not in SEARCHES:
                raise
            return self._count(note, spent)
        return self._page(note, run, posts)

    def _begin(self, note: dict[str, Any]) -> dict[str, Any]:
        """A look from the newest page down to the last post known."""
        now = self._tools.clock()
        run = {
            "at": now.isoformat(), "since": note["newest"], "until": 0, "start": "", "token": "", "top": note["newest"],
            "low": 0, "left": 0 if note["looked"] else self._options.pages, "gap": "",
        }  # fmt: skip
        if note["looked"] and datetime.fromisoformat(note["looked"]) < now - LOOKS_BACK:
            run["gap"] = GAP
        if self._options.read in SEARCHES and run["since"] and posted_at(run["since"]) < now - LOOKS_BACK:
            self._ask_by_time(run)
        return run

    def _ask_by_time(self, run: dict[str, Any]) -> None:
        run |= {"since": 0, "token": "", "start": (self._tools.clock() - LOOKS_BACK).isoformat(timespec="seconds")}

    def _next_posts(self, run: dict[str, Any]) -> Posts:
        """The run's next page. The run is changed where X does not take what it was to go on from."""
        try:
            return self._read(**_paging(run))
        except PageTokenSpent:
            run |= {"token": "", "until": run["low"]}
        except CursorTooOld:
            late = datetime.fromisoformat(run["at"]) < self._tools.clock() - LOOKS_BACK
            run["gap"] = GAP if late else run["gap"]
            self._ask_by_time(run)
        return self._read(**_paging(run))

    def _page(self, note: dict[str, Any], run: dict[str, Any], posts: Posts) -> Page:
        found, odd = self._mentions(posts, note["edits"], self._own if self._options.read == "own" else None)
        news = sift_page(note["seen"], found, odd)
        lowest = min((number(id_of(each)) for each in posts.posts if id_of(each)), default=0)
        left = run["left"] - 1
        more = bool(posts.next_token) and news.brought and left != 0
        top = max(run["top"], posts.newest)
        going = {**run, "token": posts.next_token, "top": top, "low": lowest or run["low"], "left": left, "gap": ""}
        note = {**note, "run": going if more else None, "seen": news.seen}
        note["edits"] = dict(list(note["edits"].items())[-EDITS_KEPT:])
        return Page(
            mentions=news.mentions,
            cursor=write_note(note if more else {**note, "newest": top, "looked": run["at"]}),
            more=more,
            left_out=news.left_out,
            sample=news.sample,
            gap=run["gap"],
            not_before=self._pause,
        )

    def _mentions(
        self, posts: Posts, edits: dict[str, int] | None = None, posting: Posting | None = None
    ) -> tuple[dict[str, Mention], dict[str, str]]:
        """Mentions by id, and why the other posts are left out. Of a post's versions the newest stays, which `edits`
        remembers by mention id."""
        now = self._tools.clock()
        edits = {} if edits is None else edits
        found: dict[str, Mention] = {}
        odd: dict[str, str] = {}
        for post in sorted(posts.posts, key=lambda each: number(id_of(each)), reverse=True):
            try:
                mention = (posting or self._posting).mention(post, posts, now)
            except PermissionError as private:
                odd[f"x:{id_of(post)}"] = str(private)
                continue
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                name = f"x:{id_of(post)}" if id_of(post) else short_hash(repr(post))
                odd[name] = f"a post that cannot be read ({type(error).__name__})"
                continue
            version = number(mention.native_id)
            if mention.id in found or version < edits.get(mention.id, 0):
                continue
            if mention.id != f"x:{mention.native_id}":
                edits[mention.id] = version
            found[mention.id] = mention
        return found, odd

    # -- asking

    def _read(self, read: str = "", **paging: Any) -> Posts:
        """A page of posts of one of the reads. Raises _BudgetSpent, before anything is asked."""
        read = read or self._options.read
        user = USER if self._options.authors else 0.0
        price = OWN_POST if read == "own" else POST
        self._token()
        try:
            size = self._bill.size(price + user)
        except RateLimited as spent:
            raise _BudgetSpent(str(spent), spent.until) from spent
        paging["max_results"] = size
        if read in ("mentions", "own"):
            paging["pagination_token"] = paging.pop("next_token", None)
            call, about = ("get_users_mentions" if read == "mentions" else "get_users_tweets"), self._options.user_id
        else:
            call, about = "search_recent_tweets", paging.pop("query", "") or self._query()
        return self._posts(call, about, size * (price + user), price, **paging)

    def _query(self) -> str:
        replies = self._options.read == "replies"
        return f"conversation_id:{self._options.conversation_id}" if replies else self._options.query

    def _posts(self, call: str, about: object, taken: float, price: float, **paging: Any) -> Posts:
        wanted: dict[str, Any] = {name: value for name, value in paging.items() if value}
        wanted["tweet_fields"] = TWEET_FIELDS
        if self._options.authors:
            wanted |= {"expansions": ["author_id"], "user_fields": USER_FIELDS}
        with self._bill.settled(taken) as charge:
            try:
                posts = read_posts(self._ask(call, about, **wanted), self._where)
            except NotAsked:
                charge.cost = 0.0
                raise
            except Failure:
                charge.cost = taken if self._status in (None, 200) else 0.0
                raise
            ids = (id_of(each) for each in (*posts.posts, *posts.referred.values()))
            charge.cost = min(self._bill.cost(ids, posts.users, price), taken)
        if call != "get_tweets" and posts.vanished and not posts.posts:
            raise NeedsAttention(f"{self._where}: X does not know the account, or does not show it; check user_id")
        return posts

    def _ask(self, call: str, about: object, **wanted: Any) -> Any:
        """What the client library makes of one request."""
        import tweepy  # half a second, which only those who have such a source shall pay

        # As dictionaries: one odd post would otherwise cost a page.
        client = tweepy.Client(self._token(), return_type=dict, wait_on_rate_limit=False)
        client.session = self._session
        self._status = self._pause = None
        with translated(self._where):
            return getattr(client, call)(about, **wanted)

    def _token(self) -> str:
        return credential(self._tools, "x", self._options.token_env)[0]

    def _judge(self, answer: Answer, content: Any) -> bool:
        now = self._tools.clock()
        self._status = answer.status
        self._pause = retry_after(answer.headers, now)
        judge_refusal(answer.status, content, self._where, now)
        return False

    # -- counts

    def _count(self, note: dict[str, Any], spent: _BudgetSpent | None = None) -> Page:
        """How many posts there were, hour by hour since the last count. Instead of posts: where the budget is spent."""
        now = self._tools.clock()
        self._token()
        try:
            self._bill.take(COUNTS)
        except RateLimited as nothing:
            raise spent or nothing from nothing
        told = note["counted"]
        recent = datetime.fromisoformat(told) if told else None
        start = recent - HOUR if recent and recent - HOUR > now - LOOKS_BACK else None  # X refuses spans of no length
        with self._bill.settled(COUNTS) as charge:
            try:
                content = self._ask(
                    "get_recent_tweets_count", self._query(), **({"start_time": start} if start else {})
                )
            except Failure:
                charge.cost = COUNTS if self._status in (None, 200) else 0.0
                raise
        volume = read_volumes(content, self._where)
        whole = [each.end.isoformat() for each in volume if each.end.minute == each.end.second == 0]
        fresh = tuple(each for each in volume if not recent or each.end > recent)
        posts = sum(each.posts for each in fresh)
        gap = f"the budget is spent: {posts} posts were counted, not read" if spent and posts else ""
        # One count an hour: that is how fine they are.
        wait = min(spent.until, now + HOUR) if spent else None
        cursor = write_note({**note, "counted": max([told, *whole])})
        return Page(cursor=cursor, gap=gap, volume=fresh, not_before=wait or self._pause)

    # -- beside polling

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Look posts up: X names those that are deleted, suspended or protected. An edited one comes as it is now."""
        wanted = {each.native_id: each.id for each in locators if each.native_id.isdecimal()}
        posts = self._look_up(list(wanted), recheck=True)
        newest = {history_of(each)[-1] for each in posts.posts if id_of(each) in wanted} - set(wanted)
        posts = together(posts, self._look_up(sorted(newest), recheck=True))
        found, odd = self._mentions(posts)
        ids = set(wanted.values())
        gone = {wanted[each] for each in posts.vanished if each in wanted} - set(found)
        gone |= {name for name, why in odd.items() if name in ids and why == PROTECTED}
        return Rechecked(tuple(each for name, each in found.items() if name in ids), tuple(sorted(gone)))

    def _look_up(self, ids: list[str], *, recheck: bool = False) -> Posts:
        if not ids:
            return Posts()
        self._token()
        each = POST + (USER if self._options.authors else 0.0)
        self._bill.take(len(ids) * each, recheck=recheck)
        return self._posts("get_tweets", ids, len(ids) * each, POST)

    def own_posts(self) -> Page:
        """The newest posts of the account that `user_id` names."""
        if not self._options.user_id:
            raise NotConfigured("x: own posts need the source's user_id")
        posts = self._read("own")
        found, odd = self._mentions(posts, posting=self._own)
        return Page(
            tuple(found.values()), left_out=len(odd), sample=next(iter(odd.values()), ""), not_before=self._pause
        )

    def thread(self, locator: Locator) -> Page:
        """The conversation's posts of the last seven days, with the one that began it."""
        asked = self._look_up([locator.native_id])
        if not asked.posts:
            return Page(gone=(locator.id,) if locator.native_id in asked.vanished else ())
        root = str(asked.posts[0].get("conversation_id") or locator.native_id)
        begun = self._look_up([root]) if root != locator.native_id else Posts()
        replies = self._read("search", query=f"conversation_id:{root}")
        both = together(asked, begun, replies)
        found, odd = self._mentions(both)
        posts = tuple(sorted(found.values(), key=lambda each: (each.published_at, number(each.native_id))))
        gap = "the conversation goes on beyond the newest hundred posts" if replies.next_token else ""
        return Page(posts, left_out=len(odd), gap=gap)

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """What was posted in the span: a search looks back seven days, an account's posts go back 3,200."""
        if self._options.read == "counts":
            return Page(gap="counts show no posts")
        now = self._tools.clock()
        token = str(read_note(cursor).get("token") or "")
        searches = self._options.read in SEARCHES
        start, end = max(since, now - LOOKS_BACK) if searches else since, min(until, now - SETTLED)
        gap = "X looks back seven days: what is older cannot be had" if start > since else ""
        if start >= end:
            return Page(gap=gap)
        posts = self._read(start_time=start, end_time=end, next_token=token)
        found, odd = self._mentions(posts, posting=self._own if self._options.read == "own" else None)
        kept = tuple(each for each in found.values() if since <= each.published_at < until)
        more = bool(posts.next_token and posts.next_token != token)
        note = write_note({"token": posts.next_token})
        return Page(kept, note, more, len(odd), next(iter(odd.values()), ""), gap=gap, not_before=self._pause)


class _BudgetSpent(RateLimited):
    """Our own budget, not X, says no."""


def _paging(run: dict[str, Any]) -> dict[str, Any]:
    """The run's next page as X takes it."""
    return {
        "since_id": run["since"],
        "until_id": run["until"],
        "start_time": datetime.fromisoformat(run["start"]) if run["start"] else None,
        "next_token": run["token"],
    }
