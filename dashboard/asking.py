"""Who is at the desk: a typed name until there is a log-in, kept for as long as the page is open."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.safe import shorten, strip_text
from mentions.failures import Failure, UserError

LONGEST_NAME = 60


def ask_who(key: str = "who_typed") -> str:
    """The name that goes into the record; "" until one is given, and then nothing may be written. A page that asks in
    two places names each by its key."""

    def keep() -> None:
        st.session_state["who"] = _name(st.session_state[key])

    typed = st.text_input(
        "Your name (it goes into the record)",
        value=st.session_state.get("who", ""),
        max_chars=LONGEST_NAME,
        key=key,
        on_change=keep,
    )
    return _name(typed)


def _name(typed: str | None) -> str:
    return shorten(strip_text(typed or ""), LONGEST_NAME)


def try_act(act: Callable[[], object]) -> None:
    """Do what a person asked and draw the page anew; where it cannot be done any more, `draw_refusal` then says why."""
    try:
        act()
    except (Failure, UserError) as error:
        st.session_state["refused"] = str(error)
    st.rerun()


def draw_refusal() -> None:
    """Why the last act was not done, told once."""
    refused = st.session_state.pop("refused", "")
    if refused:
        st.warning("This was not done; the page shows how it stands now.")
        st.text(strip_text(refused))
