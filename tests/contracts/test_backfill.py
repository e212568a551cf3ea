"""A new or changed watchlist is applied to what every store holds already, as if it had been there from the start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.pipeline import Pipeline
from listener import backfill
from listener.backfill import LOOK_AGAIN_AFTER, Backfill, forget_backfills
from mentions.query import Everything, parse
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.store import MentionStore
from mentions.watchlists import Watchlist
from tests.contracts.store_cases import ALWAYS, MINUTE, STORES, T0, judged, opened, said


@dataclass
class Bench:
    """One store and one state, with a clock of their own."""

    store: MentionStore
    state: State
    now: datetime = T0

    def anew(self) -> Backfill:
        """A backfill that remembers what the state does, as after a restart."""
        return Backfill(self.store, self.state, "test:store", lambda: self.now)

    def run(self, *watchlists: Watchlist, work: Backfill | None = None) -> bool:
        """Both looks, the second after its pause; whether all is done then."""
        work, pipeline = work or self.anew(), Pipeline(watchlists)
        while not work.work(pipeline, seconds=60):
            if self.now > T0 + timedelta(days=1):
                return False
            self.now += LOOK_AGAIN_AFTER
        return True

    def marks(self) -> dict[str, tuple[str, ...]]:
        """The watchlists of each mention that has any."""
        found = self.store.search(Everything(), limit=1000)
        return {each.mention.id: each.assessment.watchlists for each in found if each.assessment.watchlists}


@pytest.fixture(params=sorted(STORES))
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with opened(request, request.param, tmp_path) as store:
        state = open_state(f"sqlite:{tmp_path}/state.db")
        yield Bench(store, state)
        state.close()


def watch(query: str, name: str = "Bus fares") -> Watchlist:
    return Watchlist(name, parse(query), "a test", "desk")


def fill(store: MentionStore, count: int = 6) -> None:
    texts = ("bus fares went up", "a quiet street")
    store.save([judged(said(n, texts[n % 2], at=T0 + n * MINUTE)) for n in range(count)])


def test_what_is_held_gets_the_mark_and_its_series(bench: Bench) -> None:
    fill(bench.store)
    assert bench.run(watch("bus AND fare*"))
    assert bench.marks() == {f"forum:{n}": ("Bus fares",) for n in (0, 2, 4)}
    assert [count for _, live, past in bench.store.series("watch:Bus fares", *ALWAYS) for count in (live + past,)] == [
        1
    ] * 3
    assert bench.store.check() == []


def test_a_changed_query_takes_marks_away_and_gives_others(bench: Bench) -> None:
    fill(bench.store)
    assert bench.run(watch("bus"))
    assert bench.run(watch("quiet"))
    assert bench.marks() == {f"forum:{n}": ("Bus fares",) for n in (1, 3, 5)}


def test_other_watchlists_keep_their_marks_and_so_do_those_that_no_longer_run(bench: Bench) -> None:
    bench.store.save(
        [judged(said(1, "bus fares"), watchlists=("Gone",)), judged(said(2, "a bus"), watchlists=("Bus",))]
    )
    assert bench.run(watch("bus", "Bus"), watch("fares", "Fares"))
    assert bench.marks() == {"forum:1": ("Bus", "Fares", "Gone"), "forum:2": ("Bus",)}


def test_another_spelling_of_the_name_takes_the_place_of_the_old_one(bench: Bench) -> None:
    bench.store.save(
        [judged(said(1, "a bus"), watchlists=("bus fares",)), judged(said(2, "x"), watchlists=("BUS FARES",))]
    )
    assert bench.run(watch("bus"))
    assert bench.marks() == {"forum:1": ("Bus fares",)}


def test_what_was_saved_by_a_poll_that_began_before_is_found_by_the_second_look(bench: Bench) -> None:
    work, pipeline = bench.anew(), Pipeline([watch("bus")])
    assert not work.work(pipeline, 60)
    bench.store.save([judged(said("late", "a bus"))])
    assert not work.work(pipeline, 60)
    assert bench.marks() == {}, "not before its time"
    assert bench.run(watch("bus"), work=work)
    assert bench.marks() == {"forum:late": ("Bus fares",)}


def test_what_is_done_is_not_done_again_after_a_restart(bench: Bench) -> None:
    fill(bench.store)
    assert bench.run(watch("bus"))
    bench.store.save([judged(said("since", "a bus"))])
    assert bench.anew().work(Pipeline([watch("bus")]), 60)
    assert "forum:since" not in bench.marks(), "the stream's business, not the backfill's"


def test_work_that_is_broken_off_is_finished_by_the_next(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PAGE", 2)
    fill(bench.store, 20)
    assert not bench.anew().work(Pipeline([watch("bus")]), seconds=0)
    assert len(bench.marks()) == 2, "one page, newest first"
    assert bench.run(watch("bus"))
    assert len(bench.marks()) == 10


def test_judgements_made_meanwhile_stay(bench: Bench) -> None:
    bench.store.save([judged(said(1, "a bus"), relevant=True, boroughs=("Camden",))])
    assert bench.run(watch("bus"))
    (held,) = bench.store.search(Everything())
    assert (held.assessment.relevant, held.assessment.boroughs) == (True, ("Camden",))


def test_a_watchlist_that_comes_back_is_applied_to_what_came_in_meanwhile(bench: Bench) -> None:
    fill(bench.store, 2)
    assert bench.run(watch("bus"))
    assert bench.run()
    bench.store.save([judged(said("meanwhile", "a bus"))])
    bench.now = T0
    assert bench.run(watch("bus"))
    assert set(bench.marks()) == {"forum:0", "forum:meanwhile"}


def test_what_is_forgotten_is_done_again_by_a_daemon_that_runs(bench: Bench) -> None:
    work = bench.anew()
    assert bench.run(watch("bus"), work=work)
    bench.store.save([judged(said("restored", "a bus"))])
    forget_backfills(bench.state, "test:store")
    bench.now = T0
    assert bench.run(watch("bus"), work=work)
    assert set(bench.marks()) == {"forum:restored"}
