"""Recorded answers of YouTube, Facebook and Flickr, replayed whole: as many items, with their ids, times and words."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from listener.connector import Locator
from mentions.failures import TemporaryFailure
from tests.platform_cases import found, nothing_new, polled, reading
from tests.recorded_traffic import Exchange, RecordedServer, read_recording


def words(markup: str) -> str:
    """A text of a recording as a reader sees it, told without the code under test."""
    return " ".join(html.unescape(re.sub(r"<[a-zA-Z/!][^>]*>", " ", markup)).split())


def flat(text: str) -> str:
    return " ".join(text.split())


def at(text: str) -> datetime:
    return datetime.strptime(text.replace("Z", "+0000").replace(".000", ""), "%Y-%m-%dT%H:%M:%S%z")


def plain_json(folder: Path, name: str, path: str, status: int = 200, **query: str) -> Exchange:
    return Exchange("GET", f"{path}?{urlencode(query)}", status, (folder / name).read_bytes())


# -- YouTube ----------------------------------------------------------------------------------------------------------


def videos(*pages: Exchange) -> dict[str, Any]:
    return {
        row["id"]["videoId"]: row["snippet"]
        for page in pages
        for row in page.json["items"]
        if row["id"]["kind"] == "youtube#video"
    }


@pytest.mark.parametrize("pages", [1, 2])
def test_a_recorded_search_of_youtube_comes_whole(shared: Path, pages: int) -> None:
    folder = shared / "recorded/youtube"
    recorded = [plain_json(folder, "search_by_keywords_p1.json", "/youtube/v3/search")]
    token = recorded[0].json["nextPageToken"]
    recorded.append(plain_json(folder, "search_by_keywords_p2.json", "/youtube/v3/search", pageToken=token))
    expected = videos(*recorded[:pages])
    with RecordedServer(recorded) as server, reading("youtube", server, query="surf", pages=pages) as connector:
        tried = polled(connector)
    assert (tried.state, tried.left_out, nothing_new(tried)) == ("ok", 0, True)
    assert [each.native_id for each in found(tried)] == list(expected)
    for each in found(tried):
        snippet = expected[each.native_id]
        assert each.published_at == at(snippet["publishedAt"])
        assert flat(each.title) == words(snippet["title"])
        assert flat(each.text) == words(snippet["description"])


def test_recorded_comments_of_youtube_come_whole(shared: Path) -> None:
    folder, path = shared / "recorded/youtube", "/youtube/v3/commentThreads"
    first = plain_json(folder, "comment_threads_by_video_paged_1.json", path)
    second = plain_json(
        folder, "comment_threads_by_video_paged_2.json", path, pageToken=first.json["nextPageToken"]
    )  # fmt: skip
    rows = [row["snippet"]["topLevelComment"] for page in (first, second) for row in page.json["items"]]
    expected = {row["id"]: row["snippet"] for row in rows}
    with (
        RecordedServer([first, second]) as server,
        reading("youtube", server, read="comments", video_id="F1UP7wRCPH8", pages=2) as connector,
    ):
        tried = polled(connector)
    assert (tried.state, nothing_new(tried)) == ("ok", True)
    assert [each.native_id for each in found(tried)] == list(expected)
    for each in found(tried):
        assert each.published_at == at(expected[each.native_id]["publishedAt"])
        assert flat(each.text) == words(expected[each.native_id]["textDisplay"])


def test_recorded_uploads_of_youtube_come_whole(shared: Path) -> None:
    recorded = plain_json(
        shared / "recorded/youtube", "playlist_items_paged_1.json", "/youtube/v3/playlistItems"
    )  # fmt: skip
    expected = {row["snippet"]["resourceId"]["videoId"]: row["snippet"] for row in recorded.json["items"]}
    with (
        RecordedServer([recorded]) as server,
        reading("youtube", server, read="uploads", channel_id="UC_x5XG1OV2P6uZZ5FSM9Ttw") as connector,
    ):
        tried = polled(connector)
        assert "playlistId=UU_x5XG1OV2P6uZZ5FSM9Ttw" in next(iter(server.asked))
    assert (tried.state, nothing_new(tried)) == ("ok", True)
    assert [each.native_id for each in found(tried)] == list(expected)
    for each in found(tried):
        snippet = expected[each.native_id]
        assert (each.published_at, flat(each.title)) == (at(snippet["publishedAt"]), words(snippet["title"]))
        assert flat(each.text) == words(snippet["description"])


def test_a_recorded_error_of_youtube_needs_a_person(shared: Path) -> None:
    recorded = plain_json(shared / "recorded/youtube", "error_response.json", "/youtube/v3/search", 400)
    with RecordedServer([recorded]) as server, reading("youtube", server, query="surf") as connector:
        tried = polled(connector)
    assert (tried.state, len(server.calls)) == ("needs_attention", 1)
    assert "keyInvalid" in tried.reason


def test_recorded_videos_are_found_again_and_others_are_gone(shared: Path) -> None:

    recorded = plain_json(shared / "recorded/youtube", "videos_info_multi.json", "/youtube/v3/videos")
    ids = ["D-lhorsDlUQ", "ovdbrdCIP7U", "gone0000000"]
    with RecordedServer([recorded]) as server, reading("youtube", server, query="x") as connector:
        again = connector.recheck([Locator(f"youtube:{each}", each) for each in ids])
    assert [each.native_id for each in again.found] == ids[:2]
    assert again.gone == ("youtube:gone0000000",)


# -- Facebook ---------------------------------------------------------------------------------------------------------


def test_a_recorded_feed_of_facebook_comes_whole(shared: Path) -> None:
    recorded = plain_json(shared / "recorded/facebook", "feeds_default_fields_p1.json", "/v25.0/19292868552/feed")
    with RecordedServer([recorded]) as server, reading("facebook", server, page_id="19292868552") as connector:
        tried = polled(connector)
    rows = recorded.json["data"]
    assert (tried.state, tried.left_out, nothing_new(tried)) == ("ok", 0, True)
    for each, row in zip(found(tried), rows, strict=True):
        assert (each.native_id, each.published_at) == (row["id"], at(row["created_time"]))
        assert (flat(each.text), each.link) == (words(row["message"]), row["permalink_url"])
        assert each.likes == row["reactions"]["summary"]["total_count"]
        assert (each.shares, each.replies) == (row["shares"]["count"], row["comments"]["summary"]["total_count"])


def test_recorded_comments_of_facebook_go_by_the_ids_in_their_links(shared: Path) -> None:
    post = "19292868552_10158407654328553"
    recorded = plain_json(shared / "recorded/facebook", "comments_p1.json", f"/v25.0/{post}/comments")
    with (
        RecordedServer([recorded]) as server,
        reading("facebook", server, page_id="19292868552", read="comments", post_id=post) as connector,
    ):
        tried = polled(connector)
    assert (tried.state, nothing_new(tried)) == ("ok", True)
    for each, row in zip(found(tried), recorded.json["data"], strict=True):
        assert each.native_id == re.findall(r"comment_id=(\d+)", row["permalink_url"])[-1]
        assert (flat(each.text), each.published_at) == (words(row["message"]), at(row["created_time"]))


def test_recorded_posts_are_found_again(shared: Path) -> None:

    recorded = plain_json(shared / "recorded/facebook", "multi_posts_data.json", "/v25.0")
    rows = recorded.json
    with RecordedServer([recorded]) as server, reading("facebook", server, page_id="19292868552") as connector:
        again = connector.recheck([Locator(f"facebook:{each}", each) for each in (*rows, "19292868552_1")])
    assert [(each.native_id, flat(each.text)) for each in again.found] == [
        (key, words(row["message"])) for key, row in rows.items()
    ]
    assert again.gone == ("facebook:19292868552_1",)


@pytest.mark.parametrize("status", [200, 400])
def test_a_recorded_error_of_facebook_needs_a_person(shared: Path, status: int) -> None:
    recorded = plain_json(shared / "recorded/facebook", "error.json", "/v25.0/1/feed", status)
    with RecordedServer([recorded]) as server, reading("facebook", server, page_id="1") as connector:
        assert polled(connector).state == "needs_attention"


# -- Flickr -----------------------------------------------------------------------------------------------------------


def test_recorded_photos_of_flickr_come_whole(shared: Path) -> None:
    file = shared / "recorded/flickr/test_get_public_photos_by_user.yml"
    (body,) = [each.body for each in read_recording(file) if "getPublicPhotos" in each.uri]
    rows = ElementTree.fromstring(body).findall("photos/photo")
    with RecordedServer(file) as server, reading(
        "flickr", server, read="photos", user_id="34427469121@N01"
    ) as connector:  # fmt: skip
        tried = polled(connector)
    assert (tried.state, tried.left_out, nothing_new(tried), len(rows)) == ("ok", 0, True, 10)
    for each, row in zip(found(tried), rows, strict=True):
        assert each.native_id == row.get("id")
        assert each.published_at == datetime.fromtimestamp(int(row.get("dateupload", "")), UTC)
        assert flat(each.title) == words(row.get("title", ""))
        assert flat(each.text) == words(row.findtext("description") or "")


def test_recorded_comments_of_flickr_come_whole(shared: Path) -> None:
    file = shared / "recorded/flickr/TestListAllComments.test_finds_all_comments_12584715825-154_.yml"
    rows = ElementTree.fromstring(read_recording(file)[0].body).findall("comments/comment")
    with RecordedServer(file) as server, reading(
        "flickr", server, read="comments", photo_id="12584715825"
    ) as connector:  # fmt: skip
        tried = polled(connector)
    assert (tried.state, tried.left_out, nothing_new(tried), len(rows)) == ("ok", 0, True, 154)
    for each, row in zip(found(tried), rows, strict=True):
        assert each.native_id == row.get("id")
        assert each.published_at == datetime.fromtimestamp(int(row.get("datecreate", "")), UTC)
        assert flat(each.text).replace(" ", "") == words(row.text or "").replace(" ", "")


@pytest.mark.parametrize(
    ("name", "photo", "there"),
    [
        ("TestIsPhotoDeleted.test_if_photo_doesnt_exist_its_deleted.yml", "16062734376", False),
        ("TestIsPhotoDeleted.test_if_photo_exists_its_not_deleted.yml", "53509656752", True),
        ("TestGetSinglePhoto.test_get_single_photo.yml", "32812033543", True),
    ],
)
def test_a_recorded_photo_is_found_again_or_gone(shared: Path, name: str, photo: str, there: bool) -> None:

    file = shared / "recorded/flickr" / name
    with RecordedServer(file) as server, reading("flickr", server, query="x") as connector:
        again = connector.recheck([Locator(f"flickr:{photo}", photo)])
    assert [each.native_id for each in again.found] == ([photo] if there else [])
    assert again.gone == (() if there else (f"flickr:{photo}",))
    if there:
        row = ElementTree.fromstring(read_recording(file)[0].body).find("photo")
        assert row is not None
        assert flat(again.found[0].title) == words(row.findtext("title") or "")
        assert flat(again.found[0].text) == words(row.findtext("description") or "")


def test_a_recorded_failure_of_flickr_passes(shared: Path) -> None:

    file = shared / "recorded/flickr/test_retries_5xx_error.yml"
    with RecordedServer(file) as server, reading("flickr", server, query="x") as connector:
        with pytest.raises(TemporaryFailure):
            connector.recheck([Locator("flickr:32812033543", "32812033543")])
        assert len(server.calls) == 1
        assert connector.recheck([Locator("flickr:32812033543", "32812033543")]).found
