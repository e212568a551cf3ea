"""The lists by which a person's name is told from other words: first names, surnames, English, places, public names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from analysis.vocabulary import DEFAULTS, gazetteer, police_words, read_toml, spell_out
from mentions.normalise import handle_mark, normalise

# Names and unlisted words that a number follows as it follows any topic: jan 6, may 2024, euro 2024, ward 12; and words
# that tags are made of: black lives matter.
_COUNTED = frozenset(
    "jan feb mar apr april may june jun july august aug sept sep oct nov dec summer autumn winter day mins euro euros "
    "london ward house park west north church law black white iphone".split()
)
_WHOLE = frozenset({"4chan", "8chan"})
_LINKING = frozenset({"of", "in", "on", "at", "to", "we", "my", "no", "up", "uk", "eu"})
_SHORTEST_JOINED = 3  # letters of a word in `knifecrime`, but for the linking ones

# Hosts on which an address leads to somebody's page, and on which one begins with somebody's name (mail as well).
HOSTS = frozenset(
    tuple(host.split("."))
    for host in (
        "instagram.com facebook.com fb.com fb.me m.me twitter.com x.com tiktok.com t.me telegram.me wa.me snapchat.com "
        "youtube.com linkedin.com threads.net threads.com reddit.com bsky.app mastodon.social mastodon.online mas.to "
        "mstdn.social vk.com twitch.tv github.com medium.com onlyfans.com linktr.ee pinterest.com soundcloud.com "
        "truthsocial.com gab.com ask.fm paypal.me"
    ).split()
)
HOSTS_AFTER = frozenset(
    tuple(host.split("."))
    for host in (
        "bsky.social mastodon.social mastodon.online mas.to mstdn.social tumblr.com substack.com gmail.com hotmail.com "
        "outlook.com yahoo.com icloud.com btinternet.com protonmail.com"
    ).split()
)
BEFORE_HOSTS = frozenset("http https www m old new web mobile mail".split())
BEFORE_NAMES = frozenset("u user users profile in pub c channel add people s".split())  # reddit.com/user/NAME
NO_NAMES = frozenset(  # youtube.com/watch, reddit.com/r/london
    "hashtag tag tags topic search explore groups group events event r company school watch playlist shorts reel reels "
    "p i home about help login share jobs".split()
)
AFTER_U = frozenset(  # U-turn, and `u` for you
    "turn turns turned turning boat boats bend bends lock locks shape shaped haul bahn tube bolt "
    "are r can could will would do did don't know have ok see want need think get got go say all guys lot".split()
)


@dataclass(frozen=True, slots=True)
class Names:
    """What words may be names. `known` are words that mean something else as well: English, places, police talk.
    `public` are names of several words that anybody may be asked about, `handles` accounts, as marks. `plain` are the
    known words that are no names, and places, whether or not somebody is called so; `whole` are words that may be
    asked for as they stand: accounts without their @, and the words of `public`."""

    first: frozenset[str]
    surnames: frozenset[str]
    known: frozenset[str]
    sure_titles: frozenset[str]
    unsure_titles: frozenset[str]
    public: frozenset[tuple[str, ...]]
    handles: frozenset[str]
    plain: frozenset[str]
    whole: frozenset[str]


def read_names(own_handles: Iterable[str], public_names: Iterable[str], places: Mapping[str, Sequence[str]]) -> Names:
    """The shipped lists with what the settings add: accounts of ours, further public names and accounts, places."""
    shipped = _shipped()
    further = [name for name in public_names if not name.startswith("@")]
    handles = (*own_handles, *(name for name in public_names if name.startswith("@")))
    named = [tuple(normalise(name).split()) for name in (*further, *places)]
    single = {words[0] for words in named if len(words) == 1}
    public = shipped.public | {words for words in named if len(words) > 1}
    marks = shipped.handles | {handle_mark(handle.lstrip("@")) for handle in handles}
    return Names(
        shipped.first,
        shipped.surnames,
        shipped.known | single,
        shipped.sure_titles,
        shipped.unsure_titles,
        public,
        marks,
        shipped.plain | single | {"".join(words) for words in public},
        shipped.whole | {mark[1:].split("@")[0] for mark in marks} | {word for words in public for word in words},
    )


@cache
def _shipped() -> Names:
    listed = read_toml("public_names.toml")
    tables, titles = listed["listed"], listed["titles"]
    first = _lines("first_names.txt")
    places = [tuple(normalise(place.name).split()) for place in gazetteer({})]
    names = [tuple(normalise(name).split()) for table in tables for name in table["names"]]
    known = _lines("english_words.txt") | set(listed["words"]["known"]) | _police_talk(first)
    known |= {word for place in places for word in place if len(place) == 1 or word not in first}
    known |= {"co", "org"}.union(*HOSTS, *HOSTS_AFTER)
    known -= set(listed["words"]["names"])
    surnames = _lines("surnames.txt")
    return Names(
        first,
        surnames,
        frozenset(known),
        frozenset(titles["sure"]),
        frozenset(titles["unsure"]),
        frozenset(words for words in (*places, *names) if len(words) > 1),
        frozenset(handle_mark(handle[1:]) for table in tables for handle in table["handles"]),
        frozenset(known - first - surnames) | {words[0] for words in places if len(words) == 1} | _COUNTED,
        _WHOLE,
    )


def _lines(name: str) -> frozenset[str]:
    return frozenset((DEFAULTS / name).read_text("utf-8").split())


def _police_talk(first: frozenset[str]) -> set[str]:
    """The words of the phrases the judgement knows police talk by, but for those that name somebody."""
    phrases = {phrase for notations in police_words().values() for each in notations for phrase in spell_out(each)}
    plain = (words for phrase in phrases if not first.intersection(words := phrase.split()))
    return {word for words in plain for word in words}


@cache
def in_order(words: frozenset[str]) -> tuple[str, ...]:
    """The same words, sorted once for `count_beginning`."""
    return tuple(sorted(words))


def count_beginning(words: frozenset[str], prefix: str) -> int:
    """How many of the words begin so."""
    ordered = in_order(words)
    return bisect_left(ordered, prefix + "\U0010ffff") - bisect_left(ordered, prefix)


def is_made_of(words: frozenset[str], text: str) -> bool:
    """Whether the text is nothing but some of these words, one right after the other: `knifecrime`."""
    ends = {0}
    for end in range(1, len(text) + 1):
        if any(_may_join(text[start:end]) and text[start:end] in words for start in ends):
            ends.add(end)
    return len(text) in ends


def _may_join(word: str) -> bool:
    return len(word) >= _SHORTEST_JOINED or word in _LINKING
