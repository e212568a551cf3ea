"""A mention with its opinion as plain JSON values and back, without loss: facts and opinion are two objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

from mentions.mention import (
    Assessed,
    Assessment,
    Correction,
    Mention,
    Mood,
    PublicDomain,
    Rag,
    Reach,
    Reason,
    Verdict,
    Voice,
)

_TIMES = ("published_at", "first_seen_at", "buried_at")
_ENUMS: dict[str, Any] = {"voice": Voice, "reach": Reach, "rag": Rag, "public_domain": PublicDomain}
_VERDICTS = ("sentiment", "mood")
_CORRECTION_TEXTS = ("field", "value", "was", "by", "because")
_LISTS = ("boroughs", "watchlists", "made_by", "pending", "sightings")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode


def to_document(assessed: Assessed) -> dict[str, dict[str, Any]]:
    """{"fact": …, "opinion": …}; what is as by default is left out."""
    return {"fact": _told(assessed.mention), "opinion": _told(assessed.assessment)}


def from_document(document: dict[str, Any]) -> Assessed:
    """What a document says. Raises KeyError, TypeError or ValueError for what `to_document` did not make."""
    facts = {name: _rich(name, value) for name, value in document["fact"].items()}
    views = {name: _rich(name, value) for name, value in document["opinion"].items()}
    return Assessed(Mention(**facts), Assessment(**views))


def fingerprint(assessed: Assessed) -> bytes:
    """A hash of all that a mention and its opinion say: equal where they are equal, in whatever store."""
    return sha256(_encode(to_document(assessed)).encode()).digest()


def _plain_time(at: datetime) -> str:
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{utc.replace(tzinfo=None).isoformat(timespec='microseconds')}+00:00"  # a third of the time with it


def _plain_verdict(verdict: Verdict) -> dict[str, Any]:
    return {"label": str(verdict.label), "score": verdict.score}


def _plain_reasons(reasons: tuple[Reason, ...]) -> list[dict[str, Any]]:
    return [{"says": each.says, "start": each.start, "end": each.end} for each in reasons]


def plain_correction(correction: Correction) -> dict[str, Any]:
    """A correction as plain values."""
    words = {name: getattr(correction, name) for name in _CORRECTION_TEXTS}
    return {**words, "at": _plain_time(correction.at), "undone": correction.undone}


def read_correction(told: dict[str, Any]) -> Correction:
    """What `plain_correction` made. Raises KeyError, TypeError or ValueError for anything else."""
    words = {name: told[name] for name in _CORRECTION_TEXTS}
    at, undone = datetime.fromisoformat(told["at"]), told["undone"]
    if not all(isinstance(word, str) for word in words.values()) or at.tzinfo is None or not isinstance(undone, bool):
        raise TypeError("a correction has other fields")
    return Correction(**words, at=at, undone=undone)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_TIMES, _plain_time),
    **dict.fromkeys(_VERDICTS, _plain_verdict),
    **dict.fromkeys(_LISTS, list),
    **dict.fromkeys(_ENUMS, str),
    "reasons": _plain_reasons,
    "corrections": lambda corrections: [*map(plain_correction, corrections)],
}


def _told_of(kind: type[Any]) -> Callable[[Any], dict[str, Any]]:
    """What tells of a value of this kind all that is not as by default: worked out once, as an import does it for
    hundreds of thousands."""
    ways = [(each.name, each.default, _PLAIN.get(each.name)) for each in fields(kind)]
    values = attrgetter(*(each.name for each in fields(kind)))

    def told(value: Any) -> dict[str, Any]:
        return {
            name: each if plain is None else plain(each)
            for (name, default, plain), each in zip(ways, values(value), strict=True)
            if each is not default and each != default
        }

    return told


_TELL = {kind: _told_of(kind) for kind in (Mention, Assessment)}


def _told(value: Mention | Assessment) -> dict[str, Any]:
    return _TELL[type(value)](value)


def _rich(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name in _VERDICTS:
        return Verdict(Mood(value["label"]), float(value["score"]))
    if name == "reasons":
        return tuple(Reason(each["says"], each["start"], each["end"]) for each in value)
    if name == "corrections":
        return tuple(map(read_correction, value))
    if name in _LISTS:
        return tuple(value)
    return _ENUMS[name](value) if name in _ENUMS else value
