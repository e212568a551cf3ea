"""Where in London a matter is: gazetteer names, read with care for those that mean something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import ClassVar
from urllib.parse import urlsplit

from analysis.draft import Draft, is_press, reads_as_headline
from analysis.vocabulary import DEFAULTS, Place, Span, read_toml
from mentions.normalise import normalise

_MOST_ON_A_LOCAL_SITE = 2  # a post there that names more is about none of them for certain

Found = tuple[Place, Span]


class Places:
    """Inline: boroughs, surest first; several where the text names several, none where it is not certain."""

    name: ClassVar[str] = "places"
    version: ClassVar[int] = 4

    def __init__(self, patches: Mapping[str, Sequence[str]]) -> None:
        self._patches = {name.lower(): tuple(boroughs) for name, boroughs in patches.items()}

    def judge(self, draft: Draft) -> None:
        """Weigh the places named against the patch of the site that carries the post."""
        patch = self._patch_of(draft)
        if not patch and not draft.hits.places:
            return
        draft.on_local_site = bool(patch)
        found = _believed(draft, patch)
        _hide_towns_within(draft, found)
        draft.hits.places = found
        named = _named_in_title(draft, found, patch)
        draft.boroughs = named or _decide(found, patch, alone=_is_of_the_patch(draft))
        _tell_why(draft, found)

    def _patch_of(self, draft: Draft) -> tuple[str, ...]:
        mention = draft.mention
        patches = self._patches
        return (
            patches.get(mention.source.lower())
            or patches.get(mention.publisher.lower())
            or patches.get(_host(mention.link))
            or ()
        )


def _hide_towns_within(draft: Draft, found: Sequence[Found]) -> None:
    """Take the Liverpool of Liverpool Street and the Jamaica of Jamaica Road from the towns and countries named."""
    by_tag, names = draft.hits.by_tag, [span for _, span in found]
    for tag in by_tag.keys() & {"against.elsewhere_place", "against.abroad"}:
        left = [at for at in by_tag[tag] if not any(a <= at[0] and at[1] <= b and at != (a, b) for a, b in names)]
        if left:
            by_tag[tag] = left
        else:
            del by_tag[tag]


def _tell_why(draft: Draft, found: Sequence[Found]) -> None:
    """Note what the boroughs rest on, and how sure that is."""
    if not found:
        if draft.boroughs:
            draft.because(f"posted on a site about {draft.boroughs[0]}: likely")
        return
    speaking = [hit for hit in found if set(draft.boroughs) & set(hit[0].boroughs)] or found
    place, span = min(speaking, key=lambda hit: (hit[0].boroughs[:1] != draft.boroughs[:1], len(hit[0].boroughs)))
    sure = "certain" if len(place.boroughs) == 1 and not place.common else "likely"
    draft.because(
        f"names {place.name} ({', '.join(place.boroughs)}): {sure if draft.boroughs else 'not certain'}", span
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
    longest = list(_longest(found))
    meant = [hit for hit in longest if _is_meant(draft, hit, longest, patch)]
    at_hand = [hit for hit in meant if not _is_home_address(draft, hit[1])]
    return at_hand or meant


def _longest(found: Sequence[Found]) -> Iterator[Found]:
    """Those that no other one covers, in the order of the text."""
    covered_to = -1
    for hit in sorted(found, key=lambda hit: (hit[1][0], -hit[1][1])):
        if hit[1][1] > covered_to:
            covered_to = hit[1][1]
            yield hit


def _is_meant(draft: Draft, hit: Found, found: Sequence[Found], patch: tuple[str, ...]) -> bool:
    place, span = hit
    before, after = _neighbours(draft.norm, span)
    if _is_court(draft, hit, before) or _is_on_the_way(draft, span) or _is_bus(place, before, after):
        return False
    if not _is_in_london(draft, place):
        return False
    if place.only_behind:
        return before in place.only_behind
    if not place.common:
        return True
    if not (before in _words("lead_words") or after in _words("place_words")) or not _is_a_name(draft, hit):
        return False
    company = {b for other, at in found if at != span and not other.common for b in other.boroughs} | set(patch)
    if company & set(place.boroughs):
        return True
    if patch:
        return False  # on a local site a common name is the local one
    if not is_press(draft) or "london" in draft.hits or after in _words("place_words"):
        return True
    if before != "in" or place.name not in _words("known_to_the_press"):
        return False
    return not draft.hits.of("against.elsewhere_place", "against.elsewhere_force", "against.abroad")


def _is_court(draft: Draft, hit: Found, before: str) -> bool:
    """Whether the name is that of a court: "Croydon magistrates", "Croydon youth court", and no youth of Croydon; or
    "at Snaresbrook" where a jury is spoken of."""
    place, span = hit
    after = _behind(draft.norm, span)
    if after and after[0] in _words("courts"):
        return True
    if after[1:] in (["court"], ["courts"]) and after[0] in _words("courts_before_court"):
        return True
    known = before == "at" and place.name in _words("court_towns")
    return known and not _words("court_words").isdisjoint(draft.tokens)


def _is_on_the_way(draft: Draft, span: Span) -> bool:
    """Whether a road is named that leads there, and no new sentence begins with one, nor road rage."""
    road, *behind = _behind(draft.norm, span) or ("",)
    if road not in _words("roads_to") or not _words("no_roads").isdisjoint(behind):
        return False
    return draft.same_sentence(span, (span[1] - 1, span[1] + len(road)))


def _is_bus(place: Place, before: str, after: str) -> bool:
    """Whether a postal district is one of the bus routes that are called alike: the W7 bus."""
    return place.name[-1:].isdigit() and (after in ("bus", "buses") or before in ("bus", "buses", "route"))


def _is_in_london(draft: Draft, place: Place) -> bool:
    padded = f" {draft.norm} "
    if place.only_with and not any(f" {word} " in padded for word in place.only_with):
        return False
    return not any(f" {word} " in padded for word in place.elsewhere)


def _is_a_name(draft: Draft, hit: Found) -> bool:
    """Whether a common name is written as one; of who never uses capitals, whether it is no everyday word."""
    if draft.words.islower():
        return not _everyday_words().issuperset(normalise(hit[0].name).split())
    return draft.quote(hit[1])[:1].isupper()


def _is_home_address(draft: Draft, span: Span) -> bool:
    """Whether it is where somebody lives, as courts tell it: "Jo Bloggs, 26, of Balham High Road"."""
    said = draft.norm[: max(span[0] - 1, 0)].rsplit(None, 2)[-2:]
    return len(said) > 1 and said[1] == "of" and said[0].isdigit()


@cache
def _everyday_words() -> frozenset[str]:
    return frozenset((DEFAULTS / "english_words.txt").read_text("utf-8").split())


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(read_toml("places.toml")[name])


def _behind(norm: str, span: Span) -> list[str]:
    """The two words that follow, fewer at the end."""
    return norm[span[1] - 1 :].split(None, 2)[:2]


def _neighbours(norm: str, span: Span) -> tuple[str, str]:
    before = norm[: max(span[0] - 1, 0)].rsplit(None, 1)
    after = norm[span[1] - 1 :].split(None, 1)
    return before[-1] if before else "", after[0] if after else ""


def _is_of_the_patch(draft: Draft) -> bool:
    """Whether a local site's post that names no place is about its patch: neighbours talk of where they live; a local
    site's news, set as a headline, may be about anywhere unless it speaks of residents or the council."""
    if "london" in draft.hits:
        return False
    return not reads_as_headline(draft.mention.title) or not _words("patch_words").isdisjoint(draft.tokens)


def _named_in_title(draft: Draft, found: Sequence[Found], patch: tuple[str, ...]) -> tuple[str, ...]:
    """The one borough that the title of a longer post names for certain: what the title names is what it is about. On a
    local site another borough than its own must stand there as the place of the matter ("in", "at")."""
    end = len(draft.mention.title)
    if not end or not draft.mention.text:
        return ()
    titled = [hit for hit in found if draft.original(hit[1])[0] < end]
    sure = _sure(_weigh(titled))
    if len(sure) != 1 or not (patch and sure[0] not in patch):
        return tuple(sure) if len(sure) == 1 else ()
    happens = any(_neighbours(draft.norm, span)[0] in _words("happens_words") for _, span in titled)
    return tuple(sure) if happens else ()


def _weigh(found: Sequence[Found]) -> dict[str, float]:
    """How much the names speak for each borough: a name of several for each of them a part."""
    weights: dict[str, float] = {}
    for place, _ in found:
        for borough in place.boroughs:
            weights[borough] = weights.get(borough, 0.0) + 1.0 / len(place.boroughs)
    return weights


def _decide(found: Sequence[Found], patch: tuple[str, ...], *, alone: bool) -> tuple[str, ...]:
    """The boroughs the names speak for; on a local site its own first, and nothing where names and site disagree.

    `alone` says that nothing speaks against a local site's post without a name being about its patch.
    """
    weights = _weigh(found)
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
