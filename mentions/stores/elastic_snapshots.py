"""Snapshots of an Elasticsearch store, in a folder that the server itself can reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256

from elasticsearch import ApiError, Elasticsearch

from mentions.failures import UserError
from mentions.stores.elastic_access import LONG_SECONDS, Address
from mentions.stores.elastic_schema import check_meta

_NOT_THE_SNAPSHOTS = (401, 403, 429, 502, 503, 504)  # statuses that say nothing about what is in the folder


def take_snapshot(client: Elasticsearch, address: Address, to: str) -> str:
    """Keep all indices of the store in the server's folder `to`; the name of the snapshot. Raises UserError."""
    if _is_unfinished(
        address, _held(client, address)
    ):  # what is read lies under other names than the snapshot takes in
        raise UserError(f"{address.url}: a restore was broken off here: run it again before you take a snapshot")
    repository = _repository(client, to)
    name = f"{address.index}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    told = client.options(request_timeout=LONG_SECONDS).snapshot.create(
        repository=repository,
        snapshot=name,
        indices=f"{address.index}-*",
        include_global_state=False,
        partial=False,
        wait_for_completion=True,
    )["snapshot"]
    if told["state"] != "SUCCESS":
        client.snapshot.delete(repository=repository, snapshot=name)
        raise UserError(f"{address.url}: the snapshot is not whole ({told['state']}): see the server's log")
    return name


def restore_snapshot(client: Elasticsearch, address: Address, source: str, *, replace: bool) -> str:
    """Put the newest snapshot in the server's folder `source` where the store is, once all of it has been brought back
    and found sound; its name. Raises UserError where there is none, where it is damaged, or where the store holds
    anything and is not to be replaced: the store is as it was then; and where another one writes to the store meanwhile
    and is in the way. Whenever it is broken off, whoever reads finds either all that was there or all of the snapshot,
    and doing it again finishes it.
    """
    repository = _repository(client, source)
    name = _newest(client, address, repository, source)
    if not replace:
        _refuse_loss(client, address)
    _clear_away(client, address)
    try:
        brought = _bring(client, address, repository, name, source)
    except UserError:
        _clear_away(client, address)
        raise
    _put_in_place(client, address, brought)
    return name


def _newest(client: Elasticsearch, address: Address, repository: str, source: str) -> str:
    with _damage_told(f"{address.url}: the snapshots in {source} cannot be listed"):
        # Told to ignore what is unavailable, the server would hide a newest one that is damaged behind an older one.
        found = client.snapshot.get(repository=repository, snapshot=f"{address.index}-*")
    whole = sorted(each["snapshot"] for each in found["snapshots"] if each["state"] == "SUCCESS")
    if not whole:
        raise UserError(f"there is no snapshot of {address.index!r} in {source} on the server")
    return str(whole[-1])


def _refuse_loss(client: Elasticsearch, address: Address) -> None:
    """Raise UserError where the store holds anything but what a restore that was broken off had put there."""
    held = _held(client, address)
    unfinished = _is_unfinished(address, held)
    months = [each for each in held if not _is_temporary(address, each)]
    # Then a month that is not read is a half-made copy: counting it may not even work.
    count = sum(client.count(index=each)["count"] for each in months if held[each] or not unfinished)
    if count:
        raise UserError(
            f"{address.url} holds {count} mentions: --replace puts the snapshot in their place, and they are gone"
        )


# -- temporary names: outside the template's pattern, and with a dot that the name of no other store can have ----------


def _temporary(address: Address) -> str:
    """What they begin with. The server quotes them where it refuses to write, so they say what is to be done."""
    return f"{address.index}.restore-again-"


def _is_temporary(address: Address, index: str) -> bool:
    return index.startswith(_temporary(address))


def _held(client: Elasticsearch, address: Address) -> dict[str, bool]:
    """Each index of the store, under its right name or a temporary one, and whether it is read."""
    found = client.indices.get_alias(index=[f"{address.index}-*", f"{_temporary(address)}*"])
    return {index: address.index in told["aliases"] for index, told in found.body.items()}


def _is_unfinished(address: Address, held: dict[str, bool]) -> bool:
    return any(read and _is_temporary(address, index) for index, read in held.items())


def _clear_away(client: Elasticsearch, address: Address) -> None:
    """Delete what restores that came to nothing have left."""
    for index, read in _held(client, address).items():
        if _is_temporary(address, index) and not read:
            client.options(ignore_status=404).indices.delete(index=index)


# -- the steps --------------------------------------------------------------------------------------------------------


def _bring(client: Elasticsearch, address: Address, repository: str, name: str, source: str) -> dict[str, str]:
    """Bring the snapshot back beside the store, unread and closed to writers; the right name of each temporary one.
    Raises UserError where it is not whole, or not of an Earshot that we know."""
    ours = f"{address.index}-"
    theirs = f"{_temporary(address)}{datetime.now(UTC):%Y%m%d%H%M%S%f}-"
    broken = f"{address.url}: the snapshot {name} in {source} cannot be brought back whole"
    with _damage_told(broken, f", or take it away (DELETE /_snapshot/{repository}/{name}) to get the one before it"):
        told = client.options(request_timeout=LONG_SECONDS, max_retries=0).snapshot.restore(
            repository=repository,
            snapshot=name,
            indices=f"{ours}*",
            include_global_state=False,
            include_aliases=False,
            rename_pattern=f"^{ours}",
            rename_replacement=theirs,
            index_settings={"index.blocks.write": True},  # only such an index can be cloned
            wait_for_completion=True,
        )
        _verify(client, told.body.get("snapshot", {}).get("shards", {}), f"{theirs}*")
    for index in client.indices.get_mapping(index=f"{theirs}*").body.values():
        check_meta(address, index["mappings"].get("_meta", {}))
    return {each: ours + each.removeprefix(theirs) for each in _held(client, address) if each.startswith(theirs)}


def _verify(client: Elasticsearch, restored: dict[str, int], indices: str) -> None:
    """Raise _Damaged unless every shard came back and can be counted in."""
    failed, total = restored.get("failed", 0), restored.get("total", 0)
    if failed or not total:
        raise _Damaged(f"{failed} of {total} indices failed")
    readable = client.count(index=indices)["_shards"]["successful"]
    if readable != total:
        raise _Damaged(f"only {readable} of {total} indices can be read")


def _put_in_place(client: Elasticsearch, address: Address, brought: dict[str, str]) -> None:
    """Let the temporary indices be read instead of all others, then clones of them that have the right names."""
    _exchange(client, address, brought, [each for each in _held(client, address) if each not in brought])
    for temporary, month in brought.items():
        told = client.options(request_timeout=LONG_SECONDS, ignore_status=400).indices.clone(
            index=temporary,
            target=month,
            settings={"index.blocks.write": False},
            timeout=f"{LONG_SECONDS // 2}s",
        )
        if not told.body.get("shards_acknowledged"):
            raise UserError(
                f"{address.url}: the snapshot can be read, but {month} did not get its right name, so nothing can be "
                "written: stop whatever writes to the store, see the server's log, and run the restore again"
            )
    _exchange(client, address, brought.values(), brought)


def _exchange(client: Elasticsearch, address: Address, coming: Iterable[str], going: Iterable[str]) -> None:
    """In one step for whoever reads: some are read from now on, and others are deleted."""
    actions = [{"add": {"index": each, "alias": address.index}} for each in coming]
    actions += [{"remove_index": {"index": each}} for each in going]
    client.indices.update_aliases(actions=actions)


# -- the folder -------------------------------------------------------------------------------------------------------


class _Damaged(Exception):
    """A snapshot is not whole; the message says how far."""


@contextmanager
def _damage_told(what: str, way_out: str = "") -> Iterator[None]:
    """What is wrong with a snapshot becomes one line that says what to do next."""
    try:
        yield
    except (ApiError, _Damaged) as error:
        if isinstance(error, ApiError) and error.meta.status in _NOT_THE_SNAPSHOTS:
            raise
        why = error.error if isinstance(error, ApiError) else error
        raise UserError(
            f"{what} ({why}): the store is as it was; the server's log says what is damaged, or full; "
            f"restore from another folder{way_out}"
        ) from None


def _repository(client: Elasticsearch, location: str) -> str:
    """The server's name for that folder, which has to lie under its `path.repo`."""
    name = f"earshot-{sha256(location.encode()).hexdigest()[:12]}"
    try:
        client.snapshot.create_repository(
            name=name, repository={"type": "fs", "settings": {"location": location, "compress": True}}
        )
    except ApiError as error:
        if error.meta.status in (401, 403):
            raise
        raise UserError(
            f"the server cannot keep snapshots in {location}: it must be a folder on the server (on all its nodes, if "
            "there are several) that the server can write, listed under path.repo in its elasticsearch.yml"
        ) from None
    return name
