"""Which addresses are a platform's own, however they are spelt, and which are a stand-in for it."""

from __future__ import annotations

import unicodedata

import httpx


def is_home(root: str, home: str, domains: tuple[str, ...] = ()) -> bool:
    """Whether an api_root leads to the platform itself: none given, the host of its `home`, a host at or below one of
    its `domains`, or an address that nobody can read, since what is in doubt needs the platform's leave."""
    if not root.strip():
        return True
    host = plain_host(root)
    return host in ("", plain_host(home)) or any(host == each or host.endswith(f".{each}") for each in domains)


def same_host(one: str, other: str) -> bool:
    """Whether two addresses lie on one host and port; http and https with their usual ports count as one."""
    try:
        first, second = httpx.URL(one), httpx.URL(other)
    except httpx.InvalidURL:
        return False
    return bool(first.host) and first.netloc == second.netloc


def plain_host(address: str) -> str:
    """The host of an address as the network knows it: no scheme, no port, no letters beside ASCII, no dot at the end;
    "" where there is none."""
    try:
        url = httpx.URL(unicodedata.normalize("NFKC", address.strip()))
    except (httpx.InvalidURL, UnicodeError):
        return ""
    return url.raw_host.decode("ascii", "replace").lower().rstrip(".")
