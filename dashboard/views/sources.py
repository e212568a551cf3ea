"""Can the Now page be believed: is every source alive, and what is missing where one is not?"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import streamlit as st

from dashboard.asking import ask_who, draw_refusal, try_act
from dashboard.chrome import draw_live, read_now
from dashboard.reading import Books, Moment, read_sources, read_store_note, tell_store
from dashboard.safe import shorten, strip_text
from dashboard.wording import SOURCE_MARKS, count_of, tell_age, tell_time
from mentions.records import SourceRow, SourceState

WEEK = timedelta(days=7)
ORDER = [SourceState.PAUSED, SourceState.FAILING, SourceState.QUIET, SourceState.NEVER, SourceState.OK]


def main() -> None:
    """Draw the page."""
    st.title("Sources", anchor=False)
    draw_live(draw_table, "sources")
    draw_refusal()
    books, moment = read_now()
    draw_stopped(books, moment, [row for row in books.state.sources() if row.state is SourceState.PAUSED])


def draw_table() -> None:
    """Every source, the sick ones first, and what their sickness costs."""
    books, moment = read_now()
    if trouble := tell_store(read_store_note(books.state, moment), moment.now):
        st.warning("The store of mentions is in trouble:")
        st.text(trouble)
    rows = sorted(read_sources(books.state, moment.now), key=lambda row: (ORDER.index(row.state), row.name))
    if not rows:
        st.text("No sources are set up. Add [[sources]] to earshot.toml and restart the daemon.")
        return
    st.dataframe([source_row(row, moment) for row in rows], hide_index=True, alt="Sources and how they are")
    st.caption(
        "● on time  ◐ doubtful: answers, brings nothing  ▲ late: failing, tried again  "
        "■ stopped: needs a person  ◇ never polled"
    )
    draw_missing(books, moment, [row for row in rows if row.state is not SourceState.OK])


def source_row(row: SourceRow, moment: Moment) -> dict[str, object]:
    """One line of the table; ages are as of now."""
    now = moment.now
    return {
        "Source": row.name,
        "State": SOURCE_MARKS[row.state],
        "Kind": row.kind,
        "Last post": tell_age(row.newest_at, now),
        "Last success": tell_age(row.succeeded_at, now),
        "Next try": "when resumed" if row.state is SourceState.PAUSED else tell_next(row, moment),
        "Failures": row.failures,
        "Message": shorten(strip_text(row.message), 160),
        "Mentions": row.mentions,
        "Left out": row.left_out,
        "Why left out": shorten(strip_text(row.sample), 120),
    }


def tell_next(row: SourceRow, moment: Moment) -> str:
    """When it is tried next."""
    if row.next_check_at is None:
        return "not planned"
    return "due" if row.next_check_at <= moment.now else tell_time(row.next_check_at, moment.now)


def draw_missing(books: Books, moment: Moment, sick: list[SourceRow]) -> None:
    """What the other pages undercount."""
    st.header("What is undercounted", anchor=False)
    if not sick:
        st.text("Nothing: every source is on time.")
        return
    brought: dict[str, int] = {}
    for tally in books.store.tallies_by_source(moment.now - WEEK, moment.now):
        brought[tally.key] = brought.get(tally.key, 0) + tally.count
    for row in sick:
        daily = brought.get(row.name, 0) / WEEK.days
        usually = (
            f"it brought about {count_of(round(daily), 'post')} a day in the last week"
            if daily >= 1
            else "it rarely brings anything"
        )
        st.text(
            f"{SOURCE_MARKS[row.state]}  {row.name}: last success {tell_age(row.succeeded_at, moment.now)}; {usually}."
        )


def draw_stopped(books: Books, moment: Moment, stopped: list[SourceRow]) -> None:
    """The way back for sources that wait for a person."""
    if not stopped:
        return
    st.header("Stopped: they wait for you", anchor=False)
    who = ask_who()
    for row in stopped:
        st.text(f"{row.name}: {strip_text(row.message) or 'no reason was recorded'}")
        if st.button(f"Resume {row.name}", key=f"resume-{row.name}", disabled=not who):
            try_act(partial(resume, books, row.name, who, moment))


def resume(books: Books, name: str, who: str, moment: Moment) -> None:
    """Let a stopped source be asked again, and record who did it."""
    books.state.resume(name, moment.now)
    books.state.audit(moment.wall, who, "resume_source", {"source": name})


if __name__ == "__main__":
    main()
