"""What is wrong with the settings, one line each: where, what was found, what was expected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from config.secrets import HIDDEN, hide_user_info, looks_secret

_LONGEST_SHOWN = 60
_EXPECTED = {
    "string_type": 'text in "quotes"',
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": 'a list such as ["a", "b"]',
    "tuple_type": 'a list such as ["a", "b"]',
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date such as 2027-01-31",
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "string_too_short": "at least {min_length} character(s)",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_pattern_mismatch": "text of the form {pattern}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. Entries of a list are counted from 1, as in `sources[2].every`."""

    file: str
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: found {self.found}, expected {self.expected}"


class SettingsError(Exception):
    """The settings cannot be used. Its text is every problem, one a line, free of secrets."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


def explain(
    error: ValidationError,
    file: str,
    prefix: str = "",
    *,
    model: type[BaseModel] | None = None,
    beside: Iterable[str] = (),
) -> list[Problem]:
    """Every problem pydantic found, in its order. `prefix` is the table the model was read from (`sources[2]`), `model`
    and the further keys allowed `beside` its own serve the did-you-mean."""
    return [_problem(details, file, prefix, model, tuple(beside)) for details in error.errors(include_url=False)]


def show(key: str, value: object) -> str:
    """The value as it would stand in the file, shortened; *** where the key says that it is a secret."""
    if value is None:
        return "nothing"
    if looks_secret(key, value):
        return HIDDEN
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, date | time):
        return value.isoformat()
    try:
        text = hide_user_info(json.dumps(value, ensure_ascii=False))
    except TypeError:
        return f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def suggest(key: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown key, to follow `expected`."""
    names = sorted(set(known))
    close = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.65)
    if close:
        return f'it to be "{close[0]}"'
    return f"one of {', '.join(names)}" if names else "no key here"


def fields_at(model: type[BaseModel], loc: Iterable[int | str]) -> list[str]:
    """The keys of the table at `loc` inside the model; empty where that is no table of known keys."""
    here: type[BaseModel] | None = model
    named = False  # whether the next key is a name that people choose, as in budgets.x
    for part in loc:
        if isinstance(part, int) or (named and here and part not in here.model_fields):
            named = False
            continue
        field = here.model_fields.get(part) if here else None
        here = _table_in(field.annotation) if field else None
        named = field is not None and get_origin(field.annotation) is dict
    return list(here.model_fields) if here else []


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for arg in get_args(annotation) if (table := _table_in(arg))), None)


def _problem(
    details: Mapping[str, Any], file: str, prefix: str, model: type[BaseModel] | None, beside: tuple[str, ...]
) -> Problem:
    loc, value, expected = details["loc"], details["input"], _expected(details)
    if named := _named_in(expected, value):  # a check of a whole table that says which of its keys is wrong
        loc, value, expected = (*loc, named[1]), value.get(named[1]), named[2]
    key = _key(prefix, loc)
    name = next((part for part in reversed(loc) if isinstance(part, str)), prefix)
    match details["type"]:
        case "missing":
            return Problem(file, key, "nothing", "a value: it has no default")
        case "extra_forbidden":
            known = [*(fields_at(model, loc[:-1]) if model else ()), *beside]
            return Problem(file, key, "an unknown key", suggest(name, known))
        case _:
            return Problem(file, key, HIDDEN if _is_hidden(model, loc) else show(name, value), expected)


def _named_in(expected: str, table: object) -> re.Match[str] | None:
    return re.match(r"(\w+): (?:expected )?(.+)", expected) if isinstance(table, dict) else None


def _is_hidden(model: type[BaseModel] | None, loc: tuple[int | str, ...]) -> bool:
    """Whether the model keeps this value out of its own repr, as a webhook does with an address that lets people in."""
    field = model.model_fields.get(str(loc[0])) if model and loc else None
    return field is not None and not field.repr


def _expected(details: Mapping[str, Any]) -> str:
    context = details.get("ctx", {})
    if details["type"] in ("value_error", "assertion_error"):
        return str(context["error"]).removeprefix("expected ")
    if words := _EXPECTED.get(details["type"]):
        return words.format(**context)
    return str(details["msg"])


def _key(prefix: str, loc: tuple[int | str, ...]) -> str:
    return "".join(_parts(prefix, loc)).lstrip(".") or "the whole file"


def _parts(prefix: str, loc: tuple[int | str, ...]) -> Iterator[str]:
    yield prefix
    for part in loc:
        yield f"[{part + 1}]" if isinstance(part, int) else f".{part}"
