"""What stays of a mention whose words are gone: the same in every store, file and spool."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mentions.mention import LAPSED, Assessed
from mentions.redaction import Redaction

_EMPTIED = ("title", "text", "link", "native_id", "author_key", "thread")


def entombed(held: Assessed, at: datetime, because: str) -> Assessed:
    """The mention without its words, its author and what leads to either; with its counts and what was thought of it.
    Reasons quote what they rest on and go; of corrections, which are a person's own words, only what quotes. One that
    was buried before stays as it is, but that a deletion outweighs a lapse."""
    mention, opinion = held.mention, held.assessment
    if mention.buried_at is not None and (because == LAPSED or mention.buried_because == because):
        return held
    redaction = Redaction([mention.title, mention.text])
    emptied = replace(mention, **dict.fromkeys(_EMPTIED, ""), buried_at=at, buried_because=because)  # type: ignore[arg-type]
    corrections = tuple(replace(each, because=redaction.apply(each.because)) for each in opinion.corrections)
    return Assessed(
        emptied, replace(opinion, reasons=(), pending=(), corrections=corrections), fetched_at=held.fetched_at
    )


def may_rise(held: Assessed, fetched: datetime) -> bool:
    """Whether a copy fetched then may bring the words of a tombstone back: those that were dropped only because nobody
    could look, and that stood at their source afterwards. What was deleted stays so, whatever a cache still shows."""
    mention = held.mention
    return mention.buried_at is not None and mention.buried_because == LAPSED and fetched > mention.buried_at
