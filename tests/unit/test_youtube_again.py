"""YouTube beside polling: what was read is looked at again, threads and past spans are fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from listener.connector import Backfills, Locator, OwnPosts, Rechecks, Threads
from mentions.failures import TemporaryFailure
from mentions.mention import Voice
from tests.faulty_server import Asked, Reply
from tests.platform_cases import reading
from tests.recorded_traffic import RecordedServer
from tests.youtube_answers import CHANNEL, VIDEO, api, comment, error, result, thread, upload


@pytest.fixture
def there() -> Iterator[RecordedServer]:
    """A server that finds videos and comments by their ids, unless their names say that they are gone."""

    def answer(asked: Asked) -> Reply:
        wanted = parse_qs(urlsplit(asked.path).query)["id"][0].split(",")
        if "videos" in asked.path:
            status = {"privacyStatus": "public"}
            rows = [
                {"id": each, "snippet": result(each, f"Now {each}")["snippet"],
                 "statistics": {"likeCount": "7", "commentCount": "3"},
                 "status": {"privacyStatus": "private"} if each.startswith("private") else status}
                for each in wanted if not each.startswith("gone")
            ]  # fmt: skip
        elif any("gone" in each for each in wanted):
            return Reply(error("comments", 404, "commentNotFound").body, 404)
        else:
            rows = [comment(each, f"Now {each}") for each in wanted]
        return Reply(json.dumps({"items": rows}).encode())

    class Server(RecordedServer):
        def answer(self, asked: Asked) -> Reply:
            super().answer(asked)
            return answer(asked)

    with Server() as server:
        yield server


def test_videos_and_comments_are_looked_at_again(there: RecordedServer) -> None:
    videos = [VIDEO, "gone0000001", "private0001"]
    comments = [f"Ugx{number}comment-{'gone' if number in (3, 30) else 'here'}" for number in range(47)]
    link = f"https://www.youtube.com/watch?v={VIDEO}&lc=x"
    locators = [Locator(f"youtube:{each}", each, link) for each in (*videos, *comments)]
    with reading("youtube", there, query="x") as connector:
        assert isinstance(connector, Rechecks)
        assert len(locators) == connector.most_at_once
        again = connector.recheck(locators)
    kept = [VIDEO, *(each for each in comments if "gone" not in each)]
    assert sorted(each.native_id for each in again.found) == sorted(kept)
    assert len(again.gone) == 4
    assert (again.found[0].title, again.found[0].likes, again.found[0].replies) == (f"Now {VIDEO}", 7, 3)
    assert {each.link.partition("&")[0] for each in again.found} == {f"https://www.youtube.com/watch?v={VIDEO}"}
    assert all(len(path) < 2000 for path in there.asked)
    assert {call.split()[0] for call in there.calls} == {"GET"}


def test_an_error_while_looking_again_is_no_deletion() -> None:
    with (
        RecordedServer([error("videos", 500, "backendError")]) as server,
        reading("youtube", server, query="x") as connector,
        pytest.raises(TemporaryFailure),
    ):
        connector.recheck([Locator(f"youtube:{VIDEO}", VIDEO)])


def test_own_posts_are_the_channel_s_newest_uploads_with_what_became_of_them() -> None:
    now = {"id": VIDEO, "snippet": result(VIDEO)["snippet"], "statistics": {"likeCount": "12"}}
    with (
        RecordedServer([api("playlistItems", upload(VIDEO)), api("videos", now)]) as server,
        reading("youtube", server, read="uploads", channel_id=CHANNEL) as connector,
    ):
        assert isinstance(connector, OwnPosts)
        (mention,) = connector.own_posts().mentions
    assert (mention.voice, mention.likes) == (Voice.OWN, 12)


def test_a_thread_is_a_video_with_its_comments_or_a_comment_with_its_replies() -> None:
    recorded = [
        api("videos", {"id": VIDEO, "snippet": result(VIDEO)["snippet"]}),
        api("commentThreads", thread("Ug1", "r1")),
        api("comments", comment("Ug1")),
        api("comments", comment("Ug1.r2", publishedAt="2026-10-31T10:00:00Z"), comment("Ug1.r1"), parentId="Ug1"),
    ]
    with RecordedServer(recorded) as server, reading("youtube", server, query="x") as connector:
        assert isinstance(connector, Threads)
        video = connector.thread(Locator(f"youtube:{VIDEO}", VIDEO))
        link = f"https://www.youtube.com/watch?v={VIDEO}&lc=Ug1.r1"
        below = connector.thread(Locator("youtube:Ug1.r1", "Ug1.r1", link))
    assert [each.native_id for each in video.mentions] == [VIDEO, "Ug1", "Ug1.r1"]
    assert [each.native_id for each in below.mentions] == ["Ug1", "Ug1.r1", "Ug1.r2"]


def test_a_past_span_is_fetched_page_by_page() -> None:
    since, until = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
    newer = upload("lark0000003", publishedAt="2026-10-31T10:00:00Z")
    newer["snippet"]["publishedAt"] = "2026-10-31T10:00:00Z"
    older = upload("lark0000004")
    older["snippet"]["publishedAt"] = "2026-09-01T10:00:00Z"
    recorded = [
        api("playlistItems", newer, upload(VIDEO), after="p2"),
        api("playlistItems", older, after="p3", pageToken="p2"),
    ]
    with (
        RecordedServer(recorded) as server,
        reading("youtube", server, read="uploads", channel_id=CHANNEL) as connector,
    ):
        assert isinstance(connector, Backfills)
        first = connector.backfill(since, until, None)
        assert ([each.native_id for each in first.mentions], first.more) == ([VIDEO], True)
        second = connector.backfill(since, until, first.cursor)
        assert (second.mentions, second.more) == ((), False)


def test_a_search_of_the_past_says_where_it_ends() -> None:
    since, until = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
    recorded = [api("search", result("lark0000000"), after="p1")]
    recorded += [api("search", result(f"lark000000{n}"), after=f"p{n + 1}", pageToken=f"p{n}") for n in range(1, 10)]
    with RecordedServer(recorded) as server, reading("youtube", server, query="x") as connector:
        page = connector.backfill(since, until, None)
        assert "publishedAfter=2026-10-01T00%3A00%3A00Z" in next(iter(server.asked))
        while page.more:
            page = connector.backfill(since, until, page.cursor)
    assert (len(server.calls), "shorter span" in page.gap) == (10, True)
