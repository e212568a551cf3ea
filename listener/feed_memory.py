"""What a connector remembers between polls: validators of the last answer, and what it has seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

VERSION = 1
LEAST_KEPT = 500
WINDOWS_KEPT = 4  # how many times what one answer holds
FULL_AFTER = timedelta(hours=24)  # then one request without validators, in case the server's are wrong
FULL_AFTER_QUIET = 20  # the same after so many times "unchanged" in a row, on a forum
KEY_LENGTH = 16
MOVES_BELIEVED = 3  # looks at which a server said the same new address
MOVED_FOR = timedelta(days=1)  # and over how long


def sift(seen: Mapping[str, str], found: Mapping[str, str]) -> tuple[set[str], dict[str, str]]:
    """Which keys are new or have another digest than before, and the memory with what was found as the newest.

    The longest unfound are forgotten first, never anything found within the last answers.
    """
    fresh = {key for key, digest in found.items() if seen.get(key) != digest}
    kept = {key: digest for key, digest in seen.items() if key not in found} | dict(found)
    excess = len(kept) - max(LEAST_KEPT, WINDOWS_KEPT * len(found))
    return fresh, dict(list(kept.items())[excess:]) if excess > 0 else kept


@dataclass(frozen=True, slots=True)
class FeedMemory:
    """The memory of the feed at one address.

    `body` is a hash of the last one read; `quiet` counts answers "unchanged" in a row. `moved` is where the server
    says for good that the feed is now, `moves` how many looks in a row it said so, since `moved_at`.
    """

    url: str = ""
    etag: str | None = None
    modified: str | None = None
    body: str = ""
    quiet: int = 0
    full_at: datetime | None = None
    seen: Mapping[str, str] = field(default_factory=dict)
    moved: str = ""
    moves: int = 0
    moved_at: datetime | None = None

    @staticmethod
    def read(note: Mapping[str, Any]) -> FeedMemory:
        """From what `note` wrote; anything of another version is forgotten, which costs a repetition and no post."""
        if note.get("v") != VERSION:
            return FeedMemory()
        return FeedMemory(
            url=note["url"],
            etag=note["etag"],
            modified=note["modified"],
            body=note["body"],
            quiet=note["quiet"],
            full_at=datetime.fromisoformat(note["full_at"]) if note["full_at"] else None,
            seen={line[:KEY_LENGTH]: line[KEY_LENGTH:] for line in note["seen"]},
            moved=note.get("moved", ""),
            moves=note.get("moves", 0),
            moved_at=datetime.fromisoformat(note["moved_at"]) if note.get("moved_at") else None,
        )

    def note(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "v": VERSION,
            "url": self.url,
            "etag": self.etag,
            "modified": self.modified,
            "body": self.body,
            "quiet": self.quiet,
            "full_at": self.full_at.isoformat() if self.full_at else None,
            "seen": [key + digest for key, digest in self.seen.items()],
            "moved": self.moved,
            "moves": self.moves,
            "moved_at": self.moved_at.isoformat() if self.moved_at else None,
        }

    @property
    def address(self) -> str:
        """Where the feed is asked for: where it moved to, once that is settled."""
        return self.moved if self.moves >= MOVES_BELIEVED and self.moved_at is None else self.url

    def note_move(self, moved: str, now: datetime) -> FeedMemory:
        """After a look that was sent on for good to `moved` ("" where it was not). Three looks over more than a day
        settle it, and no fewer: a site under repair, or taken over for an hour, points anywhere."""
        if self.address != self.url:
            return self  # settled; the address it moved to may move again, and is followed each time
        if not moved:
            return replace(self, moved="", moves=0, moved_at=None)
        began = self.moved_at if moved == self.moved and self.moved_at else now
        moves = self.moves + 1 if moved == self.moved else 1
        if moves >= MOVES_BELIEVED and now - began > MOVED_FOR:
            return replace(self, moved=moved, moves=moves, moved_at=None)
        return replace(self, moved=moved, moves=moves, moved_at=began)

    def trusts_validators(self, now: datetime, forum: bool) -> bool:
        """Whether to ask "only if changed": not for a day on end, nor 20 times in a row at a forum."""
        rested = self.full_at is not None and timedelta(0) <= now - self.full_at < FULL_AFTER
        return rested and not (forum and self.quiet >= FULL_AFTER_QUIET)


def read_note(cursor: str | None) -> dict[str, Any]:
    """A cursor as the object it is; empty for none and for one that cannot be read."""
    try:
        note = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}


def write_note(note: Mapping[str, Any]) -> str:
    """A cursor of an object."""
    return json.dumps(note, separators=(",", ":"))
