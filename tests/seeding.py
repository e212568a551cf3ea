"""A small real store and state for tests of the pages: nothing here is a post anybody wrote."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mentions.mention import Assessed, Assessment, Mention, Mood, Rag, Reach, Reason, Verdict, Voice
from mentions.records import (
    Incident,
    IncidentState,
    Level,
    Notice,
    NoticeKind,
    NoticeState,
    SourceRow,
    SourceState,
    Transition,
)
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.store import MentionStore
from mentions.stores import open_store

HOSTILE = (
    "Met officers again <script>window.pwned=1</script> <img src=http://evil.example/p.png> "
    "![x](http://evil.example/q.png) [click](javascript:alert(1)) \u202egnp.exe @someone_private a.person@mail.example"
)
TEXTS = {
    Rag.GREEN: "Thanks to the officers who walked our street market this morning, good to see them about",
    Rag.AMBER: "Cordon still up by the station and nobody says why, police all over the high road",
    Rag.RED: "Officer shoved a teenager to the ground outside the library and walked off, people are furious",
    Rag.NONE: "Blue lights past the window again, busy evening for the police round here",
}
TOPICS = {Rag.GREEN: "community_event", Rag.AMBER: "police_operation", Rag.RED: "officer_discipline", Rag.NONE: ""}
BOROUGHS = ("Camden", "Haringey", "Southwark", "Lambeth")
SOURCES = ("Riverside Forum", "City News", "Mastodon London")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was seeded and when "now" is."""

    data: Path
    now: datetime
    store: MentionStore
    state: State

    def close(self) -> None:
        """Give both databases back."""
        self.store.close()
        self.state.close()


def open_seeded(data: Path, now: datetime | None = None) -> Seeded:
    """Empty databases in `data`, with three sources that are on time and a daemon whose heart beats."""
    data.mkdir(parents=True, exist_ok=True)
    now = now or datetime.now(UTC)
    seeded = Seeded(data, now, open_store(f"sqlite:{data / 'mentions.db'}"), open_state(f"sqlite:{data / 'state.db'}"))
    seed_sources(seeded)
    beat(seeded)
    return seeded


def beat(seeded: Seeded, at: datetime | None = None) -> None:
    """The daemon's sign of life, and that its rules run."""
    when = (at or datetime.now(UTC)).isoformat()
    seeded.state.put("heartbeat", when)
    seeded.state.put("last_rules_at", when)


def seed_sources(seeded: Seeded) -> None:
    """Three sources on time."""
    now = seeded.now
    kinds = ("forum", "feed", "mastodon")
    seeded.state.register_sources(list(zip(SOURCES, kinds, strict=True)), now)
    for name, kind in zip(SOURCES, kinds, strict=True):
        seeded.state.save_source(
            SourceRow(
                name=name,
                kind=kind,
                state=SourceState.OK,
                next_check_at=now + timedelta(minutes=5),
                polled_at=now - timedelta(minutes=1),
                succeeded_at=now - timedelta(minutes=1),
                newest_at=now - timedelta(minutes=4),
                polls=12,
                mentions=40,
            )
        )


def stop_source(seeded: Seeded, name: str = SOURCES[1]) -> None:
    """One source waits for a person."""
    row = seeded.state.source(name)
    message = "the site answers 403: ask its owner, or take the source out of earshot.toml"
    seeded.state.save_source(replace(row, state=SourceState.PAUSED, failures=4, message=message, next_check_at=None))


def make_row(number: int, at: datetime, rag: Rag, *, live: bool = True, text: str = "", **facts: object) -> Assessed:
    """One mention with an opinion of it."""
    said = text or f"{TEXTS[rag]} ({number})"
    mention = Mention(
        id=f"test:{number}",
        platform="forum",
        source=SOURCES[number % 3],
        published_at=at,
        first_seen_at=at + timedelta(seconds=30) if live else at + timedelta(days=40),
        text=said,
        link=f"https://forum.example/t/{number}",
        publisher="citynews.example" if number % 3 == 1 else "",
        voice=Voice.PRESS if number % 3 == 1 else Voice.PUBLIC,
        reach=Reach.WIDE if number % 3 == 1 else Reach.LOCAL,
        history=not live,
    )
    mood = {Rag.RED: Mood.NEGATIVE, Rag.AMBER: Mood.NEUTRAL, Rag.GREEN: Mood.POSITIVE}.get(rag, Mood.NEUTRAL)
    opinion = Assessment(
        relevant=True,
        sentiment=Verdict(mood, {Mood.NEGATIVE: -0.7, Mood.POSITIVE: 0.6}.get(mood, 0.0)),
        rag=rag,
        topic=TOPICS[rag],
        boroughs=(BOROUGHS[number % 4],) if number % 5 else (),
        reasons=(
            Reason(f"rated {rag.value} on the strategy's topic", 0, min(24, len(said))),
            Reason("no place missed"),
        ),
        made_by=("rating/1", "sentiment/1"),
    )
    return Assessed(replace(mention, **facts), opinion)  # type: ignore[arg-type]


def irrelevant(row: Assessed) -> Assessed:
    """The same post, judged not to be about the police."""
    return replace(row, assessment=replace(row.assessment, relevant=False))


def seed_days(seeded: Seeded, days: int = 28) -> None:
    """A quiet month: about two posts an hour by day, most of them harmless."""
    rows, number = [], 1_000
    start = seeded.now - timedelta(days=days)
    for hour in range(days * 24):
        at = start + timedelta(hours=hour)
        for place in range(3 if 8 <= at.hour < 22 else 1):
            number += 1
            kind = (Rag.NONE, Rag.GREEN, Rag.GREEN, Rag.AMBER, Rag.NONE, Rag.NONE, Rag.RED)[
                number % 7 if number % 3 else 0
            ]
            rows.append(make_row(number, at + timedelta(minutes=5 + 17 * place), kind, live=hour > days * 24 - 24))
    seeded.store.save([row for row in rows if row.mention.published_at < seeded.now])


def seed_crisis(seeded: Seeded, ago: timedelta = timedelta(0)) -> Incident:
    """Ninety minutes of a wave in Camden, and the alert it opened; returns the incident."""
    now = seeded.now - ago
    rows = [
        make_row(9_000 + n, now - timedelta(minutes=90) + timedelta(seconds=75 * n), Rag.RED if n % 3 else Rag.AMBER)
        for n in range(70)
    ]
    seeded.store.save([replace(row, assessment=replace(row.assessment, boroughs=("Camden",))) for row in rows])
    evidence = tuple(row.mention.id for row in rows if row.assessment.rag is Rag.RED)
    opened = now - timedelta(minutes=70)
    incident = Incident(
        id=0,
        key="surge:red",
        state=IncidentState.OPEN,
        level=Level.CRISIS,
        colour=Rag.RED,
        title="Disputed police action outside a library, Camden",
        opened_at=opened,
        updated_at=now - timedelta(minutes=1),
        topic="officer_discipline",
        boroughs=("Camden",),
        rules=("surge",),
        first_evidence_at=now - timedelta(minutes=90),
        crisis_at=opened,
        score=0.92,
        peak=0.92,
        count=31,
        expected=1.5,
        window_minutes=30,
        publishers=9,
        evidence=evidence,
    )
    notice = Notice(
        key="{incident_id}:1:duty-desk",
        incident_id=0,
        channel="duty-desk",
        kind=NoticeKind.OPENED,
        subject="RED alert {incident_id}",
        body="see the page",
        queued_at=opened,
        due_at=opened,
        state=NoticeState.ACCEPTED,
        attempts=1,
        accepted_at=opened + timedelta(seconds=4),
    )
    why = "31 red posts in 30 min, 1.5 usual, from nine independent voices"
    return seeded.state.open_incident(incident, Transition(0, opened, "opened", why), [notice])


def seed_warning(
    seeded: Seeded, title: str = "One wide-reach report on officer discipline", evidence: tuple[str, ...] = ()
) -> Incident:
    """One warning that waits on the page."""
    opened = seeded.now - timedelta(minutes=25)
    incident = Incident(
        id=0,
        key="single:misconduct",
        state=IncidentState.OPEN,
        level=Level.WARNING,
        colour=Rag.AMBER,
        title=title,
        opened_at=opened,
        updated_at=opened,
        topic="officer_discipline",
        rules=("single",),
        count=1,
        evidence=evidence,
    )
    return seeded.state.open_incident(incident, Transition(0, opened, "opened", "one wide-reach report"), [])
