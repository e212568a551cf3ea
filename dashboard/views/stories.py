"""What is being told, how far has it gone, who really tells it, and what is new in the talk?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from dashboard.boards import Shown, read_board
from dashboard.chrome import draw_live, read_now
from dashboard.covering import tell_nothing
from dashboard.reading import Books, Moment
from dashboard.safe import check_link, mask_text, shorten
from dashboard.wording import RAG_MARKS, REACHES, count_of, parse_time, tell_time
from mentions.mention import Assessed, Rag, Reach

IN_FULL = 10
POSTS_A_TERM = 3
TERMS = 20
PARTS = ("newest", "campaign", "brigade")
POST_COLUMNS = {
    "Post": st.column_config.TextColumn(width="large"),
    "Original": st.column_config.LinkColumn(display_text=r"https?://([^/?#]+)"),
}
GONE = "(its first post is no longer held)"

Row = Mapping[str, Any]


def main() -> None:
    """Draw the page."""
    st.title("Stories", anchor=False)
    draw_live(draw_stories, "stories")
    draw_live(draw_emerging, "emerging")


def draw_stories() -> None:
    """The stories of the board: the first ten in full, the others in a table."""
    books, moment = read_now()
    board = read_board(books.state, "stories")
    rows: list[Row] = board.told.get("stories", []) if board else []
    if board is None:
        st.text("No stories yet: the daemon works them out every two minutes.")
        return
    if not rows:
        none = tell_nothing(books, moment, "No story of the last three days is told by more than one post.")
        st.text(f"{none} {board.tell_age(moment)}")
        return
    st.text(tell_scope(board, rows, moment))
    ids = [str(row["origin"]) for row in rows] + [id_ for row in rows[:IN_FULL] for part in PARTS for id_ in row[part]]
    origins = books.store.get(ids)
    for row in rows[:IN_FULL]:
        draw_story(row, origins, books, moment)
    if len(rows) > IN_FULL:
        st.dataframe(
            [table_row(row, tell_origin(origins.get(row["origin"]), books), moment) for row in rows[IN_FULL:]],
            hide_index=True,
            column_config={"Story": st.column_config.TextColumn(width="large")},
            alt="Further stories, highest score first",
        )
    st.caption(
        "Score: colour x reach x speed x attitude, 0 to 100. A campaign is one text posted by many accounts as their "
        "own; its text counts once in speed and attitude. New to a thread: not seen there earlier in the posts read, "
        "which begin at the time above. These marks say how posts look, not who stands behind them."
    )


def tell_scope(board: Shown, rows: list[Row], moment: Moment) -> str:
    """What the list rests on."""
    since = tell_time(parse_time(board.told.get("since")), moment.now)
    shown = (
        f"{len(rows)} of {board.told['found']:,} stories" if board.told.get("found", 0) > len(rows) else "All stories"
    )
    unread = "" if board.told["whole"] else " What was said before that was too much to be read."
    looked_at = count_of(board.told.get("looked_at", 0), "post")
    return f"{shown} since {since}, from {looked_at}.{unread} {board.tell_age(moment)}"


def tell_origin(first: Assessed | None, books: Books) -> str:
    """The words it began with, looked up in the store: a board keeps none."""
    return shorten(mask_text(first.mention.shown, books.own_handles), 200) if first else GONE


def draw_story(row: Row, posts: Mapping[str, Assessed], books: Books, moment: Moment) -> None:
    """One story in a box, every term of its score in sight, and some posts behind it."""
    with st.container(border=True):
        st.text(f"{row['score']['value']}  {tell_origin(posts.get(row['origin']), books)}")
        st.text(f"Score {tell_score(row['score'])}")
        st.text(tell_spread(row, moment))
        for mark in marks_of(row):
            st.text(mark)
        shown = [
            {"Which": part, **post_row(posts[id_], books, moment)}
            for part in PARTS
            for id_ in row[part]
            if id_ in posts
        ]
        if shown:
            with st.expander("Posts behind it"):
                st.dataframe(shown, hide_index=True, column_config=POST_COLUMNS, alt="Some posts of this story")


def tell_score(score: Row) -> str:
    """The product, as it is worked out."""
    reach = REACHES[Reach(score["band"])] or "unknown"
    return (
        f"{score['value']} = 100 x colour {RAG_MARKS[Rag(score['worst'])]} {score['colour']:.2f} "
        f"x reach {reach} {score['reach']:.2f} x speed {score['per_hour']:.1f} an hour {score['speed']:.2f} "
        f"x attitude {score['negative']:.0%} negative {score['attitude']:.2f}"
    )


def tell_spread(row: Row, moment: Moment) -> str:
    """How often, by whom, where and since when."""
    began, last = (tell_time(parse_time(row[name]), moment.now) for name in ("began_at", "last_at"))
    places = ", ".join(f"{name} {count}" for name, count in list(row["sources"].items())[:4])
    more = f" and {len(row['sources']) - 4} more" if len(row["sources"]) > 4 else ""
    voices = count_of(row["independent"], "voice", "voices")
    return f"{count_of(row['count'], 'post')}, {voices} in words of their own · {began} to {last} · {places}{more}"


def marks_of(row: Row) -> list[str]:
    """What keeps its figures from being public feeling."""
    marks = []
    if row["campaign_count"]:
        marks.append(
            f"⚑ Campaign: {count_of(row['campaign_count'], 'post')} with one text. "
            f"Negative {row['negative_share']:.0%} with it, {row['public_negative_share']:.0%} without."
        )
    if row["brigade_count"]:
        posts = count_of(row["brigade_count"], "hostile post")
        marks.append(f"⚑ Brigade: {posts} at once in one thread, by accounts new to it.")
    return marks


def table_row(row: Row, words: str, moment: Moment) -> dict[str, object]:
    """One line of the table."""
    return {
        "Score": row["score"]["value"],
        "Story": words,
        "Posts": row["count"],
        "Voices": row["independent"],
        "Since": tell_time(parse_time(row["began_at"]), moment.now),
        "How": tell_score(row["score"]),
        "Marks": " ".join(marks_of(row)),
    }


def draw_emerging() -> None:
    """Terms that rise, and below them the posts behind each."""
    books, moment = read_now()
    st.header("Emerging talk", anchor=False)
    board = read_board(books.state, "emerging")
    if board is None:
        st.text("Not worked out yet: the daemon does so every ten minutes.")
        return
    listed: list[Row] = board.told.get("rises", [])[:TERMS]
    posts = books.store.get([str(id_) for rise in listed for id_ in rise["posts"]])
    rises = [rise for rise in listed if any(id_ in posts for id_ in rise["posts"])]  # what is erased goes with its term
    if not rises:
        none = "Nothing rises: talk is as usual, or there is no past to hold it against."
        st.text(f"{tell_nothing(books, moment, none)} {board.tell_age(moment)}")
        return
    st.dataframe([rise_row(rise) for rise in rises], hide_index=True, alt="Terms that rise, surest first")
    st.caption(f"The last 24 hours against the 14 days before. Voices are counted, not posts. {board.tell_age(moment)}")
    st.subheader("The posts behind them", anchor=False)
    st.dataframe(
        list(post_rows(rises, posts, books, moment)),
        hide_index=True,
        column_config=POST_COLUMNS,
        alt="The newest posts with each term",
    )


def rise_row(rise: Row) -> dict[str, object]:
    """One term."""
    return {
        "Term": rise["term"],
        "Kind": rise["kind"],
        "Voices": rise["voices"],
        "Foretold by its past": f"{rise['expected']:.1f}",
        "Times": f"{rise['lift']:.0f}",
    }


def post_rows(
    rises: Iterable[Row], posts: Mapping[str, Assessed], books: Books, moment: Moment
) -> Iterable[dict[str, object]]:
    """The newest posts of each term that are still held."""
    for rise in rises:
        for row in [posts[id_] for id_ in rise["posts"] if id_ in posts][:POSTS_A_TERM]:
            yield {"Term": rise["term"], **post_row(row, books, moment)}


def post_row(row: Assessed, books: Books, moment: Moment) -> dict[str, object]:
    """One post, and the way to it where that is safe."""
    link = check_link(row.mention.link)
    return {
        "Time": tell_time(row.mention.published_at, moment.now),
        "Post": shorten(mask_text(row.mention.shown, books.own_handles), 200),
        "Source": row.mention.source,
        "Original": link[0] if link else None,
    }


if __name__ == "__main__":
    main()
