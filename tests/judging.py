"""Mentions for tests of the judgement, made from a text and what a source would say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from analysis.evaluate import Labelled, Report, evaluate
from analysis.pipeline import Pipeline
from analysis.reading import shipped as shipped_model
from analysis.train.police import to_mention
from mentions.mention import Assessment, Mention, Reach, Voice

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@cache
def shipped() -> Pipeline:
    """The pipeline as shipped, judging by words alone; it is immutable, so all tests share it."""
    return Pipeline()


@cache
def deep() -> Pipeline:
    """The same with the model that ships."""
    return Pipeline(model=shipped_model())


def say(text: str, **facts: Any) -> Mention:
    """A post by the public, unless `facts` say otherwise."""
    told = {"id": "x:1", "platform": "x", "source": "search", "published_at": NOON, "first_seen_at": NOON} | facts
    return Mention(text=text, **told)


def headline(title: str, text: str = "", **facts: Any) -> Mention:
    """An item of a news feed."""
    told = {"platform": "rss", "voice": Voice.PRESS, "reach": Reach.WIDE, "title": title} | facts
    return say(text, **told)


def judged(text: str, **facts: Any) -> Assessment:
    """What the shipped pipeline thinks of a post by the public."""
    return shipped().assess(say(text, **facts))


def judged_news(title: str, text: str = "", **facts: Any) -> Assessment:
    """What the shipped pipeline thinks of a news item."""
    return shipped().assess(headline(title, text, **facts))


def measured(pipeline: Pipeline, rows: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Report:
    """How well a pipeline judges rows of a corpus, each beside its labels."""
    return evaluate([Labelled(pipeline.assess_whole(to_mention(row)), labels) for row, labels in rows])
