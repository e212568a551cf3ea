"""Stories: what is one, what is not, and what each figure of it says. Every post here is made up."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stories import COLOURS, REACHES, Story, find_stories
from analysis.story_score import score_story
from analysis.telling import Tellings, read_telling
from mentions.mention import Assessed, Assessment, Mention, Mood, Rag, Reach, Verdict, Voice

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
SACKED = "Met Police sergeant Dale Forrester sacked over Wapping payroll fraud"
ANGRY = "Wapping residents demand that sergeant Forrester faces a criminal trial, not a quiet goodbye"


def post(number: int, text: str, minutes: float = 0, *, title: str = "", **facts: object) -> Assessed:
    """One post by an account of its own; `mood`, `rag` and facts as given."""
    mood, rag = facts.pop("mood", Mood.NEUTRAL), facts.pop("rag", Rag.NONE)
    at = NOON + timedelta(minutes=minutes)
    given_facts = {"platform": "x", "source": "x", "author_key": f"{number:016x}"} | facts
    mention = Mention(id=f"x:{number}", published_at=at, first_seen_at=at, text=text, title=title, **given_facts)  # type: ignore[arg-type]
    return Assessed(mention, Assessment(relevant=True, sentiment=Verdict(mood), rag=rag))  # type: ignore[arg-type]


def paper(number: int, title: str, text: str, minutes: float, publisher: str) -> Assessed:
    """One article."""
    return post(
        number,
        text,
        minutes,
        title=title,
        voice=Voice.PRESS,
        publisher=publisher,
        author_key="",
        link=f"https://{publisher}/news/article-{number}",
        reach=Reach.WIDE,
        platform="rss",
        source=publisher,
    )


def stories(held: Sequence[Assessed], kept: Tellings | None = None) -> list[Story]:
    """What these tell, looked at when the last of them was posted."""
    return find_stories(held, max((each.mention.published_at for each in held), default=NOON), kept)


def together(*held: Assessed) -> bool:
    """Whether these make one story."""
    return len(stories(held)) == 1


def only(held: Sequence[Assessed]) -> Story:
    """The one story these make."""
    (story,) = stories(held)
    return story


# -- what is one story -------------------------------------------------------------------------------------------------


def test_a_text_with_small_edits_and_another_link_is_the_same_story() -> None:
    assert together(
        post(1, f"{SACKED} https://t.example/a1b2c"), post(2, f"BREAKING: {SACKED}!! https://t.example/z9", 5)
    )


@pytest.mark.parametrize(
    "passed_on",
    [
        "RT @cityNews: {}",
        "This is a disgrace “@cityNews: {}” speechless",
        'wow MT "@cityNews: {}"',
        "same old RT@citynews {}",
    ],
)
def test_a_retweet_belongs_to_what_it_passes_on(passed_on: str) -> None:
    assert together(post(1, SACKED), post(2, passed_on.format(SACKED), 30))


def test_papers_that_rewrite_a_headline_tell_one_story() -> None:
    held = [
        paper(
            1,
            SACKED,
            "Dale Forrester claimed £40,000 for overtime he never worked, a misconduct panel found.",
            0,
            "a.example",
        ),
        paper(
            2,
            "Sergeant Forrester dismissed for £40,000 overtime fraud",
            "A panel sacked the Wapping officer.",
            60,
            "b.example",
        ),
        paper(
            3,
            "'He robbed us': panel sacks Wapping sergeant Dale Forrester",
            "Overtime fraud cost the Met £40,000.",
            90,
            "c.example",
        ),
    ]
    assert only(held).independent == 3


def test_who_points_to_an_article_tells_its_story() -> None:
    article = paper(1, SACKED, "A misconduct panel found against him.", 0, "a.example")
    assert together(article, post(2, "well well well https://www.a.example/news/article-1?utm_source=share", 9))


@pytest.mark.parametrize(
    "other",
    [
        "Met Police constable sacked over drunken crash on the North Circular",
        "Man arrested on suspicion of murder in Wapping",
        "Lovely evening at the Wapping summer fair, thanks to everybody who came",
    ],
)
def test_another_matter_in_like_words_is_another_story(other: str) -> None:
    assert not together(post(1, SACKED), post(2, other, 5))


def test_what_many_say_of_many_things_is_no_story() -> None:
    assert not together(post(1, "so sad"), post(2, "so sad", 1))
    assert not together(post(1, "@someone good news at last"), post(2, "@other good news at last", 1))


def test_a_front_page_ties_nothing_together() -> None:
    assert not together(post(1, "cats asleep https://a.example/"), post(2, "buses late https://www.a.example", 1))
    assert not together(
        post(1, "cats asleep https://a.example/contact"), post(2, "buses late https://a.example/contact", 1)
    )


@pytest.mark.parametrize("link", ["x.com/metpoliceuk", "www.gov.uk/contact", "bbc.com/sport", "t.me/somebody"])
def test_a_short_address_is_no_page_of_its_own_but_at_a_shortener(link: str) -> None:
    assert not together(post(1, f"cats asleep https://{link}"), post(2, f"buses late again https://{link}", 1))
    short = "https://bit.ly/aBcdEf"
    assert together(post(1, f"cats asleep {short}"), post(2, f"buses late again {short}", 1))


def test_posts_of_one_forum_thread_are_not_one_story_for_their_shared_link() -> None:
    link = "https://forum.example/t/8123"
    assert not together(post(1, "anyone seen the bus", link=link), post(2, "cats like the sun", 1, link=link))


def test_the_same_text_after_three_quiet_days_is_a_new_story() -> None:
    assert together(post(1, SACKED), post(2, SACKED, 71 * 60))
    assert not together(post(1, SACKED), post(2, SACKED, 73 * 60))


def test_a_story_does_not_drift_into_another_over_a_post_that_tells_both() -> None:
    first = [paper(n, SACKED, "Overtime fraud, panel finds.", n, f"{n}.example") for n in (1, 2, 3)]
    other = "Thousands march through Hackney against live facial recognition vans"
    second = [paper(n, other, "Campaigners blocked Mare Street.", n, f"{n}.example") for n in (4, 5, 6)]
    both = post(7, f"{SACKED}. {other}.", 9)
    assert len(stories([*first, *second])) == 2
    assert len(stories([*first, *second, both])) == 2


# -- its figures -------------------------------------------------------------------------------------------------------


def test_a_story_names_its_origin_and_how_it_spread() -> None:
    held = [
        post(2, f"RT @citynews: {SACKED}", 70),
        post(1, SACKED),
        post(3, SACKED, 95, platform="mastodon", source="m"),
    ]
    story = only(held)
    assert (story.id, story.origin, story.count) == ("story:x:1", "x:1", 3)
    assert story.members == ("x:1", "x:2", "x:3")
    assert story.platforms == (("x", 2), ("mastodon", 1))
    assert [count for _, count in story.hours] == [1, 2]
    assert story.last_at - story.began_at == timedelta(minutes=95)


def test_copies_of_one_text_are_one_voice_and_a_rewriting_paper_is_another() -> None:
    held = [
        paper(1, SACKED, "Dale Forrester claimed £40,000 for overtime.", 0, "a.example"),
        paper(2, SACKED, "Dale Forrester claimed £40,000 for overtime.", 9, "b.example"),
        paper(3, "Sergeant Forrester dismissed for £40,000 overtime fraud", "Wapping officer sacked.", 60, "c.example"),
        *(post(number, f"RT @citynews: {SACKED}", number) for number in range(10, 20)),
    ]
    assert only(held).independent <= 3
    assert only(held[:1] + held[2:3]).independent == 2


def crowd(count: int, text: str, apart: float = 10, mood: Mood = Mood.NEGATIVE, **facts: object) -> list[Assessed]:
    """So many accounts that post one text, minutes apart, each with a small edit of its own."""
    return [post(100 + n, f"{text} {'!' * n}", n * apart, mood=mood, **facts) for n in range(count)]


def test_many_accounts_with_one_text_of_their_own_are_a_campaign_and_count_once_as_public_feeling() -> None:
    calm = [
        post(n, f"{SACKED} and about time too, well done Wapping, says neighbour number {n}", n, mood=Mood.POSITIVE)
        for n in (1, 2)
    ]
    story = max(stories([*calm, *crowd(8, ANGRY)]), key=lambda each: each.count)
    assert len(story.campaign) == 8
    assert story.feeling.negative == 8
    assert story.public.negative == 1


@pytest.mark.parametrize(
    "held",
    [
        crowd(4, ANGRY),
        crowd(8, ANGRY, apart=120),
        crowd(8, f"RT @neighbour: {ANGRY}"),
        [post(n, ANGRY, n, author_key="one account") for n in range(8)],
        [paper(1, ANGRY, "", 0, "a.example"), *crowd(8, ANGRY)],
        [post(1, ANGRY, voice=Voice.OWN), *crowd(8, ANGRY)],
    ],
    ids=["too few", "too slow", "retweets", "one account", "a headline shared", "the force's own words"],
)
def test_what_is_no_campaign(held: list[Assessed]) -> None:
    assert all(not story.campaign for story in stories(held))


def test_strangers_with_one_hostile_text_in_one_thread_within_an_hour_are_a_brigade() -> None:
    assert len(only(crowd(6, ANGRY, thread="forum:7")).brigade) == 6


@pytest.mark.parametrize(
    "held",
    [
        crowd(6, ANGRY, apart=20, thread="forum:7"),
        crowd(6, ANGRY, mood=Mood.POSITIVE, thread="forum:7"),
        [post(100 + n, ANGRY, n, mood=Mood.NEGATIVE, thread=f"forum:{n}") for n in range(6)],
        crowd(6, f"RT @neighbour: {ANGRY}", thread="forum:7"),
        crowd(6, ANGRY),
        [
            *crowd(6, ANGRY, thread="forum:7"),
            *(
                post(200 + n, f"bus {n} is late", n - 90, thread="forum:7", author_key=f"{100 + n:016x}")
                for n in range(6)
            ),
        ],
    ],
    ids=["too slow", "friendly", "in many places", "passed on", "in no thread", "they are at home there"],
)
def test_what_is_no_brigade(held: list[Assessed]) -> None:
    assert all(not story.brigade for story in stories(held))


def test_what_the_force_says_itself_is_no_feeling() -> None:
    story = only([post(1, SACKED, voice=Voice.OWN, mood=Mood.POSITIVE), post(2, SACKED, 1, mood=Mood.NEGATIVE)])
    assert (story.feeling.positive, story.feeling.negative) == (0, 1)
    assert story.score.negative == 1


# -- promises for any input --------------------------------------------------------------------------------------------

SENTENCES = st.sampled_from(
    [
        SACKED,
        ANGRY,
        f"RT @a: {SACKED}",
        "Fire in Ilford, three engines sent",
        "so sad",
        "",
        "👮",
        "@x #y",
        "https://a.example/news/12",
    ]
)
POSTS = st.lists(st.tuples(st.one_of(SENTENCES, st.text(max_size=60)), st.integers(0, 6_000)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(POSTS, st.randoms(use_true_random=False))
def test_the_order_given_makes_no_difference_and_each_mention_is_in_one_story(
    posts: list[tuple[str, int]], dice: random.Random
) -> None:
    held = [post(number, text, minutes) for number, (text, minutes) in enumerate(posts)]
    shuffled = dice.sample(held, len(held))
    found = stories(held)
    assert found == stories(shuffled)
    assert sorted(id_ for story in found for id_ in story.members) == sorted(each.mention.id for each in held)


def test_what_was_read_before_makes_no_difference_and_an_edit_is_read_anew() -> None:
    kept = Tellings()
    before = [post(1, SACKED), post(2, SACKED, 1)]
    assert stories(before, kept) == stories(before, kept) == stories(before)
    after = [post(1, "Fire in Ilford, three engines sent"), before[1]]
    assert stories(after, kept) == stories(after)
    assert len(stories(after, kept)) == 2


def test_what_is_kept_of_long_articles_between_two_looks_is_small() -> None:
    dice = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(dice.choices(letters, k=7)) for _ in range(5_000)]
    articles = [post(n, " ".join(dice.choices(words, k=330))).mention for n in range(100)]
    kept = Tellings()
    kept.of(articles[:1])
    tracemalloc.start()
    kept.of(articles)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(articles) < 10_000


@given(st.text(max_size=200), st.text(max_size=60))
def test_a_telling_is_kept_as_it_was_read(text: str, title: str) -> None:
    mention = post(1, text, title=title).mention
    (told,) = Tellings().of([mention])
    read = read_telling(mention)
    facts = ("words", "gist", "headline", "tagged", "links", "reposts", "replies")
    assert [getattr(told, fact) for fact in facts] == [getattr(read, fact) for fact in facts]


def test_a_telling_leaves_out_links_accounts_and_the_words_around_a_quotation() -> None:
    told = read_telling(
        post(1, f"Typical. “@citynews: {SACKED} https://t.example/a1” #TwoTierPolicing @friend").mention
    )
    assert told.reposts
    assert told.words == read_telling(post(2, SACKED).mention).words


def test_a_burst_that_is_over_loses_its_speed() -> None:
    burst = [post(n, f"RT @citynews: {SACKED}", n) for n in range(60)]
    (alive,), (day_old,) = (find_stories(burst, NOON + timedelta(hours=hours)) for hours in (1, 24))
    assert (alive.score.per_hour, day_old.score.per_hour) == (60, 2.5)
    assert alive.score.value > day_old.score.value
    assert find_stories(burst, NOON - timedelta(hours=1)) == stories(burst)  # a clock that is slow


RISING = st.tuples(st.sampled_from(COLOURS), st.sampled_from(REACHES), st.floats(0, 500), st.floats(0, 1))


@given(RISING, RISING)
def test_the_score_never_falls_when_a_term_rises(
    one: tuple[Rag, Reach, float, float], other: tuple[Rag, Reach, float, float]
) -> None:
    low = score_story(
        min(one[0], other[0], key=COLOURS.index),
        min(one[1], other[1], key=REACHES.index),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )
    high = score_story(
        max(one[0], other[0], key=COLOURS.index),
        max(one[1], other[1], key=REACHES.index),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )
    assert 0 <= low.value <= high.value <= 100
    for term in ("colour", "reach", "speed", "attitude"):
        assert 0 < getattr(low, term) <= getattr(high, term) <= 1


def test_the_score_is_the_product_of_the_terms_it_shows() -> None:
    score = score_story(Rag.AMBER, Reach.MEDIUM, 12.0, 0.25)
    assert score.value == round(100 * score.colour * score.reach * score.speed * score.attitude)
    assert score_story(Rag.RED, Reach.WIDE, 60, 1).value == 100
