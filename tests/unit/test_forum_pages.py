"""Pages of forums taken apart: the templates that each software ships, with words made up for this."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from selectolax.lexbor import LexborHTMLParser

from listener.forums.json_pages import read_json_page
from listener.forums.kinds import UNVERIFIED, Software, recognise
from listener.forums.lists import read_links
from listener.forums.moments import read_moment, writes_month_first
from listener.forums.nodes import Place
from listener.forums.pages import ForumPage, decode_page, parse_html, read_page
from listener.forums.rules import all_software, overlaid, rules_of
from mentions.failures import TemporaryFailure

NOON = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


def recorded(name: str) -> str:
    return (PAGES / f"{name}.html").read_text("utf-8")


def page_of(software: str, html: str, url: str = "https://board.example/forum/x") -> ForumPage:
    place = Place(url, LONDON, NOON)
    return read_page(parse_html(html, place), rules_of(software), place)


PAGES = Path(__file__).parent.parent / "recordings" / "forum" / "pages"
TWO = [("11", "lou", "All night long.", 20, 15), ("12", "kim", "Same here.", 20, 20)]
SUMMER = [(*each[:3], each[3] - 1, each[4]) for each in TWO]  # a time without zone is the board's, which has summer


@pytest.mark.parametrize(
    ("software", "html", "expected"),
    [
        pytest.param("phpbb", recorded("phpbb3"), TWO, id="phpBB 3"),
        pytest.param("phpbb", recorded("subsilver2"), TWO, id="phpBB, subsilver2"),
        pytest.param("phpbb", recorded("subsilver"), TWO[:1], id="phpBB 2"),
        pytest.param("xenforo", recorded("xenforo2"), TWO, id="XenForo 2"),
        pytest.param("vbulletin", recorded("vbulletin3"), TWO, id="vBulletin 3"),
        pytest.param("vbulletin", recorded("vbulletin5"), SUMMER, id="vBulletin 5"),
        pytest.param("smf", recorded("smf1"), TWO[:1], id="SMF 1.1"),
        pytest.param("smf", recorded("smf2"), TWO, id="SMF 2.0"),
        pytest.param("smf", recorded("smf21"), TWO, id="SMF 2.1"),
        pytest.param("mybb", recorded("mybb18"), TWO, id="MyBB 1.8"),
        pytest.param("mybb", recorded("mybb16"), TWO, id="MyBB 1.6"),
        pytest.param("vanilla", recorded("vanilla"), [TWO[0], ("11", *TWO[1][1:])], id="Vanilla"),
        pytest.param("bbpress", recorded("bbpress"), TWO, id="bbPress"),
        pytest.param("invision", recorded("invision"), TWO, id="Invision"),
    ],
)
def test_posts_of_a_page_by_the_template_its_software_ships(
    software: str, html: str, expected: list[tuple[str, str, str, int, int]]
) -> None:
    posts = page_of(software, html).posts
    found = [
        (each.number, each.author, " ".join(each.text.split()), each.published_at.hour, each.published_at.minute)
        for each in posts
        if each.published_at
    ]
    assert found == expected
    assert {each.published_at.date().isoformat() for each in posts if each.published_at} == {"2026-06-08"}
    assert len({each.key for each in posts}) == len(posts)


@pytest.mark.parametrize(
    ("software", "html", "path"),
    [
        ("phpbb", recorded("phpbb3"), "/forum/viewtopic.php?t=7&start=10"),
        ("xenforo", recorded("xenforo2"), "/forum/threads/sirens.7/page-2"),
        ("vbulletin", recorded("vbulletin3"), "/forum/showthread.php?t=7&page=2"),
        ("smf", recorded("smf2"), "/forum/index.php?topic=7.15"),
        ("mybb", recorded("mybb18"), "/forum/showthread.php?tid=7&page=2"),
        ("bbpress", recorded("bbpress"), "/topic/sirens/page/2/"),
    ],
)
def test_the_next_page_is_found(software: str, html: str, path: str) -> None:
    page = page_of(software, html)
    assert page.next == page.last == f"https://board.example{path}"


@pytest.mark.parametrize("software", all_software())
def test_every_selector_of_every_rule_can_be_read(software: str) -> None:
    rules, tree = rules_of(software), LexborHTMLParser("<p>x</p>")
    selectors = [rules.topics.row, *rules.next, *rules.all, *rules.title]
    for part in (*rules.threads, rules.topics):
        for name in part.__slots__:
            value = getattr(part, name)
            selectors += [each.partition("@")[0] for each in value] if isinstance(value, tuple) else []
    selectors += [thread.post for thread in rules.threads]
    for selector in selectors:
        if selector:
            tree.css(selector)


def test_there_are_rules_for_all_software_but_the_one_that_speaks_json_alone() -> None:
    assert set(all_software()) == set(Software) - {Software.DISCOURSE}
    assert {software for software in all_software() if not rules_of(software).verified} == set(UNVERIFIED)


def test_a_hosts_own_way_is_tried_first_and_its_other_keys_replace() -> None:
    table = {"thread": [{"post": "a"}], "list": {"row": "b", "link": ["c"]}, "month_first": True}
    merged = overlaid(table, {"thread": {"post": "z"}, "list": {"row": "y"}, "month_first": False})
    assert merged == {
        "thread": [{"post": "z"}, {"post": "a"}],
        "list": {"row": "y", "link": ["c"]},
        "month_first": False,
    }


@pytest.mark.parametrize(
    ("software", "html"),
    [
        ("phpbb", recorded("phpbb3")),
        ("xenforo", recorded("xenforo2")),
        ("smf", '<script>var smf_scripturl = "x";</script>' + recorded("smf2")),
        ("mybb", recorded("mybb18") + 'Powered By <a href="https://mybb.com">MyBB</a>'),
        ("vanilla", recorded("vanilla")),
        ("bbpress", recorded("bbpress")),
        ("vbulletin", recorded("vbulletin3")),
    ],
)
def test_the_software_of_a_page_is_recognised(software: str, html: str) -> None:
    assert recognise(html) == software


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Nov 14, 2025 at 4:23 AM", "2025-11-14T04:23"),
        ("Mar 10 Déc 2013 9:05", "2013-12-10T09:05"),
        ("03.03.2011, 14:17", "2011-03-03T14:17"),
        ("26. Januar 2022 13:05", "2022-01-26T13:05"),
        ("April 24, 2016, 22:38:43 PM", "2016-04-24T21:38"),
        ("23 Nov 2025, 4 a.m.", "2025-11-23T04:00"),
        ("Nov. 23, 2025, midnight", "2025-11-23T00:00"),
        ("Today at 9:15 AM", "2026-06-09T08:15"),
        ("Gestern, 14:17", "2026-06-08T13:17"),
        ("Hier à 14h17", "2026-06-08T13:17"),
        ("Monday at 3:01 PM", "2026-06-08T14:01"),
        ("5 minutes ago", "2026-06-09T11:55"),
        ("vor 3 Stunden", "2026-06-09T09:00"),
        ("il y a 2 jours", "2026-06-07T12:00"),
        ("6 hari-hari, 13 jam yang lalu", "2026-06-02T23:00"),
        ("3 weeks, 2 days ago", "2026-05-17T12:00"),
        ("Just now", "2026-06-09T12:00"),
        ("11:32AM", "2026-06-09T10:32"),
        ("May 9", "2026-05-08T23:00"),
        ("December 24", "2025-12-24T00:00"),
        ("31/05/2026 10:00", "2026-05-31T09:00"),
        ("1447474980", "2015-11-14T04:23"),
        ("2015-11-14T04:23:00+0000", "2015-11-14T04:23"),
        ("12-05-2026 10:00", "2026-05-12T09:00"),
        ("Joined", None),
        ("99:99", None),
        ("31 Feb 2020", None),
        ("1 Jan 1970 00:00", None),
    ],
)
def test_times_are_read_as_boards_write_them(words: str, expected: str | None) -> None:
    moment = read_moment(words, LONDON, NOON)
    assert (moment.strftime("%Y-%m-%dT%H:%M") if moment else None) == expected


@pytest.mark.parametrize(
    ("texts", "default", "first"),
    [
        (["03-04-2026", "13-04-2026"], True, False),
        (["03/04/2026", "04/13/2026"], False, True),
        (["03-04-2026"], True, True),
        (["13.04.2026"], True, True),
    ],
)
def test_whether_a_page_writes_the_month_first_is_told_by_its_own_dates(
    texts: list[str], default: bool, first: bool
) -> None:
    assert writes_month_first(texts, NOON, default) is first


def test_topics_of_a_list_that_no_rule_knows_are_taken_by_their_links() -> None:
    links = "".join(f'<p><a href="viewtopic.php?t={n}">Topic number {n}</a> <a href="viewtopic.php?t={n}">2</a></p>'
                    for n in (1, 2, 3))  # fmt: skip
    tree = parse_html(links, Place("https://b.example/", LONDON, NOON))
    rows = read_links(tree, rules_of("phpbb"), Place("https://b.example/", LONDON, NOON), "https://b.example/")
    assert [(row.number, row.title) for row in rows] == [(str(n), f"Topic number {n}") for n in (1, 2, 3)]
    assert all(row.link.startswith("https://b.example/viewtopic.php?t=") for row in rows)


def test_a_post_that_is_only_a_picture_goes_by_its_topic() -> None:
    posts = [
        {"id": 11, "topic_id": 4, "post_number": 1, "cooked": "<p>Sirens again.</p>"},
        {"id": 12, "topic_id": 4, "post_number": 2, "cooked": '<p><img src="/x.png"></p>'},
    ]
    document = {"id": 4, "title": "Night noise", "posts_count": 2, "post_stream": {"posts": posts}}
    page = read_json_page(document, Place("https://board.example/t/4.json", LONDON, NOON))
    assert page is not None
    assert [(post.number, post.title, post.text) for post in page.posts] == [
        ("11", "Night noise", "Sirens again."), ("12", "Night noise", ""),
    ]  # fmt: skip
    assert not page.odd


def test_a_page_is_read_in_the_charset_it_names_itself() -> None:
    body = '<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-15"><p>5 €, œuvre'
    assert decode_page(body.encode("iso8859-15"), None).endswith("5 €, œuvre")
    assert decode_page("<meta charset=iso-8859-1>“quoted”".encode("cp1252"), None).endswith("“quoted”")


def test_a_tangle_of_tags_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TemporaryFailure, match="tangle"):
        page_of("phpbb", "<div>" * 5000)
    with pytest.raises(TemporaryFailure, match="longer"):
        page_of("phpbb", "x" * 3_000_001)
