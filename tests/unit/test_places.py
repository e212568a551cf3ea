"""Places are found with their boroughs; words, surnames and far-away namesakes are not places."""

import pytest

from analysis.pipeline import Pipeline
from tests.judging import judged, judged_news, say


@pytest.mark.parametrize(
    ("text", "borough"),
    [
        ("Police at Peckham Rye again", "Southwark"),
        ("shed done in pinner last night", "Harrow"),
        ("Burglary in SE22", "Southwark"),
        ("Trouble on Kingsland Rd", "Hackney"),
        ("Police outside Angel station", "Islington"),
        ("Stabbing in Barking, police say", "Barking and Dagenham"),
        ("Officers on Kingsland High Street", "Hackney"),
    ],
)
def test_a_place_brings_its_borough(text: str, borough: str) -> None:
    assert judged(text).boroughs == (borough,)


@pytest.mark.parametrize(
    "text",
    [
        "The dog would not stop barking at the police",
        "She is an angel, that officer",
        "I have to go to the bank and then ring the police",
        "Angela Lee told the police about Mr Barnes",
        "Edmonton police in Alberta found the Oilers fan",
        "A policeman in Stratford, right by Shakespeare's house on the Avon",
        "Police in Richmond, Virginia",
    ],
)
def test_words_names_and_namesakes_are_not_places(text: str) -> None:
    assert judged(text).boroughs == ()


def test_a_name_of_two_boroughs_is_not_certain() -> None:
    assert judged("Police helicopter over Herne Hill").boroughs == ()


def test_the_longer_name_wins_over_the_name_inside_it() -> None:
    assert judged("Police at Richmond Park gates").boroughs == ("Richmond upon Thames",)
    assert judged("Police on Bromley High Street").boroughs == ("Bromley",)


def test_two_places_bring_two_boroughs() -> None:
    assert set(judged_news("Stabbings in Hackney and Croydon").boroughs) == {"Hackney", "Croydon"}


def test_a_local_sites_post_without_a_place_is_about_its_patch() -> None:
    opinion = judged("Anyone else burgled?", platform="forum", link="http://www.putneysw15.com/page/1")
    assert opinion.boroughs == ("Wandsworth",)
    assert "posted on a site about Wandsworth" in [reason.says for reason in opinion.reasons]


def test_a_patch_decides_between_the_boroughs_of_a_name() -> None:
    assert judged("Police at Herne Hill", source="brixtonblog.com").boroughs == ("Lambeth",)


def test_a_place_elsewhere_makes_the_patch_uncertain() -> None:
    assert judged("Went to Romford, police everywhere", publisher="putneysw15.com").boroughs == ()


def test_the_settings_add_places_and_patches() -> None:
    pipeline = Pipeline(places={"Gasworks Yard": ["Brent"]}, patches={"my forum": ["Merton"]})
    assert pipeline.assess(say("Police at Gasworks Yard")).boroughs == ("Brent",)
    assert pipeline.assess(say("Police were here", source="My Forum")).boroughs == ("Merton",)


def test_an_odd_link_is_no_failure() -> None:
    assert judged("Police were here", link="http://[half").boroughs == ()
