"""What the reddit connector makes of what Reddit does: pages, deletions, threads, and praw kept on a short lead."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from listener.connector import Backfills, Locator, OwnPosts, Page, Rechecks, Threads
from listener.connectors import build_connector
from listener.connectors.reddit import RedditConnector
from mentions.failures import NotConfigured, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import NOON, Asked, Clock, FaultyServer, Reply, reach, source, tools

JSON = {"Content-Type": "application/json"}
SECRETS = {
    "EARSHOT_REDDIT_CLIENT_ID": "app",
    "EARSHOT_REDDIT_CLIENT_SECRET": "s3cret",
    "EARSHOT_REDDIT_REFRESH_TOKEN": "r3fresh",
}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    return (base36(number // 36) if number >= 36 else "") + DIGITS[number % 36]


class StandIn(FaultyServer):
    """Reddit in small: one listing for every path, newest first, pages of `size`, and nothing past `most`."""

    def __init__(self, size: int = 2, most: int = 1000) -> None:
        super().__init__()
        self.size, self.most = size, most
        self.children: list[dict[str, Any]] = []
        self.calls: list[Asked] = []
        self.bodies: dict[str, Any] = {}
        self._count = 46_600

    def post(self, title: str, at: datetime = NOON, kind: str = "t3", **more: Any) -> str:
        self._count += 1
        number = base36(self._count)
        words = {"title": title, "selftext": ""} if kind == "t3" else {"body": title, "link_id": "t3_zzz"}
        data = {
            "id": number,
            "name": f"{kind}_{number}",
            "author": "lou",
            "created_utc": at.timestamp(),
            **words,
            **more,
        }
        self.children.insert(0, {"kind": kind, "data": data})
        return str(data["name"])

    def find(self, name: str) -> dict[str, Any]:
        return next(each["data"] for each in self.children if each["data"]["name"] == name)

    def remove(self, name: str) -> None:
        self.children = [each for each in self.children if each["data"]["name"] != name]

    def answer(self, asked: Asked) -> Reply:
        self.calls.append(asked)
        self.asked[asked.path].append(asked)
        parts, query = urlsplit(asked.path), dict(parse_qsl(urlsplit(asked.path).query))
        if parts.path == "/api/v1/access_token":
            told: Any = {"access_token": "t0ken", "token_type": "bearer", "expires_in": 86400, "scope": "*"}
        elif parts.path in self.bodies:
            told = self.bodies[parts.path]
        elif parts.path == "/api/info/":
            wanted = query["id"].split(",")
            told = listing([each for each in self.children if each["data"]["name"] in wanted])
        else:
            told = self._page(query)
        return Reply(json.dumps(told).encode(), headers=JSON)

    def _page(self, query: dict[str, str]) -> Any:
        shown = self.children[: self.most]
        names = [each["data"]["name"] for each in shown]
        start = names.index(query["after"]) + 1 if query.get("after") in names else 0
        page = shown[start : start + self.size]
        return listing(page, page[-1]["data"]["name"] if start + self.size < len(shown) else None)


def listing(children: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": after, "before": None, "children": children}}


@contextmanager
def reading(server: FaultyServer, secrets: dict[str, str] = SECRETS, **options: Any) -> Iterator[RedditConnector]:
    clock = Clock()
    given = {"api_root": server.url, "subreddit": "larkfield", **options}
    with server, closing(reach(server, clock=clock)) as fetch:
        connector = build_connector("reddit", source(), given, tools(fetch, clock, secrets))
        assert isinstance(connector, RedditConnector)
        with closing(connector):
            yield connector


def drain(connector: RedditConnector, cursor: str | None) -> tuple[list[str], str | None, list[Page]]:
    pages: list[Page] = []
    for _ in range(50):
        pages.append(connector.poll(cursor))
        cursor = pages[-1].cursor
        if not pages[-1].more:
            return [mention.words for page in pages for mention in page.mentions], cursor, pages
    raise AssertionError("never came to an end")


# -- pages ------------------------------------------------------------------------------------------------------------


def test_a_first_look_reads_so_many_pages_and_later_ones_down_to_what_is_known() -> None:
    server = StandIn()
    for number in range(6):
        server.post(f"Old {number}")
    with reading(server, pages=2) as connector:
        texts, cursor, _ = drain(connector, None)
        assert texts == ["Old 5", "Old 4", "Old 3", "Old 2"]
        for number in range(5):
            server.post(f"New {number}")
        texts, cursor, _ = drain(connector, cursor)
        assert texts == [f"New {number}" for number in range(4, -1, -1)]
        asked = len(server.calls)
        assert drain(connector, cursor)[0] == []
        assert len(server.calls) == asked + 1


def test_deletions_of_the_last_known_posts_break_nothing() -> None:
    server = StandIn()
    for number in range(30):
        server.post(f"Old {number}")
    with reading(server) as connector:
        _, cursor, pages = drain(connector, None)
        for page in pages:
            for mention in page.mentions:
                server.remove(mention.native_id)
        server.post("New")
        texts, _, pages = drain(connector, cursor)
        assert texts == ["New", "Old 27"]
        assert len(pages) == 1


def test_posts_that_come_between_two_pages_are_read_at_the_next_look() -> None:
    server = StandIn()
    server.post("Old")
    with reading(server) as connector:
        _, cursor, _ = drain(connector, None)
        for number in range(3):
            server.post(f"New {number}")
        page = connector.poll(cursor)
        server.post("Newest")
        rest, cursor, _ = drain(connector, page.cursor)
        assert [*(mention.words for mention in page.mentions), *rest] == ["New 2", "New 1", "New 0"]
        assert drain(connector, cursor)[0] == ["Newest"]


def test_after_a_long_look_nothing_of_it_is_new_again() -> None:
    server = StandIn(size=100)
    server.post("Old")
    with reading(server) as connector:
        _, cursor, _ = drain(connector, None)
        for number in range(950):
            server.post(f"New {number}")
        texts, cursor, _ = drain(connector, cursor)
        assert len(set(texts)) == len(texts) == 950
        assert drain(connector, cursor)[0] == []


def test_a_listing_that_ends_before_what_is_known_leaves_a_gap() -> None:
    server = StandIn(size=60, most=120)
    server.post("Old")
    with reading(server) as connector:
        _, cursor, _ = drain(connector, None)
        for number in range(150):
            server.post(f"New {number}")
        texts, _, pages = drain(connector, cursor)
    assert len(texts) == 120
    assert [bool(page.gap) for page in pages] == [False, True]


# -- what a post is ---------------------------------------------------------------------------------------------------


def test_what_is_emptied_goes_and_is_never_brought() -> None:
    server = StandIn(9)
    kept, deleted = server.post("Kept"), server.post("Sirens")
    server.post("[deleted by user]", author="[deleted]", selftext="[removed]")
    server.post("Titled", removed_by_category="moderator")
    with reading(server) as connector:
        page = connector.poll(None)
        assert {mention.native_id for mention in page.mentions} == {kept, deleted}
        assert (page.left_out, page.gone, page.sample) == (2, (), "deleted or removed")
        server.find(deleted).update(author="[deleted]", selftext="[deleted]", removed_by_category="deleted")
        page = connector.poll(page.cursor)
        assert (page.mentions, page.gone) == ((), (f"reddit:{deleted}",))
        page = connector.poll(page.cursor)
        assert (page.mentions, page.gone, page.left_out) == ((), (), 0)


def test_a_deleted_account_s_post_stays_and_names_nobody() -> None:
    server = StandIn()
    server.post("Sirens", author="[deleted]")
    server.post("Sirens too", author=None)
    with reading(server) as connector:
        assert [mention.author_key for mention in connector.poll(None).mentions] == ["", ""]


def test_private_messages_and_closed_subreddits_are_left_out() -> None:
    server = StandIn(9)
    server.post(
        "A reply", kind="t1", subject="username mention", context="/r/larkfield/comments/zz/title/yy/?context=3"
    )
    server.children.append({"kind": "t4", "data": {"name": "t4_1", "body": "psst", "subject": "hello"}})
    server.post("Secret", kind="t1", subreddit_type="private")
    with reading(server, read="mentions") as connector:
        page = connector.poll(None)
        (mention,) = page.mentions
        assert (mention.words, mention.thread) == ("A reply", "reddit:t3_zzz")
        assert mention.link == "https://www.reddit.com/r/larkfield/comments/zz/title/yy/"
        assert page.left_out == 2
        assert "psst" not in (page.cursor or "")
        assert connector.poll(page.cursor).left_out == 0
    log_in = next(call for call in server.calls if call.method == "POST")
    assert b"grant_type=refresh_token" in log_in.body
    assert b"r3fresh" in log_in.body


def test_an_address_that_would_name_a_person_is_given_without_the_name() -> None:
    server = StandIn()
    server.post("My page", permalink="/r/u_lou/comments/yyz/my_page/", subreddit="u_lou", subreddit_type="user")
    server.post("Sirens", permalink="/r/larkfield/comments/zz1/sirens/")
    with reading(server) as connector:
        links = [mention.link for mention in connector.poll(None).mentions]
    assert links[0] == "https://www.reddit.com/r/larkfield/comments/zz1/sirens/"
    assert links[1].startswith("https://www.reddit.com/comments/")


def test_reactions_are_kept_unless_reddit_hides_them() -> None:
    server = StandIn()
    server.post("Seen", score=-3, num_comments=4, num_crossposts=2)
    server.post("Hidden", score=1, hide_score=True, num_comments=0)
    with reading(server) as connector:
        hidden, seen = connector.poll(None).mentions
    assert (seen.likes, seen.replies, seen.shares) == (0, 4, 2)
    assert (hidden.likes, hidden.replies) == (None, 0)


# -- beside polling ---------------------------------------------------------------------------------------------------


def test_a_recheck_tells_deleted_missing_and_edited_from_what_stands() -> None:
    server = StandIn()
    stands, edited, emptied = (server.post(each, kind="t1") for each in ("Stands", "Once", "[removed]"))
    server.find(edited).update(body="Twice", edited=1781000400.0)
    with reading(server) as connector:
        assert isinstance(connector, Rechecks)
        names = (stands, edited, emptied, "t1_zzzz")
        looked = connector.recheck([Locator(f"reddit:{name}", name) for name in names])
    assert {mention.id: mention.text for mention in looked.found} == {
        f"reddit:{stands}": "Stands", f"reddit:{edited}": "Twice",
    }  # fmt: skip
    assert set(looked.gone) == {f"reddit:{emptied}", "reddit:t1_zzzz"}


def test_an_empty_answer_is_no_proof_that_many_posts_are_gone() -> None:
    with reading(StandIn()) as connector:
        locators = [Locator(f"reddit:t1_{each}", f"t1_{each}") for each in "abcdef"]
        with pytest.raises(TemporaryFailure, match="none of the posts"):
            connector.recheck(locators)
        assert connector.recheck(locators[:1]).gone == ("reddit:t1_a",)


def test_a_thread_comes_oldest_first_and_says_what_is_folded_away() -> None:
    server = StandIn()

    def comment(number: str, minutes: int, *below: dict[str, Any]) -> dict[str, Any]:
        at = (NOON + timedelta(minutes=minutes)).timestamp()
        replies = listing(list(below)) if below else ""
        data = {
            "name": f"t1_{number}",
            "body": f"Reply {number}",
            "created_utc": at,
            "link_id": "t3_zz",
            "replies": replies,
        }
        return {"kind": "t1", "data": data}

    more = {"kind": "more", "data": {"name": "t1_q", "count": 7, "children": ["q"]}}
    top = {"kind": "t3", "data": {"name": "t3_zz", "title": "Sirens?", "created_utc": NOON.timestamp()}}
    server.bodies["/comments/zz/"] = [
        listing([top]),
        listing([comment("a", 5, comment("b", 9, more)), comment("c", 7)]),
    ]
    with reading(server) as connector:
        assert isinstance(connector, Threads)
        page = connector.thread(Locator("reddit:t1_b", "t1_b", "https://www.reddit.com/comments/zz/_/b/"))
    assert [mention.words for mention in page.mentions] == ["Sirens?", "Reply a", "Reply c", "Reply b"]
    assert {mention.thread for mention in page.mentions} == {"reddit:t3_zz"}
    assert page.gap.startswith("7 comments")
    assert page.left_out == 0


def test_own_posts_are_those_of_the_account_behind_the_refresh_token() -> None:
    server = StandIn()
    server.bodies["/api/v1/me"] = {"name": "larkfield_police"}
    server.post("Road closed")
    with reading(server) as connector:
        assert isinstance(connector, OwnPosts)
        (mention,) = connector.own_posts().mentions
        assert mention.voice is Voice.OWN
        assert any(path.startswith("/user/larkfield_police/overview") for path in server.asked)
        (mention,) = connector.poll(None).mentions
        assert mention.voice is Voice.PUBLIC
    without = {name: value for name, value in SECRETS.items() if "REFRESH" not in name}
    with reading(StandIn(), without) as connector, pytest.raises(NotConfigured, match="REFRESH_TOKEN"):
        connector.own_posts()


def test_a_backfill_reads_the_span_and_says_where_reddit_ends() -> None:
    server = StandIn()
    for number in range(7):
        server.post(f"Post {number}", NOON - timedelta(days=7 - number))
    with reading(server) as connector:
        assert isinstance(connector, Backfills)
        spans = {}
        for days in (4, 30):
            texts, cursor, gap = [], None, ""
            for _ in range(9):
                page = connector.backfill(NOON - timedelta(days=days), NOON - timedelta(days=1), cursor)
                texts += [mention.words for mention in page.mentions]
                cursor, gap = page.cursor, page.gap
                if not page.more:
                    break
            spans[days] = (texts, bool(gap))
    assert spans[4] == (["Post 5", "Post 4", "Post 3"], False)
    assert spans[30] == (["Post 5", "Post 4", "Post 3", "Post 2", "Post 1", "Post 0"], True)


# -- praw -------------------------------------------------------------------------------------------------------------


def test_a_settings_file_in_the_working_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from praw.config import Config

    monkeypatch.setattr(Config, "CONFIG", None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("praw_site", "nowhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "praw.ini").write_text("[DEFAULT]\noauth_url=https://thief.example\ncomment_kind=t3\ntimeout=none\n")
    server = StandIn()
    server.post("Sirens")
    with warnings.catch_warnings(), reading(server) as connector:
        warnings.simplefilter("error")
        assert [mention.words for mention in connector.poll(None).mentions] == ["Sirens"]


def test_what_is_left_of_an_allowance_makes_no_pause_of_praw_s_but_tells_the_schedule() -> None:
    server = StandIn()
    server.post("Sirens")
    spent = {**JSON, "x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "300"}
    with reading(server) as connector:
        plain = StandIn.answer
        server.answer = lambda asked: Reply(plain(server, asked).body, headers=spent)  # type: ignore[method-assign]
        page = connector.poll(None)
        assert page.not_before == NOON + timedelta(minutes=5)
        assert connector.poll(page.cursor).mentions == ()


def test_one_log_in_serves_many_polls_and_says_who_we_are() -> None:
    server = StandIn()
    with reading(server) as connector:
        cursor = None
        for _ in range(4):
            cursor = connector.poll(cursor).cursor
    assert [call.method for call in server.calls] == ["POST", "GET", "GET", "GET", "GET"]
    assert {call.headers["User-Agent"] for call in server.calls} == {"EarshotTest/1"}
    assert b"client_credentials" in server.calls[0].body


def test_neither_client_library_is_loaded_before_it_is_needed() -> None:
    libraries = "('praw', 'prawcore', 'tweepy')"
    code = f"import sys, listener.connectors; print([each for each in {libraries} if each in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# -- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "subreddit"),
        ({"subreddit": "two words"}, "subreddit"),
        ({"subreddit": "../../api"}, "subreddit"),
        ({"read": "search", "subreddit": "london"}, "query"),
        ({"read": "hot", "subreddit": "london"}, "read"),
    ],
)
def test_each_read_names_what_it_needs(options: dict[str, str], words: str) -> None:
    with closing(reach()) as fetch, pytest.raises(UserError, match=words):
        build_connector("reddit", source(), options, tools(fetch, Clock()))


def test_a_subreddit_may_be_given_as_people_write_it_and_several_together() -> None:
    for given, path in (("/r/London/", "/r/London/new"), ("london+uknews", "/r/london+uknews/new")):
        server = StandIn()
        with reading(server, subreddit=given) as connector:
            connector.poll(None)
        assert [urlsplit(call.path).path for call in server.calls] == ["/api/v1/access_token", path]


def test_times_are_utc() -> None:
    server = StandIn()
    server.post("Sirens", datetime(2026, 6, 9, 10, 30, tzinfo=UTC))
    with reading(server) as connector:
        (mention,) = connector.poll(None).mentions
    assert mention.published_at == datetime(2026, 6, 9, 10, 30, tzinfo=UTC)
