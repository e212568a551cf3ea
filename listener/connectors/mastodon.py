"""Mastodon: a hashtag's or a server's public timeline, through Mastodon.py."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from listener.connector import Page, SourceInfo, Terms, Tools
from listener.dates import believable
from listener.feed_memory import KEY_LENGTH, read_note, sift, write_note
from listener.feeds import short_hash
from listener.fetch_libraries import FetcherAdapter, open_session
from listener.markup import plain_line, plain_text, safe_link
from listener.platform_fetch import PlatformFetch, Unchanged, translated
from listener.rows import reach_of
from listener.web import WebAddress
from mentions.failures import NeedsAttention, TemporaryFailure
from mentions.mention import Mention, Reach

VERSION = 1
PAGE = 40  # most statuses a server gives at once
NOTHING = "0"  # older than any id


class MastodonOptions(BaseModel):
    """What a `mastodon` source needs to know."""

    model_config = ConfigDict(extra="forbid")

    api_root: WebAddress = Field(description="The server, such as https://mastodon.social")
    read: Literal["tag", "public"] = Field(default="tag", description="tag: one hashtag; public: all public posts")
    tag: str = Field(default="", description='The hashtag to read, without "#"; needed where read is "tag"')
    token_env: str = Field(
        default="MASTODON_TOKEN", description="Variable that holds an access token, for servers that demand one"
    )

    @model_validator(mode="after")
    def _tag_named(self) -> MastodonOptions:
        self.tag = self.tag.strip().removeprefix("#")
        named = bool(self.tag) and f"_{self.tag}".isidentifier() and not self.tag.isdecimal()
        if self.read == "tag" and not named:
            raise ValueError('tag: a hashtag without "#" and blanks, such as "brixton"')
        return self


class MastodonConnector:
    """Reads a timeline. The newest page shows what is new and what was edited; a gap is filled oldest first."""

    kind: ClassVar[str] = "mastodon"
    Options: ClassVar[type[BaseModel]] = MastodonOptions
    terms: ClassVar[Terms] = Terms("https://docs.joinmastodon.org/api/guidelines/")

    def __init__(self, source: SourceInfo, options: MastodonOptions, tools: Tools) -> None:
        from mastodon import Mastodon  # a third of a second, which only those who have such a source shall pay

        self._source = source
        self._tools = tools
        self._timeline = "public" if options.read == "public" else f"tag/{options.tag}"
        self._token_env = options.token_env
        self._where = options.api_root.partition("://")[2].rstrip("/")
        # Mastodon.py asks /instance before every timeline, to warn of closed ones: the timeline itself says so too.
        platform = PlatformFetch(tools, options.api_root, silent=("/api/v1/instance", "/api/v2/instance"))
        self._adapter = FetcherAdapter(platform)
        self._adapter.sieve = self._leave_out_known
        self._session = open_session(self._adapter)
        self._client = Mastodon(
            api_base_url=options.api_root.rstrip("/"),
            access_token=tools.secret(options.token_env) or None,
            session=self._session,
            user_agent=tools.fetch.settings.user_agent,
            ratelimit_method="throw",
            request_timeout=int(tools.fetch.settings.total_timeout),
            mastodon_version="4.4.0",
            version_check_mode="none",
        )
        self._cursor: str | None = None  # of the page returned last
        self._known = frozenset[str]()  # digests of its statuses
        self._answer: dict[str, str] = {}  # of the newest answer: the digest of each status with its id

    def poll(self, cursor: str | None) -> Page:
        """The newest page; while posts between it and the last known one are missing, the pages between."""
        if cursor != self._cursor:  # what we returned was not kept: read it again
            self._known = frozenset()
        note = read_note(cursor)
        if note.get("v") != VERSION:
            note = {"v": VERSION, "newest": "", "gap": "", "etag": None, "seen": []}
        page = self._fill_gap(note) if note["gap"] else self._look(note)
        self._cursor, self._known = page.cursor, frozenset(self._answer)
        return page

    def close(self) -> None:
        """Give back the session."""
        self._session.close()

    def _look(self, note: dict[str, Any]) -> Page:
        self._adapter.validator = note["etag"]
        try:
            statuses = self._fetch(limit=PAGE)
        except Unchanged:
            return Page(cursor=write_note(note))
        ids = list(self._answer.values())
        known = note["newest"]
        missed = bool(known and ids) and age(min(ids, key=age)) > age(known)
        return self._page(
            statuses,
            {
                **note,
                "newest": max([NOTHING, known, *ids], key=age),
                "gap": known if missed else "",
                "etag": None if missed else self._adapter.validator,
            },
        )

    def _fill_gap(self, note: dict[str, Any]) -> Page:
        self._adapter.validator = None
        statuses = self._fetch(min_id=note["gap"], limit=PAGE)
        reached = max(self._answer.values(), key=age, default="")
        over = not reached or age(reached) <= age(note["gap"]) or age(reached) >= age(note["newest"])
        return self._page(statuses, {**note, "gap": "" if over else reached})

    def _fetch(self, **paging: Any) -> Sequence[Any]:
        try:
            with translated(self._where):
                found = self._client.timeline(self._timeline, **paging)
        except NeedsAttention as failure:
            raise NeedsAttention(f"{failure}; an access token in {self._token_env} may be needed") from failure
        if not isinstance(found, list) or self._adapter.opening != b"[":
            raise TemporaryFailure(f"{self._where}: answered with something that is no timeline")
        return found

    def _leave_out_known(self, body: bytes) -> bytes:
        """The answer without statuses that stood in the last page letter for letter: to see that takes a hundredth of
        the time that the library takes to read them."""
        try:
            statuses = json.loads(body)
        except (ValueError, RecursionError):
            return body
        if not isinstance(statuses, list):
            return body
        found = {short_hash(json.dumps(status)): status for status in statuses}
        self._answer = {digest: id_of(status) for digest, status in found.items()}
        return json.dumps([status for digest, status in found.items() if digest not in self._known]).encode()

    def _page(self, statuses: Sequence[Any], note: dict[str, Any]) -> Page:
        now = self._tools.clock()
        mentions: dict[str, Mention] = {}
        odd: dict[str, str] = {}
        for status in statuses:
            try:
                mention = self._mention(status, now)
                mentions[mention.id.partition(":")[2]] = mention
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                odd[short_hash(repr(status))] = f"a status that cannot be read ({type(error).__name__})"
        found = {key: short_hash(f"{each.title}\n{each.text}", 8) for key, each in mentions.items()}
        seen = {line[:KEY_LENGTH]: line[KEY_LENGTH:] for line in note["seen"]}
        fresh, kept = sift(seen, {**dict.fromkeys(odd, "odd"), **found})
        left_out = [why for key, why in odd.items() if key in fresh]
        return Page(
            mentions=tuple(each for key, each in mentions.items() if key in fresh),
            cursor=write_note({**note, "seen": [key + digest for key, digest in kept.items()]}),
            more=bool(note["gap"]),
            left_out=len(left_out),
            sample=left_out[-1] if left_out else "",
        )

    def _mention(self, status: Any, now: datetime) -> Mention:
        status = status.get("reblog") or status
        account = status["account"]
        published = status["created_at"]
        warning, text = plain_line(status.get("spoiler_text") or ""), plain_text(status["content"])
        if not isinstance(published, datetime) or not (warning or text or status.get("media_attachments")):
            raise ValueError("no time or nothing said")
        zoned = published if published.tzinfo else published.replace(tzinfo=UTC)
        author = str(account.get("uri") or account.get("url") or account["acct"])
        name = str(account["acct"])  # of another server's account in full: a namesake elsewhere is not us
        return Mention(
            id=f"mastodon:{short_hash(str(status['uri']))}",
            platform="mastodon",
            source=self._source.name,
            published_at=believable(zoned.astimezone(UTC), now) or now,
            first_seen_at=now,
            text=text,
            title=warning,
            link=safe_link(str(status.get("url") or status["uri"])),
            native_id=str(status["id"]),
            author_key=self._tools.pseudonym("mastodon", author),
            publisher=self._source.publisher,
            voice=self._tools.voice(self._source, name, f"{name}@{self._where.partition('/')[0]}"),
            reach=band(account.get("followers_count")),
            thread=thread_of(status),
            lang=str(status.get("language") or ""),
            likes=count(status.get("favourites_count")),
            shares=count(status.get("reblogs_count")),
            replies=count(status.get("replies_count")),
        )


def id_of(status: Any) -> str:
    """The status's id on this server; "" for one that has none."""
    return str(status.get("id") or "") if isinstance(status, Mapping) else ""


def age(status_id: str) -> tuple[int, str]:
    """Sorts ids by age: numbers of any length, or names of one length as other servers give."""
    return len(status_id), status_id


def thread_of(status: Any) -> str:
    """What a reply answers, hashed; "" for a post that answers nothing."""
    answered = status.get("in_reply_to_id")
    return f"mastodon:{short_hash(str(answered))}" if answered else ""


def band(followers: object) -> Reach:
    """The reach of an account; the number itself is forgotten."""
    return reach_of(followers if isinstance(followers, int) and not isinstance(followers, bool) else None)


def count(value: object) -> int | None:
    """A number of reactions, if it is one."""
    return value if isinstance(value, int) and value >= 0 else None
