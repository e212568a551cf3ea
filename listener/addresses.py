"""Addresses that people copy from their browser, as the sources that read what they show."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from listener.connectors import CONNECTORS
from mentions.failures import UserError
from mentions.reach import CLOSED


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A source that would read an address: its kind, the kind's own keys, and what to call it."""

    kind: str
    options: dict[str, str]
    name: str
    software: str = ""
    page: str = field(default="", repr=False)  # what was fetched to find it, if anything was


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its parts; `host` without www."""

    host: str
    parts: tuple[str, ...]
    query: dict[str, str]
    url: str

    @property
    def root(self) -> str:
        """Scheme and host."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.split('/')[0]}"


def read_address(text: str) -> Address:
    """An address as somebody typed it; https where it names no scheme. Raises UserError for what is none."""
    url = text.strip() if "://" in text else f"https://{text.strip()}"
    try:
        split = urlsplit(url)
        host, good = (split.hostname or "").lower(), split.scheme in ("http", "https") and "@" not in split.netloc
        split.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        host, good = "", False
    if not good or not host or any(each.isspace() for each in url):
        raise UserError(f'"{text}" is no web address and no name of `earshot sources known`')
    query = {key: values[-1] for key, values in parse_qs(split.query).items()}
    parts = tuple(unquote(part) for part in split.path.split("/") if part)
    return Address(re.sub(r"^(www|old|new|m|mobile)\.", "", host), parts, query, url)


def recognise_address(address: Address) -> Suggestion | None:
    """The source behind a platform's own address; None for all others, which have to be looked at. Raises UserError
    where nobody may read it."""
    host = address.host
    if host in SHUT or host.endswith(".nextdoor.com"):
        raise UserError(f"{host} cannot be listened to: {SHUT.get(host, CLOSED['Nextdoor'])}")
    if rule := PLATFORMS.get(host):
        found = rule(address)
        if found and found.kind not in CONNECTORS:
            raise UserError(f"{host}: sources of kind {found.kind} cannot be read by this Earshot")
        return found
    return _mastodon(address)


def _youtube(address: Address) -> Suggestion | None:
    channel = address.query.get("channel_id", "")
    if address.parts[:1] == ("channel",) and len(address.parts) > 1:
        channel = address.parts[1]
    if not re.fullmatch(r"UC[\w-]{10,40}", channel):
        video = address.query.get("v", "") or (address.parts[0] if address.host == "youtu.be" and address.parts else "")
        if video and "youtube" in CONNECTORS:
            return Suggestion("youtube", {"read": "comments", "video_id": video}, f"YouTube video {video}")
        return None  # a handle: its page names the channel
    if "youtube" in CONNECTORS:
        return Suggestion("youtube", {"read": "uploads", "channel_id": channel}, f"YouTube channel {channel}")
    return Suggestion("feed", {"url": f"https://www.youtube.com/feeds/videos.xml?channel_id={channel}"}, channel)


def _reddit(address: Address) -> Suggestion | None:
    if len(address.parts) < 2 or address.parts[0] != "r":
        raise UserError("reddit.com: only a subreddit can be added, such as https://www.reddit.com/r/london")
    name = address.parts[1]
    if "reddit" in CONNECTORS:
        return Suggestion("reddit", {"read": "new", "subreddit": name}, f"r/{name}")
    return Suggestion("feed", {"url": f"https://www.reddit.com/r/{name}/new/.rss"}, f"r/{name}")


def _x(address: Address) -> Suggestion | None:
    query = address.query.get("q", "")
    if address.parts[:1] == ("hashtag",) and len(address.parts) > 1:
        query = f"#{address.parts[1]}"
    elif not query and len(address.parts) == 1 and re.fullmatch(r"\w{1,15}", address.parts[0]):
        query = f"@{address.parts[0]}"
    if not query:
        raise UserError("x.com: add an account (what is said to it is read), a hashtag or a search")
    return Suggestion("x", {"read": "search", "query": query}, f"X {query}"[:60])


def _facebook(address: Address) -> Suggestion | None:
    if address.parts[:1] == ("groups",):
        raise UserError(f"Facebook groups cannot be listened to: {CLOSED['Facebook groups']}")
    page = address.query.get("id", "") if address.parts[:1] == ("profile.php",) else next(iter(address.parts), "")
    if address.parts[:1] in (("pages",), ("people",)):
        page = address.parts[-1]
    if not page:
        raise UserError("facebook.com: only a Page can be added, such as https://www.facebook.com/metpoliceuk")
    return Suggestion("facebook", {"read": "feed", "page_id": page}, f"Facebook {page}"[:60])


def _bluesky(address: Address) -> Suggestion | None:
    match address.parts:
        case ("hashtag", tag, *_):
            return Suggestion("bluesky", {"read": "search", "query": f"#{tag}"}, f"Bluesky #{tag}"[:60])
        case ("search", *_) if address.query.get("q"):
            query = address.query["q"]
            return Suggestion("bluesky", {"read": "search", "query": query}, f"Bluesky {query}"[:60])
        case ("profile", handle, *_):
            return Suggestion("feed", {"url": f"https://bsky.app/profile/{handle}/rss"}, f"Bluesky {handle}"[:60])
    raise UserError("bsky.app: add a profile, a hashtag or a search")


def _flickr(address: Address) -> Suggestion | None:
    text = address.query.get("text", "") or address.query.get("q", "")
    match address.parts:
        case ("photos", _, photo, *_) if photo.isdecimal():
            return Suggestion("flickr", {"read": "comments", "photo_id": photo}, f"Flickr photo {photo}")
        case ("photos" | "people", user, *_) if "@N" in user:
            return Suggestion("flickr", {"read": "photos", "user_id": user}, f"Flickr {user}")
        case ("photos", "tags", tag, *_):
            return Suggestion("flickr", {"read": "search", "query": tag}, f"Flickr {tag}"[:60])
    if text:
        return Suggestion("flickr", {"read": "search", "query": text}, f"Flickr {text}"[:60])
    return None  # a member's page links to its feed


def _mastodon(address: Address) -> Suggestion | None:
    """Any host may be a Mastodon server: its addresses have a form of their own."""
    match address.parts:
        case ("tags", tag) if "mastodon" in CONNECTORS and re.fullmatch(r"\w+", tag):
            return Suggestion("mastodon", {"api_root": address.root, "tag": tag}, f"Mastodon #{tag}"[:60])
        case (profile,) if found := re.fullmatch(r"@(\w+)(?:@([\w.-]+))?", profile):
            home = f"https://{found[2]}" if found[2] else address.root
            name = f"@{found[1]}@{found[2] or address.host}"
            return Suggestion("feed", {"url": f"{home}/@{found[1]}.rss"}, f"Mastodon {name}"[:60])
    return None


PLATFORMS: dict[str, Callable[[Address], Suggestion | None]] = {
    **dict.fromkeys(("youtube.com", "youtu.be"), _youtube),
    "reddit.com": _reddit,
    **dict.fromkeys(("x.com", "twitter.com"), _x),
    **dict.fromkeys(("facebook.com", "fb.com"), _facebook),
    "bsky.app": _bluesky,
    "flickr.com": _flickr,
    "medium.com": lambda address: None,  # profiles there look like Mastodon's
}
_NO_WAY = "no connector reads it: it shows posts to members only, or has no interface that we may use"
SHUT = {
    **dict.fromkeys(("nextdoor.com", "nextdoor.co.uk"), CLOSED["Nextdoor"]),
    **dict.fromkeys(
        ("instagram.com", "threads.net", "threads.com", "tiktok.com", "linkedin.com", "snapchat.com"), _NO_WAY
    ),
    **dict.fromkeys(
        ("chat.whatsapp.com", "whatsapp.com", "t.me", "telegram.me"), "groups there are private; never read"
    ),
}
