"""The rule for content: what is said, and by whom, can be enough without any volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from alerts.rules.evidence import describe_span, most_shared_boroughs, most_shared_topic, voice_of
from alerts.rules.matters import is_same_matter
from mentions.mention import Assessed, Rag, Reach, Voice
from mentions.records import Finding, Level
from mentions.store import MentionStore

MOST_LOOKED_AT = 100  # newest red items; beyond that the surge rule has long fired
RED = "red"
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SingleSettings:
    """What it takes for words alone to open an incident."""

    holds: timedelta = timedelta(minutes=60)  # how long an item keeps its finding up
    together: timedelta = timedelta(minutes=30)  # items further apart than this do not add up to a crisis
    publishers: int = 3  # independent ones with a red item on the same matter: a crisis
    tellers: int = 2  # voices that tell of a risk to life, where none of them has wide reach: a crisis


@dataclass(frozen=True, slots=True)
class _Crisis:
    """Items that make a crisis together, oldest first, and why."""

    members: tuple[Assessed, ...]
    why: str


class Single:
    """Fires a warning on one red item of wide reach, a crisis on a risk to life or on several publishers at once."""

    name: ClassVar[str] = "single"

    def __init__(self, settings: SingleSettings | None = None) -> None:
        self._settings = settings or SingleSettings()

    def describe(self) -> str:
        """When it fires, in one sentence."""
        rule = self._settings
        return (
            "fires a warning when the press or an account of wide reach brings one red item; a crisis when such an "
            f"item, or {rule.tellers} voices, tell of a risk to life, or {rule.publishers} independent publishers "
            f"bring red items on the same matter within {describe_span(rule.together)}"
        )

    def check(self, now: datetime, store: MentionStore) -> list[Finding]:
        """See `Rule.check`. One finding a topic."""
        newest_first = store.members(RED, now - self._settings.holds, now, MOST_LOOKED_AT)
        red = [each for each in reversed(newest_first) if each.mention.voice is not Voice.OWN]
        if not red:
            return []
        by_topic: dict[str, list[Assessed]] = defaultdict(list)
        for each in red:
            if is_far_reaching(each):
                by_topic[each.assessment.topic].append(each)
        crises: dict[str, _Crisis] = {}
        for crisis in self._find_crises(red):
            crises.setdefault(most_shared_topic(crisis.members), crisis)
        topics = sorted(by_topic.keys() | crises.keys())
        return [self._conclude(topic, by_topic.get(topic, []), crises.get(topic)) for topic in topics]

    def _find_crises(self, red: Sequence[Assessed]) -> list[_Crisis]:
        """What is a crisis among these, oldest first; the newest item of each is looked back from."""
        found = []
        for at, latest in enumerate(red):
            since = latest.mention.counts_at - self._settings.together
            company = [each for each in red[: at + 1] if each.mention.counts_at >= since]
            crisis = self._weigh_life(latest, company) or self._weigh_publishers(latest, company)
            if crisis:
                found.append(crisis)
        return sorted(found, key=lambda crisis: -len(crisis.members))

    def _weigh_life(self, latest: Assessed, company: Sequence[Assessed]) -> _Crisis | None:
        if not latest.assessment.risk_to_life:
            return None
        if is_far_reaching(latest):
            return _Crisis((latest,), "an item of wide reach tells of a risk to life")
        same = [each for each in company if each.assessment.risk_to_life and is_told_again(each, latest)]
        voices = len({voice_of(each.mention) for each in same})
        if voices < self._settings.tellers:
            return None
        return _Crisis(tuple(same), f"{voices} voices tell of a risk to life")

    def _weigh_publishers(self, latest: Assessed, company: Sequence[Assessed]) -> _Crisis | None:
        same = [each for each in company if each.mention.publisher and is_told_again(each, latest)]
        publishers = {each.mention.publisher for each in same}
        if len(publishers) < self._settings.publishers:
            return None
        why = f"{len(publishers)} independent publishers bring red items on the same matter"
        return _Crisis(tuple(same), f"{why} within {describe_span(self._settings.together)}")

    def _conclude(self, topic: str, items: Sequence[Assessed], crisis: _Crisis | None) -> Finding:
        together = {each.mention.id: each for each in [*items, *(crisis.members if crisis else ())]}
        members = sorted(together.values(), key=lambda each: (each.mention.counts_at, each.mention.id))
        voices = len({each.mention.publisher or voice_of(each.mention) for each in members})
        said = "One red item" if len(members) == 1 else f"{len(members)} red items"
        return Finding(
            rule=self.name,
            key=f"{self.name}:{topic}",
            level=Level.CRISIS if crisis else Level.WARNING,
            colour=Rag.RED,
            summary=f"{crisis.why[0].upper()}{crisis.why[1:]}" if crisis else f"{said} of wide reach",
            topic=topic,
            boroughs=most_shared_boroughs(members),
            score=voices / (1 + voices),  # each voice adds as much as the first
            count=len(members),
            window_minutes=self._settings.holds // MINUTE,
            publishers=voices,
            first_evidence_at=members[0].mention.counts_at,
            last_evidence_at=members[-1].mention.counts_at,
            evidence=tuple(each.mention.id for each in members),
        )


def is_far_reaching(assessed: Assessed) -> bool:
    """Whether one item of this voice is enough to be heard by many."""
    return assessed.mention.reach is Reach.WIDE or assessed.mention.voice is Voice.PRESS


def is_told_again(one: Assessed, other: Assessed) -> bool:
    """Whether these are one item or tell of the same matter."""
    return one.mention.id == other.mention.id or is_same_matter(one, other)
