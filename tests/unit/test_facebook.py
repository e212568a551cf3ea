"""Facebook's Graph interface: what is a post and what is not, allowances, errors, deletions, looking again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from listener.connector import Backfills, Locator, OwnPosts, Rechecks, Threads
from listener.connectors import build_connector
from mentions.failures import NeedsAttention, NotConfigured, RateLimited, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import Asked, Clock, FaultyServer, Reply, reach, source, tools
from tests.platform_cases import AUTUMN, CREDENTIALS, FAULTS, found, nothing_new, polled, reading
from tests.recorded_traffic import Exchange, RecordedServer

PAGE, POST = "100200300", "100200300_1"
AT = "2026-10-30T10:00:00+0000"


def api(path: str, *rows: Any, after: str = "", headers: dict[str, str] | None = None, **query: str) -> Exchange:
    """An answer; `next` in it leads nowhere, since pages are found by their mark."""
    paging = {"cursors": {"before": "b", "after": after}, "next": "http://10.0.0.1/elsewhere"} if after else {}
    body = {"data": list(rows), "paging": paging}
    uri = f"/v25.0/{path}?{urlencode(query)}"
    return Exchange("GET", uri, 200, json.dumps(body).encode(), headers or {})


def error(path: str, code: int, subcode: int = 0, message: str = "m", status: int = 400, **query: str) -> Exchange:
    told = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode}
    return Exchange("GET", f"/v25.0/{path}?{urlencode(query)}", status, json.dumps({"error": told}).encode())


def post(number: int, message: str = "", **more: Any) -> dict[str, Any]:
    return {"id": f"{PAGE}_{number}", "message": message or f"Post {number}", "created_time": AT, **more}


def comment(number: int, **more: Any) -> dict[str, Any]:
    told = {"message": f"Comment {number}", "created_time": AT, "like_count": 1, "comment_count": 0}
    return {"id": f"1_{number}", **told, **more}


def comments_of(server: FaultyServer, **options: Any) -> Any:
    return reading("facebook", server, page_id=PAGE, read="comments", post_id=POST, **options)


# -- what is a post ---------------------------------------------------------------------------------------------------


def test_a_post_tells_what_it_says_who_speaks_and_what_became_of_it() -> None:
    rows = [
        post(1, "Nobody came &amp; nobody called", **{"from": {"id": "700", "name": "Lou"}}),
        post(2, **{"from": {"id": PAGE, "name": "Us"}}, shares={"count": 3}, reactions={"summary": {"total_count": 9}}),
        {"id": f"{PAGE}_3", "created_time": AT, "story": "Us updated their cover photo."},
        {"id": f"{PAGE}_4", "created_time": AT, "attachments": {"data": [{"title": "Fair", "description": "Today"}]}},
        {"id": f"{PAGE}_5", "created_time": AT},
    ]
    with RecordedServer([api(f"{PAGE}/feed", *rows)]) as server, reading("facebook", server, page_id=PAGE) as connector:
        mentions = connector.poll(None).mentions
        (asked,) = server.asked.values()
    assert [each.text for each in mentions] == [
        "Nobody came & nobody called", "Post 2", "Us updated their cover photo.", "Fair\nToday", "",
    ]  # fmt: skip
    assert [each.voice for each in mentions[:2]] == [Voice.PUBLIC, Voice.OWN]
    assert mentions[0].author_key == "<facebook:700>"
    assert mentions[0].link == f"https://www.facebook.com/{PAGE}_1"
    assert (mentions[1].shares, mentions[1].likes, mentions[1].replies) == (3, 9, None)
    assert mentions[0].thread == f"facebook:{PAGE}_1"
    assert "Lou" not in repr(mentions)
    assert asked[0].headers["Authorization"] == "Bearer not-a-real-token"
    assert "not-a-real-token" not in asked[0].path


@pytest.mark.parametrize(
    "closed", [{"privacy": {"value": "ALL_FRIENDS"}}, {"is_hidden": True}, {"is_published": False}], ids=str
)
def test_a_post_that_is_not_for_everybody_is_left_out_and_gone_where_we_had_it(closed: dict[str, Any]) -> None:
    open_to_all = post(1, privacy={"value": "EVERYONE"})
    recorded = [api(f"{PAGE}/feed", open_to_all, post(2)), api(f"{PAGE}/feed", post(1, **closed), post(2))]
    with RecordedServer(recorded) as server, reading("facebook", server, page_id=PAGE) as connector:
        tried = polled(connector, 3)
    assert [each["gone"] for each in tried.polls] == [0, 1, 0]
    assert ([each.text for each in found(tried)], tried.left_out) == (["Post 2"], 1)


@pytest.mark.parametrize("closed", ["is_private", "is_hidden"])
def test_a_hidden_comment_is_left_out(closed: str) -> None:
    recorded = [api(f"{POST}/comments", comment(1, **{closed: True}), comment(2))]
    with RecordedServer(recorded) as server, comments_of(server) as connector:
        page = connector.poll(None)
    assert ([each.text for each in page.mentions], page.left_out) == (["Comment 2"], 1)


def test_a_comment_goes_by_its_id_else_by_the_one_in_its_link() -> None:
    link = "https://www.facebook.com/x/posts/1/?comment_id=22"
    reply = comment(3, id=None, permalink_url=f"{link}&reply_comment_id=33")
    rows = [comment(1), comment(2, id="", permalink_url=link), reply, comment(4, id="", permalink_url="")]
    with RecordedServer([api(f"{POST}/comments", *rows)]) as server, comments_of(server) as connector:
        page = connector.poll(None)
    assert ([each.native_id for each in page.mentions], page.left_out) == (["1_1", "22", "33"], 1)
    assert {each.thread for each in page.mentions} == {f"facebook:{POST}"}
    assert page.mentions[0].link == f"https://www.facebook.com/{POST}?comment_id=1_1"


def test_posts_that_tag_the_page_are_read_too() -> None:
    recorded = [api(f"{PAGE}/tagged", {"id": "55_66", "message": "Hello you", "created_time": AT})]
    with (
        RecordedServer(recorded) as server,
        reading("facebook", server, page_id=PAGE, read="tagged") as connector,
    ):
        (mention,) = found(polled(connector))
    assert (mention.native_id, mention.link) == ("55_66", "https://www.facebook.com/55_66")


def test_an_edit_comes_again_under_its_id() -> None:
    recorded = [api(f"{PAGE}/feed", post(1)), api(f"{PAGE}/feed", post(1, "Edited"))]
    with RecordedServer(recorded) as server, reading("facebook", server, page_id=PAGE) as connector:
        assert polled(connector).polls[1] == {"new": 0, "edited": 1, "gone": 0}


# -- pages and allowances ---------------------------------------------------------------------------------------------


def pages() -> list[Exchange]:
    first = api(f"{PAGE}/feed", post(3), post(2), after="two")
    second = api(f"{PAGE}/feed", post(1))
    return [first, Exchange("GET", f"{second.uri}after=two", 200, second.body)]


def test_pages_are_found_by_their_mark_never_by_a_link() -> None:
    with RecordedServer(pages()) as server, reading("facebook", server, page_id=PAGE, pages=5) as connector:
        tried = polled(connector)
    assert [each.text for each in found(tried)] == ["Post 3", "Post 2", "Post 1"]
    assert (nothing_new(tried), len(server.calls)) == (True, 3)


@pytest.mark.parametrize(
    ("header", "usage", "rest"),
    [
        ("X-App-Usage", {"call_count": 74, "total_time": 10, "total_cputime": 3}, None),
        ("X-App-Usage", {"call_count": 20, "total_time": 75, "total_cputime": 3}, timedelta(minutes=15)),
        ("X-Page-Usage", {"call_count": 95, "total_time": 10, "total_cputime": 3}, timedelta(hours=1)),
        ("X-Business-Use-Case-Usage", {PAGE: [{"type": "pages", "call_count": 80}]}, timedelta(minutes=15)),
        ("X-Business-Use-Case-Usage",
         {PAGE: [{"call_count": 100, "estimated_time_to_regain_access": 130}]}, timedelta(minutes=130)),
        ("X-App-Usage", ["odd"], None),
    ],
)  # fmt: skip
def test_an_allowance_that_runs_low_makes_the_rest_of_a_listing_wait(
    header: str, usage: Any, rest: timedelta | None
) -> None:
    first, second = pages()
    first = Exchange("GET", first.uri, 200, first.body, {header: json.dumps(usage)})
    with (
        RecordedServer([first, second]) as server,
        reading("facebook", server, page_id=PAGE, pages=2) as connector,
    ):
        page = connector.poll(None)
        assert page.not_before == (rest and AUTUMN + rest)
        assert page.more is (rest is None)
        assert [each.text for each in connector.poll(page.cursor).mentions] == ["Post 1"]


def test_nothing_is_looked_at_again_while_an_allowance_is_nearly_spent() -> None:
    spent = api(f"{PAGE}/feed", post(1), headers={"X-App-Usage": '{"call_count": 96}'})
    clock = Clock(AUTUMN)
    with RecordedServer([spent]) as server, reading("facebook", server, clock, page_id=PAGE) as connector:
        connector.poll(None)
        with pytest.raises(RateLimited) as caught:
            connector.recheck([Locator(f"facebook:{POST}", POST)])
        assert (caught.value.until, len(server.calls)) == (AUTUMN + timedelta(hours=1), 1)
        clock.now += timedelta(minutes=59)
        with pytest.raises(RateLimited):
            connector.recheck([Locator(f"facebook:{POST}", POST)])
        clock.now += timedelta(minutes=1)
        with pytest.raises(TemporaryFailure):  # there is no such answer here, but it was asked
            connector.recheck([Locator(f"facebook:{POST}", POST)])


def test_a_header_that_is_no_json_is_no_failure() -> None:
    first = api(f"{PAGE}/feed", post(1), headers={"X-App-Usage": "{oh"})
    with RecordedServer([first]) as server, reading("facebook", server, page_id=PAGE) as connector:
        assert connector.poll(None).not_before is None


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", range(2))
@pytest.mark.parametrize(("reply", "state"), FAULTS)
def test_a_fault_at_any_call_is_told_as_what_it_is_and_costs_nothing(call: int, reply: Reply, state: str) -> None:
    with RecordedServer(pages()) as server:
        server.spoil(call, reply)
        with reading("facebook", server, page_id=PAGE, pages=2) as connector:
            tried = polled(connector, 1)
            assert (tried.state, len(tried.mentions), len(server.calls)) == (state, 2 * call, call + 1)
            came, cursor = [], None
            for _ in range(2):
                page = connector.poll(cursor)
                came += [each.text for each in page.mentions]
                cursor = page.cursor
    assert came == ["Post 3", "Post 2", "Post 1"]


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize(
    ("code", "subcode", "failure"),
    [
        (4, 0, RateLimited), (17, 0, RateLimited), (32, 0, RateLimited), (613, 0, RateLimited), (80001, 0, RateLimited),
        (190, 463, NeedsAttention), (102, 0, NeedsAttention), (10, 0, NeedsAttention), (200, 0, NeedsAttention),
        (100, 33, NeedsAttention), (100, 0, NeedsAttention), (1, 0, TemporaryFailure), (2, 0, TemporaryFailure),
    ],
)  # fmt: skip
def test_graph_s_errors_mean_what_they_say_whatever_status_they_come_with(
    status: int, code: int, subcode: int, failure: type[Exception]
) -> None:
    with (
        RecordedServer([error(f"{PAGE}/feed", code, subcode, status=status)]) as server,
        reading("facebook", server, page_id=PAGE) as connector,
        pytest.raises(failure) as caught,
    ):
        connector.poll(None)
    if isinstance(caught.value, RateLimited):
        assert caught.value.until == AUTUMN + timedelta(minutes=15)


def test_comments_of_a_post_that_is_gone_are_gone_and_then_a_person_must_look() -> None:
    recorded = [api(f"{POST}/comments", comment(1), comment(2)), error(f"{POST}/comments", 100, 33)]
    with RecordedServer([*recorded, api(f"{PAGE}/feed", post(2))]) as server, comments_of(server) as connector:
        tried = polled(connector, 3)
    assert [each["gone"] for each in tried.polls] == [0, 2, 0]
    assert (tried.state, found(tried)) == ("needs_attention", [])


def test_comments_that_a_token_sees_no_more_than_their_page_stay() -> None:
    hidden = [error(f"{POST}/comments", 100, 33), error(f"{PAGE}/feed", 100, 33)]
    with RecordedServer([api(f"{POST}/comments", comment(1)), *hidden]) as server, comments_of(server) as connector:
        tried = polled(connector, 2)
    assert (tried.state, len(found(tried))) == ("needs_attention", 1)


def test_a_page_that_facebook_forgot_is_looked_for_again_from_the_top() -> None:
    first, second = pages()
    lost = error(f"{PAGE}/feed", 100, message="(#100) The cursor is no longer valid")
    with (
        RecordedServer([first, Exchange("GET", second.uri, 400, lost.body), second]) as server,
        reading("facebook", server, page_id=PAGE, pages=2) as connector,
    ):
        tried = polled(connector, 2)
    assert (tried.state, len(tried.mentions)) == ("ok", 3)


def test_without_a_token_it_is_not_configured_and_asks_nothing() -> None:
    clock = Clock(AUTUMN)
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        options = {"api_root": server.url, "page_id": PAGE, "token_env": "OTHER"}
        connector = build_connector("facebook", source(), options, tools(fetch, clock, CREDENTIALS))
        with pytest.raises(NotConfigured, match="OTHER"):
            connector.poll(None)
        assert not server.asked
        fetch.close()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "page_id"),
        ({"page_id": "a/b"}, "page_id"),
        ({"page_id": PAGE, "read": "comments"}, "post_id"),
        ({"page_id": PAGE, "read": "search"}, "read"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str], problem: str) -> None:
    fetch = reach()
    with pytest.raises(UserError, match=problem):
        build_connector("facebook", source(), options, tools(fetch, Clock()))
    fetch.close()


# -- beside polling ---------------------------------------------------------------------------------------------------


class Graph(FaultyServer):
    """Finds posts and comments by their ids, unless they end with 9: those are gone, and fail a whole request."""

    def answer(self, asked: Asked) -> Reply:
        super().answer(asked)
        parts = urlsplit(asked.path)
        ids = parse_qs(parts.query).get("ids", [parts.path.rpartition("/")[2]])[0].split(",")
        if any(each.endswith("9") for each in ids):
            return Reply(error("", 100, 33).body, 400)
        comments = "like_count" in parts.query
        rows = {each: self._row(each, comments) for each in ids}
        return Reply(json.dumps(rows if "ids=" in parts.query else rows[ids[0]]).encode())

    def _row(self, native: str, is_comment: bool) -> dict[str, Any]:
        told = {"id": native, "message": f"Now {native}", "created_time": AT}
        hidden = {"is_hidden": native.endswith("8")}
        return told | hidden | ({"like_count": 4, "comment_count": 1} if is_comment else {"shares": {"count": 5}})


def test_posts_and_comments_are_looked_at_again() -> None:
    ids = [f"{PAGE}_{n}" for n in (1, 2, 8, 9)] + [f"{PAGE}_1_{n}" for n in (3, 9)]
    with Graph() as server, reading("facebook", server, page_id=PAGE) as connector:
        assert isinstance(connector, Rechecks)
        again = connector.recheck([Locator(f"facebook:{each}", each) for each in ids])
    assert {each.native_id: (each.text, each.likes, each.shares) for each in again.found} == {
        f"{PAGE}_1": (f"Now {PAGE}_1", None, 5),
        f"{PAGE}_2": (f"Now {PAGE}_2", None, 5),
        f"{PAGE}_1_3": (f"Now {PAGE}_1_3", 4, None),
    }
    assert sorted(again.gone) == [f"facebook:{PAGE}_1_9", f"facebook:{PAGE}_8", f"facebook:{PAGE}_9"]
    assert {each.thread for each in again.found if each.native_id == f"{PAGE}_1_3"} == {f"facebook:{PAGE}_1"}


@pytest.mark.parametrize("read", ["feed", "comments"])
def test_whichever_source_looks_again_a_comment_s_link_tells_what_it_is_and_where_it_stands(read: str) -> None:
    under = [
        Locator("facebook:22", "22", f"https://www.facebook.com/{PAGE}/posts/7/?comment_id=22"),
        Locator("facebook:7_33", "7_33", f"https://www.facebook.com/{PAGE}_7?comment_id=7_33"),
        Locator("facebook:55_66", "55_66", "https://www.facebook.com/55/posts/66/"),
    ]
    with Graph() as server, reading("facebook", server, page_id=PAGE, read=read, post_id=POST) as connector:
        again = connector.recheck(under)
        fields = [parse_qs(urlsplit(path).query)["fields"][0] for path in server.asked]
    assert {each.native_id: each.thread for each in again.found} == {
        "22": f"facebook:{PAGE}_7", "7_33": f"facebook:{PAGE}_7", "55_66": "facebook:55_66",
    }  # fmt: skip
    assert [("like_count" in each, "reactions" in each) for each in fields] == [(False, False), (True, False)]


class Closed(FaultyServer):
    """Graph with a token that sees nothing at all; or only the page's listing, where it is `open`."""

    open = False

    def answer(self, asked: Asked) -> Reply:
        super().answer(asked)
        return Reply(b'{"data": []}') if self.open and "/feed" in asked.path else Reply(error("", 100, 33).body, 400)


@pytest.mark.parametrize("page_is_seen", [True, False])
def test_what_facebook_does_not_show_is_gone_only_where_its_page_is_seen(page_is_seen: bool) -> None:
    asked = [Locator(f"facebook:{each}", each) for each in (f"{PAGE}_1", "55_1")]
    with Closed() as server, reading("facebook", server, page_id=PAGE) as connector:
        server.open = page_is_seen
        again = connector.recheck(asked)
    assert again.gone == ((f"facebook:{PAGE}_1",) if page_is_seen else ())  # never what another page's token brought


def test_where_facebook_shows_none_of_many_nothing_is_believed() -> None:
    asked = [Locator(f"facebook:{PAGE}_{n}", f"{PAGE}_{n}") for n in range(5)]
    with Closed() as server, reading("facebook", server, page_id=PAGE) as connector:
        server.open = True
        with pytest.raises(TemporaryFailure, match="shows none"):
            connector.recheck(asked)


def test_a_post_that_cannot_be_read_when_it_is_looked_at_again_is_not_gone() -> None:
    row = json.dumps({POST: {"id": POST, "message": {"odd": 1}, "created_time": 5}}).encode()
    with (
        RecordedServer([Exchange("GET", "/v25.0/", 200, row)]) as server,
        reading("facebook", server, page_id=PAGE) as connector,
    ):
        again = connector.recheck([Locator(f"facebook:{POST}", POST)])
    assert (again.found, again.gone) == ((), ())


def test_an_error_while_looking_again_is_no_deletion() -> None:
    with (
        RecordedServer([error("", 190)]) as server,
        reading("facebook", server, page_id=PAGE) as connector,
        pytest.raises(NeedsAttention),
    ):
        connector.recheck([Locator(f"facebook:{POST}", POST)])


def test_own_posts_are_what_the_page_itself_posted() -> None:
    with (
        RecordedServer([api(f"{PAGE}/posts", post(1))]) as server,
        reading("facebook", server, page_id=PAGE) as connector,
    ):
        assert isinstance(connector, OwnPosts)
        (mention,) = connector.own_posts().mentions
    assert mention.voice is Voice.OWN


def test_a_thread_is_a_post_with_its_comments() -> None:
    row = Exchange("GET", f"/v25.0/{POST}", 200, json.dumps(post(1)).encode())
    later = comment(2, created_time="2026-10-31T10:00:00+0000")
    with (
        RecordedServer([row, api(f"{POST}/comments", later, comment(1))]) as server,
        reading("facebook", server, page_id=PAGE) as connector,
    ):
        assert isinstance(connector, Threads)
        page = connector.thread(Locator("facebook:x", f"{POST}_1"))
    assert [each.native_id for each in page.mentions] == [POST, "1_1", "1_2"]


def test_a_past_span_is_fetched_page_by_page() -> None:
    since, until = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
    with RecordedServer(pages()) as server, reading("facebook", server, page_id=PAGE) as connector:
        assert isinstance(connector, Backfills)
        page = connector.backfill(since, until, None)
        assert (len(page.mentions), page.more) == (2, True)
        page = connector.backfill(since, until, page.cursor)
        assert (len(page.mentions), page.more) == (1, False)
        assert all(f"since={int(since.timestamp())}&until={int(until.timestamp())}" in path for path in server.asked)
