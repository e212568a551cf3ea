"""The look-up in the store: news lower what is red only because nobody was known to have told it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis import public_domain
from config.strategy import borough_names, topic_names
from listener import public
from listener.public import LOOK_BACK, lower_told
from mentions.correcting import Signature, correct
from mentions.corrections import Choices
from mentions.mention import Assessed, Mention, Rag
from mentions.query import parse
from mentions.sqlstate import open_state
from mentions.store import MentionStore
from mentions.stores import open_store
from tests.judging import NOON, headline, say, shipped
from tests.unit.test_public_domain import OTHER, SAME

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MentionStore]:
    opened = open_store(f"sqlite:{tmp_path / 'mentions.db'}")
    yield opened
    opened.close()


def keep(store: MentionStore, *mentions: Mention) -> None:
    store.save([Assessed(mention, shipped().assess_whole(mention)) for mention in mentions])


def posts(pairs: list[tuple[str, str]]) -> list[Mention]:
    return [say(text, id=f"x:{number}") for number, (text, _) in enumerate(pairs)]


def reports(pairs: list[tuple[str, str]], at: timedelta) -> list[Mention]:
    told = {"publisher": "standard.co.uk", "published_at": NOON + at, "first_seen_at": NOON + at}
    return [
        headline(title, id=f"rss:{number}", link=f"https://standard.co.uk/{number}", **told)
        for number, (_, title) in enumerate(pairs)
    ]


def red(store: MentionStore) -> int:
    return store.count(parse("rag:red platform:x"))


@pytest.mark.parametrize("at", [-HOUR, HOUR])
def test_each_post_finds_its_own_news_among_those_of_other_matters(store: MentionStore, at: timedelta) -> None:
    keep(store, *posts(SAME))
    assert lower_told(store, NOON + HOUR) == 0
    keep(store, *reports(SAME, at), *(replace(each, id=f"o{each.id}") for each in reports(OTHER, at)))
    assert red(store) == len(SAME)
    assert lower_told(store, NOON + HOUR) == len(SAME)
    assert red(store) == 0
    for number in range(len(SAME)):
        held = store.get([f"x:{number}"])[f"x:{number}"].assessment
        assert held.reasons[-1].says == f"already told by standard.co.uk: https://standard.co.uk/{number}"
    assert lower_told(store, NOON + HOUR) == 0
    assert store.check() == []


def test_similar_news_lower_nothing_however_many_there_are(store: MentionStore) -> None:
    keep(store, *posts(OTHER), *reports(OTHER, -HOUR))
    assert lower_told(store, NOON + HOUR) == 0


def test_only_the_last_hours_are_looked_at(store: MentionStore) -> None:
    keep(store, *posts(SAME), *reports(SAME, HOUR))
    assert lower_told(store, NOON + LOOK_BACK + HOUR) == 0


def test_a_corrected_post_is_left_alone(store: MentionStore, tmp_path: Path) -> None:
    keep(store, *posts(SAME[:1]), *reports(SAME[:1], HOUR))
    state = open_state(f"sqlite:{tmp_path}/state.db")
    choices = Choices(topic_names(), borough_names())
    correct(store, state, "x:0", {"rag": "red"}, choices, Signature("Sam", "a leak", NOON))
    state.close()
    assert lower_told(store, NOON + HOUR) == 0
    assert store.get(["x:0"])["x:0"].assessment.rag is Rag.RED


def test_what_waits_for_its_judgement_is_left_to_that(store: MentionStore) -> None:
    keep(store, *reports(SAME, HOUR))
    waiting = [Assessed(each, replace(shipped().assess_whole(each), pending=("model",))) for each in posts(SAME)]
    store.save(waiting)
    assert lower_told(store, NOON + HOUR) == 0
    store.judge([Assessed(each.mention, replace(each.assessment, pending=())) for each in waiting])
    assert lower_told(store, NOON + HOUR) == len(SAME)


def test_thousands_of_the_public_do_not_hide_the_press(store: MentionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "MOST_READ", 5)
    keep(store, *posts(SAME[:1]), *reports(SAME[:1], -HOUR))
    crowd = [replace(posts(SAME[:1])[0], id=f"x:crowd{n}", published_at=NOON + HOUR / 2) for n in range(20)]
    store.save([Assessed(each, replace(shipped().assess(each), rag=Rag.GREEN, pending=())) for each in crowd])
    assert lower_told(store, NOON + HOUR) == 1


def test_a_look_up_that_is_broken_off_goes_on_with_the_others(store: MentionStore) -> None:
    days = [replace(each, published_at=NOON - HOUR * 13 * n) for n, each in enumerate(posts(SAME[:2]))]
    keep(store, *days, *reports(SAME[:2], HOUR))
    looked: set[str] = set()
    assert [lower_told(store, NOON + HOUR, looked, at_once=0) for _ in range(2)] == [1, 1]


def test_each_report_is_read_once_however_many_posts_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = public_domain._read, []

    def counted(words: str, topic: str) -> object:
        asked.append(words)
        return read(words, topic)

    monkeypatch.setattr(public_domain, "_read", counted)
    judged = [Assessed(each, shipped().assess_whole(each)) for each in (*posts(SAME[:1]), *reports(SAME[:1], HOUR))]
    told = public_domain.Told(judged[1:])
    assert all(public_domain.find_told(judged[0], told) != judged[0] for _ in range(20))
    assert asked.count(judged[1].mention.words) == 1
