"""Snapshots of an Elasticsearch store, in a folder that the server itself can reach."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from elasticsearch import ApiError, Elasticsearch

from mentions.failures import UserError
from mentions.stores.elastic_access import LONG_SECONDS, Address


def take_snapshot(client: Elasticsearch, address: Address, to: str) -> str:
    """Keep all indices of the store in the server's folder `to`; the name of the snapshot. Raises UserError."""
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
    """Bring back the newest snapshot in the server's folder `source`; its name. Raises UserError where there is none,
    or where the store holds anything and is not to be replaced."""
    repository = _repository(client, source)
    found = client.snapshot.get(repository=repository, snapshot=f"{address.index}-*", ignore_unavailable=True)
    whole = sorted(each["snapshot"] for each in found["snapshots"] if each["state"] == "SUCCESS")
    if not whole:
        raise UserError(f"there is no snapshot of {address.index!r} in {source} on the server")
    held = list(client.indices.get(index=f"{address.index}-*", allow_no_indices=True).body)
    count = client.count(index=f"{address.index}-*", allow_no_indices=True)["count"]
    if count and not replace:
        raise UserError(
            f"{address.url} holds {count} mentions: --replace puts the snapshot in their place, and they are gone"
        )
    for index in held:
        client.indices.delete(index=index)
    client.options(request_timeout=LONG_SECONDS).snapshot.restore(
        repository=repository,
        snapshot=whole[-1],
        indices=f"{address.index}-*",
        include_global_state=False,
        wait_for_completion=True,
    )
    return str(whole[-1])


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
