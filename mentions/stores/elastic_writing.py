"""Saving and judging in the Elasticsearch store.

Nothing is ever overwritten blindly: what is new is created, what is known is read, merged and written with the sequence
number it was read at. Whatever another writer changed in between is read and done again, so any number of daemons may
write at once, and any request may be sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Any, TypeAlias

import orjson
from elasticsearch import Elasticsearch, helpers

from mentions.failures import TemporaryFailure, Unsavable
from mentions.mention import Assessed
from mentions.merging import cleaned, merged, rejudged, said
from mentions.normalise import index_text
from mentions.store import Saved
from mentions.stores.elastic_access import Address, failure_of
from mentions.stores.elastic_rows import Action, Held, document_id, new, scheduled, to_body, to_held
from mentions.stores.elastic_schema import month_of
from mentions.times import micros

CHUNK = 2000  # documents a request: more make the server no quicker, and nor do several requests at once
CHUNK_BYTES = 8_000_000
ROUNDS = 20  # of doing again what others changed in between
_PATIENCE = "10s"  # that the server waits for a missing primary; shorter than we wait for the server
_CONFLICT = 409
_OF_THE_DOCUMENT = frozenset(
    ("document_parsing_exception", "mapper_parsing_exception", "strict_dynamic_mapping_exception",
     "illegal_argument_exception")
)  # fmt: skip
_ANSWERED = "items.*._id,items.*.status,items.*.error.type,items.*.error.reason"

Answer: TypeAlias = tuple[str, int, dict[str, Any]]  # (_id, status, error)
Plan: TypeAlias = Callable[[Sequence[str], Mapping[str, Held]], dict[str, Held]]


def save(
    client: Elasticsearch,
    address: Address,
    batch: Sequence[Assessed],
    unseen: Mapping[str, str],
    note: Callable[[Mapping[str, str]], None],
) -> Saved:
    """See `MentionStore.save`. `unseen` is the index of each mention that was written and that no search need see yet;
    `note` hears the same of what is written now, also where the rest then fails."""
    copies: dict[str, list[Assessed]] = {}
    for assessed in map(cleaned, batch):
        copies.setdefault(assessed.mention.id, []).append(assessed)

    fresh: list[str] = []
    changed: list[str] = []
    for chunk, held, made in _prepared(client, address, copies, unseen):
        written = settle(client, address, held, chunk, _folding(address, copies, made))
        fresh += [each for each in chunk if each in written and written[each].seq_no is None]
        changed += [each for each in chunk if each in written and written[each].seq_no is not None]
        note({each: held.index for each, held in written.items()})
    return Saved(tuple(fresh), tuple(changed), len(batch) - len(fresh) - len(changed))


def _prepared(
    client: Elasticsearch, address: Address, copies: Mapping[str, Sequence[Assessed]], unseen: Mapping[str, str]
) -> Iterator[tuple[list[str], dict[str, Held], dict[str, Held]]]:
    """The ids in chunks, each with what is held of it, and with all of it made as if it were new, as most is. The first
    chunk is made while the server looks it up, every other while the server writes the one before."""
    ids = list(copies)

    def look(chunk: list[str]) -> dict[str, Held]:
        return _look(client, address, chunk, unseen)

    def make(chunk: list[str]) -> dict[str, Held]:
        return {each: _made(address, copies[each]) for each in chunk}

    with ThreadPoolExecutor(1, "ahead") as aside:
        looking = aside.submit(look, ids[:CHUNK])
        made = make(ids[:CHUNK])
        ready = ids[:CHUNK], looking.result(), made
        for start in range(CHUNK, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            coming = aside.submit(lambda chunk=chunk: (chunk, look(chunk), make(chunk)))  # type: ignore[misc]
            yield ready
            ready = coming.result()
        yield ready


def _folding(address: Address, copies: Mapping[str, Sequence[Assessed]], made: Mapping[str, Held]) -> Plan:
    """Writes what all copies of each mention come to over what is held, or what was made of them where none is."""

    def plan(ids: Sequence[str], held: Mapping[str, Held]) -> dict[str, Held]:
        wanted = {}
        for each in ids:
            folded = _fold(address, held[each], copies[each]) if each in held else made[each]
            if folded is not None:
                wanted[each] = folded
        return wanted

    return plan


def _look(client: Elasticsearch, address: Address, ids: Iterable[str], unseen: Mapping[str, str]) -> dict[str, Held]:
    """Those that are held, also where no search sees them yet."""
    held = find(client, address, (each for each in ids if each not in unseen))
    return held | _find_now(client, {each: unseen[each] for each in ids if each in unseen})


def _fold(address: Address, held: Held | None, copies: Iterable[Assessed]) -> Held | None:
    """What all copies of one mention come to over what is held; None where that stays as it is."""
    wanted: Held | None = None
    for copy in copies:
        base = wanted or held
        if base is None:
            wanted = new(copy, month_of(address, copy.mention.published_at))
        elif (now := merged(base.now, base.fetched, copy)) is not None:
            same = said(now.mention) == said(base.now.mention)
            norm = base.norm if same else copy.indexed or index_text(now.mention.words)
            fetched = max(base.fetched, micros(copy.fetched))
            wanted = replace(base, now=now, fetched=fetched, norm=norm, action=None)
            if (base.now.mention.buried_at is None) != (now.mention.buried_at is None):  # it was buried, or has risen
                wanted = scheduled(wanted, copy.fetched)
    return wanted


def judge(client: Elasticsearch, address: Address, judged: Sequence[Assessed]) -> None:
    """See `MentionStore.judge`."""
    opinions = {each.mention.id: each for each in map(cleaned, judged)}

    def plan(ids: Sequence[str], held: Mapping[str, Held]) -> dict[str, Held]:
        wanted = {}
        for mention_id in ids:
            if (known := held.get(mention_id)) is None:
                continue
            now = rejudged(known.now, opinions[mention_id])
            if now != known.now:
                wanted[mention_id] = replace(known, now=now)
        return wanted

    settle(client, address, find(client, address, opinions), list(opinions), plan)


def settle(
    client: Elasticsearch, address: Address, held: Mapping[str, Held], ids: Sequence[str], plan: Plan
) -> dict[str, Held]:
    """Write what the plan makes of what is held, again for what others changed meanwhile; what was written. What stands
    there exactly as we wanted it is ours too: a try whose answer was lost had got through."""
    written: dict[str, Held] = {}
    for _ in range(ROUNDS):
        wanted = plan(ids, held)
        clashed = _write(client, address, wanted)
        held = _find_now(client, {each: wanted[each].index for each in clashed})
        ids = [each for each in clashed if each not in held or not _is_same(held[each], wanted[each])]
        written.update((each, wanted[each]) for each in wanted if each not in ids)
        if not ids:
            return written
    raise TemporaryFailure(f"{address.url}: others keep changing the same mentions: it is tried again")


def _is_same(one: Held, other: Held) -> bool:
    return (one.now, one.fetched, one.due, one.checked) == (other.now, other.fetched, other.due, other.checked)


def _write(client: Elasticsearch, address: Address, wanted: Mapping[str, Held]) -> list[str]:
    """Send all of it; the ids of those that were there already, or had changed since they were read."""
    names = {document_id(mention_id): mention_id for mention_id in wanted}
    clashed = []
    for name, status, error in send(client, (held.action or _action(held) for held in wanted.values())):
        if status == _CONFLICT:
            clashed.append(names[name])
        elif error.get("type") in _OF_THE_DOCUMENT:
            raise Unsavable(f"{address.url} refuses one mention ({status} {error['type']}): {names[name]}")
        elif status >= 300:
            raise failure_of(address, status, error.get("type", ""), harmless(error))
    return clashed


def _made(address: Address, copies: Sequence[Assessed]) -> Held:
    """What all copies of one mention come to where none is held, with what creates it."""
    held = _fold(address, None, copies)
    assert held is not None
    held.action = _action(held)
    return held


def _action(held: Held) -> Action:
    where: dict[str, Any] = {"_index": held.index, "_id": document_id(held.now.mention.id)}
    if held.seq_no is None:
        action = {"create": where}
    else:
        action = {"index": {**where, "if_seq_no": held.seq_no, "if_primary_term": held.term}}
    return orjson.dumps(action), orjson.dumps(to_body(held))


def send(client: Elasticsearch, actions: Iterable[Action]) -> Iterator[Answer]:
    """What became of each action. Where the status is one of success, it is durable on every copy that is in step."""
    answers = helpers.streaming_bulk(
        client,
        actions,  # type: ignore[arg-type]
        chunk_size=CHUNK,
        max_chunk_bytes=CHUNK_BYTES,
        raise_on_error=False,
        expand_action_callback=lambda action: action,  # type: ignore[arg-type, return-value]
        filter_path=_ANSWERED,
        timeout=_PATIENCE,
        max_retries=5,
        initial_backoff=0.5,
        max_backoff=4,
        retry_on_status=(429, 503),
    )
    for _, answer in answers:
        for item in answer.values():
            yield item["_id"], item["status"], item.get("error", {})


def harmless(error: Mapping[str, Any]) -> str:
    """Of a document that does not fit, the server quotes words; of a block or a lacking right it never does."""
    return (
        str(error.get("reason", "")) if error.get("type") in ("cluster_block_exception", "security_exception") else ""
    )


# -- finding ----------------------------------------------------------------------------------------------------------


def find(client: Elasticsearch, address: Address, ids: Iterable[str]) -> dict[str, Held]:
    """Those of the mentions that are held, in whatever month they are."""
    return {(held := to_held(hit)).now.mention.id: held for hit in hits_of(client, address, ids, source=True)}


def hits_of(
    client: Elasticsearch, address: Address, ids: Iterable[str], *, source: bool
) -> Iterator[Mapping[str, Any]]:
    names = iter([document_id(mention_id) for mention_id in ids])
    while chunk := list(islice(names, CHUNK)):
        found = client.search(
            index=address.index,
            query={"ids": {"values": chunk}},
            size=len(chunk),
            sort="_doc",
            source=source,
            seq_no_primary_term=True,
            track_total_hits=False,
            allow_partial_search_results=False,  # what cannot be reached must not pass for new
        )
        yield from found["hits"]["hits"]


def _find_now(client: Elasticsearch, indices: Mapping[str, str]) -> dict[str, Held]:
    """Mentions as they stand this moment in these indices, also where that cannot be searched yet."""
    if not indices:
        return {}
    places = [{"_index": index, "_id": document_id(mention_id)} for mention_id, index in indices.items()]
    found = client.mget(docs=places)["docs"]
    for document in found:
        kind = document.get("error", {}).get("type", "index_not_found_exception")
        if kind != "index_not_found_exception":  # what cannot be reached must not pass for missing
            raise TemporaryFailure(f"a copy of what was saved cannot be reached ({kind}): it is tried again")
    return {(held := to_held(document)).now.mention.id: held for document in found if document.get("found")}
