"""Lets client libraries built on `requests`, `httpx` or `httplib2` ask through our own fetch layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import requests
from requests.adapters import BaseAdapter

from listener.platform_fetch import PlatformFetch, Unchanged

MAY_POST: tuple[str, ...] = ("/api/v1/access_token", "com.atproto.server.createSession",
                             "com.atproto.server.refreshSession")  # fmt: skip


def refuse_writing(method: str, path: str) -> None:
    """We read and never post: the only thing ever sent is a log-in. Raises ValueError, since asking is a bug."""
    if method != "GET" and not (method == "POST" and path.endswith(MAY_POST)):
        raise ValueError(f"only reading is possible here, not {method} {path}")


class FetcherAdapter(BaseAdapter):
    """Answers a `requests` session from a `PlatformFetch`; failures of ours are raised as they are.

    `validator` is sent along where it is set, and `Unchanged` raised when it still holds; afterwards it is the newest
    answer's own. `opening` is the first sign of the newest body, for libraries that take anything for the list they
    expect. `sieve` may leave out parts of a good answer, and `unheard` names headers that a library would do more with
    than good.
    """

    def __init__(self, platform: PlatformFetch) -> None:
        super().__init__()
        self._platform = platform
        self.validator: str | None = None
        self.opening = b""
        self.sieve: Callable[[bytes], bytes] = bytes
        self.unheard: tuple[str, ...] = ()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = httpx.URL(request.url or "")
        refuse_writing(request.method or "", url.path)
        wanted = {name: str(value) for name, value in request.headers.items()}
        if self.validator:
            wanted["If-None-Match"] = self.validator
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        if not isinstance(body, bytes):
            raise TypeError("only whole bodies are sent")
        answer = self._platform.ask(request.method or "GET", str(url), wanted, body)
        if answer.status == 304:
            raise Unchanged
        self.validator = answer.headers.get("etag")
        self.opening = answer.body.lstrip()[:1]
        heard = {name: value for name, value in answer.headers.items() if name.lower() not in self.unheard}
        return _respond(request, answer.status, heard, self.sieve(answer.body))

    def close(self) -> None:
        """The fetcher is not ours to close."""


def open_session(adapter: FetcherAdapter) -> requests.Session:
    """A session that goes nowhere but through the adapter, and takes nothing from the environment."""
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _respond(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    """An answer in the library's own form; the body is already unpacked."""
    response = requests.Response()
    response.status_code = status
    response.headers.update(_unpacked(headers))
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    response._content = body
    return response


def _unpacked(headers: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key.lower() not in ("content-encoding", "content-length")}


class FetcherTransport(httpx.BaseTransport):
    """Answers an `httpx` client from a `PlatformFetch`."""

    def __init__(self, platform: PlatformFetch) -> None:
        self._platform = platform

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One answer, its body already read and unpacked."""
        refuse_writing(request.method, request.url.path)
        answer = self._platform.ask(request.method, str(request.url), request.headers, request.read())
        return httpx.Response(answer.status, headers=_unpacked(answer.headers), content=answer.body, request=request)


class FetcherHttp:
    """Stands in for `httplib2.Http` before googleapiclient."""

    def __init__(self, platform: PlatformFetch) -> None:
        self._platform = platform

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: object
    ) -> tuple[Any, bytes]:
        """One answer as httplib2 gives it: its head, which is a mapping with `status`, and its bytes."""
        import httplib2  # comes with googleapiclient, and is loaded with it only

        refuse_writing(method, httpx.URL(uri).path)
        answer = self._platform.ask(method, uri, headers or {}, body or b"")
        return httplib2.Response({**_unpacked(answer.headers), "status": str(answer.status)}), answer.body

    def close(self) -> None:
        """The fetcher is not ours to close."""
