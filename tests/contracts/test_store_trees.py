"""Every store answers the whole query tree as the predicate does: every kind of question, nested anyhow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mentions.facets import FIELDS, facets
from mentions.mention import Assessed, Mood, Rag, Reach, Verdict, Voice
from mentions.normalise import index_text
from mentions.order import order_key
from mentions.query import DEEPEST, MOST_CHARACTERS, parse, predicate
from mentions.query_tree import (
    And,
    Everything,
    Field,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    ScoreRange,
    TimeRange,
    Word,
)
from mentions.store import MentionStore
from mentions.times import EPOCH
from tests.contracts.store_cases import DAY, HOUR, MINUTE, STORES, T0, judged, opened, said

TICK = timedelta(microseconds=1)
TEXTS = [
    "Police van in the lane, van in the LANE",
    "a @metpoliceuk officer said #Riot, #riot_act and @Met.Police@example.org",
    "lane the in van police",
    "STRASSE Straße straße İstanbul ﬁre CAFÉ cafe\u0301",
    "👮🏽‍♀️👮 🚓🚓 x 👍",
    "nul\0nul half \ud83d pair don't rock'n'roll riot's met_police",
    "שלום עולם مرحبا \u202e van \u202c 警察 ส\u0e31",
    f"{'w' * 300} {'w' * 100} {'w' * 99} #{'t' * 200}",
    "",
    "in in in in police in in in in in in van",
    "²³ ½ 1,000.50 0 -0 _ __ ' '' #1 #_ @_ ##a a#b a@b.c",
    'or and not near the (police) "van" police* [x TO y] \\ / : ^ ~',
]
TIMES = [
    datetime(1, 1, 1, tzinfo=UTC),
    EPOCH - DAY / 3,
    EPOCH - TICK,
    EPOCH,
    EPOCH + TICK,
    T0 - HOUR - TICK,
    T0,
    T0 + TICK,
    T0 + timedelta(seconds=1) - TICK,
    T0 + MINUTE,
    T0 + 40 * DAY,
    datetime(9999, 12, 31, 23, 0, 59, 999999, tzinfo=UTC),
]
SCORES = [-1.0, -0.3, -1e-300, -0.0, 0.0, 0.1, 0.30000000000000004, 1.0]


def _held(number: int) -> Assessed:
    """One of many that differ in everything, each by a step of its own."""
    facts = {
        "platform": ("forum", "rss", "x")[number % 3],
        "source": ("Corner", "Café “A”", "a:b OR c", "corner")[number % 4],
        "reach": tuple(Reach)[number % len(Reach)],
        "voice": (Voice.PUBLIC, Voice.OWN, Voice.PRESS)[number % 3],
        "title": ("", "In the Café", "van")[number % 7 % 3],
        "first_seen_at": T0,
    }
    return judged(
        said(number, TEXTS[number % len(TEXTS)], at=TIMES[(number * 5 + number // 12) % len(TIMES)], **facts),
        sentiment=Verdict(tuple(Mood)[number % 4], SCORES[number % len(SCORES)]),
        rag=tuple(Rag)[number // 2 % 4],
        topic=("", "fire", "Stop & Search")[number % 5 % 3],
        boroughs=((), ("Camden",), ("Camden", "Tower Hamlets"))[number % 3],
        debate=number % 6 == 0,
        lang=("", "en", "cy")[number % 4 % 3],
        watchlists=((), ("riots",), ("riots", "Łódź"))[number % 8 % 3],
    )


HELD = sorted((_held(number) for number in range(72)), key=lambda each: -order_key(each.mention))
TOKENS = [index_text(text.replace("\0", "").replace("\ud83d", "?")).split() for text in TEXTS]
KNOWN = sorted({word for words in TOKENS for word in words} | {"zebra", "#nothing"})
WORDS = st.sampled_from(KNOWN)
RUNS = [tuple(words[at : at + length]) for words in TOKENS for length in (2, 3, 5) for at in range(len(words) - 1)]
VALUES = sorted({facet for each in HELD for facet in facets(each)} | {f"{name}:nowhere" for name in FIELDS})
INSTANTS = st.sampled_from([*TIMES, *(at + TICK for at in TIMES[:-1])])
LEAVES: st.SearchStrategy[Query] = st.one_of(
    WORDS.map(Word),
    st.sampled_from([run for run in RUNS if len(run) > 1]).map(Phrase),
    st.lists(WORDS, min_size=2, max_size=4).map(lambda words: Phrase(tuple(words))),
    st.builds(lambda word, length: Prefix(word[:length]), WORDS.filter(lambda word: len(word) > 1), st.integers(2, 5)),
    st.builds(
        lambda run, apart: Near(tuple(dict.fromkeys(run)), apart),
        st.sampled_from([run for run in RUNS if len(set(run)) > 1]).flatmap(st.permutations),
        st.integers(0, 8),
    ),
    st.builds(
        lambda words, apart: Near(tuple(words), apart), st.lists(WORDS, min_size=2, max_size=4, unique=True),
        st.integers(0, 100),
    ),
    st.sampled_from(VALUES).map(lambda value: Field(*value.split(":", 1))),
    st.builds(
        ScoreRange, st.none() | st.sampled_from(SCORES), st.none() | st.sampled_from(SCORES), st.booleans(),
        st.booleans(),
    ),
    st.builds(TimeRange, st.none() | INSTANTS, st.none() | INSTANTS),
    st.just(Everything()),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=4).map(lambda parts: And(tuple(parts))),
        st.lists(part, min_size=1, max_size=4).map(lambda parts: Or(tuple(parts))),
        part.map(Not),
    ),
    max_leaves=12,
)


@pytest.fixture(params=sorted(STORES), scope="module")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MentionStore]:
    with opened(request, request.param, tmp_path_factory.mktemp("trees")) as held:
        held.save(HELD)
        yield held


@pytest.fixture(scope="module")
def kept(store: MentionStore) -> list[Assessed]:
    """What the store holds of it, in the one order: the predicate judges what is there."""
    found = list(store.everything())
    assert [each.mention.id for each in found] == [each.mention.id for each in HELD]
    return found


def starts(found: list[Assessed], every: timedelta) -> list[tuple[datetime, int]]:
    """The histogram, recounted."""
    counts = Counter((each.mention.published_at - EPOCH) // every for each in found)
    return [(EPOCH + number * every, count) for number, count in sorted(counts.items())]


@settings(max_examples=150)
@given(query=TREES, page=st.integers(1, 80), at=st.integers(0, 71))
def test_any_tree_finds_what_the_predicate_holds_of(
    store: MentionStore, kept: list[Assessed], query: Query, page: int, at: int
) -> None:
    holds = predicate(query)
    found = [each for each in kept if holds(each)]
    assert store.search(query, limit=page) == found[:page]
    assert store.count(query) == len(found)
    behind = order_key(kept[at].mention)
    later = [each for each in found if order_key(each.mention) < behind]
    assert store.search(query, limit=page, before=behind) == later[:page]


@pytest.mark.parametrize("every", [timedelta(seconds=1), timedelta(seconds=7), HOUR, DAY, 7 * DAY, 10_000 * DAY])
def test_a_histogram_counts_from_1970_in_utc_in_both_directions(
    store: MentionStore, kept: list[Assessed], every: timedelta
) -> None:
    known = [each for each in kept if each.mention.published_at - EPOCH >= -DAY]  # the year 1 has no span before it
    since = EPOCH - DAY
    assert store.histogram(Everything(), every, since=since) == starts(known, every)
    query = parse("police OR x")
    holds = predicate(query)
    part = [each for each in kept if T0 <= each.mention.published_at < T0 + DAY and holds(each)]
    assert len(part) > 2
    assert store.histogram(query, every, since=T0, until=T0 + DAY) == starts(part, every)
    assert store.histogram(parse("zebra"), every) == []


def deepest(leaf: str, inner: str, outer: str) -> str:
    """The most that may stand inside one another: within each pair of parentheses an AND within an OR."""
    text = leaf
    for depth in range(DEEPEST - 1):  # the innermost has parentheses or a NOT of its own
        text = f"({text} {inner} OR {'lane' if depth % 2 else 'zebra'})"
    return f"{text} {outer}"


@pytest.mark.parametrize(
    "text",
    [
        deepest("debate:(yes OR no)", "van", "van OR zebra"),
        deepest("reach:[local TO wide]", "rag:(red OR green OR amber OR none)", "van OR zebra"),
        deepest("a NOT zebra", "in", "OR own:yes"),
        "van" + " NOT (zebra OR lane" * (DEEPEST - 1) + ")" * (DEEPEST - 1),
        " ".join(f"{number:x}" for number in range(2000)),
        " OR ".join(["van", *(f"{number:x}" for number in range(1200))]),
        " OR ".join(["van", *(f"b{number:x}*" for number in range(900))]),
        " OR ".join(["van", *(f'"a{number:x} b"' for number in range(700))]),
        " OR ".join(["van", *(f"a{number:x} b" for number in range(900))]),
        "van " + " ".join(f"NOT {number:x}" for number in range(1100)),
        '"' + " ".join(f"{number:x}" for number in range(2000)) + '"',
        '"' + " ".join(f"{number:x}" for number in range(60)) + '"~5',
        "van OR " + "w" * (MOST_CHARACTERS - 7),
        "own:yes " * 1200,
        "van " + "own:no " * 1400,
        " ".join(f"source:{number:x}" for number in range(900)),
        "van " + " ".join(f"NOT source:{number:x}" for number in range(600)),
        " ".join(f"(van OR source:{number:x})" for number in range(500)),
    ],
    ids=lambda text: text[:20],
)
def test_the_longest_and_the_deepest_searches_are_answered(
    store: MentionStore, kept: list[Assessed], text: str
) -> None:
    query = parse(text)
    holds = predicate(query)
    assert store.count(query) == sum(map(holds, kept))
