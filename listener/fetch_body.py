"""Reading an answer's body without letting it fill the memory."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable

from mentions.failures import TemporaryFailure

SLOWEST = 1000  # bytes a second, once GRACE has passed
GRACE = 5.0  # seconds
STEP = 65536  # most bytes unpacked at once, so that a bomb overshoots the limit by this much and no more


def read_body(chunks: Iterable[bytes], encoding: str, limit: int, where: str) -> bytes:
    """All of a body, at most `limit` bytes after unpacking one layer of gzip.

    Raises `TemporaryFailure` for a larger one, for a packing we did not ask for, and for broken or cut gzip.
    """
    coding = encoding.strip().lower()
    if coding in ("", "identity"):
        pieces = chunks
    elif coding in ("gzip", "x-gzip"):
        pieces = unpack(chunks, where)
    else:
        raise TemporaryFailure(f"{where}: answered in a packing we did not ask for ({coding[:40]})")
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > limit:
            raise TemporaryFailure(f"{where}: the answer is larger than {limit // 1_000_000} MB and was left unread")
    return bytes(body)


def keep_pace(chunks: Iterable[bytes], where: str, tick: Callable[[], float] = time.monotonic) -> Iterable[bytes]:
    """The same bytes. Raises `TemporaryFailure` where they come so slowly that a worker would sit there for nothing."""
    began, count = tick(), 0
    for chunk in chunks:
        yield chunk
        count += len(chunk)
        passed = tick() - began
        if passed > GRACE and count < SLOWEST * passed:
            raise TemporaryFailure(f"{where}: answers too slowly to be waited for; it will be tried again")


def unpack(chunks: Iterable[bytes], where: str) -> Iterable[bytes]:
    """The bytes inside gzip, at most STEP at a time; several gzip members in a row count as one."""
    engine = zlib.decompressobj(31)
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if engine.eof:
                    engine = zlib.decompressobj(31)
                yield engine.decompress(rest, STEP)
                rest = engine.unused_data if engine.eof else engine.unconsumed_tail
    except zlib.error as error:
        raise TemporaryFailure(f"{where}: the packed answer is damaged") from error
    if not engine.eof:
        raise TemporaryFailure(f"{where}: the answer was cut short")
