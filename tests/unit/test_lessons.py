"""Places that corrections taught: the judgement of commands and of a running daemon knows them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from config.load import load
from config.settings import Settings
from listener.house import open_house
from listener.judging import open_pipeline
from mentions.records import TaughtPlace
from mentions.sqlstate import open_state
from tests.judging import NOON, say

POST = say("Police outside The Swan again")
SWAN = TaughtPlace("The Swan", ("Ealing",), "forum:1", "Sam Roe", NOON)


def settings_of(folder: Path, text: str = "") -> Settings:
    (folder / "earshot.toml").write_text(text)
    return load(folder / "earshot.toml", {}, folder / "data")


def test_a_running_daemon_learns_a_place_and_forgets_it_when_that_is_undone(tmp_path: Path) -> None:
    with closing(open_house(settings_of(tmp_path))) as house:
        for act, boroughs in (
            (lambda: house.state.teach_place(SWAN), ("Ealing",)),
            (lambda: house.state.unteach_places("forum:1"), ()),
        ):
            act()
            house.check_rules()
            assert house.pipeline.assess(POST).boroughs == house.poller.pipeline.assess(POST).boroughs == boroughs


def test_commands_read_the_lessons_from_the_state_and_the_settings_win(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert open_pipeline(settings).assess(POST).boroughs == ()
    settings.data.mkdir()
    with closing(open_state(settings.state)) as state:
        state.teach_place(SWAN)
    assert open_pipeline(settings).assess(POST).boroughs == ("Ealing",)
    told = settings_of(tmp_path, '[places]\n"The Swan" = ["Camden"]\n')
    assert open_pipeline(told).assess(POST).boroughs == ("Camden",)
