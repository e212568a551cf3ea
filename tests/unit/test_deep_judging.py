"""The deferred judgement: words first, the model later, and each mention by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from analysis.pipeline import COULD_NOT, Pipeline
from analysis.reading import shipped as shipped_model
from mentions.mention import Assessed, Mood
from mentions.stores.sqlite import SqliteStore
from tests.judging import deep, headline, say

TEXTS = (
    "Police are investigating a murder in Croydon",
    "Massive thank you to the officers from Lewisham who came so fast last night, brilliant",
    "Burgled twice, rang 101 and waited an hour. Useless lot, what do we pay them for",
    "Met Office says rain",
    "La policía vino muy tarde otra vez, no sirven para nada en este barrio",
    "🙄",
    "a" * 10_000,
    "police! " * 1_000,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    held = SqliteStore(tmp_path / "mentions.db")
    yield held
    held.close()


def test_words_judge_at_once_and_the_model_is_waited_for() -> None:
    mention = say(TEXTS[0])
    opinion = deep().assess(mention)
    assert opinion.pending == ("model",)
    assert not any(step.startswith("model/") for step in opinion.made_by)
    assert opinion.rag == Pipeline().assess(mention).rag


def test_the_later_opinion_names_the_model_that_gave_it() -> None:
    opinion = deep().assess_whole(say(TEXTS[0]))
    assert opinion.pending == ()
    assert f"model/{shipped_model().digest}" in opinion.made_by


def test_the_store_is_the_queue_and_what_is_settled_waits_no_more(store: SqliteStore) -> None:
    mentions = [say(text, id=f"x:{at}") for at, text in enumerate(TEXTS)]
    store.save([deep().assess_for_store(mention) for mention in mentions])
    assert deep().assess_pending(store, 5) == 5
    assert deep().assess_pending(store, 5) == len(TEXTS) - 5
    assert deep().assess_pending(store, 5) == 0
    held = store.get([mention.id for mention in mentions])
    assert all(held[each.id].assessment == deep().assess_whole(each) for each in mentions)


def test_what_waited_for_a_model_is_settled_by_words_where_there_is_none(store: SqliteStore) -> None:
    mention = say(TEXTS[0])
    store.save([deep().assess_for_store(mention)])
    assert Pipeline().assess_pending(store, 5) == 1
    assert store.get([mention.id])[mention.id].assessment == Pipeline().assess_whole(mention)


def test_a_mention_is_judged_alike_in_any_order_and_company() -> None:
    mentions = [say(text, id=f"x:{at}") for at, text in enumerate(TEXTS)]
    alone = {mention.id: Pipeline(model=shipped_model()).assess_whole(mention) for mention in mentions}
    mentions *= 2
    Random(5).shuffle(mentions)
    assert all(deep().assess_whole(mention) == alone[mention.id] for mention in mentions)


def test_what_is_not_english_the_model_does_not_read() -> None:
    opinion = deep().assess_whole(say(TEXTS[4]))
    assert (opinion.lang, opinion.mood.label) == ("es", Mood.UNCERTAIN)
    assert not any(step.startswith("model/") for step in opinion.made_by)


def test_every_reason_points_into_the_text() -> None:
    for text in TEXTS:
        mention = say(text)
        for reason in deep().assess_whole(mention).reasons:
            assert (reason.start, reason.end) == (-1, -1) or 0 <= reason.start < reason.end <= len(mention.words)


def test_a_text_that_breaks_the_model_is_marked_and_the_queue_goes_on(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = type(shipped_model()).read

    def breaks(model: object, text: str, targets: object = (), **how: object) -> object:
        if "murder" in text:
            raise ValueError("a bug")
        return read(model, text, targets, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(type(shipped_model()), "read", breaks)
    poison, sound = say(TEXTS[0], id="x:1"), say(TEXTS[1], id="x:2")
    store.save([Assessed(each, deep().assess(each)) for each in (poison, sound)])
    assert deep().assess_pending(store, 10) == 2
    marked = store.get(["x:1"])["x:1"].assessment
    assert (marked.pending, marked.unsure) == ((), True)
    assert COULD_NOT in [reason.says for reason in marked.reasons]
    assert store.get(["x:2"])["x:2"].assessment == deep().assess_whole(sound)


@pytest.mark.parametrize(
    "news",
    [
        "Police are investigating a murder in Croydon",
        "Man stabbed to death in Peckham: police appeal for witnesses",
        "Three arrested after robbery at jeweller's in Hatton Garden",
        "Woman dies after being hit by bus in Camden, Met Police say",
    ],
)
def test_news_of_crime_is_no_word_against_the_police(news: str) -> None:
    assert deep().assess_whole(headline(news)).sentiment.label is not Mood.NEGATIVE


def test_a_verdict_that_the_model_changes_has_the_models_reason_alone() -> None:
    against = "speaks against the police"
    for text in TEXTS:
        opinion = deep().assess_whole(say(text))
        if any(reason.says == against for reason in opinion.reasons):
            assert opinion.sentiment.label is Mood.NEGATIVE


@pytest.mark.parametrize(
    "text",
    [
        "My brother is suicidal, 999 won't come, we are in Hackney",
        "Man on a roof in Camden threatening to jump, officers here",
        "Missing 12 year old girl in Lewisham, please share",
        "our 13 year old daughter is missing from Croydon since last night",
        "Suicidal woman on Waterloo bridge now",
        "he says he's going to bomb the police station in Brixton",
    ],
)
def test_a_risk_to_life_in_london_is_flagged_whatever_else_it_is_about(text: str) -> None:
    for pipeline in (Pipeline(), deep()):
        opinion = pipeline.assess_whole(say(text))
        assert (opinion.relevant, opinion.risk_to_life) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "That was political suicide from the minister, what a week",
        "Suicide Squad is on at the Peckhamplex tonight, anyone fancy it",
        "I could kill him for eating my lunch again",
        "Missing my boys already, lovely weekend in Camden",
    ],
)
def test_a_manner_of_speaking_is_no_risk_to_life(text: str) -> None:
    assert not deep().assess_whole(say(text)).risk_to_life
