"""Emerging talk: what rises, what does not, and that voices are counted, not posts. Every post here is made up."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.emerging import LEAST_PAST, Rise, chance_of, find_emerging, terms_of
from mentions.mention import Assessed, Assessment, Mention, Voice

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
EVERYDAY = [
    "police at the station again",
    "two officers by the market",
    "helicopter over the park tonight",
    "why so many sirens",
]
NEWS = "Drone patrol over Brockwell Park #DronePatrol is it legal"


def post(number: int, hours: float, text: str, author: str = "", **facts: object) -> Assessed:
    """One post so many hours before now."""
    at = NOW - timedelta(hours=hours)
    made = {"voice": Voice.PUBLIC, "author_key": author or f"a{number}"} | facts
    mention = Mention(f"x:{number}", "x", "x", at, at, text, **made)  # type: ignore[arg-type]
    return Assessed(mention, Assessment(relevant=True))


def everyday(days: int = 14, a_day: int = 12) -> list[Assessed]:
    """So many usual days, today included."""
    return [
        post(10_000 + day * 100 + n, day * 24 + 1 + n * 0.5, EVERYDAY[n % len(EVERYDAY)], f"u{(day * 7 + n) % 40}")
        for day in range(days + 1)
        for n in range(a_day)
    ]


def told(rises: list[Rise]) -> dict[str, Rise]:
    """By term."""
    return {rise.term: rise for rise in rises}


def test_a_term_that_many_voices_use_at_once_rises_with_the_posts_behind_it() -> None:
    found = told(find_emerging([*everyday(), *(post(n, n, NEWS) for n in range(1, 7))], NOW))
    assert found["#dronepatrol"].kind == "tag"
    assert found["brockwell park"].kind == "place"
    assert found["drone patrol"].kind == "word"
    assert found["drone patrol"].posts == tuple(f"x:{n}" for n in range(1, 7))
    assert found["drone patrol"].voices == 6
    assert found["drone patrol"].expected < 0.1
    assert "drone" not in found  # it never comes without the longer term


def test_usual_talk_does_not_rise() -> None:
    assert find_emerging(everyday(), NOW) == []


def test_one_voice_however_loud_does_not_make_talk() -> None:
    loud = [post(n, n / 10, NEWS, "one account") for n in range(1, 60)]
    paper = [post(100 + n, n / 10, NEWS, "", voice=Voice.PRESS, publisher="a.example") for n in range(1, 60)]
    assert find_emerging([*everyday(), *loud, *paper], NOW) == []


def test_what_was_as_usual_before_does_not_rise_today() -> None:
    before = [post(500 + 10 * day + n, day * 24 + n + 0.3, NEWS) for day in range(1, 14) for n in range(6)]
    today = [post(n, n, NEWS) for n in range(1, 7)]
    assert not told(find_emerging([*everyday(), *before, *today], NOW)).keys() & {"drone patrol", "#dronepatrol"}


def test_what_the_force_says_itself_and_what_is_yet_to_come_is_left_out() -> None:
    own = [post(n, n, NEWS, voice=Voice.OWN) for n in range(1, 7)]
    later = [post(50 + n, -n, NEWS) for n in range(1, 7)]
    assert find_emerging([*everyday(), *own, *later], NOW) == []


def test_without_a_past_nothing_is_said_to_rise() -> None:
    recent = [post(n, n, NEWS) for n in range(1, 10)]
    assert find_emerging(recent, NOW) == []
    assert find_emerging([*recent, *everyday(days=1, a_day=12)], NOW) == []
    assert LEAST_PAST > 12


def test_of_many_terms_that_waver_by_chance_hardly_any_is_told() -> None:
    dice = random.Random(7)
    words = [f"{one}{two}" for one in "bcdfghjklm" for two in ("ando", "erit", "ovel", "ushy", "imba", "anto", "eska")]
    held = [
        post(n, dice.uniform(0, 15 * 24), " ".join(dice.sample(words, 6)), f"u{dice.randrange(300)}")
        for n in range(1500)
    ]
    assert len(find_emerging(held, NOW)) <= 2


@pytest.mark.parametrize(("count", "shape", "ratio"), [(3, 0.5, 0.05), (10, 4.5, 0.5), (1, 20.0, 1.0), (0, 2.0, 1.0)])
def test_the_chance_is_the_tail_of_a_poisson_with_an_uncertain_rate(count: int, shape: float, ratio: float) -> None:
    dice = random.Random(3)
    rates = [dice.gammavariate(shape, ratio) for _ in range(20_000)]
    drawn = sum(_poisson(dice, rate) >= count for rate in rates) / len(rates)
    assert chance_of(count, shape, ratio) == pytest.approx(drawn, abs=0.012)


def _poisson(dice: random.Random, rate: float) -> int:
    at, count = dice.expovariate(1.0), 0
    while at < rate:
        at, count = at + dice.expovariate(1.0), count + 1
    return count


def test_links_accounts_numbers_and_filler_are_no_terms() -> None:
    found = terms_of(post(1, 1, "@someone the 2026 cordon https://a.example/cordon-story #Cordon").mention)
    assert found == {"cordon", "#cordon"}


@pytest.mark.parametrize(
    "lead",
    [
        ".@someone_private",
        '("@quoted_one")',
        "cc/@other_one",
        "@jane.doe@mastodon.example",
        "a.person@mail.example",
        "u/redditor99",
        "/U/redditor99",
        "bit.ly/abcdE2",
        "(https://t.example/who)",
        "janedoe.bsky.social",
        "@\u200bsomeone",
        "＠someone",
    ],
)
def test_what_leads_to_an_account_or_a_page_is_no_term_wherever_it_stands(lead: str) -> None:
    assert terms_of(post(1, 1, f"{lead} cordon, {lead}: cordon").mention) <= {"cordon", "cordon cordon"}


@pytest.mark.parametrize("text", ["ask Dale Forrester", "#DaveSmith", "see davesmith99"])
def test_a_private_persons_name_is_never_told(text: str) -> None:
    held = [*everyday(), *(post(n, n, f"{text} about the barricade") for n in range(1, 7))]
    found = told(find_emerging(held, NOW))
    assert "barricade" in found
    assert not [term for term in found if any(name in term for name in ("dale", "forrester", "dave", "smith"))]


def test_a_public_office_holders_name_is_told() -> None:
    held = [*everyday(), *(post(n, n, "what will Mark Rowley answer") for n in range(1, 7))]
    assert "mark rowley" in told(find_emerging(held, NOW))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.floats(-10, 400)), max_size=10), st.randoms(use_true_random=False))
def test_the_order_given_makes_no_difference(posts: list[tuple[str, float]], dice: random.Random) -> None:
    held = [*everyday(), *(post(n, n, NEWS) for n in range(1, 7))]
    held += [post(300 + n, hours, text) for n, (text, hours) in enumerate(posts)]
    assert find_emerging(held, NOW) == find_emerging(dice.sample(held, len(held)), NOW)
