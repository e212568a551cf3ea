"""What the listening can reach at all, as the daemon notes it for the pages: kinds, patches, terms, blind spots."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

REACH_NOTE = "reach"
# What nobody can read by machine and within the terms, whatever is configured.
CLOSED = {
    "Nextdoor": "closed to outsiders; its police accounts see answers to their own posts only",
    "Facebook groups": "Meta closed the interface to groups in 2024; only own Pages can be read",
    "WhatsApp, Telegram and Signal groups": "private; never read",
}


NAMES = {"youtube": "YouTube"}  # where a capital letter at the start is not enough


def name_of(kind: str) -> str:
    """A kind of source as people write it."""
    return NAMES.get(kind, kind.capitalize())


@dataclass(frozen=True, slots=True)
class Reach:
    """`kinds` are all that can be read, `configured` those that a source is set up for, `patches` the boroughs of local
    sources and `terms` where each source's platform tells its terms, both by source."""

    kinds: tuple[str, ...] = ()
    configured: tuple[str, ...] = ()
    patches: dict[str, list[str]] = field(default_factory=dict)
    terms: dict[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """The note as the state keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str | None) -> Reach:
        """What `to_text` made; nothing known where there is nothing, or something else."""
        try:
            told = json.loads(text or "{}")
            kinds, configured = (tuple(map(str, told.get(key, ()))) for key in ("kinds", "configured"))
            return cls(kinds, configured, dict(told.get("patches", {})), dict(told.get("terms", {})))
        except (ValueError, TypeError, AttributeError):
            return cls()
