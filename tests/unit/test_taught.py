"""What the larger model said: found again by the text it is of, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.pipeline import Pipeline
from analysis.reading import SHIPPED, Window, aim, cut, open_tokeniser
from analysis.train.police import LABELS, read_json_lines, to_mention
from analysis.train.taught import Opinion, keep, load

NEAR = Opinion(
    np.array([0.25, 0.5, 0.25], dtype=np.float32),
    np.array([0.5, 0.25, 0.25], dtype=np.float32),
    np.array([0.75], dtype=np.float32),
    np.array([0.125, 0.875], dtype=np.float32),
)
FAR = Opinion(NEAR.attitude, NEAR.mood)


def window(text: str, *targets: tuple[int, int]) -> Window:
    return cut(open_tokeniser(SHIPPED / "tokenizer.json"), text, targets)[0]


def test_an_opinion_is_found_by_its_text_and_target_alone(tmp_path: Path) -> None:
    told, untargeted = window("the police came", (4, 10)), window("the police came")
    keep(tmp_path / "taught.npz", [told, window("a bus came")], [NEAR, FAR])
    taught = load(tmp_path / "taught.npz")
    assert len(taught) == 2
    found = taught.of(told)
    assert found is not None
    assert found.topics is not None
    assert found.relevant is not None
    for kept, said in zip((found.mood, found.attitude, found.relevant, found.topics), _of(NEAR), strict=True):
        assert kept.tolist() == said
    other = taught.of(window("a bus came"))
    assert other is not None
    assert (other.relevant, other.topics) == (None, None)
    assert taught.of(untargeted) is None


def _of(opinion: Opinion) -> list[list[float]]:
    assert opinion.relevant is not None
    assert opinion.topics is not None
    return [each.tolist() for each in (opinion.mood, opinion.attitude, opinion.relevant, opinion.topics)]


def test_of_two_opinions_of_one_text_the_first_stands(tmp_path: Path) -> None:
    same = window("the police came")
    keep(tmp_path / "taught.npz", [same, same], [NEAR, FAR])
    found = load(tmp_path / "taught.npz").of(same)
    assert found is not None
    assert found.topics is not None


def test_the_opinions_kept_are_of_the_labelled_posts_and_their_shares_sum_to_one() -> None:
    """Other words for the police would be other targets: then it is time to teach again."""
    taught, tokens, pipeline = load(), open_tokeniser(SHIPPED / "tokenizer.json"), Pipeline()
    mentions = [to_mention(row) for row in read_json_lines(LABELS / "written.jsonl")[:300]]
    windows = [aim(cut(tokens, each.words, pipeline.targets(each)))[0] for each in mentions]
    found = [opinion for opinion in map(taught.of, windows) if opinion is not None]
    assert len(found) >= 0.95 * len(windows)
    for each in found:
        assert each.topics is not None
        for shares in (each.mood, each.attitude, each.topics):
            assert float(shares.sum()) == pytest.approx(1.0, abs=0.01)


def test_opinions_that_are_not_there_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"none\.npz"):
        load(tmp_path / "none.npz")
