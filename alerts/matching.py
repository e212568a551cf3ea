"""Which incident a finding belongs to: one wave of one event is one incident, however many rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mentions.mention import Rag
from mentions.records import Finding, Incident, Level

SHARED_EVIDENCE = 0.3  # of the smaller of the two sets
MOSTLY = 0.5  # more than this of what a warning knew makes it the beginning of a crisis
NEARBY_FOR = timedelta(hours=6)


def find_home(finding: Finding, open_ones: Sequence[Incident], now: datetime) -> Incident | None:
    """The open incident this finding joins, or None.

    A tie by key, watchlist or shared evidence goes before one by topic or place; among equals a crisis before a
    warning, then the one fed last. A crisis joins only those of `may_join`.
    """
    open_ones = [incident for incident in open_ones if may_join(finding, incident)]
    for tied in (_is_same_matter, _is_same_topic):
        found = [incident for incident in open_ones if tied(finding, incident)]
        if found:
            return max(found, key=_rank)
    nearby = [incident for incident in open_ones if _is_nearby(finding, incident, now)]
    return max(nearby, key=_rank, default=None)


def find_to_reopen(finding: Finding, resolved: Sequence[Incident]) -> Incident | None:
    """The resolved incident this finding brings back, the one resolved last; None where none fits."""
    resolved = [incident for incident in resolved if may_join(finding, incident)]
    for tied in (_is_same_matter, _is_same_topic):
        found = [incident for incident in resolved if tied(finding, incident)]
        if found:
            return max(found, key=lambda incident: (incident.resolved_at or incident.updated_at, incident.id))
    return None


def may_join(finding: Finding, incident: Incident) -> bool:
    """A crisis is the same wave as a warning only where their evidence says so, a name or a topic is not enough: it
    must not inherit the title and dates of an older matter that it barely touches."""
    if finding.level is not Level.CRISIS or incident.crisis_at is not None:
        return True
    shared = len(set(finding.evidence) & set(incident.evidence))
    return shared > MOSTLY * len(incident.evidence) or shared >= max(1, SHARED_EVIDENCE * len(finding.evidence))


def find_outgrown(finding: Finding, open_ones: Iterable[Incident]) -> list[Incident]:
    """Open warnings that end where this crisis begins: tied to it, but mostly about what was before."""
    return [
        incident for incident in open_ones if not may_join(finding, incident) and _is_same_matter(finding, incident)
    ]


def find_doubles(finding: Finding, home: Incident, open_ones: Iterable[Incident]) -> list[Incident]:
    """Open warnings that turn out to be the matter of `home` too: they and the finding share much of both."""
    enough = SHARED_EVIDENCE * len(finding.evidence)
    return [
        incident
        for incident in open_ones
        if incident.id != home.id
        and incident.level is Level.WARNING
        and _shares_evidence(finding, incident)
        and len(set(finding.evidence) & set(incident.evidence)) >= enough
    ]


def _rank(incident: Incident) -> tuple[bool, datetime, int]:
    return (incident.level is Level.CRISIS, incident.updated_at, -incident.id)


def _is_same_matter(finding: Finding, incident: Incident) -> bool:
    if finding.key == incident.key or finding.key in incident.keys:
        return True
    if finding.watchlist and finding.watchlist == incident.watchlist:
        return True
    return _shares_evidence(finding, incident)


def _is_same_topic(finding: Finding, incident: Incident) -> bool:
    """Two watchlists are two matters, whatever their topic: somebody named them apart."""
    apart = finding.watchlist and incident.watchlist and finding.watchlist != incident.watchlist
    return bool(finding.topic) and finding.topic == incident.topic and not apart


def _is_nearby(finding: Finding, incident: Incident, now: datetime) -> bool:
    """Red, in the same borough, within hours, and nothing that says it is another matter."""
    return (
        finding.colour is Rag.RED
        and incident.colour is Rag.RED
        and now - incident.updated_at <= NEARBY_FOR
        and bool(set(finding.boroughs) & set(incident.boroughs))
        and not (finding.topic and incident.topic)
        and not (finding.watchlist and incident.watchlist)
    )


def _shares_evidence(finding: Finding, incident: Incident) -> bool:
    smaller = min(len(finding.evidence), len(incident.evidence))
    return smaller > 0 and len(set(finding.evidence) & set(incident.evidence)) >= SHARED_EVIDENCE * smaller
