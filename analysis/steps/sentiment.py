"""Attitude towards the police, which is not the mood of the post: a furious victim may thank the officer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from analysis.draft import Draft, is_press, uncertain
from analysis.reading import Reading
from analysis.steps.mood import MOODS
from analysis.vocabulary import Span, is_near
from mentions.mention import Mood, Verdict

TARGETS = ("force", "force handle", "the met", "institution", "police", "policing", "officer")
# What the words' verdict adds to its side, in log-odds: blame is seldom near the police by chance, praise now and then.
_WORDS = {Mood.NEGATIVE: 4.0, Mood.POSITIVE: 2.5, Mood.NEUTRAL: 0.5, Mood.UNCERTAIN: 0.0}
_SURE = 0.5
_MODEL_SAYS = {
    Mood.NEGATIVE: "reads as speaking against the police",
    Mood.POSITIVE: "reads as speaking well of the police",
    Mood.NEUTRAL: "reads as neither for nor against the police",
    Mood.UNCERTAIN: "may be meant either way",
}
_DENIED = 12  # characters: "not very helpful"
_NEXT_SENTENCE = 45  # characters: "... the officers. Fair play."


class Sentiment:
    """Inline: relation words close to the police, clause by clause. Both ways, or not English: uncertain."""

    name: ClassVar[str] = "sentiment"
    version: ClassVar[int] = 4

    def judge(self, draft: Draft) -> None:
        """Find who is meant, then what is said of them."""
        if not draft.relevant:
            return
        if draft.lang not in ("", "en"):
            draft.sentiment = uncertain()
            draft.because("needs a linguist")
            return
        told = len(draft.reasons)
        if is_press(draft):
            _judge_news(draft)
        else:
            _judge_talk(draft)
        if draft.reading:
            _weigh_reading(draft, draft.reading, told)


def _weigh_reading(draft: Draft, reading: Reading, told: int) -> None:
    """The words' verdict and the model's, weighed against each other; where neither has the better of it, uncertain.
    Where the model changes the verdict, its reason stands in place of those from `told` on."""
    said = draft.sentiment.label
    odds = np.log(np.maximum(reading.attitude, 1e-6))
    odds[[label == said for label in MOODS]] += _WORDS[said]
    shares = np.exp(odds - odds.max())
    shares = shares / shares.sum()
    label = MOODS[int(shares.argmax())]
    if shares.max() < _SURE:
        label = Mood.UNCERTAIN
    draft.sentiment = Verdict(label, round(float(shares[2] - shares[0]), 3))
    if label is not said:
        del draft.reasons[told:]
        draft.because(_MODEL_SAYS[label], draft.hits.first(*TARGETS))


def police_spans(draft: Draft) -> tuple[Span, ...]:
    """Where the words as written name the police, in order, none in another."""
    spans = sorted({draft.original(span) for span in draft.hits.of(*TARGETS)}, key=lambda span: (span[0], -span[1]))
    apart: list[Span] = []
    for span in spans:
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return tuple(apart)


def _judge_news(draft: Draft) -> None:
    """Crime news is neutral; what an officer or the force is reported to have done blames by itself."""
    targets = draft.hits.of("force", "the met", "institution", "police", "officer")
    wrongs = _close(draft, draft.hits.of("wrong", "blamed"), targets)
    if wrongs:
        draft.sentiment = Verdict(Mood.NEGATIVE, -0.6)
        draft.because("reports a fault of the police", wrongs[0])


def _judge_talk(draft: Draft) -> None:
    targets = draft.hits.of(*TARGETS)
    good = draft.hits.of("praised") + _close(draft, _plain(draft, "praise"), targets)
    bad = draft.hits.of("blamed") + _close(draft, _plain(draft, "blame"), targets)
    sarcastic = bool(draft.hits.of("sarcasm")) and bool(bad or "crime" in draft.hits)
    balance = len(good) - len(bad)
    if sarcastic and bad:
        draft.sentiment = Verdict(Mood.NEGATIVE, -0.4)
        draft.because("possible sarcasm beside a complaint", draft.hits.of("sarcasm")[0])
    elif bad and balance < 0:
        draft.sentiment = Verdict(Mood.NEGATIVE, -min(0.9, 0.4 + 0.2 * len(bad)))
        draft.because("speaks against the police", bad[0])
    elif good and balance > 0:
        draft.sentiment = Verdict(Mood.POSITIVE, min(0.9, 0.4 + 0.2 * len(good)))
        draft.because("speaks well of the police", good[0])
    elif good and bad:
        draft.sentiment = uncertain()
        draft.because("speaks both well and badly of the police", bad[0])


def _plain(draft: Draft, tag: str) -> list[Span]:
    """Words of attitude that no "not" turns round and that do not describe the crime ("an awful stabbing")."""
    denials, deeds = draft.hits.of("negation"), draft.hits.of("crime", "trouble")
    return [
        (start, end)
        for start, end in draft.hits.of(tag)
        if not any(0 <= start - last <= _DENIED for _, last in denials)
        and not any(first == end + 1 for first, _ in deeds)
    ]


def _close(draft: Draft, cues: Sequence[Span], targets: Sequence[Span]) -> list[Span]:
    return [cue for cue in cues if any(_speaks_of(draft, cue, target) for target in targets)]


def _speaks_of(draft: Draft, cue: Span, target: Span) -> bool:
    if cue == target or not is_near(cue, target):
        return False
    return draft.same_sentence(cue, target) or (not is_press(draft) and is_near(cue, target, _NEXT_SENTENCE))
