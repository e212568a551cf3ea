"""The rule for volume: many more posts than a series has ever had reason to bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar

from alerts.rules.evidence import describe_span, most_shared_boroughs, most_shared_topic, share
from alerts.scan import DEFAULT, Scan, ScanPoint, ScanSettings, improbability
from mentions.mention import Assessed, Mood, Rag
from mentions.records import Finding, Level
from mentions.store import MentionStore

BIN = timedelta(minutes=5)  # of the past; the present is counted by the minute
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVIDENCE_KEPT = 200  # the newest
MOST_LOOKED_AT = 400  # the newest members; what is counted comes from the series
WATCH = "watch:"


@dataclass(frozen=True, slots=True)
class SurgeSettings:
    """What a surge takes. A watchlist's surge is a crisis; any other is a warning unless it is large and hostile."""

    # calm series are scanned every minute for years: a stricter ruler than that of a file keeps chance off the phone
    scan: ScanSettings = field(default_factory=lambda: replace(DEFAULT, ruler_floor=5.0))
    posts: int = 5  # fewest in the horizon that stands out ...
    voices: int = 3  # ... from so many authors or publishers
    crisis_posts: int = 10  # the same two for a crisis without a watchlist
    crisis_voices: int = 5
    hostile: float = 0.5  # share of red posts, or of posts against the police, that makes it one
    settle: timedelta = timedelta(hours=3)  # so long ago is past: an event never counts as its own past while it is new
    quiet: timedelta = timedelta(minutes=30)  # it holds no longer once nothing was found for so long


@dataclass(slots=True)
class _Past:
    """What a series was like up to `until`, learned bin by bin from `rows`, all counted since `since`."""

    since: datetime
    until: datetime
    rows: list[tuple[datetime, int, int]]
    scan: Scan
    learned_until: datetime


class Surge:
    """Fires when a watchlist, all relevant mentions, or the red ones come far faster than their own past explains."""

    name: ClassVar[str] = "surge"

    def __init__(self, settings: SurgeSettings | None = None) -> None:
        self._settings = settings or SurgeSettings()
        self._horizons = Scan(BIN, self._settings.scan).horizons
        self._pasts: dict[str, _Past] = {}

    def describe(self) -> str:
        """When it fires, in one sentence."""
        rule = self._settings
        return (
            "fires when a watchlist, the relevant mentions or the red ones come far faster over 5 minutes to 3 hours "
            f"than the same series ever did ({rule.posts} posts from {rule.voices} voices at the least); a watchlist "
            f"is a crisis at once, the others from {rule.crisis_posts} mostly red or hostile posts of "
            f"{rule.crisis_voices} voices"
        )

    def check(self, now: datetime, store: MentionStore) -> list[Finding]:
        """See `Rule.check`. What is usual is learned up to the last full hour before `settle`; it is read again each
        hour, and always before anything is found."""
        return [finding for name in store.series_names() if (finding := self._check(name, now, store))]

    def _check(self, name: str, now: datetime, store: MentionStore) -> Finding | None:
        recent = store.series(name, now - self._horizons[-1], now)
        live = [(minute, count) for minute, count, _ in recent if count]
        if not live:
            return None
        counts = [sum(count for minute, count in live if minute >= now - horizon) for horizon in self._horizons]
        if counts[-1] < self._settings.posts or self._is_quiet(name, live[-1][0], now, store):
            return None
        if not self._stands_out(self._learn(name, now, store, afresh=False).weigh(counts)):
            return None
        scan = self._learn(name, now, store, afresh=True)
        point = scan.weigh(counts)
        if not self._stands_out(point):
            return None
        members = list(reversed(store.members(name, now - point.horizon, now, MOST_LOOKED_AT)))
        if len(members) < self._settings.posts:  # the last minute was counted whole, or some went in between
            return None
        return self._judge(name, point, members, _find_onset(members, now, scan, self._settings.posts))

    def _is_quiet(self, name: str, newest_at: datetime, now: datetime, store: MentionStore) -> bool:
        """Whether nothing came of late, neither published nor found: after an outage a burst is found long past."""
        lately = now - self._settings.quiet
        if newest_at >= lately:
            return False
        return not store.members(name, now - self._horizons[-1], now, 1, seen_since=lately)

    def _stands_out(self, point: ScanPoint) -> bool:
        return point.score >= self._settings.scan.threshold and point.count >= self._settings.posts

    def _learn(self, name: str, now: datetime, store: MentionStore, *, afresh: bool) -> Scan:
        """The scan of this series up to the last settled hour; carried on, and started anew each day or whenever what
        was learned before turns out to have changed."""
        until = (now - self._settings.settle).replace(minute=0, second=0, microsecond=0)
        since = until.replace(hour=0) - self._settings.scan.memory
        past = self._pasts.get(name)
        if past and past.until == until and not afresh:
            return past.scan
        rows = store.series(name, since, until)
        if (
            not past
            or not past.rows
            or (past.since, past.rows) != (since, rows[: len(past.rows)])
            or past.until > until
        ):
            past = _Past(since, until, [], Scan(BIN, self._settings.scan), _start_of(rows, until))
        for count in _count_bins(rows[len(past.rows) :], past.learned_until, until):
            past.scan.update(count)
        self._pasts[name] = replace(past, rows=rows, until=until, learned_until=until)
        return past.scan

    def _judge(self, name: str, point: ScanPoint, members: Sequence[Assessed], onset: int) -> Finding | None:
        voices = len({each.mention.speaker for each in members})
        if len(members) < self._settings.posts or voices < self._settings.voices:
            return None
        watchlist = name.removeprefix(WATCH) if name.startswith(WATCH) else ""
        red = share(members, lambda each: each.assessment.rag is Rag.RED)
        crisis = bool(watchlist) or self._is_hostile(members, red, voices)
        burst = members[onset:]
        return Finding(
            rule=self.name,
            key=f"{self.name}:{name}",
            level=Level.CRISIS if crisis else Level.WARNING,
            colour=Rag.RED if crisis or red >= self._settings.hostile else Rag.AMBER,
            summary=_summarise(name, watchlist, point, voices, red),
            topic=most_shared_topic(members),
            watchlist=watchlist,
            boroughs=most_shared_boroughs(members),
            score=point.score,
            count=int(point.count),
            expected=point.expected,
            window_minutes=point.horizon // MINUTE,
            publishers=voices,
            first_evidence_at=burst[0].mention.counts_at,
            last_evidence_at=burst[-1].mention.counts_at,
            evidence=tuple(each.mention.id for each in burst[-EVIDENCE_KEPT:]),
        )

    def _is_hostile(self, members: Sequence[Assessed], red: float, voices: int) -> bool:
        if len(members) < self._settings.crisis_posts or voices < self._settings.crisis_voices:
            return False
        against = share(members, lambda each: each.assessment.sentiment.label is Mood.NEGATIVE)
        return max(red, against) >= self._settings.hostile


def _find_onset(members: Sequence[Assessed], now: datetime, scan: Scan, fewest: int) -> int:
    """The first of the members, oldest first, that belongs to the burst: from it on they stand out most. A stray post
    that happened to be in the horizon is no evidence of it."""

    def strength(at: int) -> float:
        return improbability(len(members) - at, scan.expect(now - members[at].mention.counts_at))

    return max(range(max(1, len(members) - fewest + 1)), key=strength, default=0)


def _start_of(rows: Sequence[tuple[datetime, int, int]], until: datetime) -> datetime:
    """The bin of the first row: what was before it nobody knows, so it is not taken for quiet."""
    if not rows:
        return until
    first = rows[0][0]
    return first.replace(minute=first.minute - first.minute % (BIN // MINUTE))


def _count_bins(rows: Sequence[tuple[datetime, int, int]], since: datetime, until: datetime) -> list[int]:
    counts = [0] * ((until - since) // BIN)
    for minute, live, history in rows:
        counts[(minute - since) // BIN] += live + history
    return counts


def _summarise(name: str, watchlist: str, point: ScanPoint, voices: int, red: float) -> str:
    what = f"posts on watchlist {watchlist!r}" if watchlist else f"{name} mentions"
    usual = f"{point.expected:.0f}" if point.expected >= 1 else "hardly any"
    summary = f"{point.count:.0f} {what} in {describe_span(point.horizon)}, where {usual} would be usual"
    return f"{summary}, from {voices} voices" + (f", {red:.0%} of them red" if red and name != "red" else "")
