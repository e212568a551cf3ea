"""Notices as signed JSON, posted to a web address."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerts.channels.deadline import Leash, within
from alerts.channels.email import is_loopback
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure
from mentions.records import Notice

# The HTTP library logs whole addresses, and a webhook's address is often its password.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

SIGNED_BY = "X-Earshot-Signature"
SIGNED_AT = "X-Earshot-Timestamp"
WAIT_UNTOLD = timedelta(minutes=1)
WAIT_AT_MOST = timedelta(hours=1)
TRY_AGAIN = {408, 425}  # of the 4xx, those that say so themselves


class WebhookOptions(BaseModel):
    """The keys of a `[[channels]]` table of kind `webhook`, beside name, kind and level."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: str = Field(repr=False, description="Address that takes a POST; https, or http to this machine itself.")
    allow_http: bool = Field(False, description="Allow plain http to another machine.")
    secret_env: str = Field("", description="Environment variable with the secret that signs; empty: not signed.")
    timeout: float = Field(10, gt=0, le=19, description="Seconds for the whole exchange.")

    @model_validator(mode="after")
    def _is_a_safe_address(self) -> WebhookOptions:
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            raise ValueError("url: expected an address such as https://example.org/hook") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("url: expected an address such as https://example.org/hook")
        if url.scheme == "http" and not (self.allow_http or is_loopback(url.host)):
            raise ValueError("url: plain http to another machine needs allow_http = true")
        return self


class WebhookChannel:
    """Posts each notice. `Idempotency-Key` is the notice's key at every try; the signature is
    `sha256=` + HMAC-SHA256 over timestamp + "." + body."""

    kind: ClassVar[str] = "webhook"
    Options: ClassVar[type[BaseModel]] = WebhookOptions

    def __init__(self, name: str, options: WebhookOptions) -> None:
        self.name = name
        self._options = options
        url = httpx.URL(options.url)
        self._where = f"webhook {url.host}" + (f":{url.port}" if url.port else "")
        self._client = httpx.Client(
            timeout=httpx.Timeout(options.timeout, connect=options.timeout / 2),  # a name may have two addresses
            limits=httpx.Limits(max_keepalive_connections=0),  # notices are rare: a kept connection would be dead
            follow_redirects=False,
            trust_env=not is_loopback(url.host),  # a proxy may stand before the world, never before this machine
        )

    def send(self, notice: Notice) -> None:
        """2xx is accepted, 409 was accepted before."""
        body = json.dumps(_content(notice), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": notice.key, **self._signature(body)}
        answer = self._exchange("POST", headers, body)
        if not (answer.status_code // 100 == 2 or answer.status_code == 409):
            raise self._refusal(answer)

    def check(self) -> str:
        """Ask the address for its options: any answer but a refusal shows that it is there."""
        self._signature(b"")
        answer = self._exchange("OPTIONS", {}, b"")
        if answer.status_code in (401, 403, 404, 410, 429) or answer.status_code >= 500:
            raise self._refusal(answer)
        return f"{self._where} answers ({answer.status_code} to OPTIONS)"

    def _exchange(self, method: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        options = self._options
        with (
            within(options.timeout) as leash,
            self._translate(leash),
            self._client.stream(
                method, options.url, headers=headers, content=body, extensions={"trace": _holder(leash)}
            ) as answer,
        ):
            return answer  # the status is all we need; what else it says stays unread

    def _signature(self, body: bytes) -> dict[str, str]:
        if not self._options.secret_env:
            return {}
        secret = os.environ.get(self._options.secret_env)
        if not secret:
            raise NeedsAttention(f"{self._where}: set the environment variable {self._options.secret_env}")
        timestamp = str(int(time.time()))  # the receiver judges its freshness by the real clock, in an exercise too
        signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
        return {SIGNED_AT: timestamp, SIGNED_BY: f"sha256={signed.hexdigest()}"}

    def _refusal(self, answer: httpx.Response) -> TemporaryFailure | NeedsAttention | RateLimited:
        code = answer.status_code
        if code == 429:
            return RateLimited(f"{self._where} asks us to wait (429)", _wait_until(answer, datetime.now(UTC)))
        if 300 <= code < 400:
            return NeedsAttention(f"{self._where} points elsewhere ({code}): put the final address into url")
        if 400 <= code < 500 and code not in TRY_AGAIN:
            return NeedsAttention(
                f"{self._where} refused ({code}): check url and {self._options.secret_env or 'secret_env'}"
            )
        return TemporaryFailure(f"{self._where} is in trouble ({code})")

    @contextmanager
    def _translate(self, leash: Leash) -> Iterator[None]:
        """The one place where the HTTP library's errors become ours; the address itself is never told."""
        try:
            yield
        except httpx.HTTPError as error:
            if leash.cut or isinstance(error, httpx.TimeoutException):
                raise TemporaryFailure(f"{self._where} did not answer within {self._options.timeout:g} s") from None
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NeedsAttention(f"{self._where} shows a certificate that is not trusted: check url") from None
            raise TemporaryFailure(f"{self._where} cannot be reached ({type(error).__name__})") from None


def _content(notice: Notice) -> dict[str, object]:
    return {
        "key": notice.key,
        "kind": str(notice.kind),
        "exercise": bool(notice.payload.get("exercise", False)),
        "subject": notice.subject,
        "body": notice.body,
        "queued_at": notice.queued_at.isoformat().replace("+00:00", "Z"),
        "incident": notice.payload,
    }


def _holder(leash: Leash) -> Any:
    """What httpx calls at each step of an exchange: it shows us the socket."""

    def hold(event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            leash.hold(info["return_value"].get_extra_info("socket"))

    return hold


def _wait_until(answer: httpx.Response, now: datetime) -> datetime:
    """Retry-After in either of its spellings, within reason."""
    told = answer.headers.get("Retry-After", "").strip()
    wait = WAIT_UNTOLD
    if told.isdecimal():
        wait = timedelta(seconds=min(int(told), WAIT_AT_MOST.total_seconds()))
    elif told:
        try:
            wait = parsedate_to_datetime(told).astimezone(UTC) - now
        except ValueError:
            wait = WAIT_UNTOLD
    return now + max(timedelta(0), min(wait, WAIT_AT_MOST))
