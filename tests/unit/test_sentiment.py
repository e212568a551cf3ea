"""Sentiment is towards the police, not of the post; mood is of the post, not towards the police."""

import pytest
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from analysis.steps.mood import weigh
from mentions.mention import Mood
from mentions.normalise import tokens
from tests.judging import judged, judged_news


@pytest.mark.parametrize(
    "text",
    [
        "Burglar took everything, I am heartbroken, but the officer in Catford was lovely and so kind",
        "Huge thanks to the Met officers who found my dad",
        "Robbed at knifepoint in Hackney. Police were here in minutes. Fair play to them",
        "Credit to the police in Brixton, brilliant work",
    ],
)
def test_praise_of_the_police_counts_whatever_the_mood(text: str) -> None:
    assert judged(text).sentiment.label is Mood.POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "The Met are useless, simple as that",
        "Burgled in Walthamstow and the police never came",
        "Institutionally racist, and the police in London know it",
        "Reported it to the police in Ealing, they did nothing",
        "ACAB all over the wall in Brixton and I agree",
        "Two hours on hold, case closed in ten minutes. Cheers @metpoliceuk 🙄",
    ],
)
def test_blame_of_the_police_is_negative(text: str) -> None:
    opinion = judged(text).sentiment
    assert (opinion.label, opinion.score < 0) == (Mood.NEGATIVE, True)


@pytest.mark.parametrize(
    "text",
    [
        "Awful stabbing in Lewisham tonight, police have taped off the road",
        "Disgusting thieves stole my bike outside Brixton tube",
        "Police helicopter over Acton",
    ],
)
def test_bad_news_is_no_blame_of_the_police(text: str) -> None:
    assert judged(text).sentiment.label is Mood.NEUTRAL


def test_praise_turned_round_is_not_praise() -> None:
    assert judged("The police in Camden were not helpful").sentiment.label is not Mood.POSITIVE


def test_both_at_once_is_uncertain_and_never_neutral() -> None:
    assert judged("The police were lovely but useless").sentiment.label is Mood.UNCERTAIN


def test_crime_news_is_neutral_and_news_of_a_wrong_is_not() -> None:
    assert judged_news("Man stabbed to death in Croydon, police say").sentiment.label is Mood.NEUTRAL
    assert judged_news("Met officer sacked for gross misconduct").sentiment.label is Mood.NEGATIVE
    assert judged_news("Met criticised over handling of vigil").sentiment.label is Mood.NEGATIVE


def test_what_is_not_relevant_has_no_attitude_to_the_police() -> None:
    assert judged("My broadband company is useless").sentiment.label is Mood.NEUTRAL


def test_mood_is_of_the_message() -> None:
    opinion = judged("Burglar took everything, I am heartbroken and crying, but the officer in Catford was kind")
    assert opinion.mood.label is Mood.NEGATIVE
    assert opinion.sentiment.label is Mood.POSITIVE
    assert judged("What a wonderful happy day").mood.label is Mood.POSITIVE


@pytest.mark.parametrize(
    "text",
    [
        "I love this lovely place",
        "This is a terrible awful mess",
        "It is not good",
        "The meeting is on Tuesday",
        "They never helped us",
        "Absolutely brilliant day",
    ],
)
def test_mood_leans_the_way_vader_does(text: str) -> None:
    theirs = SentimentIntensityAnalyzer().polarity_scores(text)["compound"]
    ours = weigh(tokens(text))
    assert (ours > 0, ours < 0) == (theirs > 0, theirs < 0)
    assert ours == pytest.approx(theirs, abs=0.15)
