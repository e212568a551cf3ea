"""`earshot models`: which models judge, which are held here; fetches others, and tries them all."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from config.settings import Settings, is_model_name
from listener.held_models import Held, list_models
from listener.lock import prepare_directory
from listener.model_fetching import fetch_model
from listener.start import read_settings
from mentions.failures import UserError

HELP = "list the models held here and which of them judge; fetch another, or check that all can be run"
EXAMPLE = "earshot models fetch cardiffnlp/twitter-roberta-base-sentiment-latest"
ACTS = ("list", "fetch", "check")


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which model."""
    parser.add_argument("act", nargs="?", choices=ACTS, default="list", help="what to do (default: list)")
    parser.add_argument("name", nargs="?", metavar="NAME", help="fetch: the model, as the hub calls it")
    parser.add_argument("--revision", metavar="REV", help="fetch: a tag, branch or commit (default: the newest)")
    parser.add_argument("--endpoint", metavar="URL", help="fetch: another hub, such as a mirror of your own")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 where a check found a model that cannot be run."""
    settings = read_settings(args)
    if args.act == "fetch":
        place = fetch(args, settings)
        held = next(each for each in list_models(settings) if each.folder == str(place))
        print(json.dumps(asdict(held), indent=1) if args.json else tell_fetched(held))
        return 0
    if args.name or args.revision or args.endpoint:
        raise UserError("NAME, --revision and --endpoint are for `earshot models fetch`")
    rows = list(list_models(settings, prove=args.act == "check"))
    if args.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    else:
        for row in rows:
            print_row(row)
    return 1 if args.act == "check" and any(row.problem for row in rows) else 0


def fetch(args: argparse.Namespace, settings: Settings) -> Path:
    """Fetch one, after what was given was looked at."""
    if not args.name or not is_model_name(args.name):
        raise UserError(f'"{args.name or ""}" is no model\'s name: give it as the hub does, owner/model')
    if args.endpoint and not args.endpoint.startswith(("http://", "https://")):
        raise UserError(f'--endpoint "{args.endpoint}": expected an address such as "https://hub.example"')
    prepare_directory(settings.data)
    return fetch_model(args.name, settings.analysis.models, args.revision or "", (args.endpoint or "").rstrip("/"))


def tell_fetched(held: Held) -> str:
    """What is there now, and what to do next."""
    if held.problem:
        return f"{held.name} is fetched, but cannot be run yet: {held.problem}"
    use = "it is in use from the next start" if held.reads else f'to use it: [analysis] mood_model = "{held.name}"'
    return f"{held.name} is fetched ({held.bytes / 1e6:.1f} MB, revision {held.revision[:12]}); {use}"


def print_row(row: Held) -> None:
    """One model for people."""
    state = "BAD" if row.problem else "in use" if row.reads else "held"
    print(f"{state:7} {row.name:50} {row.bytes / 1e6:8.1f} MB  {row.digest:12}  {', '.join(row.reads)}")
    if row.problem:
        print(f"{'':7} {row.problem}")
    elif "macro_recall" in row.metrics:
        told = (
            f"macro recall {row.metrics['macro_recall']:.3f}, calibration error {row.metrics['calibration_error']:.3f}"
        )
        print(f"{'':7} mood: {told}, on {row.metrics['texts']:,} tweets it had not seen")
