"""Web addresses and time zones as settings: checked when they are read, not when they are used."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def _a_web_address(value: str) -> str:
    try:
        parts = urlsplit(value.strip())
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good:
        raise ValueError("an address that begins with http:// or https://, without a user name or password")
    return value.strip()


def _a_zone(value: str | None) -> str | None:
    try:
        if value is not None:
            ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('a time zone such as "Europe/London"') from None
    return value


WebAddress = Annotated[str, AfterValidator(_a_web_address)]
ZoneName = Annotated[str | None, AfterValidator(_a_zone)]
