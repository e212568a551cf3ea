"""How fast the embedded store saves and searches: python -m benchmarks.store [--rows 1000000]."""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median

from mentions.mention import Assessed, Assessment, Mention, Mood, Rag, Reason, Verdict
from mentions.query import parse
from mentions.store import MentionStore
from mentions.stores import open_store
from mentions.stores.sqlite_schema import connect

BATCH = 5000
RAW = 20_000  # rows for the raw executemany
ROUNDS = 15
SEED = 1
START = datetime(2026, 1, 1, tzinfo=UTC)
BOROUGHS = [(), (), ("Camden",), ("Lambeth",), ("Brent", "Ealing")]


def make_words(dice: random.Random) -> list[str]:
    """Words that are nobody's, the commonest first."""
    heads, tails = ("ka", "lo", "mi", "re", "su", "to"), ("n", "r", "st", "x")
    words = [f"{head}{middle}{tail}" for head in heads for middle in range(60) for tail in tails]
    dice.shuffle(words)
    return words


def make_mentions(rows: int) -> Iterator[Assessed]:
    """Invented posts of 29 words, ten seconds apart; the words are as unevenly common as those of a language."""
    dice = random.Random(SEED)
    words = make_words(dice)
    weights = [1 / (rank + 1) for rank in range(len(words))]
    moods, rags = list(Mood), list(Rag)
    for number in range(rows):
        at = START + timedelta(seconds=10 * number)
        relevant = number % 3 == 0
        yield Assessed(
            Mention(
                id=f"forum:{number}",
                platform="forum",
                source=f"Forum {number % 20}",
                published_at=at,
                first_seen_at=at + timedelta(minutes=1),
                text=" ".join([*dice.choices(words, weights, k=28), f"rare{number % 50_000}"]),
                link=f"https://forum.example/t/{number}",
                native_id=str(number),
                author_key=f"{number % 9000:032x}",
                history=number < rows - 2000,
            ),
            Assessment(
                relevant=relevant,
                sentiment=Verdict(dice.choice(moods), 0.5),
                rag=dice.choice(rags) if relevant else Rag.NONE,
                boroughs=dice.choice(BOROUGHS),
                watchlists=("a watchlist",) if number % 20 == 0 else (),
                reasons=(Reason("says a word", 0, 4),),
                made_by=("language/1", "relevance/1", "rating/1"),
            ),
        )


def fill(store: MentionStore, rows: int) -> tuple[float, float]:
    """Wall and CPU seconds spent in saving, without the inventing."""
    mentions, wall, cpu = make_mentions(rows), 0.0, 0.0
    while batch := list(islice(mentions, BATCH)):
        began, spent = time.perf_counter(), time.process_time()
        store.save(batch)
        wall += time.perf_counter() - began
        cpu += time.process_time() - spent
    return wall, cpu


def copy_raw(source: Path, target: Path, rows: int) -> tuple[float, float]:
    """Wall and CPU seconds of a bare executemany of finished rows into the same tables, words and index included."""
    open_store(f"sqlite:{target}").close()
    reader, writer = connect(source, readonly=True), connect(target, readonly=False)
    tables = ("mention", "locator", "tally_borough", "tally_source", "series_minute", "series_member")
    # What the database makes of other columns itself is no column to fill, and `table_info` leaves it out.
    columns = {table: [column[1] for column in reader.execute(f"PRAGMA table_info({table})")] for table in tables}
    held = {
        table: reader.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1 LIMIT ?", (rows,)).fetchall()
        for table, names in columns.items()
    }
    norms = reader.execute("SELECT row, norm FROM mention ORDER BY row LIMIT ?", (rows,)).fetchall()
    began, spent = time.perf_counter(), time.process_time()
    for start in range(0, rows, BATCH):
        writer.execute("BEGIN IMMEDIATE")
        for table in tables:
            _insert(writer, table, columns[table], held[table][start : start + BATCH])
        writer.executemany("INSERT INTO words (rowid, norm) VALUES (?, ?)", norms[start : start + BATCH])
        writer.execute("COMMIT")
    took = time.perf_counter() - began, time.process_time() - spent
    reader.close()
    writer.close()
    return took


def _insert(writer: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    places = ", ".join("?" * len(columns))
    writer.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)


def milliseconds(act: Callable[[], object]) -> float:
    """Median of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def measure_reading(store: MentionStore) -> None:
    """Print what the pages ask for, each with its median."""
    newest = store.status().newest_at or START
    day, month = newest - timedelta(days=1), newest - timedelta(days=30)
    common, second = make_words(random.Random(SEED))[:2]
    for query in (common, "rare77", f"{common} {second}", f'"{common} {second}"', f"{common} NOT {second}", ""):
        whole = milliseconds(partial(store.search, parse(query)))
        within = milliseconds(partial(store.search, parse(query), since=month, until=day))
        print(f"newest 50 of {query or 'everything':24} {whole:8.2f} ms, of 29 days past {within:8.2f} ms")
    print(f"tallies of 24 h by borough {milliseconds(lambda: store.tallies_by_borough(day, newest)):27.2f} ms")
    print(f"tallies of 24 h by source  {milliseconds(lambda: store.tallies_by_source(day, newest)):27.2f} ms")
    print(f"series of 24 h             {milliseconds(lambda: store.series('relevant', day, newest)):27.2f} ms")
    print(f"members of 24 h, 100       {milliseconds(lambda: store.members('relevant', day, newest, 100)):27.2f} ms")
    print(f"status                     {milliseconds(store.status):27.2f} ms")
    print(f"count of {common:18}{milliseconds(lambda: store.count(parse(common))):27.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mentions.db"
        store = open_store(f"sqlite:{path}")
        wall, cpu = fill(store, rows)
        print(f"save(): {rows / wall:,.0f} a second, {cpu / rows * 1e6:.1f} us of CPU each, batches of {BATCH:,}")
        raw_wall, raw_cpu = copy_raw(path, Path(folder) / "raw.db", raw := min(rows, RAW))
        print(f"raw executemany: {raw / raw_wall:,.0f} a second, {raw_cpu / raw * 1e6:.1f} us of CPU each")
        print(f"save() reaches {raw_wall / raw / (wall / rows):.2f} of raw (CPU {raw_cpu / raw / (cpu / rows):.2f})")
        print(f"on disk: {store.status().bytes_on_disk / rows:,.0f} bytes a mention")
        measure_reading(store)
        store.close()


if __name__ == "__main__":
    main()
