"""Burying mentions everywhere: in the store, its spool, the state and the files of the data directory."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path

from alerts.wording import STANDING
from listener.kept_files import Buried, clean_files
from mentions.clock import Clock
from mentions.mention import DELETED, Assessed
from mentions.records import Burial
from mentions.redaction import Redaction
from mentions.state import State
from mentions.store import MentionStore
from mentions.tombstones import entombed

log = logging.getLogger(__name__)

AT_ONCE = 1000
BURY_AGAIN = "bury_again"  # a note in the state
REST = 20  # times as long as a burial took, before the next: what is deleted must never keep a large store busy

BuryWaiting = Callable[[Collection[str], datetime, str], int]


@dataclass(slots=True)
class Burying:
    """Makes tombstones, everywhere and for good. What is to go is noted first and struck off last: whoever is killed in
    between, or finds the store away, does it again. `bury_waiting` does it to what waits on disk for the store."""

    store: MentionStore
    state: State
    bury_waiting: BuryWaiting
    folder: Path
    passed_over: Collection[Path]
    clock: Clock
    _rest_until: float = field(default=0.0, repr=False)  # monotonic

    def note(self, ids: Sequence[str], because: str) -> None:
        """These are to be buried; `finish` does it."""
        if ids:
            self.state.note_burials(ids, self.clock(), because)

    def finish(self, *, at_once: bool = False) -> int:
        """Bury what was noted and is not done yet; how many had words. Rests between burials, unless told not to."""
        if not at_once and time.monotonic() < self._rest_until:
            return 0
        began, gone = time.monotonic(), 0
        if self.state.get(BURY_AGAIN):
            gone += bury_again(self.store, self.state)
        while waiting := self.state.unfinished_burials(AT_ONCE):
            for (because, at), alike in groupby(sorted(waiting, key=_occasion), key=_occasion):
                gone += self._bury([each.mention_id for each in alike], at, because)
        if gone:
            self._rest_until = time.monotonic() + (time.monotonic() - began) * REST
        return gone

    def _bury(self, ids: Sequence[str], at: datetime, because: str) -> int:
        """First all that needs the words to find them by, then the words."""
        self.bury_waiting(ids, at, because)
        held = self.store.get(ids)
        texts = _texts(held)
        self.state.redact(texts, STANDING)
        clean_files(self.folder, self.passed_over, Buried(frozenset(ids), at, because, Redaction(texts, STANDING)))
        gone = self.store.bury(ids, at, because)
        self.state.finish_burials(ids)
        if gone:
            log.info("buried=%d because=%s", gone, because)
        return gone


def bury_again(store: MentionStore, state: State) -> int:
    """Bury in the store whatever was ever buried, as after a backup was put back; how many had words again. Whoever
    puts one back leaves `BURY_AGAIN` in the state before, so that it is done though they are killed in between."""
    gone, after = 0, ""
    while page := state.burials(after, AT_ONCE):
        gone += bury_alike(store, page)
        after = page[-1].mention_id
    state.put(BURY_AGAIN, "")
    return gone


def bury_alike(store: MentionStore, burials: Sequence[Burial]) -> int:
    """Bury these in the store; how many had words. What it has not, or has as a tombstone already, is passed over."""
    held = store.get([each.mention_id for each in burials])
    worded = {mention_id for mention_id, each in held.items() if each.mention.buried_at is None}
    gone = 0
    for (because, at), alike in groupby(sorted(burials, key=_occasion), key=_occasion):
        ids = [each.mention_id for each in alike if each.mention_id in worded]
        gone += store.bury(ids, at, because) if ids else 0
    return gone


class Deleted:
    """What was ever deleted at its source, by the state's list: as it comes into a store again, from an older export
    or another store, its words stay out. (Words that lapsed may come: they are looked at, or lapse again.)"""

    def __init__(self, state: State | None) -> None:
        self._known: dict[str, Burial] = {}
        after = ""
        while state is not None and (page := state.burials(after, AT_ONCE)):
            self._known |= {each.mention_id: each for each in page if each.because == DELETED}
            after = page[-1].mention_id

    def without_words(self, batch: Sequence[Assessed]) -> list[Assessed]:
        """The same, tombstones where they have to be."""
        return [self._as_known(held) for held in batch]

    def _as_known(self, held: Assessed) -> Assessed:
        known = self._known.get(held.mention.id)
        return held if known is None else entombed(held, known.at, known.because)


def _occasion(burial: Burial) -> tuple[str, datetime]:
    return burial.because, burial.at


def _texts(held: Mapping[str, Assessed]) -> list[str]:
    return [text for each in held.values() for text in (each.mention.title, each.mention.text) if text]
