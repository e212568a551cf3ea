"""What the model may do to the words' verdict on risk: raise it, fill what they leave open; never lower a red."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.draft import Draft
from analysis.reading import Reading
from analysis.steps.rating import Rating, topic_words, topics
from analysis.vocabulary import Vocabulary, attitude_words, police_words
from mentions.mention import Rag
from mentions.normalise import normalise
from tests.judging import say

NAMES = [*(topic.name for topic in topics()), ""]
RED = [example for topic in topics() if topic.colour is Rag.RED for example in topic.examples]
SHARES = st.lists(st.floats(0, 1), min_size=len(NAMES), max_size=len(NAMES)).filter(lambda shares: sum(shares) > 0)


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary(police_words() | attitude_words() | topic_words())


def rated(text: str, shares: dict[str, float]) -> Draft:
    norm = normalise(text)
    total = sum(shares.values())
    flat = np.full(3, 1 / 3, dtype=np.float32)
    reading = Reading(flat, flat, 0.0, {name: shares.get(name, 0) / total for name in NAMES})
    draft = Draft(say(text), text, norm, vocabulary().find(norm), relevant=True, lang="en", deep=True, reading=reading)
    Rating().judge(draft)
    return draft


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(RED), SHARES)
def test_no_reading_lowers_what_the_words_call_red(text: str, shares: list[float]) -> None:
    if rated(text, {"": 1.0}).rag is Rag.RED:  # by its own words: the reading says nothing
        assert rated(text, dict(zip(NAMES, shares, strict=True))).rag is Rag.RED


def test_a_reading_raises_a_green_matter_to_red() -> None:
    text = "Officers came about the burglary on Church Lane"
    assert rated(text, {"burglary": 1.0}).rag is Rag.GREEN
    assert rated(text, {"officer_discipline": 0.9, "burglary": 0.1}).rag is Rag.RED


@pytest.mark.parametrize("green", [topic.name for topic in topics() if topic.colour is Rag.GREEN])
def test_green_needs_evidence_of_its_own(green: str) -> None:
    assert rated("The police and a thing", {green: 0.2, "": 0.8}).rag is Rag.NONE
    assert rated("The police and a thing", {green: 0.9, "": 0.1}).rag is Rag.GREEN


def test_without_a_topic_the_colour_is_none_and_unsure() -> None:
    draft = rated("The police and a thing", {"": 1.0})
    assert (draft.rag, draft.topic, draft.unsure) == (Rag.NONE, "", True)


def test_a_topic_that_no_rule_found_takes_a_tenth_of_all_shares_and_less_than_half_on_none() -> None:
    few = {"burglary": 0.3, "asb": 0.15, "car_crime": 0.15, "": 0.4}
    draft = rated("The police and a thing", few)
    assert (draft.rag, draft.topic, draft.unsure) == (Rag.GREEN, "burglary", True)
    assert rated("The police and a thing", few | {"": 0.7}).rag is Rag.NONE
    assert rated("The police and a thing", {"burglary": 0.09, "asb": 0.09, "car_crime": 0.09, "": 0.4}).rag is Rag.NONE


def test_an_amber_matter_that_only_the_model_finds_is_red_until_it_is_public() -> None:
    draft = rated("The police and a thing", {"charge_details": 1.0})
    assert (draft.rag, draft.topic) == (Rag.RED, "charge_details")


def test_an_amber_matter_not_known_to_be_public_speaks_for_red_beside_the_red_ones() -> None:
    text = "Officers came about the burglary on Church Lane"
    shares = {"burglary": 0.6, "wanted_suspect": 0.25, "officer_discipline": 0.15}
    assert rated(text, shares).rag is Rag.RED
    assert rated(f"{text}, as I read in the Guardian", shares).rag is Rag.GREEN
