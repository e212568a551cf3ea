"""The script Streamlit runs for every visit: which pages there are, and what stands above each."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.chrome import STYLE, draw_top, read_now

HERE = Path(__file__).parent
PAGES = (
    ("now", "Now"),
    ("mentions", "Mentions"),
    ("stories", "Stories"),
    ("alerts", "Alerts"),
    ("debates", "Debates"),
    ("sources", "Sources"),
    ("accuracy", "Accuracy"),
)


def main() -> None:
    """Draw the chosen page."""
    pages = [
        st.Page(
            HERE / "views" / f"{name}.py", title=title, url_path=name if name != "now" else "", default=name == "now"
        )
        for name, title in PAGES
    ]
    page = st.navigation(pages, position="top")
    st.set_page_config(page_title=f"{page.title} · Earshot", page_icon=str(HERE / "favicon.png"), layout="wide")
    st.html(STYLE)
    _, moment = read_now()
    if moment.rehearsed:
        st.set_page_config(page_title=f"EXERCISE · {page.title} · Earshot")
    draw_top(small=page.url_path != "")
    page.run()


if __name__ == "__main__":
    main()
