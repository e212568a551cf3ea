"""How soon each platform's posts are to be looked at again, and which of its posts must go if nobody did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mentions.mention import Mention

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """`every` so long a post is looked at again, by its age: (younger than this, every so long); beyond the last of
    them every `then`. Words that nobody looked at for `limit` have to go; None: they may stay."""

    every: tuple[tuple[timedelta, timedelta], ...]
    then: timedelta
    limit: timedelta | None = None


_SOCIAL = Duty(every=((7 * DAY, DAY), (30 * DAY, 7 * DAY)), then=30 * DAY)
# A page for each item is much to ask of a small site: four looks in the first two months.
_SITES = Duty(every=((DAY, DAY), (4 * DAY, 3 * DAY), (16 * DAY, 12 * DAY), (64 * DAY, 48 * DAY)), then=90 * DAY)
DUTIES = {
    "x": Duty(every=(), then=20 * HOUR, limit=24 * HOUR),  # docs.x.com/developer-terms/policy: within 24 hours
    "youtube": Duty(every=(), then=25 * DAY, limit=30 * DAY),  # YouTube Developer Policies III.E.4: 30 days
    **dict.fromkeys(("reddit", "mastodon", "bluesky", "flickr", "facebook"), _SOCIAL),
    **dict.fromkeys(("rss", "forum"), _SITES),
}
# Their native ids or links hold the name of an account, or what stands for one: kept for re-checks only, and not for
# ever. What is no longer there cannot be looked at again.
NAMES_PERSONS = ("bluesky", "mastodon")


def next_check(mention: Mention, checked_at: datetime) -> datetime | None:
    """When a mention that was looked at then is to be looked at again; None where nobody asks for it, or could."""
    duty = DUTIES.get(mention.platform)
    if duty is None or not mention.native_id or mention.buried_at is not None:
        return None
    age = checked_at - mention.published_at
    return checked_at + next((gap for younger, gap in duty.every if age < younger), duty.then)


def limit_of(platform: str) -> timedelta | None:
    """How long words of this platform may stay without anybody having looked; None: as long as retention allows."""
    duty = DUTIES.get(platform)
    return None if duty is None else duty.limit
