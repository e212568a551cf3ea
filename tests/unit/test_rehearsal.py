import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest

from listener.rehearsal.plan import plan, read_setting
from listener.rehearsal.posts import Board, Posts, Shape, boards, load_posts
from listener.rehearsal.published import FEED_ITEMS, FORUM_PAGE, FeedBoard, ForumBoard, Paging, StatusBoard
from listener.rehearsal.shapes import atom_document, atom_entry, author_of, followers_of, mastodon_status
from listener.rows import reach_of
from mentions.failures import UserError
from mentions.mention import Reach, Voice

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def rows(count: int, gap: timedelta = MINUTE, **given: object) -> list[dict[str, object]]:
    told = {"platform": "x", "text": "words", **given}
    return [{"id": f"{told['platform']}:{n}", "time": (START + gap * n).isoformat(), **told} for n in range(count)]


@pytest.fixture
def load(tmp_path: Path) -> "Load":
    return Load(tmp_path)


class Load:
    """Writes rows to a file and reads them as an exercise's posts."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rows.jsonl"

    def __call__(self, given: Sequence[object], **times: datetime) -> Posts:
        self.file.write_text("\n".join(json.dumps(row) for row in given), "utf-8")
        return load_posts([self.file], **times)

    def board(self, given: Sequence[object]) -> Board:
        (board,) = boards(self(given).posts)
        return board


def test_posts_are_played_in_order_of_time_and_numbered(load: Load) -> None:
    posts = load([*rows(3)[::-1]])
    assert [(post.number, post.row.id) for post in posts.posts] == [(1, "x:0"), (2, "x:1"), (3, "x:2")]
    assert (posts.first_at, posts.last_at) == (START, START + 2 * MINUTE)


def test_what_cannot_be_played_is_skipped_with_its_reason(load: Load) -> None:
    good = rows(1)[0]
    posts = load(
        [good, {**good, "text": "again"}, {**good, "id": "x:9", "time": None}, {**good, "id": "x:8", "text": ""}, [1]]
    )
    assert len(posts.posts) == 1
    assert [(bad.line, bad.reason.partition(":")[0]) for bad in posts.skipped] == [
        (2, "id"),
        (3, "time"),
        (4, "text"),
        (5, "expected a JSON object, found a list"),
    ]


def test_a_window_takes_its_start_and_leaves_its_end(load: Load) -> None:
    posts = load(rows(5), start=START + MINUTE, end=START + 3 * MINUTE)
    assert [post.row.id for post in posts.posts] == ["x:1", "x:2"]
    assert not posts.skipped


def test_each_platform_is_read_as_the_software_it_resembles(load: Load) -> None:
    platforms = ["rss", "headline", "news", "blog", "forum", "x", "facebook", "reddit", "youtube", "mastodon"]
    shapes = [load(rows(1, platform=platform)).posts[0].shape for platform in platforms]
    assert shapes == [Shape.FEED] * 4 + [Shape.FORUM] + [Shape.MASTODON] * 5


def test_a_board_is_named_by_its_feed_or_site_else_its_links_house_else_its_platform(load: Load) -> None:
    given = [
        {"platform": "rss", "feed": "BBC_News"},
        {"platform": "forum", "site": "se5forum.org.uk"},
        {"platform": "rss", "link": "https://www.wexnews.example/1"},
        {"platform": "twitter", "link": "https://x.example/1"},
    ]
    names = [load(rows(1, **{"text": "a", **row})).posts[0].board for row in given]
    assert names == ["bbc-news", "se5forum-org-uk", "wexnews-example", "x"]


def test_sources_are_planned_once_for_each_board_with_unique_names(load: Load) -> None:
    given = [
        *rows(2, platform="rss", feed="wex", link="https://www.wexpost.example/1"),
        *rows(2, platform="forum", site="wex", link="https://www.wextalk.example/1"),
        *rows(2, platform="x"),
        *rows(1, platform="blog", source="own", voice="official"),
    ]
    specs = {spec.name: spec for spec in plan(load(given).posts, "http://127.0.0.1:1", {"wex": ["Wexmoor"]})}
    assert {name: spec.kind for name, spec in specs.items()} == {
        "own": "feed",
        "wex-feed": "feed",
        "wex-forum": "forum",
        "x": "mastodon",
    }
    assert specs["wex-forum"].options == {"url": "http://127.0.0.1:1/forums/wex", "software": "discourse"}
    assert (specs["wex-forum"].publisher, specs["wex-forum"].boroughs) == ("wextalk.example", ("Wexmoor",))
    assert (specs["wex-feed"].voice, specs["own"].voice, specs["x"].voice) == (
        Voice.PRESS,
        Voice.OFFICIAL,
        Voice.PUBLIC,
    )


def test_a_scenario_may_tell_its_places_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[places]\n"Old Quay" = ["Wexmoor"]\n[patches]\n"talk" = ["Wexmoor"]\n')
    setting = read_setting([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert (setting.places, setting.patches) == ({"Old Quay": ("Wexmoor",)}, {"talk": ("Wexmoor",)})


@pytest.mark.parametrize("text", ["[places", 'places = "here"', '[places]\n"Old Quay" = "Wexmoor"'])
def test_a_file_of_places_that_is_odd_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(UserError, match=r"a\.toml"):
        read_setting([tmp_path / "a.jsonl"])


def test_a_feed_shows_its_newest_items_and_never_less_than_three_hours(load: Load) -> None:
    def shown(gap: timedelta) -> int:
        feed = FeedBoard(load.board(rows(300, gap, platform="rss", feed="f")))
        document = feed.document(START + gap * 400)
        return len(feedparser.parse(document.body.decode()).entries)

    assert shown(timedelta(hours=1)) == FEED_ITEMS
    assert shown(MINUTE) == 181


def test_a_feed_stays_the_same_document_until_more_falls_due(load: Load) -> None:
    feed = FeedBoard(load.board(rows(2, platform="rss", feed="f")))
    first = feed.document(START)
    assert feed.document(START + MINUTE / 2) is first
    assert feed.document(START + MINUTE).etag != first.etag
    assert feed.document(START - MINUTE).modified == ""


def test_control_characters_never_make_a_feed_unreadable(load: Load) -> None:
    board = load.board(rows(1, platform="rss", feed="f", title="Bell\x07 & \x1b[0m <b>", text="a\ufffe ]]> &nbsp; b"))
    parsed = feedparser.parse(FeedBoard(board).document(START).body.decode())
    assert not parsed.bozo
    assert parsed.entries[0].title == "Bell &amp; [0m &lt;b&gt;"
    atom = feedparser.parse(atom_document(board, [atom_entry(post) for post in board.posts]).decode())
    assert not atom.bozo


def test_a_forum_pages_downwards_by_post_id(load: Load) -> None:
    forum = ForumBoard(load.board(rows(120, platform="forum", site="f", title="One topic")))
    now = START + timedelta(hours=9)
    newest = json.loads(forum.document(now).body)["latest_posts"]
    assert [post["id"] for post in newest] == list(range(1120, 1120 - FORUM_PAGE, -1))
    older = json.loads(forum.document(now, before=1070).body)["latest_posts"]
    assert older[0]["id"] == 1070
    assert json.loads(forum.document(now, before=1000).body)["latest_posts"] == []
    assert {post["topic_id"] for post in newest} == {11}
    assert newest[0]["post_number"] == 120


def test_threads_and_titles_make_topics(load: Load) -> None:
    given = rows(4, platform="forum", site="f")
    given[0] |= {"title": "Bins", "thread": "t1"}
    given[1] |= {"title": "Re: Bins", "thread": "t1"}
    given[2] |= {"title": "Bins"}
    forum = ForumBoard(load.board(given))
    posts = json.loads(forum.document(START + timedelta(hours=1)).body)["latest_posts"][::-1]
    assert [post["topic_id"] for post in posts] == [11, 11, 12, 13]
    assert [post["topic_title"] for post in posts] == ["Bins", "Bins", "Bins", "words"]


def test_a_timeline_never_shows_what_is_not_out_yet(load: Load) -> None:
    board = StatusBoard(load.board(rows(10)))
    body, newest, oldest = board.page(START + 3 * MINUTE, Paging(limit=40, min_id=0))
    assert json.loads(body)[0]["created_at"] == "2026-03-10T09:03:00.000Z"
    assert (newest, oldest) == (board.ids[3], board.ids[0])
    assert board.page(START - MINUTE, Paging()) == (b"[]", 0, 0)


def test_ids_rise_within_one_millisecond(load: Load) -> None:
    ids = StatusBoard(load.board(rows(50, timedelta(0)))).ids
    assert ids == sorted(set(ids))


def test_a_time_is_kept_to_the_millisecond(load: Load) -> None:
    post = load([{**rows(1)[0], "time": "2026-03-10T09:00:00.123456Z"}]).posts[0]
    assert mastodon_status(post, 1)["created_at"] == "2026-03-10T09:00:00.123Z"


def test_an_exported_author_key_still_tells_authors_apart(load: Load) -> None:
    given = rows(3)
    given[0]["author_key"] = given[1]["author_key"] = "00112233445566ff"
    first, second, third = map(author_of, load(given).posts)
    assert first == second != third


def test_the_reach_band_of_an_export_stays_the_same(load: Load) -> None:
    given = rows(4)
    for row, reach in zip(given, Reach, strict=True):
        row["reach"] = reach.value
    assert [reach_of(followers_of(post)) for post in load(given).posts] == list(Reach)
