"""Bad input: one clear line each saying what to do, exit code 2, nothing damaged."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.earshot import command, earshot, free_port, surroundings, wait_for

ROW = '{"id": "x:1", "platform": "x", "text": "Thanks to the officers in Croydon", "time": "2026-03-01T10:00:00Z"}\n'


def write_settings(folder: Path, text: str) -> Path:
    path = folder / "earshot.toml"
    path.write_text(text, "utf-8")
    return path


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2 and one line that holds these words, and no trace."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]


def test_a_misspelt_setting_is_named_with_what_was_meant(tmp_path: Path) -> None:
    write_settings(tmp_path, "[dashbord]\nport = 1\n")
    refused(earshot("search", "x", cwd=tmp_path), "earshot.toml", "dashbord", '"dashboard"')


def test_an_unknown_source_kind_is_named_with_the_known_ones(tmp_path: Path) -> None:
    write_settings(tmp_path, '[[sources]]\nname = "a"\nkind = "fead"\nurl = "https://example.org/rss"\n')
    refused(earshot("daemon", cwd=tmp_path), "sources[1].kind", "fead", "feed")


def test_a_misspelt_option_of_a_source_is_named_with_its_place(tmp_path: Path) -> None:
    write_settings(tmp_path, '[[sources]]\nname = "a"\nkind = "feed"\nurll = "https://example.org/rss"\n')
    done = earshot("daemon", cwd=tmp_path)
    assert done.returncode == 2
    assert "sources[1].urll" in done.stderr
    assert "sources[1].url:" in done.stderr  # every problem at once: the missing url as well


def test_an_unreadable_config_is_named(tmp_path: Path) -> None:
    refused(earshot("daemon", "--config", "nowhere.toml", cwd=tmp_path), "nowhere.toml")


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    write_settings(tmp_path, 'force = "Met\n')
    refused(earshot("daemon", cwd=tmp_path), "earshot.toml", "line 1")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_health_port_in_use_is_told_with_the_key_to_change(tmp_path: Path, taken_port: int) -> None:
    write_settings(tmp_path, f"[health]\nport = {taken_port}\n")
    refused(earshot("daemon", cwd=tmp_path), str(taken_port), "[health] port")


def test_a_dashboard_port_in_use_is_told_with_the_key_to_change(tmp_path: Path, taken_port: int) -> None:
    write_settings(tmp_path, f"[dashboard]\nport = {taken_port}\n")
    refused(earshot("dashboard", cwd=tmp_path), str(taken_port), "[dashboard] port")
    refused(earshot("run", "--no-browser", cwd=tmp_path), str(taken_port), "[dashboard] port")


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(earshot("daemon", "--data", tmp_path / "file" / "below", cwd=tmp_path), "below", "--data")


@pytest.mark.parametrize("name", ["mentions.db", "state.db"])
def test_data_from_a_newer_version_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "posts.jsonl").write_text(ROW)
    assert earshot("import", "posts.jsonl", "--data", "d", cwd=tmp_path).returncode == 0
    assert earshot("search", "croydon", "--data", "d", cwd=tmp_path).returncode == 0
    age(tmp_path / "d" / name)
    before = (tmp_path / "d" / name).read_bytes()
    refused(earshot("daemon", "--data", "d", cwd=tmp_path), "newer")
    assert (tmp_path / "d" / name).read_bytes() == before


def age(path: Path) -> None:
    """Mark the file as written by a version to come."""
    with sqlite3.connect(path) as file:
        tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "state_schema" in tables:
            file.execute("INSERT INTO state_schema VALUES (999, 0)")
        else:
            file.execute("PRAGMA user_version = 999")
    file.close()


def test_a_second_daemon_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    write_settings(tmp_path, f"[health]\nport = {free_port()}\n")
    with subprocess.Popen(command("daemon"), cwd=tmp_path, env=surroundings(), stderr=subprocess.PIPE) as first:
        assert first.stderr is not None
        assert b"daemon started" in first.stderr.readline()
        refused(earshot("daemon", cwd=tmp_path), "another Earshot daemon", "--data", str(first.pid))
        assert first.poll() is None
        first.terminate()
        assert first.wait(10) == 0
        first.stderr.read()


def test_a_full_disk_stops_an_import_in_one_line_and_damages_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here, so a full one cannot be tried")
    try:
        (tmp_path / "few.jsonl").write_text(ROW)
        assert earshot("import", tmp_path / "few.jsonl", "--data", disk / "d", cwd=tmp_path).returncode == 0
        many = "".join(
            ROW.replace("x:1", f"x:{n}").replace("Croydon", f"Croydon {n} " + "talk " * 40) for n in range(2, 9000)
        )
        (tmp_path / "many.jsonl").write_text(many)
        done = earshot("import", tmp_path / "many.jsonl", "--data", disk / "d", cwd=tmp_path)
        assert done.returncode == 2
        assert "full" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        with sqlite3.connect(disk / "d" / "mentions.db") as file:
            assert file.execute("PRAGMA quick_check").fetchone() == ("ok",)
        file.close()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)  # a killed import may hold it a moment longer


def test_an_import_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text("".join(ROW.replace("x:1", f"x:{n}") for n in range(60_000)))
    words = command("import", "many.jsonl")
    killed = subprocess.Popen(
        words, cwd=tmp_path, env=surroundings(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_for(lambda: len(processes_of(killed.pid)) > 1, 15)
    killed.kill()
    killed.wait()
    wait_for(lambda: not processes_of(killed.pid), 10)


def processes_of(session: int) -> list[int]:
    """The processes that live in that session."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            _, _, told = (folder / "stat").read_text().rpartition(") ")
            if int(told.split()[3]) == session and told[0] != "Z":
                found.append(int(folder.name))
    return found


def test_an_exercise_refuses_a_watchlist_that_could_not_run(tmp_path: Path) -> None:
    refused(earshot("exercise", "--watch", "rag:red", cwd=tmp_path), "cannot ask for rag")
    assert not (tmp_path / "earshot-data" / "exercise").exists()


def test_an_exercise_refuses_a_directory_with_real_data(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text(ROW)
    assert earshot("import", "posts.jsonl", "--data", "d", cwd=tmp_path).returncode == 0
    before = (tmp_path / "d" / "mentions.db").read_bytes()
    refused(earshot("exercise", "posts.jsonl", "--data", "d", cwd=tmp_path), "no exercise made", "--data")
    assert (tmp_path / "d" / "mentions.db").read_bytes() == before


@pytest.mark.parametrize("words", [("daemon",), ("import", "posts.jsonl")], ids=lambda words: words[0])
def test_nothing_live_is_kept_where_an_exercise_was_played(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "posts.jsonl").write_text(ROW)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "exercise.marker").write_text("")
    refused(earshot(*words, "--data", "d", cwd=tmp_path), "holds an exercise", "--data")


def test_the_data_directory_is_nobody_else_s_to_read(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text(ROW)
    assert earshot("import", "posts.jsonl", "--data", "d", cwd=tmp_path).returncode == 0
    assert (tmp_path / "d").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "words",
    [
        ("stories", "--to", "0001-01-01"),
        ("emerging", "--at", "0001-01-10"),
        ("debates", "--at", "0001-01-01"),
        ("debates", "--at", "9999-12-31T23:59:59.999999"),
        ("stories", "--from", "9999-12-31T23:59:59-12:00"),
        ("stories", "--from", "0001-01-01T00:00+12:00"),
    ],
)
def test_a_time_outside_1990_to_2100_is_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = earshot(*words, cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f'"{words[-1]}" lies outside 1990 to 2100' in done.stderr.splitlines()[-1]
