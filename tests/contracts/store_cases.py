"""The registry of mention stores the contract suite runs over, and what its tests are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mentions.mention import Assessed, Assessment, Mention, Mood, Rag, Verdict, Voice
from mentions.order import place
from mentions.store import MentionStore, Tally
from mentions.stores import open_store
from tests.elastic_found import Lacking
from tests.elastic_server import ElasticServer

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALWAYS = (T0 - 400 * DAY, T0 + 400 * DAY)

# Where an empty store of each kind is, for the test that asks; Elasticsearch's is on a server that all tests share.
STORES: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "elasticsearch": lambda request, folder: elastic_address(request.getfixturevalue("elastic")),
    "sqlite": lambda request, folder: f"sqlite:{folder / 'mentions.db'}",
}


def elastic_address(server: str) -> str:
    """An empty store of the test's own on that server."""
    return f"{server}?index=test_{uuid4().hex[:12]}"


def server_of(url: str) -> tuple[str, str]:
    """(http://HOST:PORT, index name)."""
    host, _, index = url.removeprefix("elasticsearch:").partition("?index=")
    return host.split(",")[0], index


def served(**how: Any) -> ElasticServer:
    """A server of the test's own; the test is skipped, loudly, where none can be had."""
    try:
        return ElasticServer(**how)
    except Lacking as lack:
        pytest.skip(str(lack))


@contextmanager
def opened(request: pytest.FixtureRequest, kind: str, folder: Path) -> Iterator[MentionStore]:
    """An empty store of that kind, cleared away afterwards."""
    url = STORES[kind](request, folder)
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
        clear_away(url)


def clear_away(url: str) -> None:
    """Take what a test left on the shared server away; files are pytest's own business."""
    if url.startswith("elasticsearch:"):
        server, _, index = url.removeprefix("elasticsearch:").partition("?index=")
        host = server.split(",")[0]
        months = httpx.get(f"{host}/{index}-*", timeout=60).json()  # servers delete what is named, not what is like it
        for path in (",".join(months), f"_index_template/{index}"):
            if path:
                httpx.delete(f"{host}/{path}", timeout=60)


def said(number: int | str, text: str = "a quiet street", *, at: datetime = T0, **facts: Any) -> Mention:
    """A mention that differs from the next only in what a test cares for."""
    facts = {"platform": "forum", "source": "Corner", "first_seen_at": at + MINUTE} | facts
    return Mention(id=f"forum:{number}", published_at=at, text=text, **facts)


def twins() -> tuple[Mention, Mention]:
    """Two mentions of one second whose ids share all bits of their place."""
    seen: dict[int, Mention] = {}
    for mention in map(said, range(100_000)):
        if (other := seen.setdefault(place(mention), mention)) is not mention:
            return other, mention
    raise AssertionError("20 bits are few: some two of 100,000 always share them")


def judged(mention: Mention, **opinion: Any) -> Assessed:
    """A mention with an opinion of it."""
    return Assessed(mention, Assessment(**opinion))


def mood(label: Mood) -> Verdict:
    """An attitude of full strength."""
    return Verdict(label, {Mood.NEGATIVE: -1.0, Mood.POSITIVE: 1.0}.get(label, 0.0))


def ids(found: Iterable[Assessed]) -> list[str]:
    """Their numbers, in order."""
    return [each.mention.id.partition(":")[2] for each in found]


def tallied(held: Iterable[Assessed], by: str) -> list[Tally]:
    """A recount of the tallies, straight from the promise."""
    counts: Counter[tuple[datetime, str, str]] = Counter()
    moods: Counter[tuple[datetime, str, str, Mood]] = Counter()
    for each in held:
        opinion, hour = each.assessment, each.mention.published_at.replace(minute=0, second=0, microsecond=0)
        keys = [each.mention.source]
        if by == "borough":
            keys = [*(opinion.boroughs or ("",)), "*"] if opinion.relevant else []
        for key in keys:
            counts[hour, key, str(opinion.rag)] += 1
            moods[hour, key, str(opinion.rag), opinion.sentiment.label] += 1
    return [
        Tally(*cell, count, moods[(*cell, Mood.NEGATIVE)], moods[(*cell, Mood.POSITIVE)])
        for cell, count in sorted(counts.items())
    ]


def counted(held: Iterable[Assessed]) -> dict[str, list[tuple[datetime, int, int]]]:
    """A recount of all series, straight from the promise."""
    counts: dict[str, dict[datetime, list[int]]] = {}
    for each in held:
        if each.mention.voice is Voice.OWN:
            continue
        opinion, minute = each.assessment, each.mention.counts_at.replace(second=0, microsecond=0)
        names = [f"watch:{name}" for name in opinion.watchlists]
        names += ["relevant"] * opinion.relevant + ["red"] * (opinion.relevant and opinion.rag is Rag.RED)
        for name in names:
            counts.setdefault(name, {}).setdefault(minute, [0, 0])[each.mention.history] += 1
    return {name: [(at, live, past) for at, (live, past) in sorted(series.items())] for name, series in counts.items()}
