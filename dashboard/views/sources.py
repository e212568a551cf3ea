"""Can the Now page be believed: is every source alive, and what is missing where one is not?"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import streamlit as st

from dashboard.asking import ask_who, draw_refusal, try_act
from dashboard.chrome import draw_live, read_now
from dashboard.covering import account_row, coverage_row, read_accounts, read_coverage, read_reach
from dashboard.reading import Books, Moment, read_sources, read_store_note, tell_store
from dashboard.safe import shorten, strip_text
from dashboard.wording import SOURCE_MARKS, count_of, tell_age, tell_time
from mentions.coverage import FEWER, LOST
from mentions.records import SourceRow, SourceState

WEEK = timedelta(days=7)
ORDER = [
    SourceState.PAUSED,
    SourceState.FAILING,
    SourceState.QUIET,
    SourceState.NEVER,
    SourceState.OK,
    SourceState.OFF,
]


def main() -> None:
    """Draw the page."""
    st.title("Sources", anchor=False)
    draw_live(draw_table, "sources")
    draw_refusal()
    books, moment = read_now()
    draw_stopped(books, moment, [row for row in books.state.sources() if row.state is SourceState.PAUSED])
    draw_live(draw_reach, "reach")


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
        "■ stopped: needs a person  ◇ never polled  ○ not configured: no fault, credentials or a permission are missing"
    )
    draw_missing(books, moment, [row for row in rows if row.state not in (SourceState.OK, SourceState.OFF)])


def source_row(row: SourceRow, moment: Moment) -> dict[str, object]:
    """One line of the table; ages are as of now."""
    now = moment.now
    return {
        "Source": row.name,
        "State": SOURCE_MARKS[row.state],
        "Kind": row.kind,
        "Last post": tell_age(row.newest_at, now),
        "Last success": tell_age(row.succeeded_at, now),
        "Next try": "when configured"
        if row.state is SourceState.OFF
        else "when resumed"
        if row.state is SourceState.PAUSED
        else tell_next(row, moment),
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
            if row.succeeded_at
            else "what it usually brings is not known yet"
        )
        st.text(
            f"{SOURCE_MARKS[row.state]}  {row.name}: last success {tell_age(row.succeeded_at, moment.now)}; {usually}."
        )


def draw_reach() -> None:
    """What is heard at all, what that costs, and what is off."""
    books, moment = read_now()
    rows = read_sources(books.state, moment.now)
    if not rows:
        return
    draw_coverage(books, moment)
    draw_budgets(books, moment)
    draw_off(books, [row for row in rows if row.state is SourceState.OFF])


def draw_coverage(books: Books, moment: Moment) -> None:
    """Whether enough is heard to say "no mentions", source by source, and what nobody listens to."""
    st.header("Coverage", anchor=False)
    coverage = read_coverage(books, moment)
    if not coverage.adequate:
        st.text("▲ Not adequate: where the pages find nothing, they say that they cannot tell.")
    st.text(coverage.reason[:1].upper() + coverage.reason[1:] or "Adequate: every source brings what it usually does.")
    rows = sorted(coverage.sources, key=lambda each: (each.verdict not in LOST, each.verdict != FEWER, each.source))
    st.dataframe([coverage_row(each, moment) for each in rows], hide_index=True, alt="Each source against its past")
    st.caption(
        "Usual: from the source's own last 28 days. Late: published more than an hour and its interval before it came. "
        "A gap: posts may have been missed, since more came than one look shows, or a look came too late."
    )
    st.subheader("Blind spots", anchor=False)
    for name, why in coverage.blind_spots.items():
        st.text(f"{name}: {why}")
    if coverage.boroughs_without_source:
        st.text(f"Boroughs without a local source of their own: {', '.join(coverage.boroughs_without_source)}")


def draw_budgets(books: Books, moment: Moment) -> None:
    """What platforms have cost, and what is left."""
    accounts = read_accounts(books, moment)
    if not accounts:
        return
    st.header("Budgets", anchor=False)
    st.dataframe([account_row(each) for each in accounts], hide_index=True, alt="Budgets of platforms")
    st.caption(
        "Counted before each request and never passed. Days are UTC's; YouTube's begin at midnight in California."
    )


def draw_off(books: Books, off: list[SourceRow]) -> None:
    """What is missing, who permitted what, and where the platforms tell their terms."""
    permissions, terms = books.state.permissions(), read_reach(books).terms
    if not off and not permissions and not terms:
        return
    st.header("Permissions and terms", anchor=False)
    for row in off:
        st.text(f"{SOURCE_MARKS[row.state]}  {row.name}: {strip_text(row.message)}")
    for each in permissions:
        st.text(
            f"Permitted: {strip_text(each.source)} ({strip_text(each.what)}), by {strip_text(each.by)} on "
            f"{each.at:%d %B %Y}: {strip_text(each.because)}"
        )
    for name, link in sorted(terms.items()):
        st.text(f"Terms of {name}: {link}")


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
