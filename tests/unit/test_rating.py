"""The strategy's traffic light: every topic by its own examples, and what makes amber red."""

import pytest

from analysis.steps.rating import Topic, topics
from mentions.mention import Mood, PublicDomain, Rag, Voice
from tests.judging import judged, judged_news

GREEN = (
    "burglary assault car_crime criminal_damage asb rtc_non_ksi road_closure crime_prevention community_meeting "
    "local_good_news official_share mps_website_link"
)
AMBER = (
    "met_wide_operation court_result joint_initiative ksi_rtc asbo evacuation_emergency speeding_crackdown "
    "wanted_suspect missing_person charge_details"
)
RED = (
    "specialist_investigation budget political officer_discipline force_policy force_reputation major_incident "
    "escaped_prisoner"
)


@pytest.mark.parametrize(("colour", "names"), [(Rag.GREEN, GREEN), (Rag.AMBER, AMBER), (Rag.RED, RED)])
def test_the_topics_are_the_strategys(colour: Rag, names: str) -> None:
    assert {topic.name for topic in topics() if topic.colour is colour} == set(names.split())


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_a_topic_has_examples_enough(topic: Topic) -> None:
    assert len(topic.examples) >= 3
    assert len(topic.counter_examples) >= 3


@pytest.mark.parametrize(("name", "text"), [(t.name, text) for t in topics() for text in t.examples])
def test_an_example_gets_its_topic(name: str, text: str) -> None:
    opinion = judged(text, platform="forum")
    assert (opinion.relevant, opinion.topic) == (True, name)


@pytest.mark.parametrize(("name", "text"), [(t.name, text) for t in topics() for text in t.counter_examples])
def test_a_counter_example_does_not(name: str, text: str) -> None:
    assert judged(text, platform="forum").topic != name


def test_amber_that_is_public_is_amber() -> None:
    opinion = judged_news("Man charged over Ilford robbery")
    assert (opinion.rag, opinion.topic, opinion.public_domain) == (Rag.AMBER, "charge_details", PublicDomain.YES)


def test_amber_not_known_to_be_public_is_red_and_says_so() -> None:
    opinion = judged("Heard they charged someone over the robbery in Ilford, custody sergeant told me")
    assert (opinion.rag, opinion.topic) == (Rag.RED, "charge_details")
    assert any("not known to be public" in reason.says for reason in opinion.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "Just read in the Standard that a man was charged over the Ilford robbery",
        "Man charged over the Ilford robbery, News Shopper has it",
        "The police have named the man charged over the Ilford robbery",
        "According to the Evening Standard a man was charged over the Ilford robbery",
        "Met confirms man charged over the Ilford robbery",
        "@MPSRedbridge: a man was charged over the Ilford robbery",
        "Police have charged a man over the Ilford robbery",
        "RT @MPSRedbridge man charged over the Ilford robbery",
        "It was in the Hackney Gazette: man charged over the Ilford robbery",
        "It's on the BBC, a man was charged over the Ilford robbery",
        "A man caught by our roads officers was charged over the Ilford robbery",
    ],
)
def test_amber_that_the_writer_has_from_the_news_or_the_force_is_amber(text: str) -> None:
    opinion = judged(text)
    assert (opinion.rag, opinion.public_domain) == (Rag.AMBER, PublicDomain.YES)


@pytest.mark.parametrize(
    "text",
    [
        "My neighbour, a PC from the Met, told me a man was charged over the Ilford robbery",
        "The police have charged my cousin with the Ilford robbery",
        "Complained to the Independent Office for Police Conduct, a man was charged over the robbery in Ilford",
        "They gave me a crime reference number, and a man was charged over the Ilford robbery",
        "Not quoting anyone but a man was charged over the Ilford robbery",
        "A man was charged over the robbery at Enfield Post Office",
        "The sky has choppers in it, a man was charged over the Ilford robbery",
        "@MPSRedbridge: was a man charged over the Ilford robbery?",
        "The law partner in the job centre heard a man was charged over the Ilford robbery",
    ],
)
def test_amber_that_nobody_is_said_to_have_told_is_red(text: str) -> None:
    opinion = judged(text)
    assert (opinion.rag, opinion.public_domain) == (Rag.RED, PublicDomain.UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "Shoplifter in Peckham shoved the security guards and ran off, police never came",
        "Woman hit by a bike in Camden was taken by ambulance to hospital, police there",
        "Officers with a body cam in the park in Hackney telling kids off",
        "Firearms officers outside the old factory in Hackney Wick",
        "The police protect a slavery statue in the City of London",
        "A child was bundled into the car after school in Ealing, police say he was late",
    ],
)
def test_words_of_grave_deeds_in_plain_posts_make_no_red(text: str) -> None:
    assert judged(text).topic not in ("escaped_prisoner", "specialist_investigation")


@pytest.mark.parametrize(
    "text",
    [
        "Nothing on the news yet but they charged a man over the Ilford robbery",
        "Man charged over the Ilford robbery, not a word in the Standard so far",
        "Nothing is announced yet but a man was charged over the Ilford robbery",
        "They charged a man over the Ilford robbery. Nothing announced, keep it quiet",
        "Charged someone over the Ilford robbery, no word from the Met yet",
        "My cousin in the job says a man was charged over the Ilford robbery",
        "Man charged over the Ilford robbery, the sergeant let slip. Don't screenshot",
    ],
)
def test_amber_that_the_writer_says_is_not_out_is_red(text: str) -> None:
    opinion = judged(text)
    assert (opinion.rag, opinion.public_domain) == (Rag.RED, PublicDomain.NO)


def test_nobody_who_blames_the_police_speaks_as_a_force() -> None:
    assert judged("We want to identify this man, robbed a shop in Ilford").public_domain is PublicDomain.YES
    blaming = judged("We want to identify this man, robbed a shop in Ilford, the police are useless")
    assert blaming.public_domain is PublicDomain.UNKNOWN


def test_amber_that_is_leaked_is_red_even_where_the_press_says_it() -> None:
    opinion = judged_news("Leaked: man charged over Ilford robbery")
    assert (opinion.rag, opinion.public_domain) == (Rag.RED, PublicDomain.NO)


@pytest.mark.parametrize("voice", [Voice.OFFICIAL, Voice.OWN])
def test_what_officials_say_is_public(voice: Voice) -> None:
    opinion = judged("Man charged with robbery, Ilford magistrates tomorrow", voice=voice)
    assert opinion.public_domain is PublicDomain.YES


def test_green_does_not_wait_for_publication() -> None:
    opinion = judged("Burgled last night in Walthamstow")
    assert (opinion.rag, opinion.public_domain) == (Rag.GREEN, PublicDomain.UNKNOWN)


def test_one_grumble_stays_green_and_a_verdict_on_the_institution_is_red() -> None:
    grumble = judged("Burgled in Walthamstow and the police never came")
    assert (grumble.rag, grumble.topic, grumble.sentiment.label) == (Rag.GREEN, "burglary", Mood.NEGATIVE)
    verdict = judged("The Met is rotten and nobody trusts it")
    assert (verdict.rag, verdict.topic) == (Rag.RED, "force_reputation")


def test_an_alleged_wrong_by_an_officer_is_discipline() -> None:
    opinion = judged("An officer punched my cousin outside the station in Peckham")
    assert (opinion.rag, opinion.topic) == (Rag.RED, "officer_discipline")


def test_no_topic_is_none_and_unsure_never_green() -> None:
    opinion = judged("Lost my gloves at the police station in Acton")
    assert (opinion.relevant, opinion.rag, opinion.topic, opinion.unsure) == (True, Rag.NONE, "", True)


def test_what_is_not_relevant_has_no_colour() -> None:
    opinion = judged("My sister was burgled in Naples, the carabinieri came")
    assert (opinion.rag, opinion.topic, opinion.unsure) == (Rag.NONE, "", False)


@pytest.mark.parametrize(
    "text",
    [
        "There is a man about to jump off Tower Bridge, where are the police",
        "Police told us there is an active shooter in Camden",
        "He said he is going to kill her, the police in Barnet must do something",
    ],
)
def test_a_risk_to_life_is_flagged(text: str) -> None:
    assert judged(text).risk_to_life


def test_news_of_a_past_threat_is_no_risk_to_life_now() -> None:
    assert not judged_news("Man sent death threats to London MP, Met Police say").risk_to_life


def test_a_single_press_item_on_a_criticised_force_is_red() -> None:
    opinion = judged_news("Met criticised for policing of Brixton vigil")
    assert (opinion.rag, opinion.topic) == (Rag.RED, "force_reputation")


def test_a_question_an_officer_could_answer_is_a_debate() -> None:
    assert judged("Does anyone know who to ring about the mopeds in Clissold Park? Police?").debate
    assert not judged("Mopeds in Clissold Park again, police told").debate
    assert not judged_news("Does anyone know what the Met is for?").debate
    assert not judged("Does anyone know a good plumber in Hackney?").debate


def test_good_news_never_goes_with_blame() -> None:
    opinion = judged("they tased a kid on his way back to school in Peckham, police are out of control")
    assert (opinion.rag, opinion.sentiment.label) == (Rag.RED, Mood.NEGATIVE)
    ironic = judged("so the police stop a boy for nothing and shout at his friends. brilliant work lads")
    assert (ironic.rag, ironic.sentiment.label) == (Rag.RED, Mood.NEGATIVE)


def test_the_press_may_name_the_force_without_judging_it() -> None:
    opinion = judged_news("Bodyguard, who once worked for Scotland Yard, opens a gym in Ealing")
    assert (opinion.rag, opinion.sentiment.label) == (Rag.NONE, Mood.NEUTRAL)


def test_an_officer_caught_at_a_wrong_is_no_good_news() -> None:
    opinion = judged_news("Met Police officer who was caught performing a sex act is still on the force")
    assert (opinion.rag, opinion.topic, opinion.sentiment.label) == (Rag.RED, "officer_discipline", Mood.NEGATIVE)


def test_what_is_long_over_is_no_incident_in_the_news() -> None:
    assert judged_news("London Bridge terror attack survivor honoured").rag is not Rag.RED
    assert judged_news("Terror attack on London Bridge").rag is Rag.RED


def test_charges_against_others_are_no_blame_of_the_police() -> None:
    opinion = judged_news(
        "Two charged over string of Ilford burglaries", "They are charged with theft, Met Police said."
    )
    assert (opinion.rag, opinion.sentiment.label) == (Rag.AMBER, Mood.NEUTRAL)


@pytest.mark.parametrize(
    ("title", "rag"),
    [
        ("BARKING: two brothers charged over robbery", Rag.AMBER),
        ("Two Brothers Charged Over Barking Robbery", Rag.AMBER),
        ("Barking: two brothers charged over robbery?", Rag.RED),
    ],
)
def test_a_local_sites_post_set_as_a_headline_is_news_and_so_is_its_matter(title: str, rag: Rag) -> None:
    assert judged("They live above the shop.", platform="forum", title=title).rag is rag
