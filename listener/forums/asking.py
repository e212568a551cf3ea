"""One page of a board asked for: what was there, or that it is there no more."""

from __future__ import annotations

import httpx

from listener.connector import Tools
from listener.fetch import Fetched, fetched
from listener.fetch_status import judge_status, place
from mentions.failures import Failure, NeedsAttention, TemporaryFailure

GONE = 410
ABSENT = (404, GONE)
PAGE = "text/html, application/xhtml+xml, application/json;q=0.9, */*;q=0.5"


class Absent(Exception):
    """The board says that there is no such page, or none any more."""

    @property
    def for_good(self) -> bool:
        """Whether it says so in earnest: a board that is being moved or mended answers 404 to anything."""
        _, status = self.args
        return bool(status == GONE)

    def as_failure(self) -> Failure:
        """What it means where the page is all that there is to a source."""
        where, status = self.args
        if status == GONE:
            return NeedsAttention(f"{where}: says it is gone for good ({status}); check the url")
        return TemporaryFailure(f"{where}: answered {status}; it will be tried again")


def ask(tools: Tools, url: str, *, etag: str | None = None, accept: str = PAGE) -> Fetched:
    """The page, or 304 where it is still as `etag` says; raises `Absent` for 404 and 410, else as `Fetcher.get` does.

    Only a tag is ever sent back: boards date a page by what they like.
    """
    wanted = {"Accept": accept, **({"If-None-Match": etag} if etag else {})}
    answer = tools.fetch.exchange(url, wanted, permitted=tools.may_read(url))
    if answer.status in ABSENT:
        raise Absent(place(httpx.URL(answer.url)), answer.status)
    now = tools.clock()
    judge_status(answer.status, answer.headers, place(httpx.URL(answer.url)), now)
    return fetched(answer, now)
