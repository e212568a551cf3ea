"""Where in London a matter is: gazetteer names, read with care for those that mean something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import ClassVar
from urllib.parse import urlsplit

from analysis.draft import Draft, is_press
from analysis.vocabulary import Place, Span, read_toml

_MOST_ON_A_LOCAL_SITE = 2  # a post there that names more is about none of them for certain

Found = tuple[Place, Span]


class Places:
    """Inline: boroughs, surest first; several where the text names several, none where it is not certain."""

    name: ClassVar[str] = "places"
    version: ClassVar[int] = 1

    def __init__(self, patches: Mapping[str, Sequence[str]]) -> None:
        self._patches = {name.lower(): tuple(boroughs) for name, boroughs in patches.items()}

    def judge(self, draft: Draft) -> None:
        """Weigh the places named against the patch of the site that carries the post."""
        patch = self._patch_of(draft)
        if not patch and not draft.hits.places:
            return
        draft.on_local_site = bool(patch)
        found = _believed(draft, patch)
        draft.hits.places = found
        draft.boroughs = _decide(found, patch, alone="london" not in draft.hits)
        if found and draft.boroughs:
            place, span = next((hit for hit in found if draft.boroughs[0] in hit[0].boroughs), found[0])
            draft.because(f"names {place.name} ({', '.join(place.boroughs)})", span)
        elif draft.boroughs:
            draft.because(f"posted on a site about {draft.boroughs[0]}")

    def _patch_of(self, draft: Draft) -> tuple[str, ...]:
        mention = draft.mention
        patches = self._patches
        return (
            patches.get(mention.source.lower())
            or patches.get(mention.publisher.lower())
            or patches.get(_host(mention.link))
            or ()
        )


def _host(link: str) -> str:
    """The host of a link, without www; "" where there is none."""
    if not link:
        return ""
    scheme, mark, rest = link.partition("//")
    return _host_of(scheme + mark + rest.partition("/")[0])


@lru_cache(maxsize=1024)
def _host_of(site: str) -> str:
    try:
        return (urlsplit(site).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _believed(draft: Draft, patch: tuple[str, ...]) -> list[Found]:
    """The places found that are meant: the longest of overlapping names, without words and far-away namesakes."""
    found = draft.hits.places
    if not found:
        return found
    longest = [hit for hit in found if not any(_covers(other[1], hit[1]) for other in found if other is not hit)]
    return [hit for hit in longest if _is_meant(draft, hit, longest, patch)]


def _covers(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and outer != inner


def _is_meant(draft: Draft, hit: Found, found: Sequence[Found], patch: tuple[str, ...]) -> bool:
    place, span = hit
    if place.elsewhere and any(f" {word} " in f" {draft.norm} " for word in place.elsewhere):
        return False
    if not place.common:
        return True
    before, after = _neighbours(draft.norm, span)
    if not (before in _words("lead_words") or after in _words("place_words")) or not draft.quote(span)[:1].isupper():
        return False
    company = {b for other, at in found if at != span and not other.common for b in other.boroughs} | set(patch)
    if company & set(place.boroughs):
        return True
    if patch:
        return False  # on a local site a common name is the local one
    return after in _words("place_words") or "london" in draft.hits or not is_press(draft)


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(read_toml("places.toml")[name])


def _neighbours(norm: str, span: Span) -> tuple[str, str]:
    before = norm[: max(span[0] - 1, 0)].rsplit(None, 1)
    after = norm[span[1] - 1 :].split(None, 1)
    return before[-1] if before else "", after[0] if after else ""


def _decide(found: Sequence[Found], patch: tuple[str, ...], *, alone: bool) -> tuple[str, ...]:
    """The boroughs the names speak for; on a local site its own first, and nothing where names and site disagree.

    `alone` says that no wider place is named, so that a local site's post without a name is about its patch.
    """
    weights: dict[str, float] = {}
    for place, _ in found:
        for borough in place.boroughs:
            weights[borough] = weights.get(borough, 0.0) + 1.0 / len(place.boroughs)
    sure = _sure(weights)
    if not patch:
        return tuple(sure)
    at_home = [borough for borough in patch if borough in weights]
    if at_home:
        best = max(at_home, key=lambda borough: weights[borough])
        if [weights[borough] for borough in at_home].count(weights[best]) > 1:
            return ()
        named = (best, *(b for b in sure if b != best))
        return named if len(named) <= _MOST_ON_A_LOCAL_SITE else ()
    if weights:
        return tuple(sure) if len(patch) > 1 and len(sure) == 1 else ()
    return patch if alone and len(patch) == 1 else ()


def _sure(weights: Mapping[str, float]) -> list[str]:
    """Boroughs that at least one name of their own speaks for, heaviest first."""
    return sorted((b for b, weight in weights.items() if weight >= 1.0), key=lambda b: (-weights[b], b))
