"""How far can the judgement be trusted: what it was measured against, when, and how often it was right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from dashboard.boards import read_board
from dashboard.chrome import read_now, unread_told
from dashboard.figures import describe_shares, draw_shares
from dashboard.reading import Moment
from dashboard.safe import strip_text
from dashboard.wording import count_of, parse_time, plain_words, tell_time
from mentions.shares import Share

COMMAND = "earshot evaluate --labels FILE"
KINDS = (("platforms", "By platform"), ("dialects", "By dialect"))


def main() -> None:
    """Draw the page."""
    st.title("Accuracy", anchor=False)
    with unread_told():
        draw_accuracy()


def draw_accuracy() -> None:
    """The last measurement, or how to make one."""
    books, moment = read_now()
    board = read_board(books.state, "evaluation")
    if board is None:
        st.markdown(
            f"The judgement has not been measured here yet. Run `{COMMAND}`, or `earshot evaluate` once posts have "
            "been corrected on the Mentions page; the result is shown here."
        )
        return
    try:
        draw_board(board.told, moment)
    except (KeyError, TypeError, ValueError, AttributeError):
        st.warning("The last measurement cannot be read.")
        st.markdown(f"It was written by another version of Earshot, or damaged. Run `{COMMAND}` again.")


def draw_board(board: Mapping[str, Any], moment: Moment) -> None:
    """All of it, the costly errors first."""
    whose = strip_text(board["labelled_by"]) or "nobody says whose labels these are"
    measured = tell_time(parse_time(board["at"]), moment.now)
    st.text(f"Measured {measured} on {count_of(board['rows'], 'labelled row')} of {strip_text(board['found_in'])}.")
    st.text(f"Labelled by: {whose}.")
    if board["rejected"]:
        st.text(f"{count_of(board['rejected'], 'row')} could not be read and was left out.")
    st.header("What matters most", anchor=False)
    draw_named((name.capitalize(), each) for name, each in board["costs"].items())
    st.header("Each field", anchor=False)
    st.dataframe([field_row(*each) for each in board["fields"].items()], hide_index=True, alt="Right answers by field")
    for name, found in board["fields"].items():
        draw_field(name, found)
    draw_calibration(board["calibration"])
    for kind, title in KINDS:
        draw_kinds(title, board[kind])
    st.caption(
        "Brackets: 95 % intervals, Wilson's for shares, bootstrap for F1; posts of one thread count as one. "
        f"Judged by {', '.join(map(strip_text, board['made_by']))}."
    )


def draw_named(told: Iterable[tuple[str, Mapping[str, Any] | None]]) -> None:
    """Shares as points with their intervals; those of nothing are left out."""
    shares = [(name, read_share(each)) for name, each in told if each]
    if not shares:
        st.text("None of the labelled rows is red.")
        return
    st.vega_lite_chart(None, draw_shares(shares, dark=st.context.theme.type == "dark"), alt=describe_shares(shares))
    for name, share in shares:
        st.text(f"{name}: {tell({'is': share.share, 'low': share.low, 'high': share.high})} of {share.n}")


def read_share(told: Mapping[str, Any]) -> Share:
    """A share of the board."""
    return Share(float(told["is"]), float(told["low"]), float(told["high"]), int(told["of"]))


def field_row(name: str, found: Mapping[str, Any]) -> dict[str, object]:
    """One field as a line."""
    return {
        "Field": plain_words(name),
        "Rows": found["rows"],
        "Right": tell(found["accuracy"]),
        "Macro F1": tell(found["macro_f1"]),
    }


def draw_field(name: str, found: Mapping[str, Any]) -> None:
    """Each answer, and what is taken for what."""
    with st.expander(f"{plain_words(name).capitalize()}: each answer, and what is taken for what"):
        if "answers" in found:
            rows = [
                {"Answer": answer, **{part.capitalize(): tell(told[part]) for part in ("precision", "recall", "f1")}}
                for answer, told in found["answers"].items()
            ]
            st.dataframe(rows, hide_index=True, alt=f"Answers of {plain_words(name)}")
        pairs = found["confusion"] if "confusion" in found else found["errors"]
        wrong = [f"{label} shown as {shown}: {count}" for label, shown, count in pairs if label != shown]
        st.text("\n".join(map(strip_text, wrong)) or "Nothing was taken for anything else.")


def draw_calibration(found: Mapping[str, Any]) -> None:
    """Whether sure means right."""
    st.header("Is it right as often as it is sure?", anchor=False)
    if not found["claims"]:
        st.text("No labelled row was judged for or against the police.")
        return
    rows = [
        {
            "Confidence": f"{each['from']:.1f} to {each['to']:.1f}",
            "Sure on average": f"{each['confidence']:.0%}",
            "Right": tell(each["right"]),
            "Claims": each["right"]["of"],
        }
        for each in found["bins"]
    ]
    st.dataframe(rows, hide_index=True, alt="How often claims of each confidence are right")
    st.text(
        f"Expected calibration error {found['error']:.3f} over {count_of(found['claims'], 'claim')} for or against."
    )


def draw_kinds(title: str, kinds: Mapping[str, Any]) -> None:
    """The macro F1 of each field, kind by kind."""
    if not kinds:
        return
    st.header(title, anchor=False)
    rows = [
        {
            title.removeprefix("By ").capitalize(): strip_text(name),
            "Rows": part["rows"],
            **{plain_words(field): tell(found["macro_f1"]) for field, found in part["fields"].items()},
        }
        for name, part in kinds.items()
    ]
    st.dataframe(rows, hide_index=True, alt=f"Macro F1 {title.lower()}")


def tell(value: Mapping[str, Any] | None) -> str:
    """A number with its interval; a dash where there is none."""
    return f"{value['is']:.0%} ({value['low']:.0%} to {value['high']:.0%})" if value else "–"


if __name__ == "__main__":
    main()
