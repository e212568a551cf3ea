"""Whether an officer could usefully join: a live question or discussion of a policing matter."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from analysis.draft import Draft, is_press, reads_as_headline
from analysis.questions import phrases, questions
from analysis.vocabulary import Span, is_near
from mentions.mention import Voice

# What invites an answer, as the reason says it, and what it is worth in a debate's score.
ASKS, QUESTION, REQUEST, TROUBLE, VIEW = (
    "asks something an officer could answer",
    "asks a question on a policing matter",
    "asks the force for something",
    "tells the neighbours of a trouble that goes on",
    "says what should be done",
)
INVITATIONS = {ASKS: 30, QUESTION: 27, REQUEST: 27, TROUBLE: 20, VIEW: 18}

Invitation = tuple[str, tuple[int, int]]  # what it is, and the span of the text it rests on
_POLICE = ("force", "force handle", "the met", "police", "policing", "officer")
_AMONG_NEIGHBOURS = frozenset(("forum", "reddit", "facebook", "nextdoor"))  # a question there is to whoever reads
_NAMES_AT_THE_START = 6
_SAME_BREATH = 60  # characters
_OF_THE_POLICE = re.compile(r"(?:mps|metpolice|themet|btp)\w+|\w+police\w*")  # accounts, not the word itself


class Debates:
    """Inline: only relevant talk by the public, where somebody asks, or neighbours talk over what they live with."""

    name: ClassVar[str] = "debates"
    version: ClassVar[int] = 2

    def judge(self, draft: Draft) -> None:
        """Look for a question, a request or a discussion that an answer would help."""
        if not draft.relevant or is_press(draft) or draft.mention.voice is not Voice.PUBLIC:
            return
        if "others" in draft.hits and not draft.hits.of(*_POLICE):
            return
        found = _asks_openly(draft) or _asks_a_question(draft) or _asks_the_force(draft) or _is_talked_over(draft)
        if found:
            draft.debate = True
            says, (start, end) = found
            draft.because_at(says, start, end)


def _asks_openly(draft: Draft) -> Invitation | None:
    hits, near = draft.hits, _is_among_neighbours(draft)
    if not near and hits.by_tag.keys() & {"promotes", "blamed"}:
        return None
    asking = hits.of("asking", "musing") if near else hits.of("asking")
    meant = [span for span in asking if not _meets(span, hits.of("rhetorical"))]
    first = min(meant, key=lambda span: (span[0], -span[1]), default=None)
    return (ASKS, draft.original(first)) if first else None


def _is_among_neighbours(draft: Draft) -> bool:
    return draft.mention.platform in _AMONG_NEIGHBOURS


def _meets(span: Span, others: list[Span]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def _asks_a_question(draft: Draft) -> Invitation | None:
    """Among neighbours a question on the matter counts; to the wide world it must be to the police or plainly on them,
    and neither bait nor blame."""
    if "laughs" in draft.hits:
        return None
    if _is_among_neighbours(draft):
        return _asks_neighbours(draft)
    if draft.hits.by_tag.keys() & {"promotes", "blamed", "blame"}:
        return None
    to_police = _spoken_to_police(draft.tokens)
    for (start, end), _ in questions(draft.words, among_neighbours=False):
        marked = draft.words[start:end].rstrip().endswith("?")
        on_police = any(_stands_in(draft, span, start, end) for span in draft.hits.of(*_POLICE))
        opens = start == 0 and draft.tokens[0] in phrases("askers")
        if to_police or ((marked or opens) and on_police):
            return QUESTION, (start, end)
    return None


def _asks_neighbours(draft: Draft) -> Invitation | None:
    """A question with what makes it a police matter in the title, in itself or in the sentences beside it."""
    tags = [*_POLICE, "crime", "danger", "trouble", *(tag for tag in draft.hits.by_tag if tag.startswith("topic."))]
    told = sorted(draft.original(span)[0] for span in draft.hits.of(*tags))
    titled = bool(told) and told[0] < len(draft.mention.title)
    for question, (first, last) in questions(draft.words, among_neighbours=True):
        if titled or bisect_left(told, first) < bisect_left(told, last):
            return QUESTION, question
    return None


def _stands_in(draft: Draft, span: Span, start: int, end: int) -> bool:
    first, last = draft.original(span)
    return start <= first and last <= end


def _spoken_to_police(tokens: Sequence[str]) -> bool:
    """Whether an account of the police is among the names that the post begins with."""
    return any(_OF_THE_POLICE.fullmatch(name) for name in tokens[:_NAMES_AT_THE_START])


def _asks_the_force(draft: Draft) -> Invitation | None:
    """A request behind a police account."""
    asked = draft.hits.first("request")
    if not asked or draft.hits.by_tag.keys() & {"promotes", "blamed"}:
        return None
    spoken_to = _spoken_to_police(draft.norm[: asked[0]].split())
    return (REQUEST, draft.original(asked)) if spoken_to else None


def _is_talked_over(draft: Draft) -> Invitation | None:
    """Neighbours who tell of a trouble that goes on, or what they think of how it is dealt with."""
    if draft.mention.platform != "forum" or phrases("first_person").isdisjoint(draft.tokens):
        return None
    if reads_as_headline(draft.mention.title):
        return None
    troubles = draft.hits.of("crime", "danger", "trouble")
    told = (each for each in draft.hits.of("lasting") if any(is_near(each, other, _SAME_BREATH) for other in troubles))
    if first := min(told, default=None):
        return TROUBLE, draft.original(first)
    if (view := draft.hits.first("views")) and draft.hits.of(*_POLICE):
        return VIEW, draft.original(view)
    return None
