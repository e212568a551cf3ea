"""The running totals of the SQLite store: changed by what a batch changes, in the batch's own transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mentions.facets import facets
from mentions.mention import Assessed, Mood
from mentions.series import boroughs_of, series_of
from mentions.stores.sqlite_rows import Held
from mentions.times import HOUR, MINUTE, micros

_TABLES = {"tally_borough": "hour, borough, rag", "tally_source": "hour, source, rag"}


@dataclass(slots=True)
class Totals:
    """What some mentions add up to, or by how much the running totals have to change."""

    boroughs: dict[tuple[int, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    sources: dict[tuple[int, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    minutes: dict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    members: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    pending: Counter[tuple[str, int]] = field(default_factory=Counter)
    facets: Counter[tuple[str, int]] = field(default_factory=Counter)

    def add(self, row: int, assessed: Assessed, sign: int) -> None:
        """Count one mention in (sign 1) or out (sign -1)."""
        mention, opinion = assessed.mention, assessed.assessment
        published = micros(mention.published_at)
        hour, rag = published - published % HOUR, str(opinion.rag)
        mood = opinion.sentiment.label
        change = (sign, sign * (mood is Mood.NEGATIVE), sign * (mood is Mood.POSITIVE))
        _change(self.sources[hour, mention.source, rag], change)
        for borough in boroughs_of(opinion):
            _change(self.boroughs[hour, borough, rag], change)
        for name in series_of(assessed):
            counted = micros(mention.counts_at)
            minute = counted - counted % MINUTE
            if mention.history:
                self.minutes[name, minute][1] += sign
            else:
                self.minutes[name, minute][0] += sign
                self.members[name, counted, row] += sign
        for step in set(opinion.pending):
            self.pending[step, row] += sign
        self.add_facets(row, assessed, sign)

    def add_facets(self, row: int, assessed: Assessed, sign: int) -> None:
        """Count one mention's facets in or out."""
        for label in facets(assessed):
            self.facets[label, row] += sign


def _change(total: list[int], change: tuple[int, int, int]) -> None:
    total[0] += change[0]
    total[1] += change[1]
    total[2] += change[2]


def apply(connection: sqlite3.Connection, change: Totals) -> None:
    """Change the running totals; what has come down to nothing is taken out."""
    _apply_tally(connection, "tally_borough", change.boroughs)
    _apply_tally(connection, "tally_source", change.sources)
    series = _ids(connection, "series", "name", {name for name, _ in change.minutes})
    minutes = [(series[name], minute, *counts) for (name, minute), counts in change.minutes.items() if any(counts)]
    connection.executemany(
        "INSERT INTO series_minute VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET live = live + excluded.live, "
        "history = history + excluded.history",
        minutes,
    )
    connection.executemany(
        "DELETE FROM series_minute WHERE series = ? AND minute = ? AND live = 0 AND history = 0",
        [row[:2] for row in minutes if row[2] < 0 or row[3] < 0],
    )
    members = Counter({(series[name], counted, row): by for (name, counted, row), by in change.members.items()})
    _apply_rows(connection, "series_member", ("series", "counted", "row"), members)
    _apply_rows(connection, "pending", ("step", "row"), change.pending)
    labels = _ids(connection, "label", "label", {label for (label, _), by in change.facets.items() if by})
    marked = Counter({(labels[label], row): by for (label, row), by in change.facets.items() if by})
    _apply_rows(connection, "facet", ("label", "row"), marked)


def _apply_tally(connection: sqlite3.Connection, table: str, change: Mapping[tuple[int, str, str], list[int]]) -> None:
    connection.executemany(
        f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, "
        "negative = negative + excluded.negative, positive = positive + excluded.positive",
        [(*key, *counts) for key, counts in change.items() if any(counts)],
    )
    connection.executemany(
        f"DELETE FROM {table} WHERE ({_TABLES[table]}) = (?, ?, ?) AND count = 0",
        [key for key, counts in change.items() if counts[0] < 0],
    )


def _apply_rows(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], change: Mapping[Any, int]
) -> None:
    places = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO {table} VALUES ({places})", sorted(key for key, by in change.items() if by > 0)
    )
    connection.executemany(
        f"DELETE FROM {table} WHERE ({', '.join(columns)}) = ({places})", [key for key, by in change.items() if by < 0]
    )


def _ids(connection: sqlite3.Connection, table: str, column: str, names: Iterable[str]) -> dict[str, int]:
    """The number of each name, given now where it has none."""
    ids: dict[str, int] = {}
    for name in sorted(names):
        connection.execute(f"INSERT INTO {table} ({column}) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        ids[name] = connection.execute(f"SELECT id FROM {table} WHERE {column} = ?", (name,)).fetchone()[0]
    return ids


def recount(held: Iterable[Held]) -> Totals:
    """What the running totals ought to be."""
    totals = Totals()
    for each in held:
        totals.add(each.row, each.now, 1)
    return totals


def differences(connection: sqlite3.Connection, ought: Totals) -> list[str]:
    """One line for each kind of running total that is not what it ought to be."""
    name_of = "(SELECT name FROM series WHERE id = series)"
    kinds: tuple[tuple[str, str, int, Mapping[Any, Any]], ...] = (
        ("tallies by borough", "SELECT * FROM tally_borough", 3, ought.boroughs),
        ("tallies by source", "SELECT * FROM tally_source", 3, ought.sources),
        ("series by minute", f"SELECT {name_of}, minute, live, history FROM series_minute", 2, ought.minutes),
        ("members of series", f"SELECT {name_of}, counted, row, 1 FROM series_member", 3, ought.members),
        ("pending steps", "SELECT step, row, 1 FROM pending", 2, ought.pending),
        ("facets", "SELECT (SELECT label.label FROM label WHERE id = facet.label), row, 1 FROM facet", 2, ought.facets),
    )
    problems = []
    for what, sql, width, counted in kinds:
        held = {row[:width]: list(row[width:]) for row in connection.execute(sql)}
        if held != {key: total if isinstance(total, list) else [total] for key, total in counted.items()}:
            problems.append(f"{what} differ from a recount")
    return problems
