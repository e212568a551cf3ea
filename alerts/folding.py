"""What findings make of an incident: pure, so that the same findings always tell the same story."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.desk import Desk
from alerts.wording import name_matter
from mentions.mention import Rag
from mentions.records import Finding, Incident, IncidentState, Level, Transition

CLEARLY_WORSE = 2.0  # times as strong as what people were told
EVIDENCE_KEPT = 400
FIRST_EVIDENCE_KEPT = 50
SEVERITY = (Rag.NONE, Rag.GREEN, Rag.AMBER, Rag.RED)


@dataclass(frozen=True, slots=True)
class Folded:
    """An incident as findings left it; `why` is the strongest finding's own sentence."""

    incident: Incident
    transitions: tuple[Transition, ...]
    lead: Finding


def strength(score: float) -> float:
    """Scores below 1 are odds in disguise (0.9 is nine times 0.5), others are taken as they are: "twice as bad" needs
    a scale that can be doubled."""
    return score / (1 - score) if 0 <= score < 1 else score


def worst(colours: Iterable[Rag]) -> Rag:
    """The most serious of them."""
    return max(colours, key=SEVERITY.index, default=Rag.NONE)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Crises first, then the strongest; ties by key, so that the order never depends on who came first."""
    return sorted(findings, key=lambda found: (found.level is not Level.CRISIS, -strength(found.score), found.key))


def start(findings: Sequence[Finding], number: int, now: datetime, desk: Desk) -> Folded:
    """A new incident of these findings, with a stand-in `number` for an id."""
    lead = in_order(findings)[0]
    blank = Incident(
        id=number,
        key=lead.key,
        state=IncidentState.OPEN,
        level=lead.level,
        colour=Rag.NONE,
        title="",
        opened_at=now,
        updated_at=now,
        crisis_at=now if lead.level is Level.CRISIS else None,
        peak=strength(lead.score),
        exercise=desk.exercise,
    )
    incident = _describe(_fed(blank, findings, now), lead, desk)
    return Folded(incident, (Transition(number, now, "opened", lead.summary),), lead)


def feed(old: Incident, findings: Sequence[Finding], now: datetime, desk: Desk) -> Folded:
    """The incident after these findings. While it is open its level and colour only rise; one that was resolved
    opens anew at the level of what brought it back."""
    lead = in_order(findings)[0]
    transitions = []
    before = old
    if old.state is IncidentState.RESOLVED:
        before = _reopened(old, lead)
        transitions.append(Transition(old.id, now, "reopened", lead.summary))
    after = _fed(before, findings, now)
    rises = lead.level is Level.CRISIS and before.level is Level.WARNING
    if rises:
        after = replace(
            after,
            level=Level.CRISIS,
            crisis_at=old.crisis_at or now,
            state=IncidentState.OPEN,  # whoever took charge took charge of a warning
            acknowledged_at=None,
            acknowledged_by="",
        )
        transitions.append(Transition(old.id, now, "crisis", lead.summary))
    elif not transitions and (worse := _worsening(before, after)):
        transitions.append(Transition(old.id, now, "worse", f"{worse}: {lead.summary}"))
    renamed = rises or before is not old
    return Folded(_describe(after, lead, desk, renamed), tuple(transitions), lead)


def absorb(home: Incident, doubles: Sequence[Incident]) -> Incident:
    """The incident with the keys and evidence of warnings that turned out to be the same matter."""
    firsts = [one.first_evidence_at for one in (home, *doubles) if one.first_evidence_at]
    return replace(
        home,
        keys=_union(home.keys, *(one.keys for one in doubles)),
        rules=_union(home.rules, *(one.rules for one in doubles)),
        boroughs=_union(home.boroughs, *(one.boroughs for one in doubles)),
        evidence=_capped(_union(*(one.evidence for one in doubles), home.evidence)),
        first_evidence_at=min(firsts, default=None),
    )


def inherit(folded: Folded, outgrown: Sequence[Incident]) -> Folded:
    """A new incident that answers to the keys of warnings it took the place of; what they told of stays with them."""
    keys = _union(folded.incident.keys, *(one.keys for one in outgrown))
    return replace(folded, incident=replace(folded.incident, keys=keys))


def close(old: Incident, now: datetime) -> Incident:
    """The incident resolved, at the worst level it reached."""
    level = Level.CRISIS if old.crisis_at else old.level
    return replace(old, state=IncidentState.RESOLVED, resolved_at=now, level=level)


def is_clearly_worse(finding: Finding, incident: Incident) -> bool:
    """Twice as strong as what people were told, or of a more serious colour."""
    return is_doubled(strength(finding.score), incident.peak) or SEVERITY.index(finding.colour) > SEVERITY.index(
        incident.colour
    )


def is_doubled(now: float, before: float) -> bool:
    """Whether one strength is at least twice another."""
    return now > 0 and now >= CLEARLY_WORSE * before


def _reopened(old: Incident, lead: Finding) -> Incident:
    return replace(
        old,
        state=IncidentState.OPEN,
        level=lead.level,
        colour=Rag.NONE,
        resolved_at=None,
        acknowledged_at=None,
        acknowledged_by="",
        score=0.0,
        peak=strength(lead.score),
        crisis_at=old.crisis_at,
    )


def _fed(old: Incident, findings: Sequence[Finding], now: datetime) -> Incident:
    """The union of what was known and what the findings bring."""
    firsts = [found.first_evidence_at for found in findings if found.first_evidence_at]
    if old.first_evidence_at:
        firsts.append(old.first_evidence_at)
    return replace(
        old,
        updated_at=max(now, old.updated_at),
        colour=worst([old.colour, *(found.colour for found in findings)]),
        boroughs=_union(old.boroughs, *(found.boroughs for found in findings)),
        rules=_union(old.rules, [found.rule for found in findings]),
        keys=_union(old.keys, [found.key for found in findings]),
        evidence=_capped(_union(old.evidence, *(found.evidence for found in findings))),
        first_evidence_at=min(firsts, default=None),
        score=max([old.score, *(found.score for found in findings)], key=strength),
    )


def _describe(incident: Incident, lead: Finding, desk: Desk, renamed: bool = False) -> Incident:
    """Title and figures. What made it a crisis or brought it back names it anew; a lesser finding that joins a crisis
    does not overwrite its figures."""
    topic, watchlist = incident.topic or lead.topic, incident.watchlist or lead.watchlist
    if renamed:
        topic, watchlist = lead.topic or topic, lead.watchlist or watchlist
    titled = replace(
        incident,
        topic=topic,
        watchlist=watchlist,
        title=name_matter(topic, watchlist, incident.boroughs, desk.force),
    )
    if incident.level is Level.CRISIS and lead.level is Level.WARNING:
        return titled
    return replace(
        titled,
        count=lead.count,
        expected=lead.expected,
        window_minutes=lead.window_minutes,
        publishers=lead.publishers,
    )


def _worsening(before: Incident, after: Incident) -> str:
    """In words, "" for none. A rise is told once per doubling, not at every check."""
    if SEVERITY.index(after.colour) > SEVERITY.index(before.colour):
        return f"now {after.colour}"
    told = before.peak or strength(before.score)
    if told <= 0:
        return ""
    doublings = _doublings(strength(after.score) / told)
    return f"{2**doublings} times as strong" if doublings > _doublings(strength(before.score) / told) else ""


def _doublings(ratio: float) -> int:
    """How often 1 must be doubled to pass it by: 0 below 2, 1 below 4, 2 below 8."""
    return max(0, int(ratio).bit_length() - 1)


def _union(*many: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in many for one in some if one))


def _capped(evidence: tuple[str, ...]) -> tuple[str, ...]:
    """The first few, which started it, and the newest, which tie it to what comes next."""
    if len(evidence) <= EVIDENCE_KEPT:
        return evidence
    return evidence[:FIRST_EVIDENCE_KEPT] + evidence[FIRST_EVIDENCE_KEPT - EVIDENCE_KEPT :]
