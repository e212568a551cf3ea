"""What the documents say is so: every setting, kind, rule, step, command and package has its row."""

from __future__ import annotations

import ast
import dataclasses
import fnmatch
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from alerts import rules as alert_rules
from alerts.channels import CHANNELS
from alerts.desk import Desk
from alerts.rules import RULES
from analysis.pipeline import Pipeline
from config import settings as file_settings
from config.load import known_keys, load
from config.settings import Settings, format_duration
from listener import fetch
from listener.cli import COMMANDS, load_command
from listener.connectors import CONNECTORS
from listener.start import find_problems
from mentions.clock import utc_now
from mentions.mention import Mention
from mentions.query import parse

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("config", "mentions", "analysis", "alerts", "listener", "dashboard")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def rows_of(page: str) -> list[list[str]]:
    """The cells of every table row of a page."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]


def named_in(page: str) -> set[str]:
    """What stands between backquotes at the start of a row."""
    return {found[1] for row in rows_of(page) if (found := re.match(r"`([^`]+)`", row[0].lstrip("| ")))}


# -- settings ---------------------------------------------------------------------------------------------------------


def field_at(key: str) -> FieldInfo:
    model: Any = Settings
    field: FieldInfo | None = None
    for part in key.split("."):
        field = model.model_fields[part]
        model = next((t for t in tables_in(field.annotation)), None)
    assert field is not None
    return field


def tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from tables_in(inner)


def written(field: FieldInfo) -> str:
    """A default as the settings page shows it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    plain = format_duration(value) if isinstance(value, timedelta) else str(value) if isinstance(value, Path) else value
    return f"`{json.dumps(plain)}`"


def test_every_setting_has_a_row_with_its_default() -> None:
    found = {row[0].strip("| `"): row[1] for row in rows_of("settings.md")}
    assert found == {key: written(field_at(key)) for key in known_keys()}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (file_settings.SurgeSettings, alert_rules.SurgeSettings),
        (file_settings.SingleSettings, alert_rules.SingleSettings),
        (file_settings.AlertSettings, Desk),
    ],
)
def test_alert_settings_of_the_file_are_those_of_the_rules(ours: type[BaseModel], theirs: type) -> None:
    default = {f.name: getattr(theirs(), f.name) for f in dataclasses.fields(theirs)}
    said = {name: value for name, value in ours().model_dump().items() if name not in ("surge", "single")}
    assert said == {name: default[name] for name in said}


def test_fetch_settings_of_the_file_are_those_of_the_fetch_layer() -> None:
    said = file_settings.FetchSettings().model_dump(exclude={"contact"})
    plain = {key: value.total_seconds() if isinstance(value, timedelta) else value for key, value in said.items()}
    assert plain == dataclasses.asdict(fetch.FetchSettings())


def test_the_example_can_be_used_as_it_is() -> None:
    settings = load(ROOT / "config" / "example.toml", {})
    assert list(find_problems(settings, "example.toml")) == []
    assert {source.kind for source in settings.sources} <= set(CONNECTORS)
    assert settings.watchlists


def test_the_channels_the_example_shows_can_be_used_as_they_are(tmp_path: Path) -> None:
    example = (ROOT / "config" / "example.toml").read_text("utf-8")
    shown = re.sub(r"(?m)^# (?=\[\[channels\]\]|\w+ = )", "", example)
    path = tmp_path / "earshot.toml"
    path.write_text(shown, "utf-8")
    settings = load(path, {})
    assert {channel.kind for channel in settings.channels} == set(CHANNELS)
    assert list(find_problems(settings, "example.toml")) == []


def test_the_example_says_of_every_source_whether_somebody_saw_it() -> None:
    sources = tomllib.loads((ROOT / "config" / "example.toml").read_text("utf-8"))["sources"]
    assert [source["name"] for source in sources if "verified" not in source] == []


# -- what can be chosen, and the commands -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "registry"), [("connectors.md", CONNECTORS), ("channels.md", CHANNELS)], ids=["connectors", "channels"]
)
def test_every_kind_and_every_option_has_its_row(page: str, registry: dict[str, Any]) -> None:
    options = {f"{kind}.{name}" for kind, each in registry.items() for name in each.Options.model_fields}
    assert named_in(page) >= set(registry) | options
    gone = {name for name in named_in(page) if "." in name} - options
    assert not gone


def test_every_rule_has_its_row() -> None:
    assert named_in("rules.md") == set(RULES)


def test_every_step_has_its_row_with_its_version() -> None:
    at = utc_now()
    made_by = Pipeline().assess(Mention("x:1", "x", "a source", at, at, "Police in Brixton")).made_by
    assert [f"{row[0].strip('| `')}/{row[1]}" for row in rows_of("steps.md")] == list(made_by)


def test_every_command_has_its_row() -> None:
    assert named_in("commands.md") >= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    command = load_command(name)
    assert command.HELP
    assert command.EXAMPLE.startswith(f"earshot {name}")


def test_every_link_between_the_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))]
    dead = [f"{p.name}: {link}" for p, link in links if "://" not in link and not (p.parent / link).exists()]
    assert not dead


# -- packages ---------------------------------------------------------------------------------------------------------


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ;]", requirement)[0]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


RUN = [name_of(each) for each in PROJECT["project"]["dependencies"]]
EXTRAS = {
    extra: [name_of(each) for each in needed] for extra, needed in PROJECT["project"]["optional-dependencies"].items()
}
DEV = EXTRAS["dev"]


def test_every_package_has_a_row_with_its_reason() -> None:
    assert named_in("dependencies.md") == {*RUN, *chain(*EXTRAS.values())}


@pytest.mark.parametrize(("lock", "needed"), [("requirements.lock", RUN), ("requirements-dev.lock", [*RUN, *DEV])])
def test_the_locks_hold_every_package(lock: str, needed: list[str]) -> None:
    held = {plain(found) for found in re.findall(r"(?m)^([\w.-]+)(?:\[\w+\])?==", (ROOT / lock).read_text("utf-8"))}
    assert not {plain(name) for name in needed} - held


def test_the_locks_name_no_server() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in (ROOT / "requirements-dev.lock").read_text("utf-8")


def imports_of(paths: Iterable[Path]) -> set[str]:
    """The top-level modules that these files import from elsewhere."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(PACKAGES) - set(sys.stdlib_module_names) - {"__future__"}


def test_what_is_imported_is_declared() -> None:
    modules = imports_of(path for top in PACKAGES for path in (ROOT / top).rglob("*.py"))
    origin = importlib.metadata.packages_distributions()
    declared = {plain(name) for name in (*RUN, *EXTRAS["hub"], *EXTRAS["train"])}
    # An extra that is not installed here says nothing of its modules: they are called as the package is.
    strangers = {m for m in modules if not {plain(each) for each in origin.get(m, (m,))} & declared}
    assert not strangers, "declare them in pyproject.toml, with a row in docs/dependencies.md"


def test_nothing_but_the_training_and_the_models_that_need_it_imports_torch() -> None:
    files = [path for top in PACKAGES for path in (ROOT / top).rglob("*.py") if "torch" in imports_of([path])]
    assert {str(path.relative_to(ROOT)) for path in files if path.parent.name != "train"} == {"analysis/hub.py"}


def test_every_file_that_belongs_to_the_program_is_packed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    files = [path for top in PACKAGES for path in (ROOT / top).rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix not in (".py", ".pyc")]
    unpacked = [path for path in others if not any(fnmatch.fnmatch(path.name, p.removeprefix("**/")) for p in patterns)]
    assert not unpacked


# -- the rest ---------------------------------------------------------------------------------------------------------


def test_the_change_log_marks_every_line() -> None:
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("- ")]
    assert lines
    assert [line for line in lines if not re.match(r"- \[(CHANGE|FEATURE|ENHANCEMENT|BUGFIX)\] \w", line)] == []


def test_the_readme_can_be_read_in_one_go() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 120


def test_every_make_target_is_told_of_in_help() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"setup", "run", "test", "lint", "bench"} <= set(re.findall(r"make ([a-z-]+)", said))


def test_every_search_the_documents_show_is_understood() -> None:
    words = (ROOT / "docs" / "commands.md").read_text("utf-8")
    section = words.partition("## The words of a search")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    shown = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    assert len(shown) > 15
    for text in (*shown, *re.findall(r"earshot search '([^']+)'", words)):
        parse(text)
