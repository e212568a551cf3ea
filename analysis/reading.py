"""What the shipped model reads in a text: mood, attitude to the police named there, and what it is about.

Two encoders read it: `tone` looks up the vectors of its words, `matter` takes them from there.
"""

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

FILES = ("tone.onnx", "matter.onnx", "tokenizer.json")
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
    """The two encoders in a folder. Immutable and safe to share between threads; never opens a socket.

    One text is read at a time: in a batch the weights of one text would depend on its neighbours (int8).
    Raises ModelUnavailable when it is made, where a file is missing or another than its card says, and in `prove`,
    where it cannot be run.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.card = _read_card(folder)
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, InferenceSession, InferenceSession] | None = None

    @property
    def digest(self) -> str:
        """The first twelve digits of a sha256 over those of the weights: names the model on every judgement."""
        both = "".join(self.card["sha256"][name] for name in FILES[:2])
        return hashlib.sha256(both.encode()).hexdigest()[:12]

    @property
    def topics(self) -> list[str]:
        """The strategy's topics in the order of the encoders' answers; "" is no topic."""
        return list(self.card["topics"])

    def read(self, text: str, targets: Sequence[Span] = ()) -> Reading:
        """Read a text; `targets` are the spans that name the police, in order, none in another."""
        tokens, tone, matter = self._load()
        windows = cut(tokens, text, targets)
        toned = [_ask_tone(tone, window) for window in windows]
        near = [toned[windows.index(window)] for window in aim(windows)]
        said = [_ask_matter(matter, each["vectors"]) for each in near]
        topics = mean_share(np.array([each["topics"] for each in (*near, *said)]))
        return Reading(
            mood=mean_share(np.array([each["mood"] for each in toned])),
            attitude=mean_share(np.array([each["attitude"] for each in near])),
            relevant=float(np.mean([each["relevant"][0] for each in said])),
            topics=dict(zip(self.topics, map(float, topics), strict=True)),
        )

    def prove(self) -> None:
        """Read a sentence; raises ModelUnavailable where that cannot be done."""
        try:
            self.read(SENTENCE)
        except Exception as error:  # whatever the library that runs it raises
            raise ModelUnavailable(f"{self._folder}: cannot be run ({error})") from error

    def _load(self) -> tuple[Tokenizer, InferenceSession, InferenceSession]:
        """Tokeniser and sessions, made at the first text."""
        with self._lock:
            if self._loaded is None:
                self._loaded = (
                    open_tokeniser(self._folder / "tokenizer.json"),
                    open_session(self._folder / "tone.onnx"),
                    open_session(self._folder / "matter.onnx"),
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


def _ask_tone(session: InferenceSession, window: Window) -> dict[str, Floats]:
    """Mood, attitude and topic of a window, and the vectors of its words."""
    ids = np.array([window.ids], dtype=np.int64)
    target = np.array([window.target], dtype=np.int64)
    return _run(session, {"ids": ids, "mask": np.ones_like(ids), "target": target})


def _ask_matter(session: InferenceSession, vectors: Floats) -> dict[str, Floats]:
    """Whether they are about the police here, and their topic."""
    return _run(session, {"vectors": vectors[None], "mask": np.ones((1, len(vectors)), dtype=np.int64)})


def _run(session: InferenceSession, inputs: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    names = [output.name for output in session.get_outputs()]
    return {name: value[0] for name, value in zip(names, session.run(names, dict(inputs)), strict=True)}


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
