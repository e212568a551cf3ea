"""Coverage: a source against its own past, and whether "no mentions" can be said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mentions import coverage
from mentions.coverage import Coverage, weigh_coverage
from mentions.reach import Reach
from mentions.records import Arrivals, Counted, SourceGap, SourceRow, SourceState
from mentions.store import Tally

NOW = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def row(name: str, state: SourceState = SourceState.OK, **facts: object) -> SourceRow:
    made = SourceRow(name, "feed", state=state, succeeded_at=NOW - timedelta(minutes=5))
    return replace(made, **facts)  # type: ignore[arg-type]


def steady(name: str, per_day: int, since: timedelta = 28 * DAY, until: timedelta = timedelta(0)) -> list[Tally]:
    """So many posts on each day of a past, spread over its hours."""
    hours = int((since - until) / HOUR)
    step = 24 / per_day
    at = [NOW - since + timedelta(hours=int(n * step)) for n in range(int(hours / step))]
    return [Tally(each, name, "none", 1, 0, 0) for each in at]


def weigh(rows: list[SourceRow], tallies: list[Tally], **given: object) -> Coverage:
    facts = {"gaps": [], "arrivals": [], "counted": [], "reach": Reach(), "boroughs": (), **given}
    return weigh_coverage(rows, tallies, now=NOW, **facts)  # type: ignore[arg-type]


def verdict(made: Coverage) -> str:
    return made.sources[0].verdict


def test_a_source_that_brings_what_it_usually_does_is_as_usual() -> None:
    made = weigh([row("a")], steady("a", 24))
    assert (made.adequate, made.reason, verdict(made)) == (True, "", coverage.AS_USUAL)
    assert (made.sources[0].seen, round(made.sources[0].expected or 0)) == (24, 24)


def test_a_source_that_answers_and_brings_nothing_for_a_day_is_silent() -> None:
    made = weigh([row("a")], steady("a", 24, until=DAY))
    assert (verdict(made), made.adequate) == (coverage.SILENT, False)
    assert "a (silent)" in made.reason


def test_a_slow_source_is_weighed_by_the_week() -> None:
    made = weigh([row("a")], steady("a", 2))
    assert (verdict(made), made.sources[0].window) == (coverage.AS_USUAL, 7 * DAY)
    assert verdict(weigh([row("a")], steady("a", 2, until=7 * DAY))) == coverage.SILENT
    assert verdict(weigh([row("a")], steady("a", 2, until=2 * DAY))) == coverage.AS_USUAL


def test_much_less_than_usual_is_told_and_counts_as_heard() -> None:
    made = weigh([row("a")], [*steady("a", 48, until=DAY), *steady("a", 4, since=DAY)])
    assert (verdict(made), made.adequate) == (coverage.FEWER, True)


@pytest.mark.parametrize(
    ("state", "facts", "expected"),
    [
        (SourceState.PAUSED, {}, coverage.UNHEARD),
        (SourceState.NEVER, {"succeeded_at": None}, coverage.UNHEARD),
        (SourceState.FAILING, {"succeeded_at": NOW - 2 * HOUR}, coverage.UNHEARD),
        (SourceState.FAILING, {}, coverage.AS_USUAL),
        (SourceState.OFF, {}, coverage.OFF),
        (SourceState.QUIET, {}, coverage.AS_USUAL),
    ],
)
def test_how_a_source_is_doing_decides_whether_it_is_heard(
    state: SourceState, facts: dict[str, object], expected: str
) -> None:
    assert verdict(weigh([row("a", state, **facts)], steady("a", 24))) == expected


def test_little_that_is_unheard_leaves_the_rest_adequate_and_is_named() -> None:
    rows = [row("big"), row("small", SourceState.PAUSED)]
    made = weigh(rows, [*steady("big", 48), *steady("small", 6)])
    assert (made.adequate, made.reason) == (
        True,
        "about 11% of what usually comes is not heard in full: small (not heard)",
    )
    much = weigh([row("big", SourceState.PAUSED), row("small")], [*steady("big", 48), *steady("small", 6)])
    assert not much.adequate


def test_nothing_set_up_and_nothing_configured_are_never_adequate() -> None:
    assert weigh([], []).reason == "no sources are set up"
    off = weigh([row("a", SourceState.OFF)], [])
    assert (off.adequate, off.reason) == (False, "no source is configured in full")


def test_a_new_source_without_a_past_is_heard_and_said_to_be_new() -> None:
    made = weigh([row("a")], steady("a", 24, since=2 * DAY))
    assert (verdict(made), made.adequate, made.sources[0].expected) == (coverage.NEW, True, None)
    assert verdict(weigh([row("a", SourceState.QUIET)], [])) == coverage.SILENT


def test_a_gap_of_the_last_day_makes_a_source_one_that_was_not_heard_in_full() -> None:
    fresh, old = SourceGap("a", NOW - HOUR, "window full"), SourceGap("a", NOW - 3 * DAY, "window full")
    made = weigh([row("a")], steady("a", 24), gaps=[fresh, old])
    assert (verdict(made), made.adequate, made.sources[0].gaps) == (coverage.GAP, False, (fresh, old))
    assert verdict(weigh([row("a")], steady("a", 24), gaps=[old])) == coverage.AS_USUAL


def test_late_arrivals_of_the_week_are_summed() -> None:
    days = [Arrivals("a", NOW.date(), 5, 1), Arrivals("a", NOW.date() - DAY, 4, 2), Arrivals("b", NOW.date(), 9, 9)]
    made = weigh([row("a")], steady("a", 24), arrivals=days)
    assert (made.sources[0].arrived, made.sources[0].late) == (9, 3)


def test_what_a_platform_counted_in_the_last_day_stands_beside_what_was_read() -> None:
    hours = [Counted("a", NOW - n * HOUR, NOW - (n - 1) * HOUR, 100) for n in (1, 2, 30)]
    assert weigh([row("a"), row("b")], steady("a", 24), counted=hours).sources[0].counted == 200
    assert weigh([row("b")], [], counted=hours).sources[0].counted is None


def test_blind_spots_name_what_nobody_can_read_and_what_is_not_set_up() -> None:
    reach = Reach(kinds=("feed", "x", "reddit"), patches={"a": ["Camden"], "off": ["Barnet"]})
    rows = [row("a"), row("off", SourceState.OFF, kind="reddit")]
    made = weigh(rows, steady("a", 24), reach=reach, boroughs=("Barnet", "Camden"))
    assert {"Nextdoor", "Facebook groups", "X", "Reddit"} <= set(made.blind_spots)
    assert made.blind_spots["Reddit"] == "not configured: off"
    assert "Feed" not in made.blind_spots
    assert made.boroughs_without_source == ("Barnet",)
