"""Stories from the store to the board, the command and the page. Every post here is made up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.emerging import Rise
from analysis.persons import PersonGate
from config.settings import Settings
from dashboard.holding import release_books
from dashboard.wording import tell_time
from listener.boards import MAKERS, SHOWN, Boards, Maker, emerging_at, newest_relevant
from mentions.boards import read_body, write_board
from mentions.failures import TemporaryFailure
from mentions.mention import Mood, Rag, Reach, Verdict, Voice
from tests import seeding
from tests.conftest import ROOT
from tests.earshot import earshot
from tests.flow.test_views import interpreted, table, texts, visit
from tests.seeding import HOSTILE, Seeded

SACKED = "Met sergeant Dale Forrester sacked over Wapping payroll fraud"
ANGRY = "Wapping residents demand that sergeant Forrester faces a criminal trial, not a quiet goodbye"


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    """Empty databases; the pages read them."""
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    made = seeding.open_seeded(tmp_path / "data")
    yield made
    release_books()
    made.close()


def tell(seeded: Seeded, number: int, text: str, minutes: float, rag: Rag = Rag.RED, **facts: object) -> None:
    """One post of the public, so many minutes ago."""
    at = seeded.now - timedelta(minutes=minutes)
    public: dict[str, object] = {
        "voice": Voice.PUBLIC,
        "publisher": "",
        "reach": Reach.LOCAL,
        "author_key": f"a{number}",
    }
    row = seeding.make_row(number, at, rag, text=text, **(public | facts))
    negative = replace(row.assessment, sentiment=Verdict(Mood.NEGATIVE, -0.7))
    seeded.store.save([replace(row, assessment=negative)])


def boards(seeded: Seeded) -> Boards:
    return Boards(seeded.store, seeded.state, lambda: seeded.now, Settings())


def test_without_boards_the_page_says_who_makes_them(seeded: Seeded) -> None:
    said = texts(visit("stories"))
    assert "No stories yet: the daemon works them out" in said
    assert "Not worked out yet" in said


def test_quiet_boards_are_told_from_missing_ones(seeded: Seeded) -> None:
    boards(seeded).work()
    said = texts(visit("stories"))
    assert "No story of the last three days" in said
    assert "Nothing rises" in said


def test_a_story_shows_its_words_every_term_of_its_score_and_its_campaign(seeded: Seeded) -> None:
    tell(seeded, 1, SACKED, 200, voice=Voice.PRESS, publisher="citynews.example", reach=Reach.WIDE, author_key="")
    tell(seeded, 2, f"RT @citynews: {SACKED}", 150)
    for number in range(10, 18):
        tell(seeded, number, f"{ANGRY} {'!' * number}", number, Rag.AMBER)
    boards(seeded).work()
    said = texts(visit("stories"))
    assert SACKED in said
    assert "x colour ■ Red 1.00 x reach wide 1.00 x speed" in said
    assert "x attitude 100% negative 1.00" in said
    assert "⚑ Campaign: 8 posts with one text." in said
    assert "2 posts, 1 voice in words of their own" in said
    behind = table(visit("stories"), 0) + table(visit("stories"), 1)
    assert "newest" in behind
    assert f'campaign,{tell_time(seeded.now - timedelta(minutes=17), seeded.now)},"{ANGRY}' in behind
    assert "https://forum.example/t/17" in behind


def test_a_brigade_is_marked_and_new_is_said_to_mean_new_since_when(seeded: Seeded) -> None:
    for number in range(10, 16):
        tell(seeded, number, ANGRY, number, thread="forum:7")
    boards(seeded).work()
    at = visit("stories")
    assert "⚑ Brigade: 6 hostile posts at once in one thread, by accounts new to it." in texts(at)
    assert any("which begin at the time above" in caption.value for caption in at.caption)


def test_a_link_that_is_not_safe_is_not_offered(seeded: Seeded) -> None:
    tell(seeded, 1, SACKED, 20, link="javascript:alert(1)")
    tell(seeded, 2, SACKED, 10, link="https://user:pass@forum.example/t/2")
    boards(seeded).work()
    behind = table(visit("stories"))
    assert SACKED in behind
    assert "javascript" not in behind
    assert "user:pass" not in behind


def test_the_stories_board_has_what_the_page_reads_and_no_more(seeded: Seeded) -> None:
    for number in range(1, 9):
        tell(seeded, number, SACKED, number)
    boards(seeded).work()
    board = seeded.state.board("stories")
    assert board is not None
    kept = read_body(board.body)
    assert kept is not None
    (row,) = kept.told["stories"]
    assert row.keys() == {*SHOWN, "newest", "campaign", "brigade"}
    assert row["newest"] == [f"test:{number}" for number in range(1, 6)]


def test_emerging_terms_stand_above_the_posts_behind_them(seeded: Seeded) -> None:
    seeding.seed_days(seeded)
    for number in range(1, 8):
        tell(seeded, number, f"Drone patrol over the market, is it legal? neighbour {number} asks", number * 20)
    boards(seeded).work()
    at = visit("stories")
    assert "drone patrol" in table(at, -2)
    assert "neighbour 1 asks" in table(at, -1)


def test_a_term_none_of_whose_posts_is_held_is_not_shown(seeded: Seeded) -> None:
    seeding.seed_days(seeded)
    for number in range(1, 8):
        tell(seeded, number, f"Drone patrol over the market, is it legal? neighbour {number} asks", number * 20)
    boards(seeded).work()
    seeded.store.forget([f"test:{number}" for number in range(1, 7)])
    assert "drone patrol" in table(visit("stories"), -2)
    seeded.store.forget(["test:7"])
    at = visit("stories")
    assert "Nothing rises" in texts(at)
    assert not any("drone patrol" in table(at, place) for place in range(len(at.dataframe)))


def test_hostile_words_are_shown_as_words_and_names_are_hidden(seeded: Seeded) -> None:
    for number in range(1, 9):
        tell(seeded, number, HOSTILE, number)
    boards(seeded).work()
    at = visit("stories")
    assert "<script>" in texts(at)
    assert "<script>" not in interpreted(at)
    assert "someone_private" not in texts(at)


def test_a_board_keeps_no_text_and_what_is_erased_is_gone_from_the_page(seeded: Seeded) -> None:
    tell(seeded, 1, SACKED, 20)
    tell(seeded, 2, SACKED, 10)
    boards(seeded).work()
    board = seeded.state.board("stories")
    assert board is not None
    assert "Forrester" not in board.body
    seeded.store.forget(["test:1"])
    assert "no longer held" in texts(visit("stories"))


OTHERS = [{"shape": 0, "wall": "2026-10-01T00:00:00+00:00", "every_s": 1, "told": {"stories": [{}], "rises": [{}]}}]
OTHERS += [{"stories": [{"origin": "test:1"}], "debates": [{"boroughs": ["Camden"], "ids": ["test:1"]}]}]


@pytest.mark.parametrize("body", ["{nonsense", "[]", "{}", *map(json.dumps, OTHERS)])
def test_a_board_of_another_version_breaks_no_page(seeded: Seeded, body: str) -> None:
    for name in MAKERS:
        seeded.state.keep_board(name, seeded.now, body)
    assert "No stories yet" in texts(visit("stories"))
    assert "has not looked for debates yet" in texts(visit("debates"))


def test_a_board_that_is_no_longer_renewed_says_so(seeded: Seeded) -> None:
    def shown(**ago: int) -> str:
        made = seeded.now - timedelta(**ago)
        seeded.state.keep_board("stories", seeded.now, write_board({"stories": []}, made, timedelta(minutes=2)))
        return texts(visit("stories"))

    assert "see whether the daemon runs" not in shown(minutes=5)
    assert "see whether the daemon runs" in shown(minutes=7)
    seeded.state.put("exercise", "1")  # whose clock runs fast, and leaves the wall's as it is
    seeded.state.put("exercise_now", (seeded.now + timedelta(days=1)).isoformat())
    assert "see whether the daemon runs" not in shown(minutes=1)
    assert "see whether the daemon runs" in shown(minutes=7)
    seeded.state.put("exercise", "ended")
    assert "see whether the daemon runs" not in shown(minutes=7)


class Broken:
    """A maker with a fault in it."""

    def make(self, store: object, now: object) -> dict[str, object]:
        raise ZeroDivisionError


class Away:
    """A maker whose store does not answer."""

    def make(self, store: object, now: object) -> dict[str, object]:
        raise TemporaryFailure("away")


def with_maker(seeded: Seeded, name: str, maker: Maker) -> Boards:
    made = boards(seeded)
    made._makers[name] = maker
    return made


def test_a_board_that_breaks_costs_no_other(seeded: Seeded) -> None:
    with_maker(seeded, "stories", Broken()).work()
    assert seeded.state.board("stories") is None
    assert seeded.state.board("emerging") is not None


def test_boards_are_made_anew_only_when_due_and_at_once_after_the_store_was_away(seeded: Seeded) -> None:
    made = boards(seeded)
    made.work()
    seeded.state.keep_board("stories", seeded.now, "as it was")
    made.work()
    board = seeded.state.board("stories")
    assert board is not None
    assert board.body == "as it was"
    away = with_maker(seeded, "stories", Away())
    with pytest.raises(TemporaryFailure):
        away.work()
    away._makers["stories"] = MAKERS["stories"].make(Settings())
    away.work()
    board = seeded.state.board("stories")
    assert board is not None
    assert board.body != "as it was"


def test_only_so_many_of_the_newest_relevant_mentions_are_looked_at(seeded: Seeded) -> None:
    rows = [seeding.make_row(n, seeded.now - timedelta(minutes=n), Rag.RED) for n in range(1, 1_200)]
    seeded.store.save([seeding.irrelevant(row) if n % 2 else row for n, row in enumerate(rows)])
    found = newest_relevant(seeded.store, None, None, 550)
    assert len(found.held) == 550
    assert found.held[0].mention.id == "test:1"
    assert all(each.assessment.relevant for each in found.held)
    assert (found.since, found.whole) == (found.held[-1].mention.published_at, False)


def test_it_is_said_how_far_back_was_read(seeded: Seeded) -> None:
    rows = [seeding.make_row(n, seeded.now - timedelta(minutes=n), Rag.RED) for n in range(1, 1_200)]
    seeded.store.save([seeding.irrelevant(row) for row in rows[:1_190]] + rows[1_190:])
    since = seeded.now - timedelta(days=3)
    found = newest_relevant(seeded.store, since, None, most_looked_at=1_000)
    assert (found.held, found.since, found.whole) == ([], rows[999].mention.published_at, False)
    all_of_it = newest_relevant(seeded.store, since, None)
    assert (len(all_of_it.held), all_of_it.since, all_of_it.whole) == (9, since, True)


def test_what_is_said_every_morning_does_not_rise_in_the_morning(seeded: Seeded) -> None:
    at, rows = seeded.now.replace(hour=6, minute=0, second=0, microsecond=0), []
    for number in range(15 * 24 * 30):
        hours = 0.03 + number / 30
        morning = 20 <= hours % 24 < 22
        text = f"{'school gates' if morning and number % 4 == 0 else 'corner shop'} officers again"
        facts = {"author_key": f"a{number % 900}", "voice": Voice.PUBLIC, "publisher": ""}
        rows.append(seeding.make_row(number, at - timedelta(hours=hours), Rag.NONE, text=text, **facts))
    seeded.store.save(rows)
    assert emerging_at(seeded.store, at, PersonGate()) == []


def test_the_commands_tell_what_the_boards_do(seeded: Seeded, tmp_path: Path) -> None:
    tell(seeded, 1, SACKED, 200)
    tell(seeded, 2, f"RT @citynews: {SACKED}", 150)
    done = earshot("stories", "--json", "--data", "data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (story,) = json.loads(done.stdout)
    assert (story["origin"], story["count"], story["members"]) == ("test:1", 2, ["test:1", "test:2"])
    assert story["score"]["value"] > 0
    documented = (ROOT / "docs/commands.md").read_text("utf-8")
    assert all(name in documented for name in story.keys() | story["score"].keys() | story["feeling"].keys())
    assert all(each.name in documented for each in fields(Rise))
    assert SACKED[:60] in earshot("stories", "--data", "data", cwd=tmp_path).stdout
    assert json.loads(earshot("emerging", "--json", "--data", "data", cwd=tmp_path).stdout) == []
    wrong = earshot("stories", "--from", "2026-02-01", "--to", "2026-01-01", "--data", "data", cwd=tmp_path)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
