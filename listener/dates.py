"""When a post says it was published, in the many ways feeds say it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from zoneinfo import ZoneInfo

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SLACK = timedelta(days=1)  # how far ahead of us a source's clock may be
# Zones that feeds name and mail's own table does not know. BST is British: a parser that takes it for UTC is an hour
# off all summer.
_HOURS = {"BST": 1, "IST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3}
_NAMED = re.compile(r"\b(" + "|".join(_HOURS) + r")\s*$")
_ZONED = re.compile(r"(?:[+-]\d{4}|\b(?:UTC?|GMT|Z|[ECMP][SD]T|A[SD]T))$")  # the zones that mail's table does know
_ISO = re.compile(r"\d{4}-?\d{2}-?\d{2}")


def read_date(text: str, zone: ZoneInfo) -> datetime | None:
    """The aware UTC time a text names; a time without zone is the source's own. None where it is none."""
    text = " ".join(text.split())[:100]
    if not text:
        return None
    try:
        moment = _read_iso(text) if _ISO.match(text) else _read_mail(text)
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def believable(moment: datetime | None, now: datetime) -> datetime | None:
    """The time, if it lies between the year 2000 and a day from now."""
    return moment if moment is not None and EARLIEST <= moment <= now + CLOCK_SLACK else None


def _read_iso(text: str) -> datetime:
    return datetime.fromisoformat(re.sub(r" ?(?:UTC|GMT)$", "Z", text))


def _read_mail(text: str) -> datetime | None:
    text = re.sub(r"([+-]\d\d):(\d\d)$", r"\1\2", text)
    named = _NAMED.search(text)
    fields = parsedate_tz(_NAMED.sub("", text) if named else text)
    if fields is None or not re.search(r"\d:\d", text) or re.search(r"\b[ap]\.?m\b", text, re.IGNORECASE):
        return None
    year, month, day, hour, minute, second = fields[:6]
    zone = None
    if named:
        zone = timezone(timedelta(hours=_HOURS[named[1]]))
    elif _ZONED.search(text):
        zone = timezone(timedelta(seconds=fields[9] or 0))
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
