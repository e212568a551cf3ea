"""What a mention can be filtered by besides its words: `field:value` as one plain string, the same in every store."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from mentions.mention import Assessed, Assessment, Mention, Voice
from mentions.normalise import normalise

LONGEST_VALUE = 200
FACT_FIELDS = ("platform", "source", "own", "reach", "deleted")
OPINION_FIELDS = ("borough", "lang", "rag", "topic", "sentiment", "watchlist", "debate", "corrected")
FIELDS = (*FACT_FIELDS, *OPINION_FIELDS)


@lru_cache(4096)
def facet(field: str, value: str) -> str:
    """One facet. Values are folded like words, so that case, accents and punctuation make no difference."""
    return f"{field}:{(normalise(value) or value.casefold().strip())[:LONGEST_VALUE]}"


def fact_facets(mention: Mention) -> frozenset[str]:
    """The facets of the facts: known as a mention comes in, and never changed by a judgement."""
    found = [facet("platform", mention.platform), facet("source", mention.source), f"reach:{mention.reach}"]
    if mention.voice is Voice.OWN:
        found.append("own:yes")
    if mention.sightings:
        found += [facet("source", name) for name in mention.sightings]
    if mention.buried_at is not None:
        found.append("deleted:yes")
    return frozenset(found)


def opinion_facets(opinion: Assessment) -> frozenset[str]:
    """The facets of the opinion. Whatever was not found (no topic, no borough) has none."""
    found = [f"rag:{opinion.rag}", f"sentiment:{opinion.sentiment.label}"]
    found += ["debate:yes"] * opinion.debate
    found += ["corrected:yes"] * any(not each.undone for each in opinion.corrections)
    for field, values in (
        ("lang", (opinion.lang,)),
        ("topic", (opinion.topic,)),
        ("borough", opinion.boroughs),
        ("watchlist", opinion.watchlists),
    ):
        found += _each(field, values)
    return frozenset(found)


def _each(field: str, values: Iterable[str]) -> list[str]:
    return [facet(field, value) for value in values if value]


def facets(assessed: Assessed) -> frozenset[str]:
    """All facets of a mention and its opinion. `own:no`, `debate:no` and the like are the absence of the other."""
    return fact_facets(assessed.mention) | opinion_facets(assessed.assessment)
