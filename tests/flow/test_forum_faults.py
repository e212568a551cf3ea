"""What a board does wrong at any call, and what becomes of it: the right state, nothing lost, no hot loop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from listener.connector import Connector, Locator
from listener.connectors import build_connector
from listener.trying import Tried, try_source
from mentions.failures import TemporaryFailure
from tests.faulty_server import Clock, FaultyServer, Reply, conditional, item, reach, rss, source, tools

SIGN_IN = b"<html><title>Log in</title><form><input type='password'></form></html>"
FAULTS = [
    pytest.param(Reply(status=429, headers={"Retry-After": "60"}), "rate_limited", id="429"),
    pytest.param(Reply(status=429), "rate_limited", id="429 without a time"),
    pytest.param(Reply(status=401), "needs_attention", id="401"),
    pytest.param(Reply(status=403), "needs_attention", id="403"),
    pytest.param(Reply(status=410), "needs_attention", id="410"),
    pytest.param(Reply(SIGN_IN), "needs_attention", id="a sign-in page"),
    pytest.param(Reply(status=302, headers={"Location": "/login"}), "needs_attention", id="sent to sign in"),
    pytest.param(Reply(status=404), "temporary", id="404"),
    pytest.param(Reply(status=500), "temporary", id="500"),
    pytest.param(Reply(status=503), "temporary", id="503"),
    pytest.param(Reply(b"x" * 99, fault="cut"), "temporary", id="cut short"),
    pytest.param(Reply(fault="hang up"), "temporary", id="no answer"),
    pytest.param(Reply(b"<html><title>Down for repairs</title></html>"), "temporary", id="another page"),
]
ROWS = "".join(
    f'<li class="row bg1"><dl class="icon"><dt><a class="topictitle" href="/viewtopic.php?t={n}">Topic {n}</a></dt>'
    f'<dd class="posts">1</dd><dd class="lastpost"><span>by lou 08 Jun 2026, 21:{n}0</span></dd></dl></li>'
    for n in (1, 2)
)
LIST = f'<body id="phpbb"><ul class="topiclist topics">{ROWS}</ul></body>'.encode()


def topic(number: int, *posts: int, next_page: str = "") -> bytes:
    shown = "".join(
        f'<div id="p{n}" class="post"><p class="author"><strong>lou</strong> » 08 Jun 2026, 21:00</p>'
        f'<div class="content">Words {n}</div></div>'
        for n in posts
    )
    more = f'<div class="pagination"><li class="next"><a href="{next_page}">Next</a></li></div>' if next_page else ""
    return f'<body id="phpbb"><h2 class="topic-title">Topic {number}</h2>{shown}{more}</body>'.encode()


class Board:
    """A phpBB without feed, and its connector."""

    def __init__(self, server: FaultyServer) -> None:
        self.server, self.clock = server, Clock()
        self.fetch = reach(server, clock=self.clock, total=1.0)
        server.serve("/viewforum.php?f=3", Reply(LIST))
        server.serve("/viewtopic.php?t=1", Reply(topic(1, 11, 12)))
        server.serve("/viewtopic.php?t=2", Reply(topic(2, 21)))

    def source(self, path: str = "/viewforum.php?f=3", **options: Any) -> Connector:
        options = {"url": self.server.url + path, "software": "phpbb", **options}
        return build_connector("forum", source(), options, tools(self.fetch, self.clock))


@pytest.fixture
def board() -> Iterator[Board]:
    with FaultyServer() as server:
        board = Board(server)
        yield board
        board.fetch.close()


def posts(tried: Tried) -> list[str]:
    return sorted(mention.text for mention in tried.mentions.values())


def test_a_list_is_followed_into_its_topics(board: Board) -> None:
    tried = try_source(board.source(), 2)
    assert (tried.state, posts(tried)) == ("ok", ["Words 11", "Words 12", "Words 21"])
    assert tried.polls == [{"new": 3, "edited": 0, "gone": 0}, {"new": 0, "edited": 0, "gone": 0}]


@pytest.mark.parametrize(("reply", "state"), FAULTS)
@pytest.mark.parametrize("path", ["/viewforum.php?f=3", "/viewtopic.php?t=1"])
def test_a_fault_at_the_first_call_has_its_state(board: Board, path: str, reply: Reply, state: str) -> None:
    board.server.serve(path, reply)
    tried = try_source(board.source(path), 1)
    assert tried.state == state
    assert len(board.server.asked[path]) == 1


@pytest.mark.parametrize(("reply", "state"), FAULTS)
def test_a_fault_at_json_has_its_state(board: Board, reply: Reply, state: str) -> None:
    board.server.serve("/posts.json", reply)
    assert try_source(board.source("/", software="discourse"), 1).state == state
    board.server.serve("/t/9.json", reply)
    assert try_source(board.source("/t/some/9", software="discourse"), 1).state == state
    assert len(board.server.asked["/posts.json"]) == len(board.server.asked["/t/9.json"]) == 1


@pytest.mark.parametrize(("reply", "state"), [each for each in FAULTS if each.id not in ("404", "410", "another page")])
def test_a_fault_at_all_topics_keeps_what_was_reached_and_has_its_state(board: Board, reply: Reply, state: str) -> None:
    for number in (1, 2):
        board.server.serve(f"/viewtopic.php?t={number}", reply)
    tried = try_source(board.source(), 1)
    assert tried.state == state
    assert max(len(asked) for asked in board.server.asked.values()) <= 2  # the list: found, then read


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(fault="hang up"), Reply(status=429)])
def test_one_topic_that_fails_costs_no_other_and_is_read_once_it_can_be(board: Board, reply: Reply) -> None:
    board.server.serve("/viewtopic.php?t=1", reply)
    connector = board.source()
    page = connector.poll(None)
    found = [mention.text for mention in page.mentions]
    assert page.more
    with pytest.raises(Exception, match="viewtopic"):
        connector.poll(page.cursor)
    board.server.serve("/viewtopic.php?t=1", Reply(topic(1, 11, 12)))
    board.clock.now += timedelta(minutes=5)
    while page.more:
        page = connector.poll(page.cursor)
        found += [mention.text for mention in page.mentions]
    assert sorted(found) == ["Words 11", "Words 12", "Words 21"]


def test_a_topic_that_never_can_be_read_does_not_blind_the_board(board: Board) -> None:
    board.server.serve("/viewtopic.php?t=1", Reply(status=500))
    connector, cursor, found = board.source(), None, []
    for _ in range(5):
        tried = _tick(connector, cursor)
        cursor, state = tried[0], tried[2]
        found += tried[1]
        board.clock.now += timedelta(minutes=5)
    assert state == "ok"
    assert "Words 21" in found
    assert "Topic 1" in found  # what the list says of it


def _tick(connector: Connector, cursor: str | None) -> tuple[str | None, list[str], str]:
    """One tick of the daemon: until there is no more, or a failure."""
    found: list[str] = []
    for _ in range(20):
        try:
            page = connector.poll(cursor)
        except Exception:  # noqa: BLE001 - whatever the poll ends with
            return cursor, found, "failed"
        cursor = page.cursor
        found += [mention.words for mention in page.mentions]
        found += [mention.text for mention in page.mentions]
        if not page.more:
            return cursor, found, "ok"
    raise AssertionError("never came to an end")


@pytest.mark.parametrize("status", [404, 410])
def test_a_topic_that_is_gone_takes_its_posts_with_it_and_one_that_aged_out_does_not(board: Board, status: int) -> None:
    connector = board.source()
    tried = try_source(connector, 1)
    ids = {mention.text: mention.id for mention in tried.mentions.values()}
    page = connector.poll(None)
    while page.more:
        page = connector.poll(page.cursor)
    board.server.serve("/viewforum.php?f=3", Reply(LIST.replace(ROWS.partition("</li>")[0].encode() + b"</li>", b"")))
    gone = _gone(connector, page.cursor)
    assert gone == []  # it has left the list, but it is still there
    board.server.serve("/viewtopic.php?t=1", Reply(status=status))
    board.clock.now += timedelta(hours=25)
    looks = []
    for _ in range(3):
        page = connector.poll(page.cursor)
        looks.append(sorted(page.gone))
        board.clock.now += timedelta(minutes=15)
    both = sorted([ids["Words 11"], ids["Words 12"]])
    assert looks == ([both, [], []] if status == 410 else [[], both, []])


def test_a_topic_that_is_away_at_one_look_is_not_gone_from_a_list(board: Board) -> None:
    connector = board.source()
    page = connector.poll(None)
    for reply in (Reply(status=404), Reply(topic(1, 11, 12)), Reply(status=404), Reply(topic(1, 11, 12))):
        board.clock.now += timedelta(hours=25)
        board.server.serve("/viewtopic.php?t=1", reply)
        page = connector.poll(page.cursor)
        assert (page.mentions, page.gone, page.more) == ((), (), False)


@pytest.mark.parametrize("status", [404, 410])
def test_a_topic_that_is_a_source_of_its_own_is_gone_only_where_its_board_says_for_good(
    board: Board, status: int
) -> None:
    connector = board.source("/viewtopic.php?t=1")
    first = connector.poll(None)
    board.server.serve("/viewtopic.php?t=1", Reply(status=status))
    if status == 404:
        for _ in range(3):
            with pytest.raises(TemporaryFailure):
                connector.poll(first.cursor)
    else:
        assert len(connector.poll(first.cursor).gone) == 2
    board.server.serve("/viewtopic.php?t=1", Reply(topic(1, 11, 12)))
    again = connector.poll(first.cursor)
    assert (len(first.mentions), again.mentions, again.gone) == (2, (), ())


def _gone(connector: Connector, cursor: str | None) -> list[str]:
    gone: list[str] = []
    for _ in range(20):
        page = connector.poll(cursor)
        gone += page.gone
        cursor = page.cursor
        if not page.more:
            return gone
    raise AssertionError("never came to an end")


def test_a_post_that_moved_to_the_page_before_is_not_gone(board: Board) -> None:
    def pages(first: tuple[int, ...], second: tuple[int, ...]) -> None:
        after = "/viewtopic.php?t=1&start=3"
        back = b'<a rel="prev" href="/viewtopic.php?t=1">1</a>'
        board.server.serve("/viewtopic.php?t=1", Reply(topic(1, *first, next_page=after)))
        board.server.serve(after, Reply(topic(1, *second) + back))

    pages((11, 12, 13), (14, 15))
    connector = board.source()
    tried = try_source(connector, 1)
    ids = {mention.text: mention.id for mention in tried.mentions.values()}
    assert len(ids) == 6
    page = connector.poll(None)
    while page.more:
        page = connector.poll(page.cursor)
    pages((11, 13, 14), (15,))
    board.clock.now += timedelta(hours=25)
    assert _gone(connector, page.cursor) == [ids["Words 12"]]


def test_where_the_last_page_is_no_more_its_posts_may_stand_on_the_one_before(board: Board) -> None:
    first, second = "/viewtopic.php?t=1", "/viewtopic.php?t=1&start=2"
    back = f'<a rel="prev" href="{first}">1</a>'.encode()
    board.server.serve(first, Reply(topic(1, 11, 12, next_page=second)))
    board.server.serve(second, Reply(topic(1, 13) + back))
    connector = board.source()
    page = connector.poll(None)
    ids = {mention.text: mention.id for mention in page.mentions}
    while page.more:
        page = connector.poll(page.cursor)
        ids |= {mention.text: mention.id for mention in page.mentions}
    board.server.serve(first, Reply(topic(1, 11, 13)))
    board.server.serve(second, Reply(status=404))
    board.clock.now += timedelta(hours=25)
    assert _gone(connector, page.cursor) == [ids["Words 12"]]


def test_a_topic_that_is_not_public_is_told_by_its_list_alone(board: Board) -> None:
    board.server.serve("/viewtopic.php?t=2", Reply(status=403))
    tried = try_source(board.source(), 2)
    assert (tried.state, tried.left_out) == ("ok", 1)
    assert sorted(mention.words for mention in tried.mentions.values())[0].startswith("Topic 1")
    assert {mention.title for mention in tried.mentions.values()} == {"Topic 1", "Topic 2"}


def test_of_an_old_topic_that_comes_up_again_only_beginning_and_end_are_read(board: Board) -> None:
    connector = board.source()
    page = connector.poll(None)
    while page.more:
        page = connector.poll(page.cursor)
    row = ROWS.partition("</li>")[0].replace("t=1", "t=9").replace("</a>", "</a> by lou » 01 Jan 2020, 10:00") + "</li>"
    board.server.serve("/viewforum.php?f=3", Reply(LIST.replace(b'topics">', b'topics">' + row.encode())))
    paths = [f"/viewtopic.php?t=9{start}" for start in ("", "&start=1", "&start=2")]
    bar = "".join(f'<a href="{path}">{n}</a>' for n, path in enumerate(paths, start=1))
    for number, path in enumerate(paths):
        after = f'<li class="next"><a href="{paths[number + 1]}">Next</a></li>' if number < 2 else ""
        body = topic(9, 91 + number) + f'<div class="pagination">{bar}{after}</div>'.encode()
        board.server.serve(path, Reply(body))
    found = []
    for _ in range(5):
        page = connector.poll(page.cursor)
        found += [mention.text for mention in page.mentions]
    assert sorted(found) == ["Words 91", "Words 93"]


def test_a_feed_of_topics_is_followed_and_asked_only_whether_it_changed(board: Board) -> None:
    link = board.server.url + "/viewtopic.php?t=1"
    feed = rss(item("7", "Topic 1", "First words", link=link))
    board.server.serve("/feed/topics", conditional(feed))
    connector = board.source("/feed/topics")
    tried = try_source(connector, 3)
    assert posts(tried) == ["Words 11", "Words 12"]
    asked = ["If-None-Match" in each.headers for each in board.server.asked["/feed/topics"]]
    assert asked == [False, False, True, True]


def test_what_a_first_look_at_machinas_feed_shows_has_its_own_time_and_a_later_reply_is_from_now(board: Board) -> None:
    def feed(*last: str) -> Reply:
        links = [f"{board.server.url}/forum/sirens-1/topic/sirens-{n}/" for n in range(len(last))]
        return Reply(rss(*(item(link, "Sirens", words, link=link) for link, words in zip(links, last, strict=True))))

    board.server.serve("/feeds/topics/", feed("a", "b", "c", "d", "e", "f"))  # more than one poll asks for, all 404
    connector, cursor = board.source("/feeds/topics/", software="machina"), None
    times = {}
    for _ in range(4):
        page = connector.poll(cursor)
        cursor = page.cursor
        times |= {mention.text: mention.published_at for mention in page.mentions}
        if not page.more:
            break
    assert times == dict.fromkeys("abcdef", board.clock.now - timedelta(hours=1))
    board.clock.now += timedelta(minutes=15)
    board.server.serve("/feeds/topics/", feed("a", "b", "c", "d", "e", "reply"))
    (mention,) = connector.poll(page.cursor).mentions
    assert (mention.text, mention.published_at) == ("reply", board.clock.now)


def test_the_usual_feed_is_found_although_the_boards_own_page_is_missing(board: Board) -> None:
    board.server.serve("/board/app.php/feed", Reply(rss(item("7", "Sirens", "All night"))))
    tried = try_source(board.source("/board/"), 2)
    assert (tried.state, posts(tried)) == ("ok", ["All night"])


def test_posts_are_looked_at_again_where_they_stand(board: Board) -> None:
    connector: Any = board.source()
    tried = try_source(connector, 1)
    by_text = {mention.text: mention for mention in tried.mentions.values()}
    locators = [Locator(each.id, each.native_id, each.link) for each in by_text.values()]
    board.server.serve("/viewtopic.php?t=1", Reply(topic(1, 11).replace(b"Words 11", b"Other words")))
    board.server.serve("/viewtopic.php?t=2", Reply(status=404))
    result = connector.recheck(locators)
    assert [(each.id, each.text) for each in result.found] == [(by_text["Words 11"].id, "Other words")]
    assert sorted(result.gone) == sorted([by_text["Words 12"].id, by_text["Words 21"].id])


@pytest.mark.parametrize("status", [404, 403])
def test_where_a_board_has_none_of_its_pages_no_post_counts_as_gone(board: Board, status: int) -> None:
    connector: Any = board.source()
    mentions = try_source(connector, 1).mentions.values()
    locators = [Locator(each.id, each.native_id, each.link) for each in mentions]
    for path in ("/viewtopic.php?t=1", "/viewtopic.php?t=2"):
        board.server.serve(path, Reply(status=404))
    board.server.serve("/viewforum.php?f=3", Reply(status=status))
    with pytest.raises(TemporaryFailure):
        connector.recheck(locators)
    board.server.serve("/viewforum.php?f=3", Reply(LIST))
    assert len(connector.recheck(locators).gone) == 3


def test_a_conversation_is_read_whole_and_oldest_first(board: Board) -> None:
    after = "/viewtopic.php?t=1&start=2"
    board.server.serve("/viewtopic.php?t=1", Reply(topic(1, 11, 12, next_page=after)))
    board.server.serve(after, Reply(topic(1, 13) + b'<a rel="prev" href="/viewtopic.php?t=1">1</a>'))
    connector: Any = board.source()
    page = connector.thread(Locator("forum:x", "13", board.server.url + after + "#p13"))
    assert [mention.text for mention in page.mentions] == ["Words 11", "Words 12", "Words 13"]


def test_a_past_span_is_read_list_by_list_and_goes_on_where_it_broke_off(board: Board) -> None:
    connector: Any = board.source()
    since, until = board.clock.now - timedelta(days=2), board.clock.now
    found, cursor = [], None
    for _ in range(9):
        page = connector.backfill(since, until, cursor)
        found += [mention.text for mention in page.mentions]
        cursor = page.cursor
        if not page.more:
            break
    assert sorted(found) == ["Words 11", "Words 12", "Words 21"]
    assert connector.backfill(until, until + timedelta(days=1), None).mentions == ()
