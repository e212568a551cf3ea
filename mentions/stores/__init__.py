"""The stores, by the scheme of their address."""

from __future__ import annotations

from pathlib import Path

from mentions.failures import UserError
from mentions.store import MentionStore
from mentions.stores.sqlite import SqliteStore


def open_store(url: str, *, readonly: bool = False) -> MentionStore:
    """The store at `url`, made or brought up to date unless readonly. Raises UserError where it cannot be used.

    `sqlite:PATH` is opened here and now. `elasticsearch:http://HOST:PORT[,http://HOST:PORT...]` needs no server to be
    there yet: the first call reaches it.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        return SqliteStore(Path(rest), readonly=readonly)
    if scheme == "elasticsearch" and rest:
        from mentions.stores.elastic import ElasticStore  # its client takes half a second to load

        return ElasticStore(url, readonly=readonly)
    raise UserError(
        f"no mention store of the kind {scheme!r}: write sqlite:PATH, as in sqlite:data/mentions.db, or "
        "elasticsearch:http://HOST:PORT"
    )
