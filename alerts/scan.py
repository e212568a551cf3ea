"""Finds bursts in counts: several horizons at once, each topic measured by its own past, one alert per incident.

For every horizon the count is held against what is usual (a Poisson scan, in the closed form of the likelihood ratio);
the strongest horizon is divided by a high quantile of the series' own past strengths, so that a restless topic must
shout louder than a calm one. Settings were chosen on the development half of NAB realTweets, and on the same series
thinned to 4 and to 1 post a bin, for the middle of a plateau rather than its peak (NAB standard,
with the threshold fixed leave-one-series-out / as shipped; as it stands 82.6 / 82.6):

    ruler .975, .98, .99   81.1/77.2  82.6/81.3  77.5/77.8      quiet 18, 30 h      82.2/82.3  69.3/78.0
    gain 2, 2.5, 4         81.3/81.4  82.2/82.0  82.9/82.9      memory 3, 7, 28 d   81.2/81.2  77.6/82.9  81.7/82.3
    floors / 4, x 4        82.6/82.6  82.6/82.6                 without 30 min      83.7/82.9
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import log

MIN_WARM_UP_BINS = 3


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """What the scan holds for usual, and what it takes to alert."""

    horizons: tuple[timedelta, ...] = (
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(minutes=30),
        timedelta(hours=1),
        timedelta(hours=3),
    )
    memory: timedelta = timedelta(days=14)  # how much past says what is usual
    clip: float = 0.99  # bins above this quantile of the memory count as this quantile: bursts are not usual
    floor_posts: float = 0.5  # usual is at least this many per horizon ...
    floor_per_hour: float = 1.5  # ... and this many for each hour of it, on top of the mean
    ruler: float = 0.985  # the quantile of its own past strengths a series is measured by
    ruler_floor: float = 4.0  # in powers of ten of improbability; the ruler of a calm or new series
    warm_up: timedelta = timedelta(minutes=15)  # nothing is judged before this much past
    doubt: timedelta = timedelta(days=1)  # with less past than this, usual may be up to twice what was seen
    threshold: float = 0.52  # score at which it alerts; 0.5 is as strong as the ruler
    quiet: timedelta = timedelta(hours=24)  # after an alert, silent for so long ...
    gain: float = 3.0  # ... unless this many times stronger than what was alerted


DEFAULT = ScanSettings()


@dataclass(frozen=True, slots=True)
class ScanPoint:
    """What holds at one bin. `score` is in [0, 1); `count` posts in `horizon`, the one that stands out most, where
    `expected` are usual; `strength` is count against expected in powers of ten; `alert`: an incident opens or got
    much worse."""

    score: float
    alert: bool
    expected: float
    horizon: timedelta
    count: float
    strength: float


def improbability(count: float, expected: float) -> float:
    """How far `count` lies above `expected`, in powers of ten: log-likelihood ratio of a Poisson rate; 0 below it."""
    if count <= expected:
        return 0.0
    return (count * log(count / expected) - (count - expected)) / log(10)


class Bell:
    """Turns scores into alerts: rings when an incident opens or gets much worse, then keeps silent."""

    def __init__(self, interval: timedelta, settings: ScanSettings = DEFAULT) -> None:
        self._silent_bins = settings.quiet / interval
        self._threshold = settings.threshold
        self._gain = settings.gain
        self._bin = 0
        self._rang_at: int | None = None
        self._rang_ratio = 0.0

    def hear(self, score: float) -> bool:
        """Whether the next bin, with this score, rings."""
        self._bin += 1
        if score < self._threshold:
            return False
        ratio = score / (1 - score)
        silent = self._rang_at is not None and self._bin - self._rang_at < self._silent_bins
        if silent and ratio < self._gain * self._rang_ratio:
            return False
        self._rang_at, self._rang_ratio = self._bin, ratio
        return True


class Scan:
    """Judges one series bin by bin. Strictly causal: a point depends on that bin and those before, never on later."""

    def __init__(self, interval: timedelta, settings: ScanSettings = DEFAULT) -> None:
        if interval <= timedelta(0):
            raise ValueError("the interval between bins must be positive")
        self._interval = interval
        self._hours = interval / timedelta(hours=1)
        self._settings = settings
        self._lengths = sorted({max(1, round(horizon / interval)) for horizon in settings.horizons})
        self._warm_up = max(MIN_WARM_UP_BINS, round(settings.warm_up / interval))
        self._memory = max(round(settings.memory / interval), 10 * self._lengths[-1])
        self._past: deque[float] = deque()
        self._ranked: list[float] = []  # the past in ascending order
        self._total = 0.0
        self._recent: deque[float] = deque([0.0] * self._lengths[-1], maxlen=self._lengths[-1])
        self._sums = [0.0] * len(self._lengths)
        self._strengths: list[float] = []  # of every judged bin, in ascending order
        self._seen = 0
        self._bell = Bell(interval, settings)

    @property
    def horizons(self) -> tuple[timedelta, ...]:
        """The horizons judged, shortest first: those of the settings, in whole bins."""
        return tuple(length * self._interval for length in self._lengths)

    @property
    def usual(self) -> float:
        """The mean count of a bin over the memory, with bursts clipped."""
        held = len(self._ranked)
        if not held:
            return 0.0
        cut = int(self._settings.clip * held)
        top = self._ranked[cut:]
        return max(0.0, self._total - sum(top) + self._ranked[cut] * len(top)) / held

    def update(self, count: float) -> ScanPoint:
        """Judge the next bin, then learn from it."""
        self._slide(count)
        mean = self.usual
        usual = [self._usual_before(length, self._sums[at] - count, mean) for at, length in enumerate(self._lengths)]
        # before the first bin nothing is known, so nothing is expected of that time
        point = self._judge(self._sums, usual, most_bins=self._seen + 1)
        if self._seen < self._warm_up:
            point = replace(point, score=0.0, strength=0.0)
        else:
            insort(self._strengths, point.strength)
        self._remember(count)
        return replace(point, alert=True) if self._bell.hear(point.score) else point

    def weigh(self, counts: Sequence[float]) -> ScanPoint:
        """Judge these counts, one per horizon, against what was learned; learns nothing and never alerts."""
        return self._judge(counts, [self.usual] * len(self._lengths), most_bins=self._lengths[-1])

    def expect(self, span: timedelta) -> float:
        """How many posts are usual in `span`, by what was learned."""
        return self._expected(self.usual * self._doubt(), span / self._interval, span / self._interval)

    def _judge(self, counts: Sequence[float], usual: Sequence[float], most_bins: int) -> ScanPoint:
        doubt = self._doubt()
        best = (-1.0, 0.0, 0.0, 0)
        for length, count, mean in zip(self._lengths, counts, usual, strict=True):
            expected = self._expected(mean * doubt, length, min(length, most_bins))
            strength = improbability(count, expected)
            if strength > best[0]:
                best = (strength, count, expected, length)
        strength, count, expected, length = best
        ratio = strength / self._ruler()
        return ScanPoint(ratio / (1 + ratio), False, expected, length * self._interval, count, strength)

    def _usual_before(self, length: int, held: float, mean: float) -> float:
        """What is usual at this horizon, which holds `held` besides the newest bin. While the past is short only what
        came before the horizon counts: an event that begins with its series must not hide in its own mean."""
        bins = self._seen + 1 - length
        if self._seen >= 2 * self._lengths[-1] or bins < self._warm_up:
            return mean
        return min(mean, (self._total - held) / bins)

    def _doubt(self) -> float:
        """A short past is no proof of calm: the next hour is like this one, the next part of the day may not be."""
        seen = self._seen * self._interval / self._settings.doubt
        return 1 + max(0.0, min(8 * seen, 1 - seen))

    def _expected(self, usual: float, length: float, known: float) -> float:
        return usual * known + self._settings.floor_posts + self._settings.floor_per_hour * length * self._hours

    def _ruler(self) -> float:
        if not self._strengths:
            return self._settings.ruler_floor
        own = self._strengths[int(self._settings.ruler * len(self._strengths))]
        return max(own, self._settings.ruler_floor)

    def _slide(self, count: float) -> None:
        for at, length in enumerate(self._lengths):
            self._sums[at] += count - self._recent[-length]
        self._recent.append(count)

    def _remember(self, count: float) -> None:
        self._seen += 1
        self._past.append(count)
        insort(self._ranked, count)
        self._total += count
        if len(self._past) > self._memory:
            oldest = self._past.popleft()
            del self._ranked[bisect_left(self._ranked, oldest)]
            self._total -= oldest
