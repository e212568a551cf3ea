"""Places are found with their boroughs; words, surnames and far-away namesakes are not places."""

import pytest

from analysis.boroughs import borough_named, command_units
from analysis.pipeline import Pipeline
from analysis.vocabulary import gazetteer, read_rows, read_toml
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
        ("Police on Acton Green Common", "Ealing"),
        ("Police at Kings Place", "Islington"),
        ("Police at Boston Manor Park", "Hounslow"),
        ("Police on Parliament Hill", "Camden"),
        ("The police never came to Tooting", "Wandsworth"),
        ("Police all over the Aylesbury tonight", "Southwark"),
        ("Reported the break-in in Poplar to the police", "Tower Hamlets"),
        ("Soho police are too few", "Westminster"),
        ("Heard gunshots at Wood Green, police everywhere", "Haringey"),
        ("Police in Peckham. Lane closed on the A202", "Southwark"),
        ("Hackney road rage attack, police called", "Hackney"),
        ("police in tottenham road closed again", "Haringey"),
        ("Shooting last night SE15, police everywhere", "Southwark"),
        ("Edmonton police never come when we ring about Fore Street", "Enfield"),
        ("Police at Gillette Corner", "Hounslow"),
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
        "Police in Ottawa clear the protest on Parliament Hill",
        "Merseyside police at the Royal Albert Dock",
        "the police gave the kid a walkie talkie",
        "stuck in a narrow way of thinking, the police",
        "police and coronation gardens of every kind",
        "Police stopped the W7 bus again",
        "Told the police about my stolen Brompton",
        "Police closed the Croydon Road",
        "Police in Richmond, Ontario",
        "Police closed the Aylesbury bypass after a crash",
        "the police asked for the poplar by our gate to be cut",
    ],
)
def test_words_names_and_namesakes_are_not_places(text: str) -> None:
    assert judged(text).boroughs == ()


@pytest.mark.parametrize(
    "name",
    [
        "Herne Hill", "St Helier Estate", "Lower Richmond Road", "North End Road", "Brunswick Park", "Royal Marsden",
        "Blackwall Tunnel", "Rotherhithe Tunnel", "Woolwich ferry", "Exhibition Road", "Sydenham Road",
        "Great Cambridge Road", "Woodford Green", "Kilburn High Road", "Thamesmead", "Tower Bridge",
    ],
)  # fmt: skip
def test_a_name_of_two_boroughs_is_not_certain(name: str) -> None:
    assert judged(f"Police helicopter over {name}").boroughs == ()


def test_the_longer_name_wins_over_the_name_inside_it() -> None:
    assert judged("Police at Richmond Park gates").boroughs == ("Richmond upon Thames",)
    assert judged("Police on Bromley High Street").boroughs == ("Bromley",)


def test_two_places_bring_two_boroughs() -> None:
    assert set(judged_news("Stabbings in Hackney and Croydon").boroughs) == {"Hackney", "Croydon"}


def test_a_local_sites_post_without_a_place_is_about_its_patch() -> None:
    opinion = judged("Anyone else burgled?", platform="forum", link="http://www.putneysw15.com/page/1")
    assert opinion.boroughs == ("Wandsworth",)
    assert "posted on a site about Wandsworth: likely" in [reason.says for reason in opinion.reasons]


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


@pytest.mark.parametrize(
    ("text", "borough"),
    [
        ("policing demonstrations in westminster today", "Westminster"),
        ("mpsnorthfield could you look at this please, police needed", "Ealing"),
        ("@MPSSouthgate when is the next police surgery", "Enfield"),
        ("wandbc the park is full of dealers, no police", "Wandsworth"),
        ("Police arrested four outside the Russian embassy in London", "Kensington and Chelsea"),
        ("protesters and police on Whitehall right now", "Westminster"),
        ("Fraudster of Mitcham jailed at Kingston crown court, well done police", "Merton"),
    ],
)
def test_accounts_embassies_and_plain_writers_tell_the_borough(text: str, borough: str) -> None:
    assert judged(text).boroughs == (borough,)


@pytest.mark.parametrize(
    ("text", "borough"),
    [
        ("Tottenham youth stabbed, say police", "Haringey"),
        ("Police outside Croydon youth club", "Croydon"),
        ("Police called to Peckham Crown pub", "Southwark"),
        ("Police at the Surbiton county cricket match", "Kingston upon Thames"),
        ("Police at Wood Green again", "Haringey"),
        ("Woman robbed on the Kilburn side of Camden, say police", "Camden"),
    ],
)
def test_a_youth_of_a_place_and_its_crown_are_no_court(text: str, borough: str) -> None:
    assert judged(text).boroughs == (borough,)


@pytest.mark.parametrize(
    "text",
    [
        "police took him to the bank in handcuffs, angel that he is, in the end",
        "Jailed at Southwark Crown Court, say police",
        "Police saw him at Croydon youth court",
        "Police evidence at Bromley county court",
        "Officer fined by Croydon magistrates, say police",
        "Whitehall cuts the police budget again",
        "Scotland Yard says no",
        "Police outside the Russian embassy in Warsaw",
        "Gareth Southgate and the police",
        "Sentenced at Snaresbrook this morning, the police said",
    ],
)
def test_courts_metonyms_and_far_away_houses_are_no_place(text: str) -> None:
    assert judged(text).boroughs == ()


def test_what_the_title_names_is_what_it_is_about() -> None:
    opinion = judged_news(
        "Man jailed for Brixton Hill murder", "The worker, 26, of Balham High Road, met police in Hackney."
    )
    assert opinion.boroughs == ("Lambeth",)


def test_a_local_sites_title_may_place_the_matter_elsewhere() -> None:
    told = {"publisher": "putneysw15.com", "platform": "forum"}
    assert judged("Police appeal", title="Man falls from plane in Mortlake", **told).boroughs == (
        "Richmond upon Thames",
    )
    assert judged("Police appeal", title="The way to Mortlake", **told).boroughs == ()


def test_a_local_sites_headline_without_a_place_may_be_about_anywhere() -> None:
    told = {"publisher": "putneysw15.com", "platform": "forum"}
    assert judged("Police are worried", title="Fears Grow For Missing Girl", **told).boroughs == ()
    assert judged("Police are worried", title="Residents Fear For Missing Girl", **told).boroughs == ("Wandsworth",)
    assert judged("Police are worried", title="fears for a missing girl", **told).boroughs == ("Wandsworth",)


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("Police at Peckham Rye", "certain"),
        ("Police outside Angel station", "likely"),
        ("Police at Herne Hill", "not certain"),
    ],
)
def test_the_reason_says_how_sure_a_place_is(text: str, sure: str) -> None:
    said = next(reason.says for reason in judged(text).reasons if reason.says.startswith("names"))
    assert said.endswith(f": {sure}")


@pytest.mark.parametrize(
    ("boroughs", "units"),
    [
        (("Hackney", "Tower Hamlets"), ("Central East (CE)",)),
        (("Camden", "Ealing"), ("Central North (CN)", "West Area (WA)")),
        (("City of London",), ("City of London Police, not MPS",)),
        (("Nowhere",), ()),
    ],
)
def test_boroughs_belong_to_command_units(boroughs: tuple[str, ...], units: tuple[str, ...]) -> None:
    assert command_units(boroughs) == units


def test_every_borough_of_the_gazetteer_has_its_command_unit() -> None:
    boroughs = {borough for place in gazetteer({}) for borough in place.boroughs}
    assert len(boroughs) == 33
    assert len(command_units(sorted(boroughs))) == 13  # twelve, and the City's own force


@pytest.mark.parametrize("name", ["southwark", "LBTH", "Kingston", "Hammersmith & Fulham", "Square Mile"])
def test_a_borough_is_known_by_any_of_its_names(name: str) -> None:
    assert borough_named(name)
    assert borough_named(f"{name} on Sea") == ""


@pytest.mark.parametrize(
    ("title", "borough"),
    [
        ("Man stabbed in Soho as police appeal for witnesses", "Westminster"),
        ("Police hunt robbers in Clapton", "Hackney"),
        ("Girl, 12, found after police search in Kensington", "Kensington and Chelsea"),
        ("Police officer hurt in Bayswater", "Westminster"),
        ("Fire in Greenwich, police close roads", "Greenwich"),
        ("Police chase ends in Stanmore", "Harrow"),
        ("Police name woman found dead in Welling", "Bexley"),
    ],
)
def test_the_press_need_not_say_london_of_a_name_it_knows(title: str, borough: str) -> None:
    assert judged_news(title).boroughs == (borough,)


@pytest.mark.parametrize(
    "title",
    [
        "Police shoot man in Soho, New York",
        "Police called to Kensington Palace as princess leaves",
        "Man stabbed in Hayes, police say",
        "Police sued by Clapton's manager",
        "Police look for driver from Kensington",
        "Police raid cannabis farm in Soho, Birmingham",
        "Man stabbed in Kensington, Merseyside Police say",
        "Man stabbed in Greenwich, Conn., police say",
        "Police probe racism in Chelsea dressing room",
    ],
)
def test_a_namesake_or_a_surname_in_the_press_is_no_place(title: str) -> None:
    assert judged_news(title).boroughs == ()


def test_what_a_name_usually_means_is_one_of_its_boroughs() -> None:
    held: dict[str, set[str]] = {}
    for file in ("places.csv", "landmarks.csv"):
        for row in read_rows(file):
            held.setdefault(row["name"], set()).add(row["borough"])
    for name, borough in read_toml("places.toml")["usually"].items():
        assert borough in held[name], name
        assert len(held[name]) > 1, name


def test_names_that_the_press_needs_no_london_for_are_common_ones() -> None:
    senses = read_toml("places.toml")
    assert set(senses["known_to_the_press"]) <= set(senses["common"])
