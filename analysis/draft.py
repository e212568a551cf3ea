"""The working draft of one opinion: steps read what was found and write what they think."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from analysis.vocabulary import Hits, Span
from mentions.mention import NO_VERDICT, Assessment, Mention, Mood, PublicDomain, Rag, Reason, Verdict, Voice
from mentions.normalise import tokens_with_spans

_PRESS = frozenset(("rss", "headline", "news"))
_SENTENCE_ENDS = frozenset(".!?;\n")


@dataclass(slots=True)
class Draft:
    """One mention on its way through the steps. `norm` is its normalised words, `tokens` the same one by one, `hits`
    what stands in them.

    `on_local_site` says that a London site with a patch of its own carries the post.
    """

    mention: Mention
    words: str
    norm: str
    hits: Hits
    tokens: list[str] = field(init=False)
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
    _spans: list[tuple[int, int]] | None = None
    _starts: list[int] | None = None

    def __post_init__(self) -> None:
        self.tokens = self.norm.split()

    def original(self, span: Span) -> tuple[int, int]:
        """Where in `words` a span of the normalised text was read."""
        if self._spans is None or self._starts is None:
            self._spans, self._starts = _token_spans(self.words)
        spans, starts = self._spans, self._starts
        if not spans:
            return (-1, -1)
        first = min(max(bisect_right(starts, span[0]) - 1, 0), len(spans) - 1)
        last = min(max(bisect_right(starts, span[1] - 1) - 1, 0), len(spans) - 1)
        return spans[first][0], spans[last][1]

    def quote(self, span: Span) -> str:
        """Those words as they were written."""
        start, end = self.original(span)
        return self.words[start:end] if start >= 0 else ""

    def because(self, says: str, span: Span | None = None) -> None:
        """Note a reason, with the place in the text it rests on."""
        start, end = self.original(span) if span else (-1, -1)
        self.reasons.append(Reason(says, start, end))

    def same_sentence(self, first: Span, second: Span) -> bool:
        """Whether nothing that ends a sentence stands between the two."""
        one, other = sorted((first, second))
        between = self.words[self.original(one)[1] : self.original(other)[0]]
        return not (_SENTENCE_ENDS & set(between))

    def starts_sentence(self, span: Span) -> bool:
        """Whether a sentence, or the text, begins with these words."""
        before = self.words[: self.original(span)[0]].rstrip(" '\"‘“(")
        return not before or before[-1] in ".!?:;\n…|–—-"

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


def _token_spans(words: str) -> tuple[list[tuple[int, int]], list[int]]:
    """Where each token stands in `words`, and where it starts in the normalised text."""
    found = tokens_with_spans(words)
    lengths = (len(token) + 1 for token, _, _ in found)
    starts = accumulate(lengths, initial=1)  # the normalised text is read with a blank before it
    return [(start, end) for _, start, end in found], list(starts)[:-1]


def uncertain() -> Verdict:
    """No verdict either way."""
    return Verdict(Mood.UNCERTAIN, 0.0)


def is_press(draft: Draft) -> bool:
    """Whether a newsroom speaks: by its voice, or by the kind of platform."""
    return draft.mention.voice is Voice.PRESS or draft.mention.platform in _PRESS
