"""Floors under words and model together on posts that nothing was learnt from: 300 written for it by one who knew the
guide and not the program (`tests/fresh_posts.jsonl`, CC0), of the same kind as those who wrote what is learnt from.

Train on them, or mend words while looking at them, and they measure nothing any more: have others written then.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from analysis.evaluate import Report
from analysis.train.police import LABELS, read_json_lines
from tests.judging import deep, measured

FRESH = Path(__file__).parents[1] / "fresh_posts.jsonl"
Row = dict[str, Any]
Run = tuple[str, ...]


def runs(row: Row) -> set[Run]:
    """Every three words that follow one another in its title and text."""
    words = re.findall(r"\w+", f"{row.get('title', '')} {row['text']}".lower())
    return set(zip(words, words[1:], words[2:], strict=False))


@cache
def found() -> Report:
    return measured(deep(), ((row, row["labels"]) for row in read_json_lines(FRESH)))


@pytest.mark.parametrize(("field", "floor"), [("relevant", 0.90), ("sentiment", 0.80), ("rag", 0.72), ("debate", 0.78)])
def test_fresh_posts_are_judged_no_worse_than_before(field: str, floor: float) -> None:
    assert found().fields[field].macro_f1 >= floor


def test_four_reds_of_five_are_found_in_fresh_posts_and_few_shown_green() -> None:
    rag = found().fields["rag"]
    reds = sum(count for (label, _), count in rag.confusion.items() if label == "red")
    assert rag.score("red").recall >= 0.80
    assert rag.confusion.get(("red", "green"), 0) <= 0.10 * reds


def test_no_fresh_post_is_much_like_one_that_is_learnt_from() -> None:
    learnt: dict[Run, set[str]] = {}
    for row in read_json_lines(LABELS / "written.jsonl"):
        for run in runs(row):
            learnt.setdefault(run, set()).add(row["id"])
    for row in read_json_lines(FRESH):
        shared = Counter(known for run in runs(row) for known in learnt.get(run, ()))
        most = max(shared.values(), default=0)
        assert most < max(3, len(runs(row)) / 4), (row["id"], shared.most_common(1))
