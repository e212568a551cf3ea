"""The rules, by name, and what they can be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from alerts.rule import Rule
from alerts.rules.single import Single, SingleSettings
from alerts.rules.surge import Surge, SurgeSettings


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Each rule's own settings; the defaults are what is shipped and tested."""

    surge: SurgeSettings = field(default_factory=SurgeSettings)
    single: SingleSettings = field(default_factory=SingleSettings)

    @property
    def looks_back(self) -> timedelta:
        """How long at the least a rule goes on finding what it found."""
        return min(self.surge.quiet, self.single.holds)


RULES: Mapping[str, Callable[[AlertSettings], Rule]] = {
    Surge.name: lambda settings: Surge(settings.surge),
    Single.name: lambda settings: Single(settings.single),
}


def build_rules(settings: AlertSettings) -> list[Rule]:
    """Every rule, ready to be asked what holds."""
    return [build(settings) for build in RULES.values()]


__all__ = ["RULES", "AlertSettings", "Single", "SingleSettings", "Surge", "SurgeSettings", "build_rules"]
