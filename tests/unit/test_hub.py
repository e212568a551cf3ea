"""Other people's models of mood: which are taken, how they are read, and what they may decide."""

from __future__ import annotations

import hashlib
import json
from itertools import permutations
from pathlib import Path
from random import Random

import numpy as np
import pytest

from analysis.hub import MANIFEST, HubModel, read_labels
from analysis.pipeline import Pipeline
from analysis.reading import ModelUnavailable
from mentions.mention import Mood
from tests.judging import say
from tests.tiny_models import MOODS, make_model

TEXTS = (
    "good",
    "bad day",
    "the police",
    "",
    " \u200b ",
    "🙄👏🏽",
    "\ud800 good",
    "شرطة",
    "bad " * 900,
    "@sam http://x.example",
)


@pytest.fixture
def tiny(tmp_path: Path) -> HubModel:
    return HubModel(make_model(tmp_path / "tiny"))


# -- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(("Negative", "neutral", "POSITIVE"))))
def test_whatever_the_order_and_case_of_its_labels_a_model_means_the_same(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    model = HubModel(make_model(tmp_path, order))
    assert model.read("good").argmax() == 2
    assert model.read("bad").argmax() == 0
    assert model.read("the police").argmax() == 1


def test_unnamed_labels_are_the_three_moods_in_their_order(tmp_path: Path) -> None:
    assert read_labels(make_model(tmp_path, ("LABEL_0", "LABEL_1", "LABEL_2"))) == [0, 1, 2]


@pytest.mark.parametrize(
    "labels",
    [
        ("NEGATIVE", "POSITIVE"),
        ("LABEL_0", "LABEL_1"),
        ("negative", "neutral", "positive", "mixed"),
        ("negative", "neutral", "neutral"),
        ("LABEL_0", "neutral", "LABEL_2"),
        ("anger", "joy", "fear"),
        None,
    ],
)
def test_a_model_with_other_labels_is_refused_and_told_which_are_needed(
    tmp_path: Path, labels: tuple[str, ...] | None
) -> None:
    with pytest.raises(ModelUnavailable, match="needed are negative, neutral and positive"):
        HubModel(make_model(tmp_path, labels))


@pytest.mark.parametrize("config", ["", "[]", "{", '{"id2label": 3}', '{"id2label": {"a": "b"}}'])
def test_a_config_that_makes_no_sense_is_refused(tmp_path: Path, config: str) -> None:
    (make_model(tmp_path) / "config.json").write_text(config, "utf-8")
    with pytest.raises(ModelUnavailable, match=str(tmp_path)):
        HubModel(tmp_path)


# -- files ------------------------------------------------------------------------------------------------------------


def test_onnx_is_found_in_its_own_folder_too(tmp_path: Path) -> None:
    assert HubModel(make_model(tmp_path, place="onnx/model.onnx")).read("good").argmax() == 2


def test_a_model_that_takes_fewer_inputs_is_read_as_well(tmp_path: Path) -> None:
    assert HubModel(make_model(tmp_path, inputs=("input_ids", "attention_mask"))).read("bad").argmax() == 0


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (make_model(tmp_path) / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable, match="has none of"):
        HubModel(tmp_path)


def test_weights_that_need_torch_are_refused_at_once_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path).joinpath("model.onnx").rename(tmp_path / "model.safetensors")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelUnavailable, match=r'pip install "earshot\[hub\]"'):
        HubModel(tmp_path)


def test_what_cannot_be_run_is_told_when_it_is_tried(tmp_path: Path, tiny: HubModel) -> None:
    (tmp_path / "tiny" / "model.onnx").write_bytes(b"no network")
    with pytest.raises(ModelUnavailable, match="cannot be run"):
        HubModel(tmp_path / "tiny").prove()


def test_a_model_that_asks_for_what_we_do_not_know_is_told_when_it_is_tried(tmp_path: Path) -> None:
    model = HubModel(make_model(tmp_path, inputs=("input_ids", "pixel_values")))
    with pytest.raises(ModelUnavailable, match="pixel_values"):
        model.prove()


def test_files_that_are_not_those_that_were_fetched_are_refused(tmp_path: Path) -> None:
    make_model(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps({"files": {"config.json": "0" * 64}}), "utf-8")
    with pytest.raises(ModelUnavailable, match=r"config\.json: not the file that was fetched"):
        HubModel(tmp_path)


def test_weights_that_the_manifest_does_not_know_are_refused(tmp_path: Path) -> None:
    config = make_model(tmp_path) / "config.json"
    manifest = {"files": {"config.json": hashlib.sha256(config.read_bytes()).hexdigest()}}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ModelUnavailable, match="not among the files that were fetched"):
        HubModel(tmp_path)


def test_a_label_numbered_in_other_digits_is_no_crash(tmp_path: Path) -> None:
    config = make_model(tmp_path) / "config.json"
    labels = {"id2label": {"²": "negative", "1": "neutral", "2": "positive"}}
    config.write_text(json.dumps(json.loads(config.read_text("utf-8")) | labels), "utf-8")
    with pytest.raises(ModelUnavailable, match="its labels are"):
        read_labels(tmp_path)


@pytest.mark.parametrize("manifest", ["{", "[]", "{}", '{"files": []}', '{"files": {"gone.json": "0"}}'])
def test_a_broken_manifest_is_refused(tmp_path: Path, manifest: str) -> None:
    (make_model(tmp_path) / MANIFEST).write_text(manifest, "utf-8")
    with pytest.raises(ModelUnavailable):
        HubModel(tmp_path)


# -- reading ----------------------------------------------------------------------------------------------------------


def test_a_text_is_read_alike_whatever_the_order_and_company(tmp_path: Path, tiny: HubModel) -> None:
    alone = {text: HubModel(tmp_path / "tiny").read(text) for text in TEXTS}
    order = list(TEXTS) * 3
    Random(5).shuffle(order)
    assert all(np.array_equal(tiny.read(text), alone[text]) for text in order)


@pytest.mark.parametrize("text", TEXTS)
def test_whatever_the_text_the_shares_add_up_to_one(tiny: HubModel, text: str) -> None:
    shares = tiny.read(text)
    assert shares.shape == (len(MOODS),)
    assert float(shares.sum()) == pytest.approx(1, abs=1e-5)


def test_the_end_of_a_long_text_counts(tiny: HubModel) -> None:
    calm = "the police " * 200
    assert tiny.read(calm + "bad " * 100)[0] > tiny.read(calm)[0] + 0.1


def test_a_short_text_is_not_filled_up_to_the_length_its_tokeniser_was_saved_with(tiny: HubModel) -> None:
    tiny.prove()
    assert tiny._loaded is not None
    assert [len(window) for window in tiny._loaded[0].cut("good day")] == [4]


# -- in the judgement -------------------------------------------------------------------------------------------------


def test_it_decides_the_mood_and_nothing_else(tiny: HubModel) -> None:
    mention = say("The police in Croydon had a good day, absolutely useless as they are", lang="en")
    by_words, by_model = Pipeline().assess_whole(mention), Pipeline(mood_model=tiny).assess_whole(mention)
    assert (by_words.mood.label, by_model.mood.label) == (Mood.NEUTRAL, Mood.POSITIVE)
    assert (by_model.sentiment, by_model.rag, by_model.topic) == (by_words.sentiment, by_words.rag, by_words.topic)
    assert f"mood_model/{tiny.digest}" in by_model.made_by


def test_until_it_has_read_a_mention_the_mention_waits_for_it(tiny: HubModel) -> None:
    opinion = Pipeline(mood_model=tiny).assess(say("The police had a good day", lang="en"))
    assert opinion.pending == ("mood_model",)
    assert not [made for made in opinion.made_by if made.startswith("mood_model")]


def test_what_is_not_english_it_does_not_read(tiny: HubModel) -> None:
    opinion = Pipeline(mood_model=tiny).assess_whole(say("La policía tuvo un good día", lang="es"))
    assert opinion.mood.label is Mood.UNCERTAIN
