"""`earshot check`: are the settings right, can the models judge, does every source, channel and store answer."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass
from functools import partial

from config.settings import Settings
from listener.approval import open_admission, open_approvals
from listener.connector import Connector
from listener.fetch import Fetcher
from listener.held_models import list_models
from listener.house import open_channels
from listener.lock import prepare_directory
from listener.outfit import fetch_settings, open_connectors
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.failures import Failure, NotConfigured, UserError
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.stores import open_store

HELP = "validate the settings, then try the store, the models, every source and every channel; prints a table"
EXAMPLE = "earshot check --config earshot.toml"


@dataclass(frozen=True, slots=True)
class Tried:
    """One line of the table."""

    what: str
    name: str
    ok: bool
    found: str


def arrange(parser: argparse.ArgumentParser) -> None:
    """How to print."""
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Try everything; 1 where something did not answer."""
    settings = read_settings(args)
    tried = [Tried("settings", "", True, "valid")]
    if not args.json:
        print_line(tried[0])
    for each in try_everything(settings):
        tried.append(each)
        if not args.json:
            print_line(each)
    if args.json:
        print(json.dumps([asdict(each) for each in tried], ensure_ascii=False, indent=1))
    return 0 if all(each.ok for each in tried) else 1


def try_everything(settings: Settings) -> Iterator[Tried]:
    """Store, state, models, sources, channels, in that order; nothing fetched is kept."""
    prepare_directory(settings.data)
    yield attempt("store", settings.store, lambda: try_store(settings.store))
    yield attempt("state", settings.state.partition(":")[0], lambda: try_state(settings.state))
    for model in list_models(settings, prove=True):
        if model.reads or model.kind == "shipped":
            found = model.problem or f"judges {', '.join(model.reads)}"
            yield Tried("model", model.name, not model.problem, found)
    yield from try_sources(settings)
    for name, channel in open_channels(settings).items():
        yield attempt("channel", name, channel.check)
    if not settings.sources:
        yield Tried("source", "", False, "none configured: nothing would be collected; see config/example.toml")
    if not settings.channels:
        yield Tried("channel", "", False, "none configured: a crisis would only be seen on the dashboard")


def try_sources(settings: Settings) -> Iterator[Tried]:
    """Ask every source once; one that is not configured is no fault."""
    with ExitStack() as opened:
        fetcher = opened.enter_context(closing(Fetcher(fetch_settings(settings), utc_now)))
        state: State | None = None
        with suppress(Failure, UserError):  # told already; without it nothing is permitted
            state = opened.enter_context(closing(open_state(settings.state)))
        admit = open_admission(settings.sources, open_approvals(settings.sources, state))
        for name, connector in open_connectors(settings, fetcher, utc_now, state).items():
            opened.enter_context(closing(connector))
            yield attempt("source", name, partial(try_poll, name, connector, admit))


def try_poll(name: str, connector: Connector, admit: Callable[[str], None]) -> str:
    """One poll, of which nothing is kept."""
    try:
        admit(name)
        return f"answered with {len(connector.poll(None).mentions)} items"
    except NotConfigured as off:
        return f"off, which is no fault: {off}"


def attempt(what: str, name: str, try_it: Callable[[], str]) -> Tried:
    """Try it; what goes wrong becomes the line's words."""
    try:
        return Tried(what, name, True, try_it())
    except (Failure, UserError) as failure:
        return Tried(what, name, False, str(failure))


def try_store(url: str) -> str:
    """Open the store and count."""
    store = open_store(url)
    try:
        return f"{store.status().mentions} mentions, schema {store.status().schema}"
    finally:
        store.close()


def try_state(url: str) -> str:
    """Open the state and look for a broken audit."""
    state = open_state(url)
    try:
        broken = state.broken_audit()
    finally:
        state.close()
    if broken is not None:
        raise UserError(
            f"the audit chain is broken at entry {broken}: somebody changed it; tell the data protection officer"
        )
    return "answers; audit chain whole"


def print_line(each: Tried) -> None:
    """One line for people."""
    print(f"{'ok ' if each.ok else 'BAD'} {each.what:9} {each.name:28.28} {each.found}", flush=True)
