"""What a set of mentions has in common: who speaks, on what topic, in which boroughs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from mentions.mention import Assessed

SHARED_ENOUGH = 0.3  # a topic or borough of so many of the mentions is theirs


def share(members: Sequence[Assessed], holds: Callable[[Assessed], bool]) -> float:
    """The part of the mentions this holds for."""
    return sum(map(holds, members)) / len(members)


def most_shared_topic(members: Sequence[Assessed]) -> str:
    """The topic most of them are on; "" where none is shared widely enough."""
    found = _most_shared(([each.assessment.topic] for each in members if each.assessment.topic), len(members))
    return found[0] if found else ""


def most_shared_boroughs(members: Sequence[Assessed]) -> tuple[str, ...]:
    """The boroughs many of them are about, the commonest first."""
    return tuple(_most_shared((each.assessment.boroughs for each in members), len(members)))


def _most_shared(names: Iterable[Iterable[str]], among: int) -> list[str]:
    counted = Counter(name for each in names for name in each)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [name for name, count in ranked if count >= SHARED_ENOUGH * among]


def describe_span(span: timedelta) -> str:
    """`30 minutes`, `1 hour`, `3 hours`."""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    if minutes:
        return f"{60 * hours + minutes} minutes"
    return "1 hour" if hours == 1 else f"{hours} hours"
