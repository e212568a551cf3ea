"""The rule for content: what is said, and by whom, can be enough without any volume."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from alerts.rules.evidence import describe_span, most_shared_boroughs, most_shared_topic
from alerts.rules.matters import is_same_matter
from mentions.mention import CLAIMABLE_PAST, Assessed, Rag, Reach, Voice
from mentions.records import Finding, Level
from mentions.store import MentionStore

MOST_LOOKED_AT = 100  # newest red items; beyond that the surge rule has long fired
MOST_SIFTED = 5000  # relevant items looked through for risks to life: more than an hour has ever brought
RED, RELEVANT = "red", "relevant"
MINUTE = timedelta(minutes=1)
CONTROL_ROOM = "tell the control room first"  # lives go before reputation


@dataclass(frozen=True, slots=True)
class SingleSettings:
    """What it takes for words alone to open an incident."""

    holds: timedelta = timedelta(minutes=60)  # how long an item keeps its finding up once it was found
    together: timedelta = timedelta(minutes=30)  # items further apart than this do not add up to a crisis
    publishers: int = 3  # independent ones with a red item on the same matter: a crisis
    tellers: int = 2  # voices that tell of the same risk to life, where no account of wide reach does: a crisis


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
            f"account, or {rule.tellers} voices, tell of a risk to life, or {rule.publishers} independent publishers "
            f"bring red items on the same matter, within {describe_span(rule.together)}"
        )

    def check(self, now: datetime, store: MentionStore) -> list[Finding]:
        """See `Rule.check`. One finding a topic. What was published earlier and is found only now rings as well."""
        found_since = now - self._settings.holds
        since = found_since - CLAIMABLE_PAST
        red = _news_of_others(store.members(RED, since, now, MOST_LOOKED_AT, seen_since=found_since))
        relevant = store.members(RELEVANT, since, now, MOST_SIFTED, seen_since=found_since)
        risks = _news_of_others([each for each in relevant if each.assessment.risk_to_life][:MOST_LOOKED_AT])
        by_topic: dict[str, list[Assessed]] = defaultdict(list)
        for each in red:
            if is_far_reaching(each):
                by_topic[each.assessment.topic].append(each)
        crises: dict[str, _Crisis] = {}
        for crisis in [*self._find_risks(risks), *self._find_agreement(red)]:
            crises.setdefault(most_shared_topic(crisis.members), crisis)
        topics = sorted(by_topic.keys() | crises.keys())
        return [self._conclude(topic, by_topic.get(topic, []), crises.get(topic)) for topic in topics]

    def _find_risks(self, risks: Sequence[Assessed]) -> Iterator[_Crisis]:
        """Risks to life told by an account of wide reach, or by several voices. One press item is none: what a paper
        tells is mostly over."""
        for latest in risks:
            if latest.mention.reach is Reach.WIDE and latest.mention.voice is not Voice.PRESS:
                yield _Crisis((latest,), f"{CONTROL_ROOM}: an account of wide reach tells of a risk to life")
                continue
            same = self._company_of(latest, risks)
            voices = len({each.mention.speaker for each in same})
            if voices >= self._settings.tellers:
                yield _Crisis(same, f"{CONTROL_ROOM}: {voices} voices tell of a risk to life")

    def _find_agreement(self, red: Sequence[Assessed]) -> list[_Crisis]:
        """Matters that enough independent publishers bring, the most widely told first."""
        published = [each for each in red if each.mention.publisher]
        found = []
        for latest in published:
            same = self._company_of(latest, published)
            publishers = len({each.mention.publisher for each in same})
            if publishers >= self._settings.publishers:
                why = f"{publishers} independent publishers bring red items on the same matter"
                found.append(_Crisis(same, f"{why} within {describe_span(self._settings.together)}"))
        return sorted(found, key=lambda crisis: -len(crisis.members))

    def _company_of(self, latest: Assessed, items: Sequence[Assessed]) -> tuple[Assessed, ...]:
        """The item and those shortly before it that tell of the same matter, in the order they came."""
        since, until = latest.mention.counts_at - self._settings.together, latest.mention.counts_at
        near = (each for each in items if since <= each.mention.counts_at <= until)
        return tuple(each for each in near if each is latest or is_same_matter(each, latest))

    def _conclude(self, topic: str, items: Sequence[Assessed], crisis: _Crisis | None) -> Finding:
        together = {each.mention.id: each for each in [*items, *(crisis.members if crisis else ())]}
        members = sorted(together.values(), key=lambda each: (each.mention.counts_at, each.mention.id))
        voices = len({each.mention.speaker for each in members})
        said = "one red item" if len(members) == 1 else f"{len(members)} red items"
        return Finding(
            rule=self.name,
            key=f"{self.name}:{topic}",
            level=Level.CRISIS if crisis else Level.WARNING,
            colour=Rag.RED,
            summary=_as_sentence(crisis.why if crisis else f"{said} of wide reach"),
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


def _news_of_others(newest_first: Sequence[Assessed]) -> list[Assessed]:
    """Without our own words and what was a day old already when it was found, oldest first."""
    return [each for each in reversed(newest_first) if each.mention.voice is not Voice.OWN and not _was_old(each)]


def _was_old(each: Assessed) -> bool:
    return each.mention.first_seen_at - each.mention.published_at > CLAIMABLE_PAST


def _as_sentence(words: str) -> str:
    return words[0].upper() + words[1:]
