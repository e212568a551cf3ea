"""Mentions and assessments as rows of the SQLite store, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mentions.documents import plain_correction, read_correction
from mentions.mention import Assessed, Assessment, Mention, Mood, PublicDomain, Rag, Reach, Reason, Verdict, Voice
from mentions.order import TIE_BITS
from mentions.times import SECOND, micros, moment

MENTION_COLUMNS = (
    "row, key, id, platform, source, published, first_seen, fetched, title, text, norm, author_key, publisher, "
    "voice, reach, thread, lang, likes, shares, replies, history, relevant, sentiment, rag, topic, opinion, "
    "sightings, buried, because"
)
UPDATED = "fetched title text norm author_key thread likes shares replies sightings buried because".split()
SELECT = (
    "SELECT mention.row, key, id, platform, source, published, first_seen, fetched, title, text, mention.norm, "
    "author_key, publisher, voice, reach, thread, lang, likes, shares, replies, history, relevant, sentiment, rag, "
    "topic, opinion, native_id, link, sightings, buried, because FROM {} LEFT JOIN locator ON locator.row = mention.row"
)
SELECT_BEFORE_3 = SELECT.replace("sightings, buried, because", "'', NULL, ''")  # for files of schema 2
_VOICES = {str(voice): voice for voice in Voice}
_REACHES = {str(reach): reach for reach in Reach}
_MOODS = {str(mood): mood for mood in Mood}
_RAGS = {str(rag): rag for rag in Rag}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True)
class Held:
    """A mention with its place in the file. `now` and `norm` may run ahead of what is `stored`."""

    row: int
    key: int
    fetched: int
    norm: str
    now: Assessed
    stored: Assessed
    stored_norm: str


def wanted_row(published: int, tie: int) -> int:
    """The row a mention would like to have: its `place`."""
    return published // SECOND << TIE_BITS | tie


def to_row(held: Held) -> tuple[object, ...]:
    """The values of MENTION_COLUMNS."""
    mention, opinion = held.now.mention, held.now.assessment
    return (
        held.row,
        held.key,
        mention.id,
        mention.platform,
        mention.source,
        micros(mention.published_at),
        micros(mention.first_seen_at),
        held.fetched,
        mention.title,
        mention.text,
        held.norm,
        mention.author_key,
        mention.publisher,
        str(mention.voice),
        str(mention.reach),
        mention.thread,
        mention.lang,
        mention.likes,
        mention.shares,
        mention.replies,
        int(mention.history),
        *opinion_values(opinion),
        _names(mention.sightings),
        micros(mention.buried_at) if mention.buried_at else None,
        mention.buried_because,
    )


def _names(names: tuple[str, ...]) -> str:
    return _encode(names) if names else ""


def fact_values(held: Held) -> tuple[object, ...]:
    """The facts that another copy, or a burial, may change: those that `UPDATED` names."""
    said = held.now.mention
    return (
        *(held.fetched, said.title, said.text, held.norm, said.author_key, said.thread),
        *(said.likes, said.shares, said.replies),
        *(_names(said.sightings), micros(said.buried_at) if said.buried_at else None, said.buried_because),
    )


def opinion_values(opinion: Assessment) -> tuple[object, ...]:
    """The values of relevant, sentiment, rag, topic, opinion; in plain types, which SQLite need not look up."""
    label, rag = str(opinion.sentiment.label), str(opinion.rag)
    return int(opinion.relevant), label, rag, opinion.topic, _encode(_rest(opinion))


def _rest(opinion: Assessment) -> dict[str, object]:
    """What has no column of its own; what is as by default is left out."""
    rest: dict[str, object] = {}
    if opinion.sentiment.score:
        rest["score"] = opinion.sentiment.score
    if opinion.mood.label is not Mood.NEUTRAL or opinion.mood.score:
        rest["mood"] = [opinion.mood.label, opinion.mood.score]
    if opinion.public_domain is not PublicDomain.UNKNOWN:
        rest["public_domain"] = opinion.public_domain
    for name in ("unsure", "risk_to_life", "debate", "lang", "boroughs", "watchlists", "made_by", "pending"):
        if value := getattr(opinion, name):
            rest[name] = value
    if opinion.reasons:
        rest["reasons"] = [[reason.says, reason.start, reason.end] for reason in opinion.reasons]
    if opinion.corrections:
        rest["corrections"] = [plain_correction(each) for each in opinion.corrections]
    return rest


def from_row(row: tuple[Any, ...]) -> Held:
    """What a row of SELECT says."""
    mention = Mention(
        id=row[2],
        platform=row[3],
        source=row[4],
        published_at=moment(row[5]),
        first_seen_at=moment(row[6]),
        title=row[8],
        text=row[9],
        author_key=row[11],
        publisher=row[12],
        voice=_VOICES[row[13]],
        reach=_REACHES[row[14]],
        thread=row[15],
        lang=row[16],
        likes=row[17],
        shares=row[18],
        replies=row[19],
        history=bool(row[20]),
        native_id=row[26] or "",
        link=row[27] or "",
        sightings=tuple(json.loads(row[28])) if row[28] else (),
        buried_at=None if row[29] is None else moment(row[29]),
        buried_because=row[30],
    )
    opinion = _opinion(row[21], row[22], row[23], row[24], json.loads(row[25]))
    assessed = Assessed(mention, opinion, fetched_at=moment(row[7]) if row[7] != row[6] else None)
    return Held(row[0], row[1], row[7], row[10], assessed, assessed, row[10])


def _opinion(relevant: int, sentiment: str, rag: str, topic: str, rest: dict[str, Any]) -> Assessment:
    mood = rest.get("mood", (Mood.NEUTRAL, 0.0))
    return Assessment(
        relevant=bool(relevant),
        sentiment=Verdict(_MOODS[sentiment], rest.get("score", 0.0)),
        mood=Verdict(_MOODS[mood[0]], mood[1]),
        rag=_RAGS[rag],
        topic=topic,
        unsure=rest.get("unsure", False),
        public_domain=PublicDomain(rest.get("public_domain", PublicDomain.UNKNOWN)),
        risk_to_life=rest.get("risk_to_life", False),
        boroughs=tuple(rest.get("boroughs", ())),
        debate=rest.get("debate", False),
        lang=rest.get("lang", ""),
        watchlists=tuple(rest.get("watchlists", ())),
        reasons=tuple(Reason(*reason) for reason in rest.get("reasons", ())),
        made_by=tuple(rest.get("made_by", ())),
        pending=tuple(rest.get("pending", ())),
        corrections=tuple(map(read_correction, rest.get("corrections", ()))),
    )
