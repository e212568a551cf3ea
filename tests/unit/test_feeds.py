"""What reading a feed promises: identity, dates, text, and nobody's odd entry costs its neighbours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.dates import read_date
from listener.feed_memory import FeedMemory, sift
from listener.feeds import ParsedFeed, Setting, normalise_link, parse_feed
from listener.markup import decode, looks_like_sign_in, plain_line, plain_text, safe_link
from mentions.failures import NeedsAttention, TemporaryFailure
from tests.faulty_server import NOON, item, rss

LONDON = ZoneInfo("Europe/London")


def parse(body: bytes, source: str = "s", url: str = "https://site.example/feed", now: datetime = NOON) -> ParsedFeed:
    return parse_feed(body, None, Setting(source, url, LONDON, now))


# -- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("Tue, 09 Jun 2026 12:00:00 BST", 11),  # British summer time, not UTC
        ("Tue, 09 Jun 2026 12:00:00 +0100", 11),
        ("Tue, 09 Jun 2026 12:00:00 +01:00", 11),
        ("Tue, 09 Jun 2026 12:00:00 GMT", 12),
        ("Tue, 09 Jun 2026 12:00:00 -0000", 12),
        ("Tue, 09 Jun 2026 12:00:00 EST", 17),
        ("Tue, 09 Jun 2026 12:00:00 CEST", 10),
        ("Tue, 09 Jun 2026 12:00:00", 11),  # no zone: the source's own
        ("9 Jun 2026 12:00", 11),
        ("2026-06-09T12:00:00Z", 12),
        ("2026-06-09T12:00:00.25+01:00", 11),
        ("2026-06-09T12:00:00", 11),
        ("2026-06-09 12:00:00 UTC", 12),
        ("2026-06-09 12:00 BST", 11),
        ("1781006400", 12),  # seconds since 1970
        ("1781006400000", 12),
        ("20260609T120000Z", 12),
        ("2026-160T12:00:00Z", 12),
        ("mar., 09 juin 2026 12:00:00 +0200", 10),
        ("Dienstag, 9. Juni 2026 12:00 MESZ", 10),
        ("09/06/2026 12:00", 11),  # the day first, as in Britain
        ("June 9, 2026 12:00 PM", 11),
        ("Tue Jun  9 12:00:00 GMT 2026", 12),
        ("Tue, 09 Jun 2026 12:00:00 GMT+0100 (British Summer Time)", 11),
        ("Tue, 09 Jun 2026 12:00:00 Europe/London", 11),
        ("Tue, 09 Jun 26 12:00:00 GMT", 12),
        ("9 June 2026 at 12pm", 11),
        ("9 June 2026 at 11am GMT", 11),
        ("12:00 9 June 2026", 11),
        ("1pm, Tuesday 9 June 2026", 12),
        ("12:00 GMT 9 June 2026", 12),
        ("12:00 June 9, 2026 +0100", 11),
        ("12:00 2026-06-09", 11),
    ],
)
def test_a_date_is_read_in_its_zone(text: str, hour: int) -> None:
    moment = read_date(text, LONDON)
    assert moment is not None
    assert (moment.date().isoformat(), moment.hour) == ("2026-06-09", hour)


def test_a_day_that_can_only_stand_second_is_read_there() -> None:
    assert read_date("06/13/2026 12:00 GMT", LONDON) == datetime(2026, 6, 13, 12, tzinfo=UTC)


def test_midnight_at_the_end_of_a_day_is_the_next_day() -> None:
    assert read_date("Tue, 09 Jun 2026 24:00:00 GMT", LONDON) == datetime(2026, 6, 10, tzinfo=UTC)


def test_a_winter_date_without_zone_is_an_hour_off_summer() -> None:
    assert read_date("2026-01-09T12:00:00", LONDON) == datetime(2026, 1, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "soon", "17", "-9999", "2026", "9 Jun", "25:00", "31 Feb 2026 12:00:00 +0000", "32/13/2026", "\x00"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text, LONDON) is None


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    read_date(text, LONDON)


@pytest.mark.parametrize(
    "date",
    [
        "Tue, 09 Jun 1999 12:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "Tue, 16 Jun 2026 12:00:00 GMT",
        "",
        "yesterday",
    ],
)
def test_an_unbelievable_date_is_left_open(date: str) -> None:
    assert parse(rss(item("1", "A title", date=date))).items[0].published_at is None


def test_a_clock_a_little_ahead_is_believed() -> None:
    found = parse(rss(item("1", "A title", date="Wed, 10 Jun 2026 11:00:00 GMT"))).items[0]
    assert found.published_at == NOON + timedelta(hours=23)


# -- identity ---------------------------------------------------------------------------------------------------------


def test_a_guid_that_is_an_address_holds_everywhere_any_other_only_in_its_source() -> None:
    address, bare = rss(item("https://a.example/1", "A")), rss(item("1", "A"))
    assert parse(address, "one").items[0].identity == parse(address, "two").items[0].identity
    assert parse(bare, "one").items[0].identity != parse(bare, "two").items[0].identity


@pytest.mark.parametrize("guid", ["yt:video:lark0000001", "https://a.example/?p=1", "7"])
def test_a_native_id_is_the_guid_as_given(guid: str) -> None:
    entries = [
        item(guid, "A", link="https://a.example/a"),
        item(guid, "B", link="https://a.example/b"),
        item(guid, "C"),
    ]
    for body in (rss(entries[0]), rss(*entries)):
        assert {each.native_id("trial") for each in parse(body, "trial").items} == {guid}


def test_without_guid_the_native_id_does_not_name_the_source() -> None:
    (one,) = parse(rss(item("", "A")), "trial").items
    assert one.identity == f"trial|{one.native_id('trial')}"


def test_items_that_share_a_guid_are_all_kept_and_keep_their_identity_when_others_arrive() -> None:
    old, new = item("7", "Old", link="https://a.example/old"), item("7", "New", link="https://a.example/new")
    newer = item("7", "Newer", link="https://a.example/newer")
    before = {found.title: found.identity for found in parse(rss(new, old)).items}
    after = {found.title: found.identity for found in parse(rss(newer, new, old)).items}
    assert len(set(after.values())) == 3
    assert before.items() <= after.items()


def test_an_entry_printed_twice_is_one_item_with_its_usual_identity() -> None:
    once = item("https://a.example/1", "A", link="https://a.example/1")
    assert parse(rss(once, once)).items == parse(rss(once)).items


def test_without_guid_the_link_is_the_identity_whatever_the_session() -> None:
    first = rss(item("", "A", link="https://a.example/t?id=5&amp;sid=abc&amp;utm_source=x#p9"))
    second = rss(item("", "A", link="https://a.example/t?id=5&amp;sid=def"))
    assert parse(first).items[0].identity == parse(second).items[0].identity == "https://a.example/t?id=5"


def test_without_guid_and_link_the_words_are_the_identity() -> None:
    assert parse(rss(item("", "A"))).items[0].identity == parse(rss(item("", "A"))).items[0].identity
    assert parse(rss(item("", "A"))).items[0].identity != parse(rss(item("", "B"))).items[0].identity


def test_items_without_guid_that_share_a_link_or_a_title_are_all_kept() -> None:
    links = rss(item("", "A", link="https://a.example/"), item("", "B", link="https://a.example/"))
    assert [found.title for found in parse(links).items] == ["A", "B"]
    titles = rss(item("", "Update", "one"), item("", "Update", "two"))
    assert [found.text for found in parse(titles).items] == ["one", "two"]


def test_items_that_share_guid_link_and_title_are_all_kept() -> None:
    same = [item("7", "Update", text, link="https://a.example/") for text in ("one", "two")]
    assert [found.text for found in parse(rss(*same)).items] == ["one", "two"]


def test_an_edit_changes_the_digest_and_not_the_identity() -> None:
    (before,), (after,) = parse(rss(item("1", "A", "old"))).items, parse(rss(item("1", "A", "new"))).items
    assert before.identity == after.identity
    assert before.digest != after.digest


def phpbb(views: int, text: str = "Is the helicopter up again?") -> bytes:
    line = (
        '<p>Statistics: Posted by <a href="http://b.example/memberlist.php?mode=viewprofile&amp;u=3">maplewood</a>'
        f" — Tue Jun 09, 2026 9:00 am — Replies 2 — Views {views}</p><hr />"
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Board</title><entry><author><name>maplewood</name></author>'
        "<published>2026-06-09T09:00:00+00:00</published><id>http://b.example/viewtopic.php?t=3&amp;p=4#p4</id>"
        '<title type="html"><![CDATA[Local • Re: Noise]]></title>'
        f'<content type="html"><![CDATA[{text}{line}]]></content></entry></feed>'
    ).encode()


def test_a_count_of_views_is_no_edit_and_names_nobody_in_the_text() -> None:
    (before,), (after,) = parse(phpbb(10)).items, parse(phpbb(11)).items
    assert before.digest == after.digest
    assert before.text == "Is the helicopter up again?"
    assert before.author == "maplewood"
    (edited,) = parse(phpbb(11, "Is it up still?")).items
    assert edited.digest != before.digest


def test_a_post_that_talks_of_being_posted_keeps_its_words() -> None:
    text = "&lt;p&gt;Look:&lt;/p&gt;&lt;p&gt;Posted by the council last night.&lt;/p&gt;"
    assert "Posted by the council" in parse(rss(item("1", "A", text))).items[0].text


@pytest.mark.parametrize("link", ["https://A.example/x?b=1&utm_medium=y&PHPSESSID=9", "https://a.example/x?b=1#top"])
def test_links_are_normalised(link: str) -> None:
    assert normalise_link(link) == "https://a.example/x?b=1"


# -- broken feeds -----------------------------------------------------------------------------------------------------


def test_a_stray_ampersand_costs_nothing() -> None:
    body = rss(
        item("1", "Fish & chips &nbsp; cost £9 &c.", "a&b", link="https://a.example/?x=1&y=2"), item("2", "Fine")
    )
    feed = parse(body)
    assert [found.title for found in feed.items] == ["Fish & chips cost £9 &c.", "Fine"]
    assert feed.items[0].link == "https://a.example/?x=1&y=2"
    assert not feed.odd


def test_ampersands_in_cdata_stay_as_they_are() -> None:
    body = rss(item("1", "A & B", "<![CDATA[C &amp; D <b>&</b> E]]>"))
    assert parse(body).items[0].text == "C & D & E"


def test_control_characters_cost_nothing() -> None:
    body = rss(item("1", "A\x00B\x0bC &#0;&#x1b;D"), item("2", "Fine"))
    assert [found.title for found in parse(body).items] == ["ABC D", "Fine"]


def test_a_truncated_feed_gives_its_whole_items_and_counts_the_broken_one() -> None:
    whole = rss(item("1", "One"), item("2", "Two"), item("3", "Three", "A long story"))
    feed = parse(whole[: whole.index(b"long story")])
    assert [found.title for found in feed.items] == ["One", "Two"]
    assert feed.cut == 1


def test_a_truncated_atom_feed_too() -> None:
    body = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>One</title></entry><entry><id>2</id><ti'
    feed = parse(body)
    assert [found.title for found in feed.items] == ["One"]
    assert feed.cut == 1


def test_of_a_whole_archive_the_top_is_read() -> None:
    feed = parse(rss(*(item(str(number), f"Item {number}") for number in range(9000))))
    assert (len(feed.items), feed.items[0].title, feed.cut) == (3000, "Item 0", 0)


def test_unclosed_tags_inside_one_item_leave_the_others() -> None:
    body = rss(item("1", "One", "<p>never <b>closed"), item("2", "Two"), item("3", "Three"))
    assert {"Two", "Three"} <= {found.title for found in parse(body).items}


def test_an_entry_that_says_nothing_is_odd_and_its_neighbours_stay() -> None:
    feed = parse(rss(item("1", ""), item("2", "Fine")))
    assert [found.title for found in feed.items] == ["Fine"]
    assert list(feed.odd.values()) == ["an entry that holds nothing"]


def test_a_picture_or_a_link_without_words_is_a_post_all_the_same() -> None:
    picture = "<item><description>&lt;img src='a.png'&gt;</description></item>"
    feed = parse(rss(item("", "", link="https://a.example/1"), picture, picture.replace("a.png", "b.png")))
    assert [found.title for found in feed.items] == ["a.example/1", "(no words)", "(no words)"]
    assert len({found.identity for found in feed.items}) == 3
    assert not feed.odd


def test_a_guid_that_is_no_address_is_no_link() -> None:
    assert parse(rss(item("7", "A"))).items[0].link == ""
    assert parse(rss(item("https://a.example/7", "A"))).items[0].link == "https://a.example/7"


@pytest.mark.parametrize("body", [b"", b"   \n", b"\xef\xbb\xbf"])
def test_an_empty_answer_is_a_temporary_failure(body: bytes) -> None:
    with pytest.raises(TemporaryFailure, match="nothing at all"):
        parse(body)


SIGN_IN = b"<!DOCTYPE html><html><head><title>x</title></head><form><input name=p type='password'></form></html>"
PAGE = b"<!doctype html><html><head><title>Down for repairs</title></head><body>Back soon</body></html>"


def test_a_sign_in_page_needs_attention() -> None:
    with pytest.raises(NeedsAttention, match="sign-in page"):
        parse(SIGN_IN)


def test_any_other_web_page_is_a_temporary_failure() -> None:
    with pytest.raises(TemporaryFailure, match="a web page, not a feed"):
        parse(PAGE)


@pytest.mark.parametrize(
    "body", [b'{"error": "x"}', b"{", b"<opml><body/></opml>", b"plain words", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_feed_is_a_temporary_failure(body: bytes) -> None:
    with pytest.raises(TemporaryFailure):
        parse(body)


def test_a_feed_of_no_items_is_a_feed() -> None:
    assert parse(rss()).items == ()


def test_a_body_that_names_a_file_opens_none() -> None:
    with pytest.raises(TemporaryFailure):
        parse(str(Path(__file__)).encode())


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<rss><channel>" + b"<a>" * 3000 + b"</a>" * 3000 + b"</channel></rss>", id="deep"),
        pytest.param(b"<rss><channel>" + b"<a/>" * 300_000 + b"</channel></rss>", id="many"),
        pytest.param(b"<rss><channel>" + b"<a>" * 300_000, id="deep and broken off"),
        pytest.param(b"<rss>" + b" " * 5_000_001, id="large"),
    ],
)
def test_a_monster_is_refused_at_once(body: bytes) -> None:
    with pytest.raises(TemporaryFailure, match="not read"):
        parse(body)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">]>
<rss version="2.0"><channel><item><guid>1</guid><title>&f;</title></item></channel></rss>"""


def test_entities_do_not_multiply() -> None:
    assert all(len(found.title) <= 500 for found in parse(LAUGHS).items)


def test_no_file_is_read_through_an_entity(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden words")
    head = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    body = f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><item><title>T &x;</title></item></channel></rss>'
    assert all("hidden" not in found.title + found.text for found in parse(body.encode()).items)


# -- text -------------------------------------------------------------------------------------------------------------


def test_text_is_what_a_reader_sees() -> None:
    markup = (
        "<style>p{x}</style><p>Police &amp; <b>council</b> meet</p><script>alert('<p>')</script><!-- no -->"
        "<ul><li>one</li><li>two</li></ul>3 &lt; 4"
    )
    assert plain_text(markup) == "Police & council meet\none\ntwo\n3 < 4"


def test_unseen_signs_are_taken_out_and_emoji_stay_whole() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert plain_line(f"poli\u202ece\x00 \ufeffnow {family}") == f"police now {family}"


def test_a_break_without_width_stays_as_it_was_written_and_is_no_text_by_itself() -> None:
    assert plain_text("<p>po\u200blice</p><p>&#x200B;</p>") == "po\u200blice\n\u200b"
    assert plain_text("<p>&#x200B;</p> <p>\u200d</p>") == ""
    assert safe_link("https://a.example/x\u200by") == "https://a.example/xy"


def test_lengths_are_capped() -> None:
    assert len(plain_line("x" * 9999)) == 500
    assert len(plain_text("x" * 300_000)) == 100_000


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[bad", "", "#"]
)
def test_only_web_links_are_kept(link: str) -> None:
    assert safe_link(link) == ""


def test_a_word_in_an_address_is_no_entity() -> None:
    assert safe_link("https://a.example/?x=1&copy=2&amp;lt=3") == "https://a.example/?x=1&copy=2&lt=3"


def test_a_relative_link_is_the_sites_own() -> None:
    assert parse(rss(item("1", "A", link="/news/1"))).items[0].link == "https://site.example/news/1"


@given(st.text(alphabet="<>/!-&;ab =\"'\x00\n" + "scriptCDATA[]", max_size=300))
def test_no_markup_breaks_the_cleaning(markup: str) -> None:
    assert "\x00" not in plain_text(markup)


@pytest.mark.parametrize(
    ("body", "label", "text"),
    [
        ("Café".encode(), "iso-8859-1", "Café"),  # valid UTF-8, whatever the label says
        ("Café".encode("cp1252"), "utf-8", "Café"),
        ("Café “x”".encode("cp1252"), "iso-8859-1", "Café “x”"),
        ("Привет".encode("koi8-r"), "koi8-r", "Привет"),
        ("Привет".encode("cp1251"), "nonsense", "Ïðèâåò"),
        ("\ufeffCafé".encode("utf-16"), None, "Café"),
        (b"<\x00?\x00", None, "<?"),
        ("日本".encode("iso2022_jp"), "iso-2022-jp", "日本"),
        (b'<?xml version="1.0" encoding="windows-1251"?>' + "Да".encode("cp1251"), None, "Да"),
        (b"abc\x81\x9d", "rot13", "abc"),
        ("Café “x” ".encode() + "Zoë".encode("cp1252"), "utf-8", "Café “x” Zoë"),  # two in one page
        ("镕".encode("gb18030"), "gb2312", "镕"),
        (("日本語" * 90).encode("cp932") + b"\xff", "shift_jis", "日本語日本語"),
    ],
)
def test_bytes_become_text_whatever_they_say_of_themselves(body: bytes, label: str | None, text: str) -> None:
    assert text in decode(body, label)


@given(st.binary(max_size=200), st.none() | st.text(max_size=20))
def test_no_bytes_break_the_decoding(body: bytes, label: str | None) -> None:
    decode(body, label)


def test_a_sign_in_page_is_known_by_its_title_and_its_password_field() -> None:
    assert looks_like_sign_in("<title>Log in | Forum</title>")
    assert not looks_like_sign_in("<title>Why the striker is signing in January</title><input type=text>")


# -- JSON Feed --------------------------------------------------------------------------------------------------------


def test_a_json_feed_is_read_and_an_odd_item_costs_nobody() -> None:
    body = b"""{"version": "https://jsonfeed.org/version/1.1", "items": [
      {"id": 7, "url": "https://a.example/7", "title": "A < B", "content_html": "<p>Hi</p>",
       "date_published": "2026-06-09T10:00:00+01:00", "authors": [{"name": "Ann"}]},
      "odd", {"id": "8", "content_text": "3 < 4", "author": {"name": "Bob"}}, {"id": "9"}]}"""
    feed = parse(body)
    first, second = feed.items
    assert (first.title, first.text, first.link, first.author) == ("A < B", "Hi", "https://a.example/7", "Ann")
    assert first.published_at == datetime(2026, 6, 9, 9, tzinfo=UTC)
    assert (second.text, second.author) == ("3 < 4", "Bob")
    assert len(feed.odd) == 1


def test_a_feed_tells_its_rhythm() -> None:
    assert parse(rss(ttl="<ttl>30</ttl>")).rhythm == timedelta(minutes=30)
    period = (
        '<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>'
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency></channel></rss>"
    )
    assert parse(period.encode()).rhythm == timedelta(hours=6)
    assert parse(rss()).rhythm is None


# -- memory -----------------------------------------------------------------------------------------------------------


def test_the_memory_forgets_the_longest_unseen_and_never_four_windows() -> None:
    seen: dict[str, str] = {}
    for number in range(3000):
        _, seen = sift(seen, {f"{number:016}": "d", "always": "d"})
    assert len(seen) == 500
    assert "always" in seen
    _, seen = sift({}, {f"{number:016}": "d" for number in range(700)})
    fresh, seen = sift(seen, {f"new {number:012}": "d" for number in range(700)})
    assert len(fresh) == 700
    assert len(seen) == 1400


def test_the_memory_survives_being_written_down() -> None:
    memory = FeedMemory("u", '"e"', "m", "b", 3, NOON, {"k" * 16: "12345678"})
    assert FeedMemory.read(memory.note()) == memory
    assert FeedMemory.read({"v": 99}) == FeedMemory()
