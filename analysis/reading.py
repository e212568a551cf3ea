"""What the shipped model reads in a text: mood, attitude to the police named there, and what it is about."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.wording import Span, marked

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Floats = NDArray[np.float32]

FILES = ("encoder.onnx", "tokenizer.json")
SHIPPED = Path(__file__).parent / "weights"
WINDOW = 128  # tokens the model reads at once, its two marks included
MOST_WINDOWS = 8  # of a long text: about five pages
SENTENCE = "The officers who came were kind 🙂"  # to try a model with
_OPENS, _CLOSES = 101, 102  # the marks around what BERT reads


class ModelUnavailable(Exception):
    """The model's files are missing, damaged or cannot be run; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says of one text. Probabilities are in the order negative, neutral, positive; `relevant` is
    log-odds; `topics` gives each topic of the strategy its probability, "" that of none."""

    mood: Floats
    attitude: Floats
    relevant: float
    topics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text in tokens, `target` marking those that name whom an attitude is about."""

    ids: list[int]
    target: list[int]


class Model:
    """The encoder in a folder. Immutable and safe to share between threads; never opens a socket.

    One text is read at a time: in a batch the weights of one text would depend on its neighbours (int8).
    Raises ModelUnavailable when it is made, where a file is missing or another than its card says, and in `prove`,
    where it cannot be run.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.card = _read_card(folder)
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, InferenceSession] | None = None

    @property
    def digest(self) -> str:
        """The first twelve digits of the weights' sha256: names the model on every judgement."""
        return str(self.card["sha256"]["encoder.onnx"])[:12]

    @property
    def topics(self) -> list[str]:
        """The strategy's topics in the order of the encoder's answers; "" is no topic."""
        return list(self.card["topics"])

    def read(self, text: str, targets: Sequence[Span] = ()) -> Reading:
        """Read a text; `targets` are the spans that name the police, in order, none in another."""
        tokens, session = self._load()
        windows = cut(tokens, text, targets)
        aimed = aim(windows)
        found = {id(window): _run(session, window) for window in windows}
        mood, near = [found[id(w)] for w in windows], [found[id(w)] for w in aimed]
        return Reading(
            mood=_mean(mood, "mood"),
            attitude=_mean(near, "attitude"),
            relevant=float(np.mean([each["relevant"][0] for each in near])),
            topics=dict(zip(self.topics, map(float, _mean(near, "topics")), strict=True)),
        )

    def prove(self) -> None:
        """Read a sentence; raises ModelUnavailable where that cannot be done."""
        try:
            self.read(SENTENCE)
        except Exception as error:  # whatever the library that runs it raises
            raise ModelUnavailable(f"{self._folder}: cannot be run ({error})") from error

    def _load(self) -> tuple[Tokenizer, InferenceSession]:
        """Tokeniser and session, made at the first text."""
        with self._lock:
            if self._loaded is None:
                self._loaded = (
                    open_tokeniser(self._folder / "tokenizer.json"),
                    open_session(self._folder / "encoder.onnx"),
                )
            return self._loaded


def open_tokeniser(file: Path) -> Tokenizer:
    """The tokeniser without the padding and the cut at 128 that are baked into its file."""
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(str(file))
    made.no_padding()
    made.no_truncation()
    return made


def cut(tokens: Tokenizer, text: str, targets: Sequence[Span]) -> list[Window]:
    """The text in windows, in their order, at most eight: the model reads no more at once."""
    words, spans = marked(text, targets)
    encoded = tokens.encode(words, add_special_tokens=False)
    room = WINDOW - 2
    ids = encoded.ids[: room * MOST_WINDOWS]
    inside = [int(any(a < last and first < b for first, last in spans)) for a, b in encoded.offsets[: len(ids)]]
    return [
        Window([_OPENS, *ids[at : at + room], _CLOSES], [0, *inside[at : at + room], 0])
        for at in range(0, max(len(ids), 1), room)
    ]


def aim(windows: Sequence[Window]) -> Sequence[Window]:
    """Those that name the police, three at most; the first where none does."""
    return [window for window in windows if any(window.target)][:3] or windows[:1]


def _run(session: InferenceSession, window: Window) -> dict[str, Floats]:
    ids = np.array([window.ids], dtype=np.int64)
    target = np.array([window.target], dtype=np.int64)
    names = [output.name for output in session.get_outputs()]
    values = session.run(names, {"ids": ids, "mask": np.ones_like(ids), "target": target})
    return {name: value[0] for name, value in zip(names, values, strict=True)}


def _mean(found: Sequence[dict[str, Floats]], name: str) -> Floats:
    return mean_share(np.array([each[name] for each in found]))


def mean_share(odds: Floats) -> Floats:
    """The probabilities that rows of log-odds stand for, averaged over the rows."""
    shares = np.exp(odds - odds.max(axis=1, keepdims=True))
    mean: Floats = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    return mean


def open_session(file: Path) -> InferenceSession:
    """On one thread that does not spin: on a busy machine two that spin are ten times slower."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / "model.json"
    try:
        card: dict[str, Any] = json.loads(path.read_text("utf-8"))
        for name in FILES:
            digest = card["sha256"][name]
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise ModelUnavailable(f"{folder / name}: not the file that {path} describes: install Earshot again")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{path}: cannot be read ({error}): install Earshot again") from None
    return card


@cache
def shipped() -> Model:
    """The model that comes with Earshot, opened once, after it has read a sentence; raises ModelUnavailable."""
    model = Model()
    model.prove()
    return model
