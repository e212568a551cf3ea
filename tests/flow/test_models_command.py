"""`earshot models`: fetched from a hub that speaks as Hugging Face's does, kept whole or not at all, and put to use."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.hub import MANIFEST
from tests.earshot import command, earshot, free_port, surroundings
from tests.hub_server import COMMIT, Hub
from tests.tiny_models import make_model

pytestmark = pytest.mark.slow  # a hub is started, and most tests run several commands

NAME = "somebody/tiny-mood"
ROW = b'{"id": "1", "platform": "x", "text": "The police had a good day", "lang": "en"}\n'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    kept = make_model(tmp_path / "hub" / "tiny", place="onnx/model.onnx")
    (kept / "README.md").write_text("a card", "utf-8")
    (kept / "model.safetensors").write_bytes(b"not needed")
    (kept / "training_args.bin").write_bytes(b"not needed either")
    with Hub({NAME: kept, "somebody/two": make_model(tmp_path / "hub" / "two", ("NEGATIVE", "POSITIVE"))}) as served:
        yield served


def fetch(hub: Hub | str, cwd: Path, name: str = NAME, *more: str) -> subprocess.CompletedProcess[str]:
    url = hub if isinstance(hub, str) else hub.url
    return earshot("models", "fetch", name, "--endpoint", url, *more, cwd=cwd)


def models(cwd: Path, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(earshot("models", *words, "--json", cwd=cwd).stdout)
    return rows


def use(name: str, cwd: Path) -> None:
    (cwd / "earshot.toml").write_text(f'[analysis]\nmood_model = "{name}"\n', "utf-8")


def left(cwd: Path) -> list[str]:
    """What a fetch left in the folder of models, its lock aside."""
    return sorted(path.name for path in (cwd / "earshot-data" / "models").glob("[!.]*"))


def test_a_model_is_fetched_listed_checked_and_put_to_use(hub: Hub, tmp_path: Path) -> None:
    done = fetch(hub, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f'to use it: [analysis] mood_model = "{NAME}"' in done.stdout
    place = tmp_path / "earshot-data" / "models" / "somebody--tiny-mood"
    kept = sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())
    assert kept == ["config.json", MANIFEST, "onnx/model.onnx", "tokenizer.json"]
    assert json.loads((place / MANIFEST).read_text("utf-8"))["revision"] == COMMIT
    assert [(row["name"], row["reads"]) for row in models(tmp_path)][1:] == [(NAME, [])]
    use(NAME, tmp_path)
    shipped, fetched = models(tmp_path, "check")
    assert (fetched["reads"], fetched["problem"], fetched["revision"]) == (["mood"], "", COMMIT)
    assert "mood" not in shipped["reads"]
    judged = json.loads(earshot("score", cwd=tmp_path, stdin=ROW).stdout)["assessment"]
    assert judged["mood"]["label"] == "pos"
    assert f"mood_model/{fetched['digest']}" in judged["made_by"]


def test_a_second_fetch_takes_the_place_of_the_first(hub: Hub, tmp_path: Path) -> None:
    assert fetch(hub, tmp_path).returncode == 0
    before = models(tmp_path)[1]["digest"]
    make_model(hub.models[NAME], ("positive", "neutral", "negative"), place="onnx/model.onnx")
    assert fetch(hub, tmp_path, NAME, "--revision", "v1").returncode == 0
    assert models(tmp_path)[1]["digest"] != before
    assert left(tmp_path) == ["somebody--tiny-mood"]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("RepoNotFound", f'there is no model "{NAME}"'),
        ("GatedRepo", f"{NAME} is gated: accept its terms"),
        ("RevisionNotFound", f"{NAME} has no such revision"),
        ("broken", "answered 500"),
    ],
)
def test_a_hub_that_says_no_is_told_of_in_one_line(hub: Hub, tmp_path: Path, refusal: str, said: str) -> None:
    hub.refuses = refusal
    refused(fetch(hub, tmp_path), said, tmp_path)


def test_a_hub_that_is_not_there_is_told_of_in_one_line(tmp_path: Path) -> None:
    refused(fetch(f"http://127.0.0.1:{free_port()}", tmp_path), "cannot be reached", tmp_path)


def test_offline_nothing_is_asked(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused(fetch(hub, tmp_path), "HF_HUB_OFFLINE is set", tmp_path)
    assert not hub.asked


def test_a_model_of_two_labels_is_refused_before_its_weights_are_fetched(hub: Hub, tmp_path: Path) -> None:
    refused(fetch(hub, tmp_path, "somebody/two"), "needed are negative, neutral and positive", tmp_path)
    assert not [asked for asked in hub.asked if asked.endswith(".onnx")]


def test_a_model_without_weights_we_can_run_is_refused(hub: Hub, tmp_path: Path) -> None:
    for file in ("onnx/model.onnx", "model.safetensors"):
        (hub.models[NAME] / file).unlink()
    refused(fetch(hub, tmp_path), "has none of onnx/model.onnx", tmp_path)


def test_a_model_without_a_config_is_refused(hub: Hub, tmp_path: Path) -> None:
    (hub.models[NAME] / "config.json").unlink()
    refused(fetch(hub, tmp_path), "lacks a file that is needed", tmp_path)


def test_what_the_disk_has_no_room_for_leaves_nothing_behind(hub: Hub, tmp_path: Path) -> None:
    with (hub.models[NAME] / "onnx" / "model.onnx").open("ab") as file:
        file.write(b"\0" * 200_000)

    def small() -> None:  # the nearest to a full disk that needs no rights: no file may grow beyond this
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    words = command("models", "fetch", NAME, "--endpoint", hub.url)
    done = subprocess.run(
        words, cwd=tmp_path, env=surroundings(), capture_output=True, text=True, check=False, preexec_fn=small
    )
    refused(done, "no room for", tmp_path)


def test_an_answer_that_is_cut_off_leaves_nothing_behind(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = ".onnx"
    refused(fetch(hub, tmp_path), "nothing of", tmp_path)


def test_what_a_killed_fetch_left_is_swept_by_the_next(hub: Hub, tmp_path: Path) -> None:
    debris = tmp_path / "earshot-data" / "models" / ".fetching" / "new"
    debris.mkdir(parents=True)
    (debris / "half").write_bytes(b"half")
    assert fetch(hub, tmp_path).returncode == 0
    assert not debris.exists()


def refused(done: subprocess.CompletedProcess[str], said: str, cwd: Path) -> None:
    lines = [line for line in done.stderr.splitlines() if line.startswith("earshot")]
    assert (done.returncode, len(lines)) == (2, 1), done.stderr
    assert said in lines[0]
    assert "Traceback" not in done.stderr
    assert left(cwd) == []
    assert not (cwd / "earshot-data" / "models" / ".fetching").exists()


@pytest.mark.parametrize(
    "words",
    [("fetch",), ("fetch", "tiny"), ("fetch", "../../etc"), ("fetch", "a/b--c"), ("fetch", "a/b", "--endpoint", "x"),
     ("list", NAME), ("check", "--revision", "v1")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    done = earshot("models", *words, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


# -- in use -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("score",), ("daemon",), ("import", "earshot.toml")])
def test_a_model_that_was_not_fetched_stops_the_start_and_names_the_command(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    use(NAME, tmp_path)
    done = earshot(*words, cwd=tmp_path, stdin=ROW)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f"earshot models fetch {NAME}")
    assert models(tmp_path)[-1]["problem"].endswith(f"earshot models fetch {NAME}")


def test_a_folder_beside_the_settings_can_be_named(tmp_path: Path) -> None:
    make_model(tmp_path / "ours")
    use("./ours", tmp_path)
    assert json.loads(earshot("score", cwd=tmp_path, stdin=ROW).stdout)["assessment"]["mood"]["label"] == "pos"
    assert [(row["kind"], row["reads"]) for row in models(tmp_path, "check")][1:] == [("folder", ["mood"])]


def test_a_fetched_file_that_changed_afterwards_stops_the_start(hub: Hub, tmp_path: Path) -> None:
    assert fetch(hub, tmp_path).returncode == 0
    use(NAME, tmp_path)
    with (tmp_path / "earshot-data" / "models" / "somebody--tiny-mood" / "tokenizer.json").open("a") as file:
        file.write(" ")
    done = earshot("score", cwd=tmp_path, stdin=ROW)
    assert done.returncode == 2
    assert "not the file that was fetched" in done.stderr
    assert models(tmp_path)[1]["problem"]


def test_a_daemon_does_not_start_with_a_model_that_cannot_be_run(tmp_path: Path) -> None:
    (make_model(tmp_path / "ours") / "model.onnx").write_bytes(b"no network")
    use("./ours", tmp_path)
    done = earshot("daemon", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be run" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("value", ["two words", "a/b/c", "../", "a/b--c", "/"])
def test_a_setting_that_can_be_no_model_stops_the_start(value: str, tmp_path: Path) -> None:
    use(value, tmp_path)
    done = earshot("score", cwd=tmp_path, stdin=ROW)
    assert (done.returncode, "mood_model" in done.stderr) == (2, True)


# -- the network ------------------------------------------------------------------------------------------------------

NO_SOCKETS = """
import runpy, socket, sys
def refuse(*given, **named):
    raise SystemExit(f"a socket was opened: {given}")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
sys.argv = ["earshot", "score"]
runpy.run_module("listener.cli", run_name="__main__")
"""


@pytest.mark.parametrize("model", ["", "./ours"])
def test_judging_opens_no_socket(model: str, tmp_path: Path) -> None:
    if model:
        make_model(tmp_path / "ours")
    use(model, tmp_path)
    rows = (
        ROW
        + ROW.replace(b"good", b"bad")
        + b'{"id": "2", "platform": "x", "text": "quelle police inutile a Londres"}\n'
    )
    env = {key: value for key, value in {**os.environ, **surroundings()}.items() if not key.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", NO_SOCKETS], cwd=tmp_path, env=env, input=rows, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert len(done.stdout.splitlines()) == 3
    assert b"a socket was opened" not in done.stderr
