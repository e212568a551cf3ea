"""The words of a notice: a subject that fits an SMS, a body that says what, why and what to do, a payload for machines.

Nothing here ever holds a post's text or an author: a notice leaves the house.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from mentions.mention import Rag
from mentions.records import Incident, Level, NoticeKind

SUBJECT_LENGTH = 140
ID = "{incident_id}"  # the state database puts the number here once it is known
GUIDANCE = {
    Rag.RED: "Red: always call the Borough Communicator or DPA first, before anybody posts or replies.",
    Rag.AMBER: "Amber: post only what is already in the public domain, and inform the Borough Communicator or DPA.",
    Rag.GREEN: "Green: go ahead, nobody needs to be called first.",
    Rag.NONE: "No topic of the strategy was recognised: judge it yourself, and ask DPA where in doubt.",
}
UNCONFIRMED = "Unconfirmed: these are posts and articles that were counted, not facts that were checked."
REHEARSAL = "EXERCISE - this is a rehearsal, nothing here is happening."
STANDING = (*GUIDANCE.values(), UNCONFIRMED, REHEARSAL)  # whole sentences of ours that stand in notices again and again


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What every notice of this desk has in common."""

    force: str
    dashboard_url: str
    exercise: bool
    zone: str


def write_subject(incident: Incident, kind: NoticeKind, now: datetime, head: Letterhead) -> str:
    """One line of at most 140 characters: level, colour, matter, count against usual, since when."""
    mark = "EXERCISE " if head.exercise else ""
    if kind is NoticeKind.RESOLVED:
        opening, ending = f"{mark}RESOLVED: ", f" - last sign {tell_time(incident.updated_at, now, head.zone)}"
    else:
        again = "UPDATE " if kind is NoticeKind.UPDATE else ""
        opening = f"{mark}{again}{incident.level.upper()} {_colour_word(incident.colour)}: "
        since = tell_time(incident.first_evidence_at or incident.opened_at, now, head.zone)
        ending = " - " + ", ".join([*_counted(incident), f"since {since}"])
    return opening + _shortened(_one_line(incident.title), SUBJECT_LENGTH - len(opening) - len(ending)) + ending


def write_body(incident: Incident, kind: NoticeKind, why: str, now: datetime, head: Letterhead, key: str) -> str:
    """The message in full. `why` is the rule's own sentence or what ended it."""
    lines = [
        *([REHEARSAL, ""] if head.exercise else []),
        f"{_HEADINGS[kind]}: {_one_line(incident.title)}",
        "",
        f"Level and colour: {incident.level}, {incident.colour}",
        f"Why: {_one_line(why)}",
        *_evidence_lines(incident, now, head),
        "",
        UNCONFIRMED,
        GUIDANCE[incident.colour],
        "",
        f"Open it: {link_to(head)}",
        f"{head.force}, Earshot. Reference {key} (a repeat of this message carries the same reference).",
    ]
    return "\n".join(lines) + "\n"


def write_payload(incident: Incident, kind: NoticeKind, why: str, head: Letterhead) -> dict[str, object]:
    """The incident for machines: JSON-able, times ISO 8601 in UTC."""
    return {
        "id": incident.id if incident.id > 0 else ID,
        "exercise": head.exercise,
        "force": head.force,
        "kind": str(kind),
        "state": str(incident.state),
        "level": str(incident.level),
        "colour": str(incident.colour),
        "title": incident.title,
        "why": why,
        "guidance": GUIDANCE[incident.colour],
        "topic": incident.topic,
        "watchlist": incident.watchlist,
        "boroughs": list(incident.boroughs),
        "rules": list(incident.rules),
        "score": incident.score,
        "count": incident.count,
        "expected": incident.expected,
        "window_minutes": incident.window_minutes,
        "publishers": incident.publishers,
        "link": link_to(head),
        "dashboard": head.dashboard_url,
        "zone": head.zone,
        **{name: _iso(getattr(incident, name)) for name in _TIMES},
    }


def letterhead_of(payload: Mapping[str, object]) -> Letterhead:
    """The letterhead an earlier notice was written under."""
    return Letterhead(
        force=str(payload.get("force", "")),
        dashboard_url=str(payload.get("dashboard", "")),
        exercise=bool(payload.get("exercise", False)),
        zone=str(payload.get("zone", "Europe/London")),
    )


def name_matter(topic: str, watchlist: str, boroughs: tuple[str, ...], force: str) -> str:
    """What an incident is about, in a few words: the watchlist or the topic, and where."""
    what = watchlist or topic.replace("_", " ").replace("-", " ").capitalize() or f"Mentions of {force}"
    where = ", ".join(boroughs[:2]) + (f" and {len(boroughs) - 2} more" if len(boroughs) > 2 else "")
    return f"{what} ({where})" if where else what


def tell_time(at: datetime, now: datetime, zone: str) -> str:
    """A time as London reads it: "02:10 GMT", with the day where it is not today."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    day = "" if local.date() == today.date() else f"{local:%a} {local.day} {local:%b} "
    return f"{day}{local:%H:%M %Z}"


def link_to(head: Letterhead) -> str:
    """Where the incident is to be seen."""
    return f"{head.dashboard_url.rstrip('/')}/alerts?id={ID}"


_TIMES = ("opened_at", "updated_at", "first_evidence_at", "crisis_at", "acknowledged_at", "resolved_at")
_HEADINGS = {
    NoticeKind.OPENED: "A matter needs your eyes",
    NoticeKind.UPDATE: "It has got worse",
    NoticeKind.RESOLVED: "It is over",
}


def _evidence_lines(incident: Incident, now: datetime, head: Letterhead) -> list[str]:
    lines = [f"How much: {text}" for text in [", ".join(_counted(incident))] if text]
    if incident.first_evidence_at:
        lines.append(f"First evidence: {tell_time(incident.first_evidence_at, now, head.zone)}")
    if incident.publishers:
        voices = "independent voice" if incident.publishers == 1 else "independent voices"
        lines.append(f"Who: {incident.publishers} {voices}")
    if incident.crisis_at and incident.level is Level.CRISIS:
        lines.append(f"Crisis since: {tell_time(incident.crisis_at, now, head.zone)}")
    return lines


def _counted(incident: Incident) -> list[str]:
    """ "142 posts in 15 min", "9 usual"; empty where nothing was counted."""
    if not incident.count:
        return []
    posts = f"{incident.count} {'post' if incident.count == 1 else 'posts'}"
    if not incident.window_minutes:
        return [posts]
    usual = incident.expected
    spelt = f"{usual:.0f}" if usual >= 10 or usual == round(usual) else f"{usual:.1f}"
    return [f"{posts} in {_span(incident.window_minutes)}", f"{spelt if usual >= 0.05 else 'hardly any'} usual"]


def _span(minutes: int) -> str:
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _colour_word(colour: Rag) -> str:
    return "NO COLOUR" if colour is Rag.NONE else colour.upper()


def _one_line(text: str) -> str:
    """Without line breaks or control characters: a subject must not end early."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 3)].rstrip() + "..."


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
