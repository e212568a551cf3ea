"""What the x connector makes of what X does: pages, edits, deletions, old cursors, and what reading costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from listener.connector import Backfills, Locator, OwnPosts, Page, Rechecks, Threads
from listener.connectors import build_connector
from listener.connectors.x import XConnector
from listener.x_bill import Bill
from mentions.failures import NeedsAttention, NotAsked, NotConfigured, RateLimited, UserError
from mentions.mention import Reach, Voice
from tests.faulty_server import NOON, Asked, Clock, FaultyServer, Reply, reach, source, tools

JSON = {"Content-Type": "application/json"}


def id_at(moment: datetime, number: int = 0) -> int:
    return (round(moment.timestamp() * 1000) - 1288834974657 << 22) + number


class StandIn(FaultyServer):
    """X in small: posts by id, pages of `size`, marks between pages, errors as it words them."""

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size
        self.posts: dict[int, dict[str, Any]] = {}
        self.vanished: dict[int, str] = {}
        self.queries: list[dict[str, str]] = []
        self.oldest: int = 0
        self.spent_marks = False
        self.counts = Reply(status=404)

    def post(self, text: str, at: datetime = NOON, **more: Any) -> int:
        post_id = id_at(at, len(self.posts) + 1)
        given = {"id": str(post_id), "text": text, "author_id": "7", "conversation_id": str(post_id)}
        self.posts[post_id] = {**given, "edit_history_tweet_ids": [str(post_id)], **more}
        return post_id

    def answer(self, asked: Asked) -> Reply:
        self.asked[asked.path].append(asked)
        parts = urlsplit(asked.path)
        if parts.path.endswith("/counts/recent"):
            return self.counts
        query = dict(parse_qsl(parts.query))
        self.queries.append(query)
        body = self._look_up(query) if parts.path == "/2/tweets" else self._page(query)
        return Reply(json.dumps(body).encode(), 400 if "title" in body else 200, JSON)

    def _look_up(self, query: dict[str, str]) -> dict[str, Any]:
        wanted = [int(each) for each in query["ids"].split(",")]
        kind = "https://api.twitter.com/2/problems/"
        errors = [
            {"resource_id": str(each), "value": str(each), "parameter": "ids", "type": kind + self.vanished[each]}
            for each in wanted
            if each in self.vanished
        ]
        data = [self.posts[each] for each in wanted if each in self.posts and each not in self.vanished]
        return {**({"data": data} if data else {}), **({"errors": errors} if errors else {})}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        since, token = int(query.get("since_id", 0)), int(query.get("next_token", query.get("pagination_token", 0)))
        if since and since < self.oldest:
            told = "'since_id' must be a tweet id created after a week ago"
            return {"title": "Invalid Request", "errors": [{"parameters": {"since_id": [str(since)]}, "message": told}]}
        if token and self.spent_marks:
            self.spent_marks = False
            return {"title": "Invalid Request", "errors": [{"parameters": {"next_token": ["x"]}, "message": "no"}]}
        start = query.get("start_time")
        after = max(since, id_at(datetime.fromisoformat(start)) if start else 0)
        before = token or int(query.get("until_id", 1 << 63))
        found = sorted((each for each in self.posts if after < each < before), reverse=True)
        page = found[: self.size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": str(page[0]), "oldest_id": str(page[-1])}
        if len(found) > len(page):
            meta["next_token"] = str(page[-1])
        return {**({"data": [self.posts[each] for each in page]} if page else {}), "meta": meta}


@dataclass
class Purse:
    """A budget of so much money."""

    left: float
    taken: list[float] = field(default_factory=list)
    for_rechecks: list[bool] = field(default_factory=list)

    def take(self, calls: int = 1, cost: float = 0.0, *, bucket: str = "", recheck: bool = False) -> None:
        if cost > self.left + 1e-9:
            raise RateLimited("the budget of today is spent", NOON + timedelta(hours=12))
        self.left -= cost
        self.taken.append(cost)
        self.for_rechecks.append(recheck)

    def give_back(self, cost: float, when: datetime) -> None:
        self.left += cost


@contextmanager
def reading(server: FaultyServer, clock: Clock | None = None, **options: Any) -> Iterator[XConnector]:
    clock = clock or Clock()
    given = {"api_root": server.url, **({} if "read" in options else {"query": "larkfield"}), **options}
    with server, closing(reach(server, clock=clock)) as fetch:
        connector = build_connector("x", source(), given, tools(fetch, clock, {"EARSHOT_X_BEARER_TOKEN": "t0ken"}))
        assert isinstance(connector, XConnector)
        with closing(connector):
            yield connector


def drain(connector: XConnector, cursor: str | None) -> tuple[list[str], str | None, list[Page]]:
    pages: list[Page] = []
    for _ in range(50):
        pages.append(connector.poll(cursor))
        cursor = pages[-1].cursor
        if not pages[-1].more:
            return [mention.text for page in pages for mention in page.mentions], cursor, pages
    raise AssertionError("never came to an end")


# -- pages ------------------------------------------------------------------------------------------------------------


def test_a_first_look_reads_so_many_pages_and_later_ones_all_that_is_new() -> None:
    server = StandIn()
    for number in range(6):
        server.post(f"Old {number}", NOON - timedelta(hours=1))
    with reading(server, pages=2) as connector:
        texts, cursor, _ = drain(connector, None)
        assert texts == ["Old 5", "Old 4", "Old 3", "Old 2"]
        for number in range(7):
            server.post(f"New {number}")
        texts, cursor, _ = drain(connector, cursor)
        assert texts == [f"New {number}" for number in range(6, -1, -1)]
        assert drain(connector, cursor)[0] == []


def test_a_page_mark_that_is_spent_loses_no_post() -> None:
    server = StandIn()
    server.post("Old", NOON - timedelta(hours=1))
    with reading(server) as connector:
        _, cursor, _ = drain(connector, None)
        for number in range(5):
            server.post(f"New {number}")
        page = connector.poll(cursor)
        server.spent_marks = True
        rest, cursor, _ = drain(connector, page.cursor)
        assert [mention.text for mention in page.mentions] + rest == [f"New {number}" for number in range(4, -1, -1)]


def test_after_more_than_a_week_without_a_look_it_reads_a_week_and_says_what_is_missing() -> None:
    server, clock = StandIn(9), Clock()
    server.post("Old")
    with reading(server, clock) as connector:
        _, cursor, _ = drain(connector, None)
        server.post("Missed", NOON + timedelta(days=1))
        clock.now += timedelta(days=9)
        server.oldest = id_at(clock.now - timedelta(days=7))
        server.post("New", clock.now - timedelta(days=6))
        texts, cursor, pages = drain(connector, cursor)
        assert texts == ["New"]
        assert "7 days" in pages[0].gap
        assert "since_id" not in server.queries[-1]
        assert server.queries[-1]["start_time"].startswith("2026-06-11T12:01")
        texts, cursor, pages = drain(connector, cursor)
        assert (texts, pages[0].gap) == ([], "")


def test_a_quiet_search_misses_nothing_and_says_so() -> None:
    server, clock = StandIn(9), Clock()
    server.post("Old")
    with reading(server, clock) as connector:
        _, cursor, _ = drain(connector, None)
        for _ in range(10):
            clock.now += timedelta(days=1)
            server.oldest = id_at(clock.now - timedelta(days=7))
            texts, cursor, pages = drain(connector, cursor)
            assert (texts, [page.gap for page in pages]) == ([], [""])


def test_where_x_itself_calls_the_cursor_too_old_it_asks_by_time() -> None:
    server, clock = StandIn(9), Clock()
    server.post("Old")
    with reading(server, clock, read="mentions", user_id="7") as connector:
        _, cursor, _ = drain(connector, None)
        clock.now += timedelta(days=9)
        server.oldest = id_at(clock.now - timedelta(days=7))
        server.post("New", clock.now - timedelta(hours=1))
        texts, _, pages = drain(connector, cursor)
        assert texts == ["New"]
        assert "7 days" in pages[0].gap


def test_a_look_that_lay_broken_off_for_more_than_a_week_goes_on_by_time() -> None:
    server, clock = StandIn(), Clock()
    server.post("Old", NOON - timedelta(hours=1))
    with reading(server, clock) as connector:
        _, cursor, _ = drain(connector, None)
        for number in range(4):
            server.post(f"Post {number}")
        page = connector.poll(cursor)
        clock.now += timedelta(days=9)
        server.oldest = id_at(clock.now - timedelta(days=7))
        server.post("New", clock.now - timedelta(days=1))
        texts, cursor, pages = drain(connector, page.cursor)
        assert texts == ["New"]
        assert "7 days" in pages[0].gap
        assert drain(connector, cursor)[0] == []


# -- what a post is ---------------------------------------------------------------------------------------------------


def test_an_edit_comes_back_under_the_id_of_the_first_version() -> None:
    server = StandIn(9)
    first = server.post("Sirens")
    with reading(server) as connector:
        (before,) = (page := connector.poll(None)).mentions
        del server.posts[first]
        second = server.post("Sirens, again", NOON + timedelta(minutes=5))
        server.posts[second]["edit_history_tweet_ids"] = [str(first), str(second)]
        (after,) = (page := connector.poll(page.cursor)).mentions
        assert (after.id, after.text, after.native_id) == (before.id, "Sirens, again", str(second))
        assert connector.poll(page.cursor).mentions == ()
        server.post("Sirens", NOON + timedelta(minutes=6))  # the old version turns up late
        old = server.posts.popitem()[1]
        server.posts[second + 1] = {**old, "id": str(first), "edit_history_tweet_ids": [str(first)]}
        assert connector.poll(page.cursor).mentions == ()


def test_long_posts_and_reposts_come_with_all_their_words() -> None:
    long = "Sirens all night in Larkfield. " * 12
    server = StandIn()
    body = {
        "data": [
            {"id": "300", "text": "RT @lou: Sirens all night in Larkfield. Sirens…", "author_id": "8",
             "referenced_tweets": [{"type": "retweeted", "id": "200"}]},
            {"id": "200", "text": "Sirens all night…", "note_tweet": {"text": long}, "author_id": "7"},
            {"id": "100", "text": "RT @lou: of another…", "author_id": "8",
             "referenced_tweets": [{"type": "retweeted", "id": "99"}]},
        ],
        "includes": {
            "tweets": [{"id": "200", "text": "Sirens all night…", "note_tweet": {"text": long}}],
            "users": [
                {"id": "7", "username": "lou", "public_metrics": {"followers_count": 250_000}},
                {"id": "8", "username": "ExampleForce", "public_metrics": {"followers_count": 10}},
            ],
        },
        "meta": {"result_count": 3},
    }  # fmt: skip
    with reading(server) as connector:
        page = page_of(connector, server, body)
    texts = {mention.native_id: mention for mention in page.mentions}
    assert texts["200"].text == long.strip()
    assert texts["300"].text == f"RT @lou: {long.strip()}"
    assert texts["100"].text == "RT @lou: of another…"
    assert (texts["200"].reach, texts["200"].voice) == (Reach.WIDE, Voice.PUBLIC)
    assert texts["300"].voice is Voice.OWN
    assert "250000" not in repr(page)
    assert "lou" not in texts["200"].link


def page_of(connector: XConnector, server: StandIn, body: dict[str, Any], status: int = 200) -> Page:
    """Poll after making the server give this to whatever is asked."""
    reply = Reply(json.dumps(body).encode(), status, JSON)
    server.answer = lambda asked: reply  # type: ignore[method-assign]
    return connector.poll(None)


def test_posts_of_protected_accounts_are_left_out_once() -> None:
    body = {
        "data": [{"id": "2", "text": "Hush", "author_id": "7"}, {"id": "1", "text": "Hello", "author_id": "8"}],
        "includes": {"users": [{"id": "7", "username": "lou", "protected": True}]},
        "meta": {"result_count": 2},
    }
    with reading(server := StandIn()) as connector:
        page = page_of(connector, server, body)
        assert [mention.text for mention in page.mentions] == ["Hello"]
        assert (page.left_out, page.sample) == (1, "a post of a protected account")
        assert "Hush" not in (page.cursor or "")
        assert connector.poll(page.cursor).left_out == 0


@pytest.mark.parametrize(
    ("status", "body", "failure", "words"),
    [
        (402, {"title": "CreditsDepleted"}, NeedsAttention, "credits"),
        (429, {"title": "UsageCapExceeded", "period": "Monthly"}, RateLimited, "used up"),
        (400, {"errors": [{"parameters": {"query": ["("]}, "message": "There were errors"}]}, NeedsAttention, "errors"),
        (
            200,
            {"errors": [{"value": "7", "type": "https://api.twitter.com/2/problems/resource-not-found"}]},
            NeedsAttention,
            "user_id",
        ),
    ],
)
def test_what_x_says_no_with_is_told_in_plain_words(
    status: int, body: dict[str, Any], failure: type[Exception], words: str
) -> None:
    with reading(server := StandIn(), read="mentions", user_id="7") as connector:
        with pytest.raises(failure, match=words) as caught:
            page_of(connector, server, body, status)
        if isinstance(caught.value, RateLimited):
            assert caught.value.until.isoformat() == "2026-07-01T00:00:00+00:00"


# -- beside polling ---------------------------------------------------------------------------------------------------


def test_a_recheck_tells_deleted_protected_and_edited_from_what_stands() -> None:
    server = StandIn()
    stands, edited, deleted, protected, unknown = (server.post(f"Post {each}") for each in range(5))
    newer = server.post("Post 1, better")
    history = [str(edited), str(newer)]
    for each in (edited, newer):
        server.posts[each]["edit_history_tweet_ids"] = history
    server.vanished = {deleted: "resource-not-found", protected: "not-authorized-for-resource"}
    server.posts[stands]["public_metrics"] = {
        "like_count": 5, "retweet_count": 2, "quote_count": 1, "reply_count": 0,
    }  # fmt: skip
    del server.posts[unknown]
    with reading(server) as connector:
        assert isinstance(connector, Rechecks)
        ids = (stands, edited, deleted, protected, unknown)
        looked = connector.recheck([Locator(f"x:{each}", str(each)) for each in ids])
    found = {mention.id: mention for mention in looked.found}
    assert {key: mention.text for key, mention in found.items()} == {
        f"x:{stands}": "Post 0", f"x:{edited}": "Post 1, better",
    }  # fmt: skip
    assert found[f"x:{edited}"].native_id == str(newer)
    assert (found[f"x:{stands}"].likes, found[f"x:{stands}"].shares, found[f"x:{stands}"].replies) == (5, 3, 0)
    assert set(looked.gone) == {f"x:{deleted}", f"x:{protected}"}


def test_all_posts_of_a_recheck_may_be_gone() -> None:
    server = StandIn()
    server.vanished = {11: "resource-not-found"}
    with reading(server) as connector:
        assert connector.recheck([Locator("x:11", "11")]).gone == ("x:11",)


def test_a_conversation_comes_oldest_first_with_the_post_that_began_it() -> None:
    server = StandIn(9)
    root = server.post("Sirens?", NOON - timedelta(hours=2))
    reply = server.post("All night", NOON - timedelta(hours=1), conversation_id=str(root))
    with reading(server) as connector:
        assert isinstance(connector, Threads)
        page = connector.thread(Locator(f"x:{reply}", str(reply)))
    assert [mention.text for mention in page.mentions] == ["Sirens?", "All night"]
    assert {mention.thread for mention in page.mentions} == {f"x:{root}"}
    assert server.queries[-1]["query"] == f"conversation_id:{root}"


def test_own_posts_need_to_be_told_whose_account_it_is() -> None:
    server = StandIn()
    server.post("Road closed")
    with reading(server, read="mentions", user_id="7") as connector:
        assert isinstance(connector, OwnPosts)
        (mention,) = connector.own_posts().mentions
        assert mention.voice is Voice.OWN
        assert any(path.startswith("/2/users/7/tweets") for path in server.asked)
    with reading(StandIn()) as connector, pytest.raises(NotConfigured, match="user_id"):
        connector.own_posts()


def test_a_backfill_reads_the_span_page_by_page_and_says_where_x_ends() -> None:
    server = StandIn()
    for number in range(5):
        server.post(f"Post {number}", NOON - timedelta(days=5 - number))
    with reading(server) as connector:
        assert isinstance(connector, Backfills)
        since, until = NOON - timedelta(days=30), NOON - timedelta(days=1, hours=12)
        texts, cursor, gaps = [], None, set()
        for _ in range(9):
            page = connector.backfill(since, until, cursor)
            texts += [mention.text for mention in page.mentions]
            gaps.add(page.gap)
            cursor = page.cursor
            if not page.more:
                break
    assert texts == ["Post 3", "Post 2", "Post 1", "Post 0"]
    assert all("seven days" in gap for gap in gaps)


# -- money ------------------------------------------------------------------------------------------------------------


def test_only_what_was_read_is_paid_and_an_author_once_a_day() -> None:
    server, clock = StandIn(9), Clock()
    server.post("One")
    server.post("Two")
    with reading(server, clock) as connector:
        purse = Purse(5.0)
        connector._bill = Bill(purse, clock)
        for post in server.posts.values():
            post["author_id"] = "7"
        cursor = connector.poll(None).cursor
        assert purse.taken == [pytest.approx(1.5)]
        assert purse.left == pytest.approx(5.0 - 2 * 0.005)  # no user came along
        server.vanished = {9: "resource-not-found"}
        connector.recheck([Locator("x:9", "9")])
        assert purse.for_rechecks == [False, True]
        assert connector.poll(cursor).mentions == ()
        assert purse.left == pytest.approx(5.0 - 2 * 0.005)


def test_a_refused_request_costs_nothing_and_a_broken_one_may_have() -> None:
    for reply, cost in ((Reply(b"{}", 500), 0.0), (Reply(b'{"data', fault="cut"), 1.5)):
        server, clock = StandIn(), Clock()
        with reading(server, clock) as connector:
            purse = Purse(5.0)
            connector._bill = Bill(purse, clock)
            server.answer = lambda asked, given=reply: given  # type: ignore[misc]
            with pytest.raises(Exception, match="tried again"):
                connector.poll(None)
            assert purse.left == pytest.approx(5.0 - cost)


def test_with_little_money_left_it_reads_small_pages_then_counts_then_waits() -> None:
    server, clock = StandIn(9), Clock()
    hours = [
        {
            "start": f"2026-06-09T{hour:02}:00:00.000Z",
            "end": f"2026-06-09T{hour + 1:02}:00:00.000Z",
            "tweet_count": hour,
        }
        for hour in (9, 10, 11)
    ]
    counts = Reply(json.dumps({"data": hours, "meta": {"total_tweet_count": 30}}).encode(), headers=JSON)
    server.counts = counts
    server.post("One")
    with reading(server, clock) as connector:
        purse = Purse(0.16)
        connector._bill = Bill(purse, clock)
        page = connector.poll(None)
        assert [mention.text for mention in page.mentions] == ["One"]
        assert server.queries[-1]["max_results"] == "10"
        purse.left = 0.008
        server.post("Two")
        counted = connector.poll(page.cursor)
        assert counted.mentions == ()
        assert [each.posts for each in counted.volume] == [9, 10, 11]
        assert counted.gap == "the budget is spent: 30 posts were counted, not read"
        assert counted.not_before == NOON + timedelta(hours=1)
        with pytest.raises(RateLimited) as caught:
            connector.poll(counted.cursor)
        assert caught.value.until == NOON + timedelta(hours=12)
        purse.left = 5.0
        assert [mention.text for mention in connector.poll(counted.cursor).mentions] == ["Two"]


def test_counts_are_told_once_for_each_whole_hour() -> None:
    hours = [
        {"start": "2026-06-09T10:00:00.000Z", "end": "2026-06-09T11:00:00.000Z", "tweet_count": 4},
        {"start": "2026-06-09T11:00:00.000Z", "end": "2026-06-09T11:20:00.000Z", "tweet_count": 1},
    ]
    reply = Reply(json.dumps({"data": hours, "meta": {"total_tweet_count": 5}}).encode(), headers=JSON)
    with reading(server := StandIn(), read="counts", query="larkfield") as connector:
        server.answer = lambda asked: reply  # type: ignore[method-assign]
        page = connector.poll(None)
        assert [(each.begin.hour, each.posts) for each in page.volume] == [(10, 4), (11, 1)]
        again = connector.poll(page.cursor)
        assert [(each.begin.hour, each.posts) for each in again.volume] == [(11, 1)]


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "query"),
        ({"read": "counts"}, "query"),
        ({"read": "mentions"}, "user_id"),
        ({"read": "own", "user_id": "@lou"}, "user_id"),
        ({"read": "replies", "conversation_id": "x"}, "conversation_id"),
        ({"read": "likes", "query": "x"}, "read"),
        ({"query": "x", "api_root": "https://a.example/path"}, "api_root"),
    ],
)
def test_each_read_names_what_it_needs(options: dict[str, str], words: str) -> None:
    with closing(reach()) as fetch, pytest.raises(UserError, match=words):
        build_connector("x", source(), options, tools(fetch, Clock()))


def test_a_number_may_be_given_as_one_and_the_token_by_another_name() -> None:
    server = StandIn()
    with server, closing(reach(server)) as fetch:
        options = {"read": "mentions", "user_id": 7, "api_root": server.url, "token_env": "OTHER"}
        given = tools(fetch, Clock(), {"OTHER": "t0ken"})
        with closing(build_connector("x", source(), options, given)) as connector:
            connector.poll(None)
    (asked,) = next(iter(server.asked.values()))
    assert asked.headers["Authorization"] == "Bearer t0ken"
    assert asked.headers["User-Agent"] == "EarshotTest/1"


def test_a_request_that_never_went_out_costs_nothing() -> None:
    server, clock = StandIn(), Clock()
    with reading(server, clock) as connector:
        purse = Purse(5.0)
        connector._bill = Bill(purse, clock)
        server._server.shutdown()
        server._server.server_close()
        with pytest.raises(NotAsked, match="no connection"):
            connector.poll(None)
        assert (purse.taken, purse.left) == ([pytest.approx(1.5)], pytest.approx(5.0))
