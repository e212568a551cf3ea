"""Every connector keeps the same promises, against recordings that are named for what they show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.connector import Connector
from listener.connectors import CONNECTORS, build_connector
from mentions.failures import NeedsAttention, RateLimited, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, item, reach, rss, source, tools

RECORDINGS = Path(__file__).parent.parent / "recordings"
KINDS = pytest.mark.parametrize("kind", list(CONNECTORS))
SIGN_IN = b"<html><title>Sign in</title><form><input type=password></form></html>"


def recording(kind: str, name: str) -> dict[str, Any]:
    return json.loads((RECORDINGS / kind / f"{name}.json").read_text("utf-8"))


@contextmanager
def replayed(kind: str, name: str) -> Iterator[tuple[FaultyServer, Connector, dict[str, Any]]]:
    """A server that answers as recorded, and a connector that reads it."""
    record, clock = recording(kind, name), Clock()
    with FaultyServer() as server:
        for answer in record["answers"]:
            server.serve(answer["path"], Reply(answer["body"].encode(), answer["status"], answer["headers"]))
        options = {key: value.replace("{url}", server.url) for key, value in record["options"].items()}
        fetch = reach(server, clock=clock)
        given = tools(fetch, clock, record.get("secrets"))
        connector = build_connector(kind, source("Larkfield", Voice.PUBLIC), options, given)
        yield server, connector, record["expect"]
        connector.close()
        fetch.close()


def answer_all(server: FaultyServer, kind: str, reply: Reply) -> None:
    for answer in recording(kind, "normal")["answers"]:
        server.serve(answer["path"], reply)


@KINDS
def test_what_was_posted_comes_back_with_its_words_and_times(kind: str) -> None:
    with replayed(kind, "normal") as (_, connector, expect):
        page = connector.poll(None)
    found = [{"title": m.title, "text": m.text, "published_at": m.published_at.isoformat()} for m in page.mentions]
    assert found == expect["mentions"]
    assert not page.more
    assert page.left_out == 0


@KINDS
def test_a_mention_says_where_it_is_from_and_names_nobody(kind: str) -> None:
    with replayed(kind, "normal") as (_, connector, _expect):
        page = connector.poll(None)
    for mention in page.mentions:
        platform, _, native = mention.id.partition(":")
        assert platform == mention.platform
        assert native == mention.native_id or len(native) == 16  # as given, or hashed where it would name a person
        assert mention.source == "Larkfield"
        assert mention.first_seen_at == NOON
        assert mention.published_at.tzinfo is UTC
        assert mention.link.startswith("http")
        assert mention.author_key.startswith(f"<{platform}:")  # the test's pseudonym shows its parts
        assert not mention.history
    assert len({mention.id for mention in page.mentions}) == len(page.mentions)


@KINDS
def test_the_same_again_is_nothing_new(kind: str) -> None:
    with replayed(kind, "normal") as (_, connector, _expect):
        cursor = connector.poll(None).cursor
        again = connector.poll(cursor)
    assert cursor is not None
    assert again.mentions == ()
    assert not again.more


@KINDS
def test_a_page_asked_for_twice_carries_the_same_ids(kind: str) -> None:
    with replayed(kind, "normal") as (_, connector, _expect):
        first, second = connector.poll(None), connector.poll(None)
    assert [mention.id for mention in first.mentions] == [mention.id for mention in second.mentions]


@KINDS
def test_an_edited_post_is_returned_again_under_its_id(kind: str) -> None:
    with replayed(kind, "normal") as (server, connector, expect):
        first = connector.poll(None)
        for answer in recording(kind, "normal")["answers"]:
            words = expect["mentions"][0]["text"].split()[0]
            server.serve(answer["path"], Reply(answer["body"].replace(words, "EDITED", 1).encode()))
        again = connector.poll(first.cursor)
    assert [mention.id for mention in again.mentions] == [first.mentions[0].id]
    assert again.mentions[0].text.startswith("EDITED")


@KINDS
def test_an_empty_source_is_no_failure(kind: str) -> None:
    with replayed(kind, "empty") as (_, connector, _expect):
        page = connector.poll(None)
        assert (page.mentions, page.left_out, page.more) == ((), 0, False)
        assert connector.poll(page.cursor).mentions == ()


@KINDS
def test_asked_to_wait_it_says_until_when(kind: str) -> None:
    with replayed(kind, "rate_limited") as (server, connector, expect):
        with pytest.raises(RateLimited) as caught:
            connector.poll(None)
        assert caught.value.until == NOON + timedelta(seconds=expect["wait_seconds"])
        assert sum(len(asked) for path, asked in server.asked.items() if path != "/robots.txt") == 1


@KINDS
def test_credentials_that_do_not_serve_need_attention(kind: str) -> None:
    with replayed(kind, "bad_credentials") as (_, connector, _expect), pytest.raises(NeedsAttention):
        connector.poll(None)


@KINDS
def test_an_odd_post_is_counted_once_and_its_neighbours_stay(kind: str) -> None:
    with replayed(kind, "odd_post") as (server, connector, expect):
        page = connector.poll(None)
        assert (len(page.mentions), page.left_out) == (expect["good"], expect["left_out"])
        assert page.sample
        for answer in recording(kind, "odd_post")["answers"]:
            server.serve(answer["path"], Reply(answer["body"].replace("Also fine", "Still fine").encode() + b" "))
        assert connector.poll(page.cursor).left_out == 0


@KINDS
@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        pytest.param(Reply(status=500), TemporaryFailure, id="500"),
        pytest.param(Reply(fault="hang up"), TemporaryFailure, id="no answer"),
        pytest.param(Reply(b"[" * 99, fault="cut"), TemporaryFailure, id="cut short"),
        pytest.param(Reply(b"<html><title>Down</title></html>"), TemporaryFailure, id="a web page"),
        pytest.param(Reply(b"{}"), TemporaryFailure, id="another JSON"),
        pytest.param(Reply(SIGN_IN), NeedsAttention, id="a sign-in page"),
        pytest.param(Reply(status=302, headers={"Location": "/auth/sign_in"}), NeedsAttention, id="sent to sign in"),
        pytest.param(Reply(status=302, headers={"Location": "http://10.0.0.1/"}), NeedsAttention, id="sent inside"),
    ],
)
def test_every_fault_ends_as_one_of_our_failures(kind: str, reply: Reply, failure: type[Exception]) -> None:
    with replayed(kind, "normal") as (server, connector, _expect):
        answer_all(server, kind, reply)
        with pytest.raises(failure):
            connector.poll(None)


@KINDS
def test_it_goes_on_after_a_fault_where_it_was(kind: str) -> None:
    with replayed(kind, "normal") as (server, connector, _expect):
        page = connector.poll(None)
        answers = recording(kind, "normal")["answers"]
        answer_all(server, kind, Reply(status=500))
        with pytest.raises(TemporaryFailure):
            connector.poll(page.cursor)
        for answer in answers:
            server.serve(answer["path"], Reply(answer["body"].encode()))
        assert connector.poll(page.cursor).mentions == ()


@KINDS
def test_it_is_made_without_network_and_refuses_options_it_does_not_know(kind: str) -> None:
    clock = Clock()
    fetch = reach(clock=clock)
    options = {
        key: value.replace("{url}", "https://a.example") for key, value in recording(kind, "normal")["options"].items()
    }
    build_connector(kind, source(), options, tools(fetch, clock)).close()
    with pytest.raises(UserError, match=r"source test: .*colour"):
        build_connector(kind, source(), {**options, "colour": "red"}, tools(fetch, clock))
    fetch.close()


@KINDS
def test_every_option_says_what_it_is_for(kind: str) -> None:
    assert all(field.description for field in CONNECTORS[kind].Options.model_fields.values())


@KINDS
def test_there_is_a_recording_for_every_promise(kind: str) -> None:
    names = {file.stem for file in (RECORDINGS / kind).glob("*.json")}
    assert {"normal", "empty", "rate_limited", "bad_credentials", "odd_post"} <= names


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    fetch = reach()
    with pytest.raises(UserError, match="feed, forum, mastodon"):
        build_connector("fax", source(), {}, tools(fetch, Clock()))
    fetch.close()


# -- feed -------------------------------------------------------------------------------------------------------------

Build = Callable[..., Connector]


@pytest.fixture
def board() -> Iterator[tuple[FaultyServer, Clock, Build]]:
    """A server, a clock, and a way of building connectors that read it."""
    clock = Clock()
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)

        def build(
            kind: str, voice: Voice = Voice.PUBLIC, secrets: dict[str, str] | None = None, **options: str
        ) -> Connector:
            return build_connector(kind, source("s", voice), options, tools(fetch, clock, secrets))

        yield server, clock, build
        fetch.close()


def test_a_press_item_reaches_widely_and_counts_for_its_publisher(board: Any) -> None:
    server, _, build = board
    body = json.loads((RECORDINGS / "feed" / "normal.json").read_text("utf-8"))["answers"][0]["body"]
    connector = build("feed", Voice.PRESS, url=server.serve("/f", Reply(body.encode())))
    mention = connector.poll(None).mentions[0]
    assert (mention.voice, mention.reach, mention.publisher) == ("press", "wide", "gazette.example")


def test_a_source_whose_address_changes_is_read_afresh(board: Any) -> None:
    server, _, build = board
    body = json.loads((RECORDINGS / "feed" / "normal.json").read_text("utf-8"))["answers"][0]["body"].encode()
    first = build("feed", url=server.serve("/old", Reply(body, headers={"ETag": '"x"'}))).poll(None)
    build("feed", url=server.serve("/new", Reply(body))).poll(first.cursor)
    assert "If-None-Match" not in server.asked["/new"][0].headers


def test_a_feed_is_asked_without_conditions_once_a_day(board: Any) -> None:
    server, clock, build = board
    connector = build("feed", url=server.serve("/f", Reply(b"<rss><channel/></rss>", headers={"ETag": '"x"'})))
    cursor = connector.poll(None).cursor
    clock.now += timedelta(hours=23)
    cursor = connector.poll(cursor).cursor
    assert server.asked["/f"][1].headers["If-None-Match"] == '"x"'
    clock.now += timedelta(hours=25)
    connector.poll(cursor)
    assert "If-None-Match" not in server.asked["/f"][2].headers


# -- forum ------------------------------------------------------------------------------------------------------------


def test_a_forum_is_asked_without_conditions_after_twenty_times_unchanged(board: Any) -> None:
    server, clock, build = board
    feed = b'<rss version="2.0"><channel><item><guid>1</guid><title>A</title></item></channel></rss>'

    def answer(asked: Any) -> Reply:
        return Reply(status=304) if "If-None-Match" in asked.headers else Reply(feed, headers={"ETag": '"x"'})

    connector = build("forum", url=server.serve("/feed", answer), software="phpbb")
    cursor = None
    for _ in range(24):
        clock.now += timedelta(minutes=10)
        cursor = connector.poll(cursor).cursor
    asked = ["If-None-Match" in one.headers for one in server.asked["/feed"]]
    assert asked == [False, False, *[True] * 20, False, True, True]  # the first looks for the feed


def posts(*ids: int) -> bytes:
    made = [
        {"id": i, "username": "lou", "created_at": "2026-06-09T10:00:00Z", "cooked": f"<p>Post {i}</p>", "topic_id": 1,
         "post_number": i, "topic_slug": "t", "topic_title": "T"}
        for i in ids
    ]  # fmt: skip
    return json.dumps({"latest_posts": made}).encode()


def drain(connector: Connector, cursor: str | None) -> tuple[list[str], str | None]:
    """Poll until there is no more, as the daemon does."""
    texts: list[str] = []
    for _ in range(50):
        page = connector.poll(cursor)
        texts += [mention.text for mention in page.mentions]
        cursor = page.cursor
        if not page.more:
            return texts, cursor
    raise AssertionError("never came to an end")


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_gap_at_a_discourse_board_is_filled_to_the_last_known_post(board: Any, inclusive: bool) -> None:
    server, _, build = board
    out = list(range(1, 4))

    def page(before: int | None) -> bytes:
        below = [i for i in out if before is None or i < before + inclusive]
        return posts(*sorted(below, reverse=True)[:50])

    server.serve("/posts.json", lambda _asked: Reply(page(None)))
    for before in range(400):
        server.serve(f"/posts.json?before={before}", lambda _asked, b=before: Reply(page(b)))
    connector = build("forum", url=server.url, software="discourse")
    texts, cursor = drain(connector, None)
    assert len(texts) == 3
    out += [i for i in range(4, 300) if not 100 < i < 180]  # the missing ones are private
    texts, cursor = drain(connector, cursor)
    assert sorted(texts) == sorted(f"Post {i}" for i in out[3:])
    assert drain(connector, cursor)[0] == []


def test_a_board_that_was_empty_at_first_loses_nothing(board: Any) -> None:
    server, _, build = board
    server.serve("/posts.json", Reply(posts()), Reply(posts(*range(80, 30, -1))))
    server.serve("/posts.json?before=31", Reply(posts(*range(30, 0, -1))))
    connector = build("forum", url=server.url, software="discourse")
    assert len(drain(connector, drain(connector, None)[1])[0]) == 80


def test_an_old_board_that_answered_empty_once_is_not_read_back_to_its_beginning(board: Any) -> None:
    server, _, build = board
    newest = list(range(50_000, 49_950, -1))
    server.serve("/posts.json", Reply(posts()), Reply(posts(*newest)))
    connector = build("forum", url=server.url, software="discourse")
    texts, cursor = drain(connector, drain(connector, None)[1])
    assert sorted(texts) == sorted(f"Post {i}" for i in newest)
    assert not any("before" in path for path in server.asked)
    assert drain(connector, cursor)[0] == []


def test_hidden_and_deleted_posts_are_left_out_and_counted_once(board: Any) -> None:
    server, _, build = board
    rows = json.loads(posts(1, 2, 3, 4))["latest_posts"]
    rows[0]["hidden"], rows[1]["user_deleted"], rows[2]["post_type"] = True, True, 3
    server.serve("/posts.json", Reply(json.dumps({"latest_posts": rows}).encode()))
    connector = build("forum", url=server.url, software="discourse")
    page = connector.poll(None)
    assert ([mention.text for mention in page.mentions], page.left_out) == (["Post 4"], 3)
    assert connector.poll(page.cursor).left_out == 0


PAGES = {
    "discourse": ('<meta name="generator" content="Discourse 3.4.1">', "/posts.json"),
    "phpbb": ('Powered by <a href="https://www.phpbb.com/">phpBB</a>', "/app.php/feed"),
    "xenforo": ('<html id="XF" lang="en">', "/forums/-/index.rss"),
    "smf": ("<script>var smf_scripturl = 1;</script>", "/index.php?action=.xml;type=rss2;sa=recent;limit=50"),
    "vbulletin": ('<meta name="generator" content="vBulletin 4.2.5">', "/external.php?type=RSS2"),
    "machina": ('<a href="/forum/local-2/topic/noise-4/">Noise</a>', "/feeds/topics/"),
}


@pytest.mark.parametrize("software", PAGES)
def test_the_software_of_a_board_and_its_feed_are_found_out(board: Any, software: str) -> None:
    server, _, build = board
    mark, path = PAGES[software]
    one = b'<rss version="2.0"><channel><item><guid>1</guid><title>Hello</title></item></channel></rss>'
    server.serve("/", Reply(f"<html><head></head><body>{mark}</body></html>".encode()))
    server.serve(path, Reply(posts(1) if software == "discourse" else one))
    page = build("forum", url=f"{server.url}/").poll(None)
    assert json.loads(page.cursor)["software"] == software
    assert len(page.mentions) == 1


def test_a_feed_that_the_board_names_is_taken_first(board: Any) -> None:
    server, _, build = board
    hint = '<link rel="alternate" type="application/atom+xml" title="Feed" href="/my/feed?x=1&amp;y=2">'
    server.serve("/board", Reply(f"<html><head>{hint}</head></html>".encode()))
    server.serve("/my/feed?x=1&y=2", Reply(b'<rss version="2.0"><channel/></rss>'))
    page = build("forum", url=f"{server.url}/board").poll(None)
    assert json.loads(page.cursor)["address"] == f"{server.url}/my/feed?x=1&y=2"


def test_an_address_without_feed_topics_and_posts_is_told_and_tried_again(board: Any) -> None:
    server, _, build = board
    server.serve("/", Reply(b"<html><body>A board</body></html>"))
    with pytest.raises(TemporaryFailure, match="no feed found at this address, nor topics or posts"):
        build("forum", url=f"{server.url}/").poll(None)


def xenforo(replies: int, hour: int) -> Reply:
    return Reply(
        f"""<rss version="2.0" xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><channel><item>
        <title>Sirens all night</title><guid isPermaLink="false">634</guid><link>https://b.example/threads/sirens.634/</link>
        <author>invalid@example.com (larkfield_lou)</author><description>What happened?</description>
        <slash:comments>{replies}</slash:comments><pubDate>Tue, 09 Jun 2026 {hour}:00:00 +0000</pubDate>
        </item></channel></rss>""".encode()
    )


def test_a_reply_at_a_board_shown_by_threads_moves_its_thread_up(board: Any) -> None:
    server, _, build = board
    connector = build(
        "forum", url=server.serve("/f", xenforo(1, 10), xenforo(1, 10), xenforo(2, 11)), software="xenforo"
    )
    (first,) = (page := connector.poll(None)).mentions
    (moved,) = connector.poll(page.cursor).mentions
    assert (moved.id, moved.replies, moved.published_at.hour) == (first.id, 2, 11)
    assert first.author_key == "<forum:127.0.0.1/larkfield_lou>"
    assert first.thread == "b.example/634"


# -- Mastodon ---------------------------------------------------------------------------------------------------------


def statuses(*ids: int, edited: int | None = None) -> bytes:
    made = [
        {"id": str(i), "created_at": "2026-06-09T10:00:00.000Z", "uri": f"https://m.example/s/{i}",
         "content": f"<p>Post {i}{' edited' if i == edited else ''}</p>", "spoiler_text": "",
         "account": {"id": "1", "acct": "lou", "uri": "https://m.example/users/lou", "followers_count": 250_000}}
        for i in ids
    ]  # fmt: skip
    return json.dumps(made).encode()


@pytest.mark.parametrize("first", [(), (100, 99)], ids=["empty at first", "some at first"])
def test_a_gap_in_a_timeline_is_filled_oldest_first(board: Any, first: tuple[int, ...]) -> None:
    server, _, build = board
    out = list(first)

    def page(minimum: int | None) -> bytes:
        above = sorted(i for i in out if minimum is None or i > minimum)
        return statuses(*reversed(above[-40:] if minimum is None else above[:40]))

    root = "/api/v1/timelines/public"
    server.serve(f"{root}?limit=40", lambda _asked: Reply(page(None)))
    for minimum in range(400):
        server.serve(f"{root}?limit=40&min_id={minimum}", lambda _asked, m=minimum: Reply(page(m)))
        server.serve(f"{root}?min_id={minimum}&limit=40", lambda _asked, m=minimum: Reply(page(m)))
    connector = build("mastodon", api_root=server.url, read="public")
    texts, cursor = drain(connector, None)
    assert len(texts) == len(first)
    out += range(101, 321)
    texts, cursor = drain(connector, cursor)
    assert sorted(texts) == sorted(f"Post {i}" for i in range(101, 321))
    assert drain(connector, cursor)[0] == []


def test_posts_that_could_not_be_kept_are_brought_again(board: Any) -> None:
    server, _, build = board
    path = "/api/v1/timelines/tag/x?limit=40"
    server.serve(path, Reply(statuses(1)))
    connector = build("mastodon", api_root=server.url, tag="x")
    before = connector.poll(None).cursor
    server.serve(path, Reply(statuses(2, 1)))
    assert [mention.text for mention in connector.poll(before).mentions] == ["Post 2"]
    again = connector.poll(before)  # the disk was full, say
    assert [mention.text for mention in again.mentions] == ["Post 2"]
    assert connector.poll(again.cursor).mentions == ()
    server.serve(path, Reply(statuses(2, 1, edited=2)))
    assert [mention.text for mention in connector.poll(again.cursor).mentions] == ["Post 2 edited"]


def test_an_unchanged_timeline_costs_one_conditional_request(board: Any) -> None:
    server, _, build = board
    path = "/api/v1/timelines/tag/x?limit=40"

    def answer(asked: Any) -> Reply:
        return (
            Reply(status=304)
            if asked.headers.get("If-None-Match") == 'W/"a"'
            else Reply(statuses(1), headers={"ETag": 'W/"a"'})
        )

    server.serve(path, answer)
    connector = build("mastodon", api_root=server.url, tag="x")
    cursor = connector.poll(None).cursor
    page = connector.poll(cursor)
    assert (page.mentions, page.cursor) == ((), cursor)
    assert list(server.asked) == [path]  # nothing is asked of the server but its timeline


def test_an_account_s_reach_is_a_band_and_its_token_is_sent(board: Any) -> None:
    server, _, build = board
    path = "/api/v1/timelines/tag/x?limit=40"
    server.serve(path, Reply(statuses(1)))
    connector = build(
        "mastodon", secrets={"EARSHOT_TOKEN": "t0ken"}, api_root=server.url, tag="#x", token_env="EARSHOT_TOKEN"
    )
    (mention,) = connector.poll(None).mentions
    assert mention.reach == "wide"
    assert "250000" not in repr(mention)
    assert server.asked[path][0].headers["Authorization"] == "Bearer t0ken"
    assert server.asked[path][0].headers["User-Agent"] == "EarshotTest/1"


@pytest.mark.parametrize(
    ("account", "voice"),
    [
        ("ExampleForce", Voice.OWN),
        ("ExampleForce@force.example", Voice.OWN),
        ("exampleforce@namesake.example", Voice.PUBLIC),
        ("lou", Voice.PUBLIC),
    ],
)
def test_our_own_account_is_known_on_a_timeline_and_a_namesake_elsewhere_is_not_us(
    board: Any, account: str, voice: Voice
) -> None:
    server, _, build = board
    body = statuses(1).replace(b'"acct": "lou"', f'"acct": "{account}"'.encode())
    server.serve("/api/v1/timelines/tag/x?limit=40", Reply(body))
    (mention,) = build("mastodon", api_root=server.url, tag="x").poll(None).mentions
    assert mention.voice is voice


@pytest.mark.parametrize(("author", "voice"), [("@ExampleForce", Voice.OWN), ("lou", Voice.PRESS)])
def test_our_own_posts_are_known_in_feeds_and_on_boards(board: Any, author: str, voice: Voice) -> None:
    server, _, build = board
    entry = item("1", "Road shut").replace("</item>", f"<author>{author}</author></item>")
    server.serve("/feed", Reply(rss(entry)))
    server.serve("/posts.json", Reply(posts(1).replace(b'"lou"', f'"{author}"'.encode())))
    boards = {"software": "discourse", "url": server.url}
    sources = (("feed", {"url": f"{server.url}/feed"}), ("forum", {"url": f"{server.url}/feed"}), ("forum", boards))
    for kind, options in sources:
        (mention,) = build(kind, Voice.PRESS, **options).poll(None).mentions
        assert mention.voice is voice


def test_a_timeline_needs_a_tag_or_to_be_public(board: Any) -> None:
    _, _, build = board
    with pytest.raises(UserError, match="hashtag"):
        build("mastodon", api_root="https://m.example", tag="two words")


@pytest.mark.parametrize(("tag", "taken"), [("2025riots", True), ("#1_", True), ("२०२५दंगा", True), ("2025", False)])
def test_a_hashtag_may_begin_with_a_digit_but_not_be_a_number(board: Any, tag: str, taken: bool) -> None:
    _, _, build = board
    with nullcontext() if taken else pytest.raises(UserError, match="hashtag"):
        build("mastodon", api_root="https://m.example", tag=tag).close()


def test_times_are_utc_even_of_a_server_that_names_no_zone(board: Any) -> None:
    server, _, build = board
    body = statuses(1).replace(b"10:00:00.000Z", b"10:00:00")
    server.serve("/api/v1/timelines/tag/x?limit=40", Reply(body))
    (mention,) = build("mastodon", api_root=server.url, tag="x").poll(None).mentions
    assert mention.published_at == datetime(2026, 6, 9, 10, tzinfo=UTC)
