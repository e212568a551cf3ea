"""A real forum that has neither feed nor JSON, read live by its pages alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from listener.connector import Connector, Page
from listener.connectors import build_connector
from listener.fetch import Fetcher, FetchSettings
from mentions.clock import utc_now
from tests.faulty_server import Clock, source, tools
from tests.forum_process import ForumProcess

pytest.importorskip("spirit", reason="no django-spirit here")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spirit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForumProcess]:
    forum = ForumProcess("spirit_site.py", tmp_path_factory.mktemp("spirit"))
    yield forum
    forum.end()


@pytest.fixture
def clock() -> Clock:
    return Clock(utc_now())


@pytest.fixture
def connector(spirit: ForumProcess, clock: Clock) -> Iterator[Connector]:
    fetch = Fetcher(FetchSettings(allow=(urlsplit(spirit.url).netloc,)), clock)
    yield build_connector("forum", source("Larkfield board"), {"url": spirit.url}, tools(fetch, clock))
    fetch.close()


def drain(connector: Connector, cursor: str | None) -> tuple[dict[str, str], list[str], str | None]:
    """Poll until there is no more: texts by native id, the ids that are gone, the cursor."""
    texts: dict[str, str] = {}
    gone: list[str] = []
    for _ in range(20):
        page: Page = connector.poll(cursor)
        texts |= {mention.native_id: mention.text for mention in page.mentions}
        gone += page.gone
        cursor = page.cursor
        if not page.more:
            return texts, gone, cursor
    raise AssertionError("never came to an end")


def test_topics_replies_and_a_second_page_are_seen_by_the_pages_alone(
    spirit: ForumProcess, connector: Connector
) -> None:
    texts, gone, cursor = drain(connector, None)
    assert texts == {
        "1": "First words about: Sirens on Larkfield Road",
        "2": "First words about: Lost cat near the park",
    }
    assert drain(connector, cursor)[:2] == ({}, [])

    topic = spirit.act("topic bob Who fixed the crossing?")
    texts, gone, cursor = drain(connector, cursor)
    assert list(texts.values()) == ["First words about: Who fixed the crossing?"]

    made = {spirit.act(f"reply {topic} carol Reply {n}"): f"Reply {n}" for n in range(1, 24)}
    texts, gone, cursor = drain(connector, cursor)
    assert texts == made
    assert gone == []
    assert drain(connector, cursor)[:2] == ({}, [])


def test_an_edit_and_a_deletion_are_seen_at_the_latest_a_day_after(
    spirit: ForumProcess, connector: Connector, clock: Clock
) -> None:
    topic = spirit.act("topic dan Graffiti on the bridge")
    made = [spirit.act(f"reply {topic} erin Word {n}") for n in range(1, 25)]
    page = connector.poll(None)
    ids = {mention.native_id: mention.id for mention in page.mentions}
    while page.more:
        page = connector.poll(page.cursor)
        ids |= {mention.native_id: mention.id for mention in page.mentions}
    assert set(made) <= set(ids)

    spirit.act(f"edit {made[2]} Word 3 put differently")
    spirit.act(f"remove {made[22]}")
    spirit.act(f"remove {made[4]}")  # what follows it on the next page moves up
    clock.now += timedelta(hours=25)
    texts, gone, cursor = drain(connector, page.cursor)
    assert texts == {made[2]: "Word 3 put differently"}
    assert sorted(gone) == sorted([ids[made[22]], ids[made[4]]])

    spirit.act(f"remove-topic {topic}")
    texts, gone, cursor = drain(connector, cursor)
    assert (texts, gone) == ({}, [])  # a topic that is not there is looked for once more
    clock.now += timedelta(minutes=15)
    texts, gone, cursor = drain(connector, cursor)
    assert texts == {}
    assert set(gone) >= {ids[each] for each in made if each not in (made[22], made[4])}
    assert drain(connector, cursor)[:2] == ({}, [])


def test_authors_times_and_threads_are_read(spirit: ForumProcess, connector: Connector) -> None:
    page = connector.poll(None)
    mentions = {mention.native_id: mention for mention in page.mentions}
    while page.more:
        page = connector.poll(page.cursor)
        mentions |= {mention.native_id: mention for mention in page.mentions}
    first = mentions["1"]
    assert first.author_key == "<forum:127.0.0.1/alice>"
    assert first.title == "Sirens on Larkfield Road"
    assert first.thread == "127.0.0.1/1"
    assert abs(first.published_at - utc_now()) < timedelta(minutes=10)
    assert urlsplit(first.link).path.startswith("/topic/1/")
