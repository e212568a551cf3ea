"""Which watchlists name a private person, and which only look so."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from analysis.persons import PersonGate
from analysis.vocabulary import DEFAULTS, gazetteer, read_toml
from mentions.normalise import normalise
from mentions.query import parse

ROOT = Path(__file__).parent.parent.parent
GATE = PersonGate(
    own_handles=["@ExampleForce", "@desk@social.example", "@kestrel99", "@old_dave", "@desk.north"],
    public_names=["Quillon Tradescant", "Ruth Harker Trust", "@HarkerTrust", "Glasto", "Иван Петров"],
    places={"Peggy Lee Gardens": ["Camden"]},
)


def persons(query: str) -> list[str]:
    return GATE.find_persons(parse(query))


def params(text: str) -> list[str]:
    """Queries with a | or a new line between them."""
    return [query.strip() for query in text.replace("\n", "|").split("|") if query.strip()]


@pytest.mark.parametrize(
    "query",
    [
        '"dave smith"',
        '"Dave Smith"',
        '"smith dave"',
        "dave smith",
        "dave AND smith",
        "police AND (dave OR steve) AND (smith OR jones)",
        "(dave AND smith) OR riot",
        'police NOT "dave smith"',
        "police NOT (dave AND smith)",
        "police NOT ((police NOT dave) OR (police NOT smith))",
        '"dave smith"~5',
        '"smith police dave"~5',
        "dav* smith",
        "dave smit*",
        "dav* AND smit*",
        "dave_smith",
        "#dave_smith",
        "#DaveSmith",
        "davesmith99",
        '"dave m smith"',
        '"dave paul smith"',
        '"mr smith"',
        '"pc everard"',
        '"cllr patel"',
        '"lady rowley"',
        '"o\'brien siobhan"',
        "Sarah Everard",
        "priti patel",
        '"sanjay sharma"',
        "mohammed hussain",
        "fatima begum",
        "jaswinder singh",
        "ngozi okafor",
        "kwame mensah",
        "oluwaseun adeyemi",
        "abdirahman warsame",
        "piotr kowalski",
        "ioana popescu",
        "oksana shevchenko",
        "mehmet yilmaz",
        '"dimitar ivanov"',
        '"mark green"',
        "mark duggan",
        "sadiq smith",
    ],
)
def test_a_person_s_name_in_any_form_is_found(query: str) -> None:
    found = persons(query)
    assert found
    assert "reads as a person's name" in found[0]


@pytest.mark.parametrize(
    "query", ["@dave_smith", "riot AND @DaveSmith", "riot NOT @dave", "@example", "@desk", "@dave.smith@social.example"]
)
def test_somebody_else_s_account_is_found(query: str) -> None:
    (found,) = persons(query)
    assert "is neither an account of ours nor a listed organisation's or public office-holder's" in found


@pytest.mark.parametrize("query", ["@dave*", "@metpolice*", "@exampleforce*", "police @da*"])
def test_a_beginning_of_accounts_is_found_whoever_s_they_are(query: str) -> None:
    (found,) = persons(query)
    assert "finds every account that begins so" in found


@pytest.mark.parametrize(
    "query",
    [
        "@ExampleForce",
        "@exampleforce AND trust",
        "@desk@social.example",
        "@metpoliceuk OR @MayorofLondon OR @BBCNews",
        "@HarkerTrust",
        '"Sir Mark Rowley"',
        "mark rowley",
        "rowley mark",
        "Sadiq Khan",
        '"sadiq khan" AND "stop and search"',
        "quillon tradescant",
        '"ruth harker trust"',
        '"peggy lee gardens"',
        "dave",
        "smith",
        "dave OR smith",
        "dave OR (riot AND smith)",
        "smith AND (riot OR knife)",
        '"kill the bill"',
        '"victoria park" stabbing',
        '"west london" AND police',
        "london AND uber",
        "chelsea fc",
        "mark* AND riot*",
        "polic* AND stab*",
        "source:x AND riot",
        "#blacklivesmatter",
        "#taiwan",
        "isn't rosemary",
        "",
    ],
)
def test_what_names_nobody_passes(query: str) -> None:
    assert persons(query) == []


@pytest.mark.parametrize(
    "query",
    params("""
        smith99 | smith1985 | patel7 | dave99 | tom99 | ali786 | o'brien99 | zorblat42 | zorblat_brixton
        jane_x | jane_brixton | xx_dave_xx | иван99 | kestrel99* | kestrel9
    """),
)
def test_a_word_that_looks_like_somebody_s_account_is_found_without_its_at_sign(query: str) -> None:
    (found,) = persons(query)
    assert "looks like an account that is neither ours nor a listed organisation's" in found


@pytest.mark.parametrize(
    "query",
    params("""
        jsmith99 | #jsmith99 | 99jsmith | jsmith9* | jane_s* | "jsmith99 riot" | riot NOT jsmith99
        riot OR (knife AND jsmith99)
    """),
)
def test_an_account_that_is_a_name_with_digits_or_an_underscore_is_told_as_the_name(query: str) -> None:
    assert "reads as a person's name" in persons(query)[0]


@pytest.mark.parametrize(
    "query",
    params("""
        "j smith" | "smith j" | "J. Smith" | "smith j"~3 | "pc j patel" | "a patel" | "x khan"
        "riot j p smith" | j_smith | j_smit* | jsmith | jsmith* | jsmit* | #jsmith | davesmith* | davesmit*
        dave_smi*
    """),
)
def test_a_surname_with_an_initial_or_begun_as_one_word_reads_as_a_name(query: str) -> None:
    assert "reads as a person's name" in persons(query)[0]


@pytest.mark.parametrize(
    "query",
    params("""
        "Иван Смирнов" | "محمد علي" | "राम कुमार" | "김 철수" | "张 伟" | "Γιώργος Παπαδόπουλος"
        "митинг Иван Смирнов" | "Смирнов Иван"~3 | иван_смирнов
    """),
)
def test_two_words_side_by_side_in_another_script_read_as_a_name(query: str) -> None:
    assert "reads as a person's name" in persons(query)[0]


@pytest.mark.parametrize(
    "query",
    params("""
        u/zorblat | u/someone | /u/someone | "u/someone" | "riot u/someone" | u AND someone
        someone AND riot AND u | "someone u"~3 | riot NOT (u OR someone) | instagram.com/zorblat
        instagram.com/knife | "https://www.instagram.com/zorblat/" | facebook.com/x | twitter.com/x | x.com/x
        x.com/zorblat/status/1234 | t.me/x | tiktok.com/@x | reddit.com/user/x | linkedin.com/in/zorblat
        zorblat.bsky.social | zorblat@gmail.com | instagram AND com AND zorblat | instagram.com zorblat
        zorb* AND "instagram com" | zorblat AND (riot AND "instagram com") | riot NOT instagram.com/zorblat
        instagram.com/desk
    """),
)
def test_the_address_of_somebody_s_page_is_found(query: str) -> None:
    assert any("the address of an account that is neither ours" in found for found in persons(query))


@pytest.mark.parametrize(
    "query",
    params("""
        s60 | section60 | covid19 | covid1* | a40 | a406 | a1m | m25 | e17 | se5 | sw1a | "sw1a 1aa" | 999 | 101
        1312 | g20 | g4s | 5g | 24/7 | n1 | h1n1 | mi5 | 4x4 | b2b | 20mph | 1960s | cop26 | channel4 | bbc1
        4chan | ward12 | 14yearold | s6* | police2*
    """),
)
def test_letters_and_digits_of_a_topic_pass(query: str) -> None:
    assert persons(query) == []


@pytest.mark.parametrize(
    "query",
    params("""
        police2024 | ldn2012 | mps2024 | london2012 | brixton1981 | may2024 | jan6 | euro2024 | summer2024
        blm2020 | acab1312 | knifecrime2024 | londonriots2011 | blacklivesmatter2020 | #nottinghill2024
        glasto2024
    """),
)
def test_a_topic_with_its_year_passes(query: str) -> None:
    assert persons(query) == []


@pytest.mark.parametrize(
    "query",
    params("""
        stop_and_search | stop_and_s* | #stopandsearch | met_police | black_friday | victoria_park
        notting_hill | isn't_it
    """),
)
def test_words_joined_by_underscores_or_as_a_tag_pass(query: str) -> None:
    assert persons(query) == []


@pytest.mark.parametrize(
    "query",
    params("""
        exampleforce | kestrel99 | old_dave | kent_police | sadiqkhan | u/exampleforce | u AND exampleforce
        instagram.com/exampleforce | instagram.com/desk.north | instagram AND com AND exampleforce
        twitter.com/metpoliceuk/status/1234 | "Иван Петров" | x.com mark rowley
    """),
)
def test_our_accounts_and_public_names_pass_without_an_at_sign_and_as_addresses(query: str) -> None:
    assert persons(query) == []


@pytest.mark.parametrize(
    "query",
    params("""
        pc | "u turn" | u turn police | "u s" | "u ok" | "x ray" | "d day" | "hall b" | "n london" | "o connor"
        "spurs v west" | "class a drugs" | "1 2"~3 | "🚓 🚓" | x.com | x.com AND knife | x.com/hashtag/knifecrime
        reddit.com/r/london | facebook.com/groups/brixton | иван | smithson | vegan | brexit*
    """),
)
def test_letters_hosts_and_single_words_that_lead_to_nobody_pass(query: str) -> None:
    assert persons(query) == []


def test_every_postcode_passes_with_and_without_what_follows_it() -> None:
    with (DEFAULTS / "postcodes.csv").open(encoding="utf-8") as lines:
        names = [row["name"] for row in csv.DictReader(lines)]
    assert [name for name in names if persons(name) or persons(f'"{name} 1ab"') or persons(f"{name}1ab")] == []


def test_every_listed_account_passes_without_its_at_sign() -> None:
    handles = [handle[1:] for table in read_toml("public_names.toml")["listed"] for handle in table["handles"]]
    assert [handle for handle in handles if persons(handle) or persons(f"x.com/{handle}")] == []


def test_every_watchlist_of_the_example_passes() -> None:
    table = tomllib.loads((ROOT / "config" / "example.toml").read_text("utf-8"))
    gate = PersonGate(table["own_handles"], places=table["places"])
    assert [gate.find_persons(parse(each["query"])) for each in table["watchlists"]] == [[], []]


def test_every_place_passes_quoted_and_beside_other_words() -> None:
    names = [place.name for place in gazetteer({}) if normalise(place.name)]
    assert len(names) > 2000
    quoted = [name for name in names if persons(f'"{name}" AND (police OR stabbing OR "stop and search")')]
    bare = [name for name in names if persons(f"{name} police")]
    assert (quoted, bare) == ([], [])


def test_every_borough_passes_with_its_council_and_police() -> None:
    with (DEFAULTS / "boroughs.csv").open(encoding="utf-8") as lines:
        boroughs = [row["borough"] for row in csv.DictReader(lines)]
    assert [name for name in boroughs if persons(f'"{name} council" OR "{name} police" OR {name} riot')] == []


def test_the_words_of_every_topic_pass() -> None:
    topics = [topic["name"].replace("_", " ") for topic in read_toml("policy.toml")["topics"]]
    assert topics
    assert [name for name in topics if persons(f'"{name}"') or persons(f"{name} police")] == []


def test_several_persons_are_all_told_and_each_once() -> None:
    found = persons('"dave smith" OR "dave smith" OR "jane jones" OR @dave OR @dave')
    assert len(found) == 3


def test_a_search_as_long_as_may_be_is_judged_quickly() -> None:
    firsts, lasts = (
        (DEFAULTS / f"{name}.txt").read_text("utf-8").split()[:600] for name in ("first_names", "surnames")
    )
    assert 0 < len(persons(" ".join((*firsts, *lasts)))) <= 20
    assert persons(" ".join(f"knife{n}" for n in range(1000))) == []
    assert persons("x.com u " + " ".join(f"knife{n}" for n in range(1000)))
