"""`earshot exercise`: rehearse a crisis with real connectors, judgement and alerts."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from config.settings import Settings
from listener.commands.search_ import moment
from listener.daemon import stop_on_signals
from listener.exercise import (
    EXERCISE_DIRECTORY,
    Exercise,
    JumpClock,
    ends_at,
    exercise_settings,
    prepare_exercise,
    report,
    starts_at,
)
from listener.house import open_house
from listener.lock import hold
from listener.rehearsal.posts import Posts, load_posts
from listener.rehearsal.process import Rehearsal
from listener.start import at_directory, read_settings
from listener.watching import read_watched
from mentions.failures import UserError

HELP = "rehearse a crisis: posts are published on a loopback server as they fall due, everything else is the real thing"
EXAMPLE = "earshot exercise --speed max --report report.json"
SKIPPED_SHOWN = 10
SCENARIO = Path(__file__).parent.parent.parent / "config" / "defaults" / "exercise.jsonl"


def arrange(parser: argparse.ArgumentParser) -> None:
    """What to play, how fast, and where alerts go."""
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE.jsonl", help="posts to play (default: the built-in scenario)"
    )
    parser.add_argument(
        "--watch", metavar="QUERY", help="a crisis watchlist for this exercise; its hits count whatever their relevance"
    )
    parser.add_argument(
        "--speed", default="60", metavar="N|max", help="scenario seconds per second, or max (default 60)"
    )
    parser.add_argument("--from", dest="since", type=moment, metavar="T", help="play posts published at T or later")
    parser.add_argument("--to", dest="until", type=moment, metavar="T", help="play posts published before T")
    parser.add_argument(
        "--deliver", action="store_true", help="send alerts, marked EXERCISE, through the settings' real channels"
    )
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write what happened here")
    parser.add_argument("--json", action="store_true", help="print the report")


def run(args: argparse.Namespace) -> int:
    """Play; 1 where lines could not be read."""
    settings = read_settings(args)
    settings = at_directory(settings, settings.data if args.data else settings.data / EXERCISE_DIRECTORY)
    speed = read_speed(args.speed)
    if args.watch:
        read_watched(args.watch)
    if args.deliver and not settings.channels:
        raise UserError("--deliver: the settings name no channels: add [[channels]] first, or leave --deliver out")
    posts = load_posts(args.files or [SCENARIO], args.since, args.until)
    starts_at(posts)
    tell_skipped(posts)
    result = play(settings, posts, speed, args)
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if args.report:
        write_report(args.report, text)
    print(text if args.json else summary(result))
    return 1 if posts.unread else 0


def tell_skipped(posts: Posts) -> None:
    """The first few rows that are left out, with reasons, and how many more there are."""
    for bad in posts.skipped[:SKIPPED_SHOWN]:
        print(f"skipped {bad}", file=sys.stderr)
    if (more := len(posts.skipped) - SKIPPED_SHOWN) > 0:
        print(f"... and {more} more", file=sys.stderr)


def play(settings: Settings, posts: Posts, speed: float | None, args: argparse.Namespace) -> dict[str, object]:
    """Set the stage, play, and take it down again."""
    clock = JumpClock(starts_at(posts))
    stop = stop_on_signals()
    with ExitStack() as stack:
        stack.enter_context(hold(settings.data))
        prepare_exercise(settings.data)
        files = args.files or [SCENARIO]
        rehearsal = stack.enter_context(Rehearsal(posts, files, args.since, args.until))
        settings = exercise_settings(settings, rehearsal, args.watch, deliver=args.deliver)
        house = open_house(settings, clock, exercise=True, jitter=0)
        stack.callback(house.close)
        bar = stack.enter_context(progress_bar(posts))
        begun = starts_at(posts)

        def progress(now: datetime) -> None:
            bar.n = int((now - begun).total_seconds() // 60)
            bar.set_postfix_str(f"{now:%a %d %b %H:%M}", refresh=False)
            bar.update(0)

        ended = Exercise(house, clock, rehearsal, posts, speed, stop, progress).play()
        if not ended:
            raise UserError(f"stopped at {clock():%Y-%m-%d %H:%M} UTC of the scenario, before its end")
        return report(house, posts, rehearsal, clock())


def progress_bar(posts: Posts) -> tqdm[object]:
    """Minutes of scenario time."""
    minutes = int((ends_at(posts) - starts_at(posts)).total_seconds() // 60)
    return tqdm(total=minutes, unit="min", desc="EXERCISE", disable=None, file=sys.stderr, mininterval=0.5)


def read_speed(text: str) -> float | None:
    """Scenario seconds per second; None for max."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e6:
        raise UserError(f'--speed {text}: expected a number above 0, such as 60, or "max"')
    return speed


def write_report(path: Path, text: str) -> None:
    """The report as a file."""
    try:
        path.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror})") from None


def summary(result: dict[str, object]) -> str:
    """The report for people, in a few lines."""
    posts, incidents = result["posts"], result["incidents"]
    assert isinstance(posts, dict)
    assert isinstance(incidents, list)
    lines = ["EXERCISE ended: " + ", ".join(f"{count} {name}" for name, count in posts.items())]
    for each in incidents:
        crisis = f", crisis at {each['crisis_at'][:16]}" if each["crisis_at"] else ""
        told = f"opened {each['opened_at'][:16]}{crisis}, {len(each['notices'])} notices"
        lines.append(f"  #{each['id']} {each['level']} {each['colour']}: {each['title']} ({told})")
    return "\n".join(lines)
