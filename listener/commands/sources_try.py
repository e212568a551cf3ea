"""`earshot sources try`: a source polled a few times, nothing of it stored."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from pydantic import BaseModel

from config.load import read_options
from config.settings import Settings
from listener.acts import open_known_state
from listener.approval import require_approval, subject_of
from listener.commands.search_ import mention_row, positive
from listener.connector import SourceInfo, Tools
from listener.connectors import CONNECTORS, build_connector
from listener.fetch import Fetcher
from listener.markup import plain_line
from listener.outfit import fetch_settings, open_tools
from listener.start import read_settings
from listener.trying import Tried, state_of, try_source
from mentions.clock import utc_now
from mentions.failures import NotConfigured, UserError
from mentions.mention import Voice
from mentions.pseudonyms import AuthorKey

HELP = "poll a source that need not be in the settings, print what it gives, store nothing"
EXAMPLE = "earshot sources try mastodon --set api_root=https://mastodon.social tag=london --json"
TRIAL = "trial"
MOST_POLLS = 100


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which source, and how often."""
    parser.add_argument("kind", metavar="KIND", help=f"which kind of source: {', '.join(CONNECTORS)}")
    parser.add_argument("--set", nargs="+", action="extend", metavar="KEY=VALUE", help="the source's own keys")
    arrange_allow(parser)
    parser.add_argument("--polls", type=polls, default=1, metavar="N", help="how often it is polled (default: 1)")
    parser.add_argument("--json", action="store_true", help="print a JSON object")


def arrange_allow(parser: argparse.ArgumentParser) -> None:
    """Which private addresses may be asked."""
    parser.add_argument(
        "--allow", nargs="+", action="extend", metavar="HOST:PORT", help="private addresses that may be asked"
    )


def polls(text: str) -> int:
    """A whole number from 1 to 100."""
    found = positive(text)
    if found > MOST_POLLS:
        raise argparse.ArgumentTypeError(f"at most {MOST_POLLS}: a site is asked each time")
    return found


def run(args: argparse.Namespace) -> int:
    """Poll it and print what came."""
    settings = read_settings(args)
    options = read_set(getattr(args, "set", ()))
    check_options(args.kind, options)
    source = SourceInfo(TRIAL, Voice.PRESS if args.kind == "feed" else Voice.PUBLIC)
    with ExitStack() as opened:
        tools = open_trial_tools(settings, getattr(args, "allow", ()), args.kind, options, opened)
        connector = opened.enter_context(closing(build_connector(args.kind, source, options, tools)))
        try:
            require_approval("", args.kind, options, tools.permitted)
            tried = try_source(connector, args.polls)
        except NotConfigured as off:
            tried = Tried(state=state_of(off), reason=str(off))
    if getattr(args, "json", False):
        print(json.dumps(tried_row(tried), ensure_ascii=False, indent=1))
    else:
        print_tried(tried)
    return 0


def check_options(kind: str, options: dict[str, str]) -> None:
    """Raises UserError or SettingsError, a line for each problem, where no such source can be built."""
    if kind not in CONNECTORS:
        raise UserError(f'KIND: found "{kind}", expected one of {", ".join(sorted(CONNECTORS))}')
    read_options(CONNECTORS[kind].Options, options, "--set", "", BaseModel)


def open_trial_tools(
    settings: Settings, allow: Sequence[str], kind: str, options: dict[str, str], opened: ExitStack
) -> Tools:
    """What a trial works with: a key of authors that nobody keeps, the budgets and permissions that there are. A trial
    may read what any source was permitted that reads the same."""
    limits = fetch_settings(settings)
    fetcher = opened.enter_context(
        closing(Fetcher(replace(limits, allow=(*limits.allow, *read_allow(allow))), utc_now))
    )
    state = open_known_state(settings)
    if state is None:
        return open_tools(settings, fetcher, utc_now, AuthorKey.for_now())
    opened.enter_context(closing(state))
    what = subject_of(kind, options) if kind else ""
    permitted = {each.what for each in state.permissions()}
    tools = open_tools(settings, fetcher, utc_now, AuthorKey.for_now(), state)
    return replace(tools, permitted=lambda source: what in permitted)


def read_allow(pairs: Sequence[str]) -> list[str]:
    """HOST:PORT pairs; raises UserError for anything else."""
    for pair in pairs:
        host, _, port = pair.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise UserError(f'--allow "{pair}": expected HOST:PORT, such as 127.0.0.1:8080')
    return list(pairs)


def read_set(pairs: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE pairs; raises UserError for anything else."""
    given: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not key.strip() or not sign:
            raise UserError(f'--set "{pair}": expected KEY=VALUE, such as tag=brixton')
        if key.strip() in given:
            raise UserError(f"--set {key.strip()} is given twice")
        given[key.strip()] = value
    return given


def print_tried(tried: Tried) -> None:
    """What it gave, for people: the newest posts first."""
    print(f"{tried.state}{': ' if tried.reason else ''}{tried.reason}")
    for number, poll in enumerate(tried.polls, start=1):
        print(f"poll {number}: {poll['new']} new, {poll['edited']} edited, {poll['gone']} gone")
    print_posts(tried, 20)
    posts = f"{len(tried.mentions)} post{'' if len(tried.mentions) == 1 else 's'}"
    left_out = f"{tried.left_out} left out{f' ({tried.sample})' if tried.sample else ''}"
    print(f"{posts}, {left_out}; nothing was stored")


def print_posts(tried: Tried, most: int) -> None:
    """The newest posts, a line each."""
    newest = sorted(tried.mentions.values(), key=lambda each: each.published_at, reverse=True)
    for mention in newest[:most]:
        print(f"{mention.published_at:%Y-%m-%d %H:%M} UTC  {plain_line(mention.words, 100)}")
    if len(newest) > most:
        print(f"... and {len(newest) - most} earlier ones")


def tried_row(tried: Tried) -> dict[str, object]:
    """What a trial gave, for machines; authors appear as keyed hashes, by a key that nobody keeps."""
    mentions = [
        {**mention_row(each), "native_id": each.native_id, "author": each.author_key}
        for each in tried.mentions.values()
    ]
    return {
        "state": tried.state,
        "reason": tried.reason,
        "left_out": tried.left_out,
        "polls": tried.polls,
        "mentions": mentions,
    }
