"""The Met, policing in London and UK policing as a whole are ours; other senses of "met" and "police" are not."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from analysis.pipeline import Pipeline
from analysis.reading import Model, Reading
from analysis.wording import Span
from mentions.mention import Assessment, Mention, Voice
from tests.judging import deep, headline, judged, judged_news, say, shipped


@pytest.mark.parametrize(
    "text",
    [
        "The Met have really let us down this time",
        "Anyone know why there are police outside Tooting Broadway?",
        "gunshots on well street in hackney, stay inside",
        "My moped was stolen outside Peckham Rye station last night",
        "Three feds just ran past my window in Brixton",
        "BTP were brilliant at Euston this morning",
        "I think policing in this country is broken",
        "@mpscamden could somebody come round about the fireworks please",
        "Old bill at the door about next door's party",
        "What happened to policing by consent",
        "Is stop and search ever going to be fair",
        "so under right care right person which number do i ring",
        "only nineteen people came to our pcc vote",
        "single crewed again tonight and nobody to back me up",
        "has any neighbourhood bobby ever been seen on this road",
    ],
)
def test_talk_of_the_police_here_is_relevant(text: str) -> None:
    assert judged(text).relevant


@pytest.mark.parametrize(
    "text",
    [
        "Met Office says rain until Sunday in London",
        "Got tickets for the Met Opera broadcast of Aida, cannot wait",
        "what a dress at the met gala, my goodness",
        "Does the Met line stop at Moor Park on a Sunday? The trains are a mess",
        "We met outside Brixton station in 2003",
        "Targets met, now for lunch",
        "Every Breath You Take is the best song The Police ever made, Sting's voice!",
        "Just finished series two of Line of Duty, the police in it are something else",
        "NYPD officers shut down Brooklyn Bridge after shots fired",
        "Police in Sydney are looking for a driver after the Croydon crash, NSW Police say",
        "Greater Manchester Police closed the M60 for three hours",
        "Stop policing my tone please",
        "women are tired of men policing our bodies",
        "copper pipe is so dear now, the plumber wants £200",
        "Police Scotland name new chief constable for Glasgow",
        "How to lose the cops in gta without cheats",
        "my cat bobby came home after nine days",
        "Lost a bobby pin on the tube at Brixton",
        "Single crewed ambulance took an hour to reach us in Croydon",
        "Bach's BWV 1043 at St Martin in the Fields tonight",
        "Lovely sunny day in Greenwich Park with the dog",
        "",
    ],
)
def test_other_senses_and_other_forces_are_not(text: str) -> None:
    assert not judged(text).relevant


@pytest.mark.parametrize(
    "title",
    [
        "Met officer sacked over messages",
        "Scotland Yard reopens inquiry",
        "Teenager stabbed to death in Croydon",
        "Manhunt after prisoner escapes from Pentonville prison van",
    ],
)
def test_news_of_the_force_or_of_crime_in_london_is_relevant(title: str) -> None:
    assert judged_news(title).relevant


@pytest.mark.parametrize(
    ("title", "link"),
    [
        ("Man charged with murder after body found", ""),
        ("Police appeal after crash", "https://www.bbc.co.uk/news/uk-england-devon-1"),
        ("Officer shot in raid on Texas ranch", ""),
        ("London-born actor plays a detective in new film", "https://www.theguardian.com/film/2024/x"),
        ("Paris police clear camp near the canal", ""),
    ],
)
def test_crime_news_from_elsewhere_is_not(title: str, link: str) -> None:
    assert not judged_news(title, link=link).relevant


def test_the_section_of_a_link_tells_london_from_the_world() -> None:
    title, text = "Man arrested after attack on bus", "Police were called at nine."
    assert judged_news(title, text, link="https://www.bbc.co.uk/news/uk-england-london-1").relevant
    assert not judged_news(title, text, link="https://www.bbc.co.uk/news/world-europe-1").relevant


def test_a_theft_told_on_a_london_forum_needs_no_place() -> None:
    text = "Someone stole the bricks from outside my house last night"
    assert judged(text, platform="forum", publisher="eastdulwichforum.co.uk").relevant
    assert not judged(text).relevant


def test_the_word_it_rests_on_is_shown_as_it_was_written() -> None:
    text = "Well, the MET Police came."
    reason = next(r for r in judged(text).reasons if r.says.startswith("is about"))
    assert text[reason.start : reason.end] == "MET Police"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Home secretary quits after talks on asylum hotels", "Priti Patel will return to the backbenches."),
        ("Crowds gather outside Buckingham Palace after the death of a queen", ""),
        ("Actor says he met his wife on a London stage", "The 1963 murder of his uncle shaped him."),
        ("Vegas raid: armed team surrounds house", "Las Vegas Metropolitan Police Department made an arrest."),
        ("Driver jailed over crash in Andover", "His Vauxhall Corsa hit a wall."),
    ],
)
def test_news_that_only_shares_words_with_the_police_is_not(title: str, text: str) -> None:
    assert not judged_news(title, text).relevant


def test_a_review_of_a_drama_about_the_met_is_not_and_news_of_the_met_on_the_same_pages_is() -> None:
    link = "https://www.theguardian.com/film/2024/x"
    assert not judged_news("Harbour Lights review", "A London police detective hunts a killer.", link=link).relevant
    assert judged_news("Met police drop inquiry into director", "", link=link).relevant


def test_a_word_for_shows_within_a_phrase_of_blame_says_nothing_of_a_show() -> None:
    assert judged("Yet another root and branch review for the shelf").relevant


def test_the_met_at_the_end_of_a_sentence_is_the_force() -> None:
    assert judged("Poor show from the Met. A lad in hospital, nobody rang").relevant
    assert judged("Let down by the Met. The officer never rang").relevant
    assert not judged("we met a friend in London").relevant


def test_a_noise_on_a_local_forum_is_no_police_matter() -> None:
    text = "Boiler is making a noise, recommendations in Peckham please?"
    assert not judged(text, platform="forum", publisher="eastdulwichforum.co.uk").relevant


def test_a_london_crime_that_also_names_another_city_stays_ours() -> None:
    assert judged_news("Man charged with attempted murder after attacks in Leeds and west London").relevant


@pytest.mark.parametrize(
    "text",
    [
        "Our officers have arrested a man after a burglary. Anyone with information should call 101 quoting log 212.",
        "We're appealing for witnesses to a fight outside a pub. Detectives would like to hear from you via Live Chat.",
        "We've recovered two stolen cars this morning and arrested three people. Proud of our team!",
    ],
)
def test_a_force_that_speaks_for_itself_and_names_no_london_is_another_force(text: str) -> None:
    assert not judged(text).relevant
    assert judged(text.replace(".", " in Hackney.", 1)).relevant
    assert judged(text.replace(".", " by the Met Police.", 1)).relevant


def test_a_force_known_to_be_ours_may_speak_for_itself() -> None:
    text = "Our officers have arrested a man after a burglary. Call 101 quoting log 212. The police are in the area."
    assert judged(text, voice=Voice.OFFICIAL).relevant
    assert not judged(text).relevant


@pytest.mark.parametrize(
    "text",
    [
        "Police officer punched my son at the protest. Our community is furious",
        "Have you seen how the police treated that boy? Disgusting.",
        "If you have any footage of the police officer kicking him please share, he died",
        "The police are useless. Thanks for sharing.",
        "We were burgled twice and the police never came. Let us know who to write to",
        "Our officers? They are a disgrace, the police never turn up here. Anyone with information why, please call us",
    ],
)
def test_the_public_that_talks_as_a_force_may_is_not_taken_for_one(text: str) -> None:
    assert judged(text).relevant


@pytest.mark.parametrize(
    "text",
    [
        "Boy, 15, stabbed in the back in Peckham",
        "Old bill from Plumstead nick kicked my door in",
        "Old bill came round in Plumstead and kicked my door in",
        "Broad daylight robbery in Peckham, two lads on a moped",
    ],
)
def test_no_figure_of_speech_hides_the_deed_itself(text: str) -> None:
    assert judged(text).relevant


@pytest.mark.parametrize(
    "text",
    [
        "Eight quid a pint in Croydon is daylight robbery",
        "my old bill was half of that, british gas are having a laugh, greenford flat",
        "Police in London, Ontario, ask fans for calm after the game",
        "Ate the whole tray and got away with murder in Camden",
    ],
)
def test_a_figure_of_speech_or_a_namesake_abroad_is_no_police_matter(text: str) -> None:
    assert not judged(text).relevant


UNSAID = "nine minutes from the call to two of them at the door, and they stayed till mum had stopped shaking"


class Sure:
    """A model that says of every text how sure it is of its being ours, and nothing else."""

    digest = "sure"

    def __init__(self, odds: float, topic: str = "") -> None:
        self.odds, self.topic = odds, topic

    def read(self, text: str, targets: Sequence[Span] = ()) -> Reading:
        flat = np.full(3, 1 / 3, dtype=np.float32)
        return Reading(flat, flat, self.odds, {self.topic: 1.0})


def read_by(odds: float, mention: Mention, topic: str = "") -> Assessment:
    """What the pipeline thinks with a model that is so sure, and sure of this topic."""
    return Pipeline(model=cast("Model", Sure(odds, topic))).assess_whole(mention)


def test_what_reads_as_red_has_the_benefit_of_the_doubt() -> None:
    doubted = say("nothing but the police all over again")
    assert not read_by(-2.0, doubted).relevant
    assert not read_by(-2.0, doubted, "burglary").relevant
    assert read_by(-2.0, doubted, "force_reputation").relevant


def test_the_press_has_no_more_of_it_for_red_deeds_since_it_tells_those_of_everywhere() -> None:
    told = headline("Police hunt man over attack in a far town")
    odds = next(odds / 10 for odds in range(-80, 80) if read_by(odds / 10, told).relevant)
    assert not read_by(odds - 0.1, told, "specialist_investigation").relevant


def test_a_post_without_a_word_for_the_police_is_ours_where_the_model_is_sure() -> None:
    assert not shipped().has_a_word_for_it(say(UNSAID))
    assert not judged(UNSAID).relevant
    assert read_by(2.0, say(UNSAID)).relevant
    assert not read_by(1.9, say(UNSAID)).relevant


@pytest.mark.parametrize(
    ("text", "needed"),
    [(f"{UNSAID}, in peckham", 1.0), (f"{UNSAID}, in peckham. What a film", 2.0), (UNSAID, 2.0)],
    ids=["a place in London", "and words for other matters", "neither"],
)
def test_a_place_in_london_takes_some_doubt_and_words_for_other_matters_give_it_back(text: str, needed: float) -> None:
    assert read_by(needed, say(text)).relevant
    assert not read_by(needed - 0.1, say(text)).relevant


def test_a_town_within_the_name_of_a_place_is_no_elsewhere() -> None:
    assert read_by(1.0, say(f"{UNSAID}, by liverpool street station")).relevant
    assert read_by(1.0, say(f"{UNSAID}, on jamaica road")).relevant


def test_what_only_the_model_takes_for_ours_is_unsure_and_says_so() -> None:
    opinion = read_by(4.0, say(UNSAID))
    assert opinion.unsure
    assert "reads as ours, though no listed word says so" in [reason.says for reason in opinion.reasons]


@pytest.mark.parametrize(
    "mention",
    [
        headline(UNSAID),
        say(UNSAID, voice=Voice.OFFICIAL),
        say(UNSAID, voice=Voice.OWN),
        say(f"{UNSAID}, in manchester"),
        say(f"{UNSAID}. What a film"),
        say("they never came and nobody rang"),
        say("neun Minuten vom Anruf bis zwei von ihnen an der Tür standen, und sie blieben bis Mama ruhig war"),
    ],
    ids=["press", "officials", "ourselves", "elsewhere", "fiction", "too short", "not English"],
)
def test_the_model_alone_is_not_enough(mention: Mention) -> None:
    assert not read_by(4.0, mention).relevant


@pytest.mark.parametrize(
    "text",
    [
        "Three nights without hot water and the landlord sends a leaflet about radiators",
        "he said yes!!! four years since that first date in shoreditch",
        "remember when zayn left and none of us went to school the day after, still not over it",
    ],
)
def test_chatter_stays_chatter_to_the_model_that_ships(text: str) -> None:
    assert not deep().assess_whole(say(text)).relevant
