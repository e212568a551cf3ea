"""A real forum, read live: every reply is seen although the forum's own dates say that nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

from listener.connector import Connector, Page
from listener.connectors import build_connector
from listener.fetch import Answer, Fetcher, FetchSettings
from mentions.clock import utc_now
from tests.faulty_server import source, tools
from tests.forum_process import ForumProcess

pytest.importorskip("machina", reason="no django-machina here")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForumProcess]:
    forum = ForumProcess("machina_site.py", tmp_path_factory.mktemp("machina"))
    yield forum
    forum.end()


@pytest.fixture
def connector(forum: ForumProcess) -> Iterator[Connector]:
    fetch = Fetcher(FetchSettings(allow=(urlsplit(forum.url).netloc,)), utc_now)
    yield build_connector("forum", source("Larkfield board"), {"url": forum.url}, tools(fetch, utc_now))  # type: ignore[arg-type]
    fetch.close()


def texts(page: Page) -> list[str]:
    return sorted(mention.text for mention in page.mentions)


def test_replies_edits_and_deletions_at_a_live_board_are_seen(forum: ForumProcess, connector: Connector) -> None:
    page = connector.poll(None)
    assert [text.startswith("First words about") for text in texts(page)] == [True] * 3
    assert connector.poll(page.cursor).mentions == ()

    said = set()
    for number, name in enumerate(("bob", "carol", "dan"), start=1):
        forum.act(f"reply 1 {name} Reply {number}: they were here too")
        page = connector.poll(page.cursor)
        (mention,) = page.mentions
        assert mention.text == f"Reply {number}: they were here too"
        assert mention.author_key == f"<forum:127.0.0.1/{name}>"
        assert abs(mention.published_at - datetime.now(UTC)) < timedelta(minutes=3)
        said.add((mention.id, mention.thread))
    assert len({post for post, _ in said}) == 3
    assert len({thread for _, thread in said}) == 1

    forum.act("edit 1 Reply 3: they were here three times")
    page = connector.poll(page.cursor)
    assert texts(page) == ["Reply 3: they were here three times"]
    assert (page.mentions[0].id, page.mentions[0].thread) in said
    edited = page.mentions[0].id

    forum.act("delete 1")
    page = connector.poll(page.cursor)
    assert (page.mentions, page.gone) == ((), (edited,))
    assert connector.poll(page.cursor).mentions == ()


def test_the_boards_dates_lie_which_is_why_its_tag_is_sent_alone(forum: ForumProcess) -> None:
    feed = forum.url + "feeds/topics/"
    with httpx.Client(trust_env=False) as client:
        before = client.get(feed)
        forum.act("reply 2 erin A reply that the date does not show")
        by_date = client.get(feed, headers={"If-Modified-Since": before.headers["last-modified"]})
        by_tag = client.get(feed, headers={"If-None-Match": before.headers["etag"]})
    assert (by_date.status_code, by_tag.status_code) == (304, 200)


def test_a_quiet_board_is_mostly_answered_unchanged(forum: ForumProcess, connector: Connector) -> None:
    cursor = connector.poll(None).cursor
    pages = []
    for _ in range(10):
        pages.append(connector.poll(cursor))
        cursor = pages[-1].cursor
    assert all(page.mentions == () for page in pages)
    assert '"quiet":10' in (cursor or "")


def test_on_quiet_polls_four_answers_in_five_are_unchanged(
    forum: ForumProcess, connector: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses: list[int] = []
    ask = Fetcher.exchange

    def counting(self: Fetcher, url: str, *args: object, **settings: object) -> Answer:
        answer = ask(self, url, *args, **settings)  # type: ignore[arg-type]
        statuses.append(answer.status)
        return answer

    page = connector.poll(None)
    while page.more:
        page = connector.poll(page.cursor)
    monkeypatch.setattr(Fetcher, "exchange", counting)
    for _ in range(20):
        page = connector.poll(page.cursor)
        assert (page.mentions, page.gone) == ((), ())
    assert statuses.count(304) >= 0.8 * len(statuses)


def test_an_edit_of_an_earlier_post_that_the_feed_does_not_show_is_seen(
    forum: ForumProcess, connector: Connector
) -> None:
    page = connector.poll(None)
    while page.more:
        page = connector.poll(page.cursor)
    forum.act("reply 3 gina The crossing works again")
    page = connector.poll(page.cursor)
    assert texts(page) == ["The crossing works again"]
    forum.act("edit-first 3 Who broke the crossing?")
    found = []
    for _ in range(4):
        page = connector.poll(page.cursor)
        found += texts(page)
    assert found == ["Who broke the crossing?"]


def test_a_topic_that_is_deleted_takes_its_posts_with_it(forum: ForumProcess, connector: Connector) -> None:
    page = connector.poll(None)
    ids = {mention.id for mention in page.mentions if mention.title.startswith("Lost cat")}
    while page.more:
        page = connector.poll(page.cursor)
        ids |= {mention.id for mention in page.mentions if mention.title.startswith("Lost cat")}
    forum.act("delete-topic 2")
    gone: set[str] = set()
    for _ in range(4):
        page = connector.poll(page.cursor)
        gone |= set(page.gone)
    assert ids
    assert gone == ids
