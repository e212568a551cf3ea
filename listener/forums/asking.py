"""One page of a board asked for: what was there, or that it is there no more."""

from __future__ import annotations

import httpx

from listener.connector import Tools
from listener.fetch import Fetched, fetched
from listener.fetch_status import judge_status, place

ABSENT = (404, 410)
PAGE = "text/html, application/xhtml+xml, application/json;q=0.9, */*;q=0.5"


class Absent(Exception):
    """The board says that there is no such page, or none any more."""


def ask(tools: Tools, url: str, *, etag: str | None = None, accept: str = PAGE) -> Fetched:
    """The page, or 304 where it is still as `etag` says; raises `Absent` for 404 and 410, else as `Fetcher.get` does.

    Only a tag is ever sent back: boards date a page by what they like.
    """
    answer = tools.fetch.exchange(url, {"Accept": accept, **({"If-None-Match": etag} if etag else {})})
    if answer.status in ABSENT:
        raise Absent(place(httpx.URL(answer.url)))
    now = tools.clock()
    judge_status(answer.status, answer.headers, place(httpx.URL(answer.url)), now)
    return fetched(answer, now)
