"""What the model reads, for the steps after it to weigh. Deferred: a text costs it some three milliseconds."""

from __future__ import annotations

from typing import ClassVar

from analysis.draft import Draft
from analysis.reading import Model
from analysis.steps.sentiment import police_spans

ENGLISH = ("", "en", "und")


class ReadByModel:
    """Deferred: leaves its reading in the draft. What is not English, or has no words, it does not read."""

    name: ClassVar[str] = "model"

    def __init__(self, model: Model) -> None:
        self._model = model
        self.version = model.digest

    def judge(self, draft: Draft) -> None:
        """Read the words when it is time for the deferred steps; until then say that they wait."""
        if not draft.deep:
            draft.pending = (*draft.pending, self.name)
        elif draft.lang in ENGLISH and draft.tokens:
            draft.reading = self._model.read(draft.words, police_spans(draft))
