"""Judging what is held anew: what cannot be judged holds nobody up, and what was looked up stays known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.pipeline import COULD_NOT, Pipeline
from analysis.reading import shipped as shipped_model
from listener.labels import LabelRow
from listener.public import lower_told
from listener.rescoring import Rescored, reads_model, rescore
from mentions.mention import Assessed, Assessment, Mention, Rag
from mentions.query import parse
from mentions.store import MentionStore
from mentions.stores import open_store
from mentions.watchlists import Watchlist
from tests.judging import NOON, say, shipped
from tests.unit.test_lowering import keep, posts, reports
from tests.unit.test_public_domain import SAME

DAY = timedelta(days=1)


class Fragile(Pipeline):
    """Breaks on one text."""

    def assess_whole(self, mention: Mention) -> Assessment:
        if "poison" in mention.text:
            raise ValueError("a bug")
        return super().assess_whole(mention)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MentionStore]:
    with closing(open_store(f"sqlite:{tmp_path / 'mentions.db'}")) as opened:
        yield opened


def again(store: MentionStore, pipeline: Pipeline, *, write: bool = True) -> tuple[Rescored, list[int]]:
    steps: list[int] = []
    done = rescore(store, pipeline, NOON - DAY, None, write=write, progress=steps.append, tell=lambda failure: None)
    return done, steps


def test_one_that_breaks_the_judgement_is_left_as_it_was_and_holds_nobody_up(store: MentionStore) -> None:
    store.save([Assessed(say(text, id=f"x:{n}"), Assessment()) for n, text in enumerate(("poison", "police in Brent"))])
    done, _ = again(store, Fragile())
    assert (done.failed, done.changed, done.seen) == (1, 1, 1)
    assert store.get(["x:0"])["x:0"].assessment == Assessment()
    assert store.get(["x:1"])["x:1"].assessment.boroughs == ("Brent",)


def test_all_of_many_pages_are_judged_once_each(store: MentionStore) -> None:
    store.save([Assessed(say("police in Brent", id=f"x:{n}", published_at=NOON), Assessment()) for n in range(1201)])
    done, steps = again(store, shipped())
    assert (done.seen, done.changed, sum(steps)) == (1201, 1201, 1201)
    assert again(store, shipped())[0].changed == 0
    assert store.check() == []


def test_watchlists_that_run_are_matched_anew_and_others_keep_their_marks(store: MentionStore) -> None:
    watchlists = [Watchlist("brent", parse("brent"), "a test"), Watchlist("camden", parse("camden"), "a test")]
    store.save([Assessed(say("police in Brent", id="x:1"), Assessment(watchlists=("Camden", "expired")))])
    again(store, Pipeline(watchlists))
    assert store.get(["x:1"])["x:1"].assessment.watchlists == ("brent", "expired")
    assert store.check() == []


def test_what_was_found_to_be_public_stays_so(store: MentionStore) -> None:
    keep(store, *posts(SAME), *reports(SAME, -DAY / 24))
    assert lower_told(store, NOON) == len(SAME)
    done, _ = again(store, shipped())
    assert (done.changed, done.no_longer_red, done.became_red) == (0, [], [])
    assert store.get(["x:0"])["x:0"].assessment.rag is Rag.AMBER


def test_where_the_model_breaks_a_rescore_leaves_what_it_said_and_an_evaluation_counts_nothing(
    store: MentionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, mention = Pipeline(model=shipped_model()), say("The police were useless", id="x:1")
    good = Assessed(mention, pipeline.assess_whole(mention))
    store.save([good])
    assert reads_model(store, NOON - DAY, None)

    def breaks(*_: object) -> object:
        raise ValueError("a bug")

    monkeypatch.setattr(type(shipped_model()), "read", breaks)
    done, _ = again(store, pipeline)
    assert (done.failed, done.changed) == (1, 0)
    assert store.get(["x:1"])["x:1"].assessment == good.assessment
    assert LabelRow(mention, {"rag": "red"}, "Sam").judged(pipeline) is None
    assert COULD_NOT in [reason.says for reason in pipeline.assess_surely(mention).reasons]


def test_words_alone_have_no_part_of_the_model(store: MentionStore) -> None:
    keep(store, *posts(SAME))
    assert not reads_model(store, NOON - DAY, None)
