"""Timelines of the incident machine on a fake clock, over a real state database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.incidents import Desk, acknowledge, add_note, record, resolve
from mentions.failures import UserError
from mentions.mention import Rag
from mentions.records import Finding, Incident, IncidentState, Level, Notice, NoticeKind
from mentions.sqlstate import open_state
from mentions.state import State

START = datetime(2026, 1, 12, 10, 0, tzinfo=UTC)
DESK = Desk(channels=("mail",), dashboard_url="http://desk.example:8501/")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = open_state(f"sqlite:{tmp_path}/state.db")
    yield opened
    opened.close()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def surge(key: str = "surge:watch:march", **changes: Any) -> Finding:
    basis = Finding(
        rule="surge",
        key=key,
        level=Level.CRISIS,
        colour=Rag.RED,
        summary="Far more posts than usual match the watchlist.",
        watchlist="march",
        score=4.0,
        count=142,
        expected=9.0,
        window_minutes=15,
        publishers=31,
        first_evidence_at=at(-20),
        evidence=("x:1", "x:2", "x:3", "x:4"),
    )
    return replace(basis, **changes)


def single(topic: str = "officer_disciplinary", **changes: Any) -> Finding:
    basis = Finding(
        rule="single",
        key=f"single:{topic}",
        level=Level.WARNING,
        colour=Rag.RED,
        summary="A wide-reach source carries a red matter.",
        topic=topic,
        score=1.0,
        count=1,
        publishers=1,
        first_evidence_at=at(-5),
        evidence=(f"rss:{topic}",),
    )
    return replace(basis, **changes)


def notices(state: State, kind: NoticeKind | None = None, channel: str | None = None) -> list[Notice]:
    return [n for n in state.notices() if kind in (None, n.kind) and channel in (None, n.channel)]


def history(state: State, incident_id: int = 1) -> list[str]:
    return [transition.what for transition in state.transitions(incident_id)]


def run(state: State, *when: tuple[float, list[Finding]], desk: Desk = DESK, blind: bool = False) -> list[Incident]:
    for minutes, findings in when:
        record(findings, at(minutes), state, desk, blind=blind)
    return sorted(state.incidents(), key=lambda incident: incident.id)


# -- opening and rising -----------------------------------------------------------------------------------------------


def test_a_crisis_opens_one_incident_and_tells_every_channel_once(state: State) -> None:
    desk = replace(DESK, channels=("mail", "hook"))
    (incident,) = run(state, (0, [surge()]), (1, [surge()]), desk=desk)
    assert (incident.state, incident.level, incident.crisis_at) == (IncidentState.OPEN, Level.CRISIS, at(0))
    assert incident.first_evidence_at == at(-20)
    assert [(n.channel, n.kind) for n in notices(state)] == [("mail", NoticeKind.OPENED), ("hook", NoticeKind.OPENED)]
    assert history(state) == ["opened"]


def test_the_same_findings_at_the_same_time_change_nothing_the_second_time(state: State) -> None:
    found = [surge(), single(), single("budget")]
    first = record(found, at(0), state, DESK)
    before = (state.incidents(), state.notices(), [state.transitions(i.id) for i in first])
    record(found, at(0), state, DESK)
    assert (state.incidents(), state.notices(), [state.transitions(i.id) for i in first]) == before


def test_a_warning_waits_on_the_page_without_a_notice(state: State) -> None:
    (incident,) = run(state, (0, [single()]))
    assert (incident.level, incident.crisis_at) == (Level.WARNING, None)
    assert notices(state) == []


def test_a_channel_that_asks_for_warnings_gets_them(state: State) -> None:
    desk = replace(DESK, channels=("mail", "desk-mail"), levels={"desk-mail": Level.WARNING})
    run(state, (0, [single()]), desk=desk)
    assert [n.channel for n in notices(state)] == ["desk-mail"]


def test_a_warning_that_becomes_a_crisis_opens_on_the_crisis_channel(state: State) -> None:
    told, worse = single(), single(level=Level.CRISIS, score=1.5, publishers=3)
    (incident,) = run(state, (0, [told]), (5, [worse]), (6, [told]))
    assert (incident.level, incident.opened_at, incident.crisis_at) == (Level.CRISIS, at(0), at(5))
    assert [n.kind for n in notices(state)] == [NoticeKind.OPENED]
    assert history(state) == ["opened", "crisis"]


def test_a_rise_to_crisis_reaches_a_channel_that_has_just_had_the_warning(state: State) -> None:
    desk = replace(DESK, levels={"mail": Level.WARNING})
    run(state, (0, [single()]), (2, [single(level=Level.CRISIS)]), desk=desk)
    assert [n.payload["level"] for n in notices(state)] == ["warning", "crisis"]


def test_somebody_who_took_charge_of_a_warning_has_not_taken_charge_of_the_crisis(state: State) -> None:
    run(state, (0, [single()]))
    acknowledge(state, 1, "Sam Duty", at(1))
    (incident,) = run(state, (5, [single(level=Level.CRISIS)]))
    assert (incident.state, incident.acknowledged_by) == (IncidentState.OPEN, "")


def test_level_and_colour_never_fall_while_it_is_open(state: State) -> None:
    (incident,) = run(state, (0, [surge()]), (1, [surge(level=Level.WARNING, colour=Rag.AMBER, score=1.0)]))
    assert (incident.level, incident.colour, incident.score) == (Level.CRISIS, Rag.RED, 4.0)
    assert incident.count == 142


# -- what belongs together --------------------------------------------------------------------------------------------


def test_several_rules_that_see_one_wave_make_one_incident(state: State) -> None:
    everything = surge("surge:relevant", watchlist="", evidence=("x:3", "x:4", "x:5"), score=3.0)
    red = single("force_reputation", evidence=("x:5",))
    (incident,) = run(state, (0, [red, everything, surge()]), (1, [everything, red]), (2, [red]))
    assert set(incident.keys) == {"surge:watch:march", "surge:relevant", "single:force_reputation"}
    assert set(incident.rules) == {"surge", "single"}
    assert incident.topic == "force_reputation"
    assert len(notices(state)) == 1


def test_the_order_of_findings_makes_no_difference(tmp_path: Path) -> None:
    found = [single(evidence=("x:1",)), surge(), surge("surge:relevant", watchlist="", score=3.0)]
    ends = []
    for number, order in enumerate((found, found[::-1])):
        state = open_state(f"sqlite:{tmp_path}/{number}.db")
        ends.append(run(state, (0, order)))
        state.close()
    assert ends[0] == ends[1]
    assert len(ends[0]) == 1


def test_the_same_topic_is_one_matter(state: State) -> None:
    assert len(run(state, (0, [single()]), (20, [single(key="single:other", evidence=("rss:new",))]))) == 1


def test_different_topics_without_shared_evidence_stay_apart(state: State) -> None:
    places = ("Camden",)
    assert len(run(state, (0, [single("budget", boroughs=places), single("murder", boroughs=places)]))) == 2


def test_two_watchlists_stay_apart_although_the_topic_is_one(state: State) -> None:
    other = surge("surge:watch:match", watchlist="match", topic="major_incident", evidence=("x:8",))
    assert len(run(state, (0, [surge(topic="major_incident"), other]))) == 2


def test_a_third_of_shared_evidence_ties_findings_and_less_does_not(state: State) -> None:
    basis = single("budget", evidence=tuple(f"x:{n}" for n in range(10)))
    tied = single("murder", evidence=("x:0", "x:1", "x:2", *(f"y:{n}" for n in range(7))))
    apart = single("weather", evidence=("x:8", "x:9", *(f"z:{n}" for n in range(8))))
    incidents = run(state, (0, [basis]), (1, [tied]), (2, [apart]))
    assert [set(incident.keys) for incident in incidents] == [{"single:budget", "single:murder"}, {"single:weather"}]


def test_red_matters_of_one_borough_within_hours_are_one_where_nothing_tells_them_apart(state: State) -> None:
    here = surge("surge:red", watchlist="", boroughs=("Camden", "Islington"), score=3.0)
    near = single(boroughs=("Camden",))
    far = single("murder", boroughs=("Bexley",))
    assert [set(i.boroughs) for i in run(state, (0, [here]), (5, [near, far]))] == [{"Camden", "Islington"}, {"Bexley"}]


def test_red_matters_of_one_borough_are_two_when_hours_lie_between(state: State) -> None:
    here = surge("surge:red", watchlist="", boroughs=("Camden",))
    assert len(run(state, (0, [here]), (6 * 60 + 1, [single(boroughs=("Camden",))]), blind=True)) == 2


def test_a_warning_that_turns_out_to_be_the_crisis_is_folded_into_it(state: State) -> None:
    first = single("budget", evidence=("x:1", "x:2"))
    other = single("murder", evidence=("y:1", "y:2"), level=Level.CRISIS)
    bridge = surge("surge:relevant", watchlist="", evidence=("x:1", "x:2", "y:1", "y:2"))
    warning, crisis = run(state, (0, [first]), (1, [other]), (2, [bridge]), (3, [first]))
    assert (warning.state, crisis.state) == (IncidentState.RESOLVED, IncidentState.OPEN)
    assert "single:budget" in crisis.keys
    assert "same matter as incident 2" in state.transitions(1)[-1].reason


def test_a_wide_surge_does_not_fold_small_matters_it_merely_contains(state: State) -> None:
    small = [single("budget", evidence=("x:1",)), single("murder", evidence=("x:2",))]
    wide = surge("surge:relevant", watchlist="", evidence=tuple(f"x:{n}" for n in range(20)), level=Level.WARNING)
    incidents = run(state, (0, small), (1, [wide]))
    assert [incident.state for incident in incidents] == [IncidentState.OPEN, IncidentState.OPEN]


def test_a_crisis_takes_over_the_warning_whose_evidence_it_is_built_on(state: State) -> None:
    worse = single("budget", level=Level.CRISIS, evidence=("x:1", "x:2", "x:3", "x:4", "x:5"))
    (incident,) = run(state, (0, [single("budget", evidence=("x:1",))]), (9, [worse]))
    assert (incident.opened_at, incident.crisis_at) == (at(0), at(9))


def test_a_crisis_inherits_no_dates_from_an_older_warning_of_its_topic(state: State) -> None:
    old = single("budget", evidence=("x:1", "x:2"), first_evidence_at=at(-5))
    new = [f"y:{n}" for n in range(8)]
    burst = single("budget", level=Level.CRISIS, evidence=("x:2", *new), first_evidence_at=at(595))
    later = single("budget", evidence=("y:7", "y:8"), first_evidence_at=at(640))
    warning, crisis = run(state, (0, [old]), (600, [burst]), (660, [later]))
    assert (warning.state, warning.level) == (IncidentState.RESOLVED, Level.WARNING)
    assert "same matter as incident 2" in state.transitions(1)[-1].reason
    assert (crisis.first_evidence_at, crisis.opened_at, crisis.crisis_at) == (at(595), at(600), at(600))
    assert crisis.updated_at == at(660)  # the topic goes on in the crisis, not in a second warning beside it


def test_a_crisis_brings_back_no_resolved_warning_that_it_shares_nothing_with(state: State) -> None:
    burst = single(level=Level.CRISIS, evidence=("y:1", "y:2", "y:3"))
    warning, crisis = run(state, (0, [single()]), (60, []), (300, [burst]))
    assert (warning.state, crisis.opened_at) == (IncidentState.RESOLVED, at(300))


def test_two_crises_that_outgrow_warnings_at_one_time_stay_apart(state: State) -> None:
    topics = ("budget", "murder")
    old = [single(topic) for topic in topics]
    new = [single(topic, level=Level.CRISIS, evidence=(f"{topic}:1", f"{topic}:2")) for topic in topics]
    incidents = run(state, (0, old), (300, new), blind=True)
    assert [incident.topic for incident in incidents if incident.crisis_at] == ["budget", "murder"]


def test_what_an_outgrown_warning_was_known_by_goes_on_in_the_crisis(state: State) -> None:
    papers = single("political", evidence=("x:1", "x:2"))
    burst = single("budget", level=Level.CRISIS, evidence=("x:2", "y:1", "y:2", "y:3", "y:4"))
    again = single("political", evidence=("x:7",))
    warning, crisis = run(state, (0, [papers]), (10, [burst]), (20, [again]))
    assert (warning.state, crisis.updated_at) == (IncidentState.RESOLVED, at(20))


# -- quiet, reopening -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finding", "minutes"),
    [(single(), 60), (single(colour=Rag.AMBER), 30), (surge(), 180)],
    ids=["red", "amber", "crisis"],
)
def test_quiet_resolves_after_its_time_and_not_before(state: State, finding: Finding, minutes: int) -> None:
    assert run(state, (0, [finding]), (minutes - 1, []))[0].state is IncidentState.OPEN
    (incident,) = run(state, (minutes, []))
    assert (incident.state, incident.resolved_at) == (IncidentState.RESOLVED, at(minutes))


def test_the_end_is_told_to_those_who_were_told_of_the_start(state: State) -> None:
    run(state, (0, [surge(), single("budget")]), (180, []), (181, []))
    assert [n.kind for n in notices(state)] == [NoticeKind.OPENED, NoticeKind.RESOLVED]


def test_nothing_is_resolved_while_we_are_blind_and_quiet_starts_anew_afterwards(state: State) -> None:
    run(state, (0, [surge()]))
    run(state, *((minutes, []) for minutes in range(60, 601, 60)), blind=True)
    assert run(state, (601, []), (779, []))[0].state is IncidentState.OPEN
    assert run(state, (780, []))[0].state is IncidentState.RESOLVED


def test_a_wave_that_comes_back_within_a_day_keeps_its_id_and_is_told_as_an_update(state: State) -> None:
    (incident,) = run(state, (0, [surge()]), (180, []), (600, [surge(evidence=("x:9",))]))
    assert (incident.id, incident.state, incident.crisis_at) == (1, IncidentState.OPEN, at(0))
    assert [n.kind for n in notices(state)] == [NoticeKind.OPENED, NoticeKind.RESOLVED, NoticeKind.UPDATE]
    assert history(state) == ["opened", "resolved", "reopened"]


def test_after_a_day_it_is_a_new_incident(state: State) -> None:
    assert len(run(state, (0, [surge()]), (180, []), (180 + 24 * 60 + 1, [surge()]))) == 2


def test_a_warning_brings_a_crisis_back_as_a_warning_which_rings_nobody(state: State) -> None:
    (incident,) = run(state, (0, [surge()]), (180, []), (300, [surge(level=Level.WARNING)]))
    assert (incident.state, incident.level, incident.crisis_at) == (IncidentState.OPEN, Level.WARNING, at(0))
    assert notices(state)[-1].kind is NoticeKind.RESOLVED
    (incident,) = run(state, (360, []))
    assert (incident.state, incident.level) == (IncidentState.RESOLVED, Level.CRISIS)


def test_evidence_that_merely_goes_on_does_not_undo_a_persons_word(state: State) -> None:
    run(state, (0, [surge()]))
    resolve(state, 1, "Sam Duty", at(10), "we know, it is the parade")
    (incident,) = run(state, *((minutes, [surge()]) for minutes in range(11, 200)))
    assert incident.state is IncidentState.RESOLVED
    assert [n.kind for n in notices(state)] == [NoticeKind.OPENED, NoticeKind.RESOLVED]


def test_what_is_clearly_worse_or_comes_back_after_quiet_opens_again_what_a_person_closed(tmp_path: Path) -> None:
    for number, (minutes, finding) in enumerate([(30, surge(score=8.0)), (300, surge())]):
        state = open_state(f"sqlite:{tmp_path}/{number}.db")
        run(state, (0, [surge()]))
        resolve(state, 1, "Sam Duty", at(10))
        assert run(state, (11, [surge()]), (minutes, [finding]))[0].state is IncidentState.OPEN
        state.close()


def test_what_brings_an_incident_back_names_it(state: State) -> None:
    anything = surge("surge:relevant", watchlist="", topic="murder")
    (incident,) = run(state, (0, [anything]), (180, []), (400, [replace(anything, topic="budget", evidence=("x:9",))]))
    assert (incident.topic, incident.title) == ("budget", "Budget")


# -- updates ----------------------------------------------------------------------------------------------------------


def test_only_what_is_twice_as_bad_is_told_again(state: State) -> None:
    run(state, (0, [surge()]), (61, [surge(score=7.9)]))
    assert len(notices(state)) == 1
    run(state, (62, [surge(score=8.0)]))
    assert [n.kind for n in notices(state)] == [NoticeKind.OPENED, NoticeKind.UPDATE]
    assert history(state) == ["opened", "worse"]


def test_scores_below_one_are_compared_as_odds(state: State) -> None:
    run(state, (0, [surge(score=0.6)]), (61, [surge(score=0.7)]))
    assert len(notices(state)) == 1
    run(state, (62, [surge(score=0.76)]))
    assert len(notices(state)) == 2


def test_a_worse_colour_is_told_again(state: State) -> None:
    run(state, (0, [surge(colour=Rag.AMBER)]), (61, [surge()]))
    assert [n.payload["colour"] for n in notices(state)] == ["amber", "red"]


def test_an_update_waits_an_hour_and_is_then_told(state: State) -> None:
    run(state, (0, [surge()]), *((minutes, [surge(score=9.0)]) for minutes in range(10, 61)))
    assert [n.queued_at for n in notices(state)] == [at(0), at(60)]
    assert history(state) == ["opened", "worse"]  # recorded once, when it happened
    assert state.transitions(1)[-1].at == at(10)


def test_fifty_crossings_in_two_hours_are_one_incident_and_at_most_five_notices(state: State) -> None:
    timeline = []
    for crossing in range(50):
        minutes = crossing * 2.4
        timeline += [(minutes, [surge(score=4.0 + crossing * 3)]), (minutes + 1.2, [])]
    incidents = run(state, *timeline, (121 + 180, []))
    assert len(incidents) == 1
    assert len(notices(state)) <= 5
    assert {n.incident_id for n in notices(state)} == {1}


def test_no_more_than_four_updates_in_any_day_and_one_is_kept_for_its_return(state: State) -> None:
    growing = [(60.0 * hour, [surge(score=4.0 * 2**hour)]) for hour in range(12)]
    run(state, *growing)
    assert len(notices(state, NoticeKind.UPDATE)) == 3
    run(state, (11 * 60 + 181, []), (900, [surge(score=9e6)]), (1100, []), (1200, [surge(score=9e9)]))
    assert len(notices(state, NoticeKind.UPDATE)) == 4
    told = [n.queued_at for n in notices(state, NoticeKind.UPDATE)]
    assert told[-1] == at(900)
    assert history(state).count("worse") == 11
    assert history(state).count("reopened") == 2


def test_the_cap_is_over_any_day_not_for_ever(state: State) -> None:
    run(state, *((60.0 * hour, [surge(score=4.0 * 2**hour)]) for hour in range(30)))
    told = [n.queued_at for n in notices(state, NoticeKind.UPDATE)]
    assert len(told) > 3
    for first in told:
        assert sum(first <= other < first + timedelta(hours=24) for other in told) <= 4


# -- people -----------------------------------------------------------------------------------------------------------


def test_the_first_to_acknowledge_wins_and_it_is_audited(state: State) -> None:
    run(state, (0, [surge()]))
    acknowledge(state, 1, "Sam Duty", at(1), "on it")
    second = acknowledge(state, 1, "Alex Late", at(2))
    assert (second.state, second.acknowledged_by, second.acknowledged_at) == (
        IncidentState.ACKNOWLEDGED,
        "Sam Duty",
        at(1),
    )
    assert [(t.what, t.by, t.reason) for t in state.transitions(1)][1:] == [("acknowledged", "Sam Duty", "on it")]
    assert [(entry.actor, entry.action) for entry in state.audit_trail()] == [("Sam Duty", "acknowledge")]


def test_an_acknowledged_incident_still_takes_findings_and_ends_by_quiet(state: State) -> None:
    run(state, (0, [surge()]))
    acknowledge(state, 1, "Sam Duty", at(1))
    assert run(state, (5, [surge()]))[0].state is IncidentState.ACKNOWLEDGED
    assert run(state, (185, []))[0].state is IncidentState.RESOLVED


def test_a_person_resolves_with_a_note_and_those_who_were_told_hear_it(state: State) -> None:
    run(state, (0, [surge()]), desk=replace(DESK, exercise=True))
    resolve(state, 1, "Sam Duty", at(9), "statement is out")
    (end,) = notices(state, NoticeKind.RESOLVED)
    assert end.subject.startswith("EXERCISE RESOLVED: march")
    assert "statement is out" in end.body
    assert "http://desk.example:8501/alerts?id=1" in end.body


def test_a_note_is_kept_with_its_author(state: State) -> None:
    run(state, (0, [surge()]))
    add_note(state, 1, "Sam Duty", at(3), "spoke to the borough")
    assert state.transitions(1)[-1].reason == "spoke to the borough"
    assert state.transitions(1)[-1].by == "Sam Duty"


def test_people_must_be_named_and_incidents_must_exist(state: State) -> None:
    run(state, (0, [surge()]))
    with pytest.raises(UserError, match="who you are"):
        acknowledge(state, 1, "  ", at(1))
    with pytest.raises(UserError, match="words"):
        add_note(state, 1, "Sam Duty", at(1), " ")
    with pytest.raises(KeyError):
        acknowledge(state, 99, "Sam Duty", at(1))
    resolve(state, 1, "Sam Duty", at(2))
    with pytest.raises(UserError, match="resolved already"):
        acknowledge(state, 1, "Sam Duty", at(3))


def test_a_change_made_between_reading_and_writing_is_not_lost(state: State) -> None:
    """A person acknowledges while the check of that minute is at work."""
    run(state, (0, [surge()]))

    class Slow:
        """The same state, but somebody is quicker."""

        def __getattr__(self, name: str) -> Any:
            return getattr(state, name)

        def notices(self, incident_id: int | None = None) -> list[Notice]:
            acknowledge(state, 1, "Sam Duty", at(1))
            return state.notices(incident_id)

    record([surge(score=5.0)], at(1), Slow(), DESK)  # type: ignore[arg-type]
    (incident,) = state.incidents()
    assert (incident.state, incident.acknowledged_by, incident.score) == (IncidentState.ACKNOWLEDGED, "Sam Duty", 5.0)


# -- words ------------------------------------------------------------------------------------------------------------


def test_the_subject_says_level_colour_matter_count_and_since_when(state: State) -> None:
    run(state, (0, [surge(boroughs=("Camden",))]))
    assert notices(state)[0].subject == "CRISIS RED: march (Camden) - 142 posts in 15 min, 9 usual, since 09:40 GMT"


def test_london_reads_its_own_clock_in_summer(state: State) -> None:
    summer = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    record([surge(first_evidence_at=summer)], summer, state, DESK)
    assert notices(state)[0].subject.endswith("since 10:00 BST")


def test_a_subject_fits_an_sms_and_stays_on_one_line(state: State) -> None:
    long = surge(watchlist="a very long name " * 20 + "\r\nBcc: someone", boroughs=("Kensington and Chelsea",) * 3)
    run(state, (0, [long]), desk=replace(DESK, exercise=True))
    subject = notices(state)[0].subject
    assert len(subject) <= 140
    assert subject.isprintable()
    assert subject.startswith("EXERCISE CRISIS RED: a very long name")
    assert subject.endswith("since 09:40 GMT")


def test_the_body_says_why_what_to_do_and_where_to_look(state: State) -> None:
    run(state, (0, [surge()]), desk=replace(DESK, exercise=True))
    (notice,) = notices(state)
    for words in (
        "EXERCISE",
        "Far more posts than usual match the watchlist.",
        "First evidence: 09:40 GMT",
        "31 independent voices",
        "Unconfirmed",
        "call the Borough Communicator or DPA first",
        "http://desk.example:8501/alerts?id=1",
        notice.key,
    ):
        assert words in notice.body
    assert "{incident_id}" not in notice.body + notice.key + notice.subject


def test_the_payload_is_json_with_times_in_utc_and_the_exercise_flag(state: State) -> None:
    run(state, (0, [surge()]), desk=replace(DESK, exercise=True))
    payload = json.loads(json.dumps(notices(state)[0].payload))
    assert (payload["id"], payload["exercise"], payload["crisis_at"]) == (1, True, "2026-01-12T10:00:00Z")
    assert payload["link"] == "http://desk.example:8501/alerts?id=1"
    assert "evidence" not in payload


def test_keys_of_two_installations_differ(tmp_path: Path) -> None:
    keys = set()
    for name in ("live", "exercise"):
        state = open_state(f"sqlite:{tmp_path}/{name}.db")
        run(state, (0, [surge()]))
        keys.add(state.notices()[0].key)
        state.close()
    assert len(keys) == 2
