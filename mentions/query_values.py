"""What may stand behind `field:` in a search: values, dates and ranges."""

from __future__ import annotations

import difflib
import math
import re
from datetime import UTC, datetime, timedelta

from mentions.facets import FIELDS, facet
from mentions.mention import Mood, Rag, Reach
from mentions.merging import clean
from mentions.query_tree import Field, Not, Or, Query, QueryError, ScoreRange, TimeRange

KNOWN = (*FIELDS, "date")
_YES_NO = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_CLOSED: dict[str, dict[str, str]] = {
    "rag": {str(each): str(each) for each in Rag},
    "reach": {str(each): str(each) for each in Reach},
    "sentiment": {str(each): str(each) for each in Mood} | {"negative": "neg", "neutral": "neu", "positive": "pos"},
    "own": _YES_NO,
    "debate": _YES_NO,
    "corrected": _YES_NO,
    "deleted": _YES_NO,
}
_BANDS = tuple(str(each) for each in (Reach.LOCAL, Reach.MEDIUM, Reach.WIDE))
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]+)?")
_NOW = re.compile(r"now(?:([+-]\d{1,9})([mhdw]))?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_END = datetime.max.replace(tzinfo=UTC)
_LAST_DAY = _END - timedelta(days=1)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_A_DATE = "write a day such as 2026-10-01, a time such as 2026-10-01T09:30 (UTC), now or now-2h (m, h, d, w)"


def read_value(field: str, text: str, at: int, now: datetime) -> Query:
    """`field:value`. Raises QueryError at `at` for a value the field cannot have."""
    if field == "date":
        return _one_day(text, at)
    given = clean(text).strip()
    wanted = given.casefold()
    if field in _CLOSED:
        if wanted not in _CLOSED[field]:
            raise QueryError(f'{field} cannot be "{text}"', at, _expected(field))
        value = _CLOSED[field][wanted]
        return Not(Field(field, "yes")) if value == "no" else Field(field, value)
    if field == "lang":
        found = _LANGUAGE.fullmatch(wanted)
        if not found:
            raise QueryError(f'lang cannot be "{text}"', at, "write a language's code, such as lang:en")
        given = found[1]
    if not given:
        raise QueryError(f"{field} is given no value", at, f"write one behind the colon, as in {field}:police")
    return Field(field, facet(field, given).partition(":")[2])


def _expected(field: str) -> str:
    named = ", ".join(dict.fromkeys(_CLOSED[field].values())) if field != "own" else "yes, no"
    more = "; for its score write a range, as in sentiment:[* TO -0.3]" if field == "sentiment" else ""
    return f"it can be {named}{more}"


def refuse_field(name: str, at: int) -> QueryError:
    """What to say of a field that is none of ours."""
    near = difflib.get_close_matches(name.casefold(), KNOWN, 1)
    known = f'did you mean "{near[0]}:"' if near else f"fields are {', '.join(KNOWN)}"
    return QueryError(f'there is no field "{name}"', at, f"{known}; put it in quotes to search its words")


def read_range(field: str, low: str, high: str, brackets: str, at: int, now: datetime) -> Query:
    """`field:[low TO high]`; a curly bracket leaves its end out. Raises QueryError at `at`."""
    with_low, with_high = brackets[0] == "[", brackets[1] == "]"
    if low == high == "*":
        raise QueryError("the range is open on both sides", at, "put a value in place of one *, or leave it out")
    if field == "sentiment":
        return _scores(low, high, with_low, with_high, at)
    if field == "date":
        return _times(low, high, with_low, with_high, at, now)
    if field == "reach":
        return _bands(low, high, with_low, with_high, at)
    raise QueryError(f"{field} has no ranges", at, f"write {field}:value or {field}:(one OR other)")


def _scores(low: str, high: str, with_low: bool, with_high: bool, at: int) -> Query:
    first, last = _score(low, at), _score(high, at)
    if first is not None and last is not None and (first > last or (first == last and not (with_low and with_high))):
        raise _empty(at)
    return ScoreRange(first, last, with_low, with_high)


def _score(text: str, at: int) -> float | None:
    if text == "*":
        return None
    try:
        value = float(text) if re.fullmatch(r"[+-]?\d*\.?\d+", text, re.ASCII) else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise QueryError(f'"{text}" is not a score', at, "write a number from -1 (against us) to 1 (for us), or *")
    return value


def _times(low: str, high: str, with_low: bool, with_high: bool, at: int, now: datetime) -> Query:
    first, last = _span(low, at, now), _span(high, at, now)
    since = None if first is None else first[0] if with_low else first[1]
    until = None if last is None else last[1] if with_high else last[0]
    if since is not None and until is not None and since >= until:
        raise _empty(at)
    return TimeRange(since, until)


def _span(text: str, at: int, now: datetime) -> tuple[datetime, datetime] | None:
    """The first instant that is meant and the first one after it: a day is 24 hours, a time one microsecond."""
    if text == "*":
        return None
    try:
        if found := _NOW.fullmatch(text):
            start = now.astimezone(UTC) + (timedelta(**{_UNITS[found[2]]: int(found[1])}) if found[1] else timedelta())
        elif not _DAY.match(text):  # no 20261001 or 2026-W40, which are read as the beginning of a day
            raise ValueError(text)
        else:
            start = datetime.fromisoformat(text)
            start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
        length = timedelta(days=1) if _DAY.fullmatch(text) else timedelta(microseconds=1)
        return start, start + length if start < _LAST_DAY else _END
    except (ValueError, OverflowError):
        raise QueryError(f'"{text}" is not a date', at, _A_DATE) from None


def _one_day(text: str, at: int) -> Query:
    if not _DAY.fullmatch(text):
        hint = "write a day such as date:2026-10-01, or a range: date:[2026-10-01 TO now]"
        raise QueryError(f'date cannot be "{text}"', at, hint)
    span = _span(text, at, datetime.now(UTC))
    assert span is not None
    return TimeRange(*span)


def _bands(low: str, high: str, with_low: bool, with_high: bool, at: int) -> Query:
    for each in (low, high):
        if each != "*" and each not in _BANDS:
            raise QueryError(f'"{each}" is not a band of reach', at, "a range is made of local, medium, wide and *")
    first = 0 if low == "*" else _BANDS.index(low) + (not with_low)
    last = len(_BANDS) - 1 if high == "*" else _BANDS.index(high) - (not with_high)
    chosen = [Field("reach", band) for band in _BANDS[first : last + 1]]
    if not chosen:
        raise _empty(at)
    return chosen[0] if len(chosen) == 1 else Or(tuple(chosen))


def _empty(at: int) -> QueryError:
    return QueryError("nothing can lie in this range", at, "put the lower end first")
