"""The shape of an Elasticsearch store: one template for the indices of all months, and one alias over them.

Server-core features only: no scripts, no char filters, no data streams, no lifecycle policies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, TypeAlias

from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from mentions.failures import UserError
from mentions.mention import Assessment, Mention
from mentions.stores.elastic_access import Address

Upgrade: TypeAlias = Callable[[Elasticsearch, Address, Sequence[str]], None]
SCHEMA = 3  # 2: corrections; 3: tombstones, sightings, rounds of looking again
_META = {"made_by": "earshot", "schema": SCHEMA}
_LONGEST_KEYWORD = 8191  # characters: of four bytes each at most, so that none is longer than Lucene takes
_KEPT: dict[str, Any] = {"index": False, "doc_values": False}  # there to be read back, never to be searched
_TEXT = {"type": "keyword", **_KEPT}
_KINDS = {"bool": "boolean", "int": "long", "int | None": "long", "float": "double"}
_KINDS |= dict.fromkeys(("datetime", "datetime | None"), "date")
_OBJECTS = {
    "Verdict": {"label": _TEXT, "score": {"type": "double", **_KEPT}},
    "tuple[Correction, ...]": {
        **dict.fromkeys(("field", "value", "was", "by", "at", "because"), _TEXT),
        "undone": {"type": "boolean", **_KEPT},
    },
    "tuple[Reason, ...]": {"says": _TEXT, "start": {"type": "long", **_KEPT}, "end": {"type": "long", **_KEPT}},
}
_WORD = {"type": "keyword", "ignore_above": _LONGEST_KEYWORD}
_NUMBER = {"type": "long"}


def month_of(address: Address, published_at: datetime) -> str:
    """The index of all that was published in that month (UTC)."""
    at = published_at.astimezone(UTC)
    return f"{address.index}-{at.year:04}.{at.month:02}"


def template(address: Address) -> dict[str, Any]:
    """The composable index template."""
    return {
        "index_patterns": [f"{address.index}-*"],
        "priority": 200,
        "version": SCHEMA,
        "_meta": _META,
        "template": {"aliases": {address.index: {}}, "settings": _settings(), "mappings": _mappings()},
    }


def _settings() -> dict[str, Any]:
    return {
        "index.number_of_shards": 1,
        "index.auto_expand_replicas": "0-1",  # a second copy as soon as there is a second node
        "index.sort.field": ["place", "key"],
        "index.sort.order": ["desc", "desc"],
        "index.merge.policy.expunge_deletes_allowed": 0,  # erasure takes out every deleted document, not most
    }


def _mappings() -> dict[str, Any]:
    return {
        "dynamic": "strict",
        "_meta": _META,
        "properties": {
            "fact": {"properties": _kept(Mention)},
            "opinion": {"properties": _kept(Assessment)},
            "indexed": {"type": "text", "analyzer": "whitespace", "index_options": "positions", "norms": False},
            "score": {"type": "double"},
            "history": {"type": "boolean"},
            "published_at": {"type": "date"},
            **dict.fromkeys(("facets", "series", "pending", "source", "boroughs", "rag", "mood", "round"), _WORD),
            **dict.fromkeys(("place", "key", "published", "seen", "counted", "fetched", "due", "checked"), _NUMBER),
        },
    }


def _kept(kind: type[Any]) -> dict[str, Any]:
    """The fields of a dataclass, none of which is searched: what is searched stands beside them."""
    return {each.name: _kept_field(str(each.type)) for each in fields(kind)}


def _kept_field(kind: str) -> dict[str, Any]:
    if kind in _OBJECTS:
        return {"properties": _OBJECTS[kind]}
    return {"type": _KINDS[kind], **_KEPT} if kind in _KINDS else _TEXT


def prepare(client: Elasticsearch, address: Address, upgrade: Upgrade) -> None:
    """Lay down the template, or a newer one over an older, see that the alias is there, and that every index has what a
    newer one has; `upgrade` does of it what a mapping cannot. Raises UserError where a newer Earshot or something else
    was here before."""
    held = _held_template(client, address)
    if held is not None:
        check_meta(address, held.get("_meta", {}))
    elif client.indices.exists(index=address.index) and not client.indices.exists_alias(name=address.index):
        raise _somebody_elses(address)  # an index that has the alias's name
    if held is None or held["_meta"]["schema"] < SCHEMA:
        client.indices.put_index_template(name=address.index, **template(address))
    ensure_alias(client, address)
    _bring_up_to_date(client, address, upgrade)


def _bring_up_to_date(client: Elasticsearch, address: Address, upgrade: Upgrade) -> None:
    """Give indices of an older schema (from before, or out of a snapshot) what they lack: a newer one only adds. They
    count as of the newer one at the end, so that what is broken off is done again."""
    found = client.indices.get_mapping(index=address.index, filter_path="*.mappings._meta").body
    if older := [name for name, index in found.items() if index["mappings"]["_meta"]["schema"] < SCHEMA]:
        mappings = _mappings()
        client.indices.put_mapping(index=older, properties=mappings["properties"])
        upgrade(client, address, older)
        client.indices.put_mapping(index=older, meta=mappings["_meta"])


def ensure_alias(client: Elasticsearch, address: Address) -> None:
    """The alias stands as soon as there is one index, so that reading always has something to read."""
    if not client.indices.exists_alias(name=address.index):
        try:
            client.indices.create(index=month_of(address, datetime.now(UTC)))
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":  # that another was quicker is no fault
                raise


def look(client: Elasticsearch, address: Address) -> None:
    """What a reader asks first; writes nothing. Raises UserError where there is nothing that it could read."""
    try:
        found = client.indices.get_mapping(index=address.index, filter_path="*.mappings._meta")
    except NotFoundError:
        raise UserError(f"there is no mention store at {address.url} yet: start the daemon first") from None
    for index in found.body.values():
        check_meta(address, index["mappings"].get("_meta", {}))


def _held_template(client: Elasticsearch, address: Address) -> dict[str, Any] | None:
    try:
        found = client.indices.get_index_template(name=address.index)
    except NotFoundError:
        return None
    held: dict[str, Any] = found["index_templates"][0]["index_template"]
    return held


def _somebody_elses(address: Address) -> UserError:
    return UserError(
        f"{address.url}: {address.index!r} there belongs to something else: choose another name with ?index=NAME"
    )


def check_meta(address: Address, meta: dict[str, Any]) -> None:
    """Raise UserError where this was not made by an Earshot that we know the schema of."""
    if meta.get("made_by") != _META["made_by"]:
        raise _somebody_elses(address)
    if meta["schema"] > SCHEMA:
        raise UserError(
            f"{address.url} was written by a newer Earshot (schema {meta['schema']}, this one knows {SCHEMA}): upgrade"
        )
