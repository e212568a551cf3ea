"""English is settled cheaply, the platform is believed, and only the doubtful wait for the detector."""

import pytest

from analysis.steps.language import detect
from mentions.mention import Mood
from tests.judging import judged


@pytest.mark.parametrize(
    "text",
    [
        "Two officers came to our door about the burglary and they were very kind",
        "bare feds on road tonight innit, they just stopped my bro again",
        "Man jailed for six years over Camden robberies",
    ],
)
def test_everyday_english_needs_no_detector(text: str) -> None:
    opinion = judged(text)
    assert (opinion.lang, opinion.pending) == ("en", ())


def test_the_platforms_own_tag_is_believed() -> None:
    opinion = judged("Police Police Police on the road", lang="pl")
    assert (opinion.lang, opinion.pending) == ("pl", ())


def test_a_region_in_the_tag_is_dropped() -> None:
    assert judged("Saw the police", lang="en-GB").lang == "en"


@pytest.mark.parametrize("tag", ["und", "zxx", ""])
def test_a_tag_that_says_nothing_is_no_language(tag: str) -> None:
    assert judged("The police were here about the shed that was broken into", lang=tag).lang == "en"


@pytest.mark.parametrize(
    "text",
    [
        "La policía llegó muy tarde a la calle donde vivo en Londres",
        "Policja w Londynie nie zrobiła nic w sprawie włamania",
        "পুলিশ আজ সকালে আমাদের রাস্তায় এসেছিল",
    ],
)
def test_what_does_not_read_as_english_waits_for_the_detector(text: str) -> None:
    opinion = judged(text)
    assert (opinion.lang, opinion.pending) == ("", ("language",))


def test_three_words_are_too_few_to_doubt() -> None:
    opinion = judged("lol ok mate")
    assert (opinion.lang, opinion.pending) == ("", ())


def test_the_detector_tells_the_languages_of_london_apart() -> None:
    assert detect("La policía llegó muy tarde a la calle donde vivo") == "es"
    assert detect("Policja w Londynie nie zrobiła nic w sprawie włamania") == "pl"
    assert detect("The police came about the break in at our house") == "en"


def test_the_detector_does_not_guess_at_three_words() -> None:
    assert detect("ok lol ok") == "und"


def test_another_language_gets_no_english_sentiment_and_asks_for_a_linguist() -> None:
    opinion = judged("La Met Police es inútil, police brutality en Londres", lang="es")
    assert opinion.relevant
    assert opinion.sentiment.label is Mood.UNCERTAIN
    assert opinion.mood.label is Mood.UNCERTAIN
    assert "needs a linguist" in [reason.says for reason in opinion.reasons]
