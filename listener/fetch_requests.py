"""Lets a library built on `requests` fetch through our own client: one guard, one set of limits for everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from listener.fetch import Fetcher
from listener.fetch_status import judge_status
from mentions.clock import Clock


class Unchanged(Exception):
    """The answer is still as the validator said."""


class FetcherAdapter(BaseAdapter):
    """Answers a session's GET requests from a `Fetcher`; failures of ours are raised as they are.

    A path of `silent` is answered 404 without asking. `validator` is sent along where it is set, and `Unchanged`
    raised when it still holds; afterwards it is the newest answer's own. `opening` is the first sign of the newest
    body, for libraries that take anything for the list they expect. `sieve` may leave out parts of a good answer.
    """

    def __init__(self, fetch: Fetcher, clock: Clock, silent: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._fetch = fetch
        self._clock = clock
        self._silent = silent
        self.validator: str | None = None
        self.opening = b""
        self.sieve: Callable[[bytes], bytes] = bytes

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        if request.method != "GET" or request.url is None:
            raise requests.exceptions.InvalidSchema("only reading is possible here")
        path = urlsplit(request.url).path.rstrip("/")
        if path.endswith(self._silent):
            return respond(request, 404, {}, b"{}")
        wanted = {name: str(value) for name, value in request.headers.items() if name in ("Authorization", "Accept")}
        if self.validator:
            wanted["If-None-Match"] = self.validator
        answer = self._fetch.exchange(request.url, wanted, robots=False)
        if answer.status == 304:
            raise Unchanged
        judge_status(answer.status, answer.headers, f"{urlsplit(request.url).netloc}{path}", self._clock())
        self.validator = answer.headers.get("etag")
        self.opening = answer.body.lstrip()[:1]
        return respond(request, answer.status, answer.headers, self.sieve(answer.body))

    def close(self) -> None:
        """The fetcher is not ours to close."""


def respond(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    """An answer in the library's own form; the body is already unpacked."""
    response = requests.Response()
    response.status_code = status
    response.headers.update({key: value for key, value in headers.items() if key.lower() != "content-encoding"})
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    response._content = body
    return response
