"""The desk that incidents are recorded for: whom to tell, and after how much quiet a matter is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from alerts.wording import Letterhead
from mentions.mention import Rag
from mentions.records import Incident, Level


@dataclass(frozen=True, slots=True)
class Desk:
    """`channels` are told of crises; one named in `levels` with `warning` is told of warnings as well."""

    channels: tuple[str, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)
    exercise: bool = False
    force: str = "Metropolitan Police"
    dashboard_url: str = "http://127.0.0.1:8501"
    zone: str = "Europe/London"
    quiet_crisis: timedelta = timedelta(hours=3)  # long, so that one wave with a lull stays one incident
    quiet_red: timedelta = timedelta(minutes=60)
    quiet_amber: timedelta = timedelta(minutes=30)
    reopen_within: timedelta = timedelta(hours=24)
    update_gap: timedelta = timedelta(minutes=60)

    def told_of(self, level: Level) -> tuple[str, ...]:
        """The channels that want to hear of an incident of this level."""
        if level is Level.CRISIS:
            return self.channels
        return tuple(name for name in self.channels if self.levels.get(name) is Level.WARNING)

    def quiet_for(self, incident: Incident) -> timedelta:
        """How long nothing may feed this incident before it is over."""
        if incident.level is Level.CRISIS:
            return self.quiet_crisis
        return self.quiet_red if incident.colour is Rag.RED else self.quiet_amber

    @property
    def letterhead(self) -> Letterhead:
        """What its notices have in common."""
        return Letterhead(self.force, self.dashboard_url, self.exercise, self.zone)
