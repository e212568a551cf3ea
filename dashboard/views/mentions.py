"""The posts behind a number: search, filter, open one, take them along."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import date, datetime

import streamlit as st

from dashboard.asking import ask_who
from dashboard.chrome import read_now, unread_told
from dashboard.correcting import draw_corrections
from dashboard.covering import tell_nothing
from dashboard.export import MOST, write_csv
from dashboard.finding import Filters, Found, find_all, find_page
from dashboard.reading import Books, Moment
from dashboard.safe import check_link, escape_label, mask_text, shorten, strip_text
from dashboard.wording import MOODS, RAG_MARKS, REACHES, plain_words, tell_time
from mentions.clock import utc_now
from mentions.mention import Assessed, PublicDomain, Rag
from mentions.order import KEY_DIGITS
from mentions.query import QueryError

COLOURS = ["red", "amber", "green", "none"]
EMPTY: dict[str, object] = {
    "q": "",
    "rag": [],
    "source": "all",
    "borough": "",
    "from": None,
    "to": None,
    "everything": False,
}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """The page as it was read: it holds still until asked for anew, so that a row keeps its place under the pointer."""

    filters: Filters
    before: int | None
    found: Found
    read_at: datetime


def main() -> None:
    """Draw the page."""
    st.title("Mentions", anchor=False)
    books, moment = read_now()
    with unread_told():
        draw_opened(books, moment)
    filters = ask_filters(books, moment)
    with unread_told():
        draw_found(books, moment, filters)


def draw_found(books: Books, moment: Moment, filters: Filters) -> None:
    """What the filters find, and the ways on from there."""
    try:
        held = hold_page(books, filters)
    except QueryError as error:
        st.warning(f"The search was not understood at character {error.position + 1}.")
        st.text(f"{error.message}; {error.hint}")
        return
    draw_rows(books, moment, held)
    draw_paging(held)
    draw_export(books, moment, filters)


def ask_filters(books: Books, moment: Moment) -> Filters:
    """The filters, kept in the address so that a link shows the same rows."""
    st.text_input(
        "Search",
        key="q",
        bind="query-params",
        type="search",
        on_change=start_over,
        placeholder='words  "a phrase"  begin*  field:value  AND  OR  NOT  ( )',
    )
    with st.grid(4, min_column_width=190):
        st.segmented_control(
            "Colour", COLOURS, selection_mode="multi", key="rag", bind="query-params", on_change=start_over
        )
        sources = ["all", *(row.name for row in books.state.sources())]
        st.selectbox("Source", sources, key="source", bind="query-params", on_change=start_over)
        st.text_input("Borough", key="borough", bind="query-params", on_change=start_over)
        st.toggle("Also posts not about the police", key="everything", bind="query-params", on_change=start_over)
        st.date_input("From", value=None, key="from", bind="query-params", on_change=start_over, format="DD/MM/YYYY")
        st.date_input("To", value=None, key="to", bind="query-params", on_change=start_over, format="DD/MM/YYYY")
    asked = st.session_state
    source, borough = asked.get("source"), strip_text(asked.get("borough") or "").strip()
    return Filters(
        query=asked.get("q") or "",
        rags=tuple(asked.get("rag") or ()),
        source="" if source in (None, "all") else source,
        borough=borough,
        since=as_day(asked.get("from")),
        until=as_day(asked.get("to")),
        everything=bool(asked.get("everything")),
    )


def as_day(value: object) -> date | None:
    """A date from a date widget; anything else is none."""
    return value if isinstance(value, date) else None


def start_over() -> None:
    """Other filters begin at their own first page."""
    st.query_params.pop("before", None)


def clear_filters() -> None:
    """Empty every filter and the address with them."""
    for key, empty in EMPTY.items():
        st.session_state[key] = empty
    start_over()


def hold_page(books: Books, filters: Filters) -> Held:
    """The rows for these filters, read once and kept; raises QueryError."""
    asked = st.query_params.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) <= KEY_DIGITS else None
    held: Held | None = st.session_state.get("held_page")
    if held is None or held.filters != filters or held.before != before:
        held = Held(filters, before, find_page(books, filters, before), utc_now())
        st.session_state["held_page"] = held
        if filters.query:
            told: dict[str, object] = {key: str(value) for key, value in asdict(filters).items() if value}
            books.state.audit(utc_now(), st.session_state.get("who") or "dashboard", "search", told)
    return held


def draw_rows(books: Books, moment: Moment, held: Held) -> None:
    """The table, or why it is empty and what to do."""
    rows = held.found.rows
    if not rows:
        draw_empty(books, moment, held)
        return
    first, last = rows[0].mention.published_at, rows[-1].mention.published_at
    st.text(
        f"{len(rows)} posts, newest first, {tell_time(first, moment.now)} back to {tell_time(last, moment.now)}. "
        f"Read at {tell_time(held.read_at, moment.wall, seconds=True)}. Choose a row to open it."
    )
    key = f"rows-{hash(tuple(row.mention.id for row in rows))}"
    chosen = st.dataframe(
        [mention_row(row, moment, books) for row in rows],
        key=key,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={"Post": st.column_config.TextColumn(width="large")},
        alt="Mentions, newest first",
    )
    picked = chosen.selection.rows
    if picked and st.session_state.get("picked") != (key, picked[0]):
        st.session_state["picked"] = (key, picked[0])
        st.query_params["id"] = rows[picked[0]].mention.id
        st.rerun()


def mention_row(row: Assessed, moment: Moment, books: Books) -> dict[str, str]:
    """One post as a line, names hidden."""
    judged = row.assessment
    return {
        "Time": tell_time(row.mention.published_at, moment.now),
        "Colour": RAG_MARKS[judged.rag],
        "Post": shorten(mask_text(row.mention.shown, books.own_handles), 240),
        "Towards police": MOODS[judged.sentiment.label],
        "Topic": plain_words(judged.topic),
        "Source": row.mention.source,
        "Boroughs": ", ".join(judged.boroughs),
        "Reach": REACHES[row.mention.reach],
    }


def draw_empty(books: Books, moment: Moment, held: Held) -> None:
    """Why there is nothing, and the way on."""
    if held.found.older is not None:
        st.text(f"None of the newest {held.found.looked:,} posts match. Look further back, or narrow the dates.")
    elif held.filters == Filters():
        none = "No posts about the police have been collected yet. Sources says whether anything is arriving."
        st.text(tell_nothing(books, moment, none))
        st.page_link("views/sources.py", label="Open Sources")
    else:
        st.text(tell_nothing(books, moment, "No posts match."))
        st.text("Take a filter away, or include posts that are not about the police.")
        st.button("Clear filters", on_click=clear_filters, key="clear_empty")


def draw_paging(held: Held) -> None:
    """The ways on: older, newest, anew, unfiltered."""
    with st.container(horizontal=True):
        older = held.found.older
        if older is not None and st.button("Older posts", key="older"):
            st.query_params["before"] = str(older)
            st.rerun()
        if held.before is not None and st.button("Back to the newest", key="newest"):
            start_over()
            st.rerun()
        if st.button("Read again", key="again"):
            st.session_state.pop("held_page", None)
            st.rerun()
        if held.filters != Filters() and held.found.rows:
            st.button("Clear filters", on_click=clear_filters, key="clear")


# -- one mention -------------------------------------------------------------------------------------------------------


def draw_opened(books: Books, moment: Moment) -> None:
    """The mention the address names, whole and as plain text."""
    opened = st.query_params.get("id", "")
    if not opened:
        return
    row = books.store.get([opened]).get(opened)
    with st.container(border=True):
        if row is None:
            st.text("That post is not held (any more): it was deleted, or its time was up.")
        else:
            draw_facts(row, moment, books)
            draw_reasons(row, books)
            draw_corrections(row, moment, books)
        st.button("Close", key="close_mention", on_click=close_opened)


def close_opened() -> None:
    """Back to the list alone."""
    st.query_params.pop("id", None)
    st.session_state.pop("picked", None)


def draw_facts(row: Assessed, moment: Moment, books: Books) -> None:
    """What was said, where and when."""
    mention, judged = row.mention, row.assessment
    heading = shorten(mask_text(mention.title, books.own_handles), 200)
    st.header(RAG_MARKS[judged.rag] if judged.rag is not Rag.NONE else "No colour", anchor=False)
    if heading:
        st.text(heading)
    if mention.buried_at:
        st.text(mention.shown)
    if mention.text:
        st.text(mask_text(mention.text, books.own_handles))
    facts = (
        f"{tell_time(mention.published_at, moment.now)} · {mention.source} ({mention.platform})",
        f"first seen {tell_time(mention.first_seen_at, moment.now)}",
        f"voice {mention.voice.value}" + (f", reach {REACHES[mention.reach]}" if REACHES[mention.reach] else ""),
        "came with a first poll or an import: never rings" if mention.history else "",
    )
    st.text(" · ".join(fact for fact in facts if fact))
    link = check_link(mention.link)
    if link:
        st.link_button(f"Open the original at {escape_label(link[1])} ↗", link[0])


def draw_reasons(row: Assessed, books: Books) -> None:
    """Why it was judged as it was."""
    judged = row.assessment
    st.subheader("Why this score", anchor=False)
    parts = (
        f"towards the police: {MOODS[judged.sentiment.label]} ({judged.sentiment.score:+.2f})",
        f"mood of the message: {MOODS[judged.mood.label]}",
        f"topic: {plain_words(judged.topic)}" if judged.topic else "no topic found",
        f"public knowledge: {judged.public_domain.value}" if judged.public_domain is not PublicDomain.UNKNOWN else "",
        "unsure" if judged.unsure else "",
        "RISK TO LIFE: tell the control room first" if judged.risk_to_life else "",
        f"boroughs: {', '.join(judged.boroughs)}" if judged.boroughs else "",
        f"watchlists: {', '.join(judged.watchlists)}" if judged.watchlists else "",
        "" if judged.relevant else "not about the police",
    )
    st.text("\n".join(part for part in parts if part))
    words = row.mention.words
    lines = [
        f"– {strip_text(reason.says)}"
        + (
            f"  [{shorten(mask_text(words[reason.start : reason.end], books.own_handles), 80)}]"
            if reason.start >= 0
            else ""
        )
        for reason in judged.reasons
    ]
    if lines:
        st.text(mask_text("\n".join(lines), books.own_handles))
    st.caption("judged by " + ", ".join(judged.made_by) if judged.made_by else "not judged yet")


# -- taking them along -------------------------------------------------------------------------------------------------


def draw_export(books: Books, moment: Moment, filters: Filters) -> None:
    """All matching posts as a file, in the record with the name of who took it."""
    with st.expander("Export these posts (CSV)"):
        who = ask_who()

        def make() -> bytes:
            content, count = write_csv(find_all(books, filters, MOST), books.own_handles)
            told: dict[str, object] = {key: str(value) for key, value in asdict(filters).items() if value}
            books.state.audit(utc_now(), who, "export", {**told, "rows": count})
            log.info("export=done rows=%d", count)
            return content

        kind = "EXERCISE-" if moment.rehearsed else ""
        name = f"{kind}earshot-{'-'.join(filters.rags) or 'all'}-{moment.now:%Y%m%dT%H%MZ}.csv"
        st.download_button(
            "Download CSV", make, file_name=name, mime="text/csv", disabled=not who, on_click="ignore", key="download"
        )
        st.caption(
            f"Every matching post, not only this page, {MOST:,} at most; names stay hidden; the export is recorded."
        )


if __name__ == "__main__":
    main()
