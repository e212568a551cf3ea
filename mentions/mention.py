"""A mention (facts, frozen) and an assessment (opinion, recomputable at any time)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Any

DELETED, LAPSED = "deleted", "lapsed"  # why the words of a tombstone are gone
CLAIMABLE_PAST = timedelta(hours=24)
PRESS_PLATFORMS = frozenset(("rss", "headline", "news"))  # a newsroom speaks there unless we are told otherwise


class Rag(StrEnum):
    """The strategy's traffic light; `none` means no topic was found."""

    NONE = "none"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Mood(StrEnum):
    """A verdict on attitude. `uncertain` is its own band and never counts as neutral."""

    NEGATIVE = "neg"
    NEUTRAL = "neu"
    POSITIVE = "pos"
    UNCERTAIN = "uncertain"


class PublicDomain(StrEnum):
    """Whether the matter has been published by police, court, council or press."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Voice(StrEnum):
    """Who speaks: it decides reach and independence, never guilt."""

    PUBLIC = "public"
    PRESS = "press"
    OFFICIAL = "official"
    OWN = "own"


class Reach(StrEnum):
    """How far a post can carry, as a band; follower counts themselves are never kept."""

    UNKNOWN = "unknown"
    LOCAL = "local"  # under 1,000 followers
    MEDIUM = "medium"  # under 100,000
    WIDE = "wide"  # 100,000 and more, and every press publisher


@dataclass(frozen=True, slots=True)
class Mention:
    """One post, article or forum entry as we found it. Times are aware UTC.

    `id` is `"platform:native id"`, with the native part hashed where it would name a person. `author_key` is a keyed
    hash ("" where the source names nobody). `publisher` is the registrable domain a press or forum item came from
    ("" for posts by the public). `history` marks what a first poll or an import brought: it teaches the ruler and
    never rings. `sightings` are the names of other sources that brought the same mention, besides `source`, the first.

    A tombstone has `buried_at`: its words, author and locator are gone for good, its counts stay. `buried_because` is
    "deleted" (at its source, or no longer public) or "lapsed" (its platform allows no words that nobody looked at again
    in time).
    """

    id: str
    platform: str
    source: str
    published_at: datetime
    first_seen_at: datetime
    text: str
    title: str = ""
    link: str = ""
    native_id: str = ""
    author_key: str = ""
    publisher: str = ""
    voice: Voice = Voice.PUBLIC
    reach: Reach = Reach.UNKNOWN
    thread: str = ""
    lang: str = ""  # the platform's own tag, if it gave one
    likes: int | None = None
    shares: int | None = None
    replies: int | None = None
    history: bool = False
    sightings: tuple[str, ...] = ()
    buried_at: datetime | None = None
    buried_because: str = ""

    @property
    def counts_at(self) -> datetime:
        """The time alerts count: history at its published time, anything else clamped to the day before first sight."""
        if self.history:
            return self.published_at
        return min(max(self.published_at, self.first_seen_at - CLAIMABLE_PAST), self.first_seen_at)

    @property
    def speaker(self) -> str:
        """Who speaks: the publisher for the press, else the author; a post that names nobody is its own voice."""
        if self.voice is Voice.PRESS and self.publisher:
            return self.publisher
        return self.author_key or self.publisher or self.id

    @property
    def words(self) -> str:
        """Everything that was said, title first."""
        return f"{self.title}\n{self.text}" if self.title and self.text else self.title or self.text

    @property
    def shown(self) -> str:
        """The words as people read them: of a tombstone, that it is one and since when."""
        if self.buried_at is None:
            return self.words
        day = f"{self.buried_at.day} {self.buried_at:%b %Y}"
        if self.buried_because == LAPSED:
            return f"[words dropped on {day}: nobody could look in time whether they still stand at their source]"
        return f"[deleted at its source, seen on {day}]"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an opinion is held: a sentence, and the span of `Mention.words` it rests on (-1, -1 where none)."""

    says: str
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """An attitude with its strength: `score` runs from -1 (against) to 1 (for)."""

    label: Mood = Mood.NEUTRAL
    score: float = 0.0


NO_VERDICT = Verdict()


@dataclass(frozen=True, slots=True)
class Correction:
    """A named person's answer for one field of an opinion; no judgement overwrites it.

    `value` and `was` are spelt as `mentions.corrections` spells them; `was` is what the judgement says without the
    person, and follows it from run to run. `undone` takes back the correction before it: the judgement's answer holds
    again, and who said so stays on view.
    """

    field: str
    value: str
    was: str
    by: str
    at: datetime
    because: str
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """What we think of one mention, and why. `made_by` names each step with its version, e.g. `rating/1`.

    `sentiment` is the attitude towards the police, `mood` that of the message. `topic` is a key of the strategy's
    policy ("" for none); `rag` follows from it. `risk_to_life` is flagged before any reputation matter. `watchlists`
    are the names of those the mention matches. `pending` names deferred steps that have yet to look at it.
    `corrections` are what people said otherwise, one a field: the field says so, unless it was undone.
    """

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
    reasons: tuple[Reason, ...] = ()
    made_by: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessed:
    """A mention together with the opinion of it.

    `indexed` may bring along `index_text(mention.words)` where the judgement has worked it out already; without it a
    store does that itself. `fetched_at` is when the copy was fetched that last changed anything; None: when the mention
    was first seen. Neither makes a difference to whether two are equal.
    """

    mention: Mention
    assessment: Assessment
    indexed: str = field(default="", compare=False, repr=False)
    fetched_at: datetime | None = field(default=None, compare=False, repr=False)

    @property
    def fetched(self) -> datetime:
        """When this copy was fetched: the later of two copies knows better."""
        return self.fetched_at or self.mention.first_seen_at


def _travel_light(kind: type[Any]) -> None:
    """Let values of this kind cross to another process by their fields alone: dataclasses with slots otherwise look
    their own fields up each time, which costs an import a sixth of its speed."""
    values = attrgetter(*kind.__dataclass_fields__)

    def reduce(self: object) -> tuple[type[Any], Any]:
        return kind, values(self)

    kind.__reduce__ = reduce  # type: ignore[assignment]


for _kind in (Mention, Reason, Verdict, Correction, Assessment, Assessed):
    _travel_light(_kind)
