"""The one order of mentions in every store: newest first by published second, ties by 20 bits of sha256(id)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from mentions.mention import Mention

TIE_BITS = 20
TIES = 1 << TIE_BITS
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def order_key(mention: Mention) -> int:
    """A number that is greater for what comes first in the one order; also what `search(before=...)` takes."""
    return second_key(mention.published_at) | int.from_bytes(sha256(id_bytes(mention.id)).digest()[:3]) >> 4


def second_key(at: datetime) -> int:
    """The lowest key of that second."""
    return (at - EPOCH) // _SECOND << TIE_BITS


def id_bytes(mention_id: str) -> bytes:
    """An id as bytes, whatever is in it."""
    return mention_id.encode("utf-8", "replace")
