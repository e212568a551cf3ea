"""What judging costs, in CPU time: `python -m benchmarks.judgement [DIRECTORY of .jsonl corpora]`."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from analysis.draft import Draft
from analysis.pipeline import Pipeline
from analysis.reading import shipped
from analysis.steps import language
from analysis.steps.mood import weigh
from mentions.mention import Mention
from mentions.normalise import normalise

NOW = datetime(2024, 5, 1, tzinfo=UTC)
T = TypeVar("T")
ROWS, ROUNDS, DEEP = 2000, 3, 400
WRITTEN = (
    "Burgled again in Walthamstow, and all we got was a crime number from the police. Does anyone know who to ring?",
    "Lovely walk round Brockwell Park this morning, coffee and cake afterwards with the whole family, sun is out",
    "Man jailed for six years over a string of moped robberies in Camden and Islington, Wood Green crown court hears",
    "The council have changed the bins again and nobody told us which day, does anyone have the new leaflet please?",
)


def main() -> None:
    """Print microseconds of CPU a mention, whole and by part, and what the language detector weighs."""
    texts = _texts(Path(sys.argv[1])) if len(sys.argv) > 1 else list(WRITTEN) * (ROWS // len(WRITTEN))
    mentions = [Mention(f"x:{at}", "x", "search", NOW, NOW, text) for at, text in enumerate(texts)]
    began = time.process_time()
    pipeline = Pipeline()
    print(f"building the pipeline: {time.process_time() - began:.2f} s CPU")
    opinions = [pipeline.assess(mention) for mention in mentions]
    relevant, doubtful = sum(o.relevant for o in opinions), sum(bool(o.pending) for o in opinions)
    length = sum(map(len, texts)) / len(texts)
    print(f"{len(texts)} posts of {length:.0f} characters, {relevant} relevant, {doubtful} left to the detector")
    norms = [normalise(text) for text in texts]
    vader = SentimentIntensityAnalyzer()
    _print("whole inline judgement", _cost(pipeline.assess, mentions))
    _print("normalising", _cost(normalise, texts))
    _print("finding all words and places", _cost(pipeline._vocabulary.find, norms))
    _print("mood", _cost(weigh, [norm.split() for norm in norms]))
    _print("mood by VADER itself", _cost(vader.polarity_scores, texts[:500]))
    _print_steps(pipeline, mentions, norms)
    _print_model(mentions[:DEEP])
    _print_detector(texts)


def _texts(folder: Path) -> list[str]:
    rows = [json.loads(line) for file in sorted(folder.rglob("*.jsonl")) for line in file.open(encoding="utf-8")]
    texts = [f"{row.get('title') or ''}\n{row.get('text') or ''}".strip() for row in rows]
    return [text for text in texts if text][:: max(1, len(rows) // ROWS)]


def _cost(work: Callable[[T], object], over: Sequence[T]) -> float:
    """The cheapest of a few rounds, in microseconds of CPU a piece."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for each in over:
            work(each)
        rounds.append(time.process_time() - began)
    return min(rounds) / len(over) * 1e6


def _print(what: str, cost: float) -> None:
    print(f"{what:<32}{cost:8.1f} us CPU a post")


def _print_steps(pipeline: Pipeline, mentions: Sequence[Mention], norms: Sequence[str]) -> None:
    drafts = [Draft(m, m.words, norm, pipeline._vocabulary.find(norm)) for m, norm in zip(mentions, norms, strict=True)]
    for step in pipeline._steps:
        began = time.process_time()
        for draft in drafts:
            step.judge(draft)
        _print(f"step {step.name}", (time.process_time() - began) / len(drafts) * 1e6)


def _print_model(mentions: Sequence[Mention]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    pipeline = Pipeline(model=shipped())
    pipeline.assess_whole(mentions[0])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"pipeline with the model, ready after {time.process_time() - began:.2f} s CPU, {grown:.0f} MB more")
    cost = _cost(pipeline.assess_whole, mentions)
    _print("whole judgement with the model", cost)
    print(f"{'':<32}{1e6 / cost:8.0f} posts a second of one core")


def _print_detector(texts: Sequence[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    language.detect("Guten Morgen, wie geht es Ihnen heute?")
    _print("language detector, when asked", _cost(language.detect, texts[:500]))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"language detector: {grown:.0f} MB more at its peak, loaded by the first doubtful post only")


if __name__ == "__main__":
    main()
