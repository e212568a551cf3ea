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
def two_sources(kind: str, reply: Reply, data: Path) -> Iterator[tuple[Poller, Clock, FaultyServer]]:
    """A source whose server is in trouble, beside a feed that is well."""
    record = json.loads((RECORDINGS / kind / "normal.json").read_text("utf-8"))
    clock = Clock()
    with ExitStack() as opened:
        ill, well = opened.enter_context(FaultyServer()), opened.enter_context(FaultyServer())
        for answer in record["answers"]:
            ill.serve(answer["path"], reply)
        options = {key: value.replace("{url}", ill.url) for key, value in record["options"].items()}
        fetch = opened.enter_context(closing(reach(ill, well, clock=clock, total=0.5)))
        given = tools(fetch, clock, record.get("secrets"))
        feed = {"url": well.serve("/feed", Reply(rss(item("1", "Road shut"))))}
        connectors = {
            "ill": build_connector(kind, source("ill"), options, given),
            "well": build_connector("feed", source("well"), feed, given),
        }
        for connector in connectors.values():
            opened.enter_context(closing(connector))
        store = opened.enter_context(closing(open_store(f"sqlite:{data / 'mentions.db'}")))
        state = opened.enter_context(closing(open_state(f"sqlite:{data / 'state.db'}")))
        state.register_sources([("ill", kind), ("well", "feed")], NOON)
        pipeline = Pipeline()
        spool = Spool(data / "spool", clock, max_bytes=1_000_000, free_bytes=1)
        intake = Intake(store, spool, StoreWatch(store, clock), pipeline.assess_for_store)
        every = dict.fromkeys(connectors, MINUTE)
        yield Poller(store, intake, state, pipeline, connectors, every, clock, "one", jitter=0.0), clock, ill


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


@pytest.mark.parametrize("kind", list(CONNECTORS))
@pytest.mark.parametrize(("reply", "state", "wait"), FAULTS)
def test_a_server_in_trouble_is_left_alone_told_of_and_no_other_source_s_problem(
    kind: str, reply: Reply, state: SourceState, wait: timedelta | None, tmp_path: Path
) -> None:
    with two_sources(kind, reply, tmp_path) as (poller, clock, server):
        live(poller, clock, MINUTE)
        ill, well = (poller.state.source(name) for name in ("ill", "well"))
        assert 1 <= tries(server) <= 3
        assert (ill.state, bool(ill.message), ill.succeeded_at) == (state, True, None)
        assert_waits(ill, wait)
        assert (well.state, well.mentions, well.failures) == (SourceState.OK, 1, 0)


def assert_waits(row: SourceRow, wait: timedelta | None) -> None:
    if wait is None:
        assert row.next_check_at is None
    else:
        assert row.polled_at is not None
        assert row.next_check_at is not None
        assert row.next_check_at - row.polled_at >= wait


@pytest.mark.parametrize("kind", list(CONNECTORS))
def test_without_its_credentials_a_source_is_not_configured_and_asks_nobody(kind: str) -> None:
    record: dict[str, Any] = json.loads((RECORDINGS / kind / "normal.json").read_text("utf-8"))
    if not record.get("secrets"):
        pytest.skip(f"{kind} needs no credentials")
    clock = Clock()
    with FaultyServer() as server, closing(reach(server, clock=clock)) as fetch:
        options = {key: value.replace("{url}", server.url) for key, value in record["options"].items()}
        connector = build_connector(kind, source(), options, tools(fetch, clock))
        with closing(connector), pytest.raises(NotConfigured, match="EARSHOT_"):
            connector.poll(None)
        assert not server.asked
