"""What a mention is counted in: the same in every store."""

from __future__ import annotations

from collections.abc import Iterator

from mentions.mention import Assessed, Assessment, Rag, Voice

ALL = "*"


def boroughs_of(opinion: Assessment) -> frozenset[str]:
    """The keys of the tallies by borough: its boroughs, or "" for none, and "*"; nothing where it is not relevant."""
    return frozenset((*(opinion.boroughs or ("",)), ALL)) if opinion.relevant else frozenset()


def series_of(assessed: Assessed) -> Iterator[str]:
    """The names of the series a mention is counted in: none for what we say ourselves."""
    if assessed.mention.voice is Voice.OWN:
        return
    opinion = assessed.assessment
    if opinion.relevant:
        yield "relevant"
        if opinion.rag is Rag.RED:
            yield "red"
    for name in set(opinion.watchlists):
        yield f"watch:{name}"
