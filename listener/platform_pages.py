"""What a page of a platform brings that was not known: new and edited mentions, odd posts, deletions seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from listener.feed_memory import KEY_LENGTH
from listener.feeds import short_hash
from mentions.mention import Mention

ODD = "odd"
KEPT = 1_200  # posts remembered: more than any platform lists in one look


@dataclass(frozen=True, slots=True)
class Sifted:
    """The part of a page that is news. `seen` is the memory with this page in it; `brought` whether the page held any
    post that the memory did not; `gone` are mentions it knew whose deletion the page shows."""

    mentions: tuple[Mention, ...]
    left_out: int
    sample: str
    gone: tuple[str, ...]
    seen: list[str]
    brought: bool


def sift_page(
    seen: Sequence[str], found: Mapping[str, Mention], odd: Mapping[str, str], gone: Collection[str] = ()
) -> Sifted:
    """Hold a page against what was seen. `found` goes by mention id, `odd` (why a post is left out) by mention id or
    whatever names the post; `gone` are those of `odd` that are deleted. An odd post counts once."""
    known = {line[:KEY_LENGTH]: line[KEY_LENGTH:] for line in seen}
    keys = {name: short_hash(name, KEY_LENGTH) for name in (*found, *odd)}
    digests = {keys[name]: ODD for name in odd} | {keys[name]: digest_of(each) for name, each in found.items()}
    fresh = {key for key, digest in digests.items() if known.get(key) != digest}
    kept = {key: digest for key, digest in known.items() if key not in digests} | digests  # the longest unseen go first
    left_out = [why for name, why in odd.items() if keys[name] in fresh]
    return Sifted(
        mentions=tuple(each for name, each in found.items() if keys[name] in fresh),
        left_out=len(left_out),
        sample=left_out[-1] if left_out else "",
        gone=tuple(name for name in gone if known.get(keys[name], ODD) != ODD),
        seen=[key + digest for key, digest in kept.items()][-KEPT:],
        brought=any(key not in known for key in digests),
    )


def digest_of(mention: Mention) -> str:
    """Of the words alone: reactions come and go and make no edit."""
    return short_hash(f"{mention.title}\n{mention.text}", 8)


def reactions(value: object) -> int | None:
    """A number of reactions, if it is one; what was voted below nothing counts as none."""
    return max(value, 0) if isinstance(value, int) and not isinstance(value, bool) else None


def count(value: object) -> int | None:
    """A number of reactions, if it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def digits(value: object) -> int | None:
    """A number of reactions, which some platforms write in digits."""
    return int(value[:12]) if isinstance(value, str) and value.isdecimal() else count(value)
