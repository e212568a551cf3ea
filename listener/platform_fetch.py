"""What the platforms' own client libraries ask through: our fetch layer, one judgement of answers, no retries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from listener.connector import Tools
from listener.fetch import REDIRECTS, Answer, follow
from listener.fetch_status import judge_status, place
from listener.homes import is_home
from listener.markup import decode, looks_like_sign_in
from mentions.failures import Failure, NeedsAttention, NotConfigured, TemporaryFailure

Judge = Callable[[Answer, Any], bool]
PASSED_ON = ("authorization", "accept", "content-type", "if-none-match", "atproto-proxy", "atproto-accept-labelers")


class Unchanged(Exception):
    """The answer is still as the validator said."""


def take_no_exception(answer: Answer, content: Any) -> bool:
    """The judgement of a platform whose statuses mean what they mean everywhere."""
    return False


class PlatformFetch:
    """Asks one platform. `home` is its own address; with another `api_root` every request goes there instead. Under one
    of `domains` that is still the platform itself (`is_home`), anywhere else a stand-in without pauses.

    Robots.txt is not asked: an interface has terms, and those are the approval's matter. `judge(answer, content)` may
    raise what an answer means on this platform, or return True where the library is to read it although its status is
    an error; `content` is the JSON of its body, None where it is none. A path that ends with one of `silent` is
    answered 404 without asking.
    """

    def __init__(
        self,
        tools: Tools,
        home: str,
        api_root: str = "",
        *,
        domains: tuple[str, ...] = (),
        judge: Judge = take_no_exception,
        silent: tuple[str, ...] = (),
        speaks_json: bool = True,
    ) -> None:
        self._tools = tools
        self.root = (api_root or home).rstrip("/")
        self.is_home = is_home(self.root, home, domains)
        self._in_clear = self.is_home and home.startswith("https://") and self.root.startswith("http://")
        self._home = home.rstrip("/")
        self._judge = judge
        self._silent = silent
        self._json = speaks_json

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request and one answer: good, 304 where it was asked "only if changed", or one that `judge` lets
        through. Raises what others mean."""
        if self._in_clear:
            raise NeedsAttention(f"{self.root}: credentials never travel unencrypted; begin api_root with https://")
        there = self._rewrite(url)
        if urlsplit(there).path.rstrip("/").endswith(self._silent or ("\0",)):
            return Answer(404, there, httpx.Headers(), b"{}")
        wanted = {name: str(value) for name, value in headers.items() if name.lower() in PASSED_ON}
        answer = self._tools.fetch.exchange(
            there, wanted, method=method, body=body, robots=False, pauses=self.is_home, redirects=False
        )
        if answer.status == 304 and not any(name.lower() == "if-none-match" for name in wanted):
            raise TemporaryFailure(f"{place(httpx.URL(there))}: says that nothing changed, which nobody asked (304)")
        self._weigh(answer)
        return answer

    def _rewrite(self, url: str) -> str:
        return self.root + url[len(self._home) :] if self._home and url.startswith(self._home) else url

    def _weigh(self, answer: Answer) -> None:
        content = read_json(answer.body)
        if self._judge(answer, content):
            return
        where = place(httpx.URL(answer.url))
        text = "" if content is not None else decode(answer.body[:100_000], None)
        if answer.status in REDIRECTS:
            follow(httpx.URL(answer.url), answer.headers.get("location", ""))
            raise NeedsAttention(f"{where}: points to another address, where we do not follow; check api_root")
        if answer.status == 200 and looks_like_sign_in(text):
            raise NeedsAttention(f"{where}: answered with a sign-in page; check the address and the credentials")
        judge_status(answer.status, answer.headers, where, self._tools.clock())
        if self._json and content is None and answer.status != 304:
            raise TemporaryFailure(f"{where}: answered with something that is no JSON; it will be tried again")


def read_json(body: bytes) -> Any:
    """The JSON of a body; None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@contextmanager
def translated(where: str) -> Iterator[None]:
    """A client library's own exceptions as ours: what our fetch layer raised inside it comes out as it was, anything
    else means an answer that the library could not read. Wrap one call of the library, no code of ours."""
    try:
        yield
    except (Failure, Unchanged):
        raise
    except Exception as error:
        for cause in causes(error):
            if isinstance(cause, Failure | Unchanged):
                raise cause from None
        raise TemporaryFailure(f"{where}: an answer could not be read ({type(error).__name__})") from error


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it came from, also where a library keeps that under a name of its own."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "original_exception", None)]


def credential(tools: Tools, kind: str, *names: str) -> tuple[str, ...]:
    """The values of these variables. Raises `NotConfigured` naming those that are missing."""
    values = tuple((tools.secret(name) or "").strip() for name in names)
    if missing := [name for name, value in zip(names, values, strict=True) if not value]:
        raise NotConfigured(f"{kind}: not configured; put its credentials into {' and '.join(missing)}")
    return values
