"""Mastodon: a hashtag's or a server's public timeline, a search or who mentions us, through Mastodon.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel, Field, model_validator

from listener.connector import Locator, Page, Rechecked, SourceInfo, Terms, Tools
from listener.feed_memory import KEY_LENGTH, read_note, write_note
from listener.feeds import short_hash
from listener.fetch import Answer
from listener.fetch_libraries import FetcherAdapter, open_session
from listener.fetch_status import place
from listener.platform_fetch import PlatformFetch, Unchanged, credential, translated
from listener.platform_options import ApiRoot, PlatformOptions
from listener.statuses import NoPost, StatusReader, age, id_of
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure
from mentions.mention import Mention, Voice

VERSION = 1
PAGE = 40  # most statuses a server gives at once
NOTHING = "0"  # older than any id
KEPT = 1_000  # posts remembered
FURTHEST = 4_000  # hits of a search read in one look
OPEN_READS = ("tag", "public")  # hold public posts only, and many servers show them to strangers
# What Mastodon.py reckons its pauses and pages with: a strange one of these fails a good answer.
UNHEARD = ("date", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "link", "deprecation")
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)


class MastodonOptions(PlatformOptions):
    """What a `mastodon` source needs to know."""

    api_root: ApiRoot = Field(min_length=1, description="The server, such as https://mastodon.social")
    read: Literal["tag", "public", "search", "mentions"] = Field(
        default="tag", description="tag: one hashtag; public: all public posts; search: `query`; mentions: of us"
    )
    tag: str = Field(default="", description='The hashtag to read, without "#"; needed where read is "tag"')
    query: str = Field(default="", max_length=500, description='What to search for; needed where read is "search"')
    token_env: str = Field(
        default="EARSHOT_MASTODON_TOKEN",
        description="Variable that holds an access token, needed for search and mentions; some servers demand one",
    )

    @model_validator(mode="after")
    def _named(self) -> MastodonOptions:
        self.tag, self.query = self.tag.strip().removeprefix("#"), self.query.strip()
        named = bool(self.tag) and f"_{self.tag}".isidentifier() and not self.tag.isdecimal()
        if self.read == "tag" and not named:
            raise ValueError('tag: a hashtag without "#" and blanks, such as "brixton"')
        if self.read == "search" and not self.query:
            raise ValueError('query: what to search for, such as "hackney police"')
        return self


class Missing(TemporaryFailure):
    """The server says that it has no such status. `plainly`: in its own words, and not as any web server might."""

    def __init__(self, message: str, plainly: bool) -> None:
        super().__init__(message)
        self.plainly = plainly


class MastodonConnector:
    """Reads a list that shows the newest first: that page shows what is new and what was edited. A gap in a timeline is
    filled oldest first; a search is read on to what is known."""

    kind: ClassVar[str] = "mastodon"
    Options: ClassVar[type[BaseModel]] = MastodonOptions
    terms: ClassVar[Terms] = Terms("https://docs.joinmastodon.org/api/guidelines/")
    most_at_once: ClassVar[int] = 20  # statuses, one call each, of 300 in five minutes

    def __init__(self, source: SourceInfo, options: MastodonOptions, tools: Tools) -> None:
        from mastodon import Mastodon  # a third of a second, which only those who have such a source shall pay

        self._tools = tools
        self._options = options
        self._where = options.api_root.partition("://")[2]
        # Mastodon.py asks /instance before every timeline, to warn of closed ones: the timeline itself says so too.
        silent = ("/api/v1/instance", "/api/v2/instance")
        platform = PlatformFetch(tools, options.api_root, judge=judge_status_page, silent=silent)
        self._adapter = FetcherAdapter(platform)
        self._adapter.unheard = UNHEARD
        self._session = open_session(self._adapter)
        self._client = Mastodon(
            api_base_url=options.api_root,
            session=self._session,
            user_agent=tools.fetch.settings.user_agent,
            ratelimit_method="throw",
            request_timeout=int(tools.fetch.settings.total_timeout),
            mastodon_version="4.4.0",
            version_check_mode="none",
        )
        # Unchecked, it takes every server for a 1.0, which would be too old for the second page of a search.
        self._client.mastodon_major, self._client.mastodon_minor = 4, 4
        zone = ZoneInfo(options.timezone) if options.timezone else UTC
        untold = "public" if options.read in OPEN_READS else ""
        self._reader = StatusReader(source, tools, self._where, zone, untold)
        self._cursor: str | None = None  # of the page returned last
        self._known = frozenset[str]()  # digests of its statuses
        self._answer: dict[str, str] | None = None  # of the newest answer: the digest of each item with its id

    def poll(self, cursor: str | None) -> Page:
        """The newest page; while posts between it and the last known one are missing, the pages between."""
        if cursor != self._cursor:  # what we returned was not kept: read it again
            self._known = frozenset()
        note = read_note(cursor)
        if note.get("v") != VERSION:
            note = {"v": VERSION, "newest": "", "gap": "", "etag": None, "seen": []}
        note.setdefault("back", None)
        if note["gap"]:
            page = self._fill_gap(note)
        elif note["back"]:
            page = self._read_back(note)
        else:
            page = self._look(note)
        self._cursor, self._known = page.cursor, frozenset(self._answer or ())
        return page

    def close(self) -> None:
        """Give back the session."""
        self._session.close()

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Look at statuses again, one by one. What was found out before a failure is not lost with it."""
        found: list[Mention] = []
        gone: list[str] = []
        now = self._tools.clock()
        for locator in locators[: self.most_at_once]:
            try:
                mention = self._reader.read(self._ask(self._client.status, locator.native_id), now)
                if mention.id == locator.id:  # else it is another server's status of that number
                    found.append(mention)
            except Missing as missing:
                if not missing.plainly:
                    self._fetch(limit=1)  # raises where nothing at all is to be had of that server
                gone.append(locator.id)
            except NoPost:
                gone.append(locator.id)
            except UNREADABLE:
                continue  # it is still there
            except (TemporaryFailure, RateLimited):
                if not (found or gone):
                    raise
                break
        return Rechecked(tuple(found), tuple(gone))

    def own_posts(self) -> Page:
        """The newest posts of the account whose token this is."""
        credential(self._tools, self.kind, self._options.token_env)
        account = self._ask(self._client.account_verify_credentials)
        if not id_of(account):
            raise TemporaryFailure(f"{self._where}: answered with something that is no account")
        statuses = self._ask(self._client.account_statuses, account["id"], exclude_reblogs=True, limit=PAGE)
        return self._plain(statuses, Voice.OWN)

    def thread(self, locator: Locator) -> Page:
        """The conversation round a status, oldest first."""
        try:
            status = self._ask(self._client.status, locator.native_id)
            around = self._ask(self._client.status_context, locator.native_id)
        except Missing:
            return Page(gone=(locator.id,))
        page = self._plain([*(around.get("ancestors") or ()), status, *(around.get("descendants") or ())])
        return Page(tuple(sorted(page.mentions, key=by_age)), left_out=page.left_out, sample=page.sample)

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """A page of what was published then, newest first."""
        at = read_note(cursor).get("at")
        items = self._fetch(**paging(self._options.read, at), limit=PAGE)
        ids = list((self._answer or {}).values())
        page = self._plain(items)
        times = [mention.published_at for mention in page.mentions]
        wanted = tuple(each for each in page.mentions if since <= each.published_at < until)
        here = next_back(self._options.read, at, ids)
        if (not times and not page.left_out) or here is None or (times and max(times) < since):
            return Page(wanted, left_out=page.left_out, sample=page.sample)
        if ids and times and min(times) > until:
            here = jump(here, until, ids, times)
        return Page(wanted, write_note({"at": here}), more=True, left_out=page.left_out, sample=page.sample)

    def _look(self, note: dict[str, Any]) -> Page:
        first = not note["newest"]
        search = self._options.read == "search"
        self._adapter.validator = None if search else note["etag"]
        try:
            items = self._fetch(limit=PAGE)
        except Unchanged:
            return Page(cursor=write_note(note))
        ids = list((self._answer or {}).values())
        known = note["newest"]
        missed = bool(known and ids) and not search and age(min(ids, key=age)) > age(known)
        after = {
            **note,
            "newest": max([NOTHING, known, *ids], key=age),
            "gap": known if missed else "",
            "etag": None if missed or search else self._adapter.validator,
        }
        left = self._options.pages - 1 if first else None
        return self._page(items, after, ids, left if first or search else 0)

    def _fill_gap(self, note: dict[str, Any]) -> Page:
        self._adapter.validator = None
        items = self._fetch(min_id=note["gap"], limit=PAGE)
        reached = max((self._answer or {}).values(), key=age, default="")
        over = not reached or age(reached) <= age(note["gap"]) or age(reached) >= age(note["newest"])
        return self._page(items, {**note, "gap": "" if over else reached}, [], 0)

    def _read_back(self, note: dict[str, Any]) -> Page:
        self._adapter.validator = None
        back = note["back"]
        items = self._fetch(**paging(self._options.read, back["at"]), limit=PAGE)
        ids = list((self._answer or {}).values())
        return self._page(items, note, ids, None if back["left"] is None else back["left"] - 1, back["at"])

    def _fetch(self, **asked: Any) -> Sequence[Any]:
        """A page of the list that this source reads; `_answer` then holds what was on it."""
        read, options = self._options.read, self._options
        if read not in OPEN_READS:
            credential(self._tools, self.kind, options.token_env)
        self._answer, self._adapter.sieve = None, self._leave_out_known
        try:
            if read == "search":
                found = self._ask(self._client.search_v2, options.query, False, "statuses", **asked)["statuses"]
            elif read == "mentions":
                found = self._ask(self._client.notifications, types=["mention"], **asked)
            else:
                name = "public" if read == "public" else f"tag/{options.tag}"
                found = self._ask(self._client.timeline, name, **asked)
        except NeedsAttention as failure:
            raise NeedsAttention(f"{failure}; an access token in {options.token_env} may be needed") from failure
        except (KeyError, TypeError):
            found = None
        finally:
            self._adapter.sieve = bytes
        if self._answer is None or not isinstance(found, list):
            raise TemporaryFailure(f"{self._where}: answered with something that is no list of posts")
        return found

    def _ask(self, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """One call of the library, with the token as it stands now."""
        self._client.access_token = (self._tools.secret(self._options.token_env) or "").strip() or None
        with translated(self._where):
            return call(*given, **named)

    def _leave_out_known(self, body: bytes) -> bytes:
        """The answer without items that stood in the last page letter for letter: to see that takes a hundredth of
        the time that the library takes to read them."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return body
        items = content.get("statuses") if isinstance(content, dict) else content
        if not isinstance(items, list) or isinstance(content, dict) != (self._options.read == "search"):
            return body
        found = {short_hash(json.dumps(item)): item for item in items}
        self._answer = {digest: id_of(item) for digest, item in found.items()}
        fresh = [item for digest, item in found.items() if digest not in self._known]
        return json.dumps(fresh if content is items else {"accounts": [], "statuses": fresh, "hashtags": []}).encode()

    def _page(
        self, items: Sequence[Any], note: dict[str, Any], ids: Sequence[str], left: int | None, at: Any = None
    ) -> Page:
        """What is new or changed among these. `left` is how many pages before this one a first look may still read;
        None where it is read on to what is known."""
        mentions, odd = self._sort(items)
        found = {key: short_hash(f"{each.title}\n{each.text}", 8) for key, each in mentions.items()}
        seen = {line[:KEY_LENGTH]: line[KEY_LENGTH:] for line in note["seen"]}
        met = len(items) < len(self._answer or ()) or any(key in seen for key in (*found, *odd))
        now = {**dict.fromkeys(odd, "odd"), **found}
        fresh = {key for key, digest in now.items() if seen.get(key) != digest}
        before = {key: digest for key, digest in seen.items() if key not in now}
        kept = (
            before | now if at is None else now | before
        )  # the longest unseen and the furthest back are forgotten first
        here = next_back(self._options.read, at, ids)
        over = here is None or not fresh or (met if left is None else left <= 0)
        back = None if over else {"at": here, "left": left}
        left_out = [why for key, why in odd.items() if key in fresh]
        return Page(
            mentions=tuple(each for key, each in mentions.items() if key in fresh),
            cursor=write_note({**note, "back": back, "seen": [key + digest for key, digest in kept.items()][-KEPT:]}),
            more=bool(note["gap"] or back),
            left_out=len(left_out),
            sample=left_out[-1] if left_out else "",
        )

    def _plain(self, statuses: Any, voice: Voice | None = None) -> Page:
        """All of these, whether known or not."""
        if not isinstance(statuses, list):
            raise TemporaryFailure(f"{self._where}: answered with something that is no list of posts")
        mentions, odd = self._sort(statuses, voice)
        return Page(tuple(mentions.values()), left_out=len(odd), sample=next(reversed(odd.values()), ""))

    def _sort(self, items: Sequence[Any], voice: Voice | None = None) -> tuple[dict[str, Mention], dict[str, str]]:
        """Mentions by their short ids, and why each of the others is none, by a key of its own."""
        now = self._tools.clock()
        mentions: dict[str, Mention] = {}
        odd: dict[str, str] = {}
        for item in items:
            try:
                mention = self._reader.read(status_of(item), now, voice)
                mentions[mention.id.partition(":")[2]] = mention
            except NoPost as why:
                odd[short_hash(f"odd {id_of(item)}")] = str(why)
            except UNREADABLE as error:
                key = id_of(item) or repr(item)
                odd[short_hash(f"odd {key}")] = f"a status that cannot be read ({type(error).__name__})"
        return mentions, odd


def judge_status_page(answer: Answer, content: Any) -> bool:
    """One status that is not there is gone, not a fault of the server."""
    parts = answer.url.partition("?")[0].split("/api/v1/statuses/")
    if answer.status in (404, 410) and len(parts) == 2:
        where = place(httpx.URL(answer.url))
        raise Missing(f"{where}: no such status ({answer.status})", answer.status == 410 or content is not None)
    return False


def status_of(item: Any) -> Any:
    """A status as it is, a notification's own; raises `NoPost` for a notification of something else."""
    if not isinstance(item, Mapping) or "type" not in item or "account" not in item or "content" in item:
        return item
    if item["type"] != "mention" or not item.get("status"):
        raise NoPost("a notification of something else than a mention")
    return item["status"]


def by_age(mention: Mention) -> tuple[datetime, str]:
    """Sorts mentions oldest first."""
    return mention.published_at, mention.id


def paging(read: str, at: Any) -> dict[str, Any]:
    """How the library is told to go on from there."""
    if at is None:
        return {}
    return {"offset": int(at)} if read == "search" else {"max_id": str(at)}


def next_back(read: str, at: Any, ids: Sequence[str]) -> Any:
    """Where the page before this one begins: before its oldest id, or after so many hits; None where it is over."""
    if read == "search":
        return (at or 0) + len(ids) if ids and (at or 0) < FURTHEST else None
    oldest = min(filter(None, ids), key=age, default=None)
    return None if oldest is None or (at is not None and age(oldest) >= age(str(at))) else oldest


def jump(here: Any, until: datetime, ids: Sequence[str], times: Sequence[datetime]) -> Any:
    """The id that a status of that moment would have, where this server's ids tell the time; else where we are."""
    oldest = min(filter(None, ids), key=age)
    if not isinstance(here, str) or not oldest.isdecimal():
        return here
    told = datetime.fromtimestamp(min((int(oldest) >> 16) / 1000, 4e9), UTC)
    near = abs((told - min(times)).total_seconds()) < 86_400
    wanted = str(int(until.timestamp() * 1000) << 16)
    return wanted if near and age(wanted) < age(here) else here
