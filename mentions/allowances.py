"""What a kind of source may cost: its accounts by day and month, and what is left of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mentions.records import Charge, Spent

MILLION = 1_000_000
AT_ONCE = 0.2  # of a day's searches that may be spent at its very beginning
ALLOWANCES_NOTE = "allowances"  # the daemon's note in the state that the pages read


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most a kind may spend; None where nothing is set. Money is in US dollars. A day begins at midnight in `zone`.

    `reserve` is the share of calls and of money kept for re-checks of what is held. `searches_per_day` is the account
    of every bucket of its own: nobody re-checks by searching, so nothing of it is reserved, and it is spread over the
    day, so that what happens in the evening can still be searched for.
    """

    kind: str
    calls_per_day: int | None = None
    calls_per_month: int | None = None
    dollars_per_day: float | None = None
    dollars_per_month: float | None = None
    searches_per_day: int | None = None
    reserve: float = 0.2
    zone: str = "UTC"

    def charges(self, calls: int, cost: float, bucket: str, recheck: bool, now: datetime) -> list[Charge]:
        """What a request is to be charged to. Calls of a bucket count there alone, money always in one account."""
        day, month = self.periods(now)
        share = 1.0 if recheck else 1.0 - self.reserve
        money = to_millionths(cost)
        own = 0 if bucket else calls
        main = [
            Charge("", day, own, money, _of(self.calls_per_day, share), _money(self.dollars_per_day, share)),
            Charge("", month, own, money, _of(self.calls_per_month, share), _money(self.dollars_per_month, share)),
        ]
        if not bucket:
            return main
        searches = Charge(bucket, day, calls, 0, self.searches_by(now))
        return [searches, *(main if money else ())]

    def searches_by(self, now: datetime) -> int | None:
        """How many of the day's searches may be spent by now: some at once, the others as the day goes on."""
        if self.searches_per_day is None:
            return None
        at_once = self.searches_per_day * AT_ONCE
        return math.floor(round(at_once + (self.searches_per_day - at_once) * self._share_of_day(now), 6))

    def next_search_at(self, now: datetime) -> datetime:
        """When one more than by now may be spent; the end of the day where none may."""
        end = self.ends_at(self.periods(now)[0], now)
        later = self.searches_per_day or 0
        slow = later * (1 - AT_ONCE)
        wanted = (self.searches_by(now) or 0) + 1
        if wanted > later or slow <= 0:
            return end
        begin = self._begin(now)
        return begin + (end - begin) * min(1.0, (wanted - later * AT_ONCE) / slow)

    def _share_of_day(self, now: datetime) -> float:
        begin = self._begin(now)
        return (now - begin) / (self.ends_at(self.periods(now)[0], now) - begin)

    def _begin(self, now: datetime) -> datetime:
        local = now.astimezone(ZoneInfo(self.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        return local.astimezone(now.tzinfo)

    def periods(self, now: datetime) -> tuple[str, str]:
        """The day and the month that run now."""
        local = now.astimezone(ZoneInfo(self.zone))
        return f"{local:%Y-%m-%d}", f"{local:%Y-%m}"

    def ends_at(self, period: str, now: datetime) -> datetime:
        """When the day or month of `period`, that runs now, is over."""
        zone = ZoneInfo(self.zone)
        local = now.astimezone(zone)
        first = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if len(period) > len("2026-11"):
            following = first.date() + timedelta(days=1)
        else:
            following = (first.date().replace(day=1) + timedelta(days=32)).replace(day=1)
        return datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(now.tzinfo)


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a kind as people see it; money in US dollars, None where there is no limit. `bucket` is "" but for
    an allowance of its own."""

    kind: str
    bucket: str
    calls_today: int
    calls_this_month: int
    dollars_today: float
    dollars_this_month: float
    calls_per_day: int | None = None
    calls_per_month: int | None = None
    dollars_per_day: float | None = None
    dollars_per_month: float | None = None
    reserve: float = 0.0

    @property
    def calls_left(self) -> int | None:
        """What may still be asked today, reserve included."""
        left = [
            most - used
            for most, used in (
                (self.calls_per_day, self.calls_today),
                (self.calls_per_month, self.calls_this_month),
            )
            if most is not None
        ]
        return max(0, min(left)) if left else None

    @property
    def dollars_left(self) -> float | None:
        """What may still be spent today, reserve included."""
        left = [
            most - used
            for most, used in (
                (self.dollars_per_day, self.dollars_today),
                (self.dollars_per_month, self.dollars_this_month),
            )
            if most is not None
        ]
        return max(0.0, round(min(left), 6)) if left else None


def accounts_of(allowances: Iterable[Allowance], spent: Sequence[Spent], now: datetime) -> list[Account]:
    """Every account that has a limit or was used this month, by kind; `spent` as of the periods that run now."""
    found = []
    for allowance in sorted(allowances, key=lambda each: each.kind):
        day, month = allowance.periods(now)
        used = {(each.bucket, each.period): each for each in spent if each.kind == allowance.kind}
        buckets = {bucket for bucket, period in used if bucket and period == day}
        if allowance.searches_per_day is not None:
            buckets.add("search")
        found += [_account(allowance, bucket, used, day, month) for bucket in ("", *sorted(buckets))]
    return [each for each in found if _is_worth_telling(each)]


def periods_of(allowances: Iterable[Allowance], now: datetime) -> list[str]:
    """The periods that run now, of all of them."""
    return sorted({period for each in allowances for period in each.periods(now)})


def to_note(allowances: Iterable[Allowance]) -> str:
    """As the state keeps them."""
    return json.dumps([asdict(each) for each in allowances])


def from_note(text: str | None) -> list[Allowance]:
    """What `to_note` made; none where there is nothing, or something else."""
    try:
        return [Allowance(**each) for each in json.loads(text or "[]")]
    except (ValueError, TypeError):
        return []


def to_millionths(dollars: float) -> int:
    """Money as a whole number, so that a thousand small sums add up exactly; a part of a millionth counts as one."""
    return math.ceil(round(dollars * MILLION, 3))


def _account(allowance: Allowance, bucket: str, used: dict[tuple[str, str], Spent], day: str, month: str) -> Account:
    today, so_far = used.get((bucket, day)), used.get((bucket, month))
    calls_today = today.calls if today else 0
    money_today, money_so_far = (each.money if each else 0 for each in (today, so_far))
    if bucket:
        return Account(allowance.kind, bucket, calls_today, calls_today, 0.0, 0.0, allowance.searches_per_day)
    return Account(
        allowance.kind,
        "",
        calls_today,
        so_far.calls if so_far else 0,
        money_today / MILLION,
        money_so_far / MILLION,
        allowance.calls_per_day,
        allowance.calls_per_month,
        allowance.dollars_per_day,
        allowance.dollars_per_month,
        allowance.reserve,
    )


def _is_worth_telling(account: Account) -> bool:
    limits = (account.calls_per_day, account.calls_per_month, account.dollars_per_day, account.dollars_per_month)
    used = account.calls_this_month or account.calls_today or account.dollars_this_month
    return bool(used) or any(each is not None for each in limits)


def _of(most: int | None, share: float) -> int | None:
    return None if most is None else math.floor(round(most * share, 6))


def _money(most: float | None, share: float) -> int | None:
    return None if most is None else math.floor(round(most * share * MILLION, 3))
