"""The in-stream matcher beside asking one watchlist after the other: python -m benchmarks.watchlists [FILE].

With files of posts (JSON Lines) their texts are matched, and the watchlists are made of their words; without, both are
invented.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from mentions.mention import Assessed, Assessment, Mention
from mentions.normalise import index_text
from mentions.predicate import predicate
from mentions.query import parse
from mentions.times import EPOCH
from mentions.watchlists import Matcher, Watchlist

SIZES = (100, 1_000, 10_000)
TEXTS = 20_000
SEED = 1


def read_texts(files: Sequence[Path]) -> list[str]:
    """Index texts of the posts in these files, or of invented ones."""
    if not files:
        return invent_texts()
    rows = (json.loads(line) for file in files for line in file.open(encoding="utf-8"))
    return [index_text(str(row.get("text") or row.get("title") or "")) for row in islice(rows, TEXTS)]


def invent_texts() -> list[str]:
    """Texts of 28 words out of 20,000, as unevenly common as those of a language."""
    dice = random.Random(SEED)
    words = ["".join(dice.choices("aeioulnrst", k=dice.randint(3, 9))) for _ in range(20_000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    return [" ".join(dice.choices(words, weights, k=28)) for _ in range(TEXTS)]


def make_watchlists(count: int, texts: Sequence[str]) -> list[Watchlist]:
    """Watchlists as desks write them: up to 11 words, phrases and beginnings; six in ten leave something out. Their
    words are drawn evenly from the 5,000 commonest, but for the first hundred, which nobody would watch for alone."""
    dice = random.Random(SEED)
    counts = Counter(word for text in texts for word in text.split() if len(word) > 3)
    words = [word for word, _ in counts.most_common(5_000)][100:]
    plain = [word for word in words if word.isalnum()]

    def literal() -> str:
        match dice.randrange(6):
            case 0:
                return f'"{dice.choice(words)} {dice.choice(words)}"'
            case 1:
                return f"{dice.choice(plain)[:5]}*"
        return f'"{dice.choice(words)}"'

    def query() -> str:
        found = " OR ".join(literal() for _ in range(dice.randint(1, 4)))
        if dice.random() < 0.5:
            found = f"({found}) AND ({' OR '.join(literal() for _ in range(dice.randint(1, 3)))})"
        if dice.random() < 0.6:
            found = f"({found}) NOT ({' OR '.join(literal() for _ in range(dice.randint(1, 4)))})"
        return found

    return [Watchlist(f"w{number:05}", parse(query()), "benchmark", "desk") for number in range(count)]


def rate(match: Callable[[str], tuple[str, ...]], texts: Sequence[str]) -> tuple[float, int]:
    """Texts a second of processor time, and all hits together."""
    began = time.process_time()
    hits = sum(len(match(text)) for text in texts)
    return len(texts) / (time.process_time() - began), hits


def in_turn(watchlists: Sequence[Watchlist]) -> Callable[[str], tuple[str, ...]]:
    """The naive way: every watchlist is asked about every text."""
    tests = [(each.name, predicate(each.query)) for each in watchlists]

    def match(text: str) -> tuple[str, ...]:
        held = Assessed(Mention("x:1", "x", "x", EPOCH, EPOCH, text=text), Assessment(), text)
        return tuple(name for name, holds in tests if holds(held))

    return match


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl")
    texts = read_texts(parser.parse_args().files)
    print(f"{len(texts):,} texts of {sum(map(len, texts)) / len(texts):.0f} characters; processor time, one core")
    for size in SIZES:
        watchlists = make_watchlists(size, texts)
        began = time.process_time()
        matcher = Matcher(watchlists)
        built = time.process_time() - began
        matched, hits = rate(matcher.match, texts)
        few = texts[: max(20, 200_000 // size)]
        naive, wanted = rate(in_turn(watchlists), few)
        assert wanted == sum(len(matcher.match(text)) for text in few), "the two ways differ"
        print(
            f"{size:6,} watchlists, {hits / len(texts):5.1f} hits a text, made in {built:.2f} s: "
            f"{matched:9,.0f} texts/s; one after the other {naive:7,.0f} texts/s, {matched / naive:,.0f} times slower"
        )


if __name__ == "__main__":
    main()
