"""What is worth joining on a patch, who answers, and who must be asked first?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard.boards import read_board
from dashboard.chrome import draw_live, read_now
from dashboard.reading import Books, Moment
from dashboard.safe import check_link, mask_text, shorten
from dashboard.wording import count_of, parse_time, tell_age, tell_time

ALL = "all boroughs"
NOWHERE = "No borough known"
CLEARANCES = {
    "green": "● Green: an officer may answer",
    "amber": "▲ Amber: tell the Borough Communicator or the press office first",
    "red": "■ Red: call the press office before anybody answers",
}
MOST_SHOWN = 20  # in one borough


def main() -> None:
    """Draw the page."""
    st.title("Debates", anchor=False)
    draw_live(draw_debates, "debates")


def draw_debates() -> None:
    """Local threads by borough, best first; or why there are none."""
    books, moment = read_now()
    board = read_board(books, "debates")
    if board is None:
        st.text("The daemon has not looked for debates yet. It does so by itself while it runs.")
        return
    st.caption(
        "Threads in which an officer could usefully say something. A person decides and signs with name and rank: "
        "nothing is ever posted from here."
    )
    told = f"As of {tell_time(board.made_at, moment.now)}."
    if not board.rows:
        st.text(f"{told} No debate worth joining in the last 14 days. Sources says whether the forums are heard.")
        return
    counts = Counter(borough for row in board.rows for borough in boroughs_of(row))
    names = [ALL, *sorted(counts, key=lambda name: (name == NOWHERE, name))]
    chosen = st.selectbox("Borough", names, key="borough", bind="query-params")
    st.text(f"{told} {count_of(len(board.rows), 'debate')}.")
    for borough in names[1:] if chosen in (None, ALL) else [chosen]:
        draw_borough(books, moment, borough, [row for row in board.rows if borough in boroughs_of(row)])


def boroughs_of(row: dict[str, Any]) -> list[str]:
    """Where a debate is listed: in each of its boroughs."""
    return row["boroughs"] or [NOWHERE]


def draw_borough(books: Books, moment: Moment, borough: str, rows: list[dict[str, Any]]) -> None:
    """The debates of one borough."""
    st.header(f"{borough}: {len(rows)}", anchor=False)
    for row in rows[:MOST_SHOWN]:
        with st.container(border=True):
            draw_debate(books, moment, row, borough)
    if len(rows) > MOST_SHOWN:
        st.text(f"The {MOST_SHOWN} best are shown; `earshot debates --borough` lists all.")


def draw_debate(books: Books, moment: Moment, row: dict[str, Any], borough: str) -> None:
    """One debate: what, how alive, under which clearance, who answers, and why it is here. Nothing is interpreted."""
    st.text(f"{row['score']} of 100  {shorten(mask_text(row['title'], books.own_handles), 140)}")
    st.text(CLEARANCES[row["clearance"]])
    alive = [
        mask_text(row["source"], books.own_handles),
        count_of(row["posts"], "post"),
        count_of(row["voices"], "voice"),
        f"last {tell_age(parse_time(row['last_at']), moment.now)}",
    ]
    st.text(" · ".join([*alive, *notes(row, borough)]))
    st.text("\n".join(tell_reasons(row["reasons"], books)))
    if link := check_link(row["link"]):
        st.link_button(f"Open the thread at {link[1]} ↗", link[0])


def notes(row: dict[str, Any], borough: str) -> Iterable[str]:
    """What else to know before answering."""
    if row["force_in_it"]:
        yield "the force or another authority is in it already"
    if row["account"] and borough in row["boroughs"][:1]:
        yield f"{row['account']} answers for {borough}"


def tell_reasons(reasons: Iterable[dict[str, Any]], books: Books) -> Iterable[str]:
    """Each term of the score in words."""
    for reason in reasons:
        yield f"{reason['points']:+d}  {shorten(mask_text(reason['says'], books.own_handles), 200)}"


if __name__ == "__main__":
    main()
