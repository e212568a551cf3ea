"""Who is at the desk: a typed name until there is a log-in, kept for as long as the page is open."""

from __future__ import annotations

import streamlit as st

from dashboard.safe import shorten, strip_text

LONGEST_NAME = 60


def ask_who() -> str:
    """The name that goes into the record; "" until one is given, and then nothing may be written."""
    typed = st.text_input(
        "Your name (it goes into the record)",
        value=st.session_state.get("who", ""),
        max_chars=LONGEST_NAME,
        key="who_typed",
    )
    who = shorten(strip_text(typed or ""), LONGEST_NAME)
    st.session_state["who"] = who
    return who
