"""What is written down about a trained model: what it learnt from, how, and how it did on texts it had not seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evaluate import Labelled, evaluate
from analysis.pipeline import Pipeline
from analysis.reading import Model
from analysis.train.police import LABELS, PoliceRow, topic_names
from analysis.train.texts import MOODS, Example

BANDS = 10


def describe(base: Path, data: Path, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The card before measuring: base, recipe of each encoder, and the sha256 of every file as it is now, learnt from
    or, of tweets, measured on; an encoder kept from before may have learnt from fewer rows, as its recipe says."""
    folders = [data / name for name in ("tweeteval-sentiment", "target-sentiment", "labelled-real")]
    folders += [LABELS, *sorted((data / "corpora").iterdir())]
    files = [
        path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in (".tsv", ".jsonl", ".npz")
    ]
    return {
        "name": "earshot-encoder",
        "base": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "licence": "Apache-2.0; it holds none of the texts it learnt from",
        "known_failings": "see docs/model-card.md",
        "base_sha256": digest_of(base),
        "recipe": dict(recipe),
        "data": {f"{path.parent.name}/{path.name}": _digest(path) for path in files},
        "topics": topic_names(),
    }


def kept_recipe(folder: Path, name: str, base: Path) -> Mapping[str, Any]:
    """How the encoder of that name in `folder` was made, from its card. Raises ValueError where the card does not tell,
    where the file is not the card's, or where it has another base or other topics than one trained now would."""
    path = folder / "model.json"
    try:
        card = json.loads(path.read_text("utf-8"))
        recipe: Mapping[str, Any] = card["recipe"][name]
        whole = card["sha256"][f"{name}.onnx"] == _digest(folder / f"{name}.onnx")
        fits = card["base_sha256"] == digest_of(base) and card["topics"] == topic_names()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: does not say how {name} was trained ({error!r}): train both") from None
    if not whole:
        raise ValueError(f"{folder / name}.onnx: not the file that {path} describes: train both")
    if not fits:
        raise ValueError(f"{path}: {name} has another base or other topics: train both")
    return recipe


def digest_of(base: Path) -> str:
    """The sha256 of the weights an encoder starts from."""
    return _digest(base / "model.safetensors")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def measure(folder: Path, rows: Sequence[Example]) -> dict[str, Any]:
    """The mood of these tweets by the model in `folder`: recall by mood and their mean, accuracy, and calibration."""
    model = Model(folder)
    odds = np.array([model.read(row.text).mood for row in rows])
    labels = np.array([row.mood for row in rows])
    answers, sure = odds.argmax(axis=1), odds.max(axis=1)
    right = answers == labels
    recall = {name: float(right[labels == at].mean()) for at, name in enumerate(MOODS)}
    bands = np.minimum((sure * BANDS).astype(int), BANDS - 1)
    table = [_band(band, sure[bands == band], right[bands == band]) for band in range(BANDS) if (bands == band).any()]
    off = sum(each["texts"] * abs(each["sure"] - each["right"]) for each in table) / len(rows)
    return {
        "texts": len(rows),
        "macro_recall": round(sum(recall.values()) / 3, 4),
        "recall": {name: round(value, 4) for name, value in recall.items()},
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(off, 4),
        "reliability": table,
    }


def judge(folder: Path, rows: Sequence[PoliceRow]) -> list[str]:
    """How words and the model in `folder` judge these rows together, one line a field."""
    pipeline = Pipeline(model=Model(folder))
    return evaluate([Labelled(pipeline.assess_whole(row.mention), row.labels) for row in rows]).lines()


def _band(band: int, sure: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> Mapping[str, float]:
    """Texts whose likeliest mood had a probability in this tenth: how sure the model was, and how often right."""
    return {
        "from": band / BANDS,
        "texts": len(sure),
        "sure": round(float(sure.mean()), 3),
        "right": round(float(right.mean()), 3),
    }
