"""The models on this machine, and which of them judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.hub import MANIFEST, HubModel
from analysis.reading import SHIPPED, Model, ModelUnavailable
from config.settings import Settings
from listener.judging import place_of, tell_absence


@dataclass(frozen=True, slots=True)
class Held:
    """One model on this machine. `reads` is what it judges now, nothing where it is not in use; `problem` is why it
    cannot be used."""

    name: str
    kind: str  # shipped, fetched, folder or missing
    folder: str
    reads: tuple[str, ...]
    digest: str = ""
    revision: str = ""
    bytes: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def list_models(settings: Settings, *, prove: bool = False) -> Iterator[Held]:
    """The shipped one, then those fetched by name, then the folder that the settings name; with `prove` each reads a
    sentence."""
    given = settings.analysis
    yield look_at_shipped(("attitude", "relevance", "topic") if given.mood_model else None, prove=prove)
    used = place_of(given.mood_model, given.models) if given.mood_model else None
    fetched = sorted(path.parent for path in given.models.glob(f"[!.]*/{MANIFEST}"))
    for folder in fetched:
        yield look_at(folder, "fetched", in_use=folder == used, prove=prove)
    if used and not used.is_dir():
        problem = tell_absence(given.mood_model, used)
        yield Held(given.mood_model, "missing", str(used), ("mood",), problem=problem)
    elif used and used not in fetched:
        yield look_at(used, "folder", in_use=True, prove=prove)


def look_at_shipped(reads: tuple[str, ...] | None, *, prove: bool) -> Held:
    """The model that comes with Earshot; by default it reads everything."""
    reads = reads or ("mood", "attitude", "relevance", "topic")
    try:
        model = Model()
        if prove:
            model.prove()
    except ModelUnavailable as unavailable:
        return Held("shipped", "shipped", str(SHIPPED), (), problem=str(unavailable))
    metrics = dict(model.card.get("metrics", {}))
    return Held("shipped", "shipped", str(SHIPPED), reads, model.digest, "", size_of(SHIPPED), metrics)


def look_at(folder: Path, kind: str, *, in_use: bool, prove: bool) -> Held:
    """Another model; it reads the mood where the settings name it."""
    name, revision = str(folder), ""
    if kind == "fetched":
        name, revision = read_origin(folder)
    reads = ("mood",) if in_use else ()
    try:
        model = HubModel(folder)
        if prove:
            model.prove()
    except ModelUnavailable as unavailable:
        return Held(name, kind, str(folder), reads, "", revision, size_of(folder), problem=str(unavailable))
    return Held(name, kind, str(folder), reads, model.digest, revision, size_of(folder))


def read_origin(folder: Path) -> tuple[str, str]:
    """Name and revision of a fetched model by its manifest; by its folder where that is damaged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return str(manifest["name"]), str(manifest["revision"])
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name.replace("--", "/"), ""


def size_of(folder: Path) -> int:
    """The bytes of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
