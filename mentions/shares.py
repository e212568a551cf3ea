"""Shares with their doubt: how far a share of so few can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Share:
    """A share of `n` with its 95 % interval, all from 0 to 1."""

    share: float
    low: float
    high: float
    n: int


def wilson(part: int, n: int) -> Share | None:
    """The share `part` of `n` with Wilson's 95 % interval; None of nothing."""
    if n <= 0:
        return None
    share, square = part / n, Z95 * Z95
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = Z95 * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach), n)
