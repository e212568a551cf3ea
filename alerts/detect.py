"""`timestamp,value` rows in, `timestamp,value,score,alert` rows out."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import TextIO

from alerts.scan import DEFAULT, Scan
from mentions.failures import UserError

ANY_INTERVAL = timedelta(minutes=5)  # of a file with a single row, which the scan's warm-up keeps silent on anyway


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a series: the timestamp as it was written and as it was read."""

    line: int
    stamp: str
    at: datetime
    value: float


def detect(lines_in: Iterable[str], out: TextIO, threshold: float | None = None) -> int:
    """Score a series of any regular interval; returns the exit code, 0.

    Strictly causal: what is written for a row depends on that row and those before it. Timestamps (ISO, naive or
    aware) and values come back as given, `score` is in [0, 1] and `alert` is 1 where an incident opens or becomes
    much worse. The first row may be a header. Raises `UserError` naming the line, before anything is written, for a
    row that cannot be read, a gap, disorder or an empty file.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise UserError(f"threshold: found {threshold:g}, expected a number from 0 to 1")
    rows = list(_read_rows(lines_in))
    interval = _find_interval(rows)
    scan = Scan(interval, DEFAULT if threshold is None else replace(DEFAULT, threshold=threshold))
    out.write("timestamp,value,score,alert\n")
    for row in rows:
        point = scan.update(row.value)
        out.write(f"{row.stamp},{row.value:.15g},{point.score:.6f},{int(point.alert)}\n")
    return 0


def _read_rows(lines_in: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(lines_in)
    first = True
    for cells in reader:
        cells = [cell.strip().lstrip("\ufeff") for cell in cells]
        if not any(cells):
            continue
        if not (first and _is_header(cells)):
            yield _read_row(reader.line_num, cells)
        first = False


def _is_header(cells: list[str]) -> bool:
    return not any(character.isdigit() for cell in cells for character in cell)


def _read_row(line: int, cells: list[str]) -> Row:
    if len(cells) < 2:
        raise UserError(f"line {line}: found one column, expected timestamp,value")
    try:
        at = datetime.fromisoformat(cells[0])
    except ValueError:
        raise UserError(f"line {line}: found {cells[0]!r}, expected a time such as 2015-02-26 21:42:53") from None
    try:
        value = float(cells[1])
    except ValueError:
        raise UserError(f"line {line}: found {cells[1]!r}, expected a count") from None
    if not isfinite(value) or value < 0:
        raise UserError(f"line {line}: found {cells[1]!r}, expected a count of zero or more")
    return Row(line, cells[0], at, value)


def _find_interval(rows: list[Row]) -> timedelta:
    if not rows:
        raise UserError("line 1: found no rows, expected timestamp,value")
    interval = ANY_INTERVAL
    for before, row in pairwise(rows):
        if (row.at.tzinfo is None) != (before.at.tzinfo is None):
            raise UserError(f"line {row.line}: times with and without a zone are mixed")
        step = row.at - before.at
        if step <= timedelta(0):
            raise UserError(f"line {row.line}: {row.stamp} is not after {before.stamp}; rows must be in order of time")
        if before is rows[0]:
            interval = step
        if step != interval:
            raise UserError(f"line {row.line}: found a step of {step}, expected {interval} as in the rows before")
    return interval
