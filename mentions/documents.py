"""A mention with its opinion as plain JSON values and back, without loss: facts and opinion are two objects."""

from __future__ import annotations

import json
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from mentions.mention import Assessed, Assessment, Mention, Mood, PublicDomain, Rag, Reach, Reason, Verdict, Voice

_TIMES = ("published_at", "first_seen_at")
_ENUMS: dict[str, Any] = {"voice": Voice, "reach": Reach, "rag": Rag, "public_domain": PublicDomain}
_VERDICTS = ("sentiment", "mood")
_LISTS = ("boroughs", "watchlists", "made_by", "pending")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode


def to_document(assessed: Assessed) -> dict[str, dict[str, Any]]:
    """{"fact": …, "opinion": …}; what is as by default is left out."""
    return {
        "fact": {name: _plain(name, value) for name, value in _told(assessed.mention)},
        "opinion": {name: _plain(name, value) for name, value in _told(assessed.assessment)},
    }


def from_document(document: dict[str, Any]) -> Assessed:
    """What a document says. Raises KeyError, TypeError or ValueError for what `to_document` did not make."""
    facts = {name: _rich(name, value) for name, value in document["fact"].items()}
    views = {name: _rich(name, value) for name, value in document["opinion"].items()}
    return Assessed(Mention(**facts), Assessment(**views))


def fingerprint(assessed: Assessed) -> bytes:
    """A hash of all that a mention and its opinion say: equal where they are equal, in whatever store."""
    return sha256(_encode(to_document(assessed)).encode()).digest()


def _defaults(kind: type[Any]) -> dict[str, Any]:
    def default(each: Field[Any]) -> Any:
        return MISSING if each.default is MISSING else each.default

    return {each.name: default(each) for each in fields(kind)}


_DEFAULTS = {Mention: _defaults(Mention), Assessment: _defaults(Assessment)}


def _told(value: Mention | Assessment) -> list[tuple[str, Any]]:
    defaults = _DEFAULTS[type(value)]
    told = ((name, getattr(value, name)) for name in defaults)
    return [(name, each) for name, each in told if defaults[name] is MISSING or each != defaults[name]]


def _plain(name: str, value: Any) -> Any:
    if name in _TIMES:
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if name in _VERDICTS:
        return {"label": str(value.label), "score": value.score}
    if name == "reasons":
        return [{"says": each.says, "start": each.start, "end": each.end} for each in value]
    if name in _LISTS:
        return list(value)
    return str(value) if name in _ENUMS else value


def _rich(name: str, value: Any) -> Any:
    if name in _TIMES:
        return datetime.fromisoformat(value)
    if name in _VERDICTS:
        return Verdict(Mood(value["label"]), float(value["score"]))
    if name == "reasons":
        return tuple(Reason(each["says"], each["start"], each["end"]) for each in value)
    if name in _LISTS:
        return tuple(value)
    return _ENUMS[name](value) if name in _ENUMS else value
