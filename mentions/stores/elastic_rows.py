"""Mentions and assessments as documents of the Elasticsearch store, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeAlias

from mentions.documents import from_document, to_document
from mentions.facets import facets
from mentions.mention import Assessed
from mentions.normalise import index_text
from mentions.order import KEY_BITS, id_bytes, order_key
from mentions.series import boroughs_of, series_of
from mentions.times import micros, moment

KEPT = ("fact", "opinion", "fetched")  # what a document is read back from
Action: TypeAlias = tuple[bytes, bytes | None]  # what to do, and the document to do it with, as JSON
_KEY_MASK = (1 << KEY_BITS) - 1


@dataclass(slots=True)
class Held:
    """A mention with its place in the cluster. `seq_no` is None where it is yet to be created; `action` is what writes
    it, where that has been made already."""

    now: Assessed
    fetched: int
    norm: str
    index: str
    seq_no: int | None = None
    term: int | None = None
    action: Action | None = None


def document_id(mention_id: str) -> str:
    """The `_id`: says nothing of whom or what it stands for."""
    return sha256(id_bytes(mention_id)).hexdigest()[:32]


def to_body(held: Held) -> dict[str, Any]:
    """The whole document: what is read back, and beside it what is searched, sorted and counted by."""
    mention, opinion = held.now.mention, held.now.assessment
    place, key = divmod(order_key(mention), _KEY_MASK + 1)
    document = to_document(held.now)
    return {
        **document,
        "indexed": held.norm,
        "facets": sorted(facets(held.now)),
        "place": place,
        "key": key,
        "published": micros(mention.published_at),
        "seen": micros(mention.first_seen_at),
        "counted": micros(mention.counts_at),
        "fetched": held.fetched,
        "score": opinion.sentiment.score + 0.0,  # never -0.0, which Lucene takes to be less than 0.0
        "series": sorted(series_of(held.now)),
        "history": mention.history,
        "pending": list(opinion.pending),
        "source": mention.source,
        "boroughs": sorted(boroughs_of(opinion)),
        "rag": str(opinion.rag),
        "mood": str(opinion.sentiment.label),
        "published_at": document["fact"]["published_at"],
    }


def new(assessed: Assessed, index: str) -> Held:
    """A mention that is not there yet."""
    norm = assessed.indexed or index_text(assessed.mention.words)
    return Held(assessed, micros(assessed.fetched), norm, index)


def from_hit(hit: Mapping[str, Any]) -> Assessed:
    """The mention in a hit of a search that asked for KEPT."""
    return _read(hit["_source"])


def _read(source: Mapping[str, Any]) -> Assessed:
    held = from_document(dict(source))
    return replace(held, fetched_at=moment(source["fetched"]))


def to_held(hit: Mapping[str, Any]) -> Held:
    """The same with all that changing it needs; for hits with their whole source, `seq_no` and `primary_term`."""
    source = hit["_source"]
    return Held(
        _read(source), source["fetched"], source["indexed"], hit["_index"], hit["_seq_no"], hit["_primary_term"]
    )
