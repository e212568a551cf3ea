"""Does a watchlist name a private person? Handles and names in a query, told from organisations, places and words.

A name is two words of one query that must stand together: a first name (or a title) and a surname. Where they stand
side by side (a phrase, `"a b"~5`, `a_b`, `#AB`) less is needed to take them for a name than where only both must be
there (`a AND b`). Whether they are asked for or left out (NOT) makes no difference: what two watchlists differ by is
the person left out. A single word is never taken for a name, and no field is looked into: neither says whom it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import islice, pairwise, permutations

from analysis.names import count_beginning, read_names
from mentions.query_tree import And, Near, Not, Or, Phrase, Prefix, Query, Word

_MOST_TOLD = 20  # names in all: whoever lists more has been understood
_SHORTEST = 3  # letters of a first name, or of a surname, that are written as one word
_SHORTENED = ("t", "ll", "ve", "re", "d", "m")  # isn't, they'll, we've: nobody's surname
_APART = re.compile(r"[\W\d_]+")


class _Fit(IntEnum):
    """How well a word fits."""

    NO = 0
    ELSE = 1  # it is one, and means something else as well: mark, young, victoria
    MAYBE = 2  # it is on no list at all
    YES = 3


class PersonGate:
    """Says why a query names a private person. Built once from the settings; any number of threads may share one.

    `own_handles` are our accounts, `public_names` further organisations, office-holders and their @accounts, `places`
    further place names: none of these is held against a query.
    """

    def __init__(
        self,
        own_handles: Iterable[str] = (),
        public_names: Iterable[str] = (),
        places: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._names = read_names(own_handles, public_names, places or {})

    def find_persons(self, query: Query) -> list[str]:
        """A sentence for every private person the query names; none where it may run as it is."""
        found = dict.fromkeys(islice(self._strangers(query), _MOST_TOLD))
        for one, other in islice(self._named(query, negated=False), _MOST_TOLD):
            found[f"`{one} {other}` reads as a person's name, and no listed public office-holder's"] = None
        return list(found)

    # -- accounts -----------------------------------------------------------------------------------------------------

    def _strangers(self, query: Query) -> Iterator[str]:
        for word, whole in _words(query):
            if not word.startswith("@") or (word in self._names.handles and whole):
                continue
            if whole:
                yield f"`{word}` is neither an account of ours nor a listed organisation's or public office-holder's"
            else:
                yield f"`{word}*` finds every account that begins so, whoever's it is"

    # -- names --------------------------------------------------------------------------------------------------------

    def _named(self, query: Query, *, negated: bool) -> Iterator[tuple[str, str]]:
        match query:
            case Word(text):
                yield from self._joined(text)
            case Phrase(words):
                yield from self._side_by_side(words)
            case Near(words):
                yield from self._among(words)
            case Not(part):
                yield from self._named(part, negated=True)
            case And(parts) | Or(parts):
                for part in parts:
                    yield from self._named(part, negated=negated)
                if negated or isinstance(query, And):  # beneath a NOT, OR asks for both as AND does
                    yield from self._together(parts)
            case _:
                return

    def _side_by_side(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Neighbours in either order, and those with a middle name or initial between them."""
        spoken_for = self._spoken_for(words)
        for at, (one, other) in enumerate(pairwise(words)):
            if (at, at + 1) not in spoken_for and self._is_name(one, other):
                yield one, other
        for at, (one, middle, other) in enumerate(zip(words, words[1:], words[2:], strict=False)):
            between = len(middle) == 1 or self._first(middle)
            if between and (at, at + 2) not in spoken_for and self._is_name(one, other):
                yield one, other
        for word in words:
            yield from self._joined(word)

    def _spoken_for(self, words: Sequence[str]) -> set[tuple[int, int]]:
        """Which two positions lie in one place, organisation or public name."""
        longest = max(map(len, self._names.public), default=0)
        return {
            (one, other)
            for start in range(len(words))
            for end in range(start + 2, min(start + longest, len(words)) + 1)
            if tuple(words[start:end]) in self._names.public
            for one in range(start, end)
            for other in range(one + 1, end)
        }

    def _among(self, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        for one, other in permutations(words, 2):
            if self._fits(one, other, close=True) and not self._is_public(one, other, set(words)):
                yield one, other

    def _together(self, parts: Sequence[Query]) -> Iterator[tuple[str, str]]:
        """Words of different parts that must all be there."""
        words = [(text if whole else f"{text}*", at) for at, part in enumerate(parts) for text, whole in _words(part)]
        there = {word for word, _ in words}
        firsts = [(word, at) for word, at in dict.fromkeys(words) if self._first(word)]
        lasts = [(word, at) for word, at in dict.fromkeys(words) if self._last(word)]
        for one, here in firsts:
            for other, elsewhere in lasts:
                apart = here != elsewhere and one != other
                if apart and self._fits(one, other, close=False) and not self._is_public(one, other, there):
                    yield one, other

    def _joined(self, word: str) -> Iterator[tuple[str, str]]:
        """`dave_smith`, `#DaveSmith99`. Accounts are another matter."""
        parts = [part for part in _APART.split(word) if part] if not word.startswith("@") else []
        for one, other in pairwise(parts):
            if self._is_name(one, other):
                yield one, other
        for part in parts:
            if part in self._names.known or part in self._names.first or part in self._names.surnames:
                continue
            for cut in range(_SHORTEST, len(part) - _SHORTEST + 1):
                if self._first(part[:cut]) is _Fit.YES and part[cut:] in self._names.surnames:
                    yield part[:cut], part[cut:]
                    break

    # -- words --------------------------------------------------------------------------------------------------------

    def _is_name(self, one: str, other: str) -> bool:
        return self._fits(one, other, close=True) or self._fits(other, one, close=True)

    def _fits(self, one: str, other: str, *, close: bool) -> bool:
        """Whether these are somebody's first name (or title) and surname."""
        first, last = self._first(one), self._last(other)
        if close:
            first = max(first, self._title(one))
            if first is _Fit.NO and self._is_unknown(one):
                return last is _Fit.YES
        if first is _Fit.YES:
            return last is not _Fit.NO
        if first is _Fit.ELSE:
            return (last is _Fit.YES and (close or not one.endswith("*"))) or (close and last is _Fit.ELSE)
        return False

    def _first(self, word: str) -> _Fit:
        return self._fit(word, self._names.first)

    def _title(self, word: str) -> _Fit:
        if word in self._names.sure_titles:
            return _Fit.YES
        return _Fit.ELSE if word in self._names.unsure_titles else _Fit.NO

    def _last(self, word: str) -> _Fit:
        fit = self._fit(word, self._names.surnames)
        return _Fit.MAYBE if fit is _Fit.NO and self._is_unknown(word) else fit

    def _is_unknown(self, word: str) -> bool:
        plain, _, ending = word.partition("'")
        letters = plain + ending
        return letters.isalpha() and len(letters) > 1 and ending not in _SHORTENED and word not in self._names.known

    def _fit(self, word: str, listed: frozenset[str]) -> _Fit:
        """A beginning fits as most of the words do that begin so."""
        if word.endswith("*"):
            named, meant = count_beginning(listed, word[:-1]), count_beginning(self._names.known, word[:-1])
            return _Fit.NO if not named else _Fit.YES if named > meant else _Fit.ELSE
        if word not in listed:
            return _Fit.NO
        return _Fit.ELSE if word in self._names.known else _Fit.YES

    def _is_public(self, one: str, other: str, there: set[str]) -> bool:
        """Whether both belong to one place, organisation or public name that is there as a whole."""
        return any(one in name and other in name and there.issuperset(name) for name in self._names.public)


def _words(query: Query) -> Iterator[tuple[str, bool]]:
    """Every word and mark in a query, and whether it stands there whole (a prefix does not)."""
    match query:
        case Word(text):
            yield text.removeprefix("#"), True
        case Prefix(text):
            yield text.removeprefix("#"), False
        case Phrase(words) | Near(words):
            for word in words:
                yield word.removeprefix("#"), True
        case Not(part):
            yield from _words(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _words(part)
        case _:
            return
