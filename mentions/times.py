"""Times as whole microseconds since 1970, as both stores keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    apart = at - EPOCH
    return (apart.days * 86400 + apart.seconds) * SECOND + apart.microseconds


def moment(at: int) -> datetime:
    """The aware UTC time of `micros`."""
    return EPOCH + timedelta(microseconds=at)
