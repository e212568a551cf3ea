"""How fast `earshot import` goes, judgement included, beside a raw executemany: python -m benchmarks.importing."""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.store import START, copy_raw
from config.load import load
from listener.importing import Imported, import_files, open_reader
from mentions.clock import utc_now
from mentions.stores import open_store

SCENARIO = Path(__file__).parent.parent / "config" / "defaults" / "exercise.jsonl"


def make_rows(rows: int) -> Iterator[str]:
    """The built-in scenario's own posts over and over, each time with other words at its end; 30 seconds apart."""
    posts = [json.loads(line) for line in SCENARIO.read_text("utf-8").splitlines() if line.strip()]
    dice = random.Random(1)
    for number in range(rows):
        post = dice.choice(posts)
        text = f"{post.get('text', '')} {dice.choice(posts).get('text', '')[:60]} {number}"
        at = START + timedelta(seconds=30 * number)
        yield json.dumps({**post, "id": str(number), "text": text, "time": at.isoformat()}, ensure_ascii=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "posts.jsonl"
        file.write_text("\n".join(make_rows(rows)) + "\n", "utf-8")
        settings = load(None, {}, Path(folder) / "data")
        settings.data.mkdir()
        store = open_store(settings.store)
        began = time.perf_counter()
        done = import_files([file], store, open_reader(settings, utc_now()), lambda size, so_far: None)
        wall = time.perf_counter() - began
        check(done, rows)
        raw_wall, _ = copy_raw(settings.data / "mentions.db", Path(folder) / "raw.db", rows)
        store.close()
    length = sum(map(len, make_rows(1000))) / 1000
    print(f"import with judgement: {rows / wall:,.0f} mentions a second ({rows:,} rows of {length:.0f} characters)")
    print(f"raw executemany of finished rows: {rows / raw_wall:,.0f} a second")
    print(f"import reaches {raw_wall / wall:.2f} of raw")


def check(done: Imported, rows: int) -> None:
    """A benchmark of work that was not done says nothing."""
    if done.new != rows or done.rejected:
        raise SystemExit(f"expected {rows} new, got {done.new}, {len(done.rejected)} rejected: {done.rejected[:3]}")


if __name__ == "__main__":
    main()
