"""The promise of a connector, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel

from mentions.clock import Clock
from mentions.mention import Mention, Voice
from mentions.pseudonyms import voice_of

if TYPE_CHECKING:
    from listener.fetch import Fetcher


@dataclass(frozen=True, slots=True)
class Page:
    """What one poll returned. `left_out` counts odd posts; `sample` says why the last one was odd, never its text.

    `expected_rhythm` is the source's own usual gap between posts, where it tells one (ttl, sy:updatePeriod).
    """

    mentions: tuple[Mention, ...] = ()
    cursor: str | None = None
    more: bool = False
    left_out: int = 0
    sample: str = ""
    not_before: datetime | None = None
    expected_rhythm: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What every connector is built with. `pseudonym(platform, author)` is the keyed hash of an author's id."""

    fetch: Fetcher
    clock: Clock
    pseudonym: Callable[[str, str], str]
    secret: Callable[[str], str | None]  # the environment, by name
    zone: str = "Europe/London"
    own_handles: frozenset[str] = frozenset()  # lower-case, without @

    def voice(self, source: SourceInfo, *names: str) -> Voice:
        """Who speaks where an author goes by these names: we ourselves, or whoever the source stands for."""
        return voice_of(self.own_handles, source.voice, *names)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What the settings say of a source, apart from the connector's own options."""

    name: str
    voice: Voice
    publisher: str = ""


class Connector(Protocol):
    """One way of reading one kind of source."""

    kind: ClassVar[str]
    Options: ClassVar[type[BaseModel]]  # the keys its `[[sources]]` table may hold, beside name, kind, every, voice

    def __init__(self, source: SourceInfo, options: Any, tools: Tools) -> None: ...

    def poll(self, cursor: str | None) -> Page:
        """Return the next page of what is new or changed since `cursor`.

        A cursor is this connector's own note to itself: nobody else reads it. The caller saves a page before it asks
        for the next, so a page may be asked for twice and must then carry the same mention ids. Undated, late and
        edited posts are returned again rather than missed; the store drops the copies.

        Raises `TemporaryFailure`, `RateLimited` or `NeedsAttention`, and nothing else that the platform's own library
        can raise. A single unreadable post is left out and counted; it never costs us its neighbours.
        """

    def close(self) -> None:
        """Give back sockets."""
