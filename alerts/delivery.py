"""Sending what is queued: each channel on its own, at least once, with the same key at every try."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from alerts.channel import Channel
from mentions.clock import Clock, utc_now
from mentions.failures import Failure, NeedsAttention, RateLimited, TemporaryFailure
from mentions.records import Notice, NoticeState, Transition
from mentions.state import State

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(hours=24)
LEASE = timedelta(seconds=60)  # how long a notice waits for us after we were killed in the middle of sending it
REFUSALS_IN_A_ROW = 3  # after which a channel is left alone for this round
SPREAD = 0.2  # of a wait, either way


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the notices that were tried in one round."""

    accepted: int = 0
    failed: int = 0
    dead: int = 0


def deliver_due(
    state: State,
    channels: Mapping[str, Channel],
    now: Clock,
    *,
    lease: timedelta = LEASE,
    limit: int = 100,
    jitter: Callable[[], float] = random.random,
) -> Delivered:
    """Send every notice that is due, oldest first on each channel, channels side by side.

    A notice that was accepted is never sent again, unless we die before we could note it: then it travels once more
    with the same key. A channel that fails keeps its queue in order and is tried again after 15 s, doubling up to
    15 min; one that a person must mend, every 15 min. After 24 h a notice is dead, which its incident's history
    and an ERROR tell. Raises `TemporaryFailure` where the state cannot be reached.
    """
    claimed = sorted(state.claim_notices(now(), lease, limit), key=lambda notice: (notice.channel, notice.id))
    queues = [(name, list(notices)) for name, notices in groupby(claimed, key=lambda notice: notice.channel)]
    if not queues:
        return Delivered()
    rounds = [_Round(state, channels.get(name), now, now() + lease / 2, jitter) for name, _ in queues]
    if len(rounds) == 1:
        rounds[0].send_all(queues[0][1])
    else:
        with ThreadPoolExecutor(max_workers=len(rounds), thread_name_prefix="deliver") as pool:
            for done in [pool.submit(one.send_all, queue) for one, (_, queue) in zip(rounds, queues, strict=True)]:
                done.result()
    return Delivered(
        accepted=sum(one.accepted for one in rounds),
        failed=sum(one.failed for one in rounds),
        dead=sum(one.dead for one in rounds),
    )


@dataclass(slots=True)
class _Round:
    """One channel's turn."""

    state: State
    channel: Channel | None
    now: Clock
    until: datetime  # past this no further sending is begun: the lease must not run out on us
    jitter: Callable[[], float]
    accepted: int = 0
    failed: int = 0
    dead: int = 0
    refusals: int = field(default=0)  # in a row

    def send_all(self, queue: Sequence[Notice]) -> None:
        """In order; whatever cannot be tried any more keeps its place behind the one that failed."""
        for place, notice in enumerate(queue):
            if place and self.now() >= self.until:
                self._put_off(queue[place:], self.now())
                return
            failure = self._try(notice)
            if failure is None:
                continue
            self.refusals = self.refusals + 1 if isinstance(failure, NeedsAttention) else REFUSALS_IN_A_ROW
            if self.refusals >= REFUSALS_IN_A_ROW:
                self._put_off(queue[place + 1 :], self._next_try(notice, failure))
                return

    def _try(self, notice: Notice) -> Failure | None:
        try:
            self._send(notice)
        except Failure as failure:
            self._note_failure(notice, failure)
            return failure
        self._note_success(notice)
        return None

    def _send(self, notice: Notice) -> None:
        if self.channel is None:
            raise NeedsAttention(f'no channel "{notice.channel}" in the settings any more: put it back to deliver this')
        try:
            self.channel.send(notice)
        except Failure:
            raise
        except Exception as bug:  # a channel's bug must cost nobody a notice; it is told with its trace
            log.exception("channel=%s notice=%s bug=%s", notice.channel, notice.key, type(bug).__name__)
            raise TemporaryFailure(f"channel {notice.channel} broke ({type(bug).__name__}), see the log") from bug

    def _note_success(self, notice: Notice) -> None:
        self.refusals = 0
        self.accepted += 1
        if notice.attempts:
            log.info("channel=%s notice=%s accepted_after=%d", notice.channel, notice.key, notice.attempts + 1)
        now = self.now()
        self.state.settle_notice(
            replace(notice, state=NoticeState.ACCEPTED, attempts=notice.attempts + 1, accepted_at=now, message="")
        )

    def _note_failure(self, notice: Notice, failure: Failure) -> None:
        self.failed += 1
        due_at = self._next_try(notice, failure)
        tried = replace(notice, attempts=notice.attempts + 1, message=str(failure), due_at=due_at)
        if self.now() - notice.queued_at >= GIVE_UP_AFTER:
            self._bury(tried)
            return
        if str(failure) != notice.message:
            level = logging.ERROR if isinstance(failure, NeedsAttention) else logging.WARNING
            log.log(level, "channel=%s notice=%s problem=%s", notice.channel, notice.key, failure)
        self.state.settle_notice(tried)

    def _bury(self, notice: Notice) -> None:
        """History first: should we die in between, the notice is tried and told once more rather than forgotten."""
        self.dead += 1
        log.error("channel=%s notice=%s given_up_after=24h problem=%s", notice.channel, notice.key, notice.message)
        incident = self.state.incident(notice.incident_id)
        said = f"channel {notice.channel} could not be told ({notice.kind}) for 24 hours: {notice.message}"
        told = Transition(incident.id, self.now(), "note", said)
        while not self.state.change_incident(incident, [told], [], seen=incident):
            incident = self.state.incident(notice.incident_id)
        self.state.settle_notice(replace(notice, state=NoticeState.DEAD))

    def _put_off(self, rest: Sequence[Notice], due_at: datetime) -> None:
        for notice in rest:
            self.state.settle_notice(replace(notice, due_at=due_at))

    def _next_try(self, notice: Notice, failure: Failure) -> datetime:
        now = self.now()
        if isinstance(failure, RateLimited):
            # Told by the real clock, waited for by ours: in an exercise they differ.
            return now + max(timedelta(seconds=1), failure.until - utc_now())
        if isinstance(failure, NeedsAttention):
            return now + LONGEST_WAIT
        wait = min(FIRST_WAIT * (1 << min(notice.attempts, 10)), LONGEST_WAIT)
        return now + wait * (1 + SPREAD * (2 * self.jitter() - 1))
