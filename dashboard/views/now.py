"""Is there a crisis, and what is not as usual?"""

from __future__ import annotations

import streamlit as st

from dashboard.chrome import draw_live, read_now
from dashboard.covering import tell_nothing
from dashboard.figures import describe_hours, describe_shares, draw_hours, draw_shares, tell_share
from dashboard.overview import WINDOWS, Overview, Unusual, read_newest_red, read_overview
from dashboard.reading import Books, Moment, Standing, read_standing, tell_model
from dashboard.safe import mask_text, shorten
from dashboard.usual import tell_range
from dashboard.wording import count_of, plain_words, tell_time
from mentions.mention import Assessed

NO_POSTS = "No posts about the police in this window."


def main() -> None:
    """Draw the page: what refreshes by itself above, the list that holds still below."""
    books, moment = read_now()
    lead = read_standing(books.state, moment).lead
    if lead:
        st.page_link(
            "views/alerts.py",
            label=f"Open alert {lead.id}",
            query_params={"id": str(lead.id)},
            icon=":material/arrow_forward:",
        )
    draw_live(draw_figures, "figures")
    draw_live(draw_red, "red")


def draw_figures() -> None:
    """Tiles, chart, tone and boroughs."""
    books, moment = read_now()
    if words_only := tell_model(books.state, moment):
        st.warning(words_only)
    tiles = st.container()
    window = st.segmented_control(
        "Window of the chart", list(WINDOWS), default="24h", required=True, key="window", bind="query-params"
    )
    overview = read_overview(books, moment, window or "24h")
    with tiles:
        draw_tiles(books, moment, overview)
    st.header(title_of(overview), anchor=False)
    if any(counts.total for _, counts, _ in overview.hours):
        draw_chart(overview)
    else:
        st.text(tell_nothing(books, moment, NO_POSTS))
    left, right = st.columns(2)
    with left:
        draw_tone(books, moment, overview)
    with right:
        draw_boroughs(books, moment, overview)
    st.caption(f"Figures at {tell_time(moment.now, moment.now, seconds=True)}. Posts seen, not public opinion.")


def draw_chart(overview: Overview) -> None:
    """Mentions by hour."""
    dark = st.context.theme.type == "dark"
    spec = draw_hours(overview.hours, overview.incidents, dark=dark, until=overview.until)
    st.vega_lite_chart(None, spec, alt=describe_hours(overview.hours))
    st.caption(
        "Full hours only, London time; dashed: what nine in ten of the same hours stay below; rules: alerts opened."
    )


def draw_tiles(books: Books, moment: Moment, overview: Overview) -> None:
    """The four numbers, each with what is usual."""
    standing = read_standing(books.state, moment)
    with st.grid(4, min_column_width=170):
        for tile in overview.tiles:
            st.metric(
                tile.label,
                f"{tile.count:,}",
                border=True,
                delta=tell_range(tile.usual),
                delta_color="off",
                delta_arrow="off",
            )
        st.metric(
            "Sources on time",
            f"{standing.alive} of {len(standing.live)}",
            border=True,
            delta=tell_sources(standing),
            delta_color="off",
            delta_arrow="off",
        )


def tell_sources(standing: Standing) -> str:
    """Which sources are not on time."""
    if not standing.live:
        return "none configured" if standing.sources else "none set up"
    if not standing.daemon_alive:
        return "nobody is collecting"
    return f"not: {', '.join(standing.late)}" if standing.late else "all of them"


def title_of(overview: Overview) -> str:
    """What the chart shows, as a finding."""
    last = overview.hours[-1] if overview.hours else None
    if last is None or last[2] is None:
        return "Mentions by hour"
    above = [counts.total > usual.high for _, counts, usual in overview.hours[-6:] if usual]
    if above[-1]:
        return f"The last full hour is above usual: {last[1].total:,} mentions"
    return f"Above usual in {sum(above)} of the last six hours" if sum(above) > 1 else "The last full hour is as usual"


def draw_tone(books: Books, moment: Moment, overview: Overview) -> None:
    """The attitudes towards the police as shares, with their doubt."""
    st.header("Towards the police", anchor=False)
    if not overview.tone:
        st.text(tell_nothing(books, moment, NO_POSTS))
        return
    spec = draw_shares(overview.tone, dark=st.context.theme.type == "dark")
    st.vega_lite_chart(None, spec, alt=describe_shares(overview.tone))
    for name, share in overview.tone:
        st.text(f"{name}  {tell_share(share)}")
    posts = count_of(overview.tone[0][1].n, "post")
    st.caption(f"Of {posts}; 95 % interval of the count alone. How often the judging itself errs: see Accuracy.")


def draw_boroughs(books: Books, moment: Moment, overview: Overview) -> None:
    """Boroughs outside their own usual range."""
    st.header("Boroughs outside their usual", anchor=False)
    if not overview.weighed:
        st.text("Not known yet: it takes a week of posts to say what is usual.")
    elif not overview.unusual:
        none = f"None of {count_of(overview.weighed, 'borough')} over the last 24 full hours."
        st.text(tell_nothing(books, moment, none))
    else:
        st.dataframe(
            [borough_row(row) for row in overview.unusual], hide_index=True, alt="Boroughs outside their usual"
        )


def borough_row(row: Unusual) -> dict[str, object]:
    """One line of the table."""
    arrow = "above" if row.count > row.usual.high else "below"
    return {
        "Borough": row.borough,
        "24 h": row.count,
        "Red": row.red,
        "Is": arrow,
        "Usual": tell_range(row.usual).removeprefix("usual "),
    }


def draw_red() -> None:
    """The newest red posts; the list holds still until asked to move."""
    books, moment = read_now()
    st.header("Newest red", anchor=False)
    rows = read_newest_red(books, moment)
    held: set[str] = st.session_state.setdefault("held_red", {row.mention.id for row in rows})
    fresh = [row for row in rows if row.mention.id not in held]
    if fresh and st.button(f"{len(fresh)} new, show", key="show_red", type="primary"):
        held = st.session_state["held_red"] = {row.mention.id for row in rows}
    shown = [row for row in rows if row.mention.id in held]
    if not shown:
        st.text(tell_nothing(books, moment, "No red posts in the last 24 hours.") if not fresh else "")
        return
    st.dataframe(
        [red_row(row, moment, books) for row in shown],
        hide_index=True,
        column_config={
            "Time": st.column_config.TextColumn(width=90),
            "Post": st.column_config.TextColumn(width="large"),
        },
        alt="The newest red posts",
    )
    st.page_link("views/mentions.py", label="All red posts", query_params={"rag": "red"})


def red_row(row: Assessed, moment: Moment, books: Books) -> dict[str, str]:
    """One post as a line, names hidden."""
    return {
        "Time": tell_time(row.mention.published_at, moment.now),
        "Post": shorten(mask_text(row.mention.shown, books.own_handles), 180),
        "Topic": plain_words(row.assessment.topic),
        "Source": row.mention.source,
        "Boroughs": ", ".join(row.assessment.boroughs),
    }


if __name__ == "__main__":
    main()
