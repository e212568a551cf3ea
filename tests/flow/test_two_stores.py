"""The same question gets the same answer from both stores and from memory: real posts, searches drawn at random."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mentions.documents import fingerprint
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import parse, predicate
from mentions.store import MentionStore
from mentions.stores import open_store
from mentions.times import EPOCH
from tests.conftest import SLOW_LIMIT
from tests.contracts.store_cases import clear_away, elastic_address
from tests.query_cases import Searches, read_posts

SEARCHES = int(os.environ.get("EARSHOT_SEARCHES", "250"))  # 10,000 take some five minutes
pytestmark = [pytest.mark.slow, pytest.mark.timeout(SLOW_LIMIT * max(1, SEARCHES // 2000))]
POSTS = 150  # of each file
LIMIT = 40
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Both:
    """The same posts in both stores, and in memory in the one order."""

    posts: list[Assessed]
    stores: dict[str, MentionStore]


@pytest.fixture(scope="module")
def both(shared: Path, elastic: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("two")
    posts = read_posts(shared / "corpora", POSTS, folder / "author.key")
    address = elastic_address(elastic)
    with closing(open_store(f"sqlite:{folder / 'mentions.db'}")) as one, closing(open_store(address)) as other:
        stores: dict[str, MentionStore] = {"sqlite": one, "elasticsearch": other}
        for store in stores.values():
            for start in range(0, len(posts), 2000):
                store.save(posts[start : start + 2000])
        # SQLite gives two mentions of one second that share 20 bits the order they came in: the known difference.
        yield Both(sorted(posts, key=lambda each: -order_key(each.mention)), stores)
    clear_away(address)


def starts(found: list[Assessed], every: timedelta) -> list[tuple[datetime, int]]:
    """The histogram, recounted."""
    counts = Counter(EPOCH + (each.mention.published_at - EPOCH) // every * every for each in found)
    return sorted(counts.items())


def test_both_stores_and_the_predicate_answer_alike(both: Both) -> None:
    searches = Searches(both.posts, seed=20261124)
    hits = 0
    for number in range(SEARCHES):
        text = searches.draw()
        query = parse(text)
        holds = predicate(query)
        found = [each for each in both.posts if holds(each)]
        hits += bool(found)
        before = order_key(found[number % len(found)].mention) if found and number % 3 == 0 else None
        page = [each.mention.id for each in found if before is None or order_key(each.mention) < before][:LIMIT]
        every = HOUR if number % 2 else DAY
        for name, store in both.stores.items():
            asked = (name, text, before)
            assert [each.mention.id for each in store.search(query, limit=LIMIT, before=before)] == page, asked
            assert store.count(query) == len(found), asked
            assert store.histogram(query, every) == starts(found, every), asked
    assert hits > SEARCHES / 2  # searches that find nothing would prove nothing


def test_windows_of_time_cut_alike(both: Both) -> None:
    searches = Searches(both.posts, seed=7)
    for number in range(100):
        query = parse(searches.draw())
        since, until = sorted(
            both.posts[at % len(both.posts)].mention.published_at for at in (number * 37, number * 101)
        )
        holds = predicate(query)
        found = [each for each in both.posts if since <= each.mention.published_at < until and holds(each)]
        for store in both.stores.values():
            assert store.search(query, since=since, until=until, limit=LIMIT) == found[:LIMIT]
            assert store.count(query, since=since, until=until) == len(found)
            assert store.histogram(query, HOUR, since=since, until=until) == starts(found, HOUR)


def test_everything_comes_back_as_it_went_in(both: Both, elastic: str, tmp_path: Path) -> None:
    """From SQLite to Elasticsearch and back: nothing lost, nothing changed, in one order."""
    sent = [fingerprint(each) for each in both.posts]
    address = elastic_address(elastic)
    with closing(open_store(address)) as there, closing(open_store(f"sqlite:{tmp_path / 'back.db'}")) as back:
        there.save(list(both.stores["sqlite"].everything()))
        assert [fingerprint(each) for each in there.everything()] == sent
        back.save(list(there.everything()))
        assert [fingerprint(each) for each in back.everything()] == sent
        assert there.check() == back.check() == []
    clear_away(address)
