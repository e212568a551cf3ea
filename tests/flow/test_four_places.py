"""A new source touches four places: with them everything holds, without any one of them something says so."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOY = ROOT / "tests" / "toy_source"
REGISTRY, ROWS = Path("listener/connectors/__init__.py"), Path("docs/connectors.md")
MODULE, RECORDINGS = Path("listener/connectors/toy.py"), Path("tests/recordings/toy")
LEFT = shutil.ignore_patterns(".git", ".venv*", "*cache*", "*.egg-info", "earshot-data", "weights", "*.pyc")
HOLDS = ("tests/test_facts.py", "tests/contracts/test_connectors.py", "tests/contracts/test_fault_table.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


def add_module(house: Path) -> None:
    shutil.copy(TOY / "toy.py.txt", house / MODULE)


def add_to_registry(house: Path) -> None:
    text = (house / REGISTRY).read_text("utf-8")
    text = text.replace("from mentions", "from listener.connectors.toy import ToyConnector\nfrom mentions", 1)
    head, brace, tail = text.partition("] = {\n")
    (house / REGISTRY).write_text(f"{head}{brace}    ToyConnector.kind: ToyConnector,\n{tail}", "utf-8")


def add_recordings(house: Path) -> None:
    shutil.copytree(TOY / "recordings", house / RECORDINGS)


def add_rows(house: Path) -> None:
    text = (house / ROWS).read_text("utf-8")
    rows = (TOY / "rows.md").read_text("utf-8")
    (house / ROWS).write_text(text.replace("| `feed` |", f"{rows}| `feed` |", 1), "utf-8")


PLACES = (add_module, add_to_registry, add_recordings, add_rows)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is, but for what takes room."""
    house = tmp_path_factory.mktemp("house") / "earshot"
    shutil.copytree(ROOT, house, ignore=LEFT)
    (house / "analysis" / "weights").symlink_to(ROOT / "analysis" / "weights")
    return house


def fresh(copy: Path, tmp_path: Path) -> Path:
    house = tmp_path / "earshot"
    shutil.copytree(copy, house, symlinks=True)
    return house


def held(house: Path) -> subprocess.CompletedProcess[str]:
    """Whether the suites of sources hold for the toy."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-k",
        "toy or facts or trouble",
        *HOLDS,
    ]
    return subprocess.run(
        command, cwd=house, env={**os.environ, "PYTHONPATH": str(house)}, capture_output=True, text=True, check=False
    )


def files(house: Path) -> dict[Path, bytes]:
    found = (path for path in house.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(house): path.read_bytes() for path in found}


def test_four_places_make_a_new_source_that_every_suite_takes(copy: Path, tmp_path: Path) -> None:
    house = fresh(copy, tmp_path)
    before = files(house)
    for add in PLACES:
        add(house)
    after = files(house)
    changed = {path for path in after if after[path] != before.get(path)}
    assert {RECORDINGS if RECORDINGS in path.parents else path for path in changed} == {
        MODULE, REGISTRY, RECORDINGS, ROWS,
    }  # fmt: skip
    run = held(house)
    assert run.returncode == 0, run.stdout[-3000:]
    assert "passed" in run.stdout


@pytest.mark.parametrize("missing", PLACES, ids=lambda add: add.__name__.removeprefix("add_"))
def test_a_place_that_was_forgotten_is_told(copy: Path, tmp_path: Path, missing: object) -> None:
    house = fresh(copy, tmp_path)
    for add in PLACES:
        if add is not missing:
            add(house)
    assert held(house).returncode != 0
