"""Whether an officer could usefully join: a live question or discussion of a policing matter."""

from __future__ import annotations

from typing import ClassVar

from analysis.draft import Draft, is_press
from mentions.mention import Voice


class Debates:
    """Inline: only relevant talk by the public, and only where somebody asks."""

    name: ClassVar[str] = "debates"
    version: ClassVar[int] = 1

    def judge(self, draft: Draft) -> None:
        """Look for a question that an answer would help."""
        if not draft.relevant or is_press(draft) or draft.mention.voice is not Voice.PUBLIC:
            return
        asks = draft.hits.first("asking")
        if asks and "rhetorical" not in draft.hits:
            draft.debate = True
            draft.because("asks something an officer could answer", asks)
