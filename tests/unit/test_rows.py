import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.export_rows import to_row
from listener.rows import BadRow, Row, read_lines, read_rows, to_mention
from mentions.corrections import corrected
from mentions.failures import UserError
from mentions.mention import LAPSED, Assessed, Assessment, Correction, Mention, Mood, Rag, Reach, Reason, Verdict, Voice
from mentions.pseudonyms import AuthorKey

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
KEY = AuthorKey(bytes(range(32)))


def read(*rows: object) -> list[Row | BadRow]:
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return list(read_lines(lines, "f.jsonl"))


def row(**given: object) -> Row:
    (found,) = read({"id": "1", "platform": "x", "text": "Hello.", **given})
    assert isinstance(found, Row), found
    return found


def mention(**given: object) -> Mention:
    return to_mention(row(**given), NOW, KEY.pseudonym)


def reason(*rows: object) -> str:
    (found,) = read(*rows)
    assert isinstance(found, BadRow), found
    return found.reason


def test_an_id_without_a_colon_gets_its_platform_before_it() -> None:
    assert [row(id="7").id, row(id="tw:7").id, row(id=7).id] == ["x:7", "tw:7", "x:7"]


def test_twitter_is_read_as_x() -> None:
    found = row(platform="Twitter", id="7")
    assert (found.platform, found.id) == ("x", "x:7")


def test_a_row_may_have_a_title_and_no_text() -> None:
    found = mention(text=None, title="Bridge shut", platform="headline")
    assert (found.title, found.text) == ("Bridge shut", "")


@pytest.mark.parametrize("key", ["time", "published_at"])
def test_a_naive_time_is_utc_and_any_other_is_turned_into_it(key: str) -> None:
    assert mention(**{key: "2026-03-10T09:30:00"}).published_at == datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
    assert mention(**{key: "2026-07-10T09:30:00+01:00"}).published_at == datetime(2026, 7, 10, 8, 30, tzinfo=UTC)


def test_a_row_without_a_time_is_of_now() -> None:
    assert mention(time=None).published_at == NOW


def test_engagement_is_read_from_its_object_or_from_the_top() -> None:
    nested = row(engagement={"likes": 1, "shares": 2, "replies": 3})
    flat = row(likes=1, retweets=2, replies=3)
    assert (nested.likes, nested.shares, nested.replies) == (flat.likes, flat.shares, flat.replies) == (1, 2, 3)


def test_the_source_is_read_from_source_or_site_or_feed() -> None:
    assert [row(source="a").source, row(site="b").source, row(feed="c").source] == ["a", "b", "c"]


def test_a_row_of_our_own_account_is_our_own_voice() -> None:
    ours = frozenset({"wexmoorpolice"})
    found = [
        to_mention(row(author=name, platform=platform), NOW, KEY.pseudonym, own_handles=ours).voice
        for name, platform in (("@WexmoorPolice", "x"), ("WexmoorPolice", "headline"), ("Wexmoor", "x"), ("", "x"))
    ]
    assert found == [Voice.OWN, Voice.OWN, Voice.PUBLIC, Voice.PUBLIC]


def test_an_author_becomes_a_keyed_hash_and_followers_a_band() -> None:
    found = mention(author="@Wexmoor_Wanderer", followers=1500)
    assert found.author_key == KEY.pseudonym("x", "wexmoor_wanderer")
    assert found.reach is Reach.MEDIUM
    assert "wanderer" not in repr(found).lower()
    assert "1500" not in repr(found)


def test_followers_fall_into_bands_at_a_thousand_and_a_hundred_thousand() -> None:
    bands = [mention(followers=n).reach for n in (999, 1000, 99_999, 100_000)]
    assert bands == [Reach.LOCAL, Reach.MEDIUM, Reach.MEDIUM, Reach.WIDE]
    assert mention().reach is Reach.UNKNOWN


@pytest.mark.parametrize("platform", ["rss", "headline", "news"])
def test_press_is_wide_and_its_publisher_is_the_domain_of_its_link(platform: str) -> None:
    found = mention(platform=platform, link="https://www.bbc.co.uk/news/1")
    assert (found.voice, found.reach, found.publisher) == (Voice.PRESS, Reach.WIDE, "bbc.co.uk")


def test_press_without_a_link_is_told_apart_by_its_feed() -> None:
    assert mention(platform="rss", feed="daily_wex").publisher == "daily_wex"


def test_a_forum_is_known_by_its_link_or_its_site() -> None:
    assert mention(platform="forum", link="http://www.wextalk.co.uk/t/1").publisher == "wextalk.co.uk"
    assert mention(platform="forum", site="wextalk.co.uk").publisher == "wextalk.co.uk"
    assert mention(platform="x", link="https://x.com/1").publisher == ""


def test_only_a_web_address_is_kept_as_a_link() -> None:
    assert [row(link=link).link for link in ("javascript:alert(1)", "/a", "HTTPS://a.uk/")] == ["", "", "HTTPS://a.uk/"]
    assert row(url="https://a.uk/").link == "https://a.uk/"


def test_an_imported_row_is_history() -> None:
    assert mention().history
    assert not to_mention(row(), NOW, KEY.pseudonym, history=False).history


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"id": "1", "platform"', "not JSON"),
        (b'{"id": "1", "platform": "x", "text": "a", "likes": NaN}', "not JSON"),
        (b'{"id": "1", "platform": "x", "text": "caf\xe9"}', "not UTF-8"),
        (b"[1]", "expected a JSON object, found a list"),
        (b"[" * 100_000, "JSON"),
        (b'{"id": "1", "platform": "x", "text": "a", "likes": ' + b"9" * 5000 + b"}", "not JSON"),
        ({"platform": "x", "text": "a"}, "id: is missing"),
        ({"id": " ", "platform": "x", "text": "a"}, "id: is empty"),
        ({"id": True, "platform": "x", "text": "a"}, "id: expected text, found true or false"),
        ({"id": "1", "text": "a"}, "platform: is missing"),
        ({"id": "1", "platform": "x", "text": " ", "title": None}, "neither text nor title"),
        ({"id": "1", "platform": "x", "text": 5}, "text: expected text, found a number"),
        ({"id": "1", "platform": "x", "text": ["a"]}, "text: expected text, found a list"),
        ({"id": "1", "platform": "x", "text": "a", "time": "yesterday"}, "time: expected an ISO 8601 time"),
        ({"id": "1", "platform": "x", "text": "a", "time": 1_700_000_000}, "time: expected an ISO 8601 time"),
        ({"id": "1", "platform": "x", "text": "a", "time": "2026-02-30T00:00:00Z"}, "time: expected"),
        ({"id": "1", "platform": "x", "text": "a", "published_at": "1763-01-01"}, "published_at: lies outside"),
        ({"id": "1", "platform": "x", "text": "a", "time": "9999-12-31T23:59:59-14:00"}, "time: "),
        ({"id": "1", "platform": "x", "text": "a", "likes": "many"}, "likes: expected a whole number"),
        ({"id": "1", "platform": "x", "text": "a", "followers": -1}, "followers: expected a whole number"),
        ({"id": "1", "platform": "x", "text": "a", "engagement": [1]}, "engagement: expected an object"),
        ({"id": "1", "platform": "x", "text": "a \ud800 b"}, "text: holds half of a surrogate pair"),
        ({"id": "1\udfff", "platform": "x", "text": "a"}, "id: holds half of a surrogate pair"),
        ({"id": "1", "platform": "x", "text": "a", "voice": "loud"}, "voice: expected one of public, press"),
        ({"id": "1", "platform": "x", "text": "a", "author_key": "jane"}, "author_key: expected 16 hex digits"),
        ({"id": "1", "platform": "x", "text": "a", "author": {"name": "j"}}, "author: expected text, found an object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_odd_row_is_left_out_with_a_reason_that_names_the_field(line: object, why: str) -> None:
    assert why in reason(line)


def test_a_bad_line_is_reported_as_file_line_reason_and_its_neighbours_are_kept() -> None:
    good = {"id": "1", "platform": "x", "text": "a"}
    first, second, third = read(good, b"{\n", {**good, "id": "2"})
    assert isinstance(first, Row)
    assert isinstance(third, Row)
    assert str(second).startswith("f.jsonl:2: the line is not JSON")


def test_a_reason_never_quotes_the_post() -> None:
    assert "secret" not in reason({"id": "1", "platform": "x", "text": "a", "time": "my secret"})


def test_blank_lines_and_a_byte_order_mark_are_no_fault() -> None:
    found = read(b'\xef\xbb\xbf{"id": "1", "platform": "x", "text": "a"}\n', b"\n", b"  \r\n")
    assert [type(one) for one in found] == [Row]


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing\.jsonl: cannot be read"):
        list(read_rows(tmp_path / "nothing.jsonl"))


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)
TIMES = st.integers(631_200_000, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
COUNTS = st.none() | st.integers(0, 2**53 - 1)
MENTIONS = st.builds(
    Mention,
    id=WORDS.map(lambda word: f"x:{word}".strip()),
    platform=st.sampled_from(["x", "rss", "forum", "mastodon"]),
    source=WORDS,
    published_at=TIMES,
    first_seen_at=TIMES,
    text=WORDS,
    title=st.just("") | WORDS,
    link=st.sampled_from(["", "https://a.example/1"]),
    native_id=st.sampled_from(["", "77"]),
    author_key=st.sampled_from(["", "00112233445566ff"]),
    publisher=st.sampled_from(["", "a.example"]),
    voice=st.sampled_from(Voice),
    reach=st.sampled_from(Reach),
    thread=st.sampled_from(["", "t9"]),
    lang=st.sampled_from(["", "en"]),
    likes=COUNTS,
    shares=COUNTS,
    replies=COUNTS,
    history=st.just(True),
)


@given(MENTIONS)
def test_an_export_imported_again_gives_the_same_facts(held: Mention) -> None:
    line = json.dumps(to_row(Assessed(held, Assessment()))).encode()
    (found,) = read_lines([line], "export.jsonl")
    assert isinstance(found, Row), found
    assert to_mention(found, NOW, KEY.pseudonym) == held


def test_an_export_carries_the_opinion_in_the_words_of_the_command_line() -> None:
    opinion = Assessment(
        relevant=True,
        sentiment=Verdict(Mood.NEGATIVE, -0.51234),
        rag=Rag.RED,
        topic="force_reputation",
        boroughs=("Camden",),
        reasons=(Reason("says 'disgrace'", 3, 11),),
        made_by=("rating/1",),
    )
    assert to_row(Assessed(mention(), opinion))["assessment"] == {
        "relevant": True,
        "sentiment": {"label": "neg", "score": -0.512},
        "mood": {"label": "neu", "score": 0.0},
        "rag": "red",
        "topic": "force_reputation",
        "public_domain": "unknown",
        "boroughs": ["Camden"],
        "bcu": ["Central North (CN)"],
        "debate": False,
        "reasons": [{"says": "says 'disgrace'", "start": 3, "end": 11}],
        "made_by": ["rating/1"],
    }


def test_an_export_carries_the_corrections_of_people_and_is_read_again_with_them() -> None:
    opinion = corrected(Assessment(rag=Rag.RED), [Correction("rag", "green", "", "Sam Roe", NOW, "read it")])
    line = json.dumps(to_row(Assessed(mention(), opinion))).encode()
    (found,) = read_lines([line], "export.jsonl")
    assert isinstance(found, Row), found
    assert found.corrections == opinion.corrections


def test_a_correction_of_the_future_is_refused_as_it_would_block_its_field_for_ever() -> None:
    told = {"field": "rag", "value": "green", "was": "", "by": "S", "because": "x", "undone": False}
    row = {
        "id": "1",
        "platform": "x",
        "text": "a",
        "assessment": {"corrections": [{**told, "at": "2099-01-01T00:00Z"}]},
    }
    assert reason(row) == "corrections: one was made in the future"


@pytest.mark.parametrize(
    "told",
    [5, [5], [{}], [{"field": "rag"}], "no", [{"field": "mood", "value": "x"}]]
    + [[{"field": f, "value": v, "was": "", "by": "S", "because": "x", "at": at, "undone": False}]
       for f, v, at in (("rag", "blue", "2026-01-01T00:00:00Z"), ("mood", "neg", "2026-01-01T00:00:00Z"),
                        ("rag", "green", "2026-01-01"), ("rag", 5, "2026-01-01T00:00:00Z"))],
)  # fmt: skip
def test_corrections_that_no_export_wrote_are_refused(told: object) -> None:
    row = {"id": "1", "platform": "x", "text": "a", "assessment": {"corrections": told}}
    assert reason(row) == "corrections: expected a list as an export writes it"


def test_times_leave_in_utc() -> None:
    summer = dataclasses.replace(mention(), published_at=NOW.astimezone(timezone(timedelta(hours=1))))
    assert to_row(Assessed(summer, Assessment()))["time"] == "2026-03-10T12:00:00Z"


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "platform", "text", "title", "time", "link", "author", "likes", "thread"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_line_whatever_breaks_the_reader(line: bytes) -> None:
    for found in read_lines([line], "f"):
        if isinstance(found, Row):
            to_mention(found, NOW, KEY.pseudonym)


def test_a_tombstone_and_sightings_come_back_from_an_export_as_they_went() -> None:
    gone = Mention(
        "x:1", "x", "Met", NOW, NOW, "", sightings=("Search", "Mentions"), buried_at=NOW, buried_because=LAPSED
    )
    (row,) = read_lines([json.dumps(to_row(Assessed(gone, Assessment()))).encode()], "export")
    assert isinstance(row, Row)
    mention = to_mention(row, NOW, lambda platform, author: "")
    assert (mention.text, mention.sightings, mention.buried_at, mention.buried_because) == (
        "", ("Search", "Mentions"), NOW, LAPSED
    )  # fmt: skip


@pytest.mark.parametrize("told", [{}, {"at": "2026-03-01T12:00:00Z"}, "yes", {"at": "x", "because": "deleted"}])
def test_a_tombstone_that_no_export_wrote_is_refused(told: object) -> None:
    row = {"id": "1", "platform": "x", "text": "", "deleted": told}
    (bad,) = read_lines([json.dumps(row).encode()], "export")
    assert isinstance(bad, BadRow)
