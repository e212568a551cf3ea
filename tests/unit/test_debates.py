"""Who asks whom what; which posts are one thread; which threads are worth joining, and under whose clearance."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.debates import Debate, find_debates
from analysis.threads import group_threads, strip_reply, thread_link
from config.settings import Settings
from listener.debating import DebatesMaker, read_debates
from mentions.mention import Assessed, Assessment, Mood, Rag, Verdict, Voice
from mentions.query import Query
from mentions.store import MentionStore
from mentions.stores import open_store
from tests.judging import judged, judged_news, say, shipped

AT = datetime(2026, 10, 1, 12, tzinfo=UTC)
FORUM = {"platform": "forum", "source": "Corner Forum"}

# -- one post ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Does anyone know why there were six police vans on Lordship Lane last night?",
        "My bike was stolen outside Peckham Rye station. Should I report it online or ring 101?",
        "What do people think of the stop and search going on in Brixton?",
        "Phone snatched on Rye Lane at 8am. If anyone saw it please get in touch with the police.",
        "Car windows smashed on our street in Hackney again, third time this month",
        "I think the police should walk the beat in Tottenham more often, that is what we need.",
    ],
)
def test_neighbours_who_ask_or_talk_over_a_police_matter_are_a_debate(text: str) -> None:
    assert judged(text, **FORUM).debate


@pytest.mark.parametrize(
    "text",
    [
        "@MetPoliceUK could you tell us when the Seven Sisters Road cordon is lifted",
        "@mpshackney please can you confirm whether the police were called to Mare Street",
        "Genuine question: how long do the police keep CCTV in Croydon?",
        "How many police officers does Lewisham have today?",
    ],
)
def test_a_question_to_the_police_or_about_them_is_a_debate_in_public(text: str) -> None:
    assert judged(text).debate


@pytest.mark.parametrize(
    "text",
    [
        "Police in Hackney again. What a joke, who cares?",
        "What happened to policing by consent?",
        "Why bother calling the police in Croydon?",
        "Met officers standing about in Brixton, useful, right?",
        "What has the Met ever done about it? Take part in our quick survey",
        "Racist two tier policing from the Met, why is that?",
        "Shots fired on Kingsland High Street, police everywhere",
        "Met police cordon on Rye Lane",
    ],
)
def test_jokes_bait_blame_and_statements_are_no_debate(text: str) -> None:
    assert not judged(text).debate


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Lost kittens", "Missing from Peckham since Monday, has anyone seen them?"),
        (
            "Know a good plumber?",
            "Burgled in Peckham, know anyone reliable who can fix the door?",
        ),
    ],
)
def test_a_lost_cat_or_a_trade_is_not_for_officers(title: str, text: str) -> None:
    assert not judged(text, title=title, **FORUM).debate


@pytest.mark.parametrize(
    "text",
    [
        "Burgled in Peckham and they took the tortoise. Did anyone see anything?",
        "Stabbing on Rye Lane again as the bar closes. Did anyone see who did it?",
    ],
)
def test_a_word_that_happens_to_fall_does_not_take_a_police_matter_away(text: str) -> None:
    assert judged(text, **FORUM).debate


def test_headlines_never_are_a_debate() -> None:
    assert not judged_news("Does anyone know what the Met is for?").debate


# -- one thread --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "thread"),
    [
        ("https://www.forum.example/threads/slug.12/page-3#post-9", "forum.example/threads/slug.12"),
        ("https://forum.example/threads/slug.12/", "forum.example/threads/slug.12"),
        ("http://forum.example/t/slug/77/4", "forum.example/t/slug/77"),
        ("http://forum.example/viewtopic.php?f=2&t=5&p=99#p99", "forum.example/viewtopic.php?f=2&t=5"),
        ("http://forum.example/viewtopic.php?t=5&f=2&start=15", "forum.example/viewtopic.php?f=2&t=5"),
        ("http://forum.example/index.php?topic=8.msg41#msg41", "forum.example/index.php?topic=8"),
        ("http://forum.example/read.php?6,123,456#msg-456", "forum.example/read.php?6,123"),
        ("http://forum.example/topic/9-slug/?comment=4", "forum.example/topic/9-slug"),
        ("http://forum.example/xn/detail/8:Topic:3", "forum.example/xn/detail/8:Topic:3"),
        ("http://forum.example/showthread.php?tid=12&pid=77#pid77", "forum.example/showthread.php?tid=12"),
        ("http://forum.example/showthread.php?12-bikes/page2&p=77", "forum.example/showthread.php?12-bikes"),
        ("http://forum.example/showthread.php?12-bikes", "forum.example/showthread.php?12-bikes"),
        ("http://forum.example/Thread-bikes-gone?pid=77#pid77", "forum.example/Thread-bikes-gone"),
        ("http://forum.example/viewtopic.php?p=1#p1", ""),
        ("http://forum.example/phpbb3/viewtopic.php?f=2&p=1#p1", ""),
        ("http://forum.example/showthread.php?p=77", ""),
        ("http://forum.example/blog/?p=12", ""),
        ("http://forum.example/post/123", ""),
        ("http://[half", ""),
        ("", ""),
    ],
)
def test_a_link_to_a_post_is_led_back_to_its_thread(link: str, thread: str) -> None:
    assert thread_link(link) == thread


def test_an_answers_title_is_that_of_its_thread() -> None:
    assert strip_reply("Re: RE: Bike theft") == "Bike theft"
    assert strip_reply("Reporting bike theft") == "Reporting bike theft"


def post(number: int, hours: float = 1.0, **facts: object) -> Assessed:
    """A post of a forum, judged as shipped."""
    at = AT - timedelta(hours=hours)
    told = {"title": "Bike theft", "text": "Anyone else had a bike stolen in Peckham?", "author_key": f"{number:016x}"}
    mention = say(**{**FORUM, **told, "id": f"forum:{number}", "published_at": at, "first_seen_at": at, **facts})  # type: ignore[arg-type]
    return Assessed(mention, shipped().assess(mention))


def sizes(*posts: Assessed) -> list[int]:
    return [len(thread) for thread in group_threads(posts)]


def test_threads_are_told_by_their_own_id() -> None:
    assert sizes(post(1, thread="7"), post(2, thread="7", title="other"), post(3, thread="8")) == [2, 1]


def test_without_an_id_threads_are_told_by_link_or_title() -> None:
    first = post(1, 3, title="Bikes", link="http://forum.example/viewtopic.php?t=5")
    answer = post(2, 2, title="Re: Bikes gone", link="http://forum.example/viewtopic.php?t=5&p=8")
    titled = post(3, 1, title="Re: Bikes gone")
    assert sizes(first, answer, titled) == [3]
    assert sizes(first, replace_source(titled, "Other Forum")) == [1, 1]


BIKES = [f"http://forum.example/t/bikes/{n}" for n in range(3)]


def test_threads_of_one_title_are_told_apart_by_their_links() -> None:
    assert sizes(post(1, 3, link=BIKES[1]), post(2, 2, link=BIKES[2])) == [1, 1]
    assert sizes(post(1, 3, link=BIKES[1]), post(2, 2)) == [2]
    assert sizes(post(1, 3), post(2, 2, link=BIKES[2])) == [2]


def test_an_answer_joins_the_thread_of_its_title_that_was_opened_last() -> None:
    first, second = post(1, 5, link=BIKES[1]), post(2, 3, link=BIKES[2])
    answers = post(3, 4, title="Re: Bike theft", link=BIKES[0]), post(4, 2, title="Re: Bike theft"), post(5, 1)
    threads = [[each.mention.id for each in thread] for thread in group_threads([first, second, *answers])]
    assert threads == [["forum:1", "forum:3"], ["forum:2", "forum:4", "forum:5"]]


def test_posts_known_by_their_number_alone_are_not_one_thread() -> None:
    links = [f"http://forum.example/viewtopic.php?p={n}#p{n}" for n in (1, 2)]
    assert sizes(post(1, title="Bikes", link=links[0]), post(2, title="Bins", link=links[1])) == [1, 1]


def replace_source(held: Assessed, source: str) -> Assessed:
    return replace(held, mention=replace(held.mention, source=source))


def test_posts_with_neither_id_link_nor_title_stand_alone() -> None:
    assert sizes(post(1, title=""), post(2, title="")) == [1, 1]


# -- threads worth joining ---------------------------------------------------------------------------------------------


def find(*posts: Assessed) -> list[Debate]:
    return find_debates(posts, AT)


def only(*posts: Assessed) -> Debate:
    (debate,) = find(*posts)
    return debate


def test_a_score_is_the_sum_of_its_reasons() -> None:
    debate = only(post(1), post(2, 0.5, text="Mine went as well, on Rye Lane"))
    assert debate.score == sum(reason.points for reason in debate.reasons)
    assert (debate.title, debate.boroughs, debate.posts, debate.voices) == ("Bike theft", ("Southwark",), 2, 2)
    assert debate.ids == ("forum:1", "forum:2")
    assert "Anyone else had a bike stolen in Peckham?" in [reason.quote for reason in debate.reasons]


def test_the_order_and_the_company_make_no_difference() -> None:
    posts = [post(n, n, title=f"Theft {n % 7}", thread=str(n % 7) if n % 2 else "") for n in range(40)]
    posts += [replace_source(post(n, n, title="Muggings"), f"forum {n % 3}") for n in range(40, 60)]
    found = find(*posts)
    for seed in range(5):
        assert find(*random.Random(seed).sample(posts, len(posts))) == found
    assert only(post(99, title="Alone")) in find(*posts, post(99, title="Alone"))


def test_nothing_is_known_of_what_comes_later_and_old_threads_are_over() -> None:
    assert find(post(1, -1)) == []
    assert find(post(1, 24 * 15)) == []


def test_replies_counted_later_are_not_known() -> None:
    held = post(1, replies=6)
    assert only(held).posts == 7
    assert only(replace(held, fetched_at=AT)).posts == 7
    assert only(replace(held, fetched_at=AT + timedelta(hours=1))).posts == 1


def test_livelier_threads_come_first() -> None:
    quiet, busy = post(1, 100, title="Quiet"), [post(n, n, title="Busy") for n in (2, 3, 4)]
    assert [debate.title for debate in find(quiet, *busy)] == ["Busy", "Quiet"]


def test_a_thread_the_force_is_in_says_so_and_loses_points() -> None:
    alone = only(post(1))
    joined = only(post(1), post(2, 0.5, voice=Voice.OWN, text="We are on it."))
    assert joined.force_in_it
    assert joined.score < alone.score


def test_the_press_and_single_posts_elsewhere_are_no_debate() -> None:
    assert find(post(1, platform="rss", voice=Voice.PRESS)) == []
    assert find(post(1, platform="x")) == []
    assert len(find(post(1, platform="mastodon", thread="m1"))) == 1


def told(held: Assessed, **opinion: object) -> Assessed:
    return replace(held, assessment=replace(held.assessment, **opinion))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("colours", "clearance"),
    [
        ((Rag.GREEN,), Rag.GREEN),
        ((Rag.GREEN, Rag.AMBER), Rag.AMBER),
        ((Rag.GREEN, Rag.AMBER, Rag.RED), Rag.RED),
        ((Rag.NONE,), Rag.AMBER),
        ((Rag.GREEN, Rag.NONE), Rag.AMBER),
    ],
)
def test_the_worst_colour_in_the_thread_clears_it(colours: tuple[Rag, ...], clearance: Rag) -> None:
    posts = [
        told(post(n, n + 1), rag=colour, topic="" if colour is Rag.NONE else "asb") for n, colour in enumerate(colours)
    ]
    assert only(*posts).clearance is clearance


def test_a_risk_to_life_goes_to_the_control_room_first() -> None:
    debate = only(told(post(1), risk_to_life=True, rag=Rag.GREEN))
    assert debate.clearance is Rag.RED
    assert any("control room" in reason.says for reason in debate.reasons)


def test_an_argument_nobody_asks_in_is_a_debate_of_three_voices() -> None:
    held = [told(post(n, n), debate=False, sentiment=Verdict(Mood.NEGATIVE, -0.8)) for n in (1, 2, 3)]
    assert find(*held[:2]) == []
    assert len(find(*held)) == 1


def test_a_thread_without_a_place_is_of_its_sites_patch() -> None:
    held = told(post(1), boroughs=())
    assert find_debates([held], AT)[0].boroughs == ()
    assert find_debates([held], AT, patches={"corner forum": ["Camden", "Islington"]})[0].boroughs == (
        "Camden",
        "Islington",
    )


def test_talk_that_has_nothing_to_do_with_the_police_is_none() -> None:
    assert find(replace(post(1), assessment=Assessment())) == []


# -- what is read of a store -------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MentionStore]:
    with closing(open_store(f"sqlite:{tmp_path / 'mentions.db'}")) as opened:
        yield opened


class Counted:
    """A store that notes how many rows were asked of it."""

    def __init__(self, store: MentionStore) -> None:
        self._store, self.rows = store, 0

    def search(self, query: Query, **window: Any) -> list[Assessed]:
        page = self._store.search(query, **window)
        self.rows += len(page)
        return page


def a_toot(number: int, source: str, **facts: object) -> Assessed:
    return post(number, platform="mastodon", id=f"mastodon:{number}", source=source, **facts)  # type: ignore[arg-type]


def test_a_thread_elsewhere_is_read_whole_whatever_its_source_is_called(store: MentionStore) -> None:
    source = 'The "Corner" OR (odd\\'
    store.save([a_toot(1, source, thread="7"), a_toot(2, source, thread="7", title="", text="Mine too")])
    (debate,) = read_debates(store, Settings(), AT)
    assert debate.ids == ("mastodon:1", "mastodon:2")


def test_of_other_sources_only_the_threads_found_are_kept(store: MentionStore) -> None:
    noise = [a_toot(n, "Town", thread=f"n{n}", title="", text="Nice day") for n in range(3, 40)]
    store.save([a_toot(1, "Town", thread="7"), a_toot(2, "Town", hours=30, thread="7", title="", text="Mine"), *noise])
    (debate,) = read_debates(store, Settings(), AT, posts=2)
    assert debate.ids == ("mastodon:2", "mastodon:1")


def test_one_allowance_holds_over_all_sources(store: MentionStore) -> None:
    forum = [post(n, 1, title=f"Bike {n}") for n in range(20)]
    store.save([*forum, *(a_toot(n, f"Town {n % 5}", hours=2, thread=str(n)) for n in range(100, 130))])
    store.save([a_toot(n, f"Town {n % 5}", hours=3, thread=str(n - 100), text="Mine too") for n in range(200, 230)])
    counted = Counted(store)
    assert len(read_debates(counted, Settings(), AT, posts=30, looks=60)) == 30  # type: ignore[arg-type]
    assert counted.rows <= 60
    assert sum(debate.posts for debate in read_debates(store, Settings(), AT, posts=55)) == 55


@pytest.mark.parametrize("claimed", [timedelta(days=-20), timedelta(hours=20)])
def test_a_post_of_another_time_than_it_claims_is_read(store: MentionStore, claimed: timedelta) -> None:
    store.save([post(1, published_at=AT + claimed, first_seen_at=AT - timedelta(hours=1))])
    assert len(read_debates(store, Settings(), AT)) == 1
    assert read_debates(store, Settings(), AT - timedelta(days=2)) == []


# -- the board ---------------------------------------------------------------------------------------------------------


def test_the_board_names_posts_and_holds_none_of_their_words(tmp_path: Path) -> None:
    settings = Settings(borough_accounts={"Southwark": "@MPSSouthwark"})
    store = open_store(f"sqlite:{tmp_path / 'mentions.db'}")
    store.save([post(1, title="Zebra theft", text="Anyone else had a zebra stolen in Peckham?"), post(2, 20 * 24)])
    body = json.dumps(DebatesMaker(settings).make(store, AT))
    (row,) = json.loads(body)["debates"]
    held = store.get(row["ids"])["forum:1"].mention
    store.close()
    assert "zebra" not in body.lower()
    assert (row["account"], row["boroughs"]) == ("@MPSSouthwark", ["Southwark"])
    quoted = [held.words[reason["start"] : reason["end"]] for reason in row["reasons"] if reason["post"]]
    assert [words.strip() for words in quoted] == ["Anyone else had a zebra stolen in Peckham?"]
