"""When a post says it was written, in the words of the board's own language: "Gestern, 14:17", "3 hours ago"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from listener.dates import EARLIEST, believable, read_date

# How months begin in English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Swedish, Indonesian,
# Turkish, Russian; without accents, the longest beginning decides.
_MONTHS = (
    "jan gen ene sty oca янв januar",
    "feb fev fevr lut sub фев",
    "mar maa mrt mae marz мар",
    "apr avr abr kwi nis апр",
    "may mai maj mei mag май мая",
    "jun juin giu cze haz июн",
    "jul juil lug lip tem июл",
    "aug aou ago sie agu авг",
    "sep set wrz eyl сен",
    "oct okt out ott paz eki окт",
    "nov lis kas ноя",
    "dec dez des dic gru ara дек",
)
_MONTH_OF = {start: number for number, words in enumerate(_MONTHS, start=1) for start in words.split()}
_UNITS = (
    (timedelta(seconds=1), "sec|sek|segundo|detik|s"),
    (timedelta(minutes=1), "min|menit|m"),
    (timedelta(hours=1), "hour|hr|stunde|std|heure|hora|ora|ore|uur|uren|jam|godz|timm|h"),
    (timedelta(days=1), "day|tag|jour|dia|giorn|dag|hari|dni|dzien|d"),
    (timedelta(weeks=1), "week|woche|semaine|semana|settiman|minggu|vecka|w"),
    (timedelta(days=30), "month|monat|mois|mes|maand|bulan|miesi|manad"),
    (timedelta(days=365), "year|jahr|an|annee|ano|ann|jaar|tahun|lat|rok|ar|y"),
)
_UNIT_OF = {start: span for span, words in _UNITS for start in words.split("|")}
_AGO = re.compile(r"\b(?:ago|vor|il y a|hace|fa|geleden|lalu|temu|sedan|siden|atras|ha)\b|^\s*\d+\s?[smhdwy]\s*$")
_NOW = re.compile(r"^(?:just now|now|a moment ago|moments ago|gerade eben|soeben|a l'instant|baru saja)\b")
_DAYS_BACK = (
    (re.compile(r"\b(?:today|heute|aujourd'hui|hoy|oggi|vandaag|hoje|hari ini|idag|dzisiaj|сегодня)\b"), 0),
    (re.compile(r"\b(?:yesterday|gestern|hier|ayer|ieri|gisteren|ontem|kemarin|igar|wczoraj|вчера)\b"), 1),
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = re.compile(r"^(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b(?! \d{1,2}\b(?!:))")
_SPAN = re.compile(r"(\d{1,4}|an?|one|ein(?:er|em)?|une?|un)\s?([^\W\d_]+)")
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:h](\d{2}))(?::(\d{2}))?\s*(?:([ap])\.?\s?m\b)?")
_HOUR = re.compile(r"\b(\d{1,2})\s*([ap])\.?\s?m\b")
_SPOKEN = ((re.compile(r"\bmidnight\b"), 0), (re.compile(r"\bnoon\b"), 12))
_DAY_MONTH = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er|\.|º)?[\s-]+(?:de |of )?([^\W\d_]{3,12})\.?,?[\s-]+(?:de )?(\d{4})\b"
)
_MONTH_DAY = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b")
_YEARLESS = (
    re.compile(r"\b(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?\s+(?P<month>[^\W\d_]{3,12})\b"),
    re.compile(r"\b(?P<month>[^\W\d_]{3,12})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?!:)"),
)
_MONTH_YEAR = re.compile(r"\b([^\W\d_]{3,12})\.?\s+(\d{4})\b")
_YEAR_FIRST = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"\b(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})\b")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")


def read_moment(text: str, zone: ZoneInfo, now: datetime, month_first: bool = False) -> datetime | None:
    """The aware UTC time a board's words name, `now` being when they were read; None where they name none.

    A time without zone is the board's own. `month_first` says how to take 03/04/2026.
    """
    words = fold(text)
    if not words:
        return None
    if _EPOCH.fullmatch(words):
        return believable(datetime.fromtimestamp(int(words[:10]), UTC), now)
    if _YEAR_FIRST.match(words) and (moment := read_date(text.strip(), zone)):
        return believable(moment, now)
    here = now.astimezone(zone)
    for first in (month_first, not month_first):  # a date that is still to come was meant the other way round
        moment = _relative(words, now) or _absolute(words, here, first)
        if moment and (told := believable(moment.astimezone(UTC), now)):
            return told
    return None


def writes_month_first(texts: Iterable[str], now: datetime, default: bool) -> bool:
    """How a page writes its dates in numbers, by those of them that can be read in one way only."""
    votes = 0
    for text in texts:
        if (found := _NUMBERS.search(text)) and found[2] != ".":
            first, second = int(found[1]), int(found[3])
            votes += (second > 12) - (first > 12)
    return votes > 0 if votes else default


def fold(text: str) -> str:
    """Lower case, one blank between words, no accents."""
    plain = unicodedata.normalize("NFKD", " ".join(text.split())[:200].lower().replace("’", "'"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).strip()


def month_of(word: str) -> int | None:
    """The month a word begins like; None for another word."""
    return next((_MONTH_OF[word[:n]] for n in range(len(word), 2, -1) if word[:n] in _MONTH_OF), None)


def _relative(words: str, now: datetime) -> datetime | None:
    if _NOW.match(words):
        return now
    if not _AGO.search(words):
        return None
    total = timedelta(0)
    for count, unit in _SPAN.findall(words):
        span = next((_UNIT_OF[unit[:n]] for n in range(min(8, len(unit)), 0, -1) if _fits(unit, n)), None)
        if span is not None:
            total += span * (int(count) if count.isdecimal() else 1)
    return now - min(total, now - EARLIEST) if total else None


def _fits(unit: str, length: int) -> bool:
    """Whether the word's beginning names a unit; one or two letters must be all of it."""
    return unit[:length] in _UNIT_OF and (length > 2 or length == len(unit))


def _absolute(words: str, here: datetime, month_first: bool) -> datetime | None:
    day = _day(words, here, month_first)
    hour, minute, second, told = _clock(words)
    if day is None:
        if not told:
            return None
        moment = here.replace(hour=hour, minute=minute, second=second, microsecond=0)  # a bare time is today's
        return moment if moment <= here else moment - timedelta(days=1)
    return datetime(*day, hour, minute, second, tzinfo=here.tzinfo)


def _day(words: str, here: datetime, month_first: bool) -> tuple[int, int, int] | None:
    """Year, month and day, by the first way of writing them that the words fit."""
    back = next((days for pattern, days in _DAYS_BACK if pattern.search(words)), None)
    if back is not None:
        return _parts(here - timedelta(days=back))
    if found := _YEAR_FIRST.search(words):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if day := _named(words, _DAY_MONTH, (3, 2, 1)) or _named(words, _MONTH_DAY, (3, 1, 2)):
        return _checked(*day)
    if found := _NUMBERS.search(words):
        return _numbered(found, month_first)
    if found := _WEEKDAY.match(words):
        return _parts(here - timedelta(days=(here.weekday() - _WEEKDAYS.index(found[1][:3])) % 7 or 7))
    if day := _named(words, _MONTH_YEAR, (2, 1, 0)):
        return _checked(*day)
    return _yearless(words, here)


def _named(words: str, pattern: re.Pattern[str], order: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """Year, month and day where a month is named; `order` says which groups they are, 0 for a day untold."""
    for found in pattern.finditer(words):
        if month := month_of(found[order[1]]):
            return int(found[order[0]]), month, int(found[order[2]]) if order[2] else 1
    return None


def _numbered(found: re.Match[str], month_first: bool) -> tuple[int, int, int] | None:
    first, second = int(found[1]), int(found[3])
    year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    if (month_first and found[2] != "." and first <= 12) or second > 12:
        first, second = second, first
    return _checked(year, second, first)


def _yearless(words: str, here: datetime) -> tuple[int, int, int] | None:
    """A day and a month: the last time there was such a day."""
    for pattern in _YEARLESS:
        for found in pattern.finditer(words):
            if (month := month_of(found["month"])) and (day := _checked(here.year, month, int(found["day"]))):
                past = day <= _parts(here + timedelta(days=1))
                return day if past else _checked(here.year - 1, month, int(found["day"]))
    return None


def _clock(words: str) -> tuple[int, int, int, bool]:
    """Hour, minute, second, and whether a time was told at all."""
    if found := _CLOCK.search(words):
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        hour = _of_day(hour, found[4])
        return (hour, minute, min(second, 59), True) if hour < 24 and minute < 60 else (0, 0, 0, False)
    if found := _HOUR.search(words):
        hour = _of_day(int(found[1]), found[2])
        return (hour, 0, 0, True) if hour < 24 else (0, 0, 0, False)
    for pattern, hour in _SPOKEN:
        if pattern.search(words):
            return hour, 0, 0, True
    return 0, 0, 0, False


def _of_day(hour: int, half: str | None) -> int:
    """The hour of 24; some boards write "22:38 PM"."""
    if half is None or hour > 12:
        return hour
    return hour % 12 + (12 if half == "p" else 0)


def _parts(moment: datetime) -> tuple[int, int, int]:
    return moment.year, moment.month, moment.day


def _checked(year: int, month: int, day: int) -> tuple[int, int, int] | None:
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return year, month, day
