"""Which mentions tell one story: copies by MinHash, then other tellings by the rare words they share."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from analysis.telling import PERMUTATIONS, Telling, expected_shares
from mentions.mention import Mention

if TYPE_CHECKING:
    from datasketch import MinHashLSH

WITHIN = timedelta(hours=72)  # a telling later than this after the one before is another story
COPY = 0.7  # share of their words that two copies have in common
LEAST_GIST = 4  # words that mean something, below which even the same text is no copy: "so sad", "good news"
SAME = 0.39  # likeness from which two tellings are of one story
TOGETHER = 0.24  # mean likeness two groups of tellings must have to become one
ENOUGH = 2.2  # rare words two tellings share, from which their likeness counts in full
TAGS_LESS = 0.67  # of a word's weight is not counted where both have it in #tags alone: tags name what many talk of
REPLY_MORE = 0.6  # rare words more, for each of the two that answers somebody: an answer seldom tells anything
FAINT = 0.1  # likeness below which two are held not to be alike at all
LEAST_TOLD = 1.0  # rare words two must share to be compared
MOST_SHARING = 400  # a word that so many tellings have brings no two together
PRIOR = 1_000  # tellings' worth of what is known of words before any is counted

Edges = dict[tuple[int, int], float]


def group_copies(mentions: Sequence[Mention], tellings: Sequence[Telling]) -> list[list[int]]:
    """The places of mentions with one text, small edits aside, each group in the order given (which is that of time),
    groups by their first. A text told again after `WITHIN` of the group's last is a new one."""
    from datasketch import MinHashLSH  # only here: it loads scipy

    index = MinHashLSH(threshold=COPY - 0.15, num_perm=PERMUTATIONS)
    groups: dict[int, list[int]] = {}
    for at, telling in enumerate(tellings):
        first = _copied(at, mentions, tellings, index, groups)
        if first is None:
            groups[at] = [at]
            if len(telling.gist) >= LEAST_GIST:
                index.insert(at, telling.sign)
        else:
            groups[first].append(at)
    return list(groups.values())


def _copied(
    at: int,
    mentions: Sequence[Mention],
    tellings: Sequence[Telling],
    index: MinHashLSH,
    groups: dict[int, list[int]],
) -> int | None:
    """The group whose text this is most like; the newest of equals."""
    telling = tellings[at]
    if len(telling.gist) < LEAST_GIST:
        return None
    since = mentions[at].published_at - WITHIN
    near = [first for first in index.query(telling.sign) if mentions[groups[first][-1]].published_at >= since]
    best = max(((_alike(telling, tellings[first]), first) for first in near), default=(0.0, -1))
    return best[1] if best[0] >= COPY else None


def _alike(one: Telling, other: Telling) -> float:
    """The share of words in common, of all or of those that mean something, whichever is less."""
    return min(_jaccard(one.words, other.words), _jaccard(one.gist, other.gist))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def join_tellings(mentions: Sequence[Mention], tellings: Sequence[Telling]) -> list[list[int]]:
    """The places of tellings of one story, in the order given (which is that of time), stories by their first.

    Two are alike by the cosine of their words, the rarer the heavier, less where they share few of them. Groups grow
    from the likest pair on, and become one only where they are alike on the whole: so a story cannot drift from word to
    word into another. What is like nothing belongs to the story of the page it points to.
    """
    edges = _likeness(mentions, tellings)
    home = list(range(len(tellings)))
    members = {at: [at] for at in home}
    towards: dict[int, dict[int, float]] = defaultdict(dict)
    for (one, other), like in edges.items():
        towards[one][other] = towards[other][one] = like
    for (one, other), like in sorted(edges.items(), key=lambda edge: (-edge[1], edge[0])):
        if like < SAME:
            break
        a, b = sorted((home[one], home[other]))
        if a != b and towards[a].get(b, 0.0) >= TOGETHER * len(members[a]) * len(members[b]):
            _merge(a, b, home, members, towards)
    _follow_links(mentions, tellings, home, members)
    return [sorted(each) for _, each in sorted(members.items())]


def _follow_links(
    mentions: Sequence[Mention], tellings: Sequence[Telling], home: list[int], members: dict[int, list[int]]
) -> None:
    """Bring each telling that is alone to the first that pointed to one of its pages, or is one of them, where that
    was last done within `WITHIN`."""
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for at, telling in enumerate(tellings):
        since = mentions[at].published_at - WITHIN
        known = [first[link] for link in telling.links if link in last and mentions[last[link]].published_at >= since]
        if known and len(members[home[at]]) == 1:
            target = home[min(known)]
            members[target] += members.pop(home[at])
            home[at] = target
        for link in telling.links:
            last[link] = at
            first[link] = min(known, default=at)


def _merge(
    a: int, b: int, home: list[int], members: dict[int, list[int]], towards: dict[int, dict[int, float]]
) -> None:
    """Make b part of a, with the sums of likeness towards every other group."""
    for at in members[b]:
        home[at] = a
    members[a] += members.pop(b)
    for other, like in towards.pop(b).items():
        del towards[other][b]
        if other != a:
            towards[a][other] = towards[other][a] = towards[a].get(other, 0.0) + like


def weigh_words(tellings: Sequence[Telling]) -> dict[str, float]:
    """How much each word says, 1 for one that is nowhere else: by how many tellings have it, and how usual it is."""
    usual = expected_shares()
    total = len(tellings) + PRIOR
    had = Counter(word for telling in tellings for word in telling.gist)
    whole = math.log(total)
    return {word: math.log(total / (count + PRIOR * usual.get(word, 0.0))) / whole for word, count in had.items()}


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A telling with what all its words weigh, and those of its headline."""

    telling: Telling
    whole: float
    headline: float


def _likeness(mentions: Sequence[Mention], tellings: Sequence[Telling]) -> Edges:
    """How alike each two within `WITHIN` are, from `FAINT` to 1; those left out are less."""
    weights = weigh_words(tellings)
    had = Counter(word for telling in tellings for word in telling.gist)
    weighed = [_Weighed(each, _mass(each.gist, weights), _mass(each.headline, weights)) for each in tellings]
    having: dict[str, list[int]] = defaultdict(list)
    edges: Edges = {}
    for at, telling in enumerate(tellings):
        since = mentions[at].published_at - WITHIN
        told: dict[int, float] = defaultdict(float)
        for word in sorted(word for word in telling.gist if had[word] <= MOST_SHARING):
            for other in reversed(having[word]):
                if mentions[other].published_at < since:
                    break
                told[other] += weights[word]
            having[word].append(at)
        for other, shared in told.items():
            if shared >= LEAST_TOLD and (like := _compare(weighed[other], weighed[at], weights)) >= FAINT:
                edges[other, at] = like
    return edges


def _mass(words: Iterable[str], weights: Mapping[str, float]) -> float:
    return math.fsum(weights[word] ** 2 for word in words)


def _compare(one: _Weighed, other: _Weighed, weights: Mapping[str, float]) -> float:
    """The mean of two cosines, that of all words and that of each one's headline within the other; less where what
    they share is little."""
    mine, theirs = one.telling, other.telling
    shared = mine.gist & theirs.gist
    whole = _mass(shared, weights) / math.sqrt(one.whole * other.whole)
    within = _mass(mine.headline & shared, weights) * _mass(theirs.headline & shared, weights)
    headline = math.sqrt(within / (one.headline * other.headline))
    told = math.fsum(weights[word] for word in shared) - math.fsum(
        weights[word] * TAGS_LESS for word in shared & mine.tagged & theirs.tagged
    )
    enough = ENOUGH + REPLY_MORE * (mine.replies + theirs.replies)
    return min(1.0, (whole + headline) / 2 * min(1.0, told / enough))
