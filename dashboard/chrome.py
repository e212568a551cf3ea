"""What every page has around it: the state line, the exercise banner, and the sign that appears when news stop."""

from __future__ import annotations

import html
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import streamlit as st

from dashboard.holding import hold_books, hold_options
from dashboard.reading import MARKS, Books, Moment, Standing, Word, read_moment, read_standing
from dashboard.wording import tell_time
from mentions.clock import utc_now
from mentions.failures import Failure, UserError

EXERCISE_REFRESH_S = 2.0
MISSED = 3  # refreshes that may fail before the page says so
_ticks = itertools.count()

STYLE = """
<style>
.es-line{border-radius:.4rem;padding:.9rem 1.2rem;border-left:.9rem solid;margin:0 0 .4rem 0;line-height:1.3}
.es-line h1,.es-line .es-word{font-size:2.1rem;font-weight:700;margin:0;padding:0;color:inherit}
.es-line p{font-size:1.15rem;margin:.25rem 0 0 0;overflow-wrap:anywhere;color:inherit}
.es-line.es-small{padding:.4rem 1rem}
.es-line.es-small .es-word{font-size:1.15rem;display:inline}
.es-line.es-small p{font-size:1rem;display:inline;margin-left:.6rem}
.es-red{background:#b10e1e;color:#fff;border-color:#5c0610}
.es-amber{background:#ffd591;color:#0b0c0c;border-color:#b35900}
.es-green{background:#dff1e6;color:#0b0c0c;border-color:#00703c}
.es-unknown{background:#e6e8ea;color:#0b0c0c;border-color:#505a5f;outline:2px dashed #505a5f}
.es-exercise{background:#4c2c92;color:#fff;font-weight:700;padding:.4rem 1rem;border-radius:.4rem;
letter-spacing:.06em;margin-bottom:.4rem}
.es-dead{position:fixed;left:0;right:0;bottom:0;z-index:999990;background:#0b0c0c;color:#fff;font-weight:700;
font-size:1.2rem;text-align:center;padding:.7rem;opacity:0;visibility:hidden;pointer-events:none}
@media (max-width:640px){.es-line{padding:.6rem .8rem;border-left-width:.6rem}
.es-line h1,.es-line .es-word{font-size:1.6rem}.es-line p{font-size:1rem}}
.stMainBlockContainer{padding-top:4.4rem;padding-bottom:3rem}
.stElementContainer:has(.es-dead){position:absolute;height:0}
.stMain h2{font-size:1.45rem;padding-top:.9rem}.stMain h3{font-size:1.15rem}
.stMain [data-testid=stHeading] h1{font-size:1.9rem}
</style>
"""


def find_books() -> Books:
    """The open databases; where there are none, the page says why and what to do, and ends."""
    try:
        return hold_books()
    except (Failure, UserError) as error:
        st.html(line_html(Standing(Word.UNKNOWN, None, "There is nothing to show yet"), utc_now()))
        st.text(str(error))
        st.text(f"The pages read {hold_options().data}. Start the daemon with `earshot daemon`, then reload this page.")
        st.stop()


def read_now() -> tuple[Books, Moment]:
    """The books and what time it is in them."""
    books = find_books()
    return books, read_moment(books.state, utc_now())


def refresh_seconds() -> float:
    """How long until an open page asks again: quicker in an exercise, where time may run fast."""
    books = find_books()
    return EXERCISE_REFRESH_S if books.state.get("exercise") == "1" else hold_options().refresh


def draw_banner(moment: Moment) -> None:
    """EXERCISE, with the scenario's time, on every page of one."""
    if moment.exercise:
        at = html.escape(tell_time(moment.now, moment.wall, seconds=True))
        st.html(f'<div class="es-exercise">EXERCISE · scenario time {at} · nothing here is real</div>')
    elif moment.ended:
        at = html.escape(tell_time(moment.now, moment.wall))
        st.html(f'<div class="es-exercise">EXERCISE · ended at scenario time {at} · nothing here was real</div>')


def draw_line(standing: Standing, moment: Moment, *, small: bool = False) -> None:
    """The state line, the same marks and words wherever it is shown."""
    st.html(line_html(standing, moment.now, small=small))


def line_html(standing: Standing, now: datetime, *, small: bool = False) -> str:
    """The line as HTML; everything variable is escaped."""
    word, since = standing.word, ""
    if standing.since and word is not Word.UNKNOWN:
        since = f" since {tell_time(standing.since, now)}"
    doubt = f'<p class="es-doubt">◇ {html.escape(standing.doubt)}</p>' if standing.doubt else ""
    tag = "span" if small else "h1"
    return (
        f'<div class="es-line es-{word.lower()}{" es-small" if small else ""}">'
        f'<{tag} class="es-word">{MARKS[word]} {word.upper()}{html.escape(since)}</{tag}>'
        f"<p>{html.escape(standing.what)}</p>{doubt}</div>"
    )


def draw_pulse(every: float) -> None:
    """Hide "Not updating" for three refreshes more: each tick names a new animation, so it starts over; where no tick
    comes the sign appears, without a script."""
    name = f"es-{next(_ticks)}"
    wait = max(every * MISSED, 6)
    st.html(
        f"<style>@keyframes {name}{{0%,99.9%{{opacity:0;visibility:hidden}}100%{{opacity:1;visibility:visible}}}}"
        f".es-dead{{animation:{name} {wait}s linear forwards}}</style>"
        '<div class="es-dead">■ Not updating: these figures are old. Check the connection, then reload.</div>'
    )


def draw_live(draw: Callable[[], None], key: str) -> None:
    """A part of the page that draws itself anew for as long as the page is open. Where the databases cannot be read
    for a moment it says so, and the rest of the page stays."""

    @st.fragment(run_every=refresh_seconds(), key=key)
    def live() -> None:
        with unread_told("It tries again by itself."):
            draw()

    live()


@contextmanager
def unread_told(hope: str = "Reload the page to try again.") -> Iterator[None]:
    """Where a part of the page cannot be read, it says why; the rest of the page stays."""
    try:
        yield
    except (Failure, UserError) as error:
        st.warning(f"This part cannot be read at the moment. {hope}")
        st.text(str(error))


def draw_top(*, small: bool) -> None:
    """Banner, state line and pulse."""
    every = refresh_seconds()

    def top() -> None:
        books, moment = read_now()
        draw_banner(moment)
        draw_line(read_standing(books.state, moment), moment, small=small)
        draw_pulse(every)

    draw_live(top, "top")
