"""Correcting on the Mentions page, the tone of the Now page, and the Accuracy page, run as Streamlit runs them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis.evaluate import Labelled
from analysis.scoreboard import make_board
from dashboard.holding import release_books
from mentions.boards import write_board
from mentions.mention import Assessed, Assessment, Mood, Rag, Verdict
from tests import seeding
from tests.flow.test_views import interpreted, table, texts, visit
from tests.seeding import Seeded


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    """Empty databases; the pages read them."""
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    with closing(seeding.open_seeded(tmp_path / "data")) as made:
        yield made
        release_books()


def opened(seeded: Seeded, text: str = "Police outside Quilme Row") -> AppTest:
    seeded.store.save([seeding.make_row(7, seeded.now - timedelta(minutes=1), Rag.RED, text=text)])
    return visit("mentions", id="test:7")


def held(seeded: Seeded) -> Assessment:
    return seeded.store.get(["test:7"])["test:7"].assessment


def sign(page: AppTest, because: str) -> None:
    page.text_input(key="who_corrects").set_value("R. Duty").run()
    page.text_input(key="correct_because-test:7").set_value(because).run()


def test_a_correction_takes_a_name_and_a_reason_and_is_shown_beside_the_judgement(seeded: Seeded) -> None:
    page = opened(seeded)
    page.selectbox(key="correct_field-test:7").set_value("rag").run()
    page.selectbox(key="correct_to_rag-test:7").set_value("green").run()
    assert page.button(key="correct").disabled
    sign(page, "a fête <b>by</b> @someone_private")
    page.button(key="correct").click().run()
    assert not page.exception
    assert held(seeded).rag is Rag.GREEN
    assert "corrected by R. Duty, " in texts(page)
    assert "rag red -> green because a fête" in texts(page)
    assert "someone_private" not in texts(page)
    assert "<b>" not in interpreted(page)
    entry = seeded.state.audit_trail(1)[0]
    assert (entry.actor, entry.action, entry.detail["rag"]) == ("R. Duty", "correct", "red -> green")


def test_the_form_of_another_post_starts_from_its_own_judgement(seeded: Seeded) -> None:
    page = opened(seeded)
    page.selectbox(key="correct_field-test:7").set_value("rag").run()
    page.selectbox(key="correct_to_rag-test:7").set_value("green").run()
    seeded.store.save([seeding.make_row(8, seeded.now - timedelta(minutes=1), Rag.AMBER)])
    page.query_params["id"] = "test:8"
    page.run()
    page.selectbox(key="correct_field-test:8").set_value("rag").run()
    assert page.selectbox(key="correct_to_rag-test:8").value == "amber"


def test_a_correction_can_be_taken_back(seeded: Seeded) -> None:
    page = opened(seeded)
    page.selectbox(key="correct_field-test:7").set_value("debate").run()
    page.selectbox(key="correct_to_debate-test:7").set_value("yes").run()
    sign(page, "they ask")
    assert page.button(key="undo").disabled
    page.button(key="correct").click().run()
    page.text_input(key="correct_because-test:7").set_value("they do not").run()
    page.button(key="undo").click().run()
    assert not held(seeded).debate
    assert "taken back by R. Duty" in texts(page)


def test_a_borough_may_name_its_place_and_one_the_post_does_not_name_is_refused(seeded: Seeded) -> None:
    page = opened(seeded)
    page.selectbox(key="correct_field-test:7").set_value("boroughs").run()
    page.multiselect(key="correct_to_boroughs-test:7").set_value(["Brent"]).run()
    sign(page, "I live there")
    page.text_input(key="correct_place-test:7").set_value("The Goose").run()
    page.button(key="correct").click().run()
    assert "is not named in test:7" in texts(page)
    page.text_input(key="correct_place-test:7").set_value("Quilme Row").run()
    page.button(key="correct").click().run()
    assert held(seeded).boroughs == ("Brent",)
    assert [place.name for place in seeded.state.taught_places()] == ["Quilme Row"]


def test_uncertain_is_a_band_of_its_own_on_the_now_page(seeded: Seeded) -> None:
    at = seeded.now.replace(minute=0) - timedelta(hours=2)
    moods = [Mood.NEGATIVE] * 4 + [Mood.UNCERTAIN] * 3 + [Mood.NEUTRAL] * 2 + [Mood.POSITIVE]
    rows = [seeding.make_row(n, at, Rag.GREEN) for n in range(len(moods))]
    seeded.store.save([
        Assessed(row.mention, replace(row.assessment, sentiment=Verdict(mood)))
        for row, mood in zip(rows, moods, strict=True)
    ])  # fmt: skip
    told = texts(visit())
    for line in ("Negative  40% (17% to 69%)", "Neutral  20%", "Uncertain  30% (11% to 60%)", "Positive  10%"):
        assert line in told


def test_nothing_measured_yet_says_what_to_run(seeded: Seeded) -> None:
    assert "earshot evaluate --labels FILE" in interpreted(visit("accuracy"))


def test_a_measurement_is_shown_with_intervals_whose_labels_and_when(seeded: Seeded) -> None:
    right = Assessment(relevant=True, rag=Rag.RED, sentiment=Verdict(Mood.NEGATIVE, -0.8), made_by=("rating/1",))
    wrong = replace(right, rag=Rag.GREEN)
    labels = {"relevant": True, "rag": "red", "sentiment": "neg", "topic": None}
    rows = [Labelled(each, labels, platform="x", dialect="mle") for each in [right] * 9 + [wrong]]
    board = {"at": seeded.now.isoformat(), "rejected": 2, **make_board(rows, "Two <b>readers</b>", "labels.jsonl")}
    seeded.state.keep_board("evaluation", seeded.now, write_board(board, seeded.now))
    page = visit("accuracy")
    told = texts(page)
    assert "10 labelled rows of labels.jsonl" in told
    assert "Labelled by: Two <b>readers</b>." in told
    assert "<b>" not in interpreted(page)
    assert "Red recall: 90% (60% to 98%) of 10" in told
    assert "Red shown green: 10% (2% to 40%) of 10" in told
    assert "red shown as green: 1" in told
    assert "2 rows could not be read" in told
    tables = "".join(table(page, number) for number in range(len(page.dataframe)))
    assert "mle" in tables
    assert "rag,10,90% (60% to 98%)" in tables


@pytest.mark.parametrize("board", ["{}", "[]", "no", json.dumps({"at": "x", "rows": "y"})])
def test_a_board_that_is_none_breaks_no_page(seeded: Seeded, board: str) -> None:
    seeded.state.keep_board("evaluation", seeded.now, board)
    assert "earshot evaluate" in interpreted(visit("accuracy"))
    seeded.state.keep_board("evaluation", seeded.now, write_board({"at": "x", "rows": "y"}, seeded.now))
    assert "earshot evaluate" in interpreted(visit("accuracy"))


def test_a_state_that_cannot_be_read_is_said_so(seeded: Seeded, tmp_path: Path) -> None:
    visit("accuracy")
    with sqlite3.connect(tmp_path / "data/state.db") as lost:
        lost.execute("DROP TABLE boards")
    assert "cannot be read at the moment" in interpreted(visit("accuracy"))
