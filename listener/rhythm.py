"""How often a source is asked: by how often it posts, by what its site wants, and by how the last try went.

`every` of the settings is the usual wait. A source that posts often is asked sooner, one that rarely does later, within
bounds; nobody who set less than `QUICK` is second-guessed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

WEEK = timedelta(days=7)
LOOKS = 24  # looks in the usual time between two posts
SOONEST = timedelta(minutes=5)  # in calm times, whatever the source posts
QUICK = timedelta(minutes=5)  # below this, `every` is kept to as it stands
STRETCH = 4  # times `every`: the longest wait for a source that hardly posts
LONGEST = timedelta(hours=24)
ALARMED = timedelta(minutes=2)  # the Met's first tweet at Westminster came within seven minutes
LONGEST_HINT_ALARMED = timedelta(hours=1)  # while an incident is open, "daily" of a site is not waited out
SHORTEST_SPAN = timedelta(hours=1)  # a first page younger than this says little about a week


def usual_wait(every: timedelta, weekly: float | None, *, alarmed: bool = False, full: bool = False) -> timedelta:
    """Between two polls of a source with so many posts a week (None: that is not known, or not to count).

    `alarmed`: an incident is open and the source has brought something; `full`: its last window was full, so that it
    is asked twice as often.
    """
    wait = every
    if every >= QUICK and weekly is not None:
        most = max(every, min(every * STRETCH, LONGEST))
        wait = most if weekly <= 0 else min(max(WEEK / (weekly * LOOKS), min(every, SOONEST)), most)
    if full:
        wait = max(wait / 2, min(wait, ALARMED))
    return min(wait, ALARMED) if alarmed else wait


def kept_to(wait: timedelta, hint: timedelta | None, *, alarmed: bool = False) -> timedelta:
    """The wait, no shorter than what the site itself names (ttl, sy:updatePeriod)."""
    if hint is None:
        return wait
    return max(wait, min(hint, LONGEST_HINT_ALARMED if alarmed else LONGEST))


def retry_wait(wait: timedelta, failures: int) -> timedelta:
    """After so many failures in a row: longer each time by one wait, never more than a day."""
    return min(wait * max(1, failures), LONGEST)


def weekly_after(weekly: float, passed: timedelta, new: int) -> float:
    """Posts a week, as of now: what was counted before fades as time passes, and what is new counts."""
    return weekly * math.exp(-max(passed, timedelta(0)) / WEEK) + new


def weekly_at_first(published: Sequence[datetime], now: datetime) -> float:
    """Posts a week, by what a first look found: those of the last seven days, or what a shorter window stands for."""
    recent = [at for at in published if now - WEEK <= at <= now]
    if not recent:
        return 0.0
    span = WEEK if len(recent) < len(published) else max(now - min(recent), SHORTEST_SPAN)
    return len(recent) * (WEEK / span)
