"""`earshot correct`, `rescore`, `evaluate` and `export --labels` as a user types them."""

from __future__ import annotations

import json
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from listener.cli import main
from listener.labels import LabelReader, LabelRow
from listener.rows import BadRow
from mentions.boards import read_body
from mentions.clock import utc_now
from mentions.mention import Mood, Rag, Verdict
from mentions.sqlstate import open_state
from mentions.stores import open_store
from tests.judging import deep

ROWS = [
    {"id": "1", "platform": "forum", "time": "2026-03-01T09:00", "text": "Police should be ashamed, useless in Brent"},
    {
        "id": "2",
        "platform": "forum",
        "time": "2026-03-02T09:00",
        "text": "Burglary by Quilme Row, police never came",
    },
    {"id": "3", "platform": "x", "time": "2026-03-03T09:00", "text": "Lovely weather for a picnic"},
]
SIGNED = ("--by", "Sam Roe", "--because", "I live there")


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def earshot(*words: str, cwd: Path) -> Done:
    """Run one command in this process, which is quicker than in one of its own."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        try:
            code = main(words)
        except SystemExit as stopped:  # argparse ends so
            code = int(str(stopped.code))
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three imported posts, read by the model as the daemon would have them."""
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    done = earshot("import", "posts.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with closing(open_store(f"sqlite:{tmp_path / 'earshot-data/mentions.db'}")) as store:
        assert deep().assess_pending(store, 10) == 3
    return tmp_path


def told(folder: Path, *words: str) -> Any:
    done = earshot(*words, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def found(folder: Path, number: int) -> Any:
    (row,) = [row for row in told(folder, "search", "") if row["id"] == f"forum:{number}"]
    return row["assessment"]


def audited(folder: Path) -> list[str]:
    with closing(open_state(f"sqlite:{folder / 'earshot-data/state.db'}")) as state:
        assert state.broken_audit() is None
        return [entry.action for entry in state.audit_trail()]


def correct(folder: Path, *words: str) -> None:
    done = earshot("correct", *words, *SIGNED, cwd=folder)
    assert done.returncode == 0, done.stderr


def test_a_correction_is_kept_over_a_rescore_shown_and_on_record(folder: Path) -> None:
    done = earshot("correct", "forum:1", "--set", "rag=green", "--set", "borough=Ealing", *SIGNED, cwd=folder)
    assert done.stdout == "forum:1 boroughs: Brent -> Ealing\nforum:1 rag: red -> green\n"
    told(folder, "rescore", "--since", "2026-01-01")  # what the import left to the model
    row = told(folder, "rescore", "--since", "2026-01-01")
    assert (row["seen"], row["changed"], row["corrected"], row["failed"]) == (3, 0, 1, 0)
    opinion = found(folder, 1)
    assert (opinion["rag"], opinion["boroughs"]) == ("green", ["Ealing"])
    assert [each["by"] for each in opinion["corrections"]] == ["Sam Roe", "Sam Roe"]
    assert {"correct", "rescore"} <= set(audited(folder))
    undone = told(folder, "correct", "forum:1", "--undo", "rag", *SIGNED)
    assert undone["assessment"]["rag"] == "red"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "rag=blue"), 'rag cannot be "blue": expected one of none, green, amber, red'),
        (("--set", "topic=parking"), 'topic cannot be "parking": expected one of none, escaped_prisoner'),
        (("--set", "borough=Narnia"), "Barking and Dagenham"),
        (("--set", "mood=neg"), '"mood" is no field of the judgement'),
        (("--set", "rag"), "expected FIELD=VALUE"),
        (("--set", "rag=red", "--set", "rag=green"), "given twice"),
        (("--set", "borough=Brent", "--set", "Boroughs=Ealing"), "given twice"),
        (("--undo", "rag"), "nothing to undo"),
        (("--undo", "rag", "--place", "Quilme Row"), "--place goes with"),
        (("--set", "borough=Brent", "--place", "The Goose"), "is not named in forum:1"),
        ((), "one of the arguments --set --undo --taught --forget-place is required"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_that_says_what_can(
    folder: Path, words: tuple[str, ...], says: str
) -> None:
    done = earshot("correct", "forum:1", *words, *SIGNED, cwd=folder)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_mention_cannot_be_corrected(folder: Path) -> None:
    done = earshot("correct", "forum:9", "--set", "rag=red", *SIGNED, cwd=folder)
    assert (done.returncode, 'there is no mention "forum:9"' in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "words", [("correct", "forum:1", "--set", "rag=red", *SIGNED), ("rescore", "--since", "2026-01-01")]
)
def test_a_slip_in_the_data_directory_makes_none(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = earshot(*words, "--data", "mistyped", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_rescore_of_no_time_at_all_is_refused(folder: Path) -> None:
    done = earshot("rescore", "--since", "2030-01-01", "--until", "2020-01-01", cwd=folder)
    assert (done.returncode, "--until lies before --since" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"disputed": 5}, "disputed: expected an object"),
        ({"id": ["a"]}, "id: expected text"),
        ({"id": None, "by": "Sam"}, "id: is missing"),
        ({"labels": {"relevant": "no"}}, "relevant is true, false or null"),
        ({"labels": {"rag": "purple"}}, 'rag cannot be "purple"'),
        ({"labels": {"borough": 5}}, "borough is text or null"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_label_row_that_says_nothing_we_know_is_left_out_with_its_line(
    tmp_path: Path, row: dict[str, object] | str, says: str
) -> None:
    good = {**ROWS[0], "labels": {"relevant": True, "rag": "red"}}
    odd = row if isinstance(row, str) else json.dumps({k: v for k, v in {**good, **row}.items() if v is not None})
    (tmp_path / "labels.jsonl").write_text(f"\ufeff{json.dumps(good)}\n{odd}\n", "utf-8")
    read = list(LabelReader(None, utc_now()).read(tmp_path / "labels.jsonl"))
    assert isinstance(read[0], LabelRow)
    assert isinstance(read[1], BadRow)
    assert (read[1].line, says in read[1].reason) == (2, True), read[1]


def test_a_place_is_taught_and_the_next_rescore_and_import_know_it(folder: Path) -> None:
    (folder / "more.jsonl").write_text(json.dumps({**ROWS[1], "id": "4", "text": "Police outside Quilme Row again"}))
    correct(folder, "forum:2", "--set", "borough=Ealing", "--place", "Quilme Row")
    assert earshot("import", "more.jsonl", cwd=folder).returncode == 0
    assert found(folder, 4)["boroughs"] == ["Ealing"]
    correct(folder, "forum:2", "--undo", "borough")
    row = told(folder, "rescore", "--since", "2026-01-01")
    assert row["fields"]["boroughs"] == 1
    assert found(folder, 4)["boroughs"] == []


def test_lessons_are_listed_and_forgotten_on_record(folder: Path) -> None:
    correct(folder, "forum:2", "--set", "borough=Ealing", "--place", "Quilme Row")
    assert [row["name"] for row in told(folder, "correct", "--taught")] == ["Quilme Row"]
    assert "Quilme Row: Ealing (forum:2, Sam Roe" in earshot("correct", "--taught", cwd=folder).stdout
    unsigned = earshot("correct", "--forget-place", "quilme row", cwd=folder)
    assert (unsigned.returncode, "says who does it" in unsigned.stderr) == (2, True)
    assert earshot("correct", "--forget-place", "quilme row", *SIGNED, cwd=folder).returncode == 0
    assert told(folder, "correct", "--taught") == []
    assert "forget place" in audited(folder)
    again = earshot("correct", "--forget-place", "quilme row", *SIGNED, cwd=folder)
    assert (again.returncode, "no correction taught" in again.stderr) == (2, True)


def test_an_everyday_word_is_no_place(folder: Path) -> None:
    done = earshot("correct", "forum:2", "--set", "borough=Ealing", "--place", "police", *SIGNED, cwd=folder)
    assert (done.returncode, "everyday words" in done.stderr) == (2, True)


def test_a_dry_run_shows_what_would_change_and_changes_nothing(folder: Path) -> None:
    store = folder / "earshot-data/mentions.db"
    told(folder, "rescore", "--since", "2026-01-01")  # what the import left to the model
    before = audited(folder)
    with closing(open_store(f"sqlite:{store}")) as held:
        (first,) = held.get(["forum:1"]).values()
        older = replace(first.assessment, rag=Rag.GREEN, sentiment=Verdict(Mood.POSITIVE, 0.5))
        held.judge([replace(first, assessment=older)])
    row = told(folder, "rescore", "--since", "2026-01-01", "--dry-run")
    assert (row["changed"], row["became_red"], row["no_longer_red"]) == (1, ["forum:1"], [])
    assert row["rag"]["green"]["red"] == 1
    assert row["sentiment"]["pos"] == {"neg": 1}
    assert found(folder, 1)["rag"] == "green"
    assert audited(folder).count("rescore") == before.count("rescore")
    done = earshot("rescore", "--since", "2026-01-01", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "3 seen, 1 changed" in done.stdout
    assert "red now: forum:1" in done.stdout
    assert told(folder, "rescore", "--since", "2026-01-01")["changed"] == 0
    assert told(folder, "rescore", "--since", "2026-03-02", "--until", "2026-03-03")["seen"] == 1


def test_labels_leave_without_text_unless_asked_and_can_be_evaluated(folder: Path) -> None:
    correct(folder, "forum:1", "--set", "rag=green", "--set", "borough=none", "--set", "relevant=yes")
    done = earshot("export", "--labels", cwd=folder)
    labels = {"boroughs": None, "rag": "green", "relevant": True}
    labels["borough"] = labels.pop("boroughs")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": "forum:1", "platform": "forum", "labels": labels, "by": "Sam Roe"}
    ]
    assert earshot("export", "--labels", "--text", "--out", "labels.jsonl", cwd=folder).returncode == 0
    board = told(folder, "evaluate", "--labels", "labels.jsonl")
    assert (board["labelled_by"], board["rows"]) == ("Sam Roe", 1)
    assert board["fields"]["rag"]["confusion"] == [["green", "red", 1]]


def test_an_export_with_corrections_can_be_imported_elsewhere(folder: Path, tmp_path: Path) -> None:
    correct(folder, "forum:1", "--set", "rag=green")
    assert earshot("export", "--out", "all.jsonl", cwd=folder).returncode == 0
    other = tmp_path / "other"
    other.mkdir()
    assert earshot("import", "../all.jsonl", cwd=other).returncode == 0
    assert found(other, 1)["corrections"] == found(folder, 1)["corrections"]
    assert found(other, 1)["rag"] == "green"


def test_without_labels_the_corrections_measure_the_judgement(folder: Path) -> None:
    done = earshot("evaluate", cwd=folder)
    assert (done.returncode, "nothing labelled" in done.stderr) == (2, True)
    correct(folder, "forum:1", "--set", "rag=green")
    board = told(folder, "evaluate")
    assert board["labelled_by"] == "Sam Roe"
    assert board["fields"]["rag"]["accuracy"]["is"] == 0
    assert "corrections" in board["found_in"]
    with closing(open_state(f"sqlite:{folder / 'earshot-data/state.db'}")) as state:
        kept = state.board("evaluation")
    assert kept
    measured = read_body(kept.body)
    assert measured
    assert measured.told["rows"] == 1


def test_label_rows_find_their_text_below_corpora_and_disputed_fields_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/posts.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    header = {"made_by": "Two readers"}
    label = {"id": "1", "file": "posts.jsonl", "dialect": "mle",
             "labels": {"relevant": True, "rag": None, "sentiment": "neg", "topic": "none"},
             "disputed": {"rag": ["red", "green"]}}  # fmt: skip
    lost = [{**label, "id": "77"}, {**label, "file": "../secret.jsonl"}, {"id": "5", "labels": {}}, "x"]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, [header, label, *lost])))
    words = ("evaluate", "--labels", "labels.jsonl", "--corpora", "texts")
    done = earshot(*words, "--json", "--out", "out.json", cwd=tmp_path)
    assert done.returncode == 1
    board = json.loads(done.stdout)
    assert json.loads((tmp_path / "out.json").read_text()) == board
    assert (board["rows"], board["rejected"], board["labelled_by"]) == (1, 4, "Two readers")
    assert board["fields"].keys() == {"relevant", "sentiment", "topic"}
    assert board["dialects"]["mle"]["rows"] == board["platforms"]["forum"]["rows"] == 1
    assert "labels.jsonl:3: id: posts.jsonl has no readable row of that id" in done.stderr
    assert "labels.jsonl:4: file: there is no ../secret.jsonl below texts" in done.stderr
    plain = earshot(*words, "--labelled-by", "somebody else", cwd=tmp_path)
    assert "labelled by Two readers" in plain.stdout
    assert "sentiment: 1 rows, accuracy 1.000 (0.206 to 1.000)" in plain.stdout
