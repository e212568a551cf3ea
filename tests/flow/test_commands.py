"""The command-line contract, kept by real processes over a real data directory."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from listener.cli import COMMANDS
from tests.earshot import command, earshot, surroundings

ROWS = [
    {"id": "1", "platform": "twitter", "text": "Well done to the Met Police in Croydon tonight",
     "time": "2026-03-01T10:00:00Z"},
    {"id": "rss:9", "platform": "rss", "title": "Met Police officer charged with misconduct",
     "link": "https://www.bbc.co.uk/news/1", "time": "2026-03-01T11:00:00"},
    {"id": "2", "platform": "forum", "text": "Anyone know a good plumber?", "site": "se23.life",
     "time": "2026-03-01T12:00:00+00:00"},
]  # fmt: skip
BAD = ["{not json", "[]", '{"id": "3", "platform": "x"}', '{"id": "4", "platform": "x", "text": "a", "time": "soon"}']


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    (tmp_path / "mixed.jsonl").write_text(
        "\n".join([BAD[0], json.dumps(ROWS[0]), *BAD[1:], json.dumps(ROWS[1])]) + "\n", "utf-8"
    )
    return tmp_path


def search(folder: Path, *words: str) -> list[dict[str, object]]:
    done = earshot("search", *words, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(tmp_path: Path, name: str) -> None:
    done = earshot(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert re.search(rf"example:\n  earshot {name}", done.stdout)
    assert "--config" in done.stdout
    assert "--data" in done.stdout


def test_help_lists_every_command_with_what_it_does(tmp_path: Path) -> None:
    done = earshot("--help", cwd=tmp_path)
    assert all(re.search(rf"^ +{name}\s+\w", done.stdout, re.MULTILINE) for name in COMMANDS)


def test_an_import_is_counted_and_importing_again_changes_nothing(folder: Path) -> None:
    assert earshot("import", "good.jsonl", cwd=folder).stdout.strip() == "seen 3 new 3 updated 0 rejected 0"
    again = earshot("import", "good.jsonl", cwd=folder)
    assert (again.returncode, again.stdout.strip()) == (0, "seen 3 new 0 updated 0 rejected 0")


def test_bad_lines_are_told_by_file_and_line_and_the_others_kept(folder: Path) -> None:
    done = earshot("import", "mixed.jsonl", cwd=folder)
    assert done.returncode == 1
    assert done.stdout.strip() == "seen 6 new 2 updated 0 rejected 4"
    told = [line for line in done.stderr.splitlines() if line.startswith("mixed.jsonl:")]
    assert [line.split(":")[1] for line in told] == ["1", "3", "4", "5"]


def test_a_file_that_is_not_there_stops_the_import_before_it_begins(folder: Path) -> None:
    done = earshot("import", "good.jsonl", "nowhere.jsonl", cwd=folder)
    assert done.returncode == 2
    assert "nowhere.jsonl" in done.stderr
    assert not (folder / "earshot-data" / "mentions.db").exists()


def test_ids_keep_their_colon_or_get_their_platform_and_twitter_is_read_as_x(folder: Path) -> None:
    earshot("import", "good.jsonl", cwd=folder)
    assert [row["id"] for row in search(folder, "")] == ["forum:2", "rss:9", "x:1"]


def test_search_finds_newest_first_within_its_window(folder: Path) -> None:
    earshot("import", "good.jsonl", cwd=folder)
    assert [row["id"] for row in search(folder, "met police")] == ["rss:9", "x:1"]
    assert [row["id"] for row in search(folder, "met", "--from", "2026-03-01T11:00")] == ["rss:9"]
    assert [row["id"] for row in search(folder, "met", "--to", "2026-03-01T11:00")] == ["x:1"]
    assert [row["id"] for row in search(folder, '"met police" NOT croydon')] == ["rss:9"]
    row = search(folder, "misconduct")[0]
    assert set(row) == {"id", "platform", "published_at", "title", "text", "link", "source", "assessment"}
    assert row["published_at"] == "2026-03-01T11:00:00+00:00"


def test_a_lone_not_is_refused_in_one_line(folder: Path) -> None:
    earshot("import", "good.jsonl", cwd=folder)
    done = earshot("search", "NOT police", cwd=folder)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_searching_where_nothing_is_kept_says_what_to_do(tmp_path: Path) -> None:
    done = earshot("search", "police", cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "earshot-data").exists()


def test_a_search_and_an_export_are_in_the_audit(folder: Path) -> None:
    from mentions.sqlstate import open_state

    earshot("import", "good.jsonl", cwd=folder)
    search(folder, "police")
    earshot("export", "--out", "all.jsonl", cwd=folder)
    state = open_state(f"sqlite:{folder}/earshot-data/state.db")
    acts = [(entry.action, entry.detail.get("query", "")) for entry in state.audit_trail()]
    state.close()
    assert acts == [("export", ""), ("search", "police")]


def test_an_export_imported_elsewhere_gives_the_same_export(folder: Path) -> None:
    earshot("import", "good.jsonl", cwd=folder)
    assert earshot("export", "--out", "out.jsonl", cwd=folder).returncode == 0
    assert earshot("import", "out.jsonl", "--data", "other", cwd=folder).returncode == 0
    assert earshot("export", "--data", "other", cwd=folder).stdout == (folder / "out.jsonl").read_text("utf-8")


def test_score_gives_each_row_back_judged_alone_whatever_its_company(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in ROWS]
    together = score(tmp_path, lines)
    assert [{**row} for row in ROWS] == [{k: v for k, v in row.items() if k != "assessment"} for row in together]
    backwards = score(tmp_path, lines[::-1])[::-1]
    alone = [score(tmp_path, [line])[0] for line in lines]
    assert together == backwards == alone
    keys = {
        "relevant",
        "sentiment",
        "mood",
        "rag",
        "topic",
        "public_domain",
        "boroughs",
        "bcu",
        "debate",
        "reasons",
        "made_by",
    }
    assert all(set(row["assessment"]) == keys for row in together)  # type: ignore[call-overload]
    assert not (tmp_path / "earshot-data").exists()


def score(folder: Path, lines: list[str]) -> list[dict[str, object]]:
    done = earshot("score", cwd=folder, stdin="\n".join(lines).encode())
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_score_skips_what_it_cannot_read_and_says_so(tmp_path: Path) -> None:
    done = earshot("score", cwd=tmp_path, stdin="\n".join([*BAD, json.dumps(ROWS[0])]).encode())
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["1", "2", "3", "4"]


def test_detect_prints_a_score_and_an_alert_for_every_row(tmp_path: Path) -> None:
    rows = "".join(f"2026-03-01 {n // 12:02}:{n % 12 * 5:02}:00,{200 if n == 200 else 3}\n" for n in range(240))
    (tmp_path / "counts.csv").write_text("timestamp,value\n" + rows)
    done = earshot("detect", "counts.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "timestamp,value,score,alert"
    assert len(lines) == 241
    assert [line.split(",")[0] for line in lines if line.endswith(",1")] == ["2026-03-01 16:40:00"]


def test_sources_and_alerts_are_json_arrays_even_when_nothing_happened_yet(tmp_path: Path) -> None:
    for name in ("sources", "alerts"):
        done = earshot(name, "--json", cwd=tmp_path)
        assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_resuming_a_source_that_is_not_there_says_how_to_find_its_name(tmp_path: Path) -> None:
    done = earshot("sources", "--resume", "nobody", cwd=tmp_path)
    assert done.returncode == 2
    assert "earshot sources" in done.stderr


def test_an_export_that_is_broken_off_is_on_record_all_the_same(folder: Path) -> None:
    from mentions.sqlstate import open_state

    earshot("import", "good.jsonl", cwd=folder)
    done = earshot("export", "--out", "/dev/full/nowhere", cwd=folder)
    assert done.returncode == 2
    state = open_state(f"sqlite:{folder}/earshot-data/state.db")
    acts = [entry.action for entry in state.audit_trail()]
    state.close()
    assert acts == ["export"]


@pytest.mark.parametrize("words", [("search", ""), ("export",)], ids=lambda words: words[0])
def test_an_output_that_is_full_ends_in_one_line_and_exit_code_2(folder: Path, words: tuple[str, ...]) -> None:
    earshot("import", "good.jsonl", cwd=folder)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command(*words),
            cwd=folder,
            env=surroundings(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"cannot write the output" in done.stderr


def test_score_gives_back_keys_it_does_not_know_whatever_they_hold(tmp_path: Path) -> None:
    odd = '{"id": "1", "platform": "x", "text": "hi", "extra": "\\ud800"}'
    done = earshot("score", cwd=tmp_path, stdin=f"{odd}\n{json.dumps(ROWS[0])}\n".encode())
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert json.loads(done.stdout.splitlines()[0])["extra"] == "\ud800"


def test_debates_are_listed_by_borough_as_of_a_time(folder: Path) -> None:
    rows = [
        {"id": "7", "platform": "forum", "site": "se23.life", "title": "Bikes", "time": "2026-03-01T12:00:00Z",
         "text": "Anyone else had a bike stolen in Forest Hill?", "url": "https://se23.life/t/bikes/7"},
        {"id": "8", "platform": "forum", "site": "se23.life", "title": "Re: Bikes", "time": "2026-03-01T13:00:00Z",
         "text": "Mine too, from the station", "url": "https://se23.life/t/bikes/7/2"},
    ]  # fmt: skip
    (folder / "forum.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (folder / "earshot.toml").write_text('[borough_accounts]\nLewisham = "@MPSLewisham"\n', "utf-8")
    assert earshot("import", "forum.jsonl", cwd=folder).returncode == 0
    done = earshot("debates", "--borough", "lewisham", "--at", "2026-03-01T14:00", "--json", cwd=folder)
    (found,) = json.loads(done.stdout)
    assert (found["boroughs"], found["posts"], found["ids"]) == (["Lewisham"], 2, ["forum:7", "forum:8"])
    assert found["account"] == "@MPSLewisham"
    assert found["score"] == sum(reason["points"] for reason in found["reasons"])
    told = earshot("debates", "--at", "2026-03-01T14:00", cwd=folder).stdout
    assert told.startswith("Lewisham\n")
    assert "@MPSLewisham answers" in told


def test_the_audit_says_as_of_when_debates_were_asked_for(folder: Path) -> None:
    from mentions.sqlstate import open_state

    assert earshot("import", "good.jsonl", cwd=folder).returncode == 0
    assert earshot("debates", cwd=folder).returncode == 0
    with closing(open_state(f"sqlite:{folder}/earshot-data/state.db")) as state:
        (detail,) = [entry.detail for entry in state.audit_trail() if entry.action == "debates"]
    assert datetime.fromisoformat(str(detail["at"])).tzinfo


def test_a_borough_that_is_none_is_refused_in_a_line(folder: Path) -> None:
    done = earshot("debates", "--borough", "Atlantis", cwd=folder)
    assert done.returncode == 2
    assert '"Atlantis" is not a London borough' in done.stderr
