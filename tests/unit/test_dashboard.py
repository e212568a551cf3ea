"""The pure parts of the pages: masking, wording, what is usual, the chart, the export, the options, the port."""

from __future__ import annotations

import csv
import io
import json
import socket
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.export import write_csv
from dashboard.figures import describe_hours, draw_hours
from dashboard.finding import Filters
from dashboard.guard import make_policy
from dashboard.keeping import Kept
from dashboard.options import Options, read_options
from dashboard.safe import check_link, mask_text, neutralise_cell, shorten, strip_text
from dashboard.serve import bind
from dashboard.usual import DAY, HOUR, Counts, Range, sum_hours, tell_range, usual_clock, usual_day
from dashboard.wording import count_of, parse_time, tell_age, tell_span, tell_time
from mentions.failures import UserError
from mentions.mention import Rag
from mentions.shares import wilson
from mentions.store import Tally
from tests.seeding import make_row

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


# -- safe --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("thanks @some_body for this", "thanks @••• for this"),
        ("@somebody.", "@•••."),
        ("ask @MetPoliceUK please", "ask @MetPoliceUK please"),
        ("@jo@mastodon.example said", "@••• said"),
        ("write to jo.bloggs@mail.example now", "write to •••@••• now"),
        ("see https://x.com/somebody/status/1", "see https://x.com/•••/status/1"),
        ("https://social.example/@somebody/12", "https://social.example/@•••/12"),
        ("u/somebody posted in r/london", "u/••• posted in r/london"),
        ("reddit.com/r/london is open", "reddit.com/r/london is open"),
        ("50 @ 3 each", "50 @ 3 each"),
    ],
)
def test_names_are_hidden_but_for_our_own(said: str, shown: str) -> None:
    assert mask_text(said, ("@metpoliceuk",)) == shown


def test_an_own_handle_does_not_open_a_longer_one() -> None:
    assert mask_text("@metpoliceuk_fan", ("metpoliceuk",)) == "@•••"


@given(st.text(max_size=300))
def test_whatever_was_written_can_be_masked_and_printed(text: str) -> None:
    shown = mask_text(text, ("own",))
    shown.encode("utf-8")
    assert "\u202e" not in shown
    assert "\x00" not in shown
    assert "\n" not in shorten(shown, 80)
    assert len(shorten(shown, 80)) <= 80


def test_lone_surrogates_and_direction_marks_are_taken_out() -> None:
    assert strip_text("a\udc80b\u202ec\x07d") == "a?bcd"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example",
        "//a.example",
        "",
        "http://",
        "http://[",
        "https://u@a.example",
    ],
)
def test_only_plain_web_links_are_offered(link: str) -> None:
    assert check_link(link) is None


def test_a_web_link_is_offered_with_its_host() -> None:
    assert check_link(" https://forum.example/t/1?a=b ") == ("https://forum.example/t/1?a=b", "forum.example")


@given(st.text(max_size=40))
def test_no_cell_starts_a_formula(text: str) -> None:
    assert not neutralise_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


# -- export ------------------------------------------------------------------------------------------------------------


def test_an_export_is_masked_neutral_and_in_london_time() -> None:
    row = make_row(1, NOON, Rag.RED, text='=HYPERLINK("http://evil.example","x") by @somebody')
    content, count = write_csv([row], ())
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert count == len(lines) == 1
    assert lines[0]["text"].startswith("'=")
    assert "somebody" not in lines[0]["text"]
    assert lines[0]["published (London)"] == "2026-06-01T13:00:00+01:00"


# -- words -------------------------------------------------------------------------------------------------------------


def test_times_are_londons_with_their_zone() -> None:
    assert tell_time(NOON, NOON) == "13:00 BST"
    assert tell_time(NOON - DAY, NOON) == "Sun 31 May 13:00 BST"
    assert tell_time(datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), NOON, seconds=True) == "Thu 2 Jan 2025 03:04:05 GMT"
    assert tell_time(None, NOON) == "never"


def test_the_two_half_past_ones_of_the_autumn_night_differ() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert [tell_time(at, first) for at in (first, first + HOUR)] == ["01:30 BST", "01:30 GMT"]


def test_ages_and_counts_read_as_people_say_them() -> None:
    assert [tell_age(NOON - gap, NOON) for gap in (timedelta(seconds=5), timedelta(minutes=42), 3 * DAY)] == [
        "5 s ago",
        "42 min ago",
        "3 d ago",
    ]
    assert tell_age(NOON + HOUR, NOON) == "in 60 min"
    assert tell_span(timedelta(0)) == "0 s"
    assert (count_of(1, "post"), count_of(1204, "post")) == ("1 post", "1,204 posts")
    assert parse_time("nonsense") is None
    assert parse_time("2026-06-01T12:00:00") == NOON


def test_days_of_the_filter_are_londons() -> None:
    day = Filters(since=date(2026, 6, 1), until=date(2026, 6, 1))
    assert day.start == datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert day.end == datetime(2026, 6, 1, 23, tzinfo=UTC)


# -- usual -------------------------------------------------------------------------------------------------------------


def test_tallies_add_up_by_key_and_hour() -> None:
    rows = [Tally(NOON, "*", "red", 2, 1, 0), Tally(NOON, "*", "none", 3, 0, 1), Tally(NOON, "Camden", "red", 2, 1, 0)]
    found = sum_hours(rows)
    assert found["*"][NOON] == Counts(red=2, none=3, negative=1, positive=1)
    assert found["*"][NOON].total == 5
    assert found["Camden"][NOON].red == 2


def test_nothing_is_usual_before_a_week_is_known() -> None:
    assert usual_clock({NOON - 6 * DAY: 4}, NOON, NOON - 6 * DAY) == {}
    assert usual_clock({}, NOON, None) == {}
    assert usual_day({NOON - 6 * DAY: 4}, NOON, NOON - 6 * DAY) is None


def test_silent_hours_count_as_zero_and_the_last_day_does_not_count() -> None:
    past = {NOON - n * DAY: 10 for n in range(1, 29, 2)}
    usual = usual_clock(past, NOON, NOON - 28 * DAY)[13]
    assert (usual.low, usual.high, usual.days) == (0, 10, 27)
    assert usual_clock({**past, NOON - HOUR: 9_999}, NOON, NOON - 28 * DAY)[12].high == 0


def test_a_usual_day_is_the_sum_of_its_hours() -> None:
    past = {NOON - hour * HOUR: 2 for hour in range(1, 24 * 15 + 1)}
    usual = usual_day(past, NOON, min(past))
    assert usual == Range(48, 48, 14)
    assert tell_range(usual) == "usual 48"


def test_a_share_carries_its_doubt() -> None:
    share = wilson(5, 10)
    assert share is not None
    assert (round(share.low, 3), round(share.high, 3)) == (0.237, 0.763)
    none = wilson(0, 5)
    assert none is not None
    assert none.low == 0
    assert none.high > 0.4
    assert wilson(0, 0) is None


# -- chart -------------------------------------------------------------------------------------------------------------


def test_the_chart_holds_londons_hours_and_no_zone() -> None:
    hours = [(NOON - HOUR, Counts(red=3, none=1), Range(1, 2, 28))]
    spec = json.dumps(draw_hours(hours, [], dark=False, until=NOON))
    assert '"2026-06-01T12:00"' in spec
    assert "+00:00" not in spec
    assert 'Z"' not in spec
    assert describe_hours(hours) == (
        "Mentions per hour: 4 in all, 3 red, 0 amber; most in the hour from 12:00 on 01 Jun (4)."
    )


def test_the_hours_of_the_autumn_night_do_not_fall_on_each_other() -> None:
    until = datetime(2026, 10, 25, 6, tzinfo=UTC)
    hours = [(until - n * HOUR, Counts(red=1), None) for n in range(8, 0, -1)]
    layers = draw_hours(hours, [], dark=True, until=until)["layer"]
    assert isinstance(layers, list)
    drawn = [row["at"] for row in layers[0]["data"]["values"]]
    assert len(set(drawn)) == len(hours)


# -- around ------------------------------------------------------------------------------------------------------------


def test_a_slow_value_is_served_as_it_was_while_it_is_read_anew() -> None:
    kept: Kept[int] = Kept(fresh_s=600)
    assert kept.get("a", lambda: 1) == 1
    assert kept.get("a", lambda: 2) == 1
    assert kept.get("b", lambda: 3, strict=True) == 3


def test_options_survive_the_way_through_the_environment(tmp_path: Path) -> None:
    told = Options(tmp_path, "0.0.0.0", 9001, ("desk.example",), ("@metpoliceuk",), refresh=5.0)
    read = read_options(told.to_env())
    assert (read.data, read.port, read.own_handles, read.refresh) == (tmp_path, 9001, ("@metpoliceuk",), 5.0)
    assert set(read.hosts) == {"127.0.0.1", "localhost", "::1", "desk.example"}
    assert read.store_url == f"sqlite:{tmp_path / 'mentions.db'}"


def test_a_settings_file_gives_what_the_environment_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "earshot.toml"
    file.write_text('own_handles = ["@metpoliceuk"]\n[dashboard]\nport = 9002\n', "utf-8")
    read = read_options({"EARSHOT_CONFIG": str(file)})
    assert (read.port, read.own_handles) == (9002, ("@metpoliceuk",))
    assert read.data == tmp_path / "earshot-data"


def test_the_policy_lets_no_foreign_script_picture_or_frame_in() -> None:
    policy = make_policy()
    assert "script-src 'self' 'sha256-" in policy
    assert "img-src 'self' data: blob:" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match=r"set another under \[dashboard\] port"):
            bind("127.0.0.1", taken.getsockname()[1])
