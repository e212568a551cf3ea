"""The notation of the word lists: what a phrase stands for, and that no list holds one that stands for nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import prod

import pytest

from analysis.steps.rating import topic_words
from analysis.vocabulary import attitude_words, debate_words, police_words, spell_out

LISTS = [police_words(), attitude_words(), topic_words(), debate_words()]
MEANT = {"brooklyn nine nine", "hush hush", "gave her her"}


@pytest.mark.parametrize(
    ("notation", "phrases"),
    [
        ("met office", ["met office"]),
        ("cop|cops said", ["cop said", "cops said"]),
        ("in|of~the park|-", ["in park", "in", "of the park", "of the"]),
        ("don't", ["don't", "dont", "don t"]),
    ],
)
def test_a_notation_stands_for_every_combination_of_its_choices(notation: str, phrases: list[str]) -> None:
    assert list(spell_out(notation)) == phrases


@pytest.mark.parametrize("lists", LISTS, ids=["police", "attitude", "topics", "debates"])
def test_no_phrase_stammers_and_none_stands_for_hundreds(lists: Mapping[str, tuple[str, ...]]) -> None:
    """Both happen where a choice of several words is written without the mark that joins them."""
    for notation in {notation for notations in lists.values() for notation in notations}:
        assert prod(len(choice.split("|")) for choice in notation.split()) <= 400, notation
        for phrase in set(spell_out(notation)) - MEANT:
            words = phrase.split()
            assert all(one != other for one, other in pairwise(words)), (notation, phrase)
