"""All mentions of one store into another, exactly, and the proof that they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mentions.documents import fingerprint
from mentions.failures import TemporaryFailure
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.patience import patiently
from mentions.store import MentionStore

BATCH = 1000
_RING = 1 << 256


@dataclass(slots=True)
class Sum:
    """Count and hash of mentions, whatever their order: the sum of all fingerprints."""

    count: int = 0
    total: int = 0

    def add(self, held: Assessed) -> None:
        """Count one in."""
        self.count += 1
        self.total = (self.total + int.from_bytes(fingerprint(held))) % _RING

    @property
    def hash(self) -> str:
        """The hash, for people to compare."""
        return f"{self.total:064x}"


@dataclass(slots=True)
class Copied:
    """What a copy did. `sent` and `found` are the sums of what was to be copied, here and there."""

    written: int = 0
    there_before: int = 0
    others: int = 0  # mentions of the target that the source has not
    sent: Sum = field(default_factory=Sum)
    found: Sum = field(default_factory=Sum)

    @property
    def equal(self) -> bool:
        """Whether the target has each of them exactly as the source has it."""
        return self.sent == self.found


def copy_all(
    source: MentionStore,
    target: MentionStore,
    progress: Callable[[str, int], None],
    tell: Callable[[TemporaryFailure], None],
    as_known: Callable[[Sequence[Assessed]], Sequence[Assessed]] = lambda batch: batch,
) -> Copied:
    """Copy every mention as of now, newest first, then read all of it back. What the target has already is not written
    again, so a copy that was broken off goes on where it was; where both have a mention, the later fetched copy's facts
    stand, and the source's opinion. Writing waits for a target that is away, and `tell` hears of it; reading does not:
    run again, it goes on. `as_known` makes of a batch what is to be copied of it. `progress`
    hears the stage ("copy" or "check") and how many more are done."""
    done, keys = Copied(), set[int]()
    every = source.everything()
    while batch := as_known(list(islice(every, BATCH))):
        patiently(lambda batch=batch: _copy(batch, target, done), tell)  # type: ignore[misc]
        for held in batch:
            done.sent.add(held)
            keys.add(order_key(held.mention))
        progress("copy", len(batch))
    for held in target.everything():
        if order_key(held.mention) in keys:
            done.found.add(held)
            progress("check", 1)
        else:
            done.others += 1
    return done


def _copy(batch: Sequence[Assessed], target: MentionStore, done: Copied) -> None:
    there = target.get([held.mention.id for held in batch])
    missing = [held for held in batch if held != there.get(held.mention.id)]
    for held in missing:
        said, ours = held.mention, there.get(held.mention.id)
        if said.buried_at and ours and not ours.mention.buried_at:  # down to the bytes, which saving does not see to
            target.bury([said.id], said.buried_at, said.buried_because)
    if missing:
        target.save(missing)
        known = [held for held in missing if held.mention.id in there]
        if known:
            target.judge(known)
    done.written += len(missing)
    done.there_before += len(batch) - len(missing)
