"""What the card of a trained model keeps of an encoder that was not trained again."""

import hashlib
import json
from pathlib import Path

import pytest

from analysis.reading import SHIPPED
from analysis.train.card import digest_of, kept_recipe
from analysis.train.police import topic_names


def _asked(name: str, folder: Path, **card: object) -> tuple[Path, str, Path]:
    """What to ask of a folder with this card, and the base its model was trained from."""
    base = folder / "base"
    base.mkdir()
    (base / "model.safetensors").write_bytes(b"weights to start from")
    (folder / "tone.onnx").write_bytes(b"weights")
    whole: dict[str, object] = {
        "base_sha256": digest_of(base),
        "topics": topic_names(),
        "recipe": {"tone": {"epochs": 3.5}},
        "sha256": {"tone.onnx": hashlib.sha256(b"weights").hexdigest()},
    }
    (folder / "model.json").write_text(json.dumps(whole | card), "utf-8")
    return folder, name, base


def test_the_recipe_of_an_encoder_that_stays_is_kept(tmp_path: Path) -> None:
    assert kept_recipe(*_asked("tone", tmp_path)) == {"epochs": 3.5}


@pytest.mark.parametrize("changed", [{"base_sha256": "of another"}, {"topics": ["weather"]}])
def test_an_encoder_of_another_base_or_other_topics_does_not_stay(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"model\.json: tone has another base or other topics: train both"):
        kept_recipe(*_asked("tone", tmp_path, **changed))


def test_another_file_than_the_card_describes_does_not_stay(tmp_path: Path) -> None:
    asked = _asked("tone", tmp_path)
    (tmp_path / "tone.onnx").write_bytes(b"of a run broken off")
    with pytest.raises(ValueError, match=r"tone\.onnx: not the file that .*model\.json describes: train both"):
        kept_recipe(*asked)


def test_an_encoder_the_card_does_not_know_does_not_stay(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model\.json: does not say how matter was trained .*: train both"):
        kept_recipe(*_asked("matter", tmp_path))


def test_the_shipped_card_says_how_each_encoder_was_trained() -> None:
    recipe = json.loads((SHIPPED / "model.json").read_text("utf-8"))["recipe"]
    assert list(recipe) == ["tone", "matter"]
    assert all(each["epochs"] and each["police_rows"] and "seed" in each for each in recipe.values())
