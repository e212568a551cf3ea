"""The built-in scenario: the day it promises, on one borough that does not exist."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.rehearsal.plan import read_setting
from listener.rehearsal.posts import Posts, Shape, boards, load_posts

DEFAULTS = Path(__file__).parent.parent.parent / "config" / "defaults"
SCENARIO = DEFAULTS / "exercise.jsonl"
DAY = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def posts() -> Posts:
    return load_posts([SCENARIO])


def published(posts: Posts, start: float, end: float) -> int:
    since, until = DAY + timedelta(hours=start), DAY + timedelta(hours=end)
    return sum(since <= post.at < until for post in posts.posts)


def test_about_four_hundred_posts_from_five_sources_through_three_connectors(posts: Posts) -> None:
    held = boards(posts.posts)
    assert not posts.skipped
    assert 380 <= len(posts.posts) <= 430
    assert len(held) == 5
    assert {board.shape for board in held} == set(Shape)


def test_the_table_of_the_scenarios_page_is_right(posts: Posts) -> None:
    page = (DEFAULTS / "exercise.md").read_text("utf-8")
    told = sorted(int(count) for count in re.findall(r"\| (\d+) \|$", page, re.MULTILINE))
    assert told == sorted(len(board.posts) for board in boards(posts.posts))


def test_the_day_goes_from_calm_over_a_surge_to_calm(posts: Posts) -> None:
    morning = max(published(posts, 6 + n / 12, 6 + (n + 1) / 12) for n in range(84))
    peak = max(published(posts, 13 + n / 12, 13 + (n + 1) / 12) for n in range(30))
    assert morning <= 3
    assert 10 <= peak <= 15
    assert published(posts, 13.33, 15.5) > 150
    assert published(posts, 20, 24) < 20
    assert 5 < published(posts, 24, 36) < 20


def test_every_text_is_another(posts: Posts) -> None:
    said = Counter(post.row.text for post in posts.posts)
    assert [text for text, times in said.items() if times > 1] == []
    assert all(40 <= len(text) <= 280 for text in said)


def test_the_borough_and_its_houses_are_invented(posts: Posts) -> None:
    links = [post.row.link for post in posts.posts if post.row.link]
    links += re.findall(r"https?://\S+", " ".join(post.row.text for post in posts.posts))
    assert links
    assert all(re.match(r"https://[a-z.]+\.example/", link) for link in links)
    setting = read_setting([SCENARIO])
    assert {borough for told in setting.places.values() for borough in told} == {"Wexmoor"}
    assert set(setting.patches) <= {board.name for board in boards(posts.posts)}


def test_nobody_is_named_by_more_than_a_handle(posts: Posts) -> None:
    authors = {post.row.author for post in posts.posts} - {""}
    assert all(re.fullmatch(r"[a-z0-9_]+", author) for author in authors)
    assert len(authors) > 100
