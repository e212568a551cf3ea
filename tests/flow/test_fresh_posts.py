"""Floors under words and model together on posts that nothing was learnt from: 332 written for it by one who knew the
guide and not the program (`tests/fresh_posts.jsonl`, CC0).

Train on them, or mend words while looking at them, and they measure nothing any more: have others written then.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from analysis.evaluate import Labelled, Report, evaluate
from analysis.train.police import LABELS, to_mention
from analysis.train.texts import key_of
from tests.judging import deep

FRESH = Path(__file__).parents[1] / "fresh_posts.jsonl"


@cache
def found() -> Report:
    rows = [json.loads(line) for line in FRESH.read_text("utf-8").splitlines()]
    return evaluate([Labelled(deep().assess_whole(to_mention(row)), row["labels"]) for row in rows])


@pytest.mark.parametrize(("field", "floor"), [("relevant", 0.90), ("sentiment", 0.80), ("rag", 0.72), ("debate", 0.78)])
def test_fresh_posts_are_judged_no_worse_than_before(field: str, floor: float) -> None:
    assert found().fields[field].macro_f1 >= floor


def test_four_reds_of_five_are_found_in_fresh_posts_and_few_shown_green() -> None:
    rag = found().fields["rag"]
    reds = sum(count for (label, _), count in rag.confusion.items() if label == "red")
    assert rag.score("red").recall >= 0.80
    assert rag.confusion.get(("red", "green"), 0) <= 0.08 * reds


def test_no_fresh_post_is_among_those_that_are_learnt_from() -> None:
    learnt = {key_of(json.loads(line)["text"]) for line in (LABELS / "written.jsonl").read_text("utf-8").splitlines()}
    assert not learnt & {key_of(json.loads(line)["text"]) for line in FRESH.read_text("utf-8").splitlines()} - {""}
