"""A source found from an address: which kind reads it, what it would bring, what its site says to robots."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from listener.addresses import Address, Suggestion, read_address, recognise_address
from listener.approval import require_approval
from listener.connector import SourceInfo, Tools
from listener.connectors import build_connector
from listener.fetch import Fetched
from listener.forums.finding import PAGE_OR_FEED
from listener.forums.kinds import is_feed, linked_feeds, recognise
from listener.json_feed import json_entries
from listener.markup import decode, plain_line, safe_link
from listener.robots import Robots
from listener.trying import Tried, state_of, try_source
from mentions.failures import Failure, NeedsAttention, NotConfigured, TemporaryFailure, UserError
from mentions.mention import Voice

USUAL_PLACES = ("feed/", "rss.xml", "feed.xml", "atom.xml", "index.xml", "rss/", "news/rss/", "feed.json")
CLOSED_BY_ROBOTS = "does not allow"
MOST_TRIED = 8  # addresses asked in search of a feed
_LIKE_A_FEED = re.compile(r"\.(?:xml|rss|atom|rdf|json)\b|\b(?:feeds?|rss|atom)\b", re.I)
_TITLE = re.compile(r"<title\b[^>]*>\s*(?:<!\[CDATA\[)?(.{1,400}?)(?:\]\]>)?\s*</title", re.I | re.S)
_JSON_TITLE = re.compile(r'"title"\s*:\s*"([^"\\]{1,200})"')
_LINK = re.compile(r"""<a\b[^>]*?\bhref\s*=\s*["']([^"'#]{1,300})["'][^>]*>(.{0,200}?)</a""", re.I | re.S)
_TERMS = re.compile(r"terms (?:of|and|&)|terms$|^terms|conditions of use|board rules|community guidelines", re.I)
_TERMS_PATH = re.compile(r"/(?:terms|tos|help/terms|terms-[\w-]+|legal/terms[\w-]*)(?:/|\.\w+)?$", re.I)


@dataclass(frozen=True, slots=True)
class Found:
    """A source that may be added: what it is, what it brought when tried, and what its site and platform say."""

    suggestion: Suggestion
    tried: Tried
    robots: str
    terms: str


def find_source(text: str, tools: Tools) -> Found:
    """What reads this address. Raises UserError where nothing does, or a Failure where the site could not be asked."""
    address = read_address(text)
    suggestion = recognise_address(address)
    if suggestion:
        return try_suggestion(suggestion, tools)
    best: Found | None = None
    try:
        for candidate in _candidates(address, tools):
            found = try_suggestion(candidate, tools)
            if found.tried.state in ("ok", "not_configured"):
                return found
            best = best or found
    except (NeedsAttention, NotConfigured) as closed:
        return _closed_by_robots(address, closed, tools)
    if best is None:
        none = "neither a feed nor forum software that is known was found; give its feed's address"
        raise UserError(f"{address.host}: {none}")
    return best


def _closed_by_robots(address: Address, closed: Failure, tools: Tools) -> Found:
    """What looks like a feed's address may be added unseen: it stays off until somebody records why it may be read.
    Anything else that fails, fails."""
    robots = tell_robots("feed", {"url": address.url}, tools)
    if not robots.startswith(CLOSED_BY_ROBOTS) or not _LIKE_A_FEED.search(address.url):
        raise closed
    unseen = Suggestion("feed", {"url": address.url}, address.host)
    return Found(unseen, Tried(state="not_configured", reason=str(closed)), robots, "")


def try_suggestion(suggestion: Suggestion, tools: Tools) -> Found:
    """One poll of it, of which nothing is kept, and what robots.txt and the terms say."""
    voice = Voice.PRESS if suggestion.kind == "feed" else Voice.PUBLIC
    connector = build_connector(suggestion.kind, SourceInfo(suggestion.name, voice), suggestion.options, tools)
    try:
        require_approval("", suggestion.kind, suggestion.options, tools.permitted)
        tried = try_source(connector, 1)
    except NotConfigured as off:
        tried = Tried(state=state_of(off), reason=str(off))
    finally:
        connector.close()
    own = connector.terms.link or find_terms(suggestion.page, suggestion.options.get("url", ""))
    return Found(suggestion, tried, tell_robots(suggestion.kind, suggestion.options, tools), own)


def _candidates(address: Address, tools: Tools) -> Iterator[Suggestion]:
    """What the page itself is, then what it names, then what lies where feeds usually do."""
    got = tools.fetch.get(address.url, accept=PAGE_OR_FEED)
    page = decode(got.body, got.charset)
    software = recognise(page)
    if _is_any_feed(page):
        yield _of_feed(got.url, page)
        return
    if software:
        name = name_of(page, address.host)
        yield Suggestion("forum", {"url": address.url, "software": str(software)}, name, str(software), page)
    named = [safe_link(link, got.url) for link in linked_feeds(page)]
    usual = [urljoin(base, place) for base in _bases(got) for place in USUAL_PLACES]
    for link in list(dict.fromkeys(link for link in (*named, *usual) if link))[:MOST_TRIED]:
        if own := recognise_address(read_address(link)):  # as a handle's page at YouTube names its channel
            yield replace(own, name=name_of(page, own.name), page=page)
        elif text := _read_feed(link, tools):
            yield replace(_of_feed(link, text), name=name_of(text, address.host), page=page)


def _bases(got: Fetched) -> list[str]:
    """The folder of the page, then the site's own."""
    here = got.url.split("?")[0].split("#")[0]
    here = here if here.endswith("/") or "." in here.rpartition("/")[2] else f"{here}/"
    return list(dict.fromkeys((here, urljoin(here, "/"))))


def _of_feed(url: str, text: str) -> Suggestion:
    """A forum's feed is read as a forum, so that replies count; any other as a feed."""
    software = None if text.lstrip().startswith("{") else recognise(text)
    name = name_of(text, urlsplit(url).hostname or url)
    if software:
        return Suggestion("forum", {"url": url, "software": str(software)}, name, str(software), text)
    return Suggestion("feed", {"url": url}, name, page=text)


def _read_feed(url: str, tools: Tools) -> str:
    try:
        got = tools.fetch.get(url, accept=PAGE_OR_FEED)
    except (TemporaryFailure, NeedsAttention, NotConfigured):
        return ""
    text = decode(got.body, got.charset)
    return text if _is_any_feed(text) else ""


def _is_any_feed(text: str) -> bool:
    return is_feed(text) or json_entries(text) is not None


def name_of(page: str, otherwise: str) -> str:
    """What a page or a feed calls itself, fit for the name of a source."""
    found = _JSON_TITLE.search(page[:5_000]) if page.lstrip().startswith("{") else _TITLE.search(page[:200_000])
    title = plain_line(found[1], 200) if found else ""
    kept = "".join(char if char not in ':"|<>\\' and char.isprintable() else " " for char in title)
    return " ".join(kept.split())[:60].strip() or otherwise[:60]


def find_terms(page: str, url: str) -> str:
    """Where a page links to its terms; "" where it does not."""
    for link, words in _LINK.findall(page[:1_000_000]):
        label = plain_line(words, 100)
        if _TERMS.search(label) or _TERMS_PATH.search(urlsplit(link).path if "://" in link else link.split("?")[0]):
            return safe_link(link, url)
    return ""


def tell_robots(kind: str, options: Mapping[str, str], tools: Tools) -> str:
    """What robots.txt says to our name about the address that is read."""
    url = options.get("url", "")
    if not url:
        return "not asked: an interface for programs has terms instead"
    split = urlsplit(url)
    site = f"{split.scheme}://{split.netloc}"
    agent = tools.fetch.settings.user_agent.split("/")[0].split(" ")[0]
    try:
        pause = Robots(lambda place: _load(place, tools), agent, tools.clock).check(site, url)
    except TemporaryFailure as failure:
        return f"cannot be read: {failure}"
    except Failure:
        return f"{CLOSED_BY_ROBOTS} reading this address: it stays off until a named person records why it may be read"
    return f"allows it, with {pause:g} s between requests" if pause else "allows it"


def _load(place: str, tools: Tools) -> tuple[int, bytes]:
    answer = tools.fetch.exchange(place, {"Accept": "text/plain"}, robots=False)
    return answer.status, answer.body
