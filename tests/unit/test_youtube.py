"""YouTube through google-api-python-client: what is a post and what is not, replies, errors, looking again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.connector import Locator
from listener.connectors import build_connector
from listener.trying import state_of
from listener.youtube import next_day
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import Clock, FaultyServer, Reply, reach, source, tools
from tests.platform_cases import AUTUMN, CREDENTIALS, FAULTS, found, nothing_new, polled, reading
from tests.recorded_traffic import Exchange, RecordedServer
from tests.youtube_answers import CHANNEL, VIDEO, api, comment, error, result, thread, upload


def names(tried: Any) -> list[str]:
    return [each.native_id for each in found(tried)]


# -- what is a post ---------------------------------------------------------------------------------------------------


def test_channels_and_playlists_among_results_are_left_out_and_counted_once() -> None:
    channel = {"id": {"kind": "youtube#channel", "channelId": CHANNEL}, "snippet": {"title": "t", "publishedAt": "x"}}
    playlist = {"id": {"kind": "youtube#playlist", "playlistId": "PL1"}, "snippet": {"title": "t"}}
    with (
        RecordedServer([api("search", channel, result(VIDEO), playlist)]) as server,
        reading("youtube", server, query="x") as connector,
    ):
        page = connector.poll(None)
        assert (len(page.mentions), page.left_out, page.sample) == (1, 2, "a playlist, which is no video")
        assert connector.poll(page.cursor).left_out == 0
        assert polled(connector, 3).left_out == 2


@pytest.mark.parametrize(
    "private",
    [
        {**upload("lark0000002", "Private video"), "snippet": {**upload("lark0000002", "Private video")["snippet"]}},
        upload("lark0000002", status={"privacyStatus": "unlisted"}),
    ],
    ids=["by its name", "by its status"],
)
def test_a_video_that_is_not_public_is_left_out_and_gone_where_we_had_it(private: dict[str, Any]) -> None:
    if "status" not in private:
        private["snippet"].pop("thumbnails")
    server = RecordedServer(
        [api("playlistItems", upload("lark0000002")), api("playlistItems", private, upload("lark0000003"))]
    )
    with server, reading("youtube", server, read="uploads", channel_id=CHANNEL) as connector:
        tried = polled(connector, 3)
    assert tried.polls == [
        {"new": 1, "edited": 0, "gone": 0}, {"new": 1, "edited": 0, "gone": 1}, {"new": 0, "edited": 0, "gone": 0},
    ]  # fmt: skip
    assert (names(tried), tried.left_out) == (["lark0000003"], 1)


def test_a_comment_tells_where_it_stands_who_wrote_it_and_names_nobody() -> None:
    markup = 'Who &amp; why?<br>See <a href="https://example.org/">example.org</a> &lt;now&gt;'
    with (
        RecordedServer([api("commentThreads", thread("Ug1", "r1", text=markup))]) as server,
        reading("youtube", server, read="comments", video_id=VIDEO) as connector,
    ):
        first, reply = connector.poll(None).mentions
    assert (first.text, first.likes, first.replies) == ("Who & why?\nSee example.org <now>", 2, 1)
    assert first.link == f"https://www.youtube.com/watch?v={VIDEO}&lc=Ug1"
    assert first.thread == reply.thread == f"youtube:{VIDEO}"
    assert first.author_key == "<youtube:UCauthor>"
    assert (first.id, reply.id) == ("youtube:Ug1", "youtube:Ug1.r1")
    assert "lou" not in repr(first)


@pytest.mark.parametrize(
    ("name", "voice"), [("@ExampleForce", Voice.OWN), ("ExampleForce", Voice.PUBLIC), ("@lou", Voice.PUBLIC)]
)
def test_our_own_comments_are_known_by_our_handle_not_by_a_name_anybody_can_take(name: str, voice: Voice) -> None:
    ours = thread("Ug1")
    ours["snippet"]["topLevelComment"]["snippet"]["authorDisplayName"] = name
    with (
        RecordedServer([api("commentThreads", ours)]) as server,
        reading("youtube", server, read="comments", channel_id=CHANNEL) as connector,
    ):
        (mention,) = connector.poll(None).mentions
    assert mention.voice is voice


def test_an_edited_comment_comes_again_under_its_id() -> None:
    server = RecordedServer([api("commentThreads", thread("Ug1")), api("commentThreads", thread("Ug1", text="Edited"))])
    with server, reading("youtube", server, read="comments", video_id=VIDEO) as connector:
        tried = polled(connector)
    assert tried.polls[1] == {"new": 0, "edited": 1, "gone": 0}
    assert found(tried)[0].text == "Edited"


# -- replies ----------------------------------------------------------------------------------------------------------


def many_replies(total: int = 4) -> list[Exchange]:
    return [
        api("commentThreads", thread("Ug1", "r1", total=total), thread("Ug2"), after="p2"),
        api("commentThreads", thread("Ug3"), pageToken="p2"),
        api("comments", comment("Ug1.r1"), comment("Ug1.r2"), parentId="Ug1", after="more"),
        api("comments", comment("Ug1.r3"), comment("Ug1.r4"), parentId="Ug1", pageToken="more"),
    ]


ALL = {"Ug1", "Ug1.r1", "Ug1.r2", "Ug1.r3", "Ug1.r4", "Ug2", "Ug3"}


def test_replies_that_did_not_come_with_their_thread_are_fetched_after_it_and_once() -> None:
    with (
        RecordedServer(many_replies()) as server,
        reading("youtube", server, read="comments", video_id=VIDEO, pages=2) as connector,
    ):
        tried = polled(connector, 3)
    assert (tried.state, set(names(tried)), nothing_new(tried)) == ("ok", ALL, True)
    assert server.calls.count("GET /youtube/v3/comments") == 2
    assert {each.thread for each in found(tried)} == {f"youtube:{VIDEO}"}


def test_replies_are_fetched_again_where_there_are_more_of_them() -> None:
    with (
        RecordedServer(many_replies()) as server,
        reading("youtube", server, read="comments", video_id=VIDEO) as connector,
    ):
        page = connector.poll(None)
        while page.more:
            page = connector.poll(page.cursor)
        asked = server.calls.count("GET /youtube/v3/comments")
        server.serve(next(iter(server.asked)), Reply(api("commentThreads", thread("Ug1", "r1", total=5)).body))
        page = connector.poll(page.cursor)
        assert (page.mentions, page.more) == ((), True)
        assert not connector.poll(page.cursor).more  # no further than what is known
        assert server.calls.count("GET /youtube/v3/comments") == asked + 1


@pytest.mark.parametrize(("status", "reason"), [(404, "commentNotFound"), (400, "processingFailure"), (404, "")])
def test_a_thread_whose_replies_cannot_be_had_holds_up_no_other(status: int, reason: str) -> None:
    recorded = [*many_replies()[:2], error("comments", status, reason, parentId="Ug1")]
    with (
        RecordedServer(recorded) as server,
        reading("youtube", server, read="comments", video_id=VIDEO, pages=2) as connector,
    ):
        tried = polled(connector)
    assert (tried.state, names(tried), nothing_new(tried)) == ("ok", ["Ug1", "Ug1.r1", "Ug2", "Ug3"], True)


def two_threads() -> list[Exchange]:
    return [
        api("commentThreads", thread("Ug1", "r1", total=2), thread("Ug2", "r1", total=2)),
        api("comments", comment("Ug1.r2"), parentId="Ug1"),
        api("comments", comment("Ug2.r2"), parentId="Ug2"),
    ]


@pytest.mark.parametrize("reason", ["commentsDisabled", "forbidden", "backendError"])
def test_a_thread_that_always_fails_holds_up_neither_the_list_nor_other_threads(reason: str) -> None:
    recorded = [
        *two_threads()[::2],
        error("comments", 500 if reason == "backendError" else 403, reason, parentId="Ug1"),
    ]
    with RecordedServer(recorded) as server, reading("youtube", server, read="comments", video_id=VIDEO) as connector:
        cursor, came, failures = None, [], 0
        for _ in range(9):
            try:
                page = connector.poll(cursor)
            except (NeedsAttention, TemporaryFailure):
                failures += 1
                continue
            came += [each.native_id for each in page.mentions]
            cursor = page.cursor
    assert came == ["Ug1", "Ug1.r1", "Ug2", "Ug2.r1", "Ug2.r2"]
    assert server.calls.count("GET /youtube/v3/commentThreads") >= 3
    assert failures == (0 if reason == "commentsDisabled" else 2)


def test_replies_that_could_not_be_had_once_are_asked_for_again() -> None:
    with (
        RecordedServer(two_threads()) as server,
        reading("youtube", server, read="comments", video_id=VIDEO) as connector,
    ):
        server.spoil(1, Reply(error("comments", 404, "commentNotFound").body, 404))
        tried = polled(connector, 2)
        assert names(tried) == ["Ug1", "Ug1.r1", "Ug2", "Ug2.r1", "Ug2.r2", "Ug1.r2"]
        asked = server.calls.count("GET /youtube/v3/comments")
        polled(connector, 1)
    assert asked == 3


def test_a_video_without_comments_is_no_failure() -> None:
    with (
        RecordedServer([error("commentThreads", 403, "commentsDisabled")]) as server,
        reading("youtube", server, read="comments", video_id=VIDEO) as connector,
    ):
        tried = polled(connector)
        assert connector.poll(None).sample == "comments are turned off at this video"
    assert (tried.state, found(tried)) == ("ok", [])


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", range(4))
@pytest.mark.parametrize(("reply", "state"), FAULTS)
def test_a_fault_at_any_call_is_told_as_what_it_is_and_costs_nothing(call: int, reply: Reply, state: str) -> None:
    if call in (1, 2) and reply.status == 404:
        return  # a thread that is gone by the time its replies are asked for is no fault
    with RecordedServer(many_replies()) as server:
        server.spoil(call, reply)
        with reading("youtube", server, read="comments", video_id=VIDEO, pages=2) as connector:
            cursor, came = None, []
            failures: list[Failure] = []
            for _ in range(12):
                try:
                    page = connector.poll(cursor)
                except (RateLimited, NeedsAttention, TemporaryFailure) as failure:
                    failures.append(failure)
                    continue
                came += [each.native_id for each in page.mentions]
                cursor = page.cursor
    assert [state_of(each) for each in failures] == [state]
    assert sorted(came) == sorted(ALL)


@pytest.mark.parametrize(
    ("reason", "status", "wait"),
    [
        ("quotaExceeded", 403, timedelta(hours=19)),  # noon in London is 5 in the morning there
        ("dailyLimitExceeded", 403, timedelta(hours=19)),
        ("quotaExceeded", 429, timedelta(hours=19)),
        ("rateLimitExceeded", 403, timedelta(minutes=15)),
        ("userRateLimitExceeded", 429, timedelta(minutes=15)),
    ],
)
def test_a_spent_allowance_is_waited_for(reason: str, status: int, wait: timedelta) -> None:
    june = datetime(2026, 6, 9, 12, tzinfo=UTC)
    with (
        RecordedServer([error("search", status, reason)]) as server,
        reading("youtube", server, Clock(june), query="x") as connector,
        pytest.raises(RateLimited) as caught,
    ):
        connector.poll(None)
    assert caught.value.until - june == wait
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-07-01T06:59:59+00:00", "2026-07-01T07:00:00+00:00"),
        ("2026-07-01T07:00:00+00:00", "2026-07-02T07:00:00+00:00"),
        ("2026-11-01T06:30:00+00:00", "2026-11-01T07:00:00+00:00"),  # the day the clocks go back there
        ("2026-11-01T12:00:00+00:00", "2026-11-02T08:00:00+00:00"),
        ("2026-03-08T12:00:00+00:00", "2026-03-09T07:00:00+00:00"),  # and forward
    ],
)
def test_the_day_of_an_allowance_ends_at_midnight_on_the_pacific_coast(now: str, midnight: str) -> None:
    assert next_day(datetime.fromisoformat(now)) == datetime.fromisoformat(midnight)


@pytest.mark.parametrize("status", [200, 400, 403])
def test_a_key_that_is_none_needs_a_person(status: int) -> None:
    with (
        RecordedServer([error("search", status, "keyInvalid")]) as server,
        reading("youtube", server, query="x") as connector,
        pytest.raises(NeedsAttention, match="keyInvalid"),
    ):
        connector.poll(None)


def test_a_page_that_youtube_forgot_is_looked_for_again_from_the_top() -> None:
    first = api("search", result(VIDEO), after="p2")
    recorded = [first, error("search", 400, "invalidPageToken", pageToken="p2"),
                api("search", result("lark0000002"), pageToken="p2")]  # fmt: skip
    with RecordedServer(recorded) as server, reading("youtube", server, query="x", pages=2) as connector:
        tried = polled(connector, 2)
    assert (tried.state, names(tried)) == ("ok", [VIDEO, "lark0000002"])


def test_without_a_key_it_is_not_configured_and_asks_nothing() -> None:
    clock = Clock(AUTUMN)
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        options = {"api_root": server.url, "query": "x"}
        connector = build_connector("youtube", source(), options, tools(fetch, clock))
        with pytest.raises(NotConfigured, match="EARSHOT_YOUTUBE_API_KEY"):
            connector.poll(None)
        connector.close()
        assert not server.asked
        fetch.close()


def test_the_key_appears_in_no_message() -> None:
    with (
        RecordedServer() as server,
        reading("youtube", server, query="x") as connector,
        pytest.raises(TemporaryFailure) as caught,
    ):
        connector.poll(None)
    assert CREDENTIALS["EARSHOT_YOUTUBE_API_KEY"] not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "query"),
        ({"query": "ß" * 600}, "too long"),
        ({"read": "comments"}, "channel_id or video_id"),
        ({"read": "comments", "channel_id": CHANNEL, "video_id": VIDEO}, "channel_id or video_id"),
        ({"read": "uploads", "channel_id": "@larkfield"}, "UC"),
        ({"query": "x", "api_root": "https://a.example/youtube"}, "api_root"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str], problem: str) -> None:
    fetch = reach()
    with pytest.raises(UserError, match=problem):
        build_connector("youtube", source(), options, tools(fetch, Clock()))
    fetch.close()


class Spent:
    """A budget with nothing left; it remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []

    def take(self, calls: int = 1, cost: float = 0.0, *, bucket: str = "", recheck: bool = False) -> None:
        self.asked.append((bucket, recheck))
        raise RateLimited("spent", AUTUMN + timedelta(hours=1))

    def give_back(self, cost: float, when: datetime) -> None:
        raise AssertionError("nothing was spent")


def test_every_call_is_counted_and_searches_by_themselves() -> None:
    clock, budget = Clock(AUTUMN), Spent()
    fetch = reach(clock=clock)
    given = replace(tools(fetch, clock, CREDENTIALS), budget=lambda kind: budget)
    search = build_connector("youtube", source(), {"query": "x"}, given)
    uploads = build_connector("youtube", source(), {"read": "uploads", "channel_id": CHANNEL}, given)
    calls = [
        lambda: search.poll(None), lambda: uploads.poll(None), lambda: search.recheck([Locator("youtube:a", VIDEO)]),
    ]  # type: ignore[attr-defined]  # fmt: skip
    for call in calls:
        with pytest.raises(RateLimited):
            call()
    assert budget.asked == [("search", False), ("", False), ("", True)]
    fetch.close()
