"""Searches drawn at random from the whole language, about words and values that real mentions have, and some lack."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

from analysis.pipeline import Pipeline
from listener.importing import Reader
from mentions.facets import FIELDS, facets
from mentions.mention import Assessed
from mentions.normalise import index_text
from mentions.pseudonyms import AuthorKey
from mentions.query import parse
from mentions.times import EPOCH
from mentions.watchlists import Watchlist

WATCHED = {"Helicopter": "helicopter OR clutha", "Stop & search": '"stop and search" OR #stopandsearch', "Met": "met*"}


def read_posts(corpora: Path, each: int, key: Path) -> list[Assessed]:
    """Up to `each` posts of every file of the corpora that has a time, judged as the daemon judges them."""
    watchlists = [Watchlist(name, parse(query)) for name, query in WATCHED.items()]
    reader = Reader(
        Pipeline(watchlists, ["@metpoliceuk"]), AuthorKey.load_or_create(key), EPOCH + timedelta(days=20000)
    )
    found: dict[str, Assessed] = {}
    for file in sorted(corpora.glob("*/*.jsonl")):
        with file.open("rb") as lines:
            read = reader.read((file.name, 1, list(islice(lines, each))))
        found |= {post.mention.id: post for post in read.good}
    return list(found.values())


class Searches:
    """Draws searches; the same seed draws the same ones."""

    def __init__(self, held: Sequence[Assessed], seed: int) -> None:
        self._random = random.Random(seed)
        self._texts = [index_text(each.mention.words).split() for each in held]
        self._texts = [words for words in self._texts if len(words) > 3]
        counts = Counter(word for words in self._texts for word in set(words))
        self._common = [word for word, _ in counts.most_common(300)]
        self._any = sorted(counts)
        self._marks = [word for word in self._any if word[0] in "#@" and len(word) > 2] or ["#nothing"]
        values = Counter(facet for each in held for facet in facets(each))
        self._facets = sorted(values)
        self._times = sorted(each.mention.published_at for each in held)

    def draw(self) -> str:
        """One search."""
        return self._compound(self._random.choice((0, 1, 1, 2, 2, 3)))

    def _compound(self, depth: int) -> str:
        chance = self._random
        if depth == 0:
            return self._leaf()
        parts = [self._compound(depth - 1) for _ in range(chance.choice((2, 2, 3)))]
        match chance.randrange(5):
            case 0:
                return f"({' OR '.join(parts)})"
            case 1:
                return f"({parts[0]} NOT {parts[1]})"
            case 2:
                return f"({parts[0]} AND NOT ({' OR '.join(parts[1:])}))"
            case 3:
                return f"({' OR '.join(self._leaf() for _ in range(chance.randint(2, 30)))})"
        return f"({' '.join(parts[:2])})"

    def _leaf(self) -> str:
        chance = self._random
        draw = chance.choices(
            (self._word, self._phrase, self._prefix, self._near, self._mark, self._field, self._range),
            (8, 3, 3, 3, 1, 5, 2),
        )[0]
        return draw()

    def _word(self) -> str:
        chance = self._random
        words = chance.choice((self._common, self._common, self._any, ["zzzz", "police", "Café", "👮"]))
        return f'"{chance.choice(words)}"'  # quoted: a mark or operator is a word then

    def _phrase(self) -> str:
        chance = self._random
        words = chance.choice(self._texts)
        start = chance.randrange(len(words) - 1)
        return f'"{" ".join(words[start : start + chance.randint(2, 4)])}"'

    def _prefix(self) -> str:
        word = self._random.choice(self._common if self._random.random() < 0.5 else self._any)
        begins = word[: self._random.randint(3, 6)].rstrip("'_.")
        return f"{begins}*" if len(begins.lstrip("#@")) > 1 and begins.lstrip("#@").isalnum() else "po*"

    def _near(self) -> str:
        chance = self._random
        words = chance.choice(self._texts)
        chosen = [
            chance.choice(words[max(0, len(words) // 2 - 8) : len(words) // 2 + 8])
            for _ in range(chance.choice((2, 2, 3)))
        ]
        return f'"{" ".join(chosen)}"~{chance.choice((0, 1, 2, 3, 5, 10))}'

    def _mark(self) -> str:
        return self._random.choice(self._marks)

    def _field(self) -> str:
        chance = self._random
        chosen = [chance.choice(self._facets) for _ in range(chance.choice((1, 1, 1, 3)))]
        field = chosen[0].partition(":")[0]
        if chance.random() < 0.1:
            return chance.choice(
                ("own:no", "own:yes", "debate:no", "debate:yes", "borough:Nowhere", "reach:[local TO wide]")
            )
        values = [facet.partition(":")[2] for facet in chosen if facet.startswith(f"{field}:")]
        assert field in FIELDS
        return f"{field}:({' OR '.join(map(_quoted, values))})"

    def _range(self) -> str:
        chance = self._random
        if chance.random() < 0.5:
            low = round(chance.uniform(-1, 0.5), chance.choice((0, 1, 2)))
            return f"sentiment:{chance.choice('[{')}{low} TO {chance.choice(('*', low + 0.4))}{chance.choice(']}')}"
        first, last = sorted(chance.choice(self._times) for _ in range(2))
        low_end, high_end = chance.choice(
            ((first.isoformat(), "*"), ("*", f"{last:%Y-%m-%d}"), (f"{first:%Y-%m-%d}", last.isoformat()))
        )
        return f"date:[{low_end} TO {high_end}]"


def _quoted(value: str) -> str:
    return f'"{value}"'
