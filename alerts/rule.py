"""The promise of a rule."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Protocol

from mentions.records import Finding
from mentions.store import MentionStore


class Rule(Protocol):
    """Says what holds now and remembers nothing that matters, so that it can be replayed over past mentions."""

    name: ClassVar[str]

    def check(self, now: datetime, store: MentionStore) -> list[Finding]:
        """What holds at `now`, judged only by mentions counted before `now`. A finding is repeated at every check for
        as long as it holds; incidents fold the repeats. Caches may speed it up but never change the answer."""

    def describe(self) -> str:
        """When it fires, in one sentence, for people."""
