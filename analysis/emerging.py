"""Emerging talk: words, #tags and places whose share rises against their own past."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

from analysis.persons import PersonGate
from analysis.telling import TRIVIAL
from analysis.vocabulary import gazetteer
from mentions.mention import Assessed, Mention, Voice
from mentions.normalise import TAG, normalise, tag_mark, without_joiners
from mentions.query_tree import Phrase, Word

RECENT, PAST = timedelta(hours=24), timedelta(days=14)
LEAST_VOICES = 3  # that use a term in the recent span
LEAST_PAST = 30  # voices, each counted once a day, without which there is no past to compare with
LEAST_LIFT = 2.0  # times its past share
FALSE_ALARMS = 0.05  # share of what is told that may be chance
PRIOR = 0.5  # voices' worth of doubt about a term that was never used
SAME_POSTS = 0.8  # a word most of whose posts have a longer term as well adds nothing to it
LONGEST = 2_000  # characters read of a mention
MOST_POSTS = 20  # ids told of a term, newest first
DAY = timedelta(days=1)
# What leads to somebody or somewhere and is no talk: addresses of mail and accounts, wherever they stand, and links.
_LEADS = re.compile(
    r"""\w+://\S+ | www\.\S+ | [\w.+-]*[@＠]\w[\w.@＠-]* | (?<!\w)/?u(?:ser)?/[\w-]+ | (?<!\w)(?:[\w-]+\.)+[a-z]{2,}/\S*
    | (?<!\w)(?:[\w-]+\.)+(?:com|org|net|uk|eu|io|social|online|example)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_WHEN = frozenset("monday tuesday wednesday thursday friday saturday sunday morning afternoon evening night".split())


@dataclass(frozen=True, slots=True)
class Rise:
    """A term that rises. `kind` is "word" (or two in a row), "tag" or "place". `voices` used it in the recent span,
    where its past share would have had `expected`; `lift` is how many times that is, and `chance` the likelihood of so
    many by chance. `posts` are the ids of recent mentions that use it, newest first."""

    term: str
    kind: str
    voices: int
    expected: float
    lift: float
    chance: float
    posts: tuple[str, ...]


def find_emerging(held: Sequence[Assessed], at: datetime, gate: PersonGate | None = None) -> list[Rise]:
    """What rises in the 24 hours before `at` against the 14 days before those, least likely chance first. The order
    given makes no difference; what lies outside these times, and what the force says itself, is left out.

    Counted are voices (publishers and authors), not posts: each once in the recent span, and once a day in the past. A
    term's recent voices are held against what its past share foretells (Poisson with a Gamma prior, so a short past
    foretells little), and of all terms tested only as many are told as keeps false alarms under 5 in 100 (Benjamini
    and Hochberg). What the gate reads as a private person's name is told of by no word of it.
    """
    recent, past = _split(held, at)
    tested = {
        term: using for term, using in _users(recent).items() if len({each.speaker for each in using}) >= LEAST_VOICES
    }
    before, all_before = _count_past(past, at, tested.keys())
    if all_before < LEAST_PAST:
        return []
    now = len({mention.speaker for mention in recent})
    rises = [_weigh(term, using, before[term], now / all_before) for term, using in tested.items()]
    return _without_parts(_without_persons(_unlikely(rises), gate or PersonGate()))


def _split(held: Sequence[Assessed], at: datetime) -> tuple[list[Mention], list[Mention]]:
    """Recent and past mentions by others, newest first."""
    since, first = at - RECENT, at - RECENT - PAST
    mentions = sorted(
        (each.mention for each in held if each.mention.voice is not Voice.OWN),
        key=lambda mention: (mention.published_at, mention.id),
        reverse=True,
    )
    recent = [mention for mention in mentions if since <= mention.published_at < at]
    return recent, [mention for mention in mentions if first <= mention.published_at < since]


def terms_of(mention: Mention) -> frozenset[str]:
    """The terms a mention uses: words that mean something, two of them in a row, #tags, names of places."""
    text = _LEADS.sub(" ", without_joiners(mention.words[:LONGEST]))
    found = {mark for tag in TAG.findall(text) if (mark := tag_mark(tag))}
    words = normalise(TAG.sub(" ", text)).split()
    found |= {word for word in words if _means_something(word)}
    found |= {f"{one} {two}" for one, two in pairwise(words) if _means_something(one) and _means_something(two)}
    found |= {name for size in (2, 3) for name in _runs(words, size) if name in place_names()}
    return frozenset(found)


def _means_something(word: str) -> bool:
    return len(word) > 2 and word not in TRIVIAL and word not in _WHEN and not word.isdigit()


def _runs(words: Sequence[str], size: int) -> Iterable[str]:
    return (" ".join(words[start : start + size]) for start in range(len(words) - size + 1))


@cache
def place_names() -> frozenset[str]:
    """The gazetteer's names, as terms are written; those that are words or surnames as well are not among them."""
    return frozenset(normalise(place.name) for place in gazetteer({}) if not place.common)


def kind_of(term: str) -> str:
    """What sort of term it is."""
    return "tag" if term.startswith("#") else "place" if term in place_names() else "word"


def _users(mentions: Iterable[Mention]) -> dict[str, list[Mention]]:
    users: dict[str, list[Mention]] = defaultdict(list)
    for mention in mentions:
        for term in terms_of(mention):
            users[term].append(mention)
    return users


def _count_past(mentions: Iterable[Mention], at: datetime, wanted: Iterable[str]) -> tuple[Counter[str], int]:
    """How many voices, each once a day, used each wanted term; and how many there were."""
    terms = frozenset(wanted)
    used: set[tuple[str, str, int]] = set()
    present: set[tuple[str, int]] = set()
    for mention in mentions:
        voice, day = mention.speaker, (at - mention.published_at) // DAY
        present.add((voice, day))
        used |= {(term, voice, day) for term in terms_of(mention) & terms}
    return Counter(term for term, _, _ in used), len(present)


def _weigh(term: str, using: Sequence[Mention], before: int, ratio: float) -> Rise:
    voices, shape = len({each.speaker for each in using}), before + PRIOR
    posts = tuple(each.id for each in using[:MOST_POSTS])
    expected = shape * ratio
    return Rise(term, kind_of(term), voices, expected, voices / expected, chance_of(voices, shape, ratio), posts)


def chance_of(count: int, shape: float, ratio: float) -> float:
    """How likely `count` or more are, where `shape` came in a span of which this one is `ratio` times as long: the
    upper tail of a negative binomial, which is what a Poisson count with a rate known only so far looks like."""
    stay, leave = -math.log1p(ratio), math.log(ratio) - math.log1p(ratio)
    below = math.fsum(
        math.exp(math.lgamma(shape + n) - math.lgamma(shape) - math.lgamma(n + 1) + shape * stay + n * leave)
        for n in range(count)
    )
    return min(1.0, max(0.0, 1.0 - below))


def _unlikely(rises: Sequence[Rise]) -> list[Rise]:
    """Those that are not chance, by Benjamini and Hochberg over all that were tested."""
    ranked = sorted(rises, key=lambda rise: (rise.chance, -rise.lift, rise.term))
    kept = max((n for n, rise in enumerate(ranked, 1) if rise.chance <= FALSE_ALARMS * n / len(ranked)), default=0)
    return [rise for rise in ranked[:kept] if rise.lift >= LEAST_LIFT]


def _without_parts(rises: Sequence[Rise]) -> list[Rise]:
    """Without words that hardly come without a longer term that rises as well."""
    longer = [rise for rise in rises if " " in rise.term]

    def is_part(rise: Rise) -> bool:
        return any(
            rise.term != other.term
            and f" {rise.term} " in f" {other.term} "
            and other.voices >= SAME_POSTS * rise.voices
            for other in longer
        )

    return [rise for rise in rises if not is_part(rise)]


def _without_persons(rises: Sequence[Rise], gate: PersonGate) -> list[Rise]:
    """Without names of private persons, and what hardly comes without one and has a word of it."""
    names = [rise for rise in rises if rise.kind != "place" and _names_person(rise.term, gate)]

    def is_about(rise: Rise, name: Rise) -> bool:
        shares = not set(rise.term.split()).isdisjoint(name.term.split())
        return shares and name.voices >= SAME_POSTS * rise.voices

    return [rise for rise in rises if not any(is_about(rise, name) for name in names)]


def _names_person(term: str, gate: PersonGate) -> bool:
    words = tuple(term.split())
    return bool(gate.find_persons(Phrase(words) if len(words) > 1 else Word(term)))
