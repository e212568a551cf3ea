"""What a larger model said of the texts to learn from, kept without them: a small one learns from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.reading import Floats, Window

KEPT = Path(__file__).parents[1] / "labels" / "taught.npz"


@dataclass(frozen=True, slots=True)
class Opinion:
    """Shares that sum to one: of mood and attitude in the order of MOODS, of topics in that of `topic_names()`;
    `relevant` is one share alone. The last two are None for a text that nobody asked them of."""

    mood: Floats
    attitude: Floats
    relevant: Floats | None = None
    topics: Floats | None = None


class Taught:
    """Opinions by what they are of: a digest of its tokens and of which of them are the target."""

    def __init__(self, opinions: Mapping[int, Opinion]) -> None:
        self._opinions = opinions

    def __len__(self) -> int:
        return len(self._opinions)

    def of(self, window: Window) -> Opinion | None:
        """What was said of it; None where nothing was."""
        return self._opinions.get(_digest(window))


def keep(file: Path, windows: Sequence[Window], opinions: Sequence[Opinion]) -> None:
    """Write opinions in half precision to `file`, its name ending in .npz; of two texts that are the same the first
    stands."""
    first = {_digest(window): opinion for window, opinion in reversed(list(zip(windows, opinions, strict=True)))}
    said = list(first.values())
    asked = [at for at, each in enumerate(said) if each.topics is not None]
    np.savez_compressed(
        file,
        digest=np.array(list(first), dtype=np.uint64),
        mood=np.array([each.mood for each in said], dtype=np.float16),
        attitude=np.array([each.attitude for each in said], dtype=np.float16),
        asked=np.array(asked, dtype=np.int32),
        relevant=np.array([said[at].relevant for at in asked], dtype=np.float16).reshape(-1, 1),
        topics=np.array([said[at].topics for at in asked], dtype=np.float16),
    )


def load(file: Path = KEPT) -> Taught:
    """What `keep` wrote. Raises OSError where the file is not there."""
    with np.load(file) as packed:
        mood, attitude, relevant, topics = (
            packed[name].astype(np.float32) for name in ("mood", "attitude", "relevant", "topics")
        )
        places = {int(at): place for place, at in enumerate(packed["asked"])}
        digests = packed["digest"].tolist()
    return Taught(
        {
            digest: Opinion(
                mood[at],
                attitude[at],
                relevant[places[at]] if at in places else None,
                topics[places[at]] if at in places else None,
            )
            for at, digest in enumerate(digests)
        }
    )


def _digest(window: Window) -> int:
    told = np.array(window.ids, dtype=np.uint16).tobytes() + bytes(window.target)
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "little")
