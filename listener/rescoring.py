"""The present judgement over what is held already, and what that changes. What people corrected stays."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from analysis.pipeline import Pipeline
from analysis.steps.model import ReadByModel
from listener.paging import batches, pages
from listener.public import look_up
from mentions.corrections import FIELDS, value_of
from mentions.facets import facet
from mentions.failures import TemporaryFailure
from mentions.mention import Assessed, Assessment, Rag
from mentions.merging import rejudged
from mentions.patience import patiently
from mentions.query import parse
from mentions.store import MentionStore

log = logging.getLogger(__name__)

SHOWN = ("rag", "sentiment")  # fields whose changes are counted answer by answer


@dataclass(slots=True)
class Rescored:
    """What a rescore came to. `confusion` counts (before, after) where they differ or not, for each field SHOWN."""

    seen: int = 0
    changed: int = 0
    failed: int = 0  # could not be judged: left as they were
    corrected: int = 0  # have corrections, which were kept
    fields: Counter[str] = field(default_factory=Counter)
    confusion: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: {name: Counter() for name in SHOWN})
    became_red: list[str] = field(default_factory=list)
    no_longer_red: list[str] = field(default_factory=list)

    def count(self, mention_id: str, before: Assessment, after: Assessment) -> None:
        """Count one mention in."""
        self.seen += 1
        self.corrected += bool(after.corrections)
        self.changed += before != after
        for name in FIELDS:
            self.fields[name] += value_of(before, name) != value_of(after, name)
        for name, pairs in self.confusion.items():
            pairs[value_of(before, name), value_of(after, name)] += 1
        was, now = _is_red(before), _is_red(after)
        if was != now:
            (self.became_red if now else self.no_longer_red).append(mention_id)


def _is_red(opinion: Assessment) -> bool:
    return opinion.relevant and opinion.rag is Rag.RED


def rescore(
    store: MentionStore,
    pipeline: Pipeline,
    since: datetime,
    until: datetime | None,
    *,
    write: bool,
    progress: Callable[[int], None],
    tell: Callable[[TemporaryFailure], None],
) -> Rescored:
    """Judge every mention published in [since, until) anew, newest first, and write what changes unless told not to.
    What was broken off is simply run again: what is judged already stays as it is. `progress` hears how many more are
    done, `tell` that the store is waited for."""
    done = Rescored()
    for batch in batches(store, parse(""), since, until):
        before = {each.mention.id: each for each in batch}
        judged = [new for each in batch if (new := _judge(each, pipeline, done)) is not None]
        after = [rejudged(before[each.mention.id], each) for each in look_up(store, judged)]
        for each in after:
            done.count(each.mention.id, before[each.mention.id].assessment, each.assessment)
        changed = [each for each in after if each != before[each.mention.id]]
        if changed and write:
            patiently(lambda changed=changed: store.judge(changed), tell)  # type: ignore[misc]
        progress(len(batch))
    return done


def reads_model(store: MentionStore, since: datetime, until: datetime | None) -> bool:
    """Whether the shipped model had a part in any opinion held from [since, until)."""
    made = (name for each in pages(store, parse(""), since, until) for name in each.assessment.made_by)
    return any(name.startswith(f"{ReadByModel.name}/") for name in made)


def _judge(held: Assessed, pipeline: Pipeline, done: Rescored) -> Assessed | None:
    try:
        opinion = pipeline.assess_whole(held.mention)
    except Exception:  # one that breaks the judgement must never hold up the others
        log.exception("rescore failed mention=%s", held.mention.id)
        done.failed += 1
        return None
    watchlists = _with_past_marks(opinion.watchlists, held.assessment.watchlists, pipeline)
    return Assessed(held.mention, replace(opinion, watchlists=watchlists), fetched_at=held.fetched_at)


def _with_past_marks(now: Sequence[str], before: Sequence[str], pipeline: Pipeline) -> tuple[str, ...]:
    """Watchlists that no longer run keep their marks."""
    running = {facet("watchlist", each.name) for each in pipeline.watchlists}
    return tuple(sorted({*now, *(name for name in before if facet("watchlist", name) not in running)}))
