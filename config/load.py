"""Reads the settings file and the environment into Settings, or says everything that is wrong with them at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.problems import Problem, SettingsError, explain, fields_at, show
from config.secrets import HIDDEN, names_variable
from config.settings import FOLDER_STARTS, AnalysisSettings, DashboardSettings, HealthSettings, Settings

Options = TypeVar("Options", bound=BaseModel)
_SERVERS: dict[str, type[BaseModel]] = {"dashboard": DashboardSettings, "health": HealthSettings}
_POSITION = re.compile(r"\s*\(at (.+)\)$")


def load(path: Path | None, env: Mapping[str, str], data: Path | None = None) -> Settings:
    """The settings of the file, or the defaults where `path` is None; `data` overrides the file's. Relative paths
    start at the file's own directory (at the current one where there is no file) and come back absolute. Raises
    SettingsError with every problem at once. Options of sources and channels are not looked into: see read_options.
    """
    file = str(path) if path else "the defaults"
    table = _read(path) if path else {}
    problems = list(_between_tables(table, file))
    try:
        settings = Settings.model_validate(table)
    except ValidationError as error:
        raise SettingsError([*explain(error, file, model=Settings), *problems]) from None
    problems += _unset_state(settings, env, file)
    if problems:
        raise SettingsError(problems)
    return _settle(settings, env, path.absolute().parent if path else Path.cwd(), data)


def read_options(
    model: type[Options], options: Mapping[str, Any], file: str, prefix: str, beside: type[BaseModel]
) -> Options:
    """The connector's or channel's own options, out of the table `prefix`. `beside` is the model of the table's other
    keys. Raises SettingsError with every problem in them."""
    problems = [
        Problem(file, f"{prefix}.{key}".lstrip("."), HIDDEN, "the name of an environment variable, in capitals")
        for key, value in options.items()
        if key.endswith("_env") and value != "" and not names_variable(value)
    ]
    try:
        read = model.model_validate(dict(options))
    except ValidationError as error:
        known = [name for name in beside.model_fields if name != "options"]
        problems += explain(error, file, prefix, model=model, beside=known)
    if problems:
        raise SettingsError(problems)
    return read


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _POSITION.search(message)
        found = _POSITION.sub("", message)
        problem = Problem(str(path), place[1] if place else "the file", f"bad TOML ({found})", "valid TOML")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problem = Problem(str(path), f"line {line}", "bytes that are no UTF-8", "a text file in UTF-8")
    except FileNotFoundError:
        problem = Problem(
            str(path), "the file", "nothing there", "a settings file: cp config/example.toml earshot.toml"
        )
    except OSError as error:
        problem = Problem(str(path), "the file", error.strerror or type(error).__name__, "a file that can be read")
    raise SettingsError([problem])


def _between_tables(table: dict[str, Any], file: str) -> Iterator[Problem]:
    """What no single key can know: names taken twice, two servers on one port."""
    for section in ("sources", "channels", "watchlists"):
        yield from _doubles(section, table.get(section), file)
    ports = [_inside(table, name, "port", model) for name, model in _SERVERS.items()]
    if ports[0] == ports[1]:
        yield Problem(file, "health.port", show("port", ports[1]), "a port that the dashboard does not use")


def _doubles(section: str, rows: object, file: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, row in enumerate(_tables(rows), start=1):
        name = row.get("name")
        if not isinstance(name, str):
            continue
        earlier = first.setdefault(name.casefold(), number)
        if earlier != number:
            expected = f"a name of its own: {section}[{earlier}] has this one"
            yield Problem(file, f"{section}[{number}].name", show("name", name), expected)


def _tables(rows: object) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _inside(table: dict[str, Any], section: str, key: str, model: type[BaseModel]) -> object:
    inner = table.get(section)
    default = model.model_fields[key].default
    return inner.get(key, default) if isinstance(inner, dict) else default


def _unset_state(settings: Settings, env: Mapping[str, str], file: str) -> list[Problem]:
    if settings.state_env is None or env.get(settings.state_env):
        return []
    return [Problem(file, "state_env", settings.state_env, "the name of a variable that is set: this one is not")]


def _settle(settings: Settings, env: Mapping[str, str], beside: Path, data: Path | None) -> Settings:
    directory = data.absolute() if data else beside / settings.data
    state = env[settings.state_env] if settings.state_env else settings.state
    found = {
        "data": directory,
        "store": _place(settings.store, directory),
        "state": _place(state, directory),
        "author_key": directory / settings.author_key,
        "analysis": _place_models(settings.analysis, beside, directory),
    }
    return settings.model_copy(update=found)


def _place_models(given: AnalysisSettings, beside: Path, directory: Path) -> AnalysisSettings:
    own = given.mood_model
    if own.startswith(FOLDER_STARTS):
        own = str((beside / Path(own).expanduser()).resolve())
    return given.model_copy(update={"models": directory / given.models, "mood_model": own})


def _place(url: str, directory: Path) -> str:
    scheme, _, path = url.partition(":")
    return f"{scheme}:{directory / Path(path).expanduser()}" if scheme == "sqlite" else url


def known_keys() -> list[str]:
    """Every key that may stand in a settings file, with its tables, as in `alerts.surge.posts` and `sources.every`."""
    return [".".join(loc) for loc in _keys_in(())]


def _keys_in(table: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name in fields_at(Settings, table):
        if name == "options":
            continue
        loc = (*table, name)
        if fields_at(Settings, loc):
            yield from _keys_in(loc)
        else:
            yield loc
