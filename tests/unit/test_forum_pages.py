"""Pages of forums taken apart: the templates that each software ships, with words made up for this."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from selectolax.lexbor import LexborHTMLParser

from listener.forums.kinds import UNVERIFIED, Software, recognise
from listener.forums.moments import read_moment, writes_month_first
from listener.forums.pages import ForumPage, Place, decode_page, parse_html, read_page
from listener.forums.rules import all_software, overlaid, rules_of
from mentions.failures import TemporaryFailure

NOON = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


def page_of(software: str, html: str, url: str = "https://board.example/forum/x") -> ForumPage:
    place = Place(url, LONDON, NOON)
    return read_page(parse_html(html, place), rules_of(software), place)


PHPBB3 = """<body id="phpbb"><h2 class="topic-title"><a href="./viewtopic.php?t=7">Sirens</a></h2>
<div id="p11" class="post has-profile bg2"><dl class="postprofile" id="profile11"><dt><a class="username" href="./m?u=2">lou</a>
</dt></dl><div class="postbody"><p class="author">by <strong><a class="username" href="./m?u=2">lou</a></strong> »
<time datetime="2026-06-08T20:15:00+00:00">Mon Jun 08, 2026 9:15 pm</time></p><div class="content">All night long.</div>
<div id="sig11" class="signature">Lou's signature</div></div></div>
<div id="p12" class="post bg1"><div class="postbody"><p class="author"><a href="./viewtopic.php?p=12#p12">Post</a> by
<strong>kim</strong> » 08 Jun 2026, 21:20</p><div class="content"><blockquote class="uncited"><div>All night</div></blockquote>
Same here.</div><div class="notice">Last edited by kim</div></div></div>
<div class="pagination"><ul><li class="active"><span>1</span></li><li><a href="./viewtopic.php?t=7&amp;start=10">2</a></li>
<li class="arrow next"><a href="./viewtopic.php?t=7&amp;start=10" rel="next">Next</a></li></ul></div></body>"""
SUBSILVER2 = """<table class="tablebg"><tr class="row1"><td><a name="p11"></a><b class="postauthor">lou</b></td>
<td><table><tr><td class="gensmall"><div>&nbsp;<b>Post subject:</b> <a href="#p11">Sirens</a></div>
<div><b>Posted:</b> Mon Jun 08, 2026 9:15 pm&nbsp;</div></td></tr></table></td></tr><tr class="row1"><td class="profile">
<span class="postdetails"><b>Joined:</b> Tue Jan 06, 2009 1:00 pm</span></td><td><table><tr><td><div class="postbody">All night
long.</div><div class="postbody"><br>_________________<br>Lou's signature</div></td></tr></table></td></tr></table>
<table class="tablebg"><tr class="row2"><td><a name="p12"></a><b class="postauthor">kim</b></td><td><table><tr>
<td class="gensmall"><div><b>Posted:</b> Mon Jun 08, 2026 9:20 pm</div></td></tr></table></td></tr><tr><td></td><td>
<div class="postbody"><div class="quotetitle">lou wrote:</div><div class="quotecontent">All night</div>Same here.</div></td></tr>
</table>"""
SUBSILVER = """<table class="forumline"><tr><th>Author</th><th>Message</th></tr><tr><td class="row1"><span class="name">
<a name="11"></a><b>lou</b></span><br><span class="postdetails">Joined: 06 Jan 2009<br>Posts: 3</span></td><td class="row1"><table>
<tr><td><a href="viewtopic.php?p=11#11"></a><span class="postdetails">Posted: Mon Jun 08, 2026 9:15 pm
<span class="gen">&nbsp;</span>Post subject: Sirens</span></td></tr><tr><td><span class="postbody">All night long.</span>
<span class="gensmall"></span></td></tr></table></td></tr></table>"""
XENFORO2 = """<html id="XF"><h1 class="p-title-value">Sirens</h1>
<article class="message message--post js-post" data-author="lou" data-content="post-11" id="js-post-11">
<header class="message-attribution"><ul class="message-attribution-main"><li><a href="/threads/sirens.7/post-11">
<time class="u-dt" datetime="2026-06-08T21:15:00+0100" title="Jun 8, 2026">Yesterday</time></a></li></ul></header>
<div class="message-content"><article class="message-body js-selectToQuote"><div class="bbWrapper">All night long.</div></article></div>
<aside class="message-signature"><div class="bbWrapper">Lou's signature</div></aside></article>
<article class="message message--post js-post" data-author="kim" data-content="post-12" id="js-post-12">
<header class="message-attribution"><ul class="message-attribution-main"><li><time datetime="2026-06-08T21:20:00+0100"></time></li>
</ul></header><article class="message-body"><div class="bbWrapper"><blockquote class="bbCodeBlock bbCodeBlock--quote">
<div class="bbCodeBlock-title">lou said:</div><div>All night</div></blockquote>Same here.</div></article></article>
<nav class="pageNavWrapper"><a class="pageNav-jump pageNav-jump--next" href="/forum/threads/sirens.7/page-2">Next</a></nav></html>"""
VBULLETIN3 = """<div id="edit11"><table id="post11" class="tborder"><tr><td class="thead"><a name="post11"></a> 08-06-2026, 09:15 PM</td>
</tr><tr><td class="alt2"><div id="postmenu_11"><a class="bigusername" href="member.php?u=2">lou</a></div>
<div class="smallfont">Join Date: Jan 2009</div></td></tr><tr><td class="alt1" id="td_post_11"><div id="post_message_11">All night
long.</div><div>__________________<br>Lou's signature</div></td></tr></table></div>
<div id="edit12"><table id="post12" class="tborder"><tr><td class="thead"> 08-06-2026, 09:20 PM</td></tr><tr><td>
<a class="bigusername" href="member.php?u=3">kim</a></td></tr><tr><td><div id="post_message_12"><div style="margin:20px">
<div class="smallfont">Quote:</div><table><tr><td class="alt2"><div>Originally Posted by <strong>lou</strong></div>
<div>All night</div></td></tr></table></div>Same here.</div></td></tr></table></div>
<div class="pagenav"><a rel="next" href="showthread.php?t=7&amp;page=2">&gt;</a></div>"""
VBULLETIN5 = """<ul><li class="b-post js-post" data-node-id="11"><div class="b-userinfo"><div class="author"><a href="/member/2">lou</a>
</div></div><time itemprop="dateCreated" datetime="2026-06-08T20:15:00">x</time><div class="js-post__content-text">All night long.
</div></li><li class="b-post js-post" data-node-id="12"><div class="author">kim</div><time itemprop="dateCreated"
datetime="2026-06-08T20:20:00">x</time><div class="js-post__content-text"><div class="bbcode_container">All night</div>Same here.
</div></li></ul>"""
SMF1 = """<form id="quickModForm"><table class="bordercolor"><tr><td><table><tr><td class="windowbg"><table><tr><td valign="top">
<b><a href="index.php?action=profile;u=2">lou</a></b><div class="smalltext">Posts: 3</div></td><td><table><tr><td>
<div id="subject_11"><a href="index.php?topic=7.msg11#msg11">Sirens</a></div><div class="smalltext">&#171; <b>on:</b>
June 08, 2026, 09:15:00 PM &#187;</div></td></tr></table><div class="post">All night long.</div></td></tr></table></td></tr></table>
</td></tr></table></form>"""
SMF2 = """<div id="forumposts"><form><div class="windowbg"><div class="post_wrapper"><div class="poster"><h4>
<a href="index.php?action=profile;u=2">lou</a></h4><ul id="msg_11_extra_info"><li class="postcount">Posts: 3</li></ul></div>
<div class="postarea"><div class="keyinfo"><h5 id="subject_11"><a href="index.php?topic=7.msg11#msg11">Sirens</a></h5>
<div class="smalltext">&#171; <strong>on:</strong> June 08, 2026, 09:15:00 PM &#187;</div></div><div class="post">
<div class="inner" id="msg_11">All night long.</div></div></div><div class="moderatorbar"><div class="signature">Lou's</div></div>
</div></div><div class="windowbg2"><div class="post_wrapper"><div class="poster"><h4>kim</h4></div><div class="postarea">
<div class="keyinfo"><h5 id="subject_12"><a href="index.php?topic=7.msg12#msg12">Re: Sirens</a></h5><div class="smalltext">&#171;
<strong>Reply #1 on:</strong> June 08, 2026, 09:20:00 PM &#187;</div></div><div class="post"><div class="inner" id="msg_12">
<div class="quoteheader">Quote from: lou</div><blockquote class="bbc_standard_quote">All night</blockquote>Same here.</div></div>
</div></div></div></form></div>
<div class="pagelinks">Pages: [<strong>1</strong>] <a class="navPages" href="index.php?topic=7.15">2</a></div>"""
SMF21 = """<div id="forumposts"><form><div class="windowbg" id="msg11"><div class="post_wrapper"><div class="poster"><h4>
<a href="?action=profile;u=2">lou</a></h4></div><div class="postarea"><div class="keyinfo"><div id="subject_11" class="subject_title">
<a href="?topic=7.msg11#msg11">Sirens</a></div><div class="postinfo"><a href="?topic=7.msg11#msg11" class="smalltext">June 08, 2026,
09:15:00 PM</a><span class="smalltext modified"></span></div></div><div class="post"><div class="inner" id="msg_11">All night long.
</div></div></div></div></div><div class="windowbg" id="msg12"><div class="post_wrapper"><div class="poster"><h4>kim</h4></div>
<div class="postarea"><div class="postinfo"><a class="smalltext" href="?topic=7.msg12#msg12">June 08, 2026, 09:20:00 PM</a></div>
<div class="post"><div class="inner" id="msg_12"><blockquote class="bbc_standard_quote"><cite>lou</cite>All night</blockquote>Same
here.</div></div></div></div></div></form></div>"""
MYBB18 = """<div id="posts"><div class="post" id="post_11"><div class="post_author"><div class="author_information"><strong>
<span class="largetext"><a href="member.php?uid=2">lou</a></span></strong></div></div><div class="post_content"><div class="post_head">
<span class="post_date">06-08-2026, 09:15 PM <span class="post_edit"></span></span></div><div class="post_body scaleimages" id="pid_11">
All night long.</div><div class="signature">Lou's signature</div></div></div><div class="post classic" id="post_12">
<div class="author_information"><span class="largetext">kim</span></div><span class="post_date">06-08-2026, 09:20 PM</span>
<div class="post_body" id="pid_12"><blockquote class="mycode_quote"><cite>lou</cite>All night</blockquote>Same here.</div></div></div>
<div class="pagination"><a class="pagination_next" href="showthread.php?tid=7&amp;page=2">Next</a></div>"""
MYBB16 = """<table class="tborder" id="post_11"><tr><td class="tcat"><div class="smalltext">06-08-2026, 09:15 PM</div></td></tr><tr>
<td class="trow1 post_author"><strong><span class="largetext"><a href="member.php?uid=2">lou</a></span></strong></td></tr><tr>
<td><div class="post_body" id="pid_11">All night long.</div></td></tr></table><table class="tborder" id="post_12"><tr>
<td class="tcat"><div class="smalltext">06-08-2026, 09:20 PM</div></td></tr><tr><td class="post_author"><span class="largetext">kim
</span></td></tr><tr><td><div class="post_body" id="pid_12"><blockquote>All night</blockquote>Same here.</div></td></tr></table>"""
VANILLA = """<div class="MessageList Discussion"><div class="PageTitle"><h1>Sirens</h1></div><div id="Discussion_11"
class="Item ItemDiscussion"><div class="Discussion"><div class="Item-Header"><div class="AuthorWrap"><span class="Author">
<a class="Username" href="/profile/lou">lou</a></span></div><div class="Meta DiscussionMeta"><span class="MItem DateCreated">
<a class="Permalink" href="/discussion/11/sirens"><time datetime="2026-06-08T20:15:00+00:00">June 8</time></a></span></div></div>
<div class="Item-BodyWrap"><div class="Item-Body"><div class="Message userContent">All night long.</div></div></div></div></div></div>
<ul class="MessageList DataList Comments"><li class="Item ItemComment" id="Comment_11"><div class="Comment"><span class="Author">
<a class="Username" href="/profile/kim">kim</a></span><span class="MItem DateCreated"><a class="Permalink"
href="/discussion/comment/11#Comment_11"><time datetime="2026-06-08T20:20:00+00:00">June 8</time></a></span><div class="Item-Body">
<div class="Message"><blockquote class="UserQuote">All night</blockquote>Same here.</div></div></div></li></ul>"""
BBPRESS = """<div id="bbpress-forums"><ul id="topic-7-replies" class="forums bbp-replies"><li class="bbp-body">
<div id="post-11" class="bbp-reply-header"><div class="bbp-meta"><span class="bbp-reply-post-date">June 8, 2026 at 9:15 pm</span>
<a href="https://board.example/topic/sirens/#post-11" class="bbp-reply-permalink">#11</a></div></div>
<div class="loop-item-0 user-id-2 post-11 topic type-topic"><div class="bbp-reply-author"><a class="bbp-author-name" href="/u/lou">lou
</a></div><div class="bbp-reply-content"><p>All night long.</p></div></div>
<div id="post-12" class="bbp-reply-header"><div class="bbp-meta"><span class="bbp-reply-post-date">June 8, 2026 at 9:20 pm</span>
<a href="https://board.example/topic/sirens/#post-12" class="bbp-reply-permalink">#12</a></div></div>
<div class="loop-item-1 user-id-3 post-12 reply type-reply"><div class="bbp-reply-author"><a class="bbp-author-name" href="/u/kim">kim
</a></div><div class="bbp-reply-content"><blockquote>All night</blockquote><p>Same here.</p></div></div></li></ul>
<div class="bbp-pagination-links"><span class="page-numbers current">1</span>
<a class="next page-numbers" href="https://board.example/topic/sirens/page/2/">→</a></div></div>"""
INVISION = """<h1 class="ipsType_pageTitle">Sirens</h1><article id="elComment_11" class="ipsComment" ><aside><h3 class="cAuthorPane_author">
<a href="/profile/2-lou">lou</a></h3></aside><div class="ipsComment_meta"><time datetime="2026-06-08T20:15:00Z">x</time></div>
<div data-role="commentContent">All night long.</div><div data-role="memberSignature">Lou's</div></article>
<article id="elComment_12" class="ipsComment"><h3 class="cAuthorPane_author">kim</h3><div class="ipsComment_meta">
<time datetime="2026-06-08T20:20:00Z">x</time></div><div data-role="commentContent"><blockquote class="ipsQuote">All night</blockquote>
Same here.</div></article>"""
TWO = [("11", "lou", "All night long.", 20, 15), ("12", "kim", "Same here.", 20, 20)]


@pytest.mark.parametrize(
    ("software", "html", "expected"),
    [
        pytest.param("phpbb", PHPBB3, TWO, id="phpBB 3"),
        pytest.param("phpbb", SUBSILVER2, TWO, id="phpBB, subsilver2"),
        pytest.param("phpbb", SUBSILVER, TWO[:1], id="phpBB 2"),
        pytest.param("xenforo", XENFORO2, TWO, id="XenForo 2"),
        pytest.param("vbulletin", VBULLETIN3, TWO, id="vBulletin 3"),
        pytest.param("vbulletin", VBULLETIN5, [(*each[:3], each[3] - 1, each[4]) for each in TWO], id="vBulletin 5"),
        pytest.param("smf", SMF1, TWO[:1], id="SMF 1.1"),
        pytest.param("smf", SMF2, TWO, id="SMF 2.0"),
        pytest.param("smf", SMF21, TWO, id="SMF 2.1"),
        pytest.param("mybb", MYBB18, TWO, id="MyBB 1.8"),
        pytest.param("mybb", MYBB16, TWO, id="MyBB 1.6"),
        pytest.param("vanilla", VANILLA, [TWO[0], ("11", *TWO[1][1:])], id="Vanilla"),
        pytest.param("bbpress", BBPRESS, TWO, id="bbPress"),
        pytest.param("invision", INVISION, TWO, id="Invision"),
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
        ("phpbb", PHPBB3, "/forum/viewtopic.php?t=7&start=10"),
        ("xenforo", XENFORO2, "/forum/threads/sirens.7/page-2"),
        ("vbulletin", VBULLETIN3, "/forum/showthread.php?t=7&page=2"),
        ("smf", SMF2, "/forum/index.php?topic=7.15"),
        ("mybb", MYBB18, "/forum/showthread.php?tid=7&page=2"),
        ("bbpress", BBPRESS, "/topic/sirens/page/2/"),
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
        ("phpbb", PHPBB3),
        ("xenforo", XENFORO2),
        ("smf", '<script>var smf_scripturl = "x";</script>' + SMF2),
        ("mybb", MYBB18 + 'Powered By <a href="https://mybb.com">MyBB</a>'),
        ("vanilla", VANILLA),
        ("bbpress", BBPRESS),
        ("vbulletin", VBULLETIN3),
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


def test_a_page_is_read_in_the_charset_it_names_itself() -> None:
    body = '<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-15"><p>5 €, œuvre'
    assert decode_page(body.encode("iso8859-15"), None).endswith("5 €, œuvre")
    assert decode_page("<meta charset=iso-8859-1>“quoted”".encode("cp1252"), None).endswith("“quoted”")


def test_a_tangle_of_tags_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(TemporaryFailure, match="tangle"):
        page_of("phpbb", "<div>" * 5000)
    with pytest.raises(TemporaryFailure, match="longer"):
        page_of("phpbb", "x" * 3_000_001)
