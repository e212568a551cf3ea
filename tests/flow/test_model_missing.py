"""Without the model that ships: words alone judge, and whoever looks is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from analysis.reading import Model
from config.load import load
from dashboard.holding import release_books
from listener import judging
from listener.cli import main
from listener.held_models import look_at_shipped
from listener.house import open_house
from mentions.mention import Assessed, Assessment
from mentions.model_note import MODEL_NOTE
from mentions.stores import open_store
from tests import seeding
from tests.flow.test_views import interpreted, visit
from tests.judging import say
from tests.seeding import Seeded
from tests.tiny_models import make_model

WARNING = "word lists judge mood, attitude and topic"


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation whose files of weights are gone."""
    monkeypatch.setattr(judging, "shipped", lambda: Model(tmp_path / "no weights"))
    judging.open_models.cache_clear()
    yield
    judging.open_models.cache_clear()


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    made = seeding.open_seeded(tmp_path / "data")
    yield made
    release_books()
    made.close()


@pytest.mark.usefixtures("missing")
def test_words_judge_and_the_log_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = load(None, {}, tmp_path)
    with caplog.at_level(logging.WARNING):
        judging.open_models(settings.analysis)
        opinion = judging.open_pipeline(settings, ()).assess_whole(say("The police were useless", lang="en"))
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert told[0].startswith("model unavailable reason=")
    assert told[0].endswith("so mood, attitude and topic by word list")
    assert not opinion.pending
    assert "mood/2" in opinion.made_by


@pytest.mark.usefixtures("missing")
def test_a_model_of_the_settings_still_reads_the_mood(tmp_path: Path) -> None:
    make_model(tmp_path / "ours")
    (tmp_path / "earshot.toml").write_text('[analysis]\nmood_model = "./ours"\n', "utf-8")
    models = judging.open_models(load(tmp_path / "earshot.toml", {}).analysis)
    assert (models.shipped, models.by_words) == (None, "attitude and topic")
    assert models.mood is not None


@pytest.mark.usefixtures("missing")
def test_a_daemon_writes_it_down_for_the_pages(tmp_path: Path) -> None:
    house = open_house(load(None, {}, tmp_path))
    try:
        assert house.state.get(MODEL_NOTE) == "mood, attitude and topic"
    finally:
        house.close()


def test_the_now_page_says_so_for_as_long_as_it_is_so(seeded: Seeded) -> None:
    assert WARNING not in interpreted(visit())
    seeded.state.put(MODEL_NOTE, "mood, attitude and topic")
    assert WARNING in interpreted(visit())
    seeded.state.put(MODEL_NOTE, "")
    assert WARNING not in interpreted(visit())


# -- with it ----------------------------------------------------------------------------------------------------------


def test_the_shipped_model_reads_all_there_is_to_read() -> None:
    held = look_at_shipped(None, prove=True)
    assert held.problem == ""
    assert held.reads == ("mood", "attitude", "relevance", "topic")
    assert held.metrics


def test_everything_that_is_in_use_signs_with_its_digest(tmp_path: Path) -> None:
    make_model(tmp_path / "ours")
    (tmp_path / "earshot.toml").write_text('[analysis]\nmood_model = "./ours"\n', "utf-8")
    settings = load(tmp_path / "earshot.toml", {})
    models = judging.open_models(settings.analysis)
    assert models.shipped is not None
    assert models.mood is not None
    opinion = judging.open_pipeline(settings, ()).assess_whole(say("The police had a good day", lang="en"))
    assert {f"model/{models.shipped.digest}", f"mood_model/{models.mood.digest}"} <= set(opinion.made_by)


def test_each_set_of_settings_opens_its_models_once(tmp_path: Path) -> None:
    settings = load(None, {}, tmp_path)
    assert judging.open_models(settings.analysis) is judging.open_models(load(None, {}, tmp_path).analysis)


@pytest.mark.usefixtures("missing")
def test_a_rescore_by_words_of_what_the_model_judged_is_done_only_where_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    opinion = Assessment(relevant=True, made_by=("model/abc",))
    with closing(open_store(f"sqlite:{tmp_path}/earshot-data/mentions.db")) as store:
        store.save([Assessed(say("The police were useless"), opinion)])
    assert main(["rescore", "--since", "2020-01-01"]) == 2
    assert "--by-words" in capsys.readouterr().err
    with closing(open_store(f"sqlite:{tmp_path}/earshot-data/mentions.db")) as store:
        assert store.get(["x:1"])["x:1"].assessment == opinion
    assert main(["rescore", "--since", "2020-01-01", "--by-words"]) == 0
