"""Real traffic of X and Reddit, replayed over loopback through the real client libraries: all of it, and faults in it.

What is expected is read from the recordings here, apart from the code that reads them there.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.cli import main
from listener.connector import Connector
from listener.connectors import build_connector
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure
from mentions.mention import Mention
from tests.faulty_server import Clock, reach, source, tools
from tests.recorded_traffic import Exchange, RecordedServer, read_recording

AUTUMN = datetime(2026, 11, 1, tzinfo=UTC)
SECRETS = {
    "EARSHOT_X_BEARER_TOKEN": "t0ken",
    "EARSHOT_REDDIT_CLIENT_ID": "app",
    "EARSHOT_REDDIT_CLIENT_SECRET": "s3cret",
    "EARSHOT_REDDIT_REFRESH_TOKEN": "r3fresh",
}
X_READS = {
    "test_client_search_recent_tweets.yaml": {"query": "Tweepy"},
    "test_client_get_users_mentions.yaml": {"read": "mentions", "user_id": "783214"},
    "test_client_get_users_tweets.yaml": {"read": "own", "user_id": "783214"},
}
REDDIT_READS = {
    "TestSubredditListings.test_new.json": {"subreddit": "askreddit"},
    "TestSubredditListings.test_comments.json": {"read": "comments", "subreddit": "askreddit"},
    "TestSubreddit.test_search.json": {"read": "search", "subreddit": "all", "query": "praw oauth search"},
    "TestInbox.test_mentions.json": {"read": "mentions"},
    "TestSubredditStreams.test_submissions.json": {"subreddit": "all"},
}


@contextmanager
def reading(server: RecordedServer, kind: str, seconds: float = 5.0, **options: str) -> Iterator[Connector]:
    clock = Clock(AUTUMN)
    with server:
        fetch = reach(server, clock=clock, total=seconds)
        connector = build_connector(kind, source(), {"api_root": server.url, **options}, tools(fetch, clock, SECRETS))
        with closing(fetch), closing(connector):
            yield connector


def plain(text: str) -> str:
    """As a reader sees it."""
    return " ".join(html.unescape(re.sub(r"<[A-Za-z/][^>]*>", "", text)).split())


def told(mention: Mention) -> tuple[str, str, str, datetime]:
    return mention.native_id, plain(mention.title), plain(mention.text), mention.published_at


def snowflake(post_id: str) -> datetime:
    return datetime.fromtimestamp(((int(post_id) >> 22) + 1288834974657) / 1000, UTC)


def x_posts(content: Any) -> list[tuple[str, str, str, datetime]]:
    return [
        (
            post["id"], "", plain(post["text"]),
            datetime.fromisoformat(post["created_at"]) if "created_at" in post else snowflake(post["id"]),
        )
        for post in content["data"]
    ]  # fmt: skip


def reddit_posts(content: Any) -> list[tuple[str, str, str, datetime]]:
    return [
        (
            child["data"]["name"], plain(child["data"].get("title", "")),
            plain(child["data"].get("selftext", child["data"].get("body"))),
            datetime.fromtimestamp(child["data"]["created_utc"], UTC),
        )
        for child in content["data"]["children"]
    ]  # fmt: skip


def check_twice(connector: Connector, expected: list[tuple[str, str, str, datetime]]) -> None:
    page = connector.poll(None)
    assert sorted(map(told, page.mentions)) == sorted(expected)
    assert (page.left_out, page.more, page.gone, page.gap) == (0, False, (), "")
    again = connector.poll(page.cursor)
    assert (again.mentions, again.left_out, again.gone, again.more) == ((), 0, (), False)


@pytest.mark.parametrize("name", X_READS)
def test_recorded_answers_of_x_give_every_post_once(shared: Path, name: str) -> None:
    recording = shared / "recorded/x/tweepy" / name
    (exchange,) = read_recording(recording)
    with reading(RecordedServer(recording), "x", **X_READS[name]) as connector:
        check_twice(connector, x_posts(exchange.json))


@pytest.mark.parametrize(
    ("name", "path", "options"),
    [
        ("search_tweets_query.json", "/2/tweets/search/recent", {"query": "q"}),
        ("search_tweets_query.json", "/2/tweets/search/recent", {"read": "replies", "conversation_id": "1"}),
        ("tweet_quote_tweets_resp.json", "/2/users/29757971/mentions", {"read": "mentions", "user_id": "29757971"}),
        ("timeline_tweets.json", "/2/users/2244994945/tweets", {"read": "own", "user_id": "2244994945"}),
    ],
)
def test_recorded_bodies_of_x_give_every_post_once(shared: Path, name: str, path: str, options: dict[str, str]) -> None:
    body = (shared / "recorded/x/pytwitter" / name).read_bytes()
    with reading(RecordedServer([Exchange("GET", path, 200, body)]), "x", **options) as connector:
        check_twice(connector, x_posts(json.loads(body)))


def test_a_recorded_count_of_x_is_told_by_the_hour_and_makes_no_mention(shared: Path) -> None:
    recording = shared / "recorded/x/tweepy/test_client_get_recent_tweets_count.yaml"
    (exchange,) = read_recording(recording)
    with reading(RecordedServer(recording), "x", read="counts", query="Tweepy") as connector:
        page = connector.poll(None)
    assert page.mentions == ()
    assert [each.posts for each in page.volume] == [hour["tweet_count"] for hour in exchange.json["data"]]
    assert sum(each.posts for each in page.volume) == exchange.json["meta"]["total_tweet_count"]


@pytest.mark.parametrize("name", REDDIT_READS)
def test_recorded_answers_of_reddit_give_every_post_once(shared: Path, name: str) -> None:
    recording = shared / "recorded/reddit/praw" / name
    listing = read_recording(recording)[1]
    with reading(RecordedServer(recording), "reddit", **REDDIT_READS[name]) as connector:
        check_twice(connector, reddit_posts(listing.json))


def test_what_is_commented_between_two_polls_comes_with_the_second(shared: Path) -> None:
    recording = shared / "recorded/reddit/praw/TestSubredditStreams.test_comments__with_pause.json"
    _, first, _, later = read_recording(recording)
    with reading(RecordedServer(recording), "reddit", read="comments", subreddit="kakapo") as connector:
        page = connector.poll(None)
        again = connector.poll(page.cursor)
    assert sorted(map(told, page.mentions)) == sorted(reddit_posts(first.json))
    new = set(reddit_posts(later.json)) - set(reddit_posts(first.json))
    assert set(map(told, again.mentions)) == new
    assert len(new) == 1


def test_a_recorded_submission_gives_its_thread(shared: Path) -> None:
    from listener.connector import Locator, Threads

    recording = shared / "recorded/reddit/praw/TestSubmission.test_comments.json"
    with reading(RecordedServer(recording), "reddit", subreddit="redditdev") as connector:
        assert isinstance(connector, Threads)
        page = connector.thread(Locator("reddit:t3_2gmzqe", "t3_2gmzqe"))
    assert page.mentions[0].native_id == "t3_2gmzqe"
    assert {mention.thread for mention in page.mentions} == {"reddit:t3_2gmzqe"}
    names = set(re.findall(rb'"name": "(t[13]_[0-9a-z]+)"', read_recording(recording)[1].body))
    assert {mention.native_id.encode() for mention in page.mentions} == names


def test_a_recorded_deletion_shows_at_a_recheck(shared: Path) -> None:
    from listener.connector import Locator, Rechecks

    recording = shared / "recorded/reddit/praw/TestComment.test_refresh__deleted_comment.json"
    with reading(RecordedServer(recording), "reddit", subreddit="test") as connector:
        assert isinstance(connector, Rechecks)
        looked = connector.recheck([Locator("reddit:t1_d7ltvl0", "t1_d7ltvl0")])
    assert (looked.found, looked.gone) == ((), ("reddit:t1_d7ltvl0",))


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("service_unavailable", TemporaryFailure),
        ("not_found", TemporaryFailure),
        ("forbidden", NeedsAttention),
        ("too__many_requests__with_retry_headers", RateLimited),
    ],
)
def test_recorded_refusals_of_reddit_are_told_apart_after_one_request(
    shared: Path, name: str, failure: type[Exception]
) -> None:
    log_in, refusal, *_ = read_recording(shared / f"recorded/reddit/prawcore/TestSession.test_request__{name}.json")
    refused = Exchange("GET", "/r/askreddit/new", refusal.status, refusal.body, refusal.headers)
    server = RecordedServer([log_in, refused])
    with reading(server, "reddit", subreddit="askreddit") as connector, pytest.raises(failure) as caught:
        connector.poll(None)
    assert len(server.calls) == 2
    if isinstance(caught.value, RateLimited):
        assert caught.value.until == AUTUMN + timedelta(seconds=4)


def test_a_trial_from_the_command_line_reads_a_recording_of_each(
    shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    for kind, folder, name, keys, count in (
        ("x", "x/tweepy", "test_client_search_recent_tweets.yaml", ["query=Tweepy"], 10),
        ("reddit", "reddit/praw", "TestSubredditListings.test_new.json", ["subreddit=askreddit"], 100),
    ):
        with RecordedServer(shared / "recorded" / folder / name) as server:
            allowed = server.url.partition("//")[2]
            given = ["sources", "try", kind, "--set", f"api_root={server.url}", *keys, "--allow", allowed]
            assert main([*given, "--polls", "2", "--json"]) == 0
        tried = json.loads(capsys.readouterr().out)
        assert (tried["state"], tried["left_out"], len(tried["mentions"])) == ("ok", 0, count)
        assert [poll["new"] for poll in tried["polls"]] == [count, 0]
        assert [poll["edited"] for poll in tried["polls"]] == [0, 0]
