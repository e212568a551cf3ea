"""What is buried goes from files that somebody left in the data directory, and nothing else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener.kept_files import Buried, clean_files
from mentions.mention import DELETED
from mentions.redaction import Redaction

SAID = "Two officers crouched behind the laundrette at noon"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW = {"id": "x:1", "platform": "x", "text": SAID, "link": "https://x.example/1", "author_key": "ab",
       "assessment": {"rag": "red", "reasons": [{"says": "says 'crouched'"}]}}  # fmt: skip
GONE = {"id": "x:1", "platform": "x", "assessment": {"rag": "red", "reasons": []},
        "deleted": {"at": "2026-03-01T12:00:00+00:00", "because": DELETED}}  # fmt: skip
OTHER = {"id": "x:2", "text": SAID}  # another's post that says the same


def clean(folder: Path, *passed_over: Path) -> int:
    return clean_files(folder, passed_over, Buried({"x:1"}, AT, DELETED, Redaction([SAID])))


def test_a_line_of_an_export_becomes_what_an_export_writes_of_a_tombstone(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text(f"{json.dumps(OTHER)}\n{json.dumps(ROW)}\n", "utf-8")
    path.chmod(0o640)
    assert clean(tmp_path) == 1
    assert [*map(json.loads, path.read_text("utf-8").splitlines())] == [OTHER, GONE]
    assert path.stat().st_mode & 0o777 == 0o640
    assert clean(tmp_path) == 0


def test_a_list_of_what_was_found_is_gone_through_and_so_is_a_report(tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(json.dumps([OTHER, ROW]))
    (tmp_path / "report.json").write_text(json.dumps({"wrong": [{"row": ROW}], "quote": f"it says {SAID}!"}))
    assert clean(tmp_path) == 2
    assert json.loads((tmp_path / "found.json").read_text()) == [OTHER, GONE]
    assert json.loads((tmp_path / "report.json").read_text()) == {
        "wrong": [{"row": GONE}],
        "quote": "it says [deleted]!",
    }


def test_a_row_of_a_table_is_emptied_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'\ufeffid,title,text,colour\r\nx:1,"A, ""B""",{SAID},red\r\nx:2,,{SAID},green\r\n', "utf-8")
    assert clean(tmp_path) == 1
    assert path.read_text("utf-8") == f"\ufeffid,title,text,colour\nx:1,,,red\nx:2,,{SAID},green\n"


@pytest.mark.parametrize("name", ["notes.txt", "table.csv", "broken.json", "broken.jsonl", "deep/er/notes.md"])
def test_a_text_of_any_other_kind_loses_what_it_quotes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{{it says {SAID} there\n")
    assert clean(tmp_path) == 1
    assert path.read_text() == "{it says [deleted] there\n"


def test_what_is_ours_or_no_text_or_elsewhere_is_left_alone(tmp_path: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere.txt"
    (data / "spool").mkdir(parents=True)
    for path in (elsewhere, data / "spool" / "1.jsonl", data / "mentions.db", data / "author.key"):
        path.write_text(SAID)
    (data / "picture").write_bytes(b"\0" + SAID.encode())
    (data / "link.txt").symlink_to(elsewhere)
    (data / "clean.txt").write_text("nothing of the kind")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert clean(data, data / "spool") == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
