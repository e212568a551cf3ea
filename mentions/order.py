"""The one order of mentions in every store: newest first by published second, ties by 20 bits of sha256(id)."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from mentions.mention import Mention
from mentions.times import EPOCH

TIE_BITS = 20
TIES = 1 << TIE_BITS
KEY_BITS = 63
KEY_DIGITS = 37  # of the longest `order_key`, in the year 9999
_SECOND = timedelta(seconds=1)


def order_key(mention: Mention) -> int:
    """A number that is greater for what comes first in the one order, and no other mention's: the `place`, and behind
    it the 63 bits an id is found by. Also what `search(before=...)` takes."""
    key, tie = keys_of(mention.id)
    return (second_key(mention.published_at) | tie) << KEY_BITS | key


def place(mention: Mention) -> int:
    """What stores sort by: the published second, then 20 bits; two mentions of one second may share it."""
    return order_key(mention) >> KEY_BITS


def second_key(at: datetime) -> int:
    """The lowest place of that second."""
    return (at - EPOCH) // _SECOND << TIE_BITS


def keys_of(mention_id: str) -> tuple[int, int]:
    """(63 bits to find the id by, 20 bits to order it by)."""
    digest = sha256(id_bytes(mention_id)).digest()
    return int.from_bytes(digest[8:16]) >> 1, int.from_bytes(digest[:3]) >> 4


def id_bytes(mention_id: str) -> bytes:
    """An id as bytes, whatever is in it."""
    return mention_id.encode("utf-8", "replace")
