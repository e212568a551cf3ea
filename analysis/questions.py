"""Which sentences of a text are questions that somebody wants answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from analysis.vocabulary import read_toml, spell_out
from mentions.normalise import normalise

Sentence = tuple[int, int]  # its span of the text
_SENTENCE = re.compile(r"[^.!?\n;…]+(?:[.!?…]+|$|(?=[\n;]))")
_MARKED = re.compile(r"[.!?]")
_FEWEST_WORDS = 3  # "Really?" asks nothing


def questions(words: str, *, among_neighbours: bool) -> Iterator[tuple[Sentence, Sentence]]:
    """The sentences that ask, each with what stands around it: the sentence before, itself and the one after.

    They are those with a question mark, and where the writer sets no marks at all, those that begin as questions do.
    Questions nobody wants answered, and statements with "right?" behind them, are left out; to the wide world some are
    figures of speech that neighbours mean.
    """
    unmarked = not _MARKED.search(words)
    spans = [found.span() for found in _SENTENCE.finditer(words)]
    for place, (start, end) in enumerate(spans):
        said = words[start:end].rstrip()
        marked = said.endswith("?")
        if not (marked or unmarked):
            continue
        norm = normalise(said)
        if (marked or _begins_as_question(norm.split())) and _is_meant(norm, among_neighbours=among_neighbours):
            yield (start, end), (spans[max(place - 1, 0)][0], spans[min(place + 1, len(spans) - 1)][1])


def sentence_at(words: str, start: int) -> Sentence:
    """The sentence that what stands at `start` belongs to; an empty one where it belongs to none."""
    spans = (found.span() for found in _SENTENCE.finditer(words))
    return next((span for span in spans if span[0] <= start < span[1]), (start, start))


def _is_meant(norm: str, *, among_neighbours: bool) -> bool:
    if len(norm.split()) < _FEWEST_WORDS:
        return False
    padded = f" {norm} "
    speech = phrases("rhetorical") if among_neighbours else phrases("rhetorical") | phrases("figures")
    return not (any(f" {phrase} " in padded for phrase in speech) or padded.endswith(_tags()))


def _begins_as_question(said: Sequence[str]) -> bool:
    """Whether the first words turn round subject and verb; names of those spoken to may stand before "why"."""
    if len(said) > 1 and said[0] in phrases("openers"):
        return said[1] not in _BEHIND_AN_ORDER
    for word, after in pairwise(said):
        if word in phrases("askers"):
            return after in phrases("helpers")
        if word in _STATES:
            return False
    return False


_BEHIND_AN_ORDER = frozenset(("your", "a", "an", "not", "be", "some", "fun"))  # "have your say"
# What stands in a statement, and in no name.
_STATES = frozenset(
    "i it he she they we you that this there the a an and but if when is are was were has have had be been do not no "
    "of in on at to for with by as so very just now more police policing".split()
)


@cache
def phrases(name: str) -> frozenset[str]:
    """A list of debates.toml, each notation spelt out."""
    return frozenset(phrase for notation in read_toml("debates.toml")[name] for phrase in spell_out(notation))


@cache
def _tags() -> tuple[str, ...]:
    return tuple(f" {phrase} " for phrase in phrases("tags"))
