"""A source's past: kept as history, gone on with where it was broken off, and counted once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from analysis.pipeline import Pipeline
from listener import cli
from listener.catching_up import CatchUp, Progress
from listener.connector import Page, SourceInfo, Terms, Tools
from listener.connectors import CONNECTORS
from mentions.failures import Failure, NeedsAttention, RateLimited, TemporaryFailure
from mentions.mention import Mention
from mentions.query import parse
from mentions.sqlstate import open_state
from mentions.stores import open_store

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


class Options(BaseModel):
    pass


@dataclass
class Archive:
    """Four pages of a day each, newest first; it fails where it is told to, once."""

    kind: ClassVar[str] = "archive"
    Options: ClassVar[type[BaseModel]] = Options
    terms: ClassVar[Terms] = Terms()
    fails: ClassVar[dict[int, Failure]] = {}
    asked: ClassVar[list[str | None]] = []
    source: SourceInfo | None = None
    options: Any = None
    tools: Tools | None = None
    closed: bool = field(default=False)

    def poll(self, cursor: str | None) -> Page:
        return Page()

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        self.asked.append(cursor)
        number = int(cursor or 0)
        if failure := self.fails.pop(number, None):
            raise failure
        at = until - number * DAY - timedelta(hours=1)
        posts = tuple(
            Mention(
                f"archive:{number}-{n}",
                "archive",
                "old",
                at - timedelta(hours=n),
                UNTIL + 9 * DAY,
                f"Police {number} {n}",
            )
            for n in range(3)
        )
        gap = "it reaches back four days" if number == 3 else ""
        return Page(posts, str(number + 1), more=number < 3, left_out=1, gap=gap)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONNECTORS, "archive", Archive)
    monkeypatch.setattr(Archive, "fails", {})
    monkeypatch.setattr(Archive, "asked", [])


@pytest.fixture
def catch_up(tmp_path: Path) -> Iterator[CatchUp]:
    store, state = open_store(f"sqlite:{tmp_path}/mentions.db"), open_state(f"sqlite:{tmp_path}/state.db")
    yield CatchUp("old", "archive", SINCE, UNTIL, state, store, Pipeline())
    store.close()
    state.close()


def test_every_page_is_kept_as_history(catch_up: CatchUp) -> None:
    told: list[Progress] = []
    done = catch_up.run(Archive(), told.append)
    assert (done.pages, done.seen, done.new, done.left_out, done.gap) == (4, 12, 12, 4, "it reaches back four days")
    kept = [each.mention for each in catch_up.store.search(parse(""))]
    assert len(kept) == 12
    assert all(each.history for each in kept)
    shares = [each.share(SINCE, UNTIL) for each in told]
    assert shares == sorted(shares)
    assert shares[-1] > 0.7
    assert [(gap.at, gap.why) for gap in catch_up.state.gaps(SINCE)] == [(SINCE, "backfill: it reaches back four days")]


def test_what_was_broken_off_goes_on_where_it_was(catch_up: CatchUp) -> None:
    Archive.fails[2] = TemporaryFailure("cut off")
    with pytest.raises(TemporaryFailure):
        catch_up.run(Archive(), lambda done: None)
    assert catch_up.left_off()[0] == "2"
    done = catch_up.run(Archive(), lambda done: None)
    assert (Archive.asked, done.pages, done.new) == ([None, "1", "2", "2", "3"], 4, 12)
    assert catch_up.left_off() == (None, Progress())


def test_another_span_starts_at_its_own_beginning(catch_up: CatchUp) -> None:
    Archive.fails[2] = TemporaryFailure("cut off")
    with pytest.raises(TemporaryFailure):
        catch_up.run(Archive(), lambda done: None)
    catch_up.since = SINCE - DAY
    assert catch_up.left_off() == (None, Progress())


def test_what_lies_outside_the_span_is_not_kept(catch_up: CatchUp) -> None:
    catch_up.since = UNTIL - DAY
    assert catch_up.run(Archive(), lambda done: None).seen == 3


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    config = '[[sources]]\nname = "old"\nkind = "archive"\n[[sources]]\nname = "f"\nkind = "feed"\nurl = "http://a.example"\n'
    (tmp_path / "earshot.toml").write_text(config, "utf-8")
    return tmp_path


SPAN = ("--from", "2026-01-01", "--to", "2026-01-05")


def test_the_command_prints_the_counts_and_doing_it_again_adds_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for new in (12, 0):
        assert cli.main(["sources", "backfill", "old", *SPAN, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["seen"], told["new"], told["pages"]) == (12, new, 4)


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (TemporaryFailure("cut off"), "cut off; 2 pages are kept; run the same command again: it goes on there"),
        (RateLimited("slow down", UNTIL + DAY), "run the same command again after 2026-01-06 00:00 UTC"),
        (NeedsAttention("sign in"), "sign in; 2 pages are kept"),
    ],
)
def test_what_breaks_it_off_is_said_with_the_way_on(
    folder: Path, capsys: pytest.CaptureFixture[str], failure: Failure, told: str
) -> None:
    Archive.fails[2] = failure
    assert cli.main(["sources", "backfill", "old", *SPAN]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]
    assert cli.main(["sources", "backfill", "old", *SPAN]) == 0
    said = capsys.readouterr()
    assert "seen 12 new 12 updated 0 left_out 4 pages 4" in said.out
    assert "going on after 2 pages" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody", *SPAN), 'is called "nobody"'),
        (("f", *SPAN), "shows no past; kinds that do: archive"),
        (("old", "--from", "2026-01-05", "--to", "2026-01-01"), "--from must lie before --to"),
        (("old", "--from", "2099-01-01", "--to", "2099-02-01"), "--from must lie before --to"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert cli.main(["sources", "backfill", *words]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
