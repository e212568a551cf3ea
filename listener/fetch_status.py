"""What an answer's status and headers mean for us: taken, wait until, or somebody must look."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure

WAIT_UNTOLD = timedelta(minutes=15)  # after a 429 that names no time
LONGEST_WAIT = timedelta(hours=24)
AN_EPOCH = 1_000_000_000  # a reset above this counts seconds since 1970, one below it seconds from now
ALLOWANCES = ("x-rate-limit", "x-ratelimit", "ratelimit")
LONGEST_FRESH = timedelta(hours=1)  # a max-age beyond this would blind us for a crisis
BLOCKED = {
    401: "asks for a sign-in",
    403: "refuses us",
    407: "asks for a sign-in at a proxy",
    410: "says it is gone for good",
    422: "asks for a sign-in or for more than we sent",
    451: "is withheld for legal reasons",
}
SIGN_IN_PATH = re.compile(r"/(?:log-?in|sign-?in|auth|oauth2?|sso|account/login)(?:[/.]|$)", re.IGNORECASE)


def place(url: httpx.URL) -> str:
    """Host and path of an address, for messages: a query may hold a secret."""
    return f"{url.netloc.decode('ascii')}{url.path}"


def instant(seconds_or_date: str, now: datetime) -> datetime | None:
    """The time a Retry-After names, given as seconds from now or as an HTTP date."""
    text = seconds_or_date.strip()
    if text.isdecimal():
        return now + timedelta(seconds=min(int(text[:9]), LONGEST_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(headers: httpx.Headers, now: datetime, refused: bool = False) -> datetime | None:
    """When the server wants to be asked again: never in the past, never more than a day off; None where untold.

    The end of an allowance counts where nothing is left of it, and after a refusal whatever is left.
    """
    spent = refused or any(headers.get(f"{name}-remaining") == "0" for name in ALLOWANCES)
    moment = instant(headers.get("retry-after", ""), now) or (reset_at(headers, now) if spent else None)
    return None if moment is None else min(max(moment, now), now + LONGEST_WAIT)


def reset_at(headers: httpx.Headers, now: datetime) -> datetime | None:
    """When an allowance is renewed: as an ISO time (Mastodon), seconds since 1970 (X, Bluesky) or from now (Reddit)."""
    told = next((headers[f"{name}-reset"].strip() for name in ALLOWANCES if f"{name}-reset" in headers), "")
    try:
        if re.fullmatch(r"\d{1,12}(\.\d+)?", told):
            seconds = float(told)
            return datetime.fromtimestamp(seconds, UTC) if seconds > AN_EPOCH else now + timedelta(seconds=seconds)
        moment = datetime.fromisoformat(told)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def fresh_until(headers: httpx.Headers, now: datetime) -> datetime | None:
    """Until when the server says that asking again brings nothing new; at most an hour off, None where untold."""
    control = headers.get("cache-control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    if found := re.search(r"\bmax-age=(\d{1,9})", control):
        age = headers.get("age", "0")
        left = timedelta(seconds=int(found[1]) - (int(age[:9]) if age.isdecimal() else 0))
    else:
        expires, dated = (instant(headers.get(name, "x"), now) for name in ("expires", "date"))
        left = expires - dated if expires and dated and not headers["expires"].strip().isdecimal() else timedelta(0)
    return now + min(left, LONGEST_FRESH) if left > timedelta(0) else None


def judge_status(status: int, headers: httpx.Headers, where: str, now: datetime) -> None:
    """Return for 200 and 304; raise what anything else means, in words a person can act on."""
    if status in (200, 304):
        return
    until = retry_after(headers, now, refused=status == 429)
    if status == 429:
        told, until = until is not None, until or now + WAIT_UNTOLD
        raise RateLimited(f"{where}: asks us to slow down ({status}); next try at {until:%H:%M} UTC", until, told=told)
    if headers.get("cf-mitigated", "").lower() == "challenge":
        raise NeedsAttention(
            f"{where}: is behind a check for robots, which we do not get round; ask the site for access"
        )
    if status in BLOCKED:
        raise NeedsAttention(f"{where}: {BLOCKED[status]} ({status}); check the address and what access it needs")
    raise TemporaryFailure(f"{where}: answered {status}; it will be tried again", until)
