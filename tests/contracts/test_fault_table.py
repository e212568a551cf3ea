"""What a server in trouble does to its source, to the server and to the neighbours, for every kind there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.pipeline import Pipeline
from listener.connectors import CONNECTORS, build_connector
from listener.intake import Intake
from listener.polling import Poller
from listener.spool import Spool
from listener.store_watch import StoreWatch
from mentions.failures import NotConfigured
from mentions.records import SourceRow, SourceState
from mentions.sqlstate import open_state
from mentions.stores import open_store
from tests.faulty_server import NOON, Clock, FaultyServer, Reply, item, reach, rss, source, tools

RECORDINGS = Path(__file__).parent.parent / "recordings"
WELL = "well"
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
LATE, STOPPED = SourceState.FAILING, SourceState.PAUSED
FAULTS = [
    pytest.param(Reply(status=429), LATE, timedelta(minutes=15), id="429 without a time"),
    pytest.param(Reply(status=429, headers={"Retry-After": "0"}), LATE, MINUTE, id="429 at once"),
    pytest.param(Reply(status=429, headers={"Retry-After": "3600"}), LATE, timedelta(hours=1), id="429 for an hour"),
    pytest.param(Reply(status=401), STOPPED, None, id="401"),
    pytest.param(Reply(status=403), STOPPED, None, id="403"),
    pytest.param(Reply(status=410), STOPPED, None, id="410"),
    pytest.param(Reply(b"<title>Sign in</title><form><input type=password></form>"), STOPPED, None, id="sign-in page"),
    pytest.param(Reply(status=404), LATE, MINUTE, id="404"),
    pytest.param(Reply(status=500), LATE, MINUTE, id="500"),
    pytest.param(Reply(status=503, headers={"Retry-After": "0"}), LATE, MINUTE, id="503"),
    pytest.param(Reply(b"[" * 99, fault="cut"), LATE, MINUTE, id="cut off"),
    pytest.param(Reply(fault="hang"), LATE, MINUTE, id="hung"),
    pytest.param(Reply(b"<html><title>Down for repair</title></html>"), LATE, MINUTE, id="another page"),
]


@contextmanager
def every_kind(reply: Reply, data: Path) -> Iterator[tuple[Poller, Clock, dict[str, FaultyServer]]]:
    """A source of every kind, each with a server of its own that is in trouble, beside a feed that is well."""
    clock = Clock()
    with ExitStack() as opened:
        servers = {kind: opened.enter_context(FaultyServer()) for kind in (*CONNECTORS, WELL)}
        fetch = opened.enter_context(closing(reach(*servers.values(), clock=clock, total=0.5)))
        feed = {"url": servers[WELL].serve("/feed", Reply(rss(item("1", "Road shut"))))}
        connectors = {WELL: build_connector("feed", source(WELL), feed, tools(fetch, clock))}
        for kind in CONNECTORS:
            record, server = recorded(kind), servers[kind]
            for answer in record["answers"]:
                server.serve(answer["path"], reply)
            given = tools(fetch, clock, record.get("secrets"))
            connectors[kind] = build_connector(kind, source(kind), options_of(record, server), given)
        for connector in connectors.values():
            opened.enter_context(closing(connector))
        store = opened.enter_context(closing(open_store(f"sqlite:{data / 'mentions.db'}")))
        state = opened.enter_context(closing(open_state(f"sqlite:{data / 'state.db'}")))
        state.register_sources([(name, "feed" if name == WELL else name) for name in connectors], NOON)
        pipeline = Pipeline()
        spool = Spool(data / "spool", clock, max_bytes=1_000_000, free_bytes=1)
        intake = Intake(store, spool, StoreWatch(store, clock), pipeline.assess_for_store)
        every = dict.fromkeys(connectors, MINUTE)
        yield Poller(store, intake, state, pipeline, connectors, every, clock, "one", jitter=0.0), clock, servers


def recorded(kind: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((RECORDINGS / kind / "normal.json").read_text("utf-8"))
    return record


def options_of(record: dict[str, Any], server: FaultyServer) -> dict[str, str]:
    return {key: value.replace("{url}", server.url) for key, value in record["options"].items()}


def live(poller: Poller, clock: Clock, span: timedelta) -> None:
    """Second by second, whatever is due is polled."""
    end = clock.now + span
    while clock.now < end:
        for row in poller.state.due_sources(clock.now, 8):
            poller.poll(row.name)
        clock.now += SECOND


def tries(server: FaultyServer) -> int:
    """Of the call that was made most often."""
    return max(len(each) for each in server.asked.values())


@pytest.mark.parametrize(("reply", "state", "wait"), FAULTS)
def test_a_server_in_trouble_is_left_alone_told_of_and_no_other_source_s_problem(
    reply: Reply, state: SourceState, wait: timedelta | None, tmp_path: Path
) -> None:
    with every_kind(reply, tmp_path) as (poller, clock, servers):
        live(poller, clock, MINUTE)
        for kind in CONNECTORS:
            ill = poller.state.source(kind)
            assert 1 <= tries(servers[kind]) <= 3, kind
            assert (ill.state, bool(ill.message), ill.succeeded_at) == (state, True, None), kind
            assert_waits(ill, wait)
        well = poller.state.source(WELL)
        assert (well.state, well.mentions, well.failures) == (SourceState.OK, 1, 0)


def assert_waits(row: SourceRow, wait: timedelta | None) -> None:
    if wait is None:
        assert row.next_check_at is None
    else:
        assert row.polled_at is not None
        assert row.next_check_at is not None
        assert row.next_check_at - row.polled_at >= wait


@pytest.mark.parametrize("kind", [kind for kind in CONNECTORS if recorded(kind).get("secrets")])
def test_without_its_credentials_a_source_is_not_configured_and_asks_nobody(kind: str) -> None:
    record = recorded(kind)
    clock = Clock()
    with FaultyServer() as server, closing(reach(server, clock=clock)) as fetch:
        connector = build_connector(kind, source(), options_of(record, server), tools(fetch, clock))
        with closing(connector), pytest.raises(NotConfigured, match="EARSHOT_"):
            connector.poll(None)
        assert not server.asked
