"""Who is told of what, and how often: few messages, each of them new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.desk import Desk
from alerts.folding import SEVERITY, Folded, is_doubled, strength
from alerts.wording import ID, Letterhead, letterhead_of, write_body, write_payload, write_subject
from mentions.mention import Rag
from mentions.records import Incident, Level, Notice, NoticeKind

DAY = timedelta(hours=24)
UPDATES_A_DAY = 4  # on one channel, of one incident
UPDATES_WHEN_WORSE = 3  # the fourth is kept for a crisis that comes back


def announce(folded: Folded, sent: Sequence[Notice], now: datetime, desk: Desk, house: str) -> list[Notice]:
    """The notices that are owed after a fold; `sent` are all of this incident so far, oldest first."""
    made = []
    for channel in desk.told_of(folded.incident.level):
        mine = [one for one in sent if one.channel == channel]
        cause, kind = _owed(folded, mine, now, desk, channel)
        if kind:
            made.append(
                write_notice(folded.incident, kind, cause, folded.lead.summary, channel, now, desk.letterhead, house)
            )
    return made


def announce_end(incident: Incident, sent: Sequence[Notice], why: str, now: datetime, house: str) -> list[Notice]:
    """One notice to each channel that was told of the incident and not yet of its end."""
    last = {one.channel: one for one in sent}
    kind = NoticeKind.RESOLVED
    return [
        write_notice(incident, kind, "resolved", why, channel, now, letterhead_of(one.payload), house)
        for channel, one in last.items()
        if one.kind is not kind
    ]


def write_notice(
    incident: Incident,
    kind: NoticeKind,
    cause: str,
    why: str,
    channel: str,
    now: datetime,
    head: Letterhead,
    house: str,
) -> Notice:
    """One message. `house` tells this installation's keys from any other's, so that an exercise cannot make a
    receiver drop a live alert as a repeat."""
    key = f"{house}-{ID}:{cause}@{int(now.timestamp())}:{channel}"
    return Notice(
        key=key,
        incident_id=incident.id,
        channel=channel,
        kind=kind,
        subject=write_subject(incident, kind, now, head),
        body=write_body(incident, kind, why, now, head, key),
        queued_at=now,
        due_at=now,
        payload=write_payload(incident, kind, why, head),
    )


def _owed(
    folded: Folded, mine: Sequence[Notice], now: datetime, desk: Desk, channel: str
) -> tuple[str, NoticeKind | None]:
    """Why this channel must hear now and as what; (cause, None) where it need not."""
    causes = [transition.what for transition in folded.transitions]
    if not mine:
        return (causes[-1], NoticeKind.OPENED) if causes else ("", None)
    incident, lead = folded.incident, folded.lead
    if incident.level is Level.CRISIS and not any(one.payload.get("level") == Level.CRISIS for one in mine):
        return "crisis", NoticeKind.OPENED
    if channel not in desk.told_of(lead.level):
        return "", None
    if mine[-1].kind is NoticeKind.RESOLVED:
        allowed = _has_room(mine, UPDATES_A_DAY, now, desk)
        return "reopened", NoticeKind.UPDATE if allowed else None
    worse = is_doubled(strength(lead.score), incident.peak) or _is_redder(incident, mine[-1])
    return "worse", NoticeKind.UPDATE if worse and _has_room(mine, UPDATES_WHEN_WORSE, now, desk) else None


def _has_room(mine: Sequence[Notice], most: int, now: datetime, desk: Desk) -> bool:
    """Not too soon after the last announcement, and not too many in a day."""
    told = [one.queued_at for one in mine if one.kind is not NoticeKind.RESOLVED]
    updates = [one for one in mine if one.kind is NoticeKind.UPDATE and one.queued_at > now - DAY]
    return len(updates) < most and all(now - at >= desk.update_gap for at in told)


def _is_redder(incident: Incident, last: Notice) -> bool:
    told = Rag(str(last.payload.get("colour", Rag.NONE)))
    return SEVERITY.index(incident.colour) > SEVERITY.index(told)
