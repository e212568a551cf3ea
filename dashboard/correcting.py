"""The form by which a named person corrects a judgement, and how corrections are told beside it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import cache

import streamlit as st

from config.place_names import place_fault
from config.strategy import borough_names, topic_names
from dashboard.asking import ask_who, draw_refusal, try_act
from dashboard.holding import hold_options
from dashboard.reading import Books, Moment
from dashboard.safe import mask_text, strip_text
from dashboard.wording import plain_words, tell_time
from mentions.clock import utc_now
from mentions.correcting import LONGEST_NAME, LONGEST_WHY, Signature, correct, undo
from mentions.corrections import FIELDS, NO_VALUE, Choices, standing, tell_change, value_of
from mentions.mention import Assessed, Correction
from mentions.store import MentionStore
from mentions.stores import open_store


@cache
def choices() -> Choices:
    """What can be chosen."""
    return Choices(topic_names(), borough_names(), place_fault)


def tell_correction(each: Correction, moment: Moment, books: Books) -> str:
    """ "corrected by Sam Roe, Tue 3 Mar 12:00 GMT: rag red -> green because …"."""
    what = "taken back" if each.undone else "corrected"
    because = mask_text(strip_text(each.because), books.own_handles)
    return (
        f"{what} by {strip_text(each.by)}, {tell_time(each.at, moment.now)}: "
        f"{plain_words(each.field)} {tell_change(each)} because {because}"
    )


def draw_corrections(row: Assessed, moment: Moment, books: Books) -> None:
    """What people said of this one, and the form to say more."""
    for each in row.assessment.corrections:
        st.text(tell_correction(each, moment, books))
    draw_refusal()
    this = row.mention.id  # another post's form starts from its own judgement
    with st.expander("Correct this judgement"):
        who = ask_who("who_corrects")
        field = st.selectbox("What is wrong", FIELDS, format_func=plain_words, key=f"correct_field-{this}")
        value = ask_value(row, field)
        place = ""
        if field == "boroughs":
            place = st.text_input(
                "What the post calls the place (optional: teaches the gazetteer)", key=f"correct_place-{this}"
            )
        because = strip_text(st.text_input("Why", max_chars=LONGEST_WHY, key=f"correct_because-{this}") or "").strip()
        may = bool(who and because)
        with st.container(horizontal=True):
            if st.button("Correct", key="correct", type="primary", disabled=not may):
                act(lambda store: correct(
                    store, books.state, row.mention.id, {field: value}, choices(), sign(who, because),
                    strip_text(place or "").strip(),
                ))  # fmt: skip
            undoing = field in standing(row.assessment)
            if st.button(
                f"Take back the correction of {plain_words(field)}", key="undo", disabled=not (may and undoing)
            ):
                act(lambda store: undo(store, books.state, row.mention.id, field, sign(who, because)))
        st.caption("It takes a name and a reason; both are kept, shown here, and no later judgement overwrites it.")


def ask_value(row: Assessed, field: str) -> str:
    """The value chosen for a field, what it says now at first."""
    now = value_of(row.assessment, field)
    allowed = choices().of(field)
    key = f"correct_to_{field}-{row.mention.id}"
    if field == "boroughs":
        named = [name for name in allowed if name != NO_VALUE]
        held = [name for name in now.split(", ") if name in named]
        return ", ".join(st.multiselect("It should be", named, default=held, key=key)) or NO_VALUE
    at = allowed.index(now or NO_VALUE) if (now or NO_VALUE) in allowed else 0
    return st.selectbox("It should be", allowed, index=at, format_func=plain_words, key=key)


def sign(who: str, because: str) -> Signature:
    """Who corrects now, and why."""
    return Signature(who[:LONGEST_NAME], because, utc_now(), "dashboard")


def act(write: Callable[[MentionStore], object]) -> None:
    """Write with a store of its own: the pages' own can only read."""

    def written() -> None:
        with closing(open_store(hold_options().store_url)) as store:
            write(store)
        st.session_state.pop("held_page", None)

    try_act(written)
