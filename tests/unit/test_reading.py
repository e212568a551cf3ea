"""The model that ships: whole, alone with every text, and never the last word over a rule."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from analysis.reading import SHIPPED, Model, ModelUnavailable, Reading, cut, open_tokeniser, shipped

TEXTS = (
    "Police are investigating a murder in Croydon",
    "thank you to the officers who came so quickly, brilliant job",
    "absolutely useless, third burglary and nobody came",
    "",
    " \u200b ",
    "🙄👏🏽",
    "شرطة لندن اليوم في المدينة",
    "a" * 10_000,
    "police! " * 1_200,
    "\x00\ud800 odd &#0; &amp;amp; \u202e",
)


def same(one: Reading, other: Reading) -> bool:
    numbers = [(getattr(one, name), getattr(other, name)) for name in ("mood", "attitude")]
    return all(np.array_equal(a, b) for a, b in numbers) and (one.relevant, one.topics) == (
        other.relevant,
        other.topics,
    )


def test_a_text_is_read_alike_in_any_order_and_company() -> None:
    alone = {text: Model().read(text) for text in TEXTS}
    order = list(TEXTS) * 3
    Random(3).shuffle(order)
    assert all(same(shipped().read(text), alone[text]) for text in order)


def test_threads_that_share_the_model_read_alike() -> None:
    expected = [shipped().read(text) for text in TEXTS]
    found: list[bool] = []

    def work() -> None:
        found.extend(same(shipped().read(text), want) for text, want in zip(TEXTS, expected, strict=True))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4 * len(TEXTS)


@pytest.mark.parametrize("text", TEXTS)
def test_whatever_the_text_the_shares_are_shares(text: str) -> None:
    reading = shipped().read(text)
    for shares in (reading.mood, reading.attitude, np.array(list(reading.topics.values()))):
        assert shares.min() >= 0
        assert float(shares.sum()) == pytest.approx(1, abs=1e-4)


def test_the_end_of_a_long_text_is_read_too() -> None:
    calm = "The library opens at nine on Mondays. " * 30
    quiet, angry = (
        shipped().read(calm + end) for end in ("It is fine. " * 40, "I hate this, awful, disgusting! " * 40)
    )
    assert angry.mood[0] > quiet.mood[0] + 0.2


def test_a_long_text_is_aimed_at_where_the_police_are_named() -> None:
    text = "The library opens at nine on Mondays. " * 40 + "The officers were useless and rude."
    at = text.index("officers")
    tokens = open_tokeniser(SHIPPED / "tokenizer.json")
    windows = cut(tokens, text, [(at, at + 8)])
    assert len(windows) > 2
    assert [any(window.target) for window in windows].index(True) > 0
    assert all(len(window.ids) <= 128 for window in windows)


@pytest.mark.parametrize("name", ["tone.onnx", "matter.onnx", "tokenizer.json"])
def test_a_damaged_file_is_named_when_the_model_is_opened(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "weights"))
    with (folder / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelUnavailable, match=rf"{name}: not the file that .*model.json describes"):
        Model(folder)


@pytest.mark.parametrize("name", ["tone.onnx", "matter.onnx"])
def test_other_weights_of_either_encoder_are_another_model(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "weights"))
    with (folder / name).open("ab") as file:
        file.write(b"x")
    card = json.loads((folder / "model.json").read_text("utf-8"))
    card["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "model.json").write_text(json.dumps(card), "utf-8")
    assert Model(folder).digest != Model().digest


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.json: cannot be read"):
        Model(tmp_path)


def test_the_card_says_what_it_was_made_of_and_how_well_it_did() -> None:
    card = json.loads((SHIPPED / "model.json").read_text("utf-8"))
    assert card["base"].startswith("sentence-transformers/all-MiniLM-L6-v2")
    assert card["metrics"]["macro_recall"] >= 0.74
    assert card["metrics"]["texts"] == 2000
    sizes = {path.name: path.stat().st_size for path in SHIPPED.iterdir()}
    assert sizes["tone.onnx"] <= 25_000_000
    assert sum(sizes.values()) <= 40_000_000


def test_the_readings_are_values() -> None:
    reading = shipped().read(TEXTS[0])
    assert replace(reading, relevant=1.0).relevant == 1.0
