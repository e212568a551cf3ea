"""Does a watchlist name a private person? Handles and names in a query, told from organisations, places and words.

A name is two words of one query that must stand together: a first name (or a title) and a surname. Where they stand
side by side (a phrase, `"a b"~5`, `a_b`, `#AB`) less is needed to take them for a name than where only both must be
there (`a AND b`): an initial will do for the first name, and of two words in another script nothing is known but that
they are on no list. Whether they are asked for or left out (NOT) makes no difference: what two watchlists differ by is
the person left out. A single word is taken for a name only where it reads as two (`davesmith`, `jsmith`), and for an
account where digits or `_` are in it and the rest is a name or no word at all: a plain word finds the account's mark
as well. No field is looked into: it does not say whom it means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import islice, pairwise, permutations

from analysis.names import (
    AFTER_U,
    BEFORE_HOSTS,
    BEFORE_NAMES,
    HOSTS,
    HOSTS_AFTER,
    NO_NAMES,
    count_beginning,
    is_made_of,
    read_names,
)
from mentions.query_tree import And, Near, Not, Or, Phrase, Prefix, Query, Text, Word

_MOST_TOLD = 20  # sentences of each sort: whoever lists more has been understood
_SHORTEST = 3  # letters of a first name, or of a surname, that are written as one word
_SHORTENED = ("t", "ll", "ve", "re", "d", "m")  # isn't, they'll, we've: nobody's surname
_APART = re.compile(r"[\W\d_]+")
_MARKED = re.compile(r"[\d_]+")  # what tells an account from a word
_FIRST_IDEOGRAPH = "\u2e80"  # from here on one sign may be a name
_CODE = 3  # letters at most of what is a code before it is a name: s60, mps2024, sw1a
_UNSURE_INITIALS = frozenset("aiv")  # a, I, versus
_BEFORE_PLACES = frozenset("neswr")  # N London, r/london
# Surnames that a letter stands beside for another reason: D-Day, X-ray, Hall B.
_LETTERED = frozenset({"day", "days", "ray", "rays", "hall", "house", "ward", "branch", "case", "key", "wall", "west"})
_NOT_OURS = "that is neither ours nor a listed organisation's or public office-holder's"


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
        sentences = (self._strangers(query), self._names_told(query), self._look_alikes(query), self._addresses(query))
        return list(dict.fromkeys(told for each in sentences for told in islice(each, _MOST_TOLD)))

    # -- accounts -----------------------------------------------------------------------------------------------------

    def _strangers(self, query: Query) -> Iterator[str]:
        for word, whole in _words(query):
            if not word.startswith("@") or (word in self._names.handles and whole):
                continue
            if whole:
                yield f"`{word}` is neither an account of ours nor a listed organisation's or public office-holder's"
            else:
                yield f"`{word}*` finds every account that begins so, whoever's it is"

    def _look_alikes(self, query: Query) -> Iterator[str]:
        for word, whole in _words(query):
            if self._looks_like_account(word, whole=whole) and not any(self._joined(word, whole=whole)):
                yield f"`{word if whole else f'{word}*'}` looks like an account {_NOT_OURS}"

    def _looks_like_account(self, word: str, *, whole: bool) -> bool:
        """`jsmith99`, `jane_x`: digits or `_` beside what is a name or no word. Not `s60`, `covid19`, `met_police`."""
        listed = whole and (word in self._names.whole or word in self._names.known)
        if word.startswith("@") or listed or not _MARKED.search(word):
            return False
        digits = sum(map(str.isdigit, word))
        runs = [run for each in _MARKED.split(word) if (run := each.strip("'"))]
        for run in runs:
            begun = not whole and word.endswith(run) and count_beginning(self._names.plain, run)
            if not begun and self._is_somebody(run, digits, joined="_" in word):
                return True
        return False

    def _is_somebody(self, run: str, digits: int, *, joined: bool) -> bool:
        """Whether these letters of a word with digits or `_` in it are a name, or no word at all."""
        if run in self._names.plain or len(run) == 1:
            return False
        fit = max(self._first(run), self._fit(run, self._names.surnames))
        if fit is _Fit.ELSE:  # ward8 and black_friday, but smith99
            return digits > 1
        if fit is _Fit.YES and len(run) == _CODE:  # tom99, tom_x, but eta5
            return joined or digits > 1
        if fit is _Fit.YES and len(run) > _CODE:
            return True
        is_code = len(run) <= _CODE and not _is_foreign(run)
        return not is_code and self._is_unknown(run) and not is_made_of(self._names.plain, run)

    # -- addresses ----------------------------------------------------------------------------------------------------

    def _addresses(self, query: Query) -> Iterator[str]:
        for leaf in _leaves(query):
            if isinstance(leaf, Phrase):
                for words in (*self._addressed(leaf.words), *self._mentioned(leaf.words)):
                    yield f"`{' '.join(words)}` reads as the address of an account {_NOT_OURS}"
        for parts in _asked_together(query):
            for words in self._addressed_apart(parts):
                yield f"`{' '.join(words)}` together find the address of an account {_NOT_OURS}"

    def _addressed(self, words: Sequence[str]) -> Iterator[Sequence[str]]:
        """`instagram.com/janedoe`, `reddit.com/user/janedoe`, `jane.bsky.social`."""
        for at in range(len(words) - 1):
            host, name = tuple(words[at : at + 2]), at + 2
            while name < len(words) and words[name] in BEFORE_NAMES:
                name += 1
            follows = words[name : name + 1]
            if host in HOSTS and follows and follows[0] not in NO_NAMES and not self._is_ours(words[name:]):
                yield words[at : name + 1]
            before = words[at - 1] if at else "www"
            if host in HOSTS_AFTER and before not in BEFORE_HOSTS and before not in self._names.plain:
                yield words[at - 1 : at + 2]

    def _mentioned(self, words: Sequence[str]) -> Iterator[Sequence[str]]:
        """`u/janedoe`, as Reddit writes accounts."""
        for at, (mark, name) in enumerate(pairwise(words)):
            if mark == "u" and _may_follow_u(name) and not self._is_ours(words[at + 1 :]):
                yield mark, name

    def _addressed_apart(self, parts: Sequence[Query]) -> Iterator[Sequence[str]]:
        """The same where all words must only be there: a host and a word on no list, or `u` and any word."""
        there = {word for part in parts for word, _ in _words(part)}
        hosts = [host for host in HOSTS if there.issuperset(host)]
        with_u = "u" in there and there.isdisjoint(AFTER_U)
        if not hosts and not with_u:
            return
        for word, whole in _single_words(parts):
            if self._is_listed(word, there):
                continue
            if self._is_unheard_of(word, whole=whole):
                yield from ((*host, word) for host in hosts if word not in host)
            if with_u and _may_follow_u(word):
                yield "u", word

    def _is_unheard_of(self, word: str, *, whole: bool) -> bool:
        if not whole:
            return not count_beginning(self._names.known, word)
        return len(word) > 1 and not word.isdigit() and word not in self._names.known

    def _is_listed(self, word: str, there: set[str]) -> bool:
        """Whether a word is an account's of ours or a public one's, or belongs to a public name that is there."""
        if word.startswith(("@", "#")) or self._is_ours([word]):
            return True
        return any(word in name and there.issuperset(name) for name in self._names.public)

    def _is_ours(self, words: Sequence[str]) -> bool:
        """Whether words begin with an account of ours, or a public one's; `.` and `-` part such a one into words."""
        return any(f"@{'.'.join(words[:end])}" in self._names.handles for end in range(1, len(words) + 1))

    # -- names --------------------------------------------------------------------------------------------------------

    def _names_told(self, query: Query) -> Iterator[str]:
        for one, other in self._named(query):
            yield f"`{one} {other}` reads as a person's name, and no listed public office-holder's"

    def _named(self, query: Query) -> Iterator[tuple[str, str]]:
        for leaf in _leaves(query):
            match leaf:
                case Word(text):
                    yield from self._joined(text, whole=True)
                case Prefix(text):
                    yield from self._joined(text, whole=False)
                case Phrase(words):
                    yield from self._side_by_side(words)
                    for word in words:
                        yield from self._joined(word, whole=True)
                case Near(words):
                    yield from self._among(words)
        for parts in _asked_together(query):
            yield from self._together(parts)

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

    def _joined(self, word: str, *, whole: bool) -> Iterator[tuple[str, str]]:
        """`dave_smith`, `#DaveSmith99`, `jsmith`. Accounts are another matter."""
        word = word.removeprefix("#")
        if word.startswith("@") or word in self._names.whole:
            return
        parts = [part for part in _APART.split(word) if part]
        begun = not whole and parts and word.endswith(parts[-1])
        several = [*parts[:-1], f"{parts[-1]}*"] if begun else parts
        shortest = _SHORTEST if _has_digit(word) else 1 if "_" in word else 2  # initials stand before _: not page3b
        if len(several) > 1:
            yield from self._side_by_side([part for part in several if len(part) >= shortest])
        for part in parts:
            if found := self._cut(part, whole=not begun or part is not parts[-1]):
                yield found

    def _cut(self, part: str, *, whole: bool) -> tuple[str, str] | None:
        """A first name or an initial, and a surname, that are written as one word on no list."""
        names = self._names
        if part in names.known or part in names.first or part in names.surnames or part in names.plain:
            return None
        if not whole and count_beginning(names.known, part):
            return None
        for cut in range(_SHORTEST, len(part) - _SHORTEST + 1):
            if self._first(part[:cut]) is _Fit.YES and self._is_surname(part[cut:], whole=whole):
                return part[:cut], part[cut:]
        # A word that begins as no other does: jsm, dwi. Those that do not are words which the lists lack: vegan, bloke.
        if len(part) > _SHORTEST + 1 and not count_beginning(names.known, part[:_SHORTEST]):
            return (part[:1], part[1:]) if self._is_surname(part[1:], whole=whole) else None
        return None

    def _is_surname(self, word: str, *, whole: bool) -> bool:
        begun = not whole and len(word) > _SHORTEST and count_beginning(self._names.surnames, word)
        return bool(begun) or word in self._names.surnames

    # -- words --------------------------------------------------------------------------------------------------------

    def _is_name(self, one: str, other: str) -> bool:
        return self._fits(one, other, close=True) or self._fits(other, one, close=True)

    def _fits(self, one: str, other: str, *, close: bool) -> bool:
        """Whether these are somebody's first name (or title) and surname."""
        first, last = self._first(one), self._last(other)
        if close:
            if self._is_initial(one, other) or (self._is_nobody_known(one) and self._is_nobody_known(other)):
                return True
            first = max(first, self._title(one))
            if first is _Fit.NO and self._is_unknown(one):
                return last is _Fit.YES
        if first is _Fit.YES:
            return last is not _Fit.NO
        if first is _Fit.ELSE:
            return (last is _Fit.YES and (close or not one.endswith("*"))) or (close and last is _Fit.ELSE)
        return False

    def _is_initial(self, letter: str, name: str) -> bool:
        """Whether the letter is a first name's, with a surname beside it."""
        if len(letter) != 1 or not letter.isalpha() or f"{letter}'{name}" in self._names.surnames:  # o'connor
            return False
        fit = self._fit(name, self._names.surnames)
        if fit is not _Fit.ELSE:
            return fit is _Fit.YES
        is_place = letter in _BEFORE_PLACES and name in self._names.plain
        return letter not in _UNSURE_INITIALS and name not in _LETTERED and not is_place

    def _is_nobody_known(self, word: str) -> bool:
        """A word in another script, on no list: whether it is a name cannot be told."""
        is_word = len(word) > 1 or word >= _FIRST_IDEOGRAPH
        return is_word and _is_foreign(word) and word not in self._names.known

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


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _is_foreign(word: str) -> bool:
    """Whether a word is written in letters other than Latin ones."""
    letters = word.replace("'", "")
    return letters.isalpha() and not any(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)


def _may_follow_u(word: str) -> bool:
    return len(word) > 1 and not word[0].isdigit() and word not in AFTER_U


def _single_words(parts: Sequence[Query]) -> Iterator[tuple[str, bool]]:
    """The words and beginnings that no phrase holds, each once, and whether they are whole."""
    leaves = dict.fromkeys(leaf for part in parts for leaf in _leaves(part))
    return ((leaf.text, isinstance(leaf, Word)) for leaf in leaves if isinstance(leaf, Word | Prefix))


def _words(query: Query) -> Iterator[tuple[str, bool]]:
    """Every word and mark in a query, and whether it stands there whole (a prefix does not)."""
    for leaf in _leaves(query):
        match leaf:
            case Word(text) | Prefix(text):
                yield text.removeprefix("#"), isinstance(leaf, Word)
            case Phrase(words) | Near(words):
                yield from ((word.removeprefix("#"), True) for word in words)


def _leaves(query: Query) -> Iterator[Text]:
    """Every part of a query that asks for words, from left to right."""
    match query:
        case Word() | Prefix() | Phrase() | Near():
            yield query
        case Not(part):
            yield from _leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part)
        case _:
            return


def _asked_together(query: Query, *, negated: bool = False) -> Iterator[Sequence[Query]]:
    """The parts that must all be there, for every place in a query where there are some."""
    match query:
        case Not(part):
            yield from _asked_together(part, negated=True)
        case Near(words):
            yield [Word(word) for word in words]
        case And(parts) | Or(parts):
            for part in parts:
                yield from _asked_together(part, negated=negated)
            if negated or isinstance(query, And):  # beneath a NOT, OR asks for both as AND does
                yield parts
        case _:
            return
