"""Flickr's REST interface and its XML: what is a post, errors that come with HTTP 200, deletions, looking again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from listener.connector import Backfills, Locator, OwnPosts, Rechecks, Threads
from listener.connectors import build_connector
from mentions.failures import NeedsAttention, NotConfigured, RateLimited, TemporaryFailure, UserError
from mentions.mention import Voice
from tests.faulty_server import Asked, Clock, FaultyServer, Reply, reach, source, tools
from tests.platform_cases import AUTUMN, CREDENTIALS, FAULTS, found, nothing_new, polled, reading
from tests.recorded_traffic import Exchange, RecordedServer

TEN = 1_793_440_800  # 2026-10-31 at ten
PHOTO = "900000001"
MEMBER = "70000000@N01"


def photo(key: int, title: str = "", text: str = "", **told: object) -> str:
    given = {"owner": MEMBER, "ownername": "Lou", "pathalias": "", "ispublic": 1, "dateupload": TEN, **told}
    shown = " ".join(f'{name}="{escape(str(value))}"' for name, value in given.items())
    title = escape(title or f"Photo {key}")
    return f'<photo id="{key}" title="{title}" {shown}><description>{escape(text)}</description></photo>'


def comment(key: int, text: str = "", under: str = PHOTO, when: object = TEN) -> str:
    said, link = escape(text or f"Comment {key}"), f"https://www.flickr.com/photos/x/{under}/#comment{key}"
    return (
        f'<comment id="1-{under}-{key}" author="{MEMBER}" authorname="Lou" datecreate="{when}" path_alias="lou"'
        f' permalink="{link}">{said}</comment>'
    )


def rsp(inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8" ?>\n<rsp stat="ok">\n{inside}\n</rsp>\n'.encode()


def photos(*inside: str, page: int = 1, pages: int = 1, method: str = "photos.search") -> Exchange:
    body = rsp(f'<photos page="{page}" pages="{pages}" perpage="250" total="9">{"".join(inside)}</photos>')
    return call(method, body, page=page)


def comments(*inside: str, under: str = PHOTO) -> Exchange:
    body = rsp(f'<comments photo_id="{under}">{"".join(inside)}</comments>')
    return call("photos.comments.getList", body, photo_id=under)


def call(method: str, body: bytes, status: int = 200, **query: object) -> Exchange:
    return Exchange("GET", f"/services/rest/?{urlencode({'method': f'flickr.{method}', **query})}", status, body)


def fail(code: int) -> bytes:
    return f'<?xml version="1.0"?><rsp stat="fail"><err code="{code}" msg="m" /></rsp>'.encode()


# -- what is a post ---------------------------------------------------------------------------------------------------


def test_a_photo_tells_what_it_shows_and_names_nobody() -> None:
    told = photo(900000001, "Cordon & crowd", "Stood <b>an hour</b>; &quot;move along&quot;", count_faves=3)
    with (
        RecordedServer([photos(told, photo(900000002, pathalias="lou"))]) as server,
        reading("flickr", server, query="x") as connector,
    ):
        first, second = connector.poll(None).mentions
    assert (first.title, first.text) == ("Cordon & crowd", 'Stood an hour; "move along"')
    assert first.published_at == datetime(2026, 10, 31, 10, tzinfo=UTC)
    assert (first.likes, first.author_key) == (3, f"<flickr:{MEMBER}>")
    assert first.link == f"https://www.flickr.com/photos/{MEMBER}/900000001/"
    assert second.link == "https://www.flickr.com/photos/lou/900000002/"
    assert "Lou" not in repr(first)


def test_a_photo_that_is_not_public_is_left_out_and_gone_where_we_had_it() -> None:
    recorded = [photos(photo(1), photo(2)), photos(photo(1, ispublic=0), photo(2))]
    with RecordedServer(recorded) as server, reading("flickr", server, query="x") as connector:
        tried = polled(connector, 3)
    assert [each["gone"] for each in tried.polls] == [0, 1, 0]
    assert ([each.native_id for each in found(tried)], tried.left_out) == (["2"], 1)


def test_a_picture_said_without_words_is_still_a_comment() -> None:
    said = comments(comment(1, '<img src="https://a.example/x.jpg">'), comment(2, "   "))
    with RecordedServer([said]) as server, reading("flickr", server, read="comments", photo_id=PHOTO) as connector:
        page = connector.poll(None)
    assert ([each.text for each in page.mentions], page.left_out) == ([""], 1)


def test_a_comment_that_is_missing_from_all_of_a_photo_was_deleted() -> None:
    recorded = [comments(comment(1), comment(2)), comments(comment(2, "Edited"), comment(3))]
    with (
        RecordedServer(recorded) as server,
        reading("flickr", server, read="comments", photo_id=PHOTO) as connector,
    ):
        tried = polled(connector, 3)
    assert tried.polls[1:] == [{"new": 1, "edited": 1, "gone": 1}, {"new": 0, "edited": 0, "gone": 0}]
    assert [each.text for each in found(tried)] == ["Edited", "Comment 3"]
    assert {each.thread for each in found(tried)} == {f"flickr:{PHOTO}"}


def test_a_photo_that_is_gone_takes_its_comments_along_and_then_a_person_must_look() -> None:
    recorded = [comments(comment(1), comment(2)), call("photos.comments.getList", fail(1), photo_id=PHOTO)]
    with (
        RecordedServer(recorded) as server,
        reading("flickr", server, read="comments", photo_id=PHOTO) as connector,
    ):
        page = connector.poll(None)
        page = connector.poll(page.cursor)
        assert page.gone == (f"flickr:{PHOTO}", f"flickr:1-{PHOTO}-1", f"flickr:1-{PHOTO}-2")
        with pytest.raises(NeedsAttention, match="photo_id"):
            connector.poll(page.cursor)


def test_a_photo_s_title_may_look_like_a_sign_in_page() -> None:
    row = f'<photo id="{PHOTO}"><owner nsid="{MEMBER}"/><title>Log in the woods</title><description/></photo>'
    with (
        RecordedServer([call("photos.getInfo", rsp(row), photo_id=PHOTO)]) as server,
        reading("flickr", server, query="x") as connector,
    ):
        (mention,) = connector.recheck([Locator(f"flickr:{PHOTO}", PHOTO)]).found
    assert mention.title == "Log in the woods"


# -- pages ------------------------------------------------------------------------------------------------------------


def two_pages() -> list[Exchange]:
    return [photos(photo(3), photo(2), pages=2), photos(photo(1), page=2, pages=2)]


def test_pages_are_walked_to_the_last() -> None:
    with RecordedServer(two_pages()) as server, reading("flickr", server, query="x", pages=9) as connector:
        tried = polled(connector)
    assert [each.native_id for each in found(tried)] == ["3", "2", "1"]
    assert (nothing_new(tried), len(server.calls)) == (True, 3)


def test_a_member_s_photos_are_asked_by_the_member() -> None:
    with RecordedServer([photos(photo(1), method="people.getPublicPhotos")]) as server:
        with reading("flickr", server, read="photos", user_id=MEMBER) as connector:
            assert len(polled(connector).mentions) == 1
        assert "user_id=70000000%40N01" in next(iter(server.asked))


# -- what goes wrong --------------------------------------------------------------------------------------------------

BROKEN = [
    pytest.param(Reply(b"<error>BOOM!</error>", 500), "temporary", id="500 in XML"),
    pytest.param(Reply(rsp("<photos")), "temporary", id="XML that breaks off"),
    pytest.param(Reply(rsp("<photos></photo>")), "temporary", id="XML in a tangle"),
    pytest.param(Reply(rsp("")), "temporary", id="an answer without its list"),
    pytest.param(Reply(b'<!DOCTYPE a [<!ENTITY b "c">]>' + rsp("<photos/>")), "temporary", id="entities of its own"),
    pytest.param(Reply(rsp("<a>" * 500 + "</a>" * 500)), "temporary", id="XML far too deep"),
    pytest.param(Reply(b"", 200), "temporary", id="nothing"),
    *[pytest.param(Reply(fail(code)), "temporary", id=f"error {code}") for code in (0, 10, 105, 106, 201, 999)],
    *[pytest.param(Reply(fail(code)), "needs_attention", id=f"error {code}") for code in (1, 2, 3, 5, 98, 100, 112)],
]


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize(("reply", "state"), [*FAULTS, *BROKEN])
def test_a_fault_at_any_call_is_told_as_what_it_is_and_costs_nothing(number: int, reply: Reply, state: str) -> None:
    with RecordedServer(two_pages()) as server:
        server.spoil(number, reply)
        with reading("flickr", server, query="x", pages=2) as connector:
            tried = polled(connector, 1)
            assert (tried.state, len(tried.mentions), len(server.calls)) == (state, 2 * number, number + 1)
            came, cursor = [], None
            for _ in range(2):
                page = connector.poll(cursor)
                came += [each.native_id for each in page.mentions]
                cursor = page.cursor
    assert came == ["3", "2", "1"]


def test_stray_signs_in_the_xml_are_mended() -> None:
    body = rsp('<photos page="1" pages="1"><photo id="1" title="A \x0b&#x1; B &amp; C"/></photos>')
    with RecordedServer([call("photos.search", body)]) as server, reading("flickr", server, query="x") as connector:
        (mention,) = connector.poll(None).mentions
    assert mention.title == "A B & C"


def test_asked_to_slow_down_it_waits() -> None:
    with (
        RecordedServer([call("photos.search", b"", 429)]) as server,
        reading("flickr", server, query="x") as connector,
        pytest.raises(RateLimited) as caught,
    ):
        connector.poll(None)
    assert caught.value.until == AUTUMN + timedelta(minutes=15)


def test_without_a_key_it_is_not_configured_and_asks_nothing() -> None:
    clock = Clock(AUTUMN)
    with FaultyServer() as server:
        fetch = reach(server, clock=clock)
        connector = build_connector(
            "flickr", source(), {"api_root": server.url, "query": "x"}, tools(fetch, clock)
        )  # fmt: skip
        with pytest.raises(NotConfigured, match="EARSHOT_FLICKR_API_KEY"):
            connector.poll(None)
        assert not server.asked
        fetch.close()


def test_the_key_appears_in_no_message() -> None:
    with (
        RecordedServer() as server,
        reading("flickr", server, query="x") as connector,
        pytest.raises(TemporaryFailure) as caught,
    ):
        connector.poll(None)
    assert CREDENTIALS["EARSHOT_FLICKR_API_KEY"] not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "problem"),
    [({}, "query"), ({"read": "photos"}, "user_id"), ({"read": "comments", "query": "x"}, "photo_id")],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str], problem: str) -> None:
    fetch = reach()
    with pytest.raises(UserError, match=problem):
        build_connector("flickr", source(), options, tools(fetch, Clock()))
    fetch.close()


# -- beside polling ---------------------------------------------------------------------------------------------------


class Archive(FaultyServer):
    """Finds photos by their ids, unless they end with 9, and under each of them comments 1 and 2."""

    def answer(self, asked: Asked) -> Reply:
        super().answer(asked)
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        key = query.get("photo_id", "")
        if key.endswith("9"):
            return Reply(fail(1))
        if query["method"] == "flickr.photos.comments.getList":
            return Reply(comments(comment(1, under=key), comment(2, under=key, when=TEN + 60), under=key).body)
        public = int(not key.endswith("8"))
        row = (
            f'<photo id="{key}" dateuploaded="{TEN - 60}"><owner nsid="{MEMBER}" path_alias="lou"/><title>Now</title>'
            f'<description>Then</description><visibility ispublic="{public}"/><comments>2</comments></photo>'
        )
        return Reply(rsp(row))


def test_photos_and_comments_are_looked_at_again() -> None:
    ids = ["1001", "1008", "1009", "1-2001-1", "1-2001-5", "1-2001-2", "1-2009-1"]
    with Archive() as server, reading("flickr", server, query="x") as connector:
        assert isinstance(connector, Rechecks)
        again = connector.recheck([Locator(f"flickr:{each}", each) for each in ids])
        asked = sum(map(len, server.asked.values()))
    assert [each.native_id for each in again.found] == ["1001", "1-2001-1", "1-2001-2"]
    assert again.gone == ("flickr:1008", "flickr:1009", "flickr:1-2001-5", "flickr:1-2009-1")
    assert (again.found[0].title, again.found[0].replies) == ("Now", 2)
    assert asked == 5  # a photo each, and the comments of two photos


def test_an_error_while_looking_again_is_no_deletion() -> None:
    with (
        RecordedServer([call("photos.getInfo", fail(105), photo_id=PHOTO)]) as server,
        reading("flickr", server, query="x") as connector,
        pytest.raises(TemporaryFailure),
    ):
        connector.recheck([Locator(f"flickr:{PHOTO}", PHOTO)])


def test_own_posts_are_the_member_s_newest_photos() -> None:
    with (
        RecordedServer([photos(photo(1), method="people.getPublicPhotos")]) as server,
        reading("flickr", server, read="photos", user_id=MEMBER) as connector,
    ):
        assert isinstance(connector, OwnPosts)
        (mention,) = connector.own_posts().mentions
    assert mention.voice is Voice.OWN


@pytest.mark.parametrize("native", ["2001", "1-2001-2"])
def test_a_thread_is_a_photo_with_its_comments(native: str) -> None:
    with Archive() as server, reading("flickr", server, query="x") as connector:
        assert isinstance(connector, Threads)
        page = connector.thread(Locator(f"flickr:{native}", native))
    assert [each.native_id for each in page.mentions] == ["2001", "1-2001-1", "1-2001-2"]


def test_a_past_span_is_fetched_page_by_page() -> None:
    since, until = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    with RecordedServer(two_pages()) as server, reading("flickr", server, query="x") as connector:
        assert isinstance(connector, Backfills)
        page = connector.backfill(since, until, None)
        assert (len(page.mentions), page.more) == (2, True)
        page = connector.backfill(since, until, page.cursor)
        assert (len(page.mentions), page.more, page.gap) == (1, False, "")
        assert f"min_upload_date={int(since.timestamp())}" in next(iter(server.asked))


def test_a_past_span_that_holds_too_much_says_so() -> None:
    since, until = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    recorded = [photos(photo(n), page=n, pages=99) for n in range(1, 99)]
    with RecordedServer(recorded) as server, reading("flickr", server, query="x") as connector:
        page = connector.backfill(since, until, None)
        while page.more:
            page = connector.backfill(since, until, page.cursor)
    assert (len(server.calls), "4,000" in page.gap) == (16, True)


def test_the_comments_of_a_past_span_are_asked_by_their_dates() -> None:
    with (
        RecordedServer([comments(comment(1), comment(2, when=1))]) as server,
        reading("flickr", server, read="comments", photo_id=PHOTO) as connector,
    ):
        page = connector.backfill(datetime(2026, 10, 1, tzinfo=UTC), AUTUMN, None)
    assert ([each.text for each in page.mentions], page.more) == (["Comment 1"], False)
