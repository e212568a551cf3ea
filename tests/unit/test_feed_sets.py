"""Recorded feeds in every dialect are read at least as well as feedparser reads them; and better where it is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import feedparser
import pytest

from listener.feeds import ParsedFeed, Setting, parse_feed
from listener.markup import safe_link
from mentions.failures import Failure

URL = "https://site.example/feed"
SETTING = Setting("s", URL, ZoneInfo("Europe/London"), datetime(2026, 11, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Compared:
    """One document read twice: entries and links that feedparser finds, and how many of them we do."""

    name: str
    entries: int
    links: int
    our_entries: int
    our_links: int

    @property
    def is_as_good(self) -> bool:
        return self.our_entries >= 0.98 * self.entries and self.our_links >= 0.9 * self.links


def ours(body: bytes) -> ParsedFeed:
    try:
        return parse_feed(body, None, SETTING)
    except Failure:
        return ParsedFeed((), {})


def compare(file: Path) -> Compared:
    """Entries that a document repeats word for word are one."""
    body = file.read_bytes()
    theirs = {repr(sorted(entry.items())): entry for entry in feedparser.parse(body).entries}.values()
    feed = ours(body)
    wanted = {safe_link(entry["link"], URL) for entry in theirs if entry.get("link")}
    return Compared(file.name, len(theirs), len(wanted), len(feed.items), len(wanted & {i.link for i in feed.items}))


@pytest.mark.parametrize(
    ("folder", "files", "at_least"),
    [("real2026", 42, 41), ("fastfeedparser", 3, 3), ("feedjira", 8, 8), ("feedparser_wellformed", 60, 60)],
)
def test_every_set_is_read_as_well_as_feedparser_reads_it(shared: Path, folder: str, files: int, at_least: int) -> None:
    found = [compare(file) for file in sorted((shared / "recorded/feeds" / folder).iterdir())]
    assert len(found) == files
    assert sum(each.is_as_good for each in found) >= at_least, [each for each in found if not each.is_as_good]
    assert sum(each.our_entries for each in found) >= 0.98 * sum(each.entries for each in found)
    assert sum(each.our_links for each in found) >= 0.9 * sum(each.links for each in found)


def test_every_item_of_a_live_feed_has_words_and_a_date_unless_it_claims_the_year_one(shared: Path) -> None:
    for file in sorted((shared / "recorded/feeds/real2026").iterdir()):
        items = ours(file.read_bytes()).items
        assert items, file.name
        assert all(item.title or item.text for item in items), file.name
        undated = sum(item.published_at is None for item in items)
        assert undated <= file.read_bytes().count(b"Jan 0001"), file.name


def test_json_feeds_are_read_whole_although_feedparser_finds_nothing(shared: Path) -> None:
    for name in ("fastfeedparser/json_feed_sample.json", "feedjira/json_feed.json"):
        body = (shared / "recorded/feeds" / name).read_bytes()
        items = ours(body).items
        assert len(items) == body.count(b'"date_published"'), name
        assert all(item.link and item.published_at and (item.title or item.text) for item in items), name
