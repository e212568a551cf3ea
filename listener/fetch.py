"""The polite HTTP client: every request Earshot makes to a source goes through here."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

import httpcore
import httpx

from listener.circuit import Circuits
from listener.fetch_body import keep_pace, read_body
from listener.fetch_gate import HostGate
from listener.fetch_guard import Deadline, GuardedBackend
from listener.fetch_status import SIGN_IN_PATH, fresh_until, judge_status, place, retry_after
from listener.robots import Robots
from mentions.clock import Clock
from mentions.failures import NeedsAttention, NotAsked, TemporaryFailure

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
FOR_GOOD = (301, 308)
BROKEN = 500  # from here on a status says that the server itself is
LOOPBACK = ("127.", "localhost:", "[::1]:")


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How we fetch. Times in seconds. `allow` lists the `host:port` of private addresses that may be read."""

    user_agent: str = "Earshot/0.1"
    connect_timeout: float = 10.0
    total_timeout: float = 30.0
    max_bytes: int = 10_000_000
    host_gap: float = 2.0
    allow: tuple[str, ...] = ()
    respect_robots: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came, whatever its status; `url` is where it came from after redirects, `moved` how far those
    led that hold for good ("" where the first was none)."""

    status: int
    url: str
    headers: httpx.Headers
    body: bytes
    moved: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A good answer: 200 with a body, or 304 with none.

    `etag` and `last_modified` are to be sent back next time, exactly as they are (both None where the server says
    `Expires: 0`). `not_before` is when the server wants to be asked again, `moved` where it says that the page has gone
    for good.
    """

    status: int
    url: str
    body: bytes
    content_type: str
    charset: str | None
    etag: str | None
    last_modified: str | None
    not_before: datetime | None = None
    moved: str = ""


class LeadsAway(NeedsAttention):
    """A redirect that we do not follow: to a sign-in, or to an unencrypted address."""


class Fetcher:
    """Gets pages politely: one at a time from each host, with pauses, within limits, from public addresses only.

    Safe from many threads. Connections are kept alive; cookies are never kept, proxies of the environment never used.
    """

    def __init__(self, settings: FetchSettings, clock: Clock) -> None:
        self.settings = settings
        self._clock = clock
        self._deadline = Deadline()
        self._gate = HostGate(clock)
        self._circuits = Circuits(clock)
        self._transport = guarded_transport(settings, self._deadline)
        self._robots = Robots(self._load_robots, settings.user_agent.split("/")[0].split(" ")[0], clock)

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        modified: str | None = None,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        permitted: bool = False,
    ) -> Fetched:
        """The page, or 304 where it is still as `etag` (else `modified`) says. `permitted`: a named person recorded the
        site's leave, so that robots.txt forbids nothing; its pauses hold.

        Raises `RateLimited` with the time to wait for, `NeedsAttention` for what will not mend itself (sign-in,
        refusal, gone, a private address), `NotConfigured` for what robots.txt closes, `TemporaryFailure` for the rest.
        """
        wanted = {"Accept": accept, **(headers or {})}
        if etag:
            wanted["If-None-Match"] = etag
        elif modified:
            wanted["If-Modified-Since"] = modified
        answer = self.exchange(url, wanted, permitted=permitted)
        now = self._clock()
        judge_status(answer.status, answer.headers, place(httpx.URL(answer.url)), now)
        return fetched(answer, now)

    def exchange(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        body: bytes = b"",
        robots: bool = True,
        pauses: bool = True,
        redirects: bool = True,
        permitted: bool = False,
    ) -> Answer:
        """Any answer, after at most five redirects, each vetted like the first address.

        Raises `NeedsAttention` and `TemporaryFailure` where no answer was to be had. A secret header does not travel
        to another site. Without `redirects` an answer that points elsewhere is returned as it is; without `pauses`
        the host is asked as fast as it answers, still one request at a time.
        """
        here, left, send = parse_url(url), self.settings.total_timeout, dict(headers)
        first, moved, for_good = host_of(here), "", True  # leave to read one host is none to read another
        for _ in range(MOST_REDIRECTS + 1):
            self._circuits.check(host_of(here))
            gap = self._gap(here, robots, permitted and host_of(here) == first)
            with self._gate.turn(host_of(here), gap if pauses else 0.0):
                self._circuits.check(host_of(here))  # who waited with us may have found that it is dead
                began = time.monotonic()
                answer = self._ask(here, send, left, method, body)
                left -= time.monotonic() - began
            if not redirects or answer.status not in REDIRECTS or not answer.headers.get("location"):
                return replace(answer, moved=moved)
            there = follow(here, answer.headers["location"])
            for_good = for_good and answer.status in FOR_GOOD
            moved = str(there) if for_good else moved
            if host_of(there) != host_of(here):
                send = {name: value for name, value in send.items() if name.lower() != "authorization"}
            here = there
        raise TemporaryFailure(f"{place(here)}: redirects more than {MOST_REDIRECTS} times")

    def close(self) -> None:
        """Give back sockets."""
        self._transport.close()

    def _gap(self, url: httpx.URL, robots: bool, permitted: bool) -> float:
        asked = 0.0
        if robots and self.settings.respect_robots:
            site = f"{url.scheme}://{url.netloc.decode('ascii')}"
            asked = self._robots.check(site, str(url), permitted=permitted)
        host = host_of(url)
        if host in self.settings.allow and host.startswith(LOOPBACK):
            return 0.0  # our own machine, as in an exercise, needs no pauses
        return max(self.settings.host_gap, asked)

    def _load_robots(self, url: str) -> tuple[int, bytes]:
        try:
            answer = self.exchange(url, {"Accept": "text/plain"}, robots=False)
        except LeadsAway:
            return 404, b""  # as good as not there; what it guards would say itself that it wants a sign-in
        if answer.status == 429:
            judge_status(429, answer.headers, place(httpx.URL(answer.url)), self._clock())
        return answer.status, answer.body

    def _ask(
        self, url: httpx.URL, headers: Mapping[str, str], seconds: float, method: str = "GET", body: bytes = b""
    ) -> Answer:
        """One request, no redirect followed, over within `seconds`."""
        sent = {"User-Agent": self.settings.user_agent, "Accept-Encoding": "gzip", **headers}
        limits = {"connect": self.settings.connect_timeout, "read": seconds, "write": seconds, "pool": seconds}
        self._deadline.set(seconds)
        try:
            request = httpx.Request(method, url, headers=sent, content=body or None, extensions={"timeout": limits})
            response = self._transport.handle_request(request)
            try:
                encoding = response.headers.get("content-encoding", "")
                chunks = response.stream
                if not isinstance(chunks, httpx.SyncByteStream):
                    raise AssertionError("a synchronous transport streams synchronously")
                paced = keep_pace(chunks, place(url))
                content = read_body(paced, encoding, self.settings.max_bytes, place(url))
            finally:
                response.close()
        except httpx.TransportError as error:
            self._circuits.failed(host_of(url))
            failure = NotAsked if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else TemporaryFailure
            raise failure(f"{place(url)}: {what_went_wrong(error, self.settings)}") from error
        if response.status_code >= BROKEN:
            self._circuits.failed(host_of(url))
        else:
            self._circuits.answered(host_of(url))
        return Answer(response.status_code, str(url), response.headers, content)


def guarded_transport(settings: FetchSettings, deadline: Deadline) -> httpx.HTTPTransport:
    """A transport whose every connection is dialled by the guard, without proxies or redirects of its own."""
    context = trusted_context()
    transport = httpx.HTTPTransport(verify=context, trust_env=False)
    transport.close()
    transport._pool = httpcore.ConnectionPool(
        ssl_context=context,
        max_connections=100,
        max_keepalive_connections=40,
        keepalive_expiry=60.0,
        network_backend=GuardedBackend(settings.allow, deadline),
    )
    return transport


@cache
def trusted_context() -> ssl.SSLContext:
    """The certificates we trust, read from disk once."""
    return httpx.create_ssl_context(trust_env=False)


def parse_url(url: str) -> httpx.URL:
    """A web address; raises `NeedsAttention` for anything else."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NeedsAttention("the address of this source cannot be read; check its url") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise NeedsAttention(f"{parsed.scheme or 'an address without http'}: only http and https addresses are read")
    return parsed.copy_with(fragment=None)


def host_of(url: httpx.URL) -> str:
    """`host:port`, the port always told."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def follow(here: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads. Raises `LeadsAway` where it gives up encryption or leads to a sign-in."""
    try:
        there = parse_url(str(here.join(location)))
    except httpx.InvalidURL as error:
        raise TemporaryFailure(f"{place(here)}: redirects to an address that cannot be read") from error
    if here.scheme == "https" and there.scheme == "http":
        raise LeadsAway(f"{place(here)}: redirects to an unencrypted address, which we refuse; check the url")
    if SIGN_IN_PATH.search(there.path) and not SIGN_IN_PATH.search(here.path):
        raise LeadsAway(f"{place(here)}: sends us to a sign-in page; only public pages are read")
    return there


def fetched(answer: Answer, now: datetime) -> Fetched:
    """The parts of a good answer that connectors use."""
    content_type, _, parameters = answer.headers.get("content-type", "").partition(";")
    _, _, charset = parameters.partition("charset=")
    validators = answer.headers.get("expires", "").strip() != "0"
    return Fetched(
        status=answer.status,
        url=answer.url,
        body=answer.body if answer.status == 200 else b"",
        content_type=content_type.strip().lower(),
        charset=charset.split(";")[0].strip(" \"'").lower() or None,
        etag=answer.headers.get("etag") if validators else None,
        last_modified=answer.headers.get("last-modified") if validators else None,
        not_before=retry_after(answer.headers, now) or fresh_until(answer.headers, now),
        moved=answer.moved,
    )


def what_went_wrong(error: httpx.TransportError, settings: FetchSettings) -> str:
    """A transport's error in plain words."""
    if isinstance(error, httpx.TimeoutException):
        return f"no whole answer within {settings.total_timeout:.0f} s; it will be tried again"
    if isinstance(error, httpx.ConnectError):
        if isinstance(error.__cause__ and error.__cause__.__cause__, ssl.SSLError) or "SSL" in str(error):
            return "the encrypted connection could not be made (certificate or protocol); it will be tried again"
        return f"no connection ({error}); it will be tried again"
    return "the answer was cut short or is not HTTP; it will be tried again"
