"""From a mention to an opinion: the inline steps at once, the deferred ones from the store, in batches."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from analysis.draft import Draft
from analysis.enricher import Step
from analysis.hub import HubModel
from analysis.reading import Model
from analysis.steps import language
from analysis.steps.debates import Debates
from analysis.steps.model import ReadByModel
from analysis.steps.mood import MoodOfMessage
from analysis.steps.mood_model import MoodByModel
from analysis.steps.places import Places
from analysis.steps.rating import Rating, topic_words
from analysis.steps.relevance import Relevance, has_a_word_for_it
from analysis.steps.sentiment import Sentiment, police_spans
from analysis.vocabulary import Span, Vocabulary, attitude_words, debate_words, gazetteer, police_words, read_toml
from mentions.facets import fact_facets
from mentions.mention import Assessed, Assessment, Mention, Reason
from mentions.normalise import index_text, normalise
from mentions.store import MentionStore
from mentions.watchlists import Matcher, Watchlist

LOG = logging.getLogger(__name__)
LONGEST = 10_000  # characters judged; the rest of a longer text is kept and searched, not judged
COULD_NOT = "could not be judged"


class Pipeline:
    """Judges mentions. Immutable once built: any number of threads may share one.

    `places` adds gazetteer names with their boroughs, `patches` says which boroughs a source or site writes about, and
    `own_handles` are our own accounts, so that talk addressed to them counts as talk to the police. Without
    a `model` all is judged by words alone; a `mood_model` has the last word on the mood, and on that alone.
    """

    deferred: ClassVar[tuple[str, ...]] = (ReadByModel.name, MoodByModel.name, language.Language.name)

    def __init__(
        self,
        watchlists: Sequence[Watchlist] = (),
        own_handles: Sequence[str] = (),
        places: Mapping[str, Sequence[str]] | None = None,
        patches: Mapping[str, Sequence[str]] | None = None,
        model: Model | None = None,
        mood_model: HubModel | None = None,
    ) -> None:
        words = police_words() | attitude_words() | debate_words() | topic_words()
        words = words | {"force": (*words["force"], *(handle.lstrip("@") for handle in own_handles))}
        self._vocabulary = Vocabulary(words, gazetteer(places or {}))
        self.watchlists = tuple(watchlists)
        self._matcher = Matcher(watchlists)
        steps: tuple[Step, ...] = (
            language.Language(),
            Places(read_toml("forums.toml")["patches"] | dict(patches or {})),
            *([ReadByModel(model)] if model else []),
            *([MoodByModel(mood_model)] if mood_model else []),
            Relevance(),
            Sentiment(),
            MoodOfMessage(),
            Rating(),
            Debates(),
        )
        self._steps = steps

    def assess(self, mention: Mention) -> Assessment:
        """The opinion of one mention by words alone: no model, no store, no network, no memory."""
        return self._judge(mention).assessment()

    def has_a_word_for_it(self, mention: Mention) -> bool:
        """Whether any listed word speaks for its being ours."""
        return has_a_word_for_it(self._draft(mention))

    def targets(self, mention: Mention) -> tuple[Span, ...]:
        """Where its words name the police, in order, none in another: what an attitude to them is read off."""
        return police_spans(self._draft(mention))

    def watched(self, mention: Mention) -> tuple[str, ...]:
        """The names of the watchlists that `assess` would say it matches, without judging anything else."""
        return self._matcher.match(index_text(mention.words[:LONGEST]), fact_facets(mention))

    def assess_for_store(self, mention: Mention) -> Assessed:
        """The same opinion beside its mention, with its index text, so that the store need not work it out again."""
        draft = self._judge(mention)
        return Assessed(mention, draft.assessment(), draft.indexed if len(draft.words) < LONGEST else "")

    def assess_whole(self, mention: Mention) -> Assessment:
        """The opinion of one mention with its deferred steps run at once; like `assess`, from itself alone. Raises what
        a step raises."""
        return self._judge(mention, deep=True).assessment()

    def assess_surely(self, mention: Mention, held: Assessment | None = None) -> Assessment:
        """The same; where a step fails, the held opinion, or that by words alone, marked `could not be judged`."""
        try:
            return self.assess_whole(mention)
        except Exception:
            LOG.exception("assess failed mention=%s", mention.id)
            held = held or self.assess(mention)
            return replace(held, unsure=True, pending=(), reasons=(*held.reasons, Reason(COULD_NOT)))

    def assess_pending(self, store: MentionStore, limit: int) -> int:
        """Run the deferred steps over up to `limit` mentions that wait for them; returns how many were settled.

        Each is judged alone: one that a step fails on is marked `could not be judged` and never holds up others.
        """
        waiting: list[Assessed] = []
        for step in self.deferred:
            # A step that no longer runs may still be waited for: whatever waits is judged by the steps there are.
            waiting = waiting or store.pending(step, limit)
        settled = [Assessed(held.mention, self.assess_surely(held.mention, held.assessment)) for held in waiting]
        if settled:
            store.judge(settled)
        return len(settled)

    def _draft(self, mention: Mention, *, deep: bool = False) -> Draft:
        """A draft with what was found in the words, and no opinion yet."""
        words = mention.words[:LONGEST]
        norm = normalise(words)
        return Draft(mention, words, norm, self._vocabulary.find(norm), deep=deep)

    def _judge(self, mention: Mention, *, deep: bool = False) -> Draft:
        draft = self._draft(mention, deep=deep)
        draft.indexed = index_text(draft.words, draft.norm)
        draft.watchlists = self._matcher.match(draft.indexed, fact_facets(mention))
        for step in self._steps:
            step.judge(draft)
        idle = {ReadByModel.name: draft.reading is None, MoodByModel.name: draft.mood_read is None}
        draft.made_by = tuple(f"{step.name}/{step.version}" for step in self._steps if not idle.get(step.name))
        return draft
