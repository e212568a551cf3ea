"""The mood of a message, whoever it is aimed at: by the model, and where that is not there by VADER's words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import ClassVar

from analysis.draft import Draft, uncertain
from analysis.reading import Floats
from analysis.vocabulary import attitude_words, spell_out
from mentions.mention import Mood, Verdict
from mentions.normalise import normalise

# Cut-offs tuned by others on public tweets, not on ours.
NEGATIVE_BELOW, POSITIVE_ABOVE = -0.10, 0.35
_NEGATED = -0.74
_BOOST = 0.293
_SPREAD = 15.0
MOODS = (Mood.NEGATIVE, Mood.NEUTRAL, Mood.POSITIVE)
_LIKELY = 0.38


class MoodOfMessage:
    """Inline: one number from -1 to 1. Not English, no verdict."""

    name: ClassVar[str] = "mood"
    version: ClassVar[int] = 2

    def judge(self, draft: Draft) -> None:
        """Weigh the words; what is not English stays uncertain."""
        shares = draft.reading.mood if draft.mood_read is None and draft.reading else draft.mood_read
        if shares is not None:
            draft.mood = _likeliest(shares)
            return
        if draft.lang not in ("", "en"):
            draft.mood = uncertain()
            return
        score = weigh(draft.tokens)
        label = Mood.NEGATIVE if score < NEGATIVE_BELOW else Mood.POSITIVE if score > POSITIVE_ABOVE else Mood.NEUTRAL
        draft.mood = Verdict(label, round(score, 3))


def _likeliest(shares: Floats) -> Verdict:
    """The likeliest mood, uncertain where none is; the score is the share of good less that of bad."""
    score = round(float(shares[2] - shares[0]), 3)
    return Verdict(MOODS[int(shares.argmax())] if shares.max() >= _LIKELY else Mood.UNCERTAIN, score)


def weigh(words: Sequence[str]) -> float:
    """From -1 to 1: the weights of the words added up, turned by a "not" up to three words before."""
    lexicon, denials, stronger = _lexicon(), _single("negation"), _single("stronger")
    total = 0.0
    for at in [at for at, word in enumerate(words) if word in lexicon]:
        valence = lexicon[words[at]]
        before = words[max(at - 3, 0) : at]
        if before and before[-1] in stronger:
            valence += _BOOST if valence > 0 else -_BOOST
        total += valence * _NEGATED if not denials.isdisjoint(before) else valence
    return total / sqrt(total * total + _SPREAD)


@cache
def _single(tag: str) -> frozenset[str]:
    return frozenset(word for notation in attitude_words()[tag] for word in spell_out(notation) if " " not in word)


@cache
def _lexicon() -> dict[str, float]:
    words: dict[str, float] = {}
    for line in files("vaderSentiment").joinpath("vader_lexicon.txt").read_text("utf-8").splitlines():
        word, valence = line.split("\t")[:2]
        if (key := normalise(word)) and " " not in key and key == word.casefold():
            words[key] = float(valence)
    return words
