"""The lists by which a person's name is told from other words: first names, surnames, English, places, public names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from analysis.vocabulary import DEFAULTS, gazetteer, police_words, read_toml, spell_out
from mentions.normalise import handle_mark, normalise


@dataclass(frozen=True, slots=True)
class Names:
    """What words may be names. `known` are words that mean something else as well: English, places, police talk.
    `public` are names of several words that anybody may be asked about, `handles` accounts, as marks."""

    first: frozenset[str]
    surnames: frozenset[str]
    known: frozenset[str]
    sure_titles: frozenset[str]
    unsure_titles: frozenset[str]
    public: frozenset[tuple[str, ...]]
    handles: frozenset[str]


def read_names(own_handles: Iterable[str], public_names: Iterable[str], places: Mapping[str, Sequence[str]]) -> Names:
    """The shipped lists with what the settings add: accounts of ours, further public names and accounts, places."""
    shipped = _shipped()
    further = [name for name in public_names if not name.startswith("@")]
    handles = (*own_handles, *(name for name in public_names if name.startswith("@")))
    named = [tuple(normalise(name).split()) for name in (*further, *places)]
    return Names(
        shipped.first,
        shipped.surnames,
        shipped.known | {words[0] for words in named if len(words) == 1},
        shipped.sure_titles,
        shipped.unsure_titles,
        shipped.public | {words for words in named if len(words) > 1},
        shipped.handles | {handle_mark(handle.lstrip("@")) for handle in handles},
    )


@cache
def _shipped() -> Names:
    listed = read_toml("public_names.toml")
    tables, titles = listed["listed"], listed["titles"]
    first = _lines("first_names.txt")
    places = [tuple(normalise(place.name).split()) for place in gazetteer({})]
    names = [tuple(normalise(name).split()) for table in tables for name in table["names"]]
    known = _lines("english_words.txt") | set(listed["words"]["known"]) | _police_talk(first)
    known |= {word for place in places for word in place if len(place) == 1 or word not in first}
    known -= set(listed["words"]["names"])
    return Names(
        first,
        _lines("surnames.txt"),
        frozenset(known),
        frozenset(titles["sure"]),
        frozenset(titles["unsure"]),
        frozenset(words for words in (*places, *names) if len(words) > 1),
        frozenset(handle_mark(handle[1:]) for table in tables for handle in table["handles"]),
    )


def _lines(name: str) -> frozenset[str]:
    return frozenset((DEFAULTS / name).read_text("utf-8").split())


def _police_talk(first: frozenset[str]) -> set[str]:
    """The words of the phrases the judgement knows police talk by, but for those that name somebody."""
    phrases = {phrase for notations in police_words().values() for each in notations for phrase in spell_out(each)}
    plain = (words for phrase in phrases if not first.intersection(words := phrase.split()))
    return {word for words in plain for word in words}


@cache
def in_order(words: frozenset[str]) -> tuple[str, ...]:
    """The same words, sorted once for `count_beginning`."""
    return tuple(sorted(words))


def count_beginning(words: frozenset[str], prefix: str) -> int:
    """How many of the words begin so."""
    ordered = in_order(words)
    return bisect_left(ordered, prefix + "\U0010ffff") - bisect_left(ordered, prefix)
