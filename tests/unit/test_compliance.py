"""The job that looks again at what platforms ask for: what it asks, when, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from alerts.wording import STANDING
from analysis.pipeline import Pipeline
from config.settings import SourceSettings
from listener import burying
from listener.burying import Burying
from listener.compliance import Compliance, done_by_day, note_homes
from listener.connector import Locator, Page, Rechecked
from listener.intake import Intake
from listener.second_look import confirm_missing
from listener.spool import Spool
from listener.store_watch import StoreWatch
from mentions.clock import Clock
from mentions.failures import NeedsAttention, NotConfigured, RateLimited, TemporaryFailure
from mentions.mention import DELETED, LAPSED, Mention
from mentions.sqlstate import open_state
from mentions.stores import open_store
from tests.contracts.store_cases import DAY, HOUR, MINUTE, T0, said

AGO = T0 - timedelta(minutes=1)
WORDS = "Somebody saw the officers crouch behind the laundrette"


@dataclass
class Source:
    """A source that answers as its script says: what it makes of those it is asked for."""

    kind: str
    answer: Callable[[Sequence[Locator]], Rechecked] = lambda asked: Rechecked()
    asked: list[list[str]] = field(default_factory=list)
    most_at_once: ClassVar[int] = 2

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        self.asked.append([each.native_id for each in locators])
        return self.answer(locators)

    def poll(self, cursor: str | None) -> Page:
        return Page()

    def close(self) -> None:
        pass


@dataclass
class Bench:
    job: Compliance
    sources: dict[str, Source]
    folder: Path
    now: datetime = T0

    def save(self, *mentions: Mention) -> None:
        self.job.store.save([self.job.assess(mention) for mention in mentions])

    def words(self, number: int) -> str:
        return self.job.store.get([f"forum:{number}"])[f"forum:{number}"].mention.words

    def because(self, number: int) -> str:
        return self.job.store.get([f"forum:{number}"])[f"forum:{number}"].mention.buried_because


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(None, {}, tmp_path)  # type: ignore[arg-type]
    clock: Clock = lambda: made.now  # noqa: E731
    store, state, pipeline = (
        open_store(f"sqlite:{tmp_path}/mentions.db"),
        open_state(f"sqlite:{tmp_path}/state.db"),
        Pipeline(),
    )
    spool = Spool(tmp_path / "spool", clock, max_bytes=1_000_000, free_bytes=0)
    intake = Intake(store, spool, StoreWatch(store, clock), pipeline.assess_for_store)
    burying = Burying(store, state, intake.bury_waiting, tmp_path, (), clock)
    made.job = Compliance(
        store,
        state,
        burying,
        made.sources,
        pipeline.assess_for_store,
        clock,
        timedelta(days=90),  # type: ignore[arg-type]
    )
    yield made
    store.close()
    state.close()


def post(number: int, platform: str = "x", source: str = "Met on X", **facts: object) -> Mention:
    told = {"platform": platform, "source": source, "native_id": str(number), "at": AGO, **facts}
    return said(number, f"{WORDS} {number}", **told)  # type: ignore[arg-type]


def raising(failure: Exception) -> Callable[[Sequence[Locator]], Rechecked]:
    def answer(asked: Sequence[Locator]) -> Rechecked:
        raise failure

    return answer


def test_it_asks_in_batches_for_what_is_due_and_for_nothing_else(bench: Bench) -> None:
    bench.sources["Met on X"] = Source("x", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    bench.save(*map(post, range(5)), post(9, first_seen_at=T0 + HOUR))
    bench.job.work()
    assert bench.sources["Met on X"].asked == []
    bench.now = T0 + 20 * HOUR
    done = bench.job.work()["x"]
    assert [len(batch) for batch in bench.sources["Met on X"].asked] == [2, 2, 1]
    assert (done.checked, done.gone, done.lapsed, done.held_up) == (5, 5, 0, {})
    assert [bench.because(number) for number in (0, 4, 9)] == [DELETED, DELETED, ""]
    assert bench.job.state.unfinished_burials(9) == []
    bench.job.work()
    assert len(bench.sources["Met on X"].asked) == 3


def test_edits_and_reactions_are_kept_and_it_is_asked_for_again_later(bench: Bench) -> None:
    edited = post(1, source="another name", first_seen_at=T0 + 20 * HOUR, likes=7)
    bench.sources["Met on X"] = Source("x", lambda asked: Rechecked((replace(edited, text="other words"), post(77))))
    bench.save(post(1))
    bench.now = T0 + 20 * HOUR
    assert bench.job.work()["x"].edited == 1
    held = bench.job.store.get(["forum:1", "forum:77"])
    assert list(held) == ["forum:1"]
    mention = held["forum:1"].mention
    assert (mention.text, mention.likes, mention.sightings) == ("other words", 7, ())
    assert [each.due for each in bench.job.store.to_check(bench.now + 19 * HOUR)] == [0]
    assert [each.due for each in bench.job.store.to_check(bench.now + 20 * HOUR)] == [1]


def test_words_of_x_whose_look_cannot_be_paid_lapse_within_a_day_and_the_counts_stay(bench: Bench) -> None:
    bench.sources["Met on X"] = Source("x", raising(RateLimited("the budget of today is spent", T0 + 36 * HOUR)))
    bench.save(post(1), post(2, "mastodon", "Town"))
    before = bench.job.store.tallies_by_source(T0 - DAY, T0 + DAY)
    bench.now = T0 + 20 * HOUR
    assert bench.job.work()["x"].held_up == {"Met on X": "the budget of today is spent"}
    assert bench.words(1)
    bench.now = T0 + 24 * HOUR - 10 * MINUTE
    assert bench.job.work()["x"].lapsed == 1
    assert bench.because(1) == LAPSED
    assert bench.words(1) == ""
    assert bench.words(2)
    assert bench.job.store.tallies_by_source(T0 - DAY, T0 + DAY) == before
    assert len(bench.sources["Met on X"].asked) == 1  # not before the time that was named


def test_words_of_youtube_lapse_after_thirty_days(bench: Bench) -> None:
    bench.save(post(1, "youtube", "Channel"))
    bench.now = T0 + 29 * DAY
    assert bench.job.work()["youtube"].lapsed == 0
    bench.now = T0 + 30 * DAY
    assert bench.job.work()["youtube"].lapsed == 1


@pytest.mark.parametrize(
    ("failure", "pause"),
    [(TemporaryFailure("away"), 15 * MINUTE), (NeedsAttention("sign in"), HOUR), (ZeroDivisionError(), 15 * MINUTE)],
)
def test_a_source_that_fails_is_left_alone_for_a_while_and_harms_no_other(
    bench: Bench, failure: Exception, pause: timedelta
) -> None:
    bench.sources["Bad"] = Source("mastodon", raising(failure))
    bench.sources["Good"] = Source("mastodon", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    bench.save(post(1, "mastodon", "Bad"), post(2, "mastodon", "Good"))
    bench.now = T0 + DAY
    done = bench.job.work()["mastodon"]
    assert (list(done.held_up), done.gone) == (["Bad"], 1)
    bench.now += pause - MINUTE
    bench.job.work()
    assert len(bench.sources["Bad"].asked) == 1
    bench.now += MINUTE
    bench.job.work()
    assert len(bench.sources["Bad"].asked) == 2
    assert bench.words(1)


def test_what_could_not_be_told_is_asked_for_again_and_lapses_only_where_it_must(bench: Bench) -> None:
    bench.sources["Met on X"], bench.sources["Town"] = Source("x"), Source("mastodon")
    bench.save(post(1), post(2, "mastodon", "Town"))
    bench.now = T0 + 24 * HOUR - 30 * MINUTE
    bench.job.work()
    assert bench.words(1)
    bench.now = T0 + 24 * HOUR
    assert bench.job.work()["x"].lapsed == 1
    bench.now = T0 + 3 * DAY
    bench.job.work()
    assert (bench.words(1), bench.because(1)) == ("", LAPSED)
    assert bench.words(2)
    assert len(bench.sources["Town"].asked) == 2


def test_another_source_of_the_kind_looks_where_ids_mean_the_same_everywhere(bench: Bench) -> None:
    bench.sources["Met on X"] = Source("x", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    bench.sources["Town"] = Source("mastodon")
    bench.save(post(1, source="taken out of the settings"), post(2, "mastodon", "Another server"))
    bench.now = T0 + DAY - HOUR
    done = bench.job.work()
    assert done["x"].gone == 1
    assert bench.sources["Town"].asked == []


def test_what_a_poll_saw_gone_is_buried_at_the_next_turn_though_it_was_never_due(bench: Bench) -> None:
    bench.save(post(1, "telegram", "Elsewhere"))
    bench.job.note_gone(["forum:1", "forum:unknown"])
    assert bench.words(1)
    bench.job.work()
    assert (bench.words(1), bench.job.state.unfinished_burials(9)) == ("", [])


def test_a_burial_that_was_broken_off_is_finished(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.save(post(1))
    bench.job.note_gone(["forum:1"])
    bury = bench.job.store.bury
    monkeypatch.setattr(bench.job.store, "bury", lambda *asked: (_ for _ in ()).throw(TemporaryFailure("away")))
    with pytest.raises(TemporaryFailure):
        bench.job.work()
    assert [each.mention_id for each in bench.job.state.unfinished_burials(9)] == ["forum:1"]
    monkeypatch.setattr(bench.job.store, "bury", bury)
    bench.job.work()
    assert bench.words(1) == ""


def test_the_audit_has_the_counts_by_day_and_no_words(bench: Bench) -> None:
    bench.sources["Met on X"] = Source("x", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    for day in range(2):
        bench.save(*(post(10 * day + n, first_seen_at=bench.now) for n in range(3)))
        bench.now += 20 * HOUR
        bench.job.work()
    assert done_by_day(bench.job.state) == {
        "2026-03-03": {"x": {"checked": 3, "edited": 0, "gone": 3, "lapsed": 0}},
        "2026-03-02": {"x": {"checked": 3, "edited": 0, "gone": 3, "lapsed": 0}},
    }
    assert not any("laundrette" in str(entry) for entry in bench.job.state.audit_trail())


def test_locators_that_name_a_person_are_dropped_after_their_time_and_once_a_day(bench: Bench) -> None:
    bench.save(post(1, "mastodon", "Town", link="https://town.example/@somebody/1"), post(2, "reddit", "r"))
    bench.now = T0 + 89 * DAY
    bench.job.work()
    assert bench.job.store.get(["forum:1"])["forum:1"].mention.link
    bench.now = T0 + 91 * DAY
    bench.job.work()
    held = bench.job.store.get(["forum:1", "forum:2"])
    assert (held["forum:1"].mention.link, held["forum:1"].mention.native_id) == ("", "")
    assert held["forum:1"].mention.words
    assert held["forum:2"].mention.native_id
    assert [each.platform for each in bench.job.store.to_check(bench.now)] == ["reddit"]


def test_what_stands_though_its_words_were_not_seen_counts_as_looked_at(bench: Bench) -> None:
    bench.sources["Met on X"] = Source("x", lambda asked: Rechecked(there=tuple(each.id for each in asked)))
    bench.save(post(1))
    bench.now = T0 + 20 * HOUR
    done = bench.job.work()["x"]
    assert (done.checked, done.edited, done.gone) == (1, 0, 0)
    bench.now = T0 + 25 * HOUR
    assert bench.job.work() == {}
    assert bench.words(1)


def test_a_source_that_terms_close_to_us_is_not_asked(bench: Bench) -> None:
    def refuse(name: str) -> None:
        raise NotConfigured(f"{name}: nobody recorded the permission")

    bench.sources["Met on X"] = Source("x")
    bench.job.admit = refuse
    bench.save(post(1))
    bench.now = T0 + 24 * HOUR
    assert bench.job.work()["x"].lapsed == 1
    assert bench.sources["Met on X"].asked == []


def test_words_that_go_by_the_hour_are_looked_at_before_what_has_waited_longer(bench: Bench) -> None:
    order: list[str] = []
    for name, kind in (("Town", "mastodon"), ("Met on X", "x"), ("Corner", "forum")):
        bench.sources[name] = Source(kind, lambda asked, name=name: order.append(name) or Rechecked())  # type: ignore[misc]
    bench.save(post(1, "mastodon", "Town"), post(2), post(3, "forum", "Corner", first_seen_at=T0 - DAY))
    bench.now = T0 + 24 * HOUR - 30 * MINUTE + HOUR
    bench.job.work()
    assert order == ["Met on X", "Corner", "Town"]


def test_what_was_not_found_once_is_believed_at_a_look_a_day_later(bench: Bench) -> None:
    bench.sources["Press"] = Source("feed", lambda asked: Rechecked(missing=tuple(each.id for each in asked)))
    bench.save(post(1, "rss", "Press"))
    bench.now += 30 * DAY
    for _ in range(4):
        assert bench.job.work()["rss"].gone == 0
        bench.now += 6 * HOUR
    assert bench.job.work()["rss"].gone == 1
    assert (bench.words(1), bench.because(1)) == ("", DELETED)


def test_what_is_there_again_in_between_starts_over(bench: Bench) -> None:
    state, day = bench.job.state, DAY
    assert confirm_missing(state, ["a"], (), T0) == []
    assert confirm_missing(state, [], ("a",), T0 + HOUR) == []
    assert confirm_missing(state, ["a"], (), T0 + day) == []
    assert confirm_missing(state, ["a"], (), T0 + 2 * day) == ["a"]


def test_a_site_that_changed_its_addresses_deleted_nothing(bench: Bench) -> None:
    old = ["a", "b", "c"]
    for days in range(3):
        assert confirm_missing(bench.job.state, old, (), T0 + days * DAY) == []
    assert confirm_missing(bench.job.state, old, ("d",), T0 + 3 * DAY) == []
    assert confirm_missing(bench.job.state, old, (), T0 + 4 * DAY) == old


def test_a_source_that_was_made_another_kinds_is_not_asked_for_what_it_brought_before(bench: Bench) -> None:
    bench.sources["Met"] = Source("youtube", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    bench.save(post(1, source="Met"))
    bench.now = T0 + 20 * HOUR
    assert bench.job.work()["x"].held_up == {"Met": "no source that is set up can look at it again"}
    assert bench.words(1)
    bench.sources["Feed"] = Source("feed", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    bench.save(post(2, "rss", "Feed"))
    bench.now = T0 + DAY
    assert bench.job.work()["rss"].gone == 1


def test_a_source_that_moved_to_another_server_is_asked_only_for_what_it_brought_there(bench: Bench) -> None:
    def table(root: str) -> list[SourceSettings]:
        return [SourceSettings(name="Town", kind="mastodon", options={"api_root": root})]

    assert note_homes(table("https://one.example"), bench.job.state, T0) == {}
    assert note_homes(table("https://www.one.example"), bench.job.state, T0) == {}
    moved = note_homes(table("https://two.example"), bench.job.state, T0 + HOUR)
    assert moved == note_homes(table("https://two.example"), bench.job.state, T0 + DAY) == {"Town": T0 + HOUR}
    bench.job.homes = moved
    bench.sources["Town"] = Source("mastodon", lambda asked: Rechecked(gone=tuple(each.id for each in asked)))
    bench.save(post(1, "mastodon", "Town"), post(2, "mastodon", "Town", first_seen_at=T0 + 2 * HOUR))
    bench.now = T0 + 2 * DAY
    done = bench.job.work()["mastodon"]
    assert (done.gone, bench.sources["Town"].asked, list(done.held_up)) == (1, [["2"]], ["Town"])
    assert bench.words(1)


def test_what_cannot_be_buried_keeps_nothing_else_from_being_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.sources["Met on X"] = Source("x", lambda asked: Rechecked(there=tuple(each.id for each in asked)))
    bench.save(post(1), post(2, "telegram", "Elsewhere"))
    bench.job.note_gone(["forum:2"])
    bench.now = T0 + 20 * HOUR
    monkeypatch.setattr(burying, "clean_files", lambda *asked: (_ for _ in ()).throw(TemporaryFailure("disk full")))
    with pytest.raises(TemporaryFailure, match="disk full"):
        bench.job.work()
    assert bench.sources["Met on X"].asked == [["1"]]
    assert bench.words(2)  # until the words are gone from the files they are needed to find them by
    monkeypatch.undo()
    bench.job.work()
    assert bench.words(2) == ""


def test_a_post_that_repeats_our_guidance_takes_it_out_of_no_notice(bench: Bench) -> None:
    assert bench.job.state.redact([f"Police say: {each}" for each in STANDING], STANDING) == 0
    (bench.folder / "note.txt").write_text(STANDING[0])
    bench.save(replace(post(1), text=f"Police say: {STANDING[0]}"))
    bench.job.note_gone(["forum:1"])
    bench.job.work()
    assert (bench.folder / "note.txt").read_text() == STANDING[0]
