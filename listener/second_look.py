"""Pages that were not found: a site under repair, or one that changed its addresses, answers 404 like one that deleted
something, so that only a second look a day later is believed."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from mentions.state import State

NOTE = "missing_since"
BELIEVED_AFTER = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(days=90)
SEVERAL = 3  # so many looked at and none of them there: rather the site than that many deletions


def confirm_missing(state: State, missing: Sequence[str], there: Collection[str], now: datetime) -> list[str]:
    """Of what was `missing` in one look, what is gone: missing at a look a day ago as well. Anything that is `there`
    starts over; where all of several are missing, none of them is held to be."""
    known: dict[str, str] = json.loads(state.get(NOTE) or "{}")
    kept = {
        each: since
        for each, since in known.items()
        if each not in there and now - datetime.fromisoformat(since) < FORGOTTEN_AFTER
    }
    fresh = [each for each in missing if each not in kept]
    gone = [each for each in missing if each in kept and now - datetime.fromisoformat(kept[each]) >= BELIEVED_AFTER]
    if there or len(fresh) < SEVERAL:
        kept |= dict.fromkeys(fresh, now.isoformat())
    kept = {each: since for each, since in kept.items() if each not in gone}
    if kept != known:
        state.put(NOTE, json.dumps(kept))
    return gone
