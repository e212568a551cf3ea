"""Floors under words and model together on posts that nothing was learnt from, by writers who knew the guide and not
the program (CC0), of the same kind as those who wrote what is learnt from: `tests/fresh_posts.jsonl` in the proportions
that a force would meet; `tests/exam_posts.jsonl` by examiners, with every topic and many traps, read once more by one
who did not see the labels: where the two differ the label is left out.

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

FOLDER = Path(__file__).parents[1]
FLOORS = {
    "fresh_posts.jsonl": {"relevant": 0.91, "sentiment": 0.82, "rag": 0.75, "debate": 0.78},
    "exam_posts.jsonl": {"relevant": 0.80, "sentiment": 0.77, "rag": 0.67, "debate": 0.88},
}
REDS = {"fresh_posts.jsonl": (0.85, 0.06), "exam_posts.jsonl": (0.88, 0.05)}  # found at least; shown green at most
Row = dict[str, Any]
Run = tuple[str, ...]


def runs(row: Row) -> set[Run]:
    """Every three words that follow one another in its title and text."""
    words = re.findall(r"\w+", f"{row.get('title', '')} {row['text']}".lower())
    return set(zip(words, words[1:], words[2:], strict=False))


@cache
def found(file: str) -> Report:
    return measured(deep(), ((row, row["labels"]) for row in read_json_lines(FOLDER / file)))


@pytest.mark.parametrize(("file", "field"), [(file, field) for file, floors in FLOORS.items() for field in floors])
def test_posts_that_nothing_was_learnt_from_are_judged_no_worse_than_before(file: str, field: str) -> None:
    assert found(file).fields[field].macro_f1 >= FLOORS[file][field]


@pytest.mark.parametrize(("file", "recall", "green"), [(file, *bounds) for file, bounds in REDS.items()])
def test_most_reds_are_found_and_few_shown_green(file: str, recall: float, green: float) -> None:
    rag = found(file).fields["rag"]
    reds = sum(count for (label, _), count in rag.confusion.items() if label == "red")
    assert rag.score("red").recall >= recall
    assert rag.confusion.get(("red", "green"), 0) <= green * reds


@pytest.mark.parametrize("file", FLOORS)
def test_no_post_is_much_like_one_that_is_learnt_from(file: str) -> None:
    learnt: dict[Run, set[str]] = {}
    for row in read_json_lines(LABELS / "written.jsonl"):
        for run in runs(row):
            learnt.setdefault(run, set()).add(row["id"])
    for row in read_json_lines(FOLDER / file):
        shared = Counter(known for run in runs(row) for known in learnt.get(run, ()))
        most = max(shared.values(), default=0)
        assert most < max(3, len(runs(row)) / 4), (row["id"], shared.most_common(1))
