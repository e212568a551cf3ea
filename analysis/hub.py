"""Mood by a model of your own choice: any three-label sentiment model of Hugging Face's kind, from a folder here."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.reading import MOST_WINDOWS, SENTENCE, WINDOW, Floats, ModelUnavailable, mean_share, open_session
from analysis.wording import written

MANIFEST = "manifest.json"  # what `earshot models fetch` wrote down about the files
# In the order they are preferred: ONNX needs no torch and runs twice as fast.
WEIGHTS = ("onnx/model.onnx", "model.onnx", "model.safetensors", "pytorch_model.bin")
MOODS = ("negative", "neutral", "positive")
_NO_TORCH = 'needs torch, which is not installed: pip install "earshot[hub]", or use a model that comes as ONNX'

Run = Callable[[list[int]], Floats]  # token ids to log-odds, in the model's own order of labels


class HubModel:
    """The model in a folder. Immutable and safe to share between threads; never opens a socket.

    One text is read at a time, for its answer must not depend on its company. Raises ModelUnavailable when it is made:
    where files are missing or damaged, what runs them is not installed, or its labels are not the three moods.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._order = read_labels(folder)
        self.weights = find_weights(folder)
        manifest = check_manifest(folder)
        if manifest and self.weights not in manifest["files"]:
            raise ModelUnavailable(f"{folder / self.weights}: not among the files that were fetched: remove it")
        digest = manifest["files"][self.weights] if manifest else digest_of(folder / self.weights)
        self.digest = str(digest)[:12]
        self._lock = threading.Lock()
        self._loaded: tuple[_Tokens, Run] | None = None

    def read(self, text: str) -> Floats:
        """The probabilities of negative, neutral and positive; of a long text the mean over its windows."""
        tokens, run = self._load()
        return mean_share(np.array([run(ids)[self._order] for ids in tokens.cut(text)]))

    def prove(self) -> None:
        """Read a sentence; raises ModelUnavailable where that cannot be done."""
        try:
            shares = self.read(SENTENCE)
        except Exception as error:  # whatever other people's files make other people's libraries raise
            raise ModelUnavailable(f"{self.folder}: cannot be run ({_first_line(error)})") from error
        if not np.isfinite(shares).all():
            raise ModelUnavailable(f"{self.folder}: answers with what are no numbers")

    def _load(self) -> tuple[_Tokens, Run]:
        """At the first text: a process that forks workers must not hold a session before."""
        with self._lock:
            if self._loaded is None:
                start = _start_onnx if self.weights.endswith(".onnx") else _start_torch
                self._loaded = _open_tokens(self.folder), start(self.folder, self.weights)
            return self._loaded


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The model's own tokeniser, and what it sets before and after a text."""

    encode: Callable[[str], list[int]]
    before: list[int]
    after: list[int]
    room: int
    say_emoji: bool  # whether they must be put into words, since the tokeniser has no piece for them

    def cut(self, text: str) -> list[list[int]]:
        """The text in windows, eight at most; half a surrogate pair, which no tokeniser takes, is left out."""
        words = written(text, say_emoji=self.say_emoji).encode("utf-8", "ignore").decode()
        ids = self.encode(words)[: self.room * MOST_WINDOWS]
        starts = range(0, max(len(ids), 1), self.room)
        return [[*self.before, *ids[at : at + self.room], *self.after] for at in starts]


def read_labels(folder: Path) -> list[int]:
    """Where negative, neutral and positive stand among the model's answers. Raises ModelUnavailable where its labels
    are others: a model that knows no neutral would call every report of a crime one or the other."""
    config = _read_json(folder / "config.json", "no model of Hugging Face's kind")
    labels = config.get("id2label")
    labels = labels if isinstance(labels, Mapping) else {}
    names = {int(at): str(name).lower() for at, name in labels.items() if str(at).isdecimal()}
    if names == {at: f"label_{at}" for at in range(3)}:  # unnamed: the order that such models are trained in
        return [0, 1, 2]
    if sorted(names) == [0, 1, 2] and sorted(names.values()) == sorted(MOODS):
        return [next(at for at, name in names.items() if name == mood) for mood in MOODS]
    found = ", ".join(map(str, labels.values()))[:120] or "none"
    raise ModelUnavailable(f"{folder}: its labels are {found}; needed are negative, neutral and positive")


def find_weights(folder: Path) -> str:
    """The file of weights that can be run here, ONNX first; raises ModelUnavailable where there is none."""
    held = [name for name in WEIGHTS if (folder / name).is_file()]
    if not held:
        raise ModelUnavailable(f"{folder}: has none of {', '.join(WEIGHTS)}")
    if not held[0].endswith(".onnx") and importlib.util.find_spec("torch") is None:
        raise ModelUnavailable(f"{folder}: {_NO_TORCH}")
    return held[0]


def check_manifest(folder: Path) -> dict[str, Any] | None:
    """What the folder's manifest says, every file compared with it; None in a folder of your own, which has none.
    Raises ModelUnavailable where a file is another than the one that was fetched."""
    if not (folder / MANIFEST).exists():
        return None
    manifest = _read_json(folder / MANIFEST, "fetch the model again")
    try:
        changed = [name for name, digest in manifest["files"].items() if digest_of(folder / name) != digest]
    except (OSError, KeyError, AttributeError) as error:
        raise ModelUnavailable(f"{folder}: cannot be checked ({_first_line(error)}): fetch the model again") from None
    if changed:
        raise ModelUnavailable(f"{folder / changed[0]}: not the file that was fetched: fetch the model again")
    return manifest


def digest_of(file: Path) -> str:
    """The sha256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read_json(file: Path, otherwise: str) -> dict[str, Any]:
    try:
        held = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{file}: cannot be read ({_first_line(error)}): {otherwise}") from None
    if not isinstance(held, dict):
        raise ModelUnavailable(f"{file}: holds no object: {otherwise}")
    return held


def _first_line(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0][:200]
    return str(said) or type(error).__name__


def _open_tokens(folder: Path) -> _Tokens:
    _keep_off_the_network()
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)

    def encode(words: str, *, whole: bool = False) -> list[int]:
        # `verbose`: it would warn that a long text must be cut, which is done here
        return list(made(words, add_special_tokens=whole, verbose=False)["input_ids"])

    word = encode("police")
    framed = encode("police", whole=True)
    start = next(at for at in range(len(framed)) if framed[at : at + len(word)] == word)
    before, after = framed[:start], framed[start + len(word) :]
    longest = min(WINDOW, int(made.model_max_length))
    return _Tokens(encode, before, after, longest - len(framed) + len(word), made.unk_token_id in encode("🙄"))


def _keep_off_the_network() -> None:
    """Belt and braces: the folder is complete, and nothing that reads it may ask a server for more."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["TRANSFORMERS_NO_ADVISORY_WARNINGS"] = "1"  # that torch is missing is no news where ONNX is run


def _start_onnx(folder: Path, weights: str) -> Run:
    session = open_session(folder / weights)
    wanted = {put.name for put in session.get_inputs()}
    if strange := wanted - {"input_ids", "attention_mask", "token_type_ids"}:
        raise ModelUnavailable(f"{folder / weights}: asks for {', '.join(sorted(strange))}, which is not known here")

    def run(ids: list[int]) -> Floats:
        row = np.array([ids], dtype=np.int64)
        given = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        odds: Floats = session.run(None, {name: given[name] for name in wanted})[0][0]
        return odds

    return run


def _start_torch(folder: Path, weights: str) -> Run:
    _keep_off_the_network()
    import torch
    from transformers import AutoModelForSequenceClassification
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)  # as for ONNX: on a busy machine two that spin are slower than one
    model = AutoModelForSequenceClassification.from_pretrained(
        str(folder),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=weights.endswith(".safetensors"),
    ).eval()

    def run(ids: list[int]) -> Floats:
        row = torch.tensor([ids])
        with torch.inference_mode():
            odds: Floats = model(input_ids=row, attention_mask=torch.ones_like(row)).logits[0].float().numpy()
        return odds

    return run
