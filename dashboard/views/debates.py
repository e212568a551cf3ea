"""What is worth joining on a patch, who answers, and who must be asked first?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from config.strategy import CLEARANCES, borough_names
from dashboard.boards import read_board
from dashboard.chrome import draw_live, read_now
from dashboard.covering import tell_nothing
from dashboard.reading import Books, Moment
from dashboard.safe import check_link, escape_label, mask_text, shorten
from dashboard.wording import RAG_MARKS, count_of, parse_time, tell_age
from mentions.mention import Mention, Rag

ALL = "all boroughs"
NOWHERE = "No borough known"
MOST_SHOWN = 20  # in one borough
MOST_TRIED = 50  # posts of a thread whose opening post was erased

Row = dict[str, Any]


def main() -> None:
    """Draw the page."""
    st.title("Debates", anchor=False)
    draw_live(draw_debates, "debates")


def draw_debates() -> None:
    """Local threads by borough, best first; or why there are none."""
    books, moment = read_now()
    board = read_board(books.state, "debates")
    if board is None:
        st.text("The daemon has not looked for debates yet. It does so by itself while it runs.")
        return
    st.caption(
        "Threads in which an officer could usefully say something. A person decides and signs with name and rank: "
        "nothing is ever posted from here."
    )
    told, rows = board.tell_age(moment), board.told.get("debates", [])
    names = (*borough_names(), NOWHERE)
    chosen = st.selectbox("Borough", (ALL, *names), key="borough", bind="query-params")
    shown = names if chosen in (None, ALL) else (chosen,)
    rows = [row for row in rows if not set(boroughs_of(row)).isdisjoint(shown)]
    view = View(books, moment, read_posts(books, rows))
    rows = [row for row in rows if view.find_opening(row)]
    if not rows:
        where = "" if len(shown) > 1 else f" in {chosen} now" if chosen != NOWHERE else " without a borough now"
        none = f"No debate worth joining{where}. Sources says whether the forums are heard."
        st.text(f"{told} {tell_nothing(books, moment, none)}")
        return
    st.text(f"{told} {count_of(len(rows), 'debate')}.")
    for borough in shown:
        if here := [row for row in rows if borough in boroughs_of(row)]:
            draw_borough(view, borough, here)


@dataclass(frozen=True, slots=True)
class View:
    """What the rows are drawn with: the board holds no words, so those come from the posts that are still held."""

    books: Books
    moment: Moment
    posts: Mapping[str, Mention]

    def find_opening(self, row: Row) -> Mention | None:
        """The first post of a thread that is still held."""
        return next((self.posts[name] for name in row["ids"] if name in self.posts), None)

    def quote(self, post: str, start: int, end: int) -> str:
        """What stands there, fit for a screen; "" where the post is gone."""
        mention = self.posts.get(post)
        return self.mask(mention.words[max(start, 0) : max(end, 0)], 120) if mention else ""

    def mask(self, text: str, length: int) -> str:
        """One line of a stranger's words."""
        return shorten(mask_text(text, self.books.own_handles), length)


def read_posts(books: Books, rows: Sequence[Row]) -> dict[str, Mention]:
    """The posts the rows speak of, as far as they are still held."""
    wanted = {row["ids"][0] for row in rows} | {reason["post"] for row in rows for reason in row["reasons"]}
    found = books.store.get(sorted(wanted - {""}))
    next_ones = {name for row in rows if row["ids"][0] not in found for name in row["ids"][1:MOST_TRIED]}
    if next_ones:
        found |= books.store.get(sorted(next_ones))
    return {name: held.mention for name, held in found.items()}


def boroughs_of(row: Row) -> list[str]:
    """Where a debate is listed: in each of its boroughs."""
    return row["boroughs"] or [NOWHERE]


def draw_borough(view: View, borough: str, rows: list[Row]) -> None:
    """The debates of one borough."""
    st.header(f"{borough}: {len(rows)}", anchor=False)
    for row in rows[:MOST_SHOWN]:
        with st.container(border=True):
            draw_debate(view, row, borough)
    if len(rows) > MOST_SHOWN:
        st.markdown(f"The {MOST_SHOWN} best are shown; `earshot debates --borough` lists all.")


def draw_debate(view: View, row: Row, borough: str) -> None:
    """One debate: what, how alive, under which clearance, who answers, and why it is here. Nothing is interpreted."""
    opening = view.find_opening(row)
    if opening is None:
        return
    st.text(f"{row['score']} of 100  {view.mask(opening.title or opening.shown, 140)}")
    st.text(f"{RAG_MARKS[Rag(row['clearance'])]}: {CLEARANCES[row['clearance']]}")
    alive = [
        view.mask(opening.source, 80),
        count_of(row["posts"], "post"),
        count_of(row["voices"], "voice"),
        f"last {tell_age(parse_time(row['last_at']), view.moment.now)}",
    ]
    st.text(" · ".join([*alive, *notes(row, borough)]))
    st.text("\n".join(tell_reason(view, reason) for reason in row["reasons"]))
    if link := check_link(opening.link):
        st.link_button(f"Open the thread at {escape_label(link[1])} ↗", link[0])


def notes(row: Row, borough: str) -> Iterator[str]:
    """What else to know before answering."""
    if row["force_in_it"]:
        yield "the force or another authority is in it already"
    if row["account"] and borough in row["boroughs"][:1]:
        yield f"{row['account']} answers for {borough}"


def tell_reason(view: View, reason: Row) -> str:
    """One term of the score, with the words it rests on."""
    quote = view.quote(reason["post"], reason["start"], reason["end"])
    return f"{reason['points']:+d}  {reason['says']}" + (f': "{quote}"' if quote else "")


if __name__ == "__main__":
    main()
