"""The stores, by the scheme of their address."""

from __future__ import annotations

from pathlib import Path

from mentions.failures import UserError
from mentions.store import MentionStore
from mentions.stores.sqlite import SqliteStore


def open_store(url: str, *, readonly: bool = False) -> MentionStore:
    """The store at `url`, made or brought up to date unless readonly. Raises UserError where it cannot be used."""
    scheme, colon, rest = url.partition(":")
    if scheme != "sqlite" or not colon or not rest:
        raise UserError(f"no mention store of the kind {scheme!r}: write sqlite:PATH, as in sqlite:data/mentions.db")
    return SqliteStore(Path(rest), readonly=readonly)
