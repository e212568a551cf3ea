"""What every command does first: read the settings, options of sources and channels included, and set up the log."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from alerts.channels import CHANNELS
from config.load import load, read_options
from config.logs import set_up_logs
from config.problems import Problem, SettingsError
from config.settings import SETTINGS_FILE, ChannelSettings, Settings, SourceSettings
from listener.connectors import CONNECTORS
from listener.lock import EXERCISE_MARKER
from listener.watching import find_watchlist_problems
from mentions.failures import UserError


def read_settings(args: argparse.Namespace) -> Settings:
    """The settings `--config`, `--data` and `--store` ask for, checked to the last option; raises `SettingsError` with
    every problem at once."""
    path = settings_path(args)
    settings = load(path, os.environ, Path(args.data) if args.data else None)
    told = getattr(args, "store", None)
    if (settings.data / EXERCISE_MARKER).exists():  # what is live is never shown as that of an exercise
        settings = at_directory(settings, settings.data)
    elif not told:
        told = os.environ.get("EARSHOT_STORE")
    if told:
        settings = settings.model_copy(update={"store": read_store(told)})
    set_up_logs(settings.log_level, os.environ, verbose=args.verbose)
    problems = list(find_problems(settings, str(path or "the defaults")))
    if problems:
        raise SettingsError(problems)
    return settings


def at_directory(settings: Settings, directory: Path) -> Settings:
    """The same settings with everything kept elsewhere, always in files: an exercise never touches a live database."""
    return settings.model_copy(
        update={
            "data": directory,
            "store": f"sqlite:{directory / 'mentions.db'}",
            "state": f"sqlite:{directory / 'state.db'}",
            "author_key": directory / "author.key",
        }
    )


def read_store(url: str) -> str:
    """A store as `--store` and EARSHOT_STORE name it; a relative path starts at the current directory. Raises
    UserError."""
    try:
        Settings(store=url)
    except ValidationError as error:
        expected = str(error.errors()[0]["ctx"]["error"])
        shown = f"{url.partition(':')[0]}:***" if "@" in url else url
        raise UserError(f"store: {shown!r} is none, expected {expected}") from None
    scheme, _, path = url.partition(":")
    return f"{scheme}:{Path(path).expanduser().absolute()}" if scheme == "sqlite" else url


def settings_path(args: argparse.Namespace) -> Path | None:
    """`--config FILE`, else earshot.toml in the current directory where there is one."""
    if args.config:
        return Path(args.config)
    here = Path(SETTINGS_FILE)
    return here if here.exists() else None


def find_problems(settings: Settings, file: str) -> Iterator[Problem]:
    """What only the registries know: kinds, their options, and watchlists that cannot be run."""
    connectors = {kind: connector.Options for kind, connector in CONNECTORS.items()}
    channels = {kind: channel.Options for kind, channel in CHANNELS.items()}
    yield from _tables("sources", settings.sources, connectors, SourceSettings, file)
    yield from _tables("channels", settings.channels, channels, ChannelSettings, file)
    for kind in settings.budgets.keys() - connectors.keys():
        yield Problem(file, f"budgets.{kind}", "a kind that is unknown", f"one of {', '.join(sorted(counted_kinds()))}")
    for kind in sorted(settings.budgets.keys() & connectors.keys() - counted_kinds()):
        why = f"one of {', '.join(sorted(counted_kinds()))}: nobody counts what other kinds are asked"
        yield Problem(file, f"budgets.{kind}", "a kind without a budget", why)
    yield from find_watchlist_problems(settings, file)


def counted_kinds() -> set[str]:
    """The kinds of sources whose calls and costs are counted."""
    return {kind for kind, connector in CONNECTORS.items() if connector.terms.counted}


def _tables(
    section: str,
    tables: Sequence[SourceSettings | ChannelSettings],
    known: Mapping[str, type[BaseModel]],
    beside: type[BaseModel],
    file: str,
) -> Iterator[Problem]:
    for number, table in enumerate(tables, start=1):
        prefix = f"{section}[{number}]"
        if table.kind not in known:
            expected = f"one of {', '.join(sorted(known))}"
            yield Problem(file, f"{prefix}.kind", f'"{table.kind}"', expected)
            continue
        try:
            read_options(known[table.kind], table.options, file, prefix, beside)
        except SettingsError as error:
            yield from error.problems
