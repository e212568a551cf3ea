"""The strategy's traffic light: which topic, whether it is public already, and therefore which colour."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from analysis.draft import Draft, is_press, reads_as_headline
from analysis.reading import Reading
from analysis.vocabulary import Hits, Span, is_near, read_toml
from mentions.mention import Mood, PublicDomain, Rag, Verdict, Voice

_ALIASES = {
    "<police>": ("force", "force handle", "the met", "institution", "police", "policing"),
    "<person>": ("officer", "police", "force"),
    "<praise>": ("praise",),
    "<praised>": ("praised",),
}


# Shares of the model, chosen on rows held out: what all reds together need to raise what a rule found, or to make red
# what no rule found; what one topic needs that no rule found, and below which it is marked unsure; and the share of "no
# topic" that leaves a mention without one where no rule found any.
_RAISES = {Rag.AMBER: 0.9, Rag.GREEN: 0.3, Rag.NONE: 0.3}
_FINDS, _SURE, _NOTHING = 0.1, 0.5, 0.5

# How somebody passes on a post of the force: by "RT", or by its account before a colon and no question to it.
_SHARED = re.compile(r"RT @?(?:mps|met|btp|citypolice)\w*\b|@(?:mps|met|btp|citypolice)\w*\s?:(?!.*\?)", re.I | re.S)
_BLAME = frozenset(("blame", "blamed", "wrong"))

Line = tuple[tuple[str, ...], ...]  # parts that must stand near each other, each a choice of tags


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the strategy with the words that show it. `near` holds lines of parts, each part a set of tags."""

    name: str
    colour: Rag
    says: str
    leans: str
    leans_in_talk: bool
    near: tuple[Line, ...]
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]
    weak_in_talk_only: bool = False
    near_in_talk_only: bool = False
    public: bool = False

    @property
    def strong(self) -> str:
        """The tag of phrases that are enough alone."""
        return f"topic.{self.name}"

    @property
    def weak(self) -> str:
        """The tag of phrases that are enough where no topic fits better."""
        return f"weak.{self.name}"

    @property
    def over(self) -> str:
        """The tag of phrases that show it to be over, in the news."""
        return f"over.{self.name}"

    def speaks(self, draft: Draft, how: str) -> bool:
        """Whether its words count here, found as `how`: its own `words`, `near` each other, or `weak`."""
        blames = draft.sentiment.label is Mood.NEGATIVE
        if blames and self.leans == Mood.POSITIVE:
            return False
        if not is_press(draft):
            return True
        talk_only = (how == "near" and self.near_in_talk_only) or (how == "weak" and self.weak_in_talk_only)
        return not (talk_only and not blames) and self.over not in draft.hits


@cache
def topics() -> tuple[Topic, ...]:
    """The strategy's topics, gravest first."""
    return tuple(_read_topic(table) for table in read_toml("policy.toml")["topics"])


def _read_topic(table: dict[str, object]) -> Topic:
    name = str(table["name"])
    lines = [_parts(line) for line in _strings(table, "near")]
    near = tuple(
        tuple(_ALIASES.get(part) or (f"near.{name}.{at}.{number}",) for number, part in enumerate(parts))
        for at, parts in enumerate(lines)
    )
    examples, counters = _strings(table, "examples"), _strings(table, "counter_examples")
    leans, talk = str(table.get("leans", "")), bool(table.get("leans_in_talk"))
    flags = (bool(table.get(flag)) for flag in ("weak_in_talk_only", "near_in_talk_only", "public"))
    return Topic(name, Rag(str(table["colour"])), str(table["says"]), leans, talk, near, examples, counters, *flags)


def _strings(table: dict[str, object], key: str) -> tuple[str, ...]:
    values = table.get(key, ())
    return tuple(map(str, values)) if isinstance(values, Sequence) else ()


def _parts(line: str) -> list[str]:
    return [part.strip() for part in line.split(" + ")]


@cache
def topic_words() -> dict[str, tuple[str, ...]]:
    """The phrases of all topics by tag, for the one vocabulary. A part's choices may be phrases: `a b|c d`."""
    words: dict[str, tuple[str, ...]] = {}
    for table in read_toml("policy.toml")["topics"]:
        name = table["name"]
        words[f"topic.{name}"] = _strings(table, "words")
        words[f"weak.{name}"] = _strings(table, "weak")
        words[f"over.{name}"] = _strings(table, "over")
        for at, line in enumerate(_strings(table, "near")):
            for number, part in enumerate(_parts(line)):
                if part not in _ALIASES:
                    words[f"near.{name}.{at}.{number}"] = tuple(part.split("|"))
    return words


class Rating:
    """Inline: topic, public domain, colour, risk to life. No topic is `none` and unsure, never green."""

    name: ClassVar[str] = "rating"
    version: ClassVar[int] = 7

    def judge(self, draft: Draft) -> None:
        """Rate a relevant mention; flag a risk to life first."""
        if not draft.relevant:
            return
        if span := find_risk(draft):
            draft.risk_to_life = True
            draft.because("may be a risk to life", span)
        draft.public_domain = _public_domain(draft)
        found = _settle_topic(draft)
        if found is None:
            draft.unsure = True
            draft.because("no topic of the strategy found")
            return
        topic = found.topic
        draft.topic = topic.name
        draft.public_domain = _public_as(topic, draft.public_domain)
        draft.unsure |= found.share is not None and found.share < _SURE
        if topic.leans and draft.sentiment.label is Mood.NEUTRAL and (topic.leans_in_talk or is_press(draft)):
            draft.sentiment = Verdict(Mood(topic.leans), -0.3 if topic.leans == Mood.NEGATIVE else 0.3)
        draft.rag = _colour(topic, draft.public_domain)
        draft.because(found.explain(draft.rag), found.span)


def find_risk(draft: Draft) -> Span | None:
    """The words that tell of a risk to somebody's life; the press tells of many that are over, so only of one now."""
    return draft.hits.first("risk now") if is_press(draft) else draft.hits.first("risk", "risk now")


def is_red_by_rule(draft: Draft) -> bool:
    """Whether a rule's words, and not a loose hint or the model, make it red: nothing lowers that."""
    found = _find_topic(draft)
    return found is not None and _colour(found.topic, _public_as(found.topic, _public_domain(draft))) is Rag.RED


def share_of_red(reading: Reading) -> float:
    """What the model gives to the red topics together, 0 to 1."""
    return sum(reading.topics.get(topic.name, 0.0) for topic in topics() if topic.colour is Rag.RED)


def may_be_a_force(draft: Draft) -> bool:
    """Whether one of the public may be another force's account or share its post. No force blames the police."""
    public = draft.mention.voice is Voice.PUBLIC and not is_press(draft)
    return public and draft.hits.by_tag.keys().isdisjoint(_BLAME)


def _public_as(topic: Topic, public: PublicDomain) -> PublicDomain:
    return PublicDomain.YES if topic.public and public is PublicDomain.UNKNOWN else public


@dataclass(frozen=True, slots=True)
class _Found:
    """A topic, the words it rests on, and the model's share for it where the model and no rule named it."""

    topic: Topic
    span: Span | None
    share: float | None = None

    def explain(self, rag: Rag) -> str:
        says = self.topic.says
        if self.topic.colour is Rag.AMBER and rag is Rag.RED:
            says = f"{says}, not known to be public"
        return (
            f"{rag}: {says}" if self.share is None else f"{rag}: {says} (as the model reads it, {self.share:.0%} sure)"
        )


def _settle_topic(draft: Draft) -> _Found | None:
    ruled = _find_topic(draft)
    if draft.reading is None:
        # A hint waits for the model where there is one, lest it be red for seconds and then no more.
        return ruled or (None if "model" in draft.pending else _weak_topic(draft))
    topic = _read_topic_of(draft, draft.reading, ruled.topic if ruled else None)
    if topic is None or (ruled and topic is ruled.topic):
        return ruled
    # What the model weighed is the whole text; the words that name the police or the deed show where to look.
    span = draft.hits.first(*_ALIASES["<police>"], "officer", "crime", "danger", "trouble")
    return _Found(topic, span, draft.reading.topics.get(topic.name, 0.0))


def _colour(topic: Topic, public: PublicDomain) -> Rag:
    if topic.colour is Rag.AMBER and public is not PublicDomain.YES:
        return Rag.RED
    return topic.colour


def _find_topic(draft: Draft) -> _Found | None:
    hits, rules = draft.hits, _rules()
    for place in sorted({place for tag in hits.by_tag for place in rules.by_tag.get(tag, ())}):
        topic, line = rules.lines[place]
        if (span := _all_near(line, hits)) and topic.speaks(draft, "near" if len(line) > 1 else "words"):
            return _Found(topic, span)
    return None


def _weak_topic(draft: Draft) -> _Found | None:
    """What few words hint at, where there is no model to ask."""
    for topic in topics():
        if topic.weak in draft.hits and topic.speaks(draft, "weak"):
            return _Found(topic, draft.hits.first(topic.weak))
    if draft.sentiment.label is Mood.NEGATIVE:
        return _Found(next(topic for topic in topics() if topic.name == "force_reputation"), None)
    return None


def _read_topic_of(draft: Draft, reading: Reading, ruled: Topic | None) -> Topic | None:
    """The topic after the model was asked: it may raise to red, and find what no rule found; never lower."""
    if ruled and _is_red(draft, ruled):
        return ruled
    shares = {topic: reading.topics.get(topic.name, 0.0) for topic in topics()}
    red = {topic: share for topic, share in shares.items() if _is_red(draft, topic)}
    if ruled is None and reading.topics.get("", 0.0) >= _NOTHING:
        return None
    if sum(red.values()) >= (_RAISES[ruled.colour] if ruled else _RAISES[Rag.NONE]):
        return max(red, key=red.__getitem__)
    if ruled:
        return ruled
    likeliest = max(shares, key=shares.__getitem__)
    praises_blame = likeliest.leans == Mood.POSITIVE and draft.sentiment.label is Mood.NEGATIVE
    return likeliest if shares[likeliest] >= _FINDS and not praises_blame else None


def _is_red(draft: Draft, topic: Topic) -> bool:
    """Whether the topic is red here: an amber one is where the matter is not known to be public."""
    return _colour(topic, _public_as(topic, draft.public_domain)) is Rag.RED


@dataclass(frozen=True, slots=True)
class _Rules:
    """Every line of every topic, gravest topic first, and where to look by a tag that each line needs."""

    lines: tuple[tuple[Topic, Line], ...]
    by_tag: Mapping[str, Sequence[int]]


@cache
def _rules() -> _Rules:
    lines: list[tuple[Topic, Line]] = []
    by_tag: dict[str, list[int]] = {}
    for topic in topics():
        for line in (((topic.strong,),), *topic.near):
            rarest = max(line, key=lambda part: -len(part))
            for tag in rarest:
                by_tag.setdefault(tag, []).append(len(lines))
            lines.append((topic, line))
    return _Rules(tuple(lines), by_tag)


def _all_near(line: Line, hits: Hits) -> Span | None:
    first, *rest = line
    for anchor in hits.of(*first):
        if all(any(span != anchor and is_near(anchor, span) for span in hits.of(*part)) for part in rest):
            return anchor
    return None


def _public_domain(draft: Draft) -> PublicDomain:
    mention = draft.mention
    if "leak" in draft.hits:
        return PublicDomain.NO
    told = is_press(draft) or mention.voice in (Voice.OFFICIAL, Voice.OWN) or mention.publisher in _newsrooms()
    told = told or reads_as_headline(mention.title)
    force = may_be_a_force(draft) and ("against.own_voice" in draft.hits or _SHARED.match(draft.words))
    return PublicDomain.YES if told or force or "published" in draft.hits else PublicDomain.UNKNOWN


@cache
def _newsrooms() -> frozenset[str]:
    return frozenset(read_toml("forums.toml")["newsrooms"])
