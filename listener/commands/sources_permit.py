"""`earshot sources permit`: a named person records that a source may be read which terms or robots.txt close."""

from __future__ import annotations

import argparse
import json
from contextlib import closing

from config.settings import Settings
from listener.acts import open_known_state, whoever
from listener.approval import subject_of
from listener.lock import prepare_directory, refuse_exercise
from listener.start import read_settings
from mentions.clock import utc_now
from mentions.failures import UserError
from mentions.records import Permission
from mentions.sqlstate import open_state

HELP = (
    "record who permitted a source that its platform's terms or its site's robots.txt close, and why; or take it back"
)
EXAMPLE = "earshot sources permit 'X search' --by 'Sam Roe' --because 'X approved our use case on 3 May, ref 12'"
LONGEST = 500


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which source, who and why."""
    parser.add_argument("name", metavar="NAME", help="the source, as the settings call it")
    parser.add_argument("--by", metavar="WHO", help="the person who answers for it")
    parser.add_argument("--because", metavar="WHY", help="what was agreed, with whom")
    parser.add_argument("--withdraw", action="store_true", help="take the permission back")
    parser.add_argument("--json", action="store_true", help="print the permission as JSON")


def run(args: argparse.Namespace) -> int:
    """Record it, or take it back."""
    settings = read_settings(args)
    by = read_words(args, "by", "a person's name")
    because = read_words(args, "because", "the reason, in a few words")
    if getattr(args, "withdraw", False):
        done = withdraw(settings, args.name, by, because)
    else:
        done = permit(settings, args.name, by, because)
    if getattr(args, "json", False):
        print(json.dumps({"source": done.source, "what": done.what, "by": done.by, "because": done.because,
                          "at": done.at.isoformat()}, ensure_ascii=False))  # fmt: skip
    else:
        act = "withdrawn" if getattr(args, "withdraw", False) else "permitted"
        print(f"{act}: {done.source} ({done.what})")
    return 0


def read_words(args: argparse.Namespace, key: str, expected: str) -> str:
    """What was given under that key; raises UserError where that is nothing."""
    text = " ".join(getattr(args, key, "").split())
    if not text or not text.isprintable() or len(text) > LONGEST:
        raise UserError(f"--{key}: expected {expected}; it is kept, and shown beside the source")
    return text


def permit(settings: Settings, name: str, by: str, because: str) -> Permission:
    """Keep it in the state and the audit. Raises UserError for a source that the settings do not name."""
    source = next((each for each in settings.sources if each.name == name), None)
    if source is None:
        known = ", ".join(f'"{each.name}"' for each in settings.sources) or "none"
        raise UserError(f'no source of the settings is called "{name}"; they name {known}')
    given = Permission(name, subject_of(source.kind, source.options), by, because, utc_now())
    refuse_exercise(settings.data)
    prepare_directory(settings.data)
    with closing(open_state(settings.state)) as state:
        state.permit(given)
        state.audit(given.at, f"{by} (command line, {whoever()})", "permit source", detail_of(given, because))
    return given


def withdraw(settings: Settings, name: str, by: str, because: str) -> Permission:
    """Take it out of the state; the audit keeps both. Raises UserError where there is none."""
    state = open_known_state(settings)
    none = UserError(f'"{name}" has no permission that could be withdrawn: `earshot sources` lists those that stand')
    if state is None:
        raise none
    with closing(state):
        now = utc_now()
        try:
            stood = state.withdraw_permission(name, now)
        except KeyError:
            raise none from None
        state.audit(now, f"{by} (command line, {whoever()})", "withdraw permission", detail_of(stood, because))
    return stood


def detail_of(permission: Permission, because: str) -> dict[str, object]:
    """What the audit keeps of it."""
    return {"source": permission.source, "what": permission.what, "because": because}
