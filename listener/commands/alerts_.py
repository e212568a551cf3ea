"""`earshot alerts`: incidents, their history and what was sent."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from listener.acts import open_known_state
from listener.commands.search_ import positive
from listener.start import read_settings
from mentions.records import Incident, Notice
from mentions.state import State

HELP = "list incidents, newest first, with the notices sent for each"
EXAMPLE = "earshot alerts --open --json"


def arrange(parser: argparse.ArgumentParser) -> None:
    """Which incidents."""
    parser.add_argument("--open", action="store_true", help="only those still open")
    parser.add_argument("--limit", type=positive, default=100, metavar="N", help="at most N (default 100)")
    parser.add_argument("--json", action="store_true", help="print a JSON array")


def run(args: argparse.Namespace) -> int:
    """Print the incidents."""
    state = open_known_state(read_settings(args))
    incidents: list[Incident] = []
    rows: list[dict[str, object]] = []
    if state is not None:
        with closing(state):
            incidents = state.incidents(open_only=args.open, limit=args.limit)
            rows = [incident_row(state, incident) for incident in incidents]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for incident in incidents:
        drill = "EXERCISE " if incident.exercise else ""
        print(f"#{incident.id:<4} {incident.opened_at:%Y-%m-%d %H:%M} {incident.state:12} {incident.level:7} "
              f"{incident.colour:5} {drill}{incident.title}")  # fmt: skip
    if not incidents:
        print("no incidents")
    return 0


def incident_row(state: State, incident: Incident) -> dict[str, object]:
    """An incident for machines, with its history and notices."""
    transitions = [
        {"at": each.at.isoformat(), "what": each.what, "reason": each.reason, "by": each.by}
        for each in state.transitions(incident.id)
    ]
    row = {key: plain(value) for key, value in asdict(incident).items()}
    return row | {"transitions": transitions, "notices": [notice_row(each) for each in state.notices(incident.id)]}


def notice_row(notice: Notice) -> dict[str, object]:
    """A notice as reports have it."""
    return {
        "key": notice.key,
        "kind": str(notice.kind),
        "queued_at": notice.queued_at.isoformat(),
        "accepted_at": notice.accepted_at.isoformat() if notice.accepted_at else None,
        "channel": notice.channel,
        "state": str(notice.state),
        "attempts": notice.attempts,
        "message": notice.message,
    }


def plain(value: object) -> object:
    """The value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
