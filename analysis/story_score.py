"""The score of a story: colour x reach x speed x attitude, from 0 to 100, with every term shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mentions.mention import Rag, Reach

_COLOUR = {Rag.NONE: 0.15, Rag.GREEN: 0.2, Rag.AMBER: 0.6, Rag.RED: 1.0}
_REACH = {Reach.UNKNOWN: 0.5, Reach.LOCAL: 0.5, Reach.MEDIUM: 0.75, Reach.WIDE: 1.0}
SLOWEST, FASTEST = 0.4, 60.0  # the term of a story that stands still; mentions an hour from which it is 1
CALMEST = 0.5  # the term of a story nobody tells against the police


@dataclass(frozen=True, slots=True)
class Score:
    """`value` is 100 times the product of the four terms, each from 0 to 1; what each rests on stands beside it."""

    value: int
    colour: float
    reach: float
    speed: float
    attitude: float
    worst: Rag
    band: Reach
    per_hour: float
    negative: float


def score_story(worst: Rag, band: Reach, per_hour: float, negative: float) -> Score:
    """Weigh the worst colour, the widest reach, mentions an hour from the story's own start until now, and the share
    that is negative towards the police. Never falls when one of them rises. A term is never nought, so that a red
    story that is slow and local stays above a green one that is neither."""
    speed = SLOWEST + (1 - SLOWEST) * min(1.0, math.log1p(per_hour) / math.log1p(FASTEST))
    attitude = CALMEST + (1 - CALMEST) * negative
    colour, reach = _COLOUR[worst], _REACH[band]
    value = round(100 * colour * reach * speed * attitude)
    return Score(value, colour, reach, speed, attitude, worst, band, per_hour, negative)
