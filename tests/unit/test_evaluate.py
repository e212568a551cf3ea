"""Measuring the judgement: shares and F1 with their intervals, calibration, kinds of rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.evaluate import Labelled, calibrate, evaluate, evaluate_by, interval
from analysis.scoreboard import make_board, tell_board
from mentions.mention import Assessment, Mood, Rag, Verdict

RED = Assessment(relevant=True, rag=Rag.RED, sentiment=Verdict(Mood.NEGATIVE, -0.9), made_by=("rating/1",))
GREEN = replace(RED, rag=Rag.GREEN, sentiment=Verdict(Mood.NEUTRAL, 0.0))


def row(opinion: Assessment, rag: str, **more: str) -> Labelled:
    return Labelled(opinion, {"relevant": True, "rag": rag, "sentiment": "neg"}, **more)


def test_the_same_rows_always_get_the_same_interval_and_it_holds_the_value() -> None:
    rows = [row(RED, "red"), row(GREEN, "red"), row(GREEN, "green"), row(RED, "red"), row(RED, "green")] * 8
    found = evaluate(rows).fields["rag"]
    ends = interval(each.macro_f1 for each in found.redrawn())
    assert ends is not None
    assert ends[0] < found.macro_f1 < ends[1]
    assert ends == interval(each.macro_f1 for each in evaluate(rows).fields["rag"].redrawn())


def test_rows_of_one_thread_count_as_one_so_that_the_interval_is_wider() -> None:
    def width(*, grouped: bool) -> float:
        rows = [
            row(RED if n % 40 < 30 else GREEN, "red", group=f"thread {n // 10}" if grouped else "") for n in range(80)
        ]
        low, high = interval(each.accuracy for each in evaluate(rows).fields["rag"].redrawn()) or (0, 0)
        return high - low

    assert width(grouped=True) > 1.5 * width(grouped=False)


def test_what_red_is_shown_as_is_told_with_its_interval() -> None:
    rag = evaluate([row(RED, "red")] * 8 + [row(GREEN, "red")] * 2 + [row(GREEN, "green")]).fields["rag"]
    shown = rag.shown("red", "green")
    assert shown is not None
    assert (shown.share, shown.n) == (0.2, 10)
    assert 0.05 < shown.low < 0.2 < shown.high < 0.55
    assert rag.shown("amber", "green") is None


def test_claims_that_are_as_often_right_as_sure_have_no_error() -> None:
    perfect = calibrate([(0.75, True)] * 3 + [(0.75, False)] + [(1.0, True)] * 5)
    assert perfect.error == pytest.approx(0.0)
    assert [(each.low, each.right.n) for each in perfect.bins] == [(0.7, 4), (0.9, 5)]
    boastful = calibrate([(0.9, True)] * 5 + [(0.9, False)] * 5)
    assert boastful.error == pytest.approx(0.4)
    assert calibrate([]).error == 0.0


def test_only_what_is_called_for_or_against_claims_to_be_sure() -> None:
    assert evaluate([row(RED, "red"), row(GREEN, "green")]).calibration.claims == 1


def test_each_kind_is_measured_by_itself_and_rows_of_none_are_left_out() -> None:
    rows = [row(RED, "red", dialect="mle"), row(GREEN, "red", dialect="standard"), row(GREEN, "red")]
    found = evaluate_by(rows, lambda each: each.dialect)
    assert {name: report.fields["rag"].accuracy for name, report in found.items()} == {"mle": 1.0, "standard": 0.0}


def test_a_field_that_nobody_labelled_is_not_scored_and_relevance_may_be_known_otherwise() -> None:
    alone = Labelled(RED, {"rag": "green"}, relevant=True)
    report = evaluate([alone, Labelled(RED, {"rag": "green"})])
    assert (report.fields["rag"].total, report.fields["relevant"].total) == (1, 0)
    assert make_board([alone], "Sam", "here")["fields"].keys() == {"rag"}


def test_the_board_says_whose_labels_they_are_and_every_number_has_an_interval() -> None:
    board = make_board([row(RED, "red", platform="x"), row(GREEN, "red", platform="rss")], "Two readers", "f.jsonl")
    lines = "\n".join(tell_board(board))
    assert "2 rows of f.jsonl, labelled by Two readers; judged by rating/1" in lines
    assert "red recall: 0.500 (0.09" in lines
    assert "red shown green: 0.500" in lines
    assert "confused: red as green 1" in lines
    assert "platform rss, 1 rows" in lines
