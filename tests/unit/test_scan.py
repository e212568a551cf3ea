"""The scan: bursts found at any interval, measured by the series' own past, one alert per incident."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.scan import DEFAULT, Bell, Scan, improbability

MINUTE, FIVE, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)


def make_calm(mean: float, bins: int, seed: int = 1) -> list[int]:
    """Counts of posts that arrive by chance at a steady rate."""
    chance = random.Random(seed)
    return [sum(chance.random() < mean / 40 for _ in range(40)) for _ in range(bins)]


def alerts_of(counts: list[int], interval: timedelta) -> list[int]:
    scan = Scan(interval)
    return [at for at, count in enumerate(counts) if scan.update(count).alert]


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=120), st.integers(0, 119), st.sampled_from([MINUTE, FIVE, HOUR])
)
def test_a_row_depends_on_no_later_row(counts: list[int], cut: int, interval: timedelta) -> None:
    whole, short = Scan(interval), Scan(interval)
    points = [whole.update(count) for count in counts]
    assert [short.update(count) for count in counts[:cut]] == points[:cut]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_scores_lie_between_nought_and_one(counts: list[float]) -> None:
    scan = Scan(FIVE)
    assert all(0 <= scan.update(count).score <= 1 for count in counts)


@pytest.mark.parametrize(("interval", "bins", "burst"), [(MINUTE, 2880, 12), (FIVE, 1500, 25), (HOUR, 600, 60)])
def test_a_burst_rings_once_at_any_interval(interval: timedelta, bins: int, burst: int) -> None:
    calm = make_calm(0.5, bins)
    assert alerts_of([*calm, *[burst] * 5, *make_calm(0.5, 20, 2)], interval)[-1] in range(bins, bins + 5)
    assert not [at for at in alerts_of(calm, interval) if at > bins // 4]


def test_a_slow_build_that_no_single_bin_shows_is_found() -> None:
    calm = make_calm(0.5, 1500)
    build = [3] * 36
    found = alerts_of([*calm, *build], FIVE)
    assert found
    assert found[-1] >= len(calm)
    assert improbability(3, 0.5 + DEFAULT.floor_posts) < DEFAULT.ruler_floor / 2


def test_a_restless_series_must_shout_louder_than_a_calm_one() -> None:
    chance = random.Random(5)
    restless = [chance.randint(10, 60) if at % 31 < 2 else 1 for at in range(3000)]
    calm = [1] * 3000
    burst = [40, 40]
    assert alerts_of([*calm, *burst], FIVE) == [3000]
    assert not [at for at in alerts_of([*restless, *burst], FIVE) if at >= 3000]
    assert alerts_of([*restless, 400], FIVE)[-1] == 3000


def test_a_first_row_however_high_is_no_alert() -> None:
    assert not alerts_of([500, 480, 510, 495, 505, 490, 500, 512, 488, 503], FIVE)


def test_an_event_that_begins_with_its_series_is_found() -> None:
    grows = [2, 0, 1, 0, 1, 2, 2, 3, 1, 2, 4, 3, 5, 5, 7, 6, 8, 9, 8, 10, 11, 10, 12, 14, 13, 15, 14, 16, 15, 17]
    assert alerts_of(grows, MINUTE)


def test_the_first_morning_of_a_series_that_began_at_night_is_no_alert() -> None:
    night, day = make_calm(0.15, 480), make_calm(0.45, 480, 2)
    assert not alerts_of([*night, *day], MINUTE)


def test_no_posts_at_all_are_no_alert() -> None:
    assert not alerts_of([0] * 500, MINUTE)


def test_what_is_usual_is_the_mean_without_the_bursts() -> None:
    scan = Scan(FIVE)
    for count in [*[4] * 995, *[1000] * 5]:
        scan.update(count)
    assert scan.usual == pytest.approx(4)


def test_what_is_usual_forgets_what_is_older_than_the_memory() -> None:
    scan = Scan(HOUR, replace(DEFAULT, memory=timedelta(hours=30)))
    for count in [*[50] * 100, *[2] * 30]:
        scan.update(count)
    assert scan.usual == 2


def test_weighing_changes_nothing() -> None:
    counts = make_calm(3, 300)
    weighed, plain = Scan(FIVE), Scan(FIVE)
    for count in counts:
        weighed.weigh([9, 40, 90, 200, 700])
        assert weighed.update(count) == plain.update(count)


def test_weighing_says_what_a_next_bin_with_these_counts_would_score() -> None:
    counts = [2] * 300
    scan, fed = Scan(FIVE), Scan(FIVE)
    for count in counts:
        scan.update(count)
        fed.update(count)
    point = fed.update(30)
    assert scan.weigh([30, 34, 40, 52, 100]) == replace(point, alert=False)


def test_a_point_names_the_horizon_that_stands_out_and_what_is_usual_there() -> None:
    scan = Scan(FIVE)
    for _ in range(1000):
        scan.update(2)
    point = scan.weigh([30, 34, 40, 52, 100])
    assert (point.horizon, point.count) == (FIVE, 30)
    assert point.expected == pytest.approx(2 + DEFAULT.floor_posts + DEFAULT.floor_per_hour / 12)


def test_horizons_shorter_than_the_interval_are_one_bin() -> None:
    assert Scan(HOUR).horizons == (HOUR, 3 * HOUR)
    assert Scan(timedelta(days=1)).horizons == (timedelta(days=1),)


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        Scan(timedelta(0))


def test_the_bell_rings_again_only_when_much_worse_or_after_the_quiet() -> None:
    bell = Bell(HOUR, replace(DEFAULT, threshold=0.5, gain=3, quiet=timedelta(hours=24)))
    assert [bell.hear(score) for score in (0.4, 0.5, 0.6, 0.74, 0.75, 0.8)] == [False, True, False, False, True, False]
    assert not any(bell.hear(0.5) for _ in range(22))
    assert bell.hear(0.5)
