"""`earshot sources backfill`: what a source posted in a past span, kept as history."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack, closing
from datetime import datetime

from tqdm import tqdm

from config.settings import Settings, SourceSettings
from listener.acts import whoever
from listener.approval import open_admission, open_approvals
from listener.backfill import forget_backfills
from listener.catching_up import CatchUp, Progress
from listener.commands.search_ import moment
from listener.connector import Backfills
from listener.connectors import CONNECTORS
from listener.fetch import Fetcher
from listener.judging import open_pipeline
from listener.lock import prepare_directory, refuse_exercise
from listener.outfit import fetch_settings, open_connectors
from listener.start import read_settings
from listener.watching import known_watchlists
from mentions.clock import utc_now
from mentions.failures import Failure, NotConfigured, RateLimited, TemporaryFailure, UserError
from mentions.sqlstate import open_state
from mentions.stores import open_store

HELP = "fetch what a source posted in a past span, as history: it teaches what is usual and never rings"
EXAMPLE = "earshot sources backfill 'SE23.life' --from 2026-01-01 --to 2026-02-01"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which source, which span."""
    parser.add_argument("name", metavar="NAME", help="the source, as the settings call it")
    parser.add_argument(
        "--from",
        dest="since",
        type=moment,
        required=True,
        metavar="T",
        help="published at T or later (ISO; no zone: UTC)",
    )
    parser.add_argument("--to", dest="until", type=moment, required=True, metavar="T", help="published before T")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")


def run(args: argparse.Namespace) -> int:
    """Fetch, judge and keep it."""
    settings, now = read_settings(args), utc_now()
    source = find_source(settings, args.name)
    since, until = args.since, min(args.until, now)
    if since >= until:
        raise UserError("--from must lie before --to, and in the past")
    refuse_exercise(settings.data)
    prepare_directory(settings.data)
    done = fetch(settings, source, since, until)
    row = {"source": source.name, "pages": done.pages, "seen": done.seen, "new": done.new, "updated": done.updated,
           "left_out": done.left_out, "gap": done.gap}  # fmt: skip
    if args.json:
        print(json.dumps(row, ensure_ascii=False))
    else:
        print(f"seen {done.seen} new {done.new} updated {done.updated} left_out {done.left_out} pages {done.pages}")
        if done.gap:
            print(f"not all of it: {done.gap}")
    return 0


def find_source(settings: Settings, name: str) -> SourceSettings:
    """The source of the settings that is called so, of a kind that can reach back; UserError otherwise."""
    source = next((each for each in settings.sources if each.name == name), None)
    if source is None:
        known = ", ".join(f'"{each.name}"' for each in settings.sources) or "none"
        raise UserError(f'no source of the settings is called "{name}"; they name {known}')
    able = sorted(kind for kind, each in CONNECTORS.items() if hasattr(each, "backfill"))
    if source.kind not in able:
        kinds = ", ".join(able) or "none yet"
        raise UserError(f'"{name}" is a source of kind {source.kind}, which shows no past; kinds that do: {kinds}')
    return source


def fetch(settings: Settings, source: SourceSettings, since: datetime, until: datetime) -> Progress:
    """Do it under a progress bar. What breaks it off is raised with the way on."""
    with ExitStack() as opened:
        state = opened.enter_context(closing(open_state(settings.state)))
        store = opened.enter_context(closing(open_store(settings.store)))
        fetcher = opened.enter_context(closing(Fetcher(fetch_settings(settings), utc_now)))
        only = settings.model_copy(update={"sources": (source,)})
        connector = opened.enter_context(closing(open_connectors(only, fetcher, utc_now, state)[source.name]))
        assert isinstance(connector, Backfills)
        watchlists = known_watchlists(settings, utc_now())
        catch_up = CatchUp(source.name, source.kind, since, until, state, store, open_pipeline(settings, watchlists))
        act = {"source": source.name, "from": since.isoformat(), "to": until.isoformat()}
        try:
            open_admission(settings.sources, open_approvals(settings.sources, state))(source.name)
            state.audit(utc_now(), f"command line, {whoever()}", "backfill source", {**act})
            done = go(catch_up, connector)
        except Failure as failure:
            raise with_way_on(failure, catch_up) from failure
        if known_watchlists(settings, utc_now()) != watchlists:
            forget_backfills(state, settings.store)  # what was fetched has the marks of the old ones
    return done


def go(catch_up: CatchUp, connector: Backfills) -> Progress:
    """Under a bar that shows how much of the span was reached."""
    _, before = catch_up.left_off()
    if before.pages:
        print(f"going on after {before.pages} pages, where it was broken off", file=sys.stderr)
    with tqdm(total=100, unit="%", desc=catch_up.source, disable=None, file=sys.stderr) as bar:

        def tell(done: Progress) -> None:
            bar.update(max(0.0, round(100 * done.share(catch_up.since, catch_up.until), 1) - bar.n))
            bar.set_postfix(pages=done.pages, new=done.new)

        def waits(failure: TemporaryFailure) -> None:
            bar.write(f"earshot sources backfill: {failure}; it is waited for", file=sys.stderr)

        return catch_up.run(connector, tell, waits)


def with_way_on(failure: Failure, catch_up: CatchUp) -> Failure | UserError:
    """The failure with what to do next."""
    _, done = catch_up.left_off()
    kept = f"{done.pages} pages are kept; " if done.pages else ""
    if isinstance(failure, RateLimited):
        return UserError(
            f"{failure}; {kept}run the same command again after {failure.until:%Y-%m-%d %H:%M} UTC: it goes on there"
        )
    if isinstance(failure, NotConfigured):
        return UserError(str(failure))
    return UserError(f"{failure}; {kept}run the same command again: it goes on there")
