"""Taking words out of what quotes them: a whole text, however it is spelt in a file, or a run of its words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable

REMOVED = "[deleted]"
RUN = 6  # words in a row that tell a quotation from common talk
SHORTEST_RUN = 5  # of a text that is as short as that; "stop and search in Camden" is anybody's, and less is more so
SHORTEST = 30  # characters of a text of fewer words that is looked for as it stands
_WORD = re.compile(r"\w+")


class Redaction:
    """Takes the words of these texts out of others. Made once for many texts: its cost is that of reading. Runs that
    also stand in `ours` are no quotation of them."""

    def __init__(self, texts: Iterable[str], ours: Iterable[str] = ()) -> None:
        self._spelt: set[str] = set()
        self._runs: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        for text in texts:
            self._learn(text)
        for own in ours:
            self._spare(own)

    def _learn(self, text: str) -> None:
        words = [word.casefold() for word in _WORD.findall(text)]
        if len(text) >= SHORTEST:
            self._spelt |= _spellings(text)
        length = min(RUN, len(words))
        if length >= SHORTEST_RUN:
            self._runs[length].update(tuple(words[at : at + length]) for at in range(len(words) - length + 1))

    def _spare(self, own: str) -> None:
        words = [word.casefold() for word in _WORD.findall(own)]
        self._spelt = {each for each in self._spelt if each not in own}
        for length, runs in self._runs.items():
            runs.difference_update(tuple(words[at : at + length]) for at in range(len(words) - length + 1))

    def __bool__(self) -> bool:
        return bool(self._spelt or any(self._runs.values()))

    def apply(self, said: str) -> str:
        """The same without them; itself where it quotes none."""
        for spelling in sorted((each for each in self._spelt if each in said), key=len, reverse=True):
            said = said.replace(spelling, REMOVED)
        spans = self._quoted(said)
        parts, reached = [], 0
        for start, end in spans:
            parts += [said[reached:start], REMOVED]
            reached = end
        return "".join((*parts, said[reached:])) if parts else said

    def apply_within(self, value: object) -> object:
        """The same of every string within a JSON value."""
        if isinstance(value, str):
            return self.apply(value)
        if isinstance(value, dict):
            return {name: self.apply_within(each) for name, each in value.items()}
        return [self.apply_within(each) for each in value] if isinstance(value, list) else value

    def _quoted(self, said: str) -> list[tuple[int, int]]:
        found = [(match.start(), match.end(), match[0].casefold()) for match in _WORD.finditer(said)]
        words = [word for _, _, word in found]
        spans: list[tuple[int, int]] = []
        for length, runs in self._runs.items():
            spans += [
                (found[at][0], found[at + length - 1][1])
                for at in range(len(words) - length + 1)
                if tuple(words[at : at + length]) in runs
            ]
        return _joined(sorted(spans))


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _spellings(text: str) -> set[str]:
    """A text as plain text, JSON and CSV spell it, and in one line."""
    plain, line = text.strip(), " ".join(text.split())
    spelt = {plain, line, plain.replace('"', '""')}
    return spelt | {json.dumps(each, ensure_ascii=ascii)[1:-1] for each in (plain, line) for ascii in (True, False)}
