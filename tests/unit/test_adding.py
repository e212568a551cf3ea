"""Addresses as sources, the settings file that grows, and the registry of known sites."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from config.appending import CannotAppend, append_table, as_toml
from config.known_sources import find_known, known_sources
from config.load import load
from config.problems import SettingsError
from config.settings import SourceSettings
from config.strategy import DEFAULTS, borough_names
from listener.adding import find_terms, name_of
from listener.addresses import read_address, recognise_address
from listener.connectors import CONNECTORS
from listener.start import find_problems
from mentions.failures import UserError
from tests.conftest import ROOT

# -- addresses --------------------------------------------------------------------------------------------------------

CHANNEL = "UCabcdefghij1234567890AB"
UPLOADS = {"read": "uploads", "channel_id": CHANNEL}
PLATFORMS = [
    (f"https://www.youtube.com/channel/{CHANNEL}", "youtube", UPLOADS),
    (f"https://www.youtube.com/feeds/videos.xml?channel_id={CHANNEL}", "youtube", UPLOADS),
    ("https://youtu.be/abcDEF12345", "youtube", {"read": "comments", "video_id": "abcDEF12345"}),
    ("old.reddit.com/r/london/comments/1/x", "reddit", {"read": "new", "subreddit": "london"}),
    ("https://x.com/larkfieldpolice", "x", {"read": "search", "query": "@larkfieldpolice"}),
    ("https://twitter.com/hashtag/larkfield?src=x", "x", {"read": "search", "query": "#larkfield"}),
    ("https://x.com/search?q=larkfield%20police", "x", {"read": "search", "query": "larkfield police"}),
    ("https://m.facebook.com/larkfieldpolice/", "facebook", {"read": "feed", "page_id": "larkfieldpolice"}),
    ("https://www.facebook.com/profile.php?id=12345", "facebook", {"read": "feed", "page_id": "12345"}),
    ("https://www.facebook.com/pages/Larkfield-Police/12345", "facebook", {"read": "feed", "page_id": "12345"}),
    ("https://bsky.app/hashtag/larkfield", "bluesky", {"read": "search", "query": "#larkfield"}),
    ("https://bsky.app/profile/larkfield.example", "feed", {"url": "https://bsky.app/profile/larkfield.example/rss"}),
    ("https://www.flickr.com/photos/12345678@N00/", "flickr", {"read": "photos", "user_id": "12345678@N00"}),
    ("https://www.flickr.com/photos/someone/51234567890", "flickr", {"read": "comments", "photo_id": "51234567890"}),
    ("https://www.flickr.com/search/?text=larkfield", "flickr", {"read": "search", "query": "larkfield"}),
    ("https://social.example/tags/Larkfield", "mastodon", {"api_root": "https://social.example", "tag": "Larkfield"}),
    ("https://social.example/@police", "feed", {"url": "https://social.example/@police.rss"}),
    ("https://social.example/@police@other.example", "feed", {"url": "https://other.example/@police.rss"}),
]  # fmt: skip


@pytest.mark.parametrize(("url", "kind", "options"), PLATFORMS, ids=[url for url, _, _ in PLATFORMS])
def test_a_platform_s_own_address_becomes_the_source_that_reads_it(
    url: str, kind: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("x", "reddit", "youtube", "facebook", "flickr", "bluesky"):
        if each not in CONNECTORS:
            monkeypatch.setitem(CONNECTORS, each, CONNECTORS["feed"])
    found = recognise_address(read_address(url))
    assert found is not None
    assert (found.kind, found.options) == (kind, options)
    assert SourceSettings(name=found.name, kind=found.kind)


@pytest.mark.parametrize(
    "url", ["https://news.example/a", "https://www.youtube.com/@police", "https://medium.com/@someone"]
)
def test_other_addresses_have_to_be_looked_at(url: str) -> None:
    assert recognise_address(read_address(url)) is None


@pytest.mark.parametrize(
    "url", ["https://uk.nextdoor.com/x", "https://t.me/x", "https://reddit.com/user/x", "https://x.com/a/b"]
)
def test_what_nobody_may_read_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(UserError, match=r"cannot be listened to|only a subreddit|add an account"):
        recognise_address(read_address(url))


@pytest.mark.parametrize(
    "text", ["", "   ", "http://", "http://[::1", "javascript:alert(1)", "http://a b.example", "http://u:p@a.example"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="no web address"):
        read_address(text)


def test_a_source_is_called_what_its_page_or_feed_calls_itself() -> None:
    assert name_of("<html><title>\n A &amp; B: News | Home </title>", "a.example") == "A & B News Home"
    assert name_of("<rss><channel><title><![CDATA[Ours]]></title>", "a.example") == "Ours"
    assert name_of('{"version": "https://jsonfeed.org/version/1", "title": "Ours"}', "a.example") == "Ours"
    assert name_of("<html>", "a.example") == "a.example"
    assert len(name_of(f"<title>{'long ' * 40}</title>", "a.example")) <= 60


def test_the_terms_of_a_page_are_found_by_their_link() -> None:
    assert find_terms('<a href="/help/terms/">Rules</a>', "https://a.example/x") == "https://a.example/help/terms/"
    assert (
        find_terms('<a class=x href="/9">Terms and <b>Conditions</b></a>', "https://a.example/")
        == "https://a.example/9"
    )
    assert (
        find_terms('<a href="javascript:1">Terms of use</a><a href="/short-term">Let</a>', "https://a.example/") == ""
    )


# -- the settings file ------------------------------------------------------------------------------------------------

TABLE = {
    "name": "A name",
    "kind": "feed",
    "url": "https://a.example/feed",
    "publisher": 'quoted "so" \\ here',
    "boroughs": ["Camden"],
    "verified": True,
}


def check(path: Path) -> None:
    problems = list(find_problems(load(path, {}), str(path)))
    if problems:
        raise SettingsError(problems)


@pytest.mark.parametrize(
    "text", ["", "# only this", 'force = "Ours"\n\n[places]\n"A" = ["Camden"]', 'force = "Ours"\r\n']
)
def test_a_table_is_put_behind_everything_else_byte_for_byte(tmp_path: Path, text: str) -> None:
    path = tmp_path / "earshot.toml"
    path.write_bytes(text.encode())
    path.chmod(0o640)
    append_table(path, "sources", TABLE, check)
    after = path.read_bytes()
    assert after.startswith(text.encode())
    assert tomllib.loads(after.decode())["sources"] == [TABLE]
    assert (b"\r\n" in text.encode()) == (b"\r\n" in after.removeprefix(text.encode()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    append_table(path, "sources", {**TABLE, "name": "second"}, check)
    assert len(tomllib.loads(path.read_bytes().decode())["sources"]) == 2


@pytest.mark.parametrize("allowed", [True, False])
def test_the_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: bool) -> None:
    path = tmp_path / "earshot.toml"
    path.write_text("", "utf-8")
    given: list[tuple[int, int]] = []

    def chown(changed: Path, uid: int, gid: int) -> None:
        given.append((uid, gid))
        if not allowed:
            raise PermissionError

    monkeypatch.setattr(os, "chown", chown)
    owner = path.stat()
    append_table(path, "sources", {"name": "a"}, lambda file: None)
    assert given == [(owner.st_uid, owner.st_gid)]
    assert 'name = "a"' in path.read_text("utf-8")


def test_a_table_that_makes_the_settings_unusable_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "earshot.toml"
    path.write_text("", "utf-8")
    append_table(path, "sources", TABLE, check)
    before = path.read_bytes()
    with pytest.raises(SettingsError) as caught:
        append_table(path, "sources", TABLE, check)
    assert str(caught.value).startswith(f"{path}: sources[2].name: found")
    with pytest.raises(SettingsError):
        append_table(path, "sources", {**TABLE, "name": "b", "kind": "nope"}, check)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


def test_settings_that_list_their_sources_inline_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "earshot.toml"
    path.write_text("sources = []\n", "utf-8")
    with pytest.raises(SettingsError, match="bad TOML"):
        append_table(path, "sources", TABLE, check)
    assert path.read_text("utf-8") == "sources = []\n"


def test_a_file_that_somebody_changes_meanwhile_is_left_as_they_made_it(tmp_path: Path) -> None:
    path = tmp_path / "earshot.toml"
    path.write_text("", "utf-8")

    def meddle(each: Path) -> None:
        if each != path:
            path.write_text("# theirs\n", "utf-8")

    with pytest.raises(CannotAppend, match="meanwhile"):
        append_table(path, "sources", TABLE, meddle)
    assert path.read_text("utf-8") == "# theirs\n"


def test_a_link_to_the_settings_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "earshot.toml"
    real.write_text("", "utf-8")
    link.symlink_to(real)
    append_table(link, "sources", TABLE, check)
    assert link.is_symlink()
    assert "a.example" in real.read_text("utf-8")


def test_what_cannot_be_written_is_said_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 245}.toml"  # no room for the longer name of a trial, which not even root can write
    path.write_text("", "utf-8")
    with pytest.raises(CannotAppend, match="cannot be written"):
        append_table(path, "sources", TABLE, check)
    assert path.read_text("utf-8") == ""


@pytest.mark.parametrize(
    "value", ["plain", 'a "b" \\ c', "tab\tline\nend", "\x00\x1f\x7f", "ü \U0001f6a8 \u2028", True, 7, ["a", "b"]]
)
def test_values_come_back_from_toml_as_they_were(value: object) -> None:
    assert tomllib.loads(f"a = {as_toml(value)}")["a"] == value


# -- known sites ------------------------------------------------------------------------------------------------------


def test_every_known_site_could_be_a_source_as_it_stands() -> None:
    boroughs = set(borough_names())
    names = [each.name.casefold() for each in known_sources()]
    assert len(names) == len(set(names)) >= 100
    for each in known_sources():
        SourceSettings(name=each.name, kind=each.kind or "feed", every=each.every, voice=each.voice or "public")
        assert set(each.boroughs) <= boroughs, each.name
        assert read_address(each.url).url.startswith("https://")
        assert each.group in ("forum", "press", "council", "police", "watchdog")
        assert not each.verified, "say who saw it, and when, before you set this"
        if each.kind:
            CONNECTORS[each.kind].Options(url=each.url, **({"software": each.software} if each.software else {}))


def test_every_borough_has_its_council_s_news() -> None:
    councils = [each.boroughs for each in known_sources() if each.group == "council"]
    assert {borough for each in councils for borough in each} == set(borough_names())


def test_the_example_and_the_registry_say_the_same_of_a_site() -> None:
    example = tomllib.loads((ROOT / "config" / "example.toml").read_text("utf-8"))["sources"]
    for source in example:
        known = find_known(source["name"])
        if source["kind"] in ("feed", "forum"):
            assert known is not None, source["name"]
        if known:
            assert (known.url, known.kind, known.software) == (
                source["url"],
                source["kind"],
                source.get("software", ""),
            )
            assert list(known.boroughs) == source.get("boroughs", [])
            assert (known.voice or "public", known.every) == (source.get("voice", "public"), source["every"])


def test_the_patches_of_known_sites_are_those_that_places_are_found_by() -> None:
    patches = tomllib.loads((DEFAULTS / "forums.toml").read_text("utf-8"))["patches"]
    for each in known_sources():
        host = read_address(each.url).host
        if host in patches:
            assert sorted(each.boroughs) == sorted(patches[host]), each.name
