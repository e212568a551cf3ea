"""The trained encoder as files that run without torch: ONNX in whole numbers of eight bits, tokeniser, card."""

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

from analysis.reading import FILES
from analysis.train.encoder import OUTPUTS, Encoder


def export(model: Encoder, base: Path, folder: Path, card: Mapping[str, Any]) -> None:
    """Write encoder, tokeniser and `model.json` (the card with each file's sha256) into `folder`.

    Per channel: with one scale for a whole matrix one label in seven would change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole.onnx"
        _to_onnx(model, whole)
        quantize_dynamic(whole, folder / FILES[0], per_channel=True, weight_type=QuantType.QInt8)
    shutil.copyfile(base / "tokenizer.json", folder / FILES[1])
    write_card(folder, card)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write `model.json`: the card, with the sha256 of each file it is of."""
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    text = json.dumps({**card, "sha256": digests}, indent=1, ensure_ascii=False)
    (folder / "model.json").write_text(text + "\n", "utf-8")


def _to_onnx(model: Encoder, file: Path) -> None:
    ids = torch.ones(2, 9, dtype=torch.long)
    axes = {name: {0: "batch", 1: "words"} for name in ("ids", "mask", "target")} | {
        name: {0: "batch"} for name in OUTPUTS
    }
    with warnings.catch_warnings():
        # The older of torch's two exporters is deprecated, and its graph runs a fifth faster.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), (ids, ids, torch.zeros_like(ids)), str(file), dynamo=False, opset_version=17,
            input_names=["ids", "mask", "target"], output_names=list(OUTPUTS), dynamic_axes=axes,
        )  # fmt: skip
