"""What reading X costs, and how it is taken from the budget before and given back after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from listener.connector import Budget
from mentions.clock import Clock
from mentions.failures import RateLimited

# US dollars, docs.x.com/x-api/getting-started/pricing as of 2026.
POST, OWN_POST, USER, COUNTS = 0.005, 0.001, 0.010, 0.005
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SIZES = (100, 10)  # posts a request: X's most, and its least for a search


@dataclass(slots=True)
class Bill:
    """Takes the most that a request can cost before it is made, and gives back what it did not.

    X charges a post and a user once in a day (UTC), however often they are read.
    """

    budget: Budget
    clock: Clock
    _day: date = date.min
    _taken_at: datetime = LONG_AGO
    _paid: set[str] = field(default_factory=set)

    def take(self, cost: float, *, recheck: bool = False) -> None:
        """Take what one request can cost. Raises RateLimited where the budget does not allow it."""
        self._taken_at = self.clock()
        self.budget.take(1, cost, recheck=recheck)

    def size(self, each: float) -> int:
        """Take for as many posts as the budget allows, of one of X's sizes. Raises RateLimited where it allows none."""
        for size in SIZES[:-1]:
            try:
                self.take(size * each)
            except RateLimited:
                continue
            return size
        self.take(SIZES[-1] * each)
        return SIZES[-1]

    @contextmanager
    def settled(self, taken: float) -> Iterator[Charge]:
        """Of what was taken, all but what the charge says is given back. A request that nobody knows the end of stays
        paid."""
        charge, when = Charge(taken), self._taken_at
        try:
            yield charge
        finally:
            if charge.cost < taken:
                self.budget.give_back(taken - charge.cost, when)

    def cost(self, posts: Iterable[str], users: Iterable[str], price: float) -> float:
        """What these cost today."""
        today = self.clock().date()
        if today != self._day:
            self._day, self._paid = today, set()
        new_posts, new_users = set(posts) - self._paid, {f"@{user}" for user in users} - self._paid
        self._paid |= new_posts | new_users
        return len(new_posts) * price + len(new_users) * USER


@dataclass(slots=True)
class Charge:
    """What a request cost in the end."""

    cost: float
