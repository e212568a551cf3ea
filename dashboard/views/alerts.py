"""What is it, who has it, why does the system think so, and what has been done?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Literal

import streamlit as st

from alerts.incidents import acknowledge, add_note, resolve
from alerts.wording import GUIDANCE
from dashboard.asking import ask_who, draw_refusal, try_act
from dashboard.chrome import draw_live, read_now, unread_told
from dashboard.covering import tell_nothing
from dashboard.reading import Books, Moment
from dashboard.safe import mask_text, shorten, strip_text
from dashboard.wording import RAG_MARKS, count_of, parse_time, plain_words, tell_age, tell_span, tell_time
from mentions.records import Incident, IncidentState, Level, NoticeState

EVIDENCE = 10
LONGEST_NUMBER = 15
SENT = {
    NoticeState.QUEUED: "waiting",
    NoticeState.ACCEPTED: "accepted",
    NoticeState.DEAD: "given up",
}


def main() -> None:
    """The lists, or the one alert the address names."""
    asked = st.query_params.get("id", "")
    if asked:
        draw_asked(asked)
        return
    st.title("Alerts", anchor=False)
    draw_live(draw_lists, "alerts")


def draw_asked(asked: str) -> None:
    """One alert, or that there is none of this number."""
    books, moment = read_now()
    try:
        found = books.state.incident(int(asked) if asked.isdecimal() and len(asked) <= LONGEST_NUMBER else 0)
    except KeyError:
        st.title("No such alert", anchor=False)
        st.text(f"There is no alert numbered {shorten(strip_text(asked), 20)} here. An exercise keeps its own.")
        st.page_link("views/alerts.py", label="All alerts")
        return
    st.page_link("views/alerts.py", label="All alerts")
    st.title(f"Alert {found.id}", anchor=False)
    draw_live(partial(draw_facts, found.id), "alert")
    draw_actions(books, found, moment)
    draw_live(partial(draw_history, found.id), "history")
    with unread_told():
        draw_evidence(books, found, moment)


# -- the lists ---------------------------------------------------------------------------------------------------------


def draw_lists() -> None:
    """Open alerts, then closed ones."""
    books, moment = read_now()
    found = books.state.incidents(limit=200)
    current = [one for one in found if one.state is not IncidentState.RESOLVED]
    closed = [one for one in found if one.state is IncidentState.RESOLVED]
    st.header(f"Open ({len(current)})", anchor=False)
    if not current:
        st.text(tell_blank(books, moment, closed))
    for one in sorted(current, key=lambda one: (one.level is not Level.CRISIS, one.opened_at)):
        draw_summary(one, moment)
    if closed:
        st.header(f"Closed ({len(closed)})", anchor=False)
        for one in closed[:10]:
            draw_summary(one, moment)
        if len(closed) > 10:
            st.dataframe([closed_row(one, moment) for one in closed[10:]], hide_index=True, alt="Earlier alerts")


def tell_blank(books: Books, moment: Moment, closed: list[Incident]) -> str:
    """A blank list is comforting, so it says what it rests on."""
    last = max((one.opened_at for one in closed), default=None)
    ran = parse_time(books.state.get("last_rules_at"))
    rules = f"rules last ran {tell_time(ran, moment.now)}" if ran else "the rules have not run yet"
    rests_on = f"Last alert {tell_age(last, moment.now)}; {rules}."
    return f"{tell_nothing(books, moment, 'No open alerts.')} {rests_on}"


def draw_summary(one: Incident, moment: Moment) -> None:
    """One alert in a box."""
    with st.container(border=True):
        st.text(f"{mark_of(one)}  {strip_text(one.title)}")
        st.text(tell_standing(one, moment))
        st.page_link("views/alerts.py", label=f"Open alert {one.id}", query_params={"id": str(one.id)})


def mark_of(one: Incident) -> str:
    """Level with its shape; a crisis is never told by colour alone."""
    return "■ CRISIS" if one.level is Level.CRISIS else "▲ Warning"


def tell_standing(one: Incident, moment: Moment) -> str:
    """State, owner and clock in a line."""
    opened = tell_time(one.opened_at, moment.now)
    if one.state is IncidentState.RESOLVED:
        lasted = tell_span((one.resolved_at or one.updated_at) - one.opened_at)
        return f"opened {opened} · closed {tell_time(one.resolved_at, moment.now)} · lasted {lasted}"
    owner = f"owner {one.acknowledged_by}" if one.acknowledged_by else "owner — nobody yet"
    return f"{one.state.value} · {owner} · opened {opened} · {tell_age(one.opened_at, moment.now)}"


def closed_row(one: Incident, moment: Moment) -> dict[str, object]:
    """One older alert as a line."""
    return {
        "No.": one.id,
        "Level": mark_of(one),
        "What": strip_text(one.title),
        "Opened": tell_time(one.opened_at, moment.now),
        "Closed": tell_time(one.resolved_at, moment.now),
    }


# -- one alert ---------------------------------------------------------------------------------------------------------


def draw_facts(incident_id: int) -> None:
    """State, owner, clock and why; refreshed by themselves."""
    books, moment = read_now()
    one = books.state.incident(incident_id)
    st.header(f"{mark_of(one)} · {RAG_MARKS[one.colour]}", anchor=False)
    st.text(strip_text(one.title))
    st.text(tell_standing(one, moment))
    st.text(GUIDANCE[one.colour])
    st.header("Why", anchor=False)
    st.text("\n".join(tell_why(one, moment)))


def draw_history(incident_id: int) -> None:
    """What happened to it and who was told; refreshed by itself."""
    books, moment = read_now()
    one = books.state.incident(incident_id)
    st.header("Timeline", anchor=False)
    steps = books.state.transitions(one.id)
    st.dataframe(
        [
            {
                "Time": tell_time(step.at, moment.now, seconds=True),
                "What": step.what,
                "Why": strip_text(step.reason),
                "By": step.by,
            }
            for step in steps
        ],
        hide_index=True,
        alt="What happened to this alert, oldest first",
    )
    draw_notices(books, one, moment)


def tell_why(one: Incident, moment: Moment) -> list[str]:
    """What the rules saw, against what is usual."""
    said = []
    if one.window_minutes:
        said.append(
            f"{count_of(one.count, 'post')} in {tell_span(timedelta(minutes=one.window_minutes))}, "
            f"usual {one.expected:.1f}".removesuffix(".0")
        )
    elif one.count:
        said.append(count_of(one.count, "post"))
    if one.publishers:
        said.append(f"{count_of(one.publishers, 'independent voice')} (publishers or authors)")
    said.append(f"rules: {', '.join(one.rules) or 'not recorded'}")
    if one.topic:
        said.append(f"topic: {plain_words(one.topic)}")
    if one.watchlist:
        said.append(f"watchlist: {one.watchlist}")
    if one.boroughs:
        said.append(f"boroughs: {', '.join(one.boroughs)}")
    if one.first_evidence_at:
        said.append(
            f"first evidence {tell_time(one.first_evidence_at, moment.now)}, "
            f"last fed {tell_time(one.updated_at, moment.now)}"
        )
    if one.crisis_at:
        said.append(f"a crisis since {tell_time(one.crisis_at, moment.now)}")
    return said


def draw_notices(books: Books, one: Incident, moment: Moment) -> None:
    """Who was told, and whether the other side took it."""
    st.header("Notices", anchor=False)
    notices = books.state.notices(one.id)
    if not notices:
        st.text(
            "Nobody was told: a warning waits on this page."
            if one.level is Level.WARNING
            else "Nobody was told: no channel is set up."
        )
        return
    st.dataframe(
        [
            {
                "Channel": note.channel,
                "Told": note.kind.value,
                "State": SENT[note.state],
                "Queued": tell_time(note.queued_at, moment.now, seconds=True),
                "Accepted": tell_time(note.accepted_at, moment.now, seconds=True) if note.accepted_at else "not yet",
                "Tries": note.attempts,
                "Problem": strip_text(note.message),
            }
            for note in notices
        ],
        hide_index=True,
        alt="Notices sent for this alert",
    )


def draw_actions(books: Books, one: Incident, moment: Moment) -> None:
    """What a person can do, always under a name."""
    st.header("Act", anchor=False)
    draw_refusal()
    who = ask_who()
    note = strip_text(
        st.text_input("Note (optional for acknowledge and resolve)", max_chars=500, key=f"note-{one.id}") or ""
    ).strip()
    acts: tuple[tuple[str, Callable[[], object], bool], ...] = (
        (
            "Acknowledge",
            lambda: acknowledge(books.state, one.id, who, moment.now, note),
            one.state is IncidentState.OPEN,
        ),
        (
            "Resolve",
            lambda: resolve(books.state, one.id, who, moment.now, note),
            one.state is not IncidentState.RESOLVED,
        ),
        ("Add note", lambda: add_note(books.state, one.id, who, moment.now, note), bool(note)),
    )
    with st.container(horizontal=True):
        for label, act, possible in acts:
            kind: Literal["primary", "secondary"] = "primary" if label == "Acknowledge" else "secondary"
            if st.button(label, key=f"{label}-{one.id}", disabled=not (who and possible), type=kind):
                try_act(act)
    if not who:
        st.caption("Give your name to acknowledge, resolve or note.")


def draw_evidence(books: Books, one: Incident, moment: Moment) -> None:
    """The posts it rests on, the latest ten."""
    st.header("Evidence", anchor=False)
    held = books.store.get(list(one.evidence))
    rows = sorted(held.values(), key=lambda row: row.mention.published_at, reverse=True)
    if not rows:
        st.text("None of the posts it rested on are held any more.")
        return
    st.dataframe(
        [
            {
                "Time": tell_time(row.mention.published_at, moment.now),
                "Colour": RAG_MARKS[row.assessment.rag],
                "Post": shorten(mask_text(row.mention.shown, books.own_handles), 240),
                "Source": row.mention.source,
                "Voice": row.mention.publisher or row.mention.voice.value,
            }
            for row in rows[:EVIDENCE]
        ],
        hide_index=True,
        column_config={"Post": st.column_config.TextColumn(width="large")},
        alt="Posts behind this alert, newest first",
    )
    st.caption(
        f"{min(len(rows), EVIDENCE)} of {count_of(len(one.evidence), 'post')}; names hidden; nothing here is confirmed."
    )
    if one.watchlist or one.topic:
        st.page_link("views/mentions.py", label="Look in Mentions", query_params={"rag": one.colour.value})


if __name__ == "__main__":
    main()
