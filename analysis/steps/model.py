"""What the model reads, for the steps after it to weigh. Deferred: a text costs it some six milliseconds."""

from __future__ import annotations

from typing import ClassVar

from analysis.draft import Draft
from analysis.reading import Model
from analysis.steps.sentiment import police_spans

ENGLISH = ("", "en", "und")


def may_read(draft: Draft, name: str) -> bool:
    """Whether a model is to read now. Before it is time for deferred steps, the step of that name is waited for."""
    if not draft.deep:
        draft.pending = (*draft.pending, name)
        return False
    return draft.lang in ENGLISH and bool(draft.tokens)


class ReadByModel:
    """Deferred: leaves its reading in the draft. What is not English, or has no words, it does not read."""

    name: ClassVar[str] = "model"

    def __init__(self, model: Model) -> None:
        self._model = model
        self.version = model.digest

    def judge(self, draft: Draft) -> None:
        """Read the words when it is time for the deferred steps; until then say that they wait."""
        if may_read(draft, self.name):
            draft.reading = self._model.read(draft.words, police_spans(draft))
