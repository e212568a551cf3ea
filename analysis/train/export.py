"""The trained encoders as files that run without torch: ONNX in whole numbers of eight bits, tokeniser, card.

The first looks up the vectors of words, half of all weights, and gives them to the second, which comes without them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from analysis.reading import FILES
from analysis.train.encoder import Encoder


class Tone(nn.Module):  # type: ignore[misc,unused-ignore]
    """What the first encoder is asked: mood, attitude and topic; and the vectors of the words."""

    INPUTS, OUTPUTS = ("ids", "mask", "target"), ("mood", "attitude", "topics", "vectors")

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor, mask: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        """By OUTPUTS."""
        vectors = self.encoder.look_up(ids)
        mood, attitude, _, topics = self.encoder.answer(vectors, mask, target)
        return mood, attitude, topics, vectors


class Matter(nn.Module):  # type: ignore[misc,unused-ignore]
    """What the second is asked: whether a text is ours, and its topic."""

    INPUTS, OUTPUTS = ("vectors", "mask"), ("relevant", "topics")

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """By OUTPUTS."""
        _, _, relevant, topics = self.encoder.answer(vectors, mask, torch.zeros_like(mask))
        return relevant, topics


def export(encoders: Mapping[str, Encoder], base: Path, folder: Path, card: Mapping[str, Any]) -> None:
    """Write these of `tone` and `matter`, the tokeniser and `model.json` (the card with each file's sha256) into
    `folder`, once all are made; one that is not given stays as it is there. All must share the vectors of words, which
    `tone` holds: those of the base.

    Per channel: with one scale for a whole matrix one label in seven would change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 9, dtype=torch.long)
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.onnx"
        for name, encoder in encoders.items():
            tone = (Tone(encoder), (ids, ids, torch.zeros_like(ids)))
            part, inputs = tone if name == "tone" else (Matter(encoder), (encoder.look_up(ids), ids))
            _to_onnx(part, inputs, whole)
            quantize_dynamic(whole, Path(scratch) / f"{name}.onnx", per_channel=True, weight_type=QuantType.QInt8)
        for name in encoders:
            shutil.copyfile(Path(scratch) / f"{name}.onnx", folder / f"{name}.onnx")
    shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
    write_card(folder, card)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write `model.json`: the card, with the sha256 of each file it is of."""
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    text = json.dumps({**card, "sha256": digests}, indent=1, ensure_ascii=False)
    (folder / "model.json").write_text(text + "\n", "utf-8")


def _to_onnx(part: Tone | Matter, inputs: tuple[Tensor, ...], file: Path) -> None:
    axes = {name: {0: "batch", 1: "words"} for name in (*part.INPUTS, "vectors")}
    axes |= {name: {0: "batch"} for name in part.OUTPUTS if name != "vectors"}
    with warnings.catch_warnings():
        # The older of torch's two exporters is deprecated, and its graph runs a fifth faster.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.eval(), inputs, str(file), dynamo=False, opset_version=17,
            input_names=list(part.INPUTS), output_names=list(part.OUTPUTS), dynamic_axes=axes,
        )  # fmt: skip
