"""The time in which the rules could not see everything, made up for once they can."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerts.folding import in_order
from mentions.records import Finding
from mentions.state import State

UNSEEN_NOTE = "unseen_since"
LONGEST_STEP, SHORTEST_STEP = timedelta(minutes=15), timedelta(minutes=1)
FURTHEST = timedelta(hours=24)  # what is older is no news: it is in the store, and nobody is woken for it


class Unseen:
    """Since when the rules do not see all there is: kept in the state, so that a restart forgets nothing.

    `looks_back` is the least that any rule looks back over: they are asked twice in that time, so nothing is missed.
    """

    def __init__(self, state: State, looks_back: timedelta) -> None:
        self._state = state
        self._step = max(SHORTEST_STEP, min(LONGEST_STEP, looks_back / 2))
        note = state.get(UNSEEN_NOTE)
        self._since = datetime.fromisoformat(note) if note else None

    def begin(self, at: datetime) -> None:
        """From `at` on they do not, unless they did not before."""
        if self._since is None:
            self._keep(at)

    def end(self) -> None:
        """They have seen it all."""
        if self._since is not None:
            self._keep(None)

    def times(self, now: datetime) -> list[datetime]:
        """When they should have looked before `now`, oldest first."""
        if self._since is None:
            return []
        since = max(self._since, now - FURTHEST).replace(second=0, microsecond=0)  # stores count by the minute
        moments = (since + self._step * n for n in range((now - since) // self._step + 1))
        return [at for at in moments if at < now]

    def _keep(self, since: datetime | None) -> None:
        self._state.put(UNSEEN_NOTE, since.isoformat() if since else "")
        self._since = since


def strongest(findings: Iterable[Finding]) -> list[Finding]:
    """Of each matter only what told most of it."""
    found: dict[str, Finding] = {}
    for finding in in_order(findings):
        found.setdefault(finding.key, finding)
    return list(found.values())
