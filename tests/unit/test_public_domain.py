"""Whether a matter is public already: invented posts beside news of the same matter, and of a similar other one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.public_domain import find_told, is_open
from mentions.corrections import corrected
from mentions.mention import Assessed, Correction, PublicDomain, Rag, Reason, Voice
from tests.judging import NOON, headline, say, shipped

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

# (a post by the public, news of the same matter)
SAME = [
    (
        "Anyone seen Okoro Fenwick-Adeyemi? Missing boy, last seen near Brixton Windmill on Sunday",
        "Police appeal over missing boy Okoro Fenwick-Adeyemi, last seen in Brixton",
    ),
    (
        "my neighbour's daughter Tamsin Quellery is missing, she's 14, last seen in Tooting",
        "Missing girl: have you seen Tamsin Quellery, 14, from Tooting?",
    ),
    (
        "Awful. Cyclist killed in a crash on Rye Lane, a cement mixer right outside the florist",
        "Cyclist dies after collision with cement mixer on Rye Lane in Peckham",
    ),
    (
        "fatal crash on streatham high road this morning, a scooter went into the bowling alley by the odeon",
        "Scooter rider killed after crash into bowling alley beside Odeon on Streatham High Road",
    ),
    (
        "They evacuated us all from the flats in Walthamstow, ww2 bomb found by builders digging at the allotments",
        "Hundreds evacuated in Walthamstow after builders digging at allotments find unexploded bomb",
    ),
    (
        "That Darvell Munt lad from Croydon has been charged with the jeweller robbery, about time police",
        "Man charged with robbery of Croydon jeweller: Darvell Munt appears before magistrates",
    ),
    (
        "Barnaby Threlkeld has been charged, the estate agent from Ealing who broke into half the street. good police",
        "Estate agent Barnaby Threlkeld charged with burglaries in Ealing",
    ),
    (
        "police looking for Kelwyn Oduya, wanted for what happened at the Lewisham carpet warehouse",
        "Police want to speak to Kelwyn Oduya after fight at Lewisham carpet warehouse",
    ),
    (
        "missing girl Zephyrine Mbatha, police were asking at every shop in Deptford, she is 16",
        "Concern grows for missing girl Zephyrine Mbatha, 16, of Deptford",
    ),
    (
        "all of us in Camden evacuated, suspicious package in a guitar case in the museum cloakroom, police too",
        "Suspicious package in guitar case in museum cloakroom: hundreds in Camden evacuated by police",
    ),
]

# The same matter, and too little of it in common to be sure: it stays red.
UNSURE = [
    (
        "fatal crash on streatham high road this morning, someone went under a skip lorry",
        "Scooter rider killed in crash with skip lorry on Streatham High Road",
    ),
    (
        "They evacuated us all from the flats in Walthamstow, ww2 bomb found at the allotments",
        "Hundreds evacuated in Walthamstow after unexploded bomb found at allotments",
    ),
]

# (a post by the public, news of a similar other matter)
OTHER = [
    (
        "Anyone seen Okoro Fenwick-Adeyemi? Missing boy, last seen near Brixton Windmill on Sunday",
        "Police appeal over missing boy Luca Harbottle, last seen in Brixton",
    ),
    (
        "my neighbour's daughter Tamsin Quellery is missing, she's 14, last seen in Tooting",
        "Missing girl, 12, from Tooting: police appeal for help to find Priya Vantongeren",
    ),
    (
        "my neighbour's daughter Tamsin is missing, she's 14, last seen in Tooting by the lido",
        "Missing man, 81, last seen in Tooting by the lido has been found, police say",
    ),
    (
        "Awful. Cyclist killed in a crash on Rye Lane, a cement mixer right outside the florist",
        "Cyclist dies after collision with cement mixer on Jamaica Road in Southwark",
    ),
    (
        "fatal crash on streatham high road this morning, a scooter rider went under a skip lorry",
        "Pedestrian dies after crash with bus on Streatham High Road",
    ),
    (
        "fatal crash in Croydon near the tram stop, police have shut everything",
        "Man killed in crash in Croydon after car leaves the road, police say",
    ),
    (
        "They evacuated us all from the flats in Walthamstow, ww2 bomb found by builders",
        "Walthamstow station evacuated after suspicious bag left on platform",
    ),
    (
        "That lad from Croydon has been charged with the jeweller robbery, about time police",
        "Man charged with murder in Croydon appears before magistrates",
    ),
    (
        "the estate agent from Ealing who broke into half the street has been charged. well done police",
        "Teacher from Ealing charged with burgling former pupil",
    ),
    (
        "police looking for a man wanted for the arson at the Lewisham carpet warehouse",
        "Wanted: police name man over Lewisham knifepoint robbery",
    ),
    (
        "suspicious package at the museum, our road in Camden is evacuated, police everywhere",
        "Suspicious package: Hackney road evacuated by police",
    ),
    (
        "woman badly hurt in a serious crash on the Old Kent Road, police all over it",
        "Man dies in serious crash on Old Kent Road",
    ),
    (
        "Police say a missing person was last seen in Ilford, please look out",
        "Missing person: police appeal over man last seen in Ilford three days ago",
    ),
    (
        "Neighbour has been charged with the dog theft in Barnet, police did well",
        "Barnet man charged with drug dealing after police raid",
    ),
    (
        "Speed guns out on Green Lanes again, police stopping everyone",
        "Police crackdown on speeding drivers across Haringey",
    ),
    (
        "three men from Sutton have been charged with fraud by police, a roofing swindle",
        "Three men from Bromley have been charged with fraud over roofing swindle",
    ),
    (
        "missing man last seen in Peckham, jeans and a black rucksack, police were round here asking",
        "Police appeal over missing man last seen in Peckham in jeans with a black rucksack",
    ),
    (
        "Missing girl Chloe, 15, last seen at Stratford station, police have been told",
        "Missing girl Chloe, 13, last seen at Stratford station, police say",
    ),
    (
        "man has been charged with stealing parcels in Hounslow, my parcel was one, thanks police",
        "Hounslow man charged with stealing cars, police say",
    ),
    (
        "Serious collision on Lea Bridge Road, a pushchair was hit by a taxi, police there",
        "Serious collision on Lea Bridge Road: motorcyclist hit by van, police say",
    ),
    (
        "Jayden from our school is missing, last seen in Woolwich, police know",
        "Jayden Marsh, 19, charged with robbery in Woolwich",
    ),
]


def post(text: str) -> Assessed:
    mention = say(text, id="x:1")
    return Assessed(mention, shipped().assess(mention))


def news(title: str, at: timedelta = -HOUR, **facts: object) -> Assessed:
    told = {"id": "rss:9", "publisher": "standard.co.uk", "link": "https://standard.co.uk/9"} | facts
    mention = headline(title, published_at=NOON + at, **told)
    return Assessed(mention, shipped().assess(mention))


def is_told(text: str, title: str) -> bool:
    return find_told(post(text), [news(title)]).assessment.public_domain is PublicDomain.YES


@pytest.mark.parametrize("text", sorted({text for text, _ in (*SAME, *UNSURE, *OTHER)}))
def test_the_posts_are_red_only_because_nobody_is_known_to_have_told(text: str) -> None:
    assert is_open(post(text)), post(text).assessment


@pytest.mark.parametrize(("text", "title"), SAME)
def test_what_the_press_told_of_the_same_matter_makes_it_public(text: str, title: str) -> None:
    assert is_told(text, title)


@pytest.mark.parametrize(("text", "title"), [*OTHER, *UNSURE])
def test_news_of_a_similar_matter_or_with_too_little_in_common_do_not(text: str, title: str) -> None:
    assert not is_told(text, title)


TEXT, TITLE = SAME[0]


def test_the_reason_names_who_told_it_first_and_the_colour_is_amber() -> None:
    before = post(TEXT)
    earlier = news(TITLE, -DAY, id="rss:1", publisher="bbc.co.uk", link="https://bbc.co.uk/1")
    after = find_told(before, [news(TITLE), earlier]).assessment
    assert (after.rag, after.public_domain) == (Rag.AMBER, PublicDomain.YES)
    assert after.reasons[-1] == Reason("already told by bbc.co.uk: https://bbc.co.uk/1")
    assert not any(reason.says.startswith("red") for reason in after.reasons)
    assert any(reason.says == "amber: a missing person" for reason in after.reasons)
    assert after.made_by == (*before.assessment.made_by, "public_domain/1")


def test_news_that_come_later_count_as_well_within_a_week() -> None:
    assert find_told(post(TEXT), [news(TITLE, 6 * DAY)]).assessment.rag is Rag.AMBER
    for far in (-8 * DAY, 8 * DAY):
        assert find_told(post(TEXT), [news(TITLE, far)]) == post(TEXT)


def test_a_crash_is_told_within_two_days_as_the_next_one_on_that_road_is_another() -> None:
    text, title = SAME[2]
    assert find_told(post(text), [news(title, -DAY)]).assessment.rag is Rag.AMBER
    assert find_told(post(text), [news(title, -3 * DAY)]) == post(text)


@pytest.mark.parametrize("voice", Voice)
def test_only_the_press_officials_and_the_force_make_a_matter_public(voice: Voice) -> None:
    told = news(TITLE)
    said = replace(told, mention=replace(told.mention, platform="mastodon", voice=voice))
    assert (find_told(post(TEXT), [said]).assessment.rag is Rag.AMBER) == (voice is not Voice.PUBLIC)


def test_a_post_does_not_make_itself_public_and_what_is_not_about_the_police_tells_nothing() -> None:
    told = news(TITLE)
    for other in (
        replace(told, mention=replace(told.mention, id="x:1")),
        replace(told, assessment=replace(told.assessment, relevant=False)),
        replace(told, assessment=replace(told.assessment, boroughs=("Barnet",))),
        replace(told, assessment=replace(told.assessment, topic="budget")),
    ):
        assert find_told(post(TEXT), [other]) == post(TEXT)


@pytest.mark.parametrize(("field", "value"), [("rag", "red"), ("public_domain", "unknown")])
def test_what_a_person_corrected_is_left_as_it_is(field: str, value: str) -> None:
    before = post(TEXT)
    told = replace(
        before, assessment=corrected(before.assessment, [Correction(field, value, "", "Sam", NOON, "know better")])
    )
    assert find_told(told, [news(TITLE)]) == told


def test_a_leak_stays_red_whatever_was_told_elsewhere() -> None:
    before = post(TEXT)
    leak = replace(before, assessment=replace(before.assessment, public_domain=PublicDomain.NO))
    assert find_told(leak, [news(TITLE)]) == leak
