"""Models of mood as small as they can be, made on the spot: real ONNX, a real tokeniser, twenty words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "police", "the", "day", "officers", "@", "user", "http")
MOODS = ("negative", "neutral", "positive")
# What each word adds to the log-odds of negative, neutral and positive.
WEIGHTS = {"good": (-3, 0, 3), "bad": (3, 0, -3), "the": (0, 0.5, 0), "police": (0, 0.5, 0), "[PAD]": (0, 9, 0)}


def make_model(
    folder: Path,
    labels: Sequence[str] | None = MOODS,
    place: str = "model.onnx",
    inputs: Sequence[str] = ("input_ids", "attention_mask", "token_type_ids"),
) -> Path:
    """A whole model in a folder, its answers in the order of `labels`; `None`: a config that names none."""
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, object] = {"model_type": "bert"}
    if labels is not None:
        config["id2label"] = {str(at): label for at, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    tokeniser().save(str(folder / "tokenizer.json"))
    file = folder / place
    file.parent.mkdir(exist_ok=True)
    onnx.save(network([str(label).lower() for label in labels or MOODS], inputs), str(file))
    return folder


def tokeniser() -> Tokenizer:
    """Word pieces as BERT has them, with the padding and the cut that are baked into published files."""
    made = Tokenizer(models.WordPiece({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))  # type: ignore[call-arg]
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    frame = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    made.post_processor = frame
    made.enable_truncation(128)
    made.enable_padding(length=128)
    return made


def network(labels: Sequence[str], inputs: Sequence[str]) -> onnx.ModelProto:
    """Adds up the weights of the words; padding shifts the answer, as the mask is not looked at."""
    table = np.zeros((len(WORDS), len(labels)), dtype=np.float32)
    for word, weights in WEIGHTS.items():
        for at, label in enumerate(labels):
            table[WORDS.index(word), at] = dict(zip(MOODS, weights, strict=True)).get(label, 0)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
            helper.make_node("ReduceSum", ["rows", "axis"], ["logits"], keepdims=0),
        ],
        "mood",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "words"]) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(labels)])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1], dtype=np.int64), "axis")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
