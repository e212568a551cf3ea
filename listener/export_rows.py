"""Mentions as lines of JSON: what `export` writes, and how an opinion is told."""

from __future__ import annotations

from datetime import UTC, datetime

from analysis.boroughs import command_units
from mentions.documents import plain_correction
from mentions.mention import Assessed, Assessment, Mention, Verdict


def to_row(assessed: Assessed) -> dict[str, object]:
    """One line of an export: read again by `read_rows`, it gives the same facts. Authors appear as their keys only."""
    mention = assessed.mention
    row: dict[str, object] = {
        "id": mention.id,
        "platform": mention.platform,
        "source": mention.source,
        "time": _iso(mention.published_at),
        "first_seen_at": _iso(mention.first_seen_at),
        "title": mention.title,
        "text": mention.text,
        "link": mention.link,
        "voice": mention.voice.value,
        "reach": mention.reach.value,
        "publisher": mention.publisher,
        "author_key": mention.author_key,
        "native_id": mention.native_id,
        "thread": mention.thread,
        "lang": mention.lang,
        "engagement": {"likes": mention.likes, "shares": mention.shares, "replies": mention.replies},
    }
    kept = {key: value for key, value in row.items() if value != "" or key == "publisher"}
    if mention.sightings:
        kept["sightings"] = list(mention.sightings)
    return {**kept, **burial_row(mention), "assessment": assessment_row(assessed.assessment)}


def burial_row(mention: Mention) -> dict[str, object]:
    """Of a tombstone, when and why its words went; of any other nothing."""
    if mention.buried_at is None:
        return {}
    return {"deleted": {"at": _iso(mention.buried_at), "because": mention.buried_because}}


def assessment_row(assessment: Assessment) -> dict[str, object]:
    """An opinion in the words of the command line."""
    return {
        "relevant": assessment.relevant,
        "sentiment": _verdict_row(assessment.sentiment),
        "mood": _verdict_row(assessment.mood),
        "rag": assessment.rag.value,
        "topic": assessment.topic or None,
        "public_domain": assessment.public_domain.value,
        "boroughs": list(assessment.boroughs),
        "bcu": list(command_units(assessment.boroughs)),
        "debate": assessment.debate,
        "reasons": [{"says": reason.says, "start": reason.start, "end": reason.end} for reason in assessment.reasons],
        "made_by": list(assessment.made_by),
        **({"corrections": [*map(plain_correction, assessment.corrections)]} if assessment.corrections else {}),
    }


def _verdict_row(verdict: Verdict) -> dict[str, object]:
    return {"label": verdict.label.value, "score": round(verdict.score, 3)}


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
