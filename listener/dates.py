"""When a post says it was published, in the many ways feeds say it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
CLOCK_SLACK = timedelta(days=1)  # how far ahead of us a source's clock may be
LONGEST = 100  # characters looked at
# Zones by the names feeds use, in hours. BST is British: a parser that takes it for UTC is an hour off all summer.
_HOURS: dict[str, float] = {
    **{"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "BST": 1, "IST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1},
    **{"MEZ": 1, "MESZ": 2, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4},
    **{"CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10},
    **{"JST": 9, "KST": 9, "SGT": 8, "HKT": 8, "AEST": 10, "AEDT": 11, "ACST": 9.5, "AWST": 8, "NZST": 12, "NZDT": 13},
}
# The first letters that tell a month, in English, French, German, Spanish, Italian, Dutch and Portuguese.
_MONTHS: dict[str, int] = {
    **{"jan": 1, "gen": 1, "ene": 1, "jän": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "maa": 3, "mrt": 3},
    **{"apr": 4, "avr": 4, "abr": 4, "may": 5, "mai": 5, "mei": 5, "mag": 5, "jun": 6, "giu": 6, "jul": 7, "lug": 7},
    **{"juin": 6, "juil": 7, "aug": 8, "aoû": 8, "aou": 8, "ago": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10},
    **{"ott": 10, "out": 10, "nov": 11, "dec": 12, "déc": 12, "dez": 12, "dic": 12},
}
_TIME = re.compile(
    r"(?<![\d:])(\d{1,2})(?::(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\b\.?)?|\s?([ap]\.?m\b\.?))",
    re.IGNORECASE,
)
_BEHIND = re.compile(r"(.*?(?<!\d)\d{4}(?:[-/.]\d{1,2}){0,2})(?!\d)(.*)")  # a date to its year, then a zone
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?)?(?=$|[Z+-])")
_OFFSET = re.compile(r"(?:GMT|UTC)?\s*([+-])(\d{1,2}):?(\d{2})?$", re.IGNORECASE)
_AREA = re.compile(r"\b[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+$")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}")
_YEAR_FIRST = re.compile(r"^(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?$")
_DAY_OF_YEAR = re.compile(r"^(\d{4})-(\d{3})$")
_DAY_FIRST = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$")
_WORD = re.compile(r"[^\W\d_]+")


def read_date(text: str, zone: ZoneInfo) -> datetime | None:
    """The aware UTC time a text names; a time without zone is the source's own. None where it is none.

    Of numbers alone the day stands first, as in Britain, where that gives a date.
    """
    text = " ".join(re.sub(r"\([^()]*\)", " ", text[: 4 * LONGEST]).split())[:LONGEST]
    try:
        moment = _read(text)
        return None if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def believable(moment: datetime | None, now: datetime) -> datetime | None:
    """The time, if it lies between the year 2000 and a day from now."""
    return moment if moment is not None and EARLIEST <= moment <= now + CLOCK_SLACK else None


def _read(text: str) -> datetime | None:
    if _EPOCH.fullmatch(text):
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    if compact := _COMPACT.match(text):
        year, month, number, hour, minute, second = (int(part or 0) for part in compact.groups())
        return datetime(year, month, number, hour, minute, second, tzinfo=_zone_of(text[compact.end() :]))
    found = _TIME.search(text)
    before, after = (text[: found.start()], text[found.end() :]) if found else (text, "")
    if found and not re.search(r"\d", before) and (behind := _BEHIND.fullmatch(after)):
        day, zone = (
            _date_of(behind[1].lstrip(", "), ""),
            _zone_of(behind[2]) or _zone_of(" ".join(_WORD.findall(after))),
        )
    else:
        day, zone = _date_of(before, after), _zone_of(_without_year(after)) if found else None
    if day is None:
        return None
    return datetime.combine(day, time(), zone) + (_clock_of(found) if found else timedelta(0))


def _clock_of(found: re.Match[str]) -> timedelta:
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    if half := found[5] or found[6]:
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        raise ValueError("no time of day")
    micro = int((found[4] or "0").ljust(6, "0")[:6])
    return timedelta(hours=hour, minutes=minute, seconds=min(second, 59), microseconds=micro)


def _without_year(after: str) -> str:
    """What follows the time, without the year that stands last in some forms."""
    return re.sub(r"(?<![\d+-])\d{4}$", "", after).strip()


def _zone_of(text: str) -> tzinfo | None:
    """The zone a text ends in; None where it names none that we know."""
    text = text.strip()
    if found := _OFFSET.search(text):
        away = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(-away if found[1] == "-" else away)
    if found := _AREA.search(text):
        try:
            return ZoneInfo(found[0])
        except (ZoneInfoNotFoundError, OSError):
            return None
    words = _WORD.findall(text)
    named = next((_HOURS[word.upper()] for word in reversed(words) if word.upper() in _HOURS), None)
    return None if named is None else timezone(timedelta(hours=named))


def _date_of(before: str, after: str) -> date | None:
    """The day, as it stands before the time of day (its year perhaps behind)."""
    text = before.strip().rstrip("Tt, ").strip()
    if found := _YEAR_FIRST.match(text):
        return date(int(found[1]), int(found[2]), int(found[3] or 1))
    if found := _DAY_OF_YEAR.match(text):
        day = date(int(found[1]), 1, 1) + timedelta(days=int(found[2]) - 1)
        return day if day.year == int(found[1]) else None
    if found := _DAY_FIRST.match(text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        return date(year, first, second) if second > 12 else date(year, second, first)
    months = [month for word in _WORD.findall(text.lower()) if (month := _month_of(word))]
    numbers = re.findall(r"\d+", text)
    if len(numbers) == 1 and (behind := re.search(r"(?<![\d+-])(\d{4})$", after)):
        numbers.append(behind[1])
    if not months or len(numbers) != 2:
        return None
    day_of_month, told = numbers if len(numbers[0]) <= 2 and int(numbers[0]) <= 31 else reversed(numbers)
    year = int(told)
    if len(told) == 2:  # "0001" is no short form of 2001
        year += 2000 if year < 69 else 1900
    return date(year, months[-1], int(day_of_month))


def _month_of(word: str) -> int | None:
    return _MONTHS.get(word[:4]) or _MONTHS.get(word[:3]) if len(word) >= 3 else None
