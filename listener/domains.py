"""Which publisher a link belongs to: the part of a host name that somebody registered."""

from __future__ import annotations

from functools import lru_cache

# Suffixes below which names are handed out. Not the whole public suffix list: the places a British desk reads, and
# the hosts that give every writer a name of their own.
_SECOND_LEVELS = {
    "uk": "ac co gov ltd me mod net nhs org plc police sch",
    "au": "com net org gov edu",
    "nz": "co org net govt",
    "za": "co org",
    "in": "co org net gov",
    "jp": "co or ne",
    "br mx ar tr cn hk sg my pk ng ua": "com",
    "ke il kr": "co",
}
_SHARED_HOSTS = (
    *("blogspot.com", "blogspot.co.uk", "wordpress.com", "substack.com", "github.io", "tumblr.com", "typepad.com"),
    *("livejournal.com", "bearblog.dev", "ghost.io", "neocities.org"),
)
_SUFFIXES = frozenset(
    f"{second}.{top}" for tops, seconds in _SECOND_LEVELS.items() for top in tops.split() for second in seconds.split()
).union(_SHARED_HOSTS)
_SAME_HOUSE = {"bbc.com": "bbc.co.uk", "guardian.co.uk": "theguardian.com"}  # one newsroom, two names


def registrable_domain(url: str) -> str:
    """The registrable domain of a link or a bare host name, in lower case: "bbc.co.uk" for "https://www.bbc.co.uk/x".

    An address without a name is returned as it is, and "" where there is no host at all. The second name of a
    newsroom that has two is read as its first, so that one house is never counted as two voices.
    """
    _, mark, rest = url.partition("://")
    authority = (rest if mark else url).lstrip("/")
    for end in "/?#\\":
        authority = authority.partition(end)[0]
    return _from_authority(authority)


@lru_cache(maxsize=4096)
def _from_authority(authority: str) -> str:
    host = authority.rpartition("@")[2].strip().lower()
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    host = host.partition(":")[0].rstrip(".")
    if not host or any(sign.isspace() for sign in host):
        return ""
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return host
    keep = 3 if ".".join(labels[-2:]) in _SUFFIXES or ".".join(labels[-3:]) in _SUFFIXES else 2
    if ".".join(labels[-3:]) in _SUFFIXES:
        keep = 4
    domain = ".".join(labels[-keep:])
    return _SAME_HOUSE.get(domain, domain)
