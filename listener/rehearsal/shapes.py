"""How posts look on the wire: items of RSS and Atom, posts of Discourse, statuses of Mastodon."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from listener.rehearsal.posts import Board, Post
from mentions.mention import Reach

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_TAG = re.compile(r"(?<!\w)#(\w+)")
_LINK = re.compile(r"https?://[^\s<>\"]+")
_IN_BAND = {Reach.LOCAL: 100, Reach.MEDIUM: 10_000, Reach.WIDE: 1_000_000}
NOBODY = "invalid"  # top-level name that never resolves


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text))


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _paragraphs(text: str) -> str:
    """Plain text as the HTML that platforms store."""
    lines = (html.escape(line) for line in text.split("\n"))
    return f"<p>{'<br />'.join(lines)}</p>"


def link_of(post: Post) -> str:
    """The post's own link; one that leads nowhere where the row gives none."""
    return post.row.link or f"https://{post.board}.{NOBODY}/{post.number}"


def author_of(post: Post) -> str:
    """Who wrote it; whoever is not named is somebody else each time."""
    return post.row.author or post.row.author_key or f"someone_{post.number}"


def followers_of(post: Post) -> int | None:
    """As many followers as the row says; one of our own exports knows only the band, which then stays the same."""
    return _IN_BAND.get(post.row.reach or Reach.UNKNOWN) if post.row.followers is None else post.row.followers


# -- feeds ----------------------------------------------------------------------------------------------------------


def rss_item(post: Post) -> str:
    """One `<item>` of RSS 2.0, its words escaped HTML as newsrooms send them."""
    row = post.row
    return (
        "<item>"
        + (f"<title>{_xml(html.escape(row.title, quote=False))}</title>" if row.title else "")
        + (f"<description>{_xml(html.escape(row.text, quote=False))}</description>" if row.text else "")
        + f"<link>{_xml(link_of(post))}</link>"
        + f'<guid isPermaLink="false">{_xml(row.id)}</guid>'
        + f"<pubDate>{format_datetime(post.at.astimezone(UTC), usegmt=True)}</pubDate></item>\n"
    )


def rss_document(board: Board, items: Sequence[str]) -> bytes:
    """A whole RSS 2.0 channel; `items` newest first."""
    home = f"https://{board.name}.{NOBODY}/"
    head = f"<title>{_xml(board.name)}</title><link>{home}</link><description>EXERCISE</description>"
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>{head}\n{"".join(items)}</channel></rss>'
    )
    return body.encode()


def atom_entry(post: Post) -> str:
    """One `<entry>` of Atom."""
    row, at = post.row, _iso(post.at)
    return (
        f'<entry><id>{_xml(row.id)}</id><title type="html">{_xml(html.escape(row.title, quote=False))}</title>'
        f'<link rel="alternate" href="{_xml(link_of(post))}"/><published>{at}</published><updated>{at}</updated>'
        f'<content type="html">{_xml(_paragraphs(row.text))}</content></entry>\n'
    )


def atom_document(board: Board, entries: Sequence[str]) -> bytes:
    """A whole Atom feed; `entries` newest first."""
    name, updated = board.name, _iso(board.posts[-1].at)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:exercise:{name}</id><title>{_xml(name)}</title><updated>{updated}</updated>"
        f"<author><name>{_xml(name)}</name></author>\n{''.join(entries)}</feed>"
    ).encode()


# -- forum ----------------------------------------------------------------------------------------------------------


def topic_key(post: Post) -> str:
    """Posts with one key stand in one topic: the row's thread, else its title, else a topic of its own."""
    return post.row.thread or post.row.title or post.row.id


def slug(text: str) -> str:
    """A title as it stands in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "topic"


def discourse_post(post: Post, post_id: int, topic_id: int, place: int, title: str) -> dict[str, object]:
    """One of `latest_posts`: the `place`-th of its topic."""
    at = _iso(post.at)
    return {
        "id": post_id,
        "name": "",
        "username": author_of(post),
        "avatar_template": "/letter_avatar_proxy/v4/letter/e/{size}.png",
        "created_at": at,
        "cooked": _paragraphs(post.row.text or post.row.title),
        "post_number": place,
        "post_type": 1,
        "updated_at": at,
        "reply_count": post.row.replies or 0,
        "reply_to_post_number": None,
        "quote_count": 0,
        "reads": 1,
        "score": 0.2,
        "topic_id": topic_id,
        "topic_slug": slug(title),
        "topic_title": title,
        "topic_html_title": html.escape(title),
        "category_id": 1,
        "display_username": "",
        "version": 1,
        "user_id": _number(author_of(post)),
        "hidden": False,
        "trust_level": 1,
        "deleted_at": None,
        "user_deleted": False,
        "raw": post.row.text or post.row.title,
        "actions_summary": [{"id": 2, "count": post.row.likes}] if post.row.likes else [],
        "moderator": False,
        "admin": False,
        "staff": False,
        "wiki": False,
    }


def _number(name: str) -> int:
    """A number for a name, the same in every run."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


# -- Mastodon -------------------------------------------------------------------------------------------------------


def tags_of(post: Post) -> tuple[str, ...]:
    """The hashtags of a post in lower case, each once."""
    return tuple(dict.fromkeys(tag.lower() for tag in _TAG.findall(f"{post.row.title} {post.row.text}")))


def status_uri(post: Post) -> str:
    """What identifies the post over all servers; it does not depend on where the exercise's server listens."""
    return f"https://{post.board}.{NOBODY}/statuses/{hashlib.sha256(post.row.id.encode()).hexdigest()[:20]}"


def mastodon_status(post: Post, status_id: int) -> dict[str, object]:
    """A public status as `timelines/public` gives it."""
    row = post.row
    return {
        "id": str(status_id),
        "created_at": _iso(post.at),
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": row.lang or None,
        "uri": status_uri(post),
        "url": row.link or status_uri(post),
        "replies_count": row.replies or 0,
        "reblogs_count": row.shares or 0,
        "favourites_count": row.likes or 0,
        "edited_at": None,
        "content": _status_html(f"{row.title}\n{row.text}".strip()),
        "reblog": None,
        "application": None,
        "account": _account(post),
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": tag, "url": f"https://{post.board}.{NOBODY}/tags/{tag}"} for tag in tags_of(post)],
        "emojis": [],
        "card": None,
        "poll": None,
    }


def _account(post: Post) -> dict[str, object]:
    author = author_of(post)
    username = re.sub(r"\W", "_", author, flags=re.ASCII)
    home = f"https://{post.board}.{NOBODY}"
    number = _number(author)
    return {
        "id": str(number),
        "username": username,
        "acct": f"{username}_{number % 9973}",
        "display_name": "",
        "locked": False,
        "bot": False,
        "discoverable": None,
        "group": False,
        "created_at": "2024-01-01T00:00:00.000Z",
        "note": "",
        "url": f"{home}/users/{number}",
        "uri": f"{home}/users/{number}",
        "avatar": f"{home}/avatar.png",
        "avatar_static": f"{home}/avatar.png",
        "header": f"{home}/header.png",
        "header_static": f"{home}/header.png",
        "followers_count": followers_of(post),
        "following_count": 0,
        "statuses_count": 1,
        "last_status_at": None,
        "emojis": [],
        "fields": [],
    }


def _status_html(text: str) -> str:
    """Text as Mastodon stores it: links and hashtags as anchors."""
    parts, at = [], 0
    for match in re.finditer(f"{_LINK.pattern}|{_TAG.pattern}", text):
        parts.append(html.escape(text[at : match.start()], quote=False))
        shown = html.escape(match.group(), quote=False)
        if match.group(1):
            address = f"/tags/{match.group(1).lower()}"
            parts.append(f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{shown[1:]}</span></a>')
        else:
            parts.append(f'<a href="{html.escape(match.group())}" rel="nofollow noopener">{shown}</a>')
        at = match.end()
    parts.append(html.escape(text[at:], quote=False))
    return "<p>" + "".join(parts).replace("\n", "<br />") + "</p>"
