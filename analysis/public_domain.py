"""Whether a matter is public already: told by the force, a court, the council or the press, by what is held of them.

Precision comes first, as a wrong "public" turns red into amber. Two posts tell one matter where their topics are of one
family, nothing in them contradicts (borough, place, age, who it is about), they share a place, and enough of the words
beside the topic's own that few other posts of the topic share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache

from analysis.steps.rating import topic_words, topics
from analysis.vocabulary import DEFAULTS, Vocabulary, attitude_words, gazetteer, police_words, read_toml, spell_out
from mentions.corrections import standing
from mentions.mention import PRESS_PLATFORMS, Assessed, Mention, PublicDomain, Rag, Reason, Voice
from mentions.normalise import normalise

VERSION = "public_domain/1"
WINDOW = timedelta(days=7)  # before and after: news of a matter may come first or last
EVENT_WINDOW = timedelta(days=2)  # the next crash on the same road is another matter
LONGEST = 10_000  # characters compared
_EVENTS = frozenset(("ksi_rtc", "evacuation_emergency", "speeding_crackdown"))
_FAMILIES = (
    frozenset(("wanted_suspect", "charge_details", "court_result", "specialist_investigation")),
    frozenset(("met_wide_operation", "joint_initiative", "speeding_crackdown")),
    frozenset(("ksi_rtc", "rtc_non_ksi", "road_closure")),
    frozenset(("evacuation_emergency", "road_closure", "major_incident")),
)
# How much must be shared beside where it is: a street or station, a part of London, its borough, or nothing known.
_ON_THE_SPOT, _IN_THE_PART, _IN_THE_BOROUGH, _ANYWHERE = 2, 3, 4, 5
_NAME = 2  # what a word that is no English one counts: a surname, a street's or a firm's name
_MANY = 4  # who shares so many names of no English word need share no place
_SAYS_LITTLE = frozenset(
    "afternoon evening outside inside near nearby local residents neighbours resident witnesses witness appeal "
    "appealed information anyone contact call calls called officers detectives detective constable sergeant inspector "
    "spokesman spokeswoman spokesperson statement believed understood investigation investigating inquiries enquiries "
    "scene monday tuesday wednesday thursday friday saturday sunday january february march april june july august "
    "september october november december latest breaking update live video watch photos picture pictures huge massive "
    "loads lots heard seen looks sound sounds sirens helicopter vans cars happened happening hours minutes weeks "
    "months shortly around approximately north south east west central greater area areas borough streets roads "
    "community victim family friends incident incidents emergency services service hospital ambulance paramedics "
    "taken aged years-old image images cctv released share shared please everyone hope safe found today's morning's "
    "currently ongoing last wearing jeans jacket hoodie trainers rucksack tall hair black white blue grey dark brown "
    "green years described mps metpolice metpoliceuk police metropolitan london londoners https http www com".split()
)
_AGE = re.compile(r"\b(\d{1,2})(?:\s*-?\s*(?:year|yr)s?\s*-?\s*olds?|yo\b)|\b(?:aged|age)\s+(\d{1,2})\b|,\s(\d{2}),")
_SORTS = {
    "man": "man men gentleman husband father dad grandfather male son brother lad",
    "woman": "woman women lady wife mother mum grandmother female daughter sister",
    "boy": "boy boys schoolboy male son brother lad",
    "girl": "girl girls schoolgirl female daughter sister",
}
_WHO = {
    word: [sort for sort, told in _SORTS.items() if word in told.split()] for word in " ".join(_SORTS.values()).split()
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What one post says that tells its matter from others."""

    names: frozenset[str]  # words that are no English ones
    words: frozenset[str]  # other words beside the topic's
    places: frozenset[str]  # names of the gazetteer smaller than a borough
    ages: frozenset[str]
    who: frozenset[str]


def is_open(held: Assessed) -> bool:
    """Whether it would matter to find the matter public: red for an amber topic that is not known to be, and no person
    has said otherwise."""
    opinion = held.assessment
    return (
        opinion.relevant
        and opinion.rag is Rag.RED
        and opinion.topic in amber_topics()
        and opinion.public_domain is PublicDomain.UNKNOWN
        and not {"rag", "public_domain"} & standing(opinion).keys()
    )


@cache
def amber_topics() -> frozenset[str]:
    """The topics that are amber where they are public."""
    return frozenset(topic.name for topic in topics() if topic.colour is Rag.AMBER)


def family_of(topic: str) -> frozenset[str]:
    """The topics under which others may tell a matter of this one."""
    return frozenset((topic,)).union(*(family for family in _FAMILIES if topic in family))


def window_of(held: Assessed) -> tuple[datetime, datetime]:
    """When others would have told its matter: from, and until."""
    reach = EVENT_WINDOW if held.assessment.topic in _EVENTS else WINDOW
    return held.mention.published_at - reach, held.mention.published_at + reach


def tells(candidate: Assessed) -> bool:
    """Whether what it tells is public by that: the force, another authority, or the press speaks."""
    mention = candidate.mention
    return mention.voice in (Voice.PRESS, Voice.OFFICIAL, Voice.OWN) or mention.platform in PRESS_PLATFORMS


class Told:
    """What others told, each read once for a topic, and found by the words it shares."""

    def __init__(self, candidates: Iterable[Assessed]) -> None:
        self._candidates = [each for each in candidates if tells(each) and each.assessment.relevant]
        self._read: dict[str, list[_Told]] = {}
        self._by_word: dict[str, dict[str, list[int]]] = {}

    def same_as(self, held: Assessed) -> list[Assessed]:
        """Those that tell the matter of this one."""
        topic = held.assessment.topic
        if topic not in self._read:
            self._index(topic)
        one, told = _read(held.mention.words, topic), self._read[topic]
        shared = {at for word in _words(one) for at in self._by_word[topic].get(word, ())}
        pairs = ((self._candidates[at], told[at]) for at in shared)
        return [each for each, other in pairs if _tells_same(held, each, one, other)]

    def _index(self, topic: str) -> None:
        self._read[topic] = [_read(each.mention.words, topic) for each in self._candidates]
        index = self._by_word.setdefault(topic, {})
        for at, other in enumerate(self._read[topic]):
            for word in _words(other):
                index.setdefault(word, []).append(at)


def _words(said: _Told) -> frozenset[str]:
    """Two that share none of these cannot tell one matter."""
    return said.names | said.words | said.ages


def find_told(held: Assessed, candidates: Iterable[Assessed] | Told) -> Assessed:
    """The mention as public, amber and with the publisher and link that told it first, where one of the candidates
    tells the same matter; itself where none does, or where nothing hangs on it."""
    if not is_open(held):
        return held
    same = (candidates if isinstance(candidates, Told) else Told(candidates)).same_as(held)
    if not same:
        return held
    first = min((each.mention for each in same), key=lambda mention: (mention.published_at, mention.id))
    opinion = held.assessment
    says = next(topic.says for topic in topics() if topic.name == opinion.topic)
    reasons = (*(_eased(each, says) for each in opinion.reasons), Reason(_tell(first)))
    public = replace(
        opinion, public_domain=PublicDomain.YES, rag=Rag.AMBER, reasons=reasons, made_by=(*opinion.made_by, VERSION)
    )
    return replace(held, assessment=public)


def _tell(mention: Mention) -> str:
    by = mention.publisher or mention.source
    return f"already told by {by}: {mention.link}" if mention.link else f"already told by {by}"


def _eased(reason: Reason, says: str) -> Reason:
    return replace(reason, says=f"amber: {says}") if reason.says.startswith("red: ") else reason


def _tells_same(held: Assessed, candidate: Assessed, one: _Told, other: _Told) -> bool:
    ours, theirs = held.assessment, candidate.assessment
    since, until = window_of(held)
    if candidate.mention.id == held.mention.id or _shared(one, other) < _ON_THE_SPOT:
        return False
    if theirs.topic not in family_of(ours.topic) or not since <= candidate.mention.published_at <= until:
        return False
    if ours.boroughs and theirs.boroughs and not set(ours.boroughs) & set(theirs.boroughs):
        return False
    if any(a and b and not a & b for a, b in ((one.ages, other.ages), (one.who, other.who))):
        return False
    return _shared(one, other) >= _needed(one, other, in_one_borough=bool(set(ours.boroughs) & set(theirs.boroughs)))


def _shared(one: _Told, other: _Told) -> int:
    return _NAME * len(one.names & other.names) + len(one.words & other.words) + len(one.ages & other.ages)


def _needed(one: _Told, other: _Told, *, in_one_borough: bool) -> int:
    """How much must be shared: less where they name one place, more where they name different ones."""
    if both := one.places & other.places:
        return _ON_THE_SPOT if any(" " in place for place in both) else _IN_THE_PART
    if len(one.names & other.names) * _NAME >= _MANY:
        return _MANY
    if one.places and other.places:
        return 2 * _ANYWHERE
    return _IN_THE_BOROUGH if in_one_borough else _ANYWHERE + _NAME * (not one.names & other.names)


@lru_cache(4096)
def _read(words: str, topic: str) -> _Told:
    text = words[:LONGEST]
    norm = normalise(text)
    places = {place.name for place, _ in _places().find(norm).places} - _boroughs()
    inside = {word for place in places for word in normalise(place).split()} | _borough_words()
    said = {_stem(word) for word in norm.split() if len(word) >= 4 and word.isalpha() and word not in inside}
    telling = said - _common(topic)
    names = {word for word in telling if word not in _english()}
    ages = {next(filter(None, found)) for found in _AGE.findall(text)}
    who = {sort for word in norm.split() for sort in _WHO.get(word, ())}
    return _Told(frozenset(names), frozenset(telling - names), frozenset(places), frozenset(ages), frozenset(who))


def _stem(word: str) -> str:
    """Florists and florist are one word."""
    return word.removesuffix("s") if len(word) > 4 and not word.endswith("ss") else word


@cache
def _places() -> Vocabulary:
    return Vocabulary({}, gazetteer({}))


@cache
def _boroughs() -> frozenset[str]:
    """Names of no place smaller than a borough."""
    return frozenset(place.name for place in gazetteer({}) if normalise(place.name) in map(normalise, place.boroughs))


@cache
def _borough_words() -> frozenset[str]:
    return frozenset(word for name in _boroughs() for word in normalise(name).split())


@cache
def _english() -> frozenset[str]:
    return frozenset(map(_stem, (DEFAULTS / "english_words.txt").read_text("utf-8").split()))


@cache
def _common(topic: str) -> frozenset[str]:
    """Words that many posts of a topic share: everyday ones, and those by which it and police matters are told."""
    own = [phrases for tag, phrases in topic_words().items() if tag.split(".")[1] in family_of(topic)]
    police = [phrases for tag, phrases in police_words().items() if tag != "hides" and not tag.startswith("against.")]
    lists: Sequence[Iterable[str]] = [*own, *police, *attitude_words().values()]
    phrases = {phrase for notations in lists for notation in notations for phrase in spell_out(notation)}
    told = {word for phrase in phrases for word in phrase.split()}
    everyday = set(read_toml("languages.toml")["english"].split())
    return frozenset(map(_stem, told | everyday | _SAYS_LITTLE | _WHO.keys()))
