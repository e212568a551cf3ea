"""The promise of an enrichment step."""

from __future__ import annotations

from typing import ClassVar, Protocol

from analysis.draft import Draft


class Step(Protocol):
    """Gives one opinion. Pure: the same mention gets the same opinion, whatever the order or company; no network."""

    name: ClassVar[str]

    @property
    def version(self) -> int | str:
        """Another one whenever its answers change."""

    def judge(self, draft: Draft) -> None:
        """Write this step's opinion and its reasons into the draft; read what earlier steps wrote."""
