"""The mood by the model that the settings name, where that is not the shipped one."""

from __future__ import annotations

from typing import ClassVar

from analysis.draft import Draft
from analysis.hub import HubModel
from analysis.steps.model import may_read


class MoodByModel:
    """Deferred: leaves the shares of the moods in the draft. What is not English, or has no words, it does not read."""

    name: ClassVar[str] = "mood_model"

    def __init__(self, model: HubModel) -> None:
        self._model = model
        self.version = model.digest

    def judge(self, draft: Draft) -> None:
        """Read the words when it is time for the deferred steps; until then say that they wait."""
        if may_read(draft, self.name):
            draft.mood_read = self._model.read(draft.words)
