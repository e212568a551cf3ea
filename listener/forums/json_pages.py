"""Pages that boards give as JSON: topics and lists of Discourse, and of NodeBB (unverified: never tried on one)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from listener.dates import believable, read_date
from listener.feeds import short_hash
from listener.forums.discourse import base_of, read_posts
from listener.forums.lists import TopicRow
from listener.forums.nodes import Place, post_key, topic_key
from listener.forums.pages import ForumPage, PagePost
from listener.markup import plain_line, plain_text

CHUNK = 20  # posts of a page of Discourse's topic


def read_json(text: str) -> dict[str, Any] | None:
    """The object a text is; None where it is none."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def read_json_page(document: Mapping[str, Any], place: Place) -> ForumPage | None:
    """The page in an answer; None for JSON of another kind. Raises ValueError, TypeError, KeyError for a broken one."""
    if isinstance(document.get("post_stream"), dict):
        return discourse_topic(document, place)
    if isinstance(document.get("latest_posts"), list):
        return discourse_posts(document["latest_posts"], place)
    if isinstance(document.get("topic_list"), dict):
        return discourse_list(document["topic_list"], place)
    if "tid" in document and isinstance(document.get("posts"), list):
        return nodebb_topic(document, place)
    if isinstance(document.get("topics"), list):
        return nodebb_list(document["topics"], place)
    return None


def discourse_topic(document: Mapping[str, Any], place: Place) -> ForumPage:
    """A topic's window of posts."""
    base, topic = base_of(place.url), str(document.get("id") or "")
    title = plain_line(str(document.get("title") or ""))
    shown = discourse_posts(document["post_stream"]["posts"], place, title)
    total = document.get("posts_count")
    pages = -(-total // CHUNK) if isinstance(total, int) else 1
    here = int(place.url.rpartition("page=")[2]) if place.url.rpartition("page=")[2].isdecimal() else 1
    at = f"{base}/t/{topic}.json"
    return ForumPage(
        url=place.url,
        topic=topic,
        title=title,
        posts=shown.posts,
        odd=shown.odd,
        next=f"{at}?page={here + 1}" if here < pages else "",
        previous=(f"{at}?page={here - 1}" if here > 2 else at) if here > 1 else "",
        last=f"{at}?page={pages}" if here < pages else "",
    )


def discourse_posts(rows: list[Any], place: Place, title: str = "") -> ForumPage:
    """A window of posts, newest first or oldest first as they come; `title` is their topic's."""
    base = base_of(place.url)
    posts, odd = read_posts(rows, base, place.now, title)
    return ForumPage(
        url=place.url,
        posts=tuple(
            PagePost(
                key=short_hash(f"{base}/p/{each.id}"),
                number=str(each.id),
                text=each.text,
                link=each.link,
                author=each.author,
                published_at=each.published_at,
                title=each.title,
                likes=each.likes,
                replies=each.replies,
            )
            for each in posts
        ),
        odd=tuple(odd.values()),
    )


def discourse_list(listed: Mapping[str, Any], place: Place) -> ForumPage:
    """Topics as `/latest.json` and a category's list them."""
    base = base_of(place.url)
    rows = [
        TopicRow(
            key=topic_key(place, f"{each['id']}/{nth}" if nth else str(each["id"])),
            number=str(each["id"]),
            link=f"{base}/t/{each.get('slug') or '-'}/{each['id']}",
            address=f"{base}/t/{each['id']}.json",
            title=plain_line(str(each.get("title") or "")),
            digest=short_hash(f"{each.get('title')}|{each.get('highest_post_number')}|{each.get('last_posted_at')}", 8),
            excerpt=plain_text(str(each.get("excerpt") or "")),
            published_at=believable(read_date(str(each.get("created_at") or ""), ZoneInfo("UTC")), place.now),
            replies=each.get("reply_count"),
        )
        for nth, each in enumerate_repeats(listed["topics"])
    ]
    return ForumPage(url=place.url, rows=tuple(rows), next=more_of(listed, base))


def enumerate_repeats(topics: list[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Each topic, numbered among those that bear its id: 0 where ids are what they should be."""
    seen: dict[Any, int] = {}
    numbered = []
    for each in topics:
        seen[each["id"]] = seen.get(each["id"], -1) + 1
        numbered.append((seen[each["id"]], each))
    return numbered


def more_of(listed: Mapping[str, Any], base: str) -> str:
    """The next page of a list, by the page's number alone."""
    number = str(listed.get("more_topics_url") or "").rpartition("page=")[2].partition("&")[0]
    return f"{base}/latest.json?page={number}" if number.isdecimal() else ""


def nodebb_topic(document: Mapping[str, Any], place: Place) -> ForumPage:
    """A topic's page. Unverified."""
    base = nodebb_base(place.url)
    pages = document.get("pagination") or {}
    here, last = int(pages.get("currentPage") or 1), int(pages.get("pageCount") or 1)
    at = f"{base}/api/topic/{document['tid']}"
    shown = [each for each in document["posts"] if not each.get("deleted")]
    posts = tuple(
        PagePost(
            key=post_key(place, str(each["pid"])),
            number=str(each["pid"]),
            text=plain_text(str(each.get("content") or "")),
            link=f"{base}/post/{each['pid']}",
            author=str((each.get("user") or {}).get("username") or ""),
            published_at=believable(read_date(str(each.get("timestampISO") or ""), ZoneInfo("UTC")), place.now),
            likes=each.get("upvotes"),
        )
        for each in shown
    )
    return ForumPage(
        url=place.url,
        topic=str(document["tid"]),
        title=plain_line(str(document.get("title") or "")),
        posts=posts,
        next=f"{at}?page={here + 1}" if here < last else "",
        previous=f"{at}?page={here - 1}" if here > 1 else "",
        last=f"{at}?page={last}" if here < last else "",
    )


def nodebb_list(topics: list[Mapping[str, Any]], place: Place) -> ForumPage:
    """Topics as `/api/recent` and a category list them. Unverified."""
    base = nodebb_base(place.url)
    rows = [
        TopicRow(
            key=topic_key(place, str(each["tid"])),
            number=str(each["tid"]),
            link=f"{base}/topic/{each.get('slug') or each['tid']}",
            address=f"{base}/api/topic/{each['tid']}",
            title=plain_line(str(each.get("title") or "")),
            digest=short_hash(f"{each.get('title')}|{each.get('postcount')}|{each.get('lastposttime')}", 8),
            published_at=believable(read_date(str(each.get("timestampISO") or ""), ZoneInfo("UTC")), place.now),
            replies=each.get("postcount"),
        )
        for each in topics
        if not each.get("deleted")
    ]
    return ForumPage(url=place.url, rows=tuple(rows))


def nodebb_base(url: str) -> str:
    """The board's root, of an address of its JSON."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.partition('/api/')[0]}"
