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
    own_handles=["@ExampleForce", "@desk@social.example"],
    public_names=["Quillon Tradescant", "Ruth Harker Trust", "@HarkerTrust"],
    places={"Peggy Lee Gardens": ["Camden"]},
)


def persons(query: str) -> list[str]:
    return GATE.find_persons(parse(query))


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
