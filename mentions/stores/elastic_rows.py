"""Mentions and assessments as documents of the Elasticsearch store, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from mentions.documents import from_document, to_document
from mentions.duties import next_check
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
    due: int | None = None  # to be looked at again; None: never
    checked: int | None = None  # last looked at, where it is to be again


def document_id(mention_id: str) -> str:
    """The `_id`: says nothing of whom or what it stands for."""
    return sha256(id_bytes(mention_id)).hexdigest()[:32]


def to_body(held: Held) -> dict[str, Any]:
    """The whole document: what is read back, and beside it what is searched, sorted and counted by."""
    mention, opinion = held.now.mention, held.now.assessment
    place, key = divmod(order_key(mention), _KEY_MASK + 1)
    document = to_document(held.now)
    rounds: dict[str, Any] = {}
    if held.due is not None:
        rounds = {"round": round_of(mention.platform, mention.source), "due": held.due, "checked": held.checked}
    return {
        **rounds,
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


def round_of(platform: str, source: str) -> str:
    """What the mentions that are looked at again together have in common, as one word."""
    return f"{platform}\n{source}"


def scheduled(held: Held, seen_at: datetime) -> Held:
    """The same, to be looked at again as its platform asks of what was seen then."""
    due = next_check(held.now.mention, seen_at)
    told = (None, None) if due is None else (micros(due), micros(seen_at))
    return replace(held, due=told[0], checked=told[1], action=None)


def new(assessed: Assessed, index: str) -> Held:
    """A mention that is not there yet."""
    norm = assessed.indexed or index_text(assessed.mention.words)
    held = Held(assessed, micros(assessed.fetched), norm, index)
    return scheduled(held, assessed.fetched) if assessed.mention.native_id else held


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
        _read(source),
        source["fetched"],
        source["indexed"],
        hit["_index"],
        hit["_seq_no"],
        hit["_primary_term"],
        due=source.get("due"),
        checked=source.get("checked"),
    )
