"""The pages, run as Streamlit runs them, over a real store and a real state."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from alerts.wording import GUIDANCE
from dashboard.holding import release_books
from mentions.boards import write_board
from mentions.mention import Rag
from mentions.records import IncidentState, SourceState
from tests import seeding
from tests.conftest import ROOT
from tests.seeding import Seeded

APP = ROOT / "dashboard" / "app.py"


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    """Empty databases, sources on time, a living daemon; the pages read them."""
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    made = seeding.open_seeded(tmp_path / "data")
    yield made
    release_books()
    made.close()


def visit(page: str = "now", **params: str) -> AppTest:
    """Open a page as its address would, and check that nothing broke."""
    at = AppTest.from_file(str(APP), default_timeout=15).run()
    if page != "now" or params:
        at.switch_page(f"views/{page}.py")
        for key, value in params.items():
            at.query_params[key] = value
        at.run()
    assert not at.exception, at.exception
    return at


@contextmanager
def busy(folder: Path) -> Iterator[None]:
    """Somebody else writes to the state and does not come to an end."""
    other = sqlite3.connect(folder / "data" / "state.db")
    other.execute("BEGIN IMMEDIATE")
    yield
    other.rollback()
    other.close()


def line(at: AppTest) -> str:
    """The state line's HTML."""
    found: list[str] = [block.body for block in at.html if 'class="es-line' in block.body]
    assert len(found) == 1
    return found[0]


def texts(at: AppTest) -> str:
    """All plain text on the page."""
    return "\n".join(str(block.value) for block in at.text)


def interpreted(at: AppTest) -> str:
    """Everything on the page that a browser would read as Markdown or HTML."""
    blocks = [*at.markdown, *at.caption, *at.title, *at.header, *at.subheader, *at.warning, *at.error, *at.info]
    return "\n".join([*(str(block.value) for block in blocks), *(block.body for block in at.html)])


def table(at: AppTest, place: int = 0) -> str:
    """A table as text."""
    return str(at.dataframe[place].value.to_csv(index=False))


# -- the state line ----------------------------------------------------------------------------------------------------


def test_a_crisis_is_told_by_word_shape_and_time(seeded: Seeded) -> None:
    seeding.seed_crisis(seeded)
    said = line(visit())
    assert "■ RED since" in said
    assert "crisis: Disputed police action" in said
    assert "open" in said


def test_a_warning_alone_is_amber(seeded: Seeded) -> None:
    seeding.seed_warning(seeded)
    assert "▲ AMBER since" in line(visit())


def test_no_open_alert_is_green_while_everything_lives(seeded: Seeded) -> None:
    said = line(visit())
    assert "● GREEN" in said
    assert "No open alerts" in said


def test_a_silent_daemon_is_never_green(seeded: Seeded) -> None:
    seeding.beat(seeded, datetime.now(UTC) - timedelta(seconds=61))
    at = visit()
    assert "◇ UNKNOWN" in line(at)
    assert "earshot daemon" in line(at)
    assert at.metric[3].value == "0 of 3"


@pytest.mark.parametrize("ago", [timedelta(minutes=6), timedelta(hours=9)])
def test_rules_that_stopped_running_are_never_green(seeded: Seeded, ago: timedelta) -> None:
    seeded.state.put("last_rules_at", (datetime.now(UTC) - ago).isoformat())
    said = line(visit())
    assert "◇ UNKNOWN" in said
    assert "no alert can be raised" in said


def test_a_stopped_source_is_never_green(seeded: Seeded) -> None:
    seeding.stop_source(seeded)
    at = visit()
    assert "◇ UNKNOWN" in line(at)
    assert "City News" in line(at)
    assert at.metric[3].value == "2 of 3"


def test_a_crisis_stays_red_when_sources_stop_and_says_so(seeded: Seeded) -> None:
    seeding.seed_crisis(seeded)
    seeding.stop_source(seeded)
    assert "■ RED" in line(visit())
    assert "City News stopped" in line(visit())


def test_a_source_nobody_polled_when_due_is_late(seeded: Seeded) -> None:
    row = seeded.state.source("City News")
    assert row.next_check_at is not None
    seeded.state.save_source(
        type(row)(name=row.name, kind=row.kind, state=SourceState.OK, next_check_at=seeded.now - timedelta(minutes=11))
    )
    at = visit("sources")
    assert "▲ late" in table(at)


def test_an_incident_title_is_never_markup(seeded: Seeded) -> None:
    seeding.seed_warning(seeded, title="<img src=http://evil.example/p.png> & co")
    assert "&lt;img" in line(visit())
    assert "<img" not in interpreted(visit("alerts"))


@pytest.mark.parametrize("page", ["now", "mentions", "stories", "alerts", "sources"])
def test_every_page_of_an_exercise_is_marked(seeded: Seeded, page: str) -> None:
    seeded.state.put("exercise", "1")
    seeded.state.put("exercise_now", "2026-03-29T00:59:59+00:00")
    marked = [block.body for block in visit(page).html if "es-exercise" in block.body and "<style>" not in block.body]
    assert len(marked) == 1
    assert "EXERCISE" in marked[0]
    assert "00:59:59 GMT" in marked[0]


def test_an_ended_exercise_is_unknown_not_green(seeded: Seeded) -> None:
    seeded.state.put("exercise", "ended")
    seeded.state.put("exercise_now", "2026-06-01T12:00:00+00:00")
    at = visit()
    assert "UNKNOWN" in line(at)
    assert "exercise ended" in line(at).lower()


def test_without_data_the_page_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "nothing"))
    at = AppTest.from_file(str(APP), default_timeout=15).run()
    assert not at.exception
    assert "UNKNOWN" in line(at)
    assert "earshot daemon" in texts(at)
    assert not (tmp_path / "nothing").exists()


# -- Now ---------------------------------------------------------------------------------------------------------------


def test_now_counts_the_last_hour_beside_what_is_usual(seeded: Seeded) -> None:
    seeding.seed_days(seeded)
    quiet = visit()
    assert int(quiet.metric[0].value) <= 2
    assert "usual" in quiet.metric[0].delta
    seeding.seed_crisis(seeded)
    assert int(visit().metric[0].value) >= 25


def test_the_running_hour_is_not_in_the_chart(seeded: Seeded) -> None:
    start = seeded.now.replace(minute=0, second=0, microsecond=0)
    seeded.store.save([seeding.make_row(1, start, Rag.RED)])
    assert "No posts about the police in this window." in texts(visit())
    seeded.store.save([seeding.make_row(2, start - timedelta(minutes=1), Rag.RED)])
    assert "No posts about the police in this window." not in texts(visit())


def test_new_red_posts_wait_until_they_are_asked_for(seeded: Seeded) -> None:
    seeded.store.save([seeding.make_row(1, seeded.now - timedelta(minutes=9), Rag.RED, text="first red of the test")])
    at = visit()
    seeded.store.save([seeding.make_row(2, seeded.now - timedelta(minutes=2), Rag.RED, text="second red of the test")])
    at.run()
    assert "second red" not in table(at)
    at.button(key="show_red").click().run()
    assert "second red" in table(at)


def test_a_borough_above_its_usual_is_named(seeded: Seeded) -> None:
    seeding.seed_days(seeded)
    seeding.seed_crisis(seeded, ago=timedelta(hours=2))
    rows = [str(frame.value.to_csv()) for frame in visit().dataframe]
    assert any("Camden" in row and "above" in row for row in rows)


# -- Mentions ----------------------------------------------------------------------------------------------------------


def test_a_search_narrows_the_list(seeded: Seeded) -> None:
    at = [seeded.now - timedelta(minutes=n) for n in (1, 2)]
    seeded.store.save(
        [seeding.make_row(1, at[0], Rag.RED, text="library"), seeding.make_row(2, at[1], Rag.GREEN, text="market")]
    )
    page = visit("mentions")
    page.text_input(key="q").set_value("market").run()
    assert "market" in table(page)
    assert "library" not in table(page)
    assert seeded.state.audit_trail(1)[0].action == "search"


def test_a_search_outside_the_language_says_where_and_what_to_write(seeded: Seeded) -> None:
    page = visit("mentions", q='police "van')
    assert "character 8" in page.warning[0].value
    assert "never closed" in texts(page)


def test_the_address_carries_the_filters(seeded: Seeded) -> None:
    seeding.seed_crisis(seeded)
    page = visit("mentions", rag="amber")
    assert "Amber" in table(page)
    assert "Red" not in table(page)


def test_posts_not_about_the_police_are_shown_only_when_asked_for(seeded: Seeded) -> None:
    row = seeding.make_row(1, seeded.now - timedelta(minutes=1), Rag.NONE, text="gardening news")
    seeded.store.save([seeding.irrelevant(row)])
    page = visit("mentions")
    assert not page.dataframe
    page.toggle(key="everything").set_value(True).run()
    assert "gardening" in table(page)


def test_pages_neither_skip_nor_repeat(seeded: Seeded) -> None:
    rows = [seeding.make_row(n, seeded.now - timedelta(seconds=n // 2), Rag.GREEN) for n in range(1, 251)]
    seeded.store.save(rows)
    page = visit("mentions")
    seen = list(page.dataframe[0].value["Post"])
    for _ in range(2):
        page.button(key="older").click().run()
        seen += list(page.dataframe[0].value["Post"])
    assert len(seen) == len(set(seen)) == 250


def test_an_opened_mention_shows_its_words_and_the_reasons(seeded: Seeded) -> None:
    seeded.store.save(
        [seeding.make_row(7, seeded.now - timedelta(minutes=1), Rag.RED, text="Officer shoved a teenager")]
    )
    page = visit("mentions", id="test:7")
    assert "Officer shoved a teenager" in texts(page)
    assert "rated red on the strategy's topic" in texts(page)
    assert "negative" in texts(page)
    page.button(key="close_mention").click().run()
    assert "id" not in page.query_params


def test_an_unknown_mention_is_said_to_be_gone(seeded: Seeded) -> None:
    assert "not held" in texts(visit("mentions", id="test:404"))


@pytest.mark.parametrize("page", ["now", "mentions", "alerts"])
def test_what_strangers_wrote_is_never_interpreted(seeded: Seeded, page: str) -> None:
    row = seeding.make_row(1, seeded.now - timedelta(minutes=1), Rag.RED, text=seeding.HOSTILE)
    seeded.store.save([row])
    opened = seeding.seed_warning(seeded, evidence=("test:1",))
    params = {"mentions": {"id": "test:1"}, "alerts": {"id": str(opened.id)}}.get(page, {})
    at = visit(page, **params)
    assert "evil.example" not in interpreted(at)
    shown = texts(at) + "".join(table(at, n) for n in range(len(at.dataframe)))
    assert "Met officers again" in shown
    assert "someone_private" not in shown
    assert "a.person" not in shown
    assert "\u202e" not in shown


def test_an_empty_page_says_why_and_what_to_do(seeded: Seeded) -> None:
    assert "Sources says whether anything is arriving" in texts(visit("mentions"))
    seeded.store.save([seeding.make_row(1, seeded.now - timedelta(minutes=1), Rag.GREEN)])
    page = visit("mentions", q="nowhere")
    assert "Take a filter away" in texts(page)
    page.button(key="clear_empty").click().run()
    assert len(page.dataframe) == 1


# -- Alerts ------------------------------------------------------------------------------------------------------------


def test_no_open_alerts_says_what_that_rests_on(seeded: Seeded) -> None:
    said = texts(visit("alerts"))
    assert "No open alerts. Last alert never; rules last ran" in said


def test_an_alert_tells_why_who_and_what_was_sent(seeded: Seeded) -> None:
    opened = seeding.seed_crisis(seeded)
    page = visit("alerts", id=str(opened.id))
    said = texts(page)
    assert "31 posts in 30 min, usual 1.5" in said
    assert "owner — nobody yet" in said
    tables = "".join(table(page, n) for n in range(len(page.dataframe)))
    assert "duty-desk,opened,accepted" in tables
    assert "Officer shoved a teenager" in tables


def test_acknowledging_takes_a_name_and_is_recorded(seeded: Seeded) -> None:
    opened = seeding.seed_crisis(seeded)
    page = visit("alerts", id=str(opened.id))
    assert page.button(key=f"Acknowledge-{opened.id}").disabled
    page.text_input(key="who_typed").set_value("R. Duty").run()
    page.button(key=f"Acknowledge-{opened.id}").click().run()
    held = seeded.state.incident(opened.id)
    assert (held.state, held.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "R. Duty")
    assert seeded.state.audit_trail(1)[0].actor == "R. Duty"
    assert "owner R. Duty" in texts(page)


def test_notes_and_resolving_go_into_the_history(seeded: Seeded) -> None:
    opened = seeding.seed_crisis(seeded)
    page = visit("alerts", id=str(opened.id))
    page.text_input(key="who_typed").set_value("R. Duty").run()
    page.text_input(key=f"note-{opened.id}").set_value("statement is out").run()
    page.button(key=f"Add note-{opened.id}").click().run()
    page.button(key=f"Resolve-{opened.id}").click().run()
    assert seeded.state.incident(opened.id).state is IncidentState.RESOLVED
    reasons = [(step.what, step.reason) for step in seeded.state.transitions(opened.id)]
    assert ("note", "statement is out") in reasons


def test_an_alert_is_told_with_the_guidance_its_notices_carry(seeded: Seeded) -> None:
    opened = seeding.seed_crisis(seeded)
    assert GUIDANCE[opened.colour] in texts(visit("alerts", id=str(opened.id)))


def ask_too_late() -> None:
    """A page whose one act cannot be done any more."""
    import streamlit as st

    from dashboard.asking import draw_refusal, try_act
    from mentions.failures import UserError

    def acknowledge() -> None:
        raise UserError("incident 7 is resolved already")

    draw_refusal()
    if st.button("Go"):
        try_act(acknowledge)


def test_an_act_that_comes_too_late_is_refused_in_words_once() -> None:
    page = AppTest.from_function(ask_too_late).run()
    page.button[0].click().run()
    assert not page.exception
    assert page.warning[0].value.startswith("This was not done")
    assert texts(page) == "incident 7 is resolved already"
    assert not page.run().warning


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_act_while_the_database_is_busy_is_refused_in_words(seeded: Seeded, tmp_path: Path) -> None:
    opened = seeding.seed_crisis(seeded)
    page = visit("alerts", id=str(opened.id))
    page.text_input(key="who_typed").set_value("R. Duty").run()
    with busy(tmp_path):
        page.button(key=f"Acknowledge-{opened.id}").click().run()
        assert not page.exception
        assert page.warning[0].value.startswith("This was not done")
    page.button(key=f"Acknowledge-{opened.id}").click().run()
    assert seeded.state.incident(opened.id).acknowledged_by == "R. Duty"


@pytest.mark.parametrize("asked", ["99", "x", "-1", "9" * 40])
def test_an_alert_that_is_not_there_is_said_so(seeded: Seeded, asked: str) -> None:
    assert visit("alerts", id=asked).title[0].value == "No such alert"


# -- Debates -----------------------------------------------------------------------------------------------------------


def keep_debates(seeded: Seeded, *rows: dict[str, object], text: str = "Bike thefts again. Anyone else?") -> None:
    """The board as the daemon keeps it, and the post that its rows are about."""
    seeded.state.keep_board("debates", seeded.now, write_board({"debates": rows}, seeded.now))
    seeded.store.save([seeding.make_row(2, seeded.now - timedelta(hours=3), Rag.GREEN, text=text)])


def a_debate(seeded: Seeded, **facts: object) -> dict[str, object]:
    says = "asks something an officer could answer"
    return {
        "boroughs": ["Camden"],
        "score": 83,
        "clearance": "green",
        "reasons": [{"points": 30, "says": says, "post": "test:2", "start": 19, "end": 31}],
        "posts": 7,
        "voices": 4,
        "last_at": (seeded.now - timedelta(hours=3)).isoformat(),
        "force_in_it": False,
        "account": "@mpscamden",
        "ids": ["test:2"],
    } | facts


def test_no_debates_says_why(seeded: Seeded) -> None:
    assert "has not looked for debates yet" in texts(visit("debates"))
    keep_debates(seeded)
    assert "No debate worth joining" in texts(visit("debates"))


def test_debates_stand_by_borough_with_clearance_reasons_and_account(seeded: Seeded) -> None:
    facts = {"boroughs": ["Barnet", "Camden"], "clearance": "red"}
    quiet = a_debate(seeded, **facts, account="", force_in_it=True)
    keep_debates(seeded, a_debate(seeded), quiet, a_debate(seeded, boroughs=[]))
    page = visit("debates")
    assert [header.value for header in page.header] == ["Barnet: 1", "Camden: 2", "No borough known: 1"]
    said = texts(page)
    assert "83 of 100  Bike thefts again" in said
    assert "● Green: an officer may answer" in said
    assert "■ Red: call the press office before anybody answers" in said
    assert "7 posts · 4 voices · last 3 h ago" in said
    assert "@mpscamden answers for Camden" in said
    assert '+30  asks something an officer could answer: "Anyone else?"' in said
    assert "is in it already" in said
    assert [header.value for header in visit("debates", borough="Barnet").header] == ["Barnet: 1"]


def test_a_debate_whose_post_was_erased_is_gone(seeded: Seeded) -> None:
    keep_debates(seeded, a_debate(seeded))
    seeded.store.forget(["test:2"])
    page = visit("debates")
    assert not page.header
    assert "No debate worth joining" in texts(page)
    assert "1 debate" not in texts(page)
    assert "Bike thefts" not in texts(page)


def test_a_debate_whose_opening_was_erased_stands_by_its_next_post(seeded: Seeded) -> None:
    keep_debates(seeded, a_debate(seeded, ids=["test:gone", "test:2"]))
    page = visit("debates")
    assert [header.value for header in page.header] == ["Camden: 1"]
    assert "83 of 100  Bike thefts again" in texts(page)


def test_a_borough_without_a_debate_says_so_and_stays_chosen(seeded: Seeded) -> None:
    keep_debates(seeded, a_debate(seeded, boroughs=["Barnet"]))
    page = visit("debates", borough="Camden")
    assert page.selectbox(key="borough").value == "Camden"
    assert "No debate worth joining in Camden now" in texts(page)
    assert not page.header
    assert len(page.selectbox(key="borough").options) == 35


def test_a_strangers_host_on_a_button_is_no_markdown(seeded: Seeded) -> None:
    keep_debates(seeded, a_debate(seeded))
    held = seeded.store.get(["test:2"])["test:2"]
    later = replace(held.mention, link="http://_a_*b*`c`.example/1", first_seen_at=seeded.now)
    seeded.store.save([replace(held, mention=later)])
    (button,) = visit("debates").get("link_button")
    assert button.proto.label == "Open the thread at \\_a\\_\\*b\\*\\`c\\`.example ↗"


def test_a_debates_words_are_never_interpreted(seeded: Seeded) -> None:
    reasons = [{"points": 30, "says": "asks", "post": "test:2", "start": 0, "end": 300}]
    keep_debates(seeded, a_debate(seeded, reasons=reasons), text=seeding.HOSTILE)
    page = visit("debates")
    assert "Met officers again" in texts(page)
    assert "evil.example" not in interpreted(page)
    assert "someone_private" not in texts(page)
    assert "\u202e" not in texts(page)


# -- Sources -----------------------------------------------------------------------------------------------------------


def test_a_stopped_source_is_resumed_under_a_name(seeded: Seeded) -> None:
    seeding.stop_source(seeded)
    page = visit("sources")
    assert "■ stopped" in table(page)
    assert "403" in table(page)
    assert page.button(key="resume-City News").disabled
    page.text_input(key="who_typed").set_value("A. Operator").run()
    page.button(key="resume-City News").click().run()
    assert seeded.state.source("City News").state is not SourceState.PAUSED
    assert (seeded.state.audit_trail(1)[0].actor, seeded.state.audit_trail(1)[0].action) == (
        "A. Operator",
        "resume_source",
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_resuming_while_the_database_is_busy_is_refused_in_words(seeded: Seeded, tmp_path: Path) -> None:
    seeding.stop_source(seeded)
    page = visit("sources")
    page.text_input(key="who_typed").set_value("A. Operator").run()
    with busy(tmp_path):
        page.button(key="resume-City News").click().run()
    assert not page.exception
    assert page.warning[0].value.startswith("This was not done")
    assert seeded.state.source("City News").state is SourceState.PAUSED


def test_what_a_sick_source_costs_is_told(seeded: Seeded) -> None:
    seeding.seed_days(seeded)
    seeding.stop_source(seeded)
    assert "posts a day in the last week" in texts(visit("sources"))
