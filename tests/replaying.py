"""Plays recorded posts through store and rules as the daemon would: every two minutes polled, then checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from alerts.rule import Rule
from listener.rows import Row, read_rows, to_mention
from mentions.mention import Assessed, Mention
from mentions.records import Finding, Level
from mentions.store import MentionStore

STEP = timedelta(minutes=2)
RUNS_ON = timedelta(hours=3)

Judge = Callable[[list[Mention]], list[Assessed]]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and when it was made."""

    at: datetime
    finding: Finding

    @property
    def rings(self) -> bool:
        return self.finding.level is Level.CRISIS


def read_mentions(path: Path, keep: Callable[[Row], bool] = lambda row: True) -> list[Mention]:
    """The rows of a recorded file in order of time; an author is a made-up key."""
    rows = [row for row in read_rows(path) if isinstance(row, Row) and row.at and keep(row)]
    found = [
        to_mention(row, row.at, lambda platform, name: f"{platform}/{name}", history=False) for row in rows if row.at
    ]
    return sorted(found, key=lambda mention: mention.published_at)


def replay(
    mentions: Sequence[Mention], store: MentionStore, rules: Iterable[Rule], judge: Judge, until: datetime | None = None
) -> Iterator[Found]:
    """Everything the rules find, in order; `until` ends it early."""
    rules = list(rules)
    now = mentions[0].published_at.replace(second=0, microsecond=0) - STEP
    end = min(until or mentions[-1].published_at + RUNS_ON, mentions[-1].published_at + RUNS_ON)
    at = 0
    while now <= end:
        first = at
        while at < len(mentions) and mentions[at].published_at <= now:
            at += 1
        if at > first:
            store.save(judge([replace(mention, first_seen_at=now) for mention in mentions[first:at]]))
        for rule in rules:
            for finding in rule.check(now, store):
                yield Found(now, finding)
        now += STEP


def spells(found: Iterable[Found], gap: timedelta = timedelta(hours=1)) -> list[Found]:
    """The first finding of each spell: a key that was silent for longer than `gap` begins a new one, as does a rise
    from warning to crisis."""
    last: dict[tuple[str, bool], datetime] = {}
    first = []
    for each in found:
        key = (each.finding.key, each.rings)
        if key not in last or each.at - last[key] > gap:
            first.append(each)
        last[key] = each.at
    return first
