"""The working draft of one opinion: steps read what was found and write what they think."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from analysis.reading import Floats, Reading
from analysis.vocabulary import Hits, Span
from mentions.mention import (
    NO_VERDICT,
    PRESS_PLATFORMS,
    Assessment,
    Mention,
    Mood,
    PublicDomain,
    Rag,
    Reason,
    Verdict,
    Voice,
)
from mentions.normalise import tokens_with_spans

_FEWEST_IN_A_HEADLINE = 4  # words
_SENTENCE_ENDS = frozenset(".!?;\n")


@dataclass(slots=True)
class Draft:
    """One mention on its way through the steps. `norm` is its normalised words, `tokens` the same one by one, `hits`
    what stands in them, `indexed` what stores index.

    `on_local_site` says that a London site with a patch of its own carries the post. `deep` says that the deferred
    steps are to do their work now, `reading` what the model read, `mood_read` the shares of the moods by another one.
    """

    mention: Mention
    words: str
    norm: str
    hits: Hits
    tokens: list[str] = field(init=False)
    indexed: str = ""
    on_local_site: bool = False
    relevant: bool = False
    sentiment: Verdict = NO_VERDICT
    mood: Verdict = NO_VERDICT
    rag: Rag = Rag.NONE
    topic: str = ""
    unsure: bool = False
    public_domain: PublicDomain = PublicDomain.UNKNOWN
    risk_to_life: bool = False
    boroughs: tuple[str, ...] = ()
    debate: bool = False
    lang: str = ""
    watchlists: tuple[str, ...] = ()
    reasons: list[Reason] = field(default_factory=list)
    made_by: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    deep: bool = False
    reading: Reading | None = None
    mood_read: Floats | None = None
    _unread: Iterator[tuple[str, int, int]] | None = None
    _spans: list[tuple[int, int]] = field(default_factory=list)  # of the tokens read so far, in `words`
    _starts: list[int] = field(default_factory=lambda: [1])  # in the normalised text, read with a blank before it

    def __post_init__(self) -> None:
        self.tokens = self.norm.split()

    def original(self, span: Span) -> tuple[int, int]:
        """Where in `words` a span of the normalised text was read."""
        self._read_to(span[1])
        spans, starts = self._spans, self._starts
        if not spans:
            return (-1, -1)
        first = min(max(bisect_right(starts, span[0]) - 1, 0), len(spans) - 1)
        last = min(max(bisect_right(starts, span[1] - 1) - 1, 0), len(spans) - 1)
        return spans[first][0], spans[last][1]

    def _read_to(self, position: int) -> None:
        """Cut words until one begins behind this position of the normalised text."""
        if self._unread is None:
            self._unread = tokens_with_spans(self.words)
        while self._starts[-1] < position:
            token = next(self._unread, None)
            if token is None:
                return
            self._spans.append(token[1:])
            self._starts.append(self._starts[-1] + len(token[0]) + 1)

    def quote(self, span: Span) -> str:
        """Those words as they were written."""
        start, end = self.original(span)
        return self.words[start:end] if start >= 0 else ""

    def because(self, says: str, span: Span | None = None) -> None:
        """Note a reason, with the place in the text it rests on."""
        start, end = self.original(span) if span else (-1, -1)
        self.reasons.append(Reason(says, start, end))

    def because_at(self, says: str, start: int, end: int) -> None:
        """Note a reason that rests on this span of `words` itself."""
        self.reasons.append(Reason(says, start, end))

    def same_sentence(self, first: Span, second: Span) -> bool:
        """Whether nothing that ends a sentence stands between the two."""
        one, other = sorted((first, second))
        between = self.words[self.original(one)[1] : self.original(other)[0]]
        return not (_SENTENCE_ENDS & set(between))

    def assessment(self) -> Assessment:
        """The finished opinion."""
        return Assessment(
            relevant=self.relevant,
            sentiment=self.sentiment,
            mood=self.mood,
            rag=self.rag,
            topic=self.topic,
            unsure=self.unsure,
            public_domain=self.public_domain,
            risk_to_life=self.risk_to_life,
            boroughs=self.boroughs,
            debate=self.debate,
            lang=self.lang,
            watchlists=self.watchlists,
            reasons=tuple(self.reasons),
            made_by=self.made_by,
            pending=self.pending,
        )


def uncertain() -> Verdict:
    """No verdict either way."""
    return Verdict(Mood.UNCERTAIN, 0.0)


def is_press(draft: Draft) -> bool:
    """Whether a newsroom speaks: by its voice, or by the kind of platform."""
    return draft.mention.voice is Voice.PRESS or draft.mention.platform in PRESS_PLATFORMS


def reads_as_headline(title: str) -> bool:
    """Whether A Title Is Set Like This, or like "BARKING: this", as on local sites that mix their news with the talk of
    neighbours."""
    place, colon, _ = title.partition(":")
    if colon and len(place) >= _FEWEST_IN_A_HEADLINE and place.isupper():
        return True
    words = [word for word in title.split() if word[0].isalpha()]
    return len(words) >= _FEWEST_IN_A_HEADLINE and sum(word[0].isupper() for word in words) >= 0.8 * len(words)
