"""What every mention store promises about the corrections of people: nothing ever loses one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from config.strategy import borough_names, topic_names
from listener.copying import copy_all
from mentions.correcting import Signature, correct, undo
from mentions.corrections import Choices, corrected
from mentions.failures import UserError
from mentions.mention import Assessed, Assessment, Correction, Mood, Rag, Verdict
from mentions.query import parse
from mentions.records import TaughtPlace
from mentions.sqlstate import open_state
from mentions.state import State
from mentions.store import MentionStore
from mentions.stores import open_store
from tests.contracts.store_cases import ALWAYS, HOUR, STORES, T0, ids, judged, opened, said, tallied

CHOICES = Choices(topic_names(), borough_names())
RED = Assessment(relevant=True, rag=Rag.RED, topic="political", boroughs=("Camden",), made_by=("rating/1",))


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MentionStore]:
    with opened(request, request.param, tmp_path) as held:
        yield held


@pytest.fixture
def books(tmp_path: Path) -> Iterator[State]:
    opened_state = open_state(f"sqlite:{tmp_path}/state.db")
    yield opened_state
    opened_state.close()


def signed(minute: int = 0, by: str = "Sam Roe") -> Signature:
    return Signature(by, "read it", T0 + timedelta(minutes=minute))


def held(store: MentionStore, number: int = 1) -> Assessment:
    return store.get([f"forum:{number}"])[f"forum:{number}"].assessment


def green(store: MentionStore, books: State) -> Correction:
    store.save([Assessed(said(1, "old words"), RED)])
    now = correct(store, books, "forum:1", {"rag": "green", "borough": "Brent"}, CHOICES, signed())
    assert (now.assessment.rag, now.assessment.boroughs) == (Rag.GREEN, ("Brent",))
    return next(each for each in now.assessment.corrections if each.field == "rag")


def test_a_correction_comes_back_as_it_was_made(store: MentionStore, books: State) -> None:
    assert green(store, books) == Correction("rag", "green", "red", "Sam Roe", T0, "read it")
    assert [each.field for each in held(store).corrections] == ["boroughs", "rag"]


def test_no_run_loses_a_correction_and_totals_count_what_the_person_said(store: MentionStore, books: State) -> None:
    green(store, books)
    store.judge([Assessed(said(1, "old words"), replace(RED, rag=Rag.AMBER, made_by=("rating/2",)))])
    opinion = held(store)
    assert (opinion.rag, opinion.boroughs, opinion.made_by) == (Rag.GREEN, ("Brent",), ("rating/2",))
    assert {each.field: each.was for each in opinion.corrections} == {"rag": "amber", "boroughs": "Camden"}
    assert store.tallies_by_borough(*ALWAYS) == tallied(store.everything(), "borough")
    assert store.series("red", *ALWAYS) == []
    assert ids(store.search(parse("rag:green borough:brent corrected:yes"))) == ["1"]
    assert store.count(parse("rag:amber")) == 0
    assert store.check() == []


@pytest.mark.parametrize("newer", [{"text": "new words"}, {"title": "New"}, {"likes": 9}])
def test_no_edit_loses_a_correction(store: MentionStore, books: State, newer: dict[str, object]) -> None:
    green(store, books)
    edited = replace(said(1, "old words", first_seen_at=T0 + HOUR), **newer)  # type: ignore[arg-type]
    assert store.save([Assessed(edited, replace(RED, topic="budget"))]).updated == ("forum:1",)
    assert (held(store).rag, held(store).boroughs) == (Rag.GREEN, ("Brent",))
    assert store.check() == []


def test_saving_again_or_judging_the_same_changes_nothing(store: MentionStore, books: State) -> None:
    green(store, books)
    before = store.get(["forum:1"])
    assert store.save([Assessed(said(1, "old words"), RED)]).unchanged == 1
    store.judge([*before.values()])
    assert store.get(["forum:1"]) == before


def test_a_correction_in_another_copy_is_taken_over_though_nothing_else_is_new(store: MentionStore) -> None:
    store.save([Assessed(said(1), RED)])
    told = corrected(RED, [Correction("rag", "green", "", "Sam Roe", T0, "read it")])
    assert store.save([Assessed(said(1), told)]).updated == ("forum:1",)
    assert held(store) == told
    assert store.check() == []


def test_a_correction_in_an_older_copy_is_taken_over_and_nothing_else_of_it(store: MentionStore) -> None:
    newer = said(1, "new words", first_seen_at=T0 + HOUR)
    store.save([Assessed(newer, RED)])
    told = corrected(replace(RED, topic="budget"), [Correction("rag", "green", "", "Sam Roe", T0, "read it")])
    older = Assessed(said(1, "old words"), told)
    assert store.save([older]).updated == ("forum:1",)
    assert store.save([older]).unchanged == 1
    assert (held(store).rag, held(store).topic) == (Rag.GREEN, "political")
    assert store.get(["forum:1"])["forum:1"].mention.text == "new words"
    between = said(1, "words between", first_seen_at=T0 + HOUR / 2)
    assert store.save([Assessed(between, RED)]).unchanged == 1  # the copy held is as new as it was
    assert store.check() == []


def test_whoever_corrects_now_wins_over_what_another_clock_dated_later(store: MentionStore, books: State) -> None:
    ahead = T0 + timedelta(days=9)
    store.save([Assessed(said(1), corrected(RED, [Correction("rag", "amber", "", "Kim", ahead, "x")]))])
    correct(store, books, "forum:1", {"rag": "green", "debate": "yes"}, CHOICES, signed())
    at = {each.field: each.at for each in held(store).corrections}
    assert (held(store).rag, at) == (Rag.GREEN, {"rag": ahead + timedelta(microseconds=1), "debate": T0})
    assert undo(store, books, "forum:1", "rag", signed(1)).assessment.rag is Rag.RED
    assert [entry.action for entry in books.audit_trail()] == ["undo correction", "correct"]


def test_what_is_undone_is_as_judged_again(store: MentionStore, books: State) -> None:
    green(store, books)
    undone = undo(store, books, "forum:1", "rag", signed(5, "Kim Lee")).assessment
    assert (undone.rag, undone.boroughs) == (Rag.RED, ("Brent",))
    undo(store, books, "forum:1", "borough", signed(6))
    store.judge([Assessed(said(1, "old words"), RED)])
    assert replace(held(store), corrections=()) == RED
    assert store.count(parse("corrected:yes")) == 0
    assert store.check() == []
    with pytest.raises(UserError, match="rag of forum:1 is not corrected"):
        undo(store, books, "forum:1", "rag", signed(7))


def test_a_place_that_a_correction_names_is_taught_until_it_is_undone(store: MentionStore, books: State) -> None:
    store.save([Assessed(said(1, "Police outside The Swan again"), RED)])
    for given, place in (({"rag": "green"}, "The Swan"), ({"borough": "Brent"}, "The Goose")):
        with pytest.raises(UserError, match="the place"):
            correct(store, books, "forum:1", given, CHOICES, signed(), place)
    correct(store, books, "forum:1", {"borough": "Brent, Camden"}, CHOICES, signed(), "the swan")
    assert books.taught_places() == [TaughtPlace("the swan", ("Brent", "Camden"), "forum:1", "Sam Roe", T0)]
    assert books.audit_trail()[0].detail["place"] == "the swan"
    undo(store, books, "forum:1", "boroughs", signed(1))
    assert books.taught_places() == []


def test_a_new_borough_forgets_the_lesson_of_the_old_one(store: MentionStore, books: State) -> None:
    store.save([Assessed(said(1, "Police outside The Swan again"), RED)])
    correct(store, books, "forum:1", {"borough": "Brent"}, CHOICES, signed(), "The Swan")
    correct(store, books, "forum:1", {"rag": "green"}, CHOICES, signed(1))
    assert books.taught_places()
    correct(store, books, "forum:1", {"borough": "Camden"}, CHOICES, signed(2))
    assert books.taught_places() == []


def test_what_a_mention_taught_that_is_gone_can_still_be_taken_back(store: MentionStore, books: State) -> None:
    books.teach_place(TaughtPlace("The Swan", ("Brent",), "forum:9", "Sam Roe", T0))
    with pytest.raises(UserError, match="no mention"):
        undo(store, books, "forum:9", "borough", signed())
    assert books.taught_places() == []
    assert books.audit_trail()[0].action == "forget place"


def test_a_name_that_can_be_no_place_teaches_nothing_and_corrects_nothing(store: MentionStore, books: State) -> None:
    store.save([Assessed(said(1, "Police outside The Swan again " + "x" * 61), RED)])
    refusing = replace(CHOICES, place_fault=lambda name: "means much")
    for place, choices in (("again", refusing), ("x" * 61, CHOICES)):
        with pytest.raises(UserError, match="taught"):
            correct(store, books, "forum:1", {"borough": "Brent"}, choices, signed(), place)
    assert (books.taught_places(), held(store)) == ([], RED)


def test_every_act_is_on_record_with_who_and_why(store: MentionStore, books: State) -> None:
    green(store, books)
    undo(store, books, "forum:1", "rag", signed(5, "Kim Lee"))
    newest, first = books.audit_trail()
    assert (first.actor, first.action) == ("Sam Roe", "correct")
    assert first.detail == {"id": "forum:1", "because": "read it", "rag": "red -> green", "boroughs": "Camden -> Brent"}
    assert (newest.actor, newest.detail["rag"]) == ("Kim Lee", "red again")
    assert books.broken_audit() is None


def test_nothing_is_recorded_or_changed_where_a_value_is_refused(store: MentionStore, books: State) -> None:
    store.save([Assessed(said(1), RED)])
    for mention_id, given in (("forum:1", {"rag": "blue"}), ("forum:1", {}), ("forum:2", {"rag": "green"})):
        with pytest.raises(UserError):
            correct(store, books, mention_id, given, CHOICES, signed())
    for by, because in (("", "x"), ("Sam", " "), ("S" * 61, "x")):
        with pytest.raises(UserError):
            Signature(by, because, T0)
    assert books.audit_trail() == []
    assert held(store) == RED


def test_people_who_correct_different_fields_at_once_lose_nothing(store: MentionStore, books: State) -> None:
    store.save([Assessed(said(1), RED)])
    wanted = {"rag": "green", "topic": "asb", "debate": "yes", "sentiment": "pos"}

    def act(field: str) -> None:
        correct(store, books, "forum:1", {field: wanted[field]}, CHOICES, signed(by=field))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, wanted))
    opinion = held(store)
    assert (opinion.rag, opinion.topic, opinion.debate) == (Rag.GREEN, "asb", True)
    assert opinion.sentiment == Verdict(Mood.POSITIVE, 1.0)
    assert store.check() == []


def test_a_copy_has_every_correction(store: MentionStore, books: State, tmp_path: Path) -> None:
    green(store, books)
    store.save([judged(said(2))])
    target = open_store(f"sqlite:{tmp_path / 'other.db'}")
    target.save([Assessed(said(1, "old words"), RED)])
    copied = copy_all(store, target, lambda stage, more: None, lambda failure: None)
    assert copied.equal
    assert held(target) == held(store)
    assert target.check() == []
    target.close()


def test_half_characters_in_a_reason_do_no_harm(store: MentionStore, books: State) -> None:
    store.save([Assessed(said(1), RED)])
    odd = Correction("topic", "asb", "", "Sam\0", T0, "half \ud83d")
    store.judge([Assessed(said(1), corrected(RED, [odd]))])
    assert (held(store).corrections[0].by, held(store).corrections[0].because) == ("Sam", "half ?")
    assert store.check() == []
