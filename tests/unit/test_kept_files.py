"""What is buried goes from files that somebody left in the data directory, and nothing else does."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener import kept_files
from listener.kept_files import Buried, clean_files
from mentions.failures import TemporaryFailure
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


@pytest.mark.parametrize("depth", [100_000])
def test_what_breaks_the_reading_of_a_file_keeps_nothing_else_from_being_cleaned(tmp_path: Path, depth: int) -> None:
    half = {**ROW, "watchlists": ["\ud83d"]}
    (tmp_path / "a.csv").write_text(f'id,text\nx:3,{"y" * 200_000}\nx:1,"{SAID}"\n')
    (tmp_path / "b.json").write_text(f'{"[" * depth}"{SAID}"{"]" * depth}')
    (tmp_path / "c.jsonl").write_text(f'{"[" * depth}"{SAID}"\n{json.dumps(half)}\n')
    (tmp_path / "d.json").write_text(json.dumps([half]))
    assert clean(tmp_path) == 4
    assert not any(SAID in path.read_text() for path in tmp_path.iterdir())
    assert json.loads((tmp_path / "d.json").read_text())[0]["watchlists"] == ["\ud83d"]


def test_a_fault_of_ours_leaves_a_file_to_be_gone_through_as_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.csv").write_text(f"id,text\nx:1,{SAID}\n")
    monkeypatch.setattr(kept_files, "_columns", lambda path: 1 // 0)
    assert clean(tmp_path) == 1
    assert (tmp_path / "a.csv").read_text() == "id,text\nx:1,[deleted]\n"
    assert "a.csv is gone through as a text reason=ZeroDivisionError" in caplog.text


def test_a_bad_byte_and_odd_ends_of_lines_hide_no_row(tmp_path: Path) -> None:
    odd = {**ROW, "source": "one\u2028two\u0085three"}
    line = json.dumps(odd, ensure_ascii=False).encode()
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "x:9", "text": "\xff"}\n' + line + b"\n")
    (tmp_path / "b.csv").write_bytes(b"id,link\nx:9,\xff\nx:1,https://x.example/1\n")
    assert clean(tmp_path) == 2
    other, row = (tmp_path / "a.jsonl").read_bytes().split(b"\n")[:2]
    assert (other, json.loads(row)) == (b'{"id": "x:9", "text": "\xff"}', {**GONE, "source": odd["source"]})
    assert (tmp_path / "b.csv").read_bytes().split() == [b"id,link", b"x:9,\xff", b"x:1,"]


def test_a_row_that_was_to_be_imported_is_known_by_its_platform(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    raw = [{"id": "1", "platform": "Twitter", "text": "quite short"}, {"id": 2, "platform": "x", "text": SAID}]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in [*raw, {"id": "3", "text": SAID}]))
    assert clean(tmp_path) == 1
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert "text" not in rows[0]
    assert rows[1:] == [raw[1], {"id": "3", "text": "[deleted]"}]


@pytest.mark.parametrize(("number", "raised"), [(errno.ENOSPC, True), (errno.EACCES, False)])
def test_a_file_that_had_no_room_is_told_of_and_the_others_are_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, raised: bool
) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(SAID)
    replace = kept_files._replace

    def failing(path: Path, parts: Iterable[bytes]) -> None:
        if path.name == "b.txt":
            raise OSError(number, "cannot")
        replace(path, parts)

    monkeypatch.setattr(kept_files, "_replace", failing)
    with pytest.raises(TemporaryFailure, match=r"b\.txt") if raised else nullcontext():
        clean(tmp_path)
    assert [SAID in (tmp_path / f"{name}.txt").read_text() for name in "abc"] == [False, True, False]


def test_a_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    (tmp_path / "a.txt").write_text(SAID)
    owner = (tmp_path / "a.txt").stat()
    monkeypatch.setattr(os, "chown", lambda path, *to: given.append(to))
    assert clean(tmp_path) == 1
    assert given == [(owner.st_uid, owner.st_gid)]
