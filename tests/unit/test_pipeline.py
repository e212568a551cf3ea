"""One opinion of one mention: the same whatever the order or company, with reasons that point into its words."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.pipeline import COULD_NOT, LONGEST, Pipeline
from analysis.steps import language
from mentions.mention import Assessed, Assessment, Mention, Mood
from mentions.normalise import index_text
from mentions.query import parse
from mentions.stores.sqlite import SqliteStore
from mentions.watchlists import Watchlist
from tests.judging import headline, judged, say, shipped

WORDS = st.sampled_from(
    "police met the officer burgled in Hackney 🙄 thanks Barking useless London murder @mpscamden Café it's ﬁre "
    "İstanbul who knows? . \n charged gala Victoria NYPD don't £5 ß مرحبا \u200b \ufeff ' _".split(" ")
)
TEXTS = st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60)
SPANISH = "La policía llegó muy tarde a la calle donde vivo en Londres con mi familia"


@given(st.lists(TEXTS, min_size=2, max_size=6), st.randoms())
@settings(max_examples=40)
def test_the_same_text_gets_the_same_opinion_whatever_the_order_or_company(texts: list[str], random: object) -> None:
    alone = {text: Pipeline.assess(shipped(), say(text)) for text in texts}
    for text in reversed([*texts, *texts]):
        assert shipped().assess(say(text)) == alone[text]


@given(TEXTS, TEXTS)
@settings(max_examples=150)
def test_every_reason_points_into_the_words_or_nowhere(title: str, text: str) -> None:
    mention = say(text, title=title)
    for reason in shipped().assess(mention).reasons:
        assert reason.says
        assert (reason.start, reason.end) == (-1, -1) or 0 <= reason.start < reason.end <= len(mention.words)


def test_threads_share_one_pipeline() -> None:
    texts = [f"Police in {place} did nothing about the burglary" for place in ("Hackney", "Acton", "Penge", "Bow Road")]
    mentions = [say(text) for text in texts * 25]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shipped().assess, mentions)) == [shipped().assess(mention) for mention in mentions]


def test_every_step_signs_with_its_version() -> None:
    assert judged("Hello").made_by == (
        "language/1",
        "places/4",
        "relevance/7",
        "sentiment/4",
        "mood/2",
        "rating/7",
        "debates/2",
    )


def test_title_and_text_are_judged_together() -> None:
    opinion = shipped().assess(headline("Met officer in court", "He denies misconduct in Croydon."))
    assert (opinion.topic, opinion.boroughs) == ("officer_discipline", ("Croydon",))


def test_a_watchlist_matches_whatever_the_relevance() -> None:
    pipeline = Pipeline([Watchlist("airport", parse("lax OR gunman"))])
    opinion = pipeline.assess(say("Delayed at LAX again"))
    assert (opinion.watchlists, opinion.relevant) == (("airport",), False)


def test_talk_to_our_own_account_is_talk_to_the_police() -> None:
    pipeline = Pipeline(own_handles=["@ExampleForceDesk"])
    mention = say("@exampleforcedesk nobody has answered my report")
    assert pipeline.assess(mention).relevant
    assert not shipped().assess(mention).relevant


@pytest.mark.parametrize("text", ["", " ", "\u200b", "!!!", "🙄🙄", "a" * 50_000, "police " * 5_000])
def test_odd_texts_are_judged_like_any_other(text: str) -> None:
    assert judged(text).made_by


def test_what_stands_after_the_longest_length_judged_changes_nothing() -> None:
    start = ("the weather was fine and so " * 500)[:LONGEST]
    assert not judged(start + " the Met are racist").relevant


@pytest.mark.parametrize(
    "text", ["Café's OPEN, don't_panic 👮🏽", "fine " * (LONGEST // 5) + "and so on", "x" * LONGEST]
)
def test_what_goes_to_the_store_has_the_same_opinion_and_no_other_words_than_the_store_would_cut(text: str) -> None:
    mention = say(text)
    ready = shipped().assess_for_store(mention)
    assert ready == Assessed(mention, shipped().assess(mention))
    assert (ready.indexed or index_text(mention.words)) == index_text(mention.words)


# -- the deferred step ------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    held = SqliteStore(tmp_path / "mentions.db")
    yield held
    held.close()


def kept(store: SqliteStore, *mentions: Mention) -> None:
    store.save([Assessed(mention, shipped().assess(mention)) for mention in mentions])


def opinion_of(store: SqliteStore, mention: Mention) -> Assessment:
    return store.get([mention.id])[mention.id].assessment


def test_the_doubtful_are_settled_later_from_the_store(store: SqliteStore) -> None:
    spanish, english = say(SPANISH), say("Police came about the shed that was broken into", id="x:2")
    kept(store, spanish, english)
    assert opinion_of(store, spanish).pending == ("language",)

    assert shipped().assess_pending(store, 10) == 1
    assert (opinion_of(store, spanish).lang, opinion_of(store, spanish).pending) == ("es", ())
    assert opinion_of(store, spanish).mood.label is Mood.UNCERTAIN
    assert shipped().assess_pending(store, 10) == 0


def test_no_more_than_the_limit_are_settled_at_once(store: SqliteStore) -> None:
    kept(store, *(say(SPANISH, id=f"x:{number}") for number in range(5)))
    assert shipped().assess_pending(store, 3) == 3
    assert shipped().assess_pending(store, 3) == 2


def test_a_post_that_breaks_a_step_is_marked_and_holds_up_no_other(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, sound = say(SPANISH + " veneno", id="x:1"), say(SPANISH, id="x:2")
    kept(store, poison, sound)
    detect = language.detect

    def breaks(text: str) -> str:
        if "veneno" in text:
            raise ValueError("a bug")
        return detect(text)

    monkeypatch.setattr(language, "detect", breaks)
    assert shipped().assess_pending(store, 10) == 2
    marked = opinion_of(store, poison)
    assert (marked.unsure, marked.pending) == (True, ())
    assert COULD_NOT in [reason.says for reason in marked.reasons]
    assert opinion_of(store, sound).lang == "es"


def test_a_settled_opinion_keeps_what_the_inline_steps_said(store: SqliteStore) -> None:
    mention = say("Policía: Met Police, Brixton, police, officers, police", id="x:9")
    before = shipped().assess(mention)
    kept(store, mention)
    shipped().assess_pending(store, 10)
    after = opinion_of(store, mention)
    assert before.pending
    assert (after.relevant, after.boroughs, after.made_by) == (before.relevant, before.boroughs, before.made_by)
