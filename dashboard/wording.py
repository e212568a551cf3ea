"""The words and marks of the pages: times as London reads them, colours as shapes and words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mentions.mention import Mood, Rag, Reach
from mentions.records import SourceState

LONDON = ZoneInfo("Europe/London")
RAG_MARKS = {Rag.RED: "■ Red", Rag.AMBER: "▲ Amber", Rag.GREEN: "● Green", Rag.NONE: "– None"}
MOODS = {Mood.NEGATIVE: "negative", Mood.NEUTRAL: "neutral", Mood.POSITIVE: "positive", Mood.UNCERTAIN: "uncertain"}
REACHES = {Reach.UNKNOWN: "", Reach.LOCAL: "local", Reach.MEDIUM: "medium", Reach.WIDE: "wide"}
SOURCE_MARKS = {
    SourceState.OK: "● on time",
    SourceState.QUIET: "◐ doubtful",
    SourceState.FAILING: "▲ late",
    SourceState.PAUSED: "■ stopped",
    SourceState.NEVER: "◇ never",
    SourceState.OFF: "○ not configured",
}


def tell_time(at: datetime | None, now: datetime, *, seconds: bool = False) -> str:
    """London time with its zone, "02:14 GMT"; with the date when it is not `now`'s day; "never" for None."""
    if at is None:
        return "never"
    local, today = at.astimezone(LONDON), now.astimezone(LONDON)
    clock = local.strftime("%H:%M:%S %Z" if seconds else "%H:%M %Z")
    if local.date() == today.date():
        return clock
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {clock}"


def tell_age(at: datetime | None, now: datetime) -> str:
    """How long ago, in the largest fitting unit: "42 min ago", "in 5 min", "never"."""
    if at is None:
        return "never"
    gap = now - at
    return f"in {tell_span(-gap)}" if gap < timedelta(0) else f"{tell_span(gap)} ago"


def tell_span(gap: timedelta) -> str:
    """A length of time in its largest fitting unit."""
    seconds = int(gap.total_seconds())
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size * 2 or (seconds >= size and word == "min"):
            return f"{seconds // size} {word}"
    return f"{max(seconds, 0)} s"


def plain_words(key: str) -> str:
    """A key of ours (`force_reputation`) as words."""
    return key.replace("_", " ").strip()


def count_of(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 warning", "1,204 posts"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def parse_time(text: str | None) -> datetime | None:
    """An ISO time as aware UTC; None for nothing or nonsense."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
