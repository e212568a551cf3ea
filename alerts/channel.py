"""The promise of a channel: how one notice reaches one place."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from mentions.records import Notice


class Channel(Protocol):
    """One way to reach a person. Options sit in the channel's own file."""

    kind: ClassVar[str]
    Options: ClassVar[type[BaseModel]]  # the keys its `[[channels]]` table may hold, beside name, kind

    def __init__(self, name: str, options: Any) -> None: ...

    def send(self, notice: Notice) -> None:
        """Hand the notice over; returning means the other side accepted it. `notice.key` travels with it, the same at
        every retry, so that a receiver can drop repeats. Within 20 seconds, or it raises.

        Raises `TemporaryFailure` (a timeout counts as not known: it is sent again with the same key), `RateLimited`
        or `NeedsAttention`, and nothing else; messages never hold a secret or a URL's credentials."""

    def check(self) -> str:
        """Try the way without sending a notice; a sentence saying what was found. Raises as `send` does."""
