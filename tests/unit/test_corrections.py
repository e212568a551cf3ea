"""How people's corrections are spelt and laid over an opinion."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.strategy import borough_names, topic_names
from mentions.corrections import (
    FIELDS,
    Choices,
    corrected,
    read_field,
    read_value,
    standing,
    tell_change,
    value_of,
    was_of,
)
from mentions.failures import UserError
from mentions.mention import Assessment, Correction, Mood, PublicDomain, Rag, Verdict
from tests.judging import say, shipped

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHOICES = Choices(topic_names(), borough_names())
RED = Assessment(relevant=True, rag=Rag.RED, topic="political", sentiment=Verdict(Mood.NEGATIVE, -0.6))
VALUES = {
    "relevant": ("yes", "no"),
    "sentiment": ("neg", "pos", "uncertain"),
    "rag": ("red", "green", "none"),
    "topic": ("", "asb", "political"),
    "boroughs": ("", "Camden", "Camden, Kensington and Chelsea"),
    "debate": ("yes", "no"),
    "public_domain": ("yes", "no", "unknown"),
    "risk_to_life": ("yes", "no"),
}


def said(field: str, value: str, minute: int = 0, **more: bool) -> Correction:
    return Correction(field, value, "", "Sam Roe", NOON + timedelta(minutes=minute), "read it", **more)


CORRECTIONS = st.sampled_from(FIELDS).flatmap(
    lambda field: st.builds(
        said, st.just(field), st.sampled_from(VALUES[field]), st.integers(0, 2), undone=st.booleans()
    )
)
SEVERAL = st.lists(CORRECTIONS, max_size=6)  # some of one field and moment


def test_the_strategy_has_its_30_topics_and_the_city_its_33_boroughs() -> None:
    assert (len(topic_names()), len(borough_names())) == (30, 33)


@pytest.mark.parametrize("field", FIELDS)
def test_a_corrected_field_says_what_the_person_said_and_no_other_field_changes(field: str) -> None:
    for value in VALUES[field]:
        after = corrected(RED, [said(field, value)])
        assert value_of(after, field) == value
        assert all(value_of(after, other) == value_of(RED, other) for other in FIELDS if other != field)
        assert was_of(standing(after)[field]) == value_of(RED, field)


def test_a_newer_judgement_changes_what_it_would_have_said_and_nothing_else() -> None:
    held = corrected(RED, [said("rag", "green")])
    again = corrected(replace(RED, rag=Rag.AMBER, made_by=("rating/9",)), held.corrections)
    assert (again.rag, again.made_by) == (Rag.GREEN, ("rating/9",))
    assert tell_change(again.corrections[0]) == "amber -> green"


def test_the_later_of_two_corrections_stands_and_still_tells_what_the_judgement_says() -> None:
    twice = corrected(corrected(RED, [said("rag", "green")]), [said("rag", "none", 1)])
    assert (twice.rag, twice.corrections[0].was) == (Rag.NONE, "red")
    assert corrected(twice, [said("rag", "green")]) == twice


def test_what_is_undone_is_as_judged_and_no_late_copy_brings_it_back() -> None:
    first = said("sentiment", "pos")
    held = corrected(RED, [first])
    undone = corrected(held, [said("sentiment", "", 1, undone=True)])
    assert (undone.sentiment, standing(undone)) == (RED.sentiment, {})
    assert corrected(undone, [first]) == undone
    assert corrected(RED, undone.corrections).sentiment == RED.sentiment


def test_a_sentiment_keeps_its_strength_where_the_person_agrees_and_is_full_where_not() -> None:
    assert corrected(RED, [said("sentiment", "neg")]).sentiment == RED.sentiment
    assert corrected(RED, [said("sentiment", "pos")]).sentiment == Verdict(Mood.POSITIVE, 1.0)
    assert corrected(RED, [said("sentiment", "uncertain")]).sentiment == Verdict(Mood.UNCERTAIN, 0.0)


@given(SEVERAL)
def test_corrections_come_to_the_same_in_any_order_and_laid_over_again(several: list[Correction]) -> None:
    whole = corrected(RED, several)
    assert corrected(whole, several) == whole
    assert corrected(RED, whole.corrections) == whole
    for order in list(permutations(several))[:24]:
        one_by_one = RED
        for each in order:
            one_by_one = corrected(one_by_one, [each])
        assert one_by_one == whole


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ("rag", " Green ", "green"),
        ("relevant", "True", "yes"),
        ("topic", "NONE", ""),
        ("topic", "asb", "asb"),
        ("boroughs", "camden, Tower hamlets,camden", "Camden, Tower Hamlets"),
        ("boroughs", "none", ""),
        ("public_domain", "unknown", "unknown"),
        ("rag", "none", "none"),
    ],
)
def test_values_are_read_as_people_type_them(field: str, text: str, kept: str) -> None:
    assert read_value(field, text, CHOICES) == kept


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("rag", "blue", "expected one of none, green, amber, red"),
        ("topic", "parking", "political"),
        ("boroughs", "Camden, Narnia", "Waltham Forest"),
        ("boroughs", "Camden, none", "several with commas"),
        ("sentiment", "", "neg, neu, pos, uncertain"),
        ("debate", "perhaps", "expected one of yes, no"),
    ],
)
def test_a_value_that_a_field_cannot_have_is_refused_with_what_it_can(field: str, text: str, says: str) -> None:
    with pytest.raises(UserError, match=f"^{field} cannot be") as refused:
        read_value(field, text, CHOICES)
    assert says in str(refused.value)


def test_a_field_has_its_plain_name_too_and_an_unknown_one_is_refused() -> None:
    assert read_field("borough") == "boroughs"
    with pytest.raises(UserError, match=r"mood.*relevant, sentiment, rag"):
        read_field("mood")


def test_every_field_of_what_the_pipeline_says_is_spelt_as_a_correction_could_say_it() -> None:
    opinion = shipped().assess(say("Thank you to the officers in Camden who found my bike"))
    assert PublicDomain(value_of(opinion, "public_domain"))
    for field in FIELDS:
        value = value_of(opinion, field)
        assert read_value(field, value or "none", CHOICES) == value
