"""Lines of JSON as mentions: what `import`, `score` and `exercise` read; `export_rows` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from listener.domains import registrable_domain
from mentions.clock import utc_now
from mentions.corrections import is_spelt
from mentions.documents import read_correction
from mentions.failures import UserError
from mentions.mention import DELETED, LAPSED, PRESS_PLATFORMS, Correction, Mention, Reach, Voice
from mentions.pseudonyms import voice_of

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
NEWEST = datetime(2100, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # that another machine's clock may be
LOCAL_UNDER, MEDIUM_UNDER = 1_000, 100_000
LINE_LIMIT = 4 << 20  # bytes; no post is that long
COUNT_LIMIT = 1 << 53
KEY_DIGITS = 16
RENAMED = {"twitter": "x"}
WORDLESS = "text: there is neither text nor title"

Choice = TypeVar("Choice")


@dataclass(slots=True)  # not frozen: that would cost as much as the reading, and nobody keeps a row
class Row:
    """One good line. `id` has its platform before it; `at` is aware UTC, None where the row gives no time.

    `raw` is the line as it was read, for commands that give it back. `voice`, `reach`, `publisher`, `author_key`,
    `native_id`, `first_seen_at`, `corrections`, `sightings` and `buried` (when and why the words went, of a tombstone)
    are there in our own exports only.
    """

    line: int
    raw: dict[str, Any]
    id: str
    platform: str
    text: str
    title: str
    at: datetime | None
    link: str
    author: str
    followers: int | None
    thread: str
    source: str
    lang: str
    likes: int | None
    shares: int | None
    replies: int | None
    voice: Voice | None
    reach: Reach | None
    publisher: str | None
    author_key: str
    native_id: str
    first_seen_at: datetime | None
    corrections: tuple[Correction, ...]
    sightings: tuple[str, ...] = ()
    buried: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that was left out, and why; the reason names the field and never quotes a post."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class OddRow(Exception):
    """Why a row cannot be taken; names the field."""


def read_rows(path: Path) -> Iterator[Row | BadRow]:
    """Every line of a file, in order, good or bad; blank lines are passed over. Raises `UserError` if unreadable."""
    return read_lines(lines_of(path), str(path))


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file. Raises `UserError` if unreadable."""
    try:
        with path.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): check the name and the rights") from error


def read_lines(lines: Iterable[bytes], file: str) -> Iterator[Row | BadRow]:
    """As `read_rows`, of lines that are already open; `file` is what complaints call them."""
    for each in read_objects(lines, file):
        try:
            yield each if isinstance(each, BadRow) else row_of(each[1], each[0])
        except OddRow as odd:
            yield BadRow(file, each[0], str(odd))  # type: ignore[index]


def read_objects(lines: Iterable[bytes], file: str) -> Iterator[tuple[int, dict[str, Any]] | BadRow]:
    """The number and the object of every line that is not blank, unchecked, or why there is none."""
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.isspace() or not line:
            continue
        try:
            yield number, _read(line)
        except OddRow as odd:
            yield BadRow(file, number, str(odd))


def _not_json(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number too large for JSON's readers")
    return number


_decode = json.JSONDecoder(parse_constant=_not_json, parse_float=_finite).decode


def _read(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_LIMIT:
        raise OddRow(f"the line is longer than {LINE_LIMIT >> 20} MiB")
    try:
        raw = _decode(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise OddRow("the line is not UTF-8") from None
    except RecursionError:
        raise OddRow("the JSON is nested too deeply") from None
    except ValueError as error:
        where = f" (at character {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise OddRow(f"the line is not JSON{where}") from None
    if not isinstance(raw, dict):
        raise OddRow(f"expected a JSON object, found {_kind(raw)}")
    return raw


def row_of(raw: dict[str, Any], line: int = 0) -> Row:
    """One checked object. Raises `OddRow`."""
    platform = _word(raw, "platform").strip().lower()
    if not platform:
        raise OddRow("platform: is missing" if raw.get("platform") is None else "platform: is empty")
    platform = RENAMED.get(platform, platform)
    text, title = _word(raw, "text"), _word(raw, "title")
    buried = _burial(raw) if "deleted" in raw else None
    if not text.strip() and not title.strip() and buried is None:
        raise OddRow(WORDLESS)
    likes, shares, replies = _engagement(raw)
    get = raw.get
    return Row(
        line=line,
        raw=raw,
        id=_id(raw, platform),
        platform=platform,
        text=text,
        title=title,
        at=_time(raw, "time" if get("time") is not None else "published_at"),
        link=_link(raw),
        author=_name(raw, "author"),
        followers=_count(raw, "followers" if "followers" in raw else "author_followers"),
        thread=_name(raw, "thread"),
        source=_word(raw, "source") or _word(raw, "site") or _word(raw, "feed"),
        lang=_word(raw, "lang"),
        likes=likes,
        shares=shares,
        replies=replies,
        voice=_one_of(raw, "voice", _VOICES) if "voice" in raw else None,
        reach=_one_of(raw, "reach", _REACHES) if "reach" in raw else None,
        publisher=_word(raw, "publisher") if "publisher" in raw else None,
        author_key=_author_key(raw),
        native_id=_name(raw, "native_id"),
        first_seen_at=_time(raw, "first_seen_at") if "first_seen_at" in raw else None,
        corrections=_corrections(raw) if "assessment" in raw else (),
        sightings=_sightings(raw) if "sightings" in raw else (),
        buried=buried,
    )


_VOICES = {voice.value: voice for voice in Voice}
_REACHES = {reach.value: reach for reach in Reach}
_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null")


def _word(raw: Mapping[str, Any], key: str) -> str:
    """Text as it is; "" where there is none."""
    value = raw.get(key)
    if value is None:
        return ""
    if type(value) is not str:
        raise OddRow(f"{key}: expected text, found {_kind(value)}")
    if not value.isascii():
        _check_unicode(value, key)
    return value if "\0" not in value else value.replace("\0", "")


def _check_unicode(value: str, key: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise OddRow(f"{key}: holds half of a surrogate pair, which is no character") from None


def _name(raw: Mapping[str, Any], key: str) -> str:
    """A name or number that stands for something: numbers are taken as their digits."""
    value = raw.get(key)
    if value is None:
        return ""
    return str(value) if type(value) is int else _word(raw, key).strip()


def _id(raw: Mapping[str, Any], platform: str) -> str:
    if not (native := _name(raw, "id")):
        raise OddRow("id: is missing" if raw.get("id") is None else "id: is empty")
    return native if ":" in native else f"{platform}:{native}"


def _time(raw: Mapping[str, Any], key: str) -> datetime | None:
    value = raw.get(key)
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise OddRow(f'{key}: expected an ISO 8601 time such as "2026-03-10T13:05:00Z"') from None
    if not OLDEST <= at < NEWEST:
        raise OddRow(f"{key}: lies outside 1990 to 2100")
    return at


def _link(raw: Mapping[str, Any]) -> str:
    """Only a web address is a link; anything else (javascript:, a path) is left out, the row is kept."""
    link = (_word(raw, "link") or _word(raw, "url")).strip()
    return link if link[:7].lower() == "http://" or link[:8].lower() == "https://" else ""


def _count(raw: Mapping[str, Any], key: str) -> int | None:
    value = raw.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < COUNT_LIMIT:
        raise OddRow(f"{key}: expected a whole number from 0")
    return value


def _engagement(raw: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    given = raw.get("engagement")
    if given is None:
        given = raw
    elif not isinstance(given, dict):
        raise OddRow(f"engagement: expected an object, found {_kind(given)}")
    shares = _count(given, "shares")
    return _count(given, "likes"), _count(given, "retweets") if shares is None else shares, _count(given, "replies")


def _one_of(raw: Mapping[str, Any], key: str, choices: Mapping[str, Choice]) -> Choice:
    if (word := _word(raw, key)) not in choices:
        raise OddRow(f"{key}: expected one of {', '.join(choices)}")
    return choices[word]


def _author_key(raw: Mapping[str, Any]) -> str:
    if (key := _word(raw, "author_key")) and (len(key) != KEY_DIGITS or not set(key) <= set("0123456789abcdef")):
        raise OddRow(f"author_key: expected {KEY_DIGITS} hex digits, as an export writes them")
    return key


def _sightings(raw: Mapping[str, Any]) -> tuple[str, ...]:
    names = raw["sightings"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise OddRow("sightings: expected a list of names")
    return tuple(_word({"sightings": name}, "sightings") for name in names)


def _burial(raw: Mapping[str, Any]) -> tuple[datetime, str]:
    """When and why the words of a tombstone went, as an export writes it."""
    told = raw["deleted"]
    at = _time(told, "at") if isinstance(told, dict) else None
    if at is None or told.get("because") not in (DELETED, LAPSED):
        raise OddRow("deleted: expected an object as an export writes it")
    return at, told["because"]


def _corrections(raw: Mapping[str, Any]) -> tuple[Correction, ...]:
    """What people corrected, as an export tells it; the rest of an opinion is made anew."""
    opinion = raw["assessment"]
    told = opinion.get("corrections", []) if isinstance(opinion, dict) else []
    if not isinstance(told, list):
        told = [told]
    try:
        found = tuple(map(read_correction, told))
    except (TypeError, KeyError, ValueError):
        found = ()
    if len(found) != len(told) or not all(map(is_spelt, found)):
        raise OddRow("corrections: expected a list as an export writes it")
    if any(each.at > utc_now() + AHEAD for each in found):
        raise OddRow("corrections: one was made in the future")
    return found


def to_mention(
    row: Row,
    now: datetime,
    pseudonym: Callable[[str, str], str],
    history: bool = True,
    own_handles: frozenset[str] = frozenset(),
) -> Mention:
    """The facts of a row. Its author becomes a keyed hash and its followers a band; a row without a time is of now."""
    voice = voice_of(
        own_handles, row.voice or (Voice.PRESS if row.platform in PRESS_PLATFORMS else Voice.PUBLIC), row.author
    )
    return Mention(
        id=row.id,
        platform=row.platform,
        source=row.source or row.platform,
        published_at=row.at or now,
        first_seen_at=row.first_seen_at or now,
        text=row.text,
        title=row.title,
        link=row.link,
        native_id=row.native_id,
        author_key=row.author_key or (pseudonym(row.platform, row.author) if row.author else ""),
        publisher=publisher_of(row, voice),
        voice=voice,
        reach=row.reach or (Reach.WIDE if voice is Voice.PRESS else reach_of(row.followers)),
        thread=row.thread,
        lang=row.lang,
        likes=row.likes,
        shares=row.shares,
        replies=row.replies,
        history=history,
        sightings=row.sightings,
        buried_at=row.buried[0] if row.buried else None,
        buried_because=row.buried[1] if row.buried else "",
    )


def publisher_of(row: Row, voice: Voice) -> str:
    """Whose house an item came from: the domain of its link, else of its site, else the name of its feed."""
    if row.publisher is not None:
        return row.publisher
    if voice is Voice.PUBLIC and row.platform != "forum":
        return ""
    return registrable_domain(row.link) or registrable_domain(row.source)


def reach_of(followers: int | None) -> Reach:
    """The band a post's author falls into; the number itself is not kept."""
    if followers is None:
        return Reach.UNKNOWN
    if followers < LOCAL_UNDER:
        return Reach.LOCAL
    return Reach.MEDIUM if followers < MEDIUM_UNDER else Reach.WIDE
