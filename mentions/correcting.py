"""Correcting a judgement, and taking that back: named people's acts, on record before they are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mentions.corrections import FIELDS, Choices, corrected, read_field, read_value, standing, tell_change
from mentions.facets import facet
from mentions.failures import UserError
from mentions.mention import Assessed, Correction
from mentions.normalise import normalise
from mentions.records import TaughtPlace
from mentions.redaction import Redaction
from mentions.state import State
from mentions.store import MentionStore

LONGEST_NAME, LONGEST_WHY = 60, 500


@dataclass(frozen=True, slots=True)
class Signature:
    """Who corrects, why, when, and `via` what (the audit keeps it). Raises UserError where nobody, or no reason, is
    named."""

    by: str
    because: str
    at: datetime
    via: str = ""

    def __post_init__(self) -> None:
        for what, said, longest in (("who does it", self.by, LONGEST_NAME), ("why", self.because, LONGEST_WHY)):
            if not said.strip():
                raise UserError(f"a correction says {what}")
            if len(said) > longest:
                raise UserError(f"a correction says {what} in {longest} characters at most")


def correct(
    store: MentionStore,
    state: State,
    mention_id: str,
    given: Mapping[str, str],
    choices: Choices,
    signed: Signature,
    place: str = "",
) -> Assessed:
    """Set these fields of the judgement of one mention (as typed), on record; the mention as it is then. `place` names
    what in its words lies in those boroughs, and teaches the gazetteer. Raises UserError for an unknown mention, for a
    value the field cannot have, for a place the mention does not name, and where its words have just changed."""
    values = {field: read_value(field, text, choices) for name, text in given.items() for field in [read_field(name)]}
    if not values:
        raise UserError(f"nothing is set: expected one of {', '.join(FIELDS)} with its value")
    held = find(store, mention_id)
    if place:
        _check_place(place, held, values.get("boroughs", ""), choices)
    now = _write(store, state, held, {field: (value, False) for field, value in values.items()}, signed, place)
    if "boroughs" in values:
        state.unteach_places(mention_id)  # what an earlier answer taught holds no longer
    if place:
        boroughs = tuple(values["boroughs"].split(", "))
        state.teach_place(TaughtPlace(place.strip(), boroughs, mention_id, signed.by.strip(), signed.at))
    return now


def _check_place(place: str, held: Assessed, boroughs: str, choices: Choices) -> None:
    name = normalise(place)
    if not boroughs:
        raise UserError(f'the place "{place}" says where: set boroughs with it')
    if not name or f" {name} " not in f" {normalise(held.mention.words)} ":
        raise UserError(f'the place "{place}" is not named in {held.mention.id}: write it as the post does')
    if len(place) > LONGEST_NAME:
        raise UserError(f"a place is taught in {LONGEST_NAME} characters at most")
    if fault := choices.place_fault(name):
        raise UserError(f'the place "{place}" cannot be taught: it {fault}')


def undo(store: MentionStore, state: State, mention_id: str, field: str, signed: Signature) -> Assessed:
    """Take one correction back, on record, and what it taught: the judgement's own answer holds again. Raises UserError
    where there is none; what a mention taught that is held no longer is forgotten all the same."""
    field = read_field(field)
    if field == "boroughs" and mention_id not in store.get([mention_id]):
        for lesson in [each for each in state.taught_places() if each.mention_id == mention_id]:
            forget_place(state, lesson.name, signed)
    held = find(store, mention_id)
    if field not in standing(held.assessment):
        raise UserError(f"{field} of {mention_id} is not corrected: there is nothing to undo")
    now = _write(store, state, held, {field: ("", True)}, signed)
    if field == "boroughs":
        state.unteach_places(mention_id)
    return now


def forget_place(state: State, name: str, signed: Signature) -> TaughtPlace:
    """Forget what a correction taught of this name, on record; the lesson. Raises UserError where there is none."""
    wanted = facet("place", name)
    lesson = next((each for each in state.taught_places() if facet("place", each.name) == wanted), None)
    if lesson is None:
        raise UserError(f'no correction taught the place "{name}": `earshot correct --taught` lists those that did')
    detail: dict[str, object] = {"place": lesson.name, "boroughs": ", ".join(lesson.boroughs), "id": lesson.mention_id}
    state.audit(signed.at, signed.by.strip(), "forget place", detail | {"because": signed.because.strip()})
    state.forget_place(lesson.name)
    return lesson


def find(store: MentionStore, mention_id: str) -> Assessed:
    """That mention; raises UserError where it is not held."""
    held = store.get([mention_id]).get(mention_id)
    if held is None:
        raise UserError(f'there is no mention "{mention_id}": `earshot search --json` prints their ids')
    return held


def _write(
    store: MentionStore,
    state: State,
    held: Assessed,
    given: Mapping[str, tuple[str, bool]],
    signed: Signature,
    place: str = "",
) -> Assessed:
    # Who corrects has seen what stands, so theirs is the later one, whatever the clock of another machine said.
    stand = {each.field: each.at + timedelta(microseconds=1) for each in held.assessment.corrections}
    made = [
        Correction(
            field,
            value,
            "",
            signed.by.strip(),
            max(signed.at, stand.get(field, signed.at)),
            signed.because.strip(),
            undone,
        )
        for field, (value, undone) in given.items()
    ]
    wanted = Assessed(held.mention, corrected(held.assessment, made))
    told = {each.field: tell_change(each) for each in wanted.assessment.corrections if each.field in given}
    action = "undo correction" if any(each.undone for each in made) else "correct"
    because = Redaction([held.mention.title, held.mention.text]).apply(signed.because.strip())  # a chain cannot forget
    detail: dict[str, object] = {"id": held.mention.id, "because": because, **told}
    detail |= {name: said for name, said in (("place", place), ("via", signed.via)) if said}
    state.audit(signed.at, signed.by.strip(), action, detail)  # on record before it is done
    store.judge([wanted])
    now = find(store, held.mention.id)
    kept = {each.field: (each.value, each.at) for each in now.assessment.corrections}
    if any(kept.get(each.field) != (each.value, each.at) for each in made):
        state.audit(signed.at, signed.by.strip(), f"{action} failed", {"id": held.mention.id, "fields": sorted(given)})
        raise UserError(f"{held.mention.id} has changed meanwhile: look at it again")
    return now
