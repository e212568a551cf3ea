"""Health is red when nothing is being collected, and says why."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from listener.health import Health, HealthServer, Metrics, judge_health
from listener.polling import Poll
from mentions.failures import UserError
from mentions.records import SourceRow, SourceState

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
EVERY = {"a": timedelta(minutes=15), "b": timedelta(minutes=15)}


def row(name: str, minutes_ago: float | None, state: SourceState = SourceState.OK) -> SourceRow:
    succeeded = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return SourceRow(name, "feed", state=state, succeeded_at=succeeded)


def test_health_is_green_while_every_source_answers() -> None:
    assert judge_health([row("a", 1), row("b", 14)], EVERY, NOW, NOW).status == "green"


def test_health_is_amber_when_one_source_is_blind_and_names_it() -> None:
    health = judge_health([row("a", 1), row("b", 500)], EVERY, NOW, NOW)
    assert (health.status, health.blind) == ("amber", ("b",))


@pytest.mark.parametrize(
    "rows",
    [[], [row("a", None)], [row("a", 46)], [row("a", 1, SourceState.PAUSED)]],
    ids=["no sources", "never polled", "three intervals silent", "stopped"],
)
def test_health_is_red_when_nothing_is_collected(rows: list[SourceRow]) -> None:
    health = judge_health(rows, EVERY, NOW, NOW)
    assert health.status == "red"
    assert "nothing is being collected" in health.reason


def test_health_is_red_when_rules_no_longer_run() -> None:
    health = judge_health([row("a", 1)], EVERY, NOW, NOW - timedelta(minutes=4))
    assert health.status == "red"
    assert "no alert" in health.reason


@pytest.mark.parametrize(("status", "code"), [("green", 200), ("amber", 200), ("red", 503)])
def test_the_endpoint_answers_json_and_503_only_when_red(status: str, code: int) -> None:
    server = HealthServer("127.0.0.1", 0, lambda: (Health(status, "why", (), ()), {"mentions": 3}), Metrics())
    try:
        answer = urlopen(f"http://127.0.0.1:{server.port}/healthz")
    except HTTPError as error:
        answer = error
    with answer:
        assert answer.status == code
        assert json.load(answer) == {"status": status, "reason": "why", "mentions": 3}
    server.close()


def test_metrics_count_polls_in_prometheus_words() -> None:
    metrics = Metrics()
    metrics.count_poll(Poll("bbc", "ok", new=3, left_out=1))
    server = HealthServer("127.0.0.1", 0, lambda: (Health("green", "", (), ()), {}), metrics)
    with urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
        text = answer.read().decode()
    server.close()
    assert 'earshot_polls_total{outcome="ok",source="bbc"} 1.0' in text
    assert 'earshot_mentions_new_total{source="bbc"} 3.0' in text


def test_a_port_in_use_is_one_line_that_names_the_key() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match=r"\[health\] port"):
            HealthServer("127.0.0.1", taken.getsockname()[1], lambda: (Health("green", "", (), ()), {}), Metrics())


def test_health_is_red_when_a_rule_breaks_at_every_check() -> None:
    health = judge_health([row("a", 1)], EVERY, NOW, NOW, ["surge"])
    assert health.status == "red"
    assert "surge" in health.reason


def test_the_endpoint_listens_on_ipv6_where_it_is_told_to() -> None:
    try:
        server = HealthServer("::1", 0, lambda: (Health("green", "", (), ()), {}), Metrics())
    except UserError as error:
        pytest.skip(f"no IPv6 loopback to try on this disk-less network: {error}")
    with urlopen(f"http://[::1]:{server.port}/healthz") as answer:
        assert answer.status == 200
    server.close()
