"""Whether anything is being collected, told to machines: /healthz (JSON) and /metrics (Prometheus)."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from listener.polling import Poll
from mentions.failures import UserError
from mentions.records import SourceRow, SourceState
from mentions.store_note import StoreNote

log = logging.getLogger(__name__)

PATIENCE = 3  # a source is blind after this many of its own intervals without an answer
SHORTEST_PATIENCE = timedelta(minutes=10)
STALLED_AFTER = timedelta(minutes=3)  # rules run every 30 s; this long without a run means alerts are not being made


@dataclass(frozen=True, slots=True)
class Health:
    """`status` is green, amber (some sources blind) or red (nothing is collected, or rules have stopped)."""

    status: str
    reason: str
    collecting: tuple[str, ...]
    blind: tuple[str, ...]
    off: tuple[str, ...] = ()  # not configured: no fault


def judge_health(
    rows: Sequence[SourceRow],
    every: Mapping[str, timedelta],
    now: datetime,
    last_rules_at: datetime,
    broken: Sequence[str] = (),
) -> Health:
    """Red when nothing is being collected: a page that stays green then is a defect."""
    off = tuple(row.name for row in rows if row.state is SourceState.OFF)
    rows = [row for row in rows if row.state is not SourceState.OFF]
    live = tuple(row.name for row in rows if is_collecting(row, every.get(row.name, timedelta(minutes=15)), now))
    blind = tuple(row.name for row in rows if row.name not in live)
    if not rows:
        return Health("red", "no sources are configured: nothing is being collected", live, blind, off)
    if not live:
        return Health("red", "no source has answered in time: nothing is being collected", live, blind, off)
    if now - last_rules_at > STALLED_AFTER:
        return Health("red", f"rules last ran {last_rules_at:%H:%M:%S} UTC: no alert can be raised", live, blind, off)
    if broken:
        return Health("red", f"the rule {' and '.join(broken)} breaks at every check: see the log", live, blind, off)
    if blind:
        return Health("amber", f"{len(blind)} of {len(rows)} sources are not being collected", live, blind, off)
    return Health("green", f"all {len(rows)} sources are being collected", live, blind, off)


def weigh_store(health: Health, note: StoreNote, now: datetime) -> Health:
    """Health with that of the store in it: red where no rule sees the news, amber where that passes by itself."""
    stuck = bool(note.stuck) and note.waiting_since is not None and now - note.waiting_since > STALLED_AFTER
    says = note.tell(lambda at: f"{at:%Y-%m-%d %H:%M} UTC")
    if note.full or note.silent_since or stuck:
        return replace(health, status="red", reason=says)
    return replace(health, status="amber", reason=says) if says and health.status == "green" else health


def is_collecting(row: SourceRow, every: timedelta, now: datetime) -> bool:
    """Whether the source has answered within its patience; one that is stopped or off never does."""
    if row.state in (SourceState.PAUSED, SourceState.OFF) or row.succeeded_at is None:
        return False
    if not row.failures and row.next_check_at is not None and now - row.next_check_at <= SHORTEST_PATIENCE:
        return True  # it posts rarely, or wants to be asked rarely, and is not late
    return now - row.succeeded_at <= max(every * PATIENCE, SHORTEST_PATIENCE)


class Metrics:
    """What the daemon counts, in Prometheus' own words."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        source = ["source"]
        self._polls = Counter("earshot_polls", "Polls by outcome", [*source, "outcome"], registry=self.registry)
        self._new = Counter("earshot_mentions_new", "New mentions saved", source, registry=self.registry)
        self._updated = Counter("earshot_mentions_updated", "Edited mentions saved", source, registry=self.registry)
        self._left_out = Counter("earshot_posts_left_out", "Odd posts left out", source, registry=self.registry)
        self._notices = Counter("earshot_notices", "Notices by outcome", ["outcome"], registry=self.registry)
        self._jobs = Counter("earshot_job_faults", "Ticks that broke, by kind", ["kind"], registry=self.registry)
        self.open_incidents = Gauge("earshot_incidents_open", "Incidents open now", registry=self.registry)
        self.pending = Gauge("earshot_mentions_pending", "Mentions waiting for a deferred step", registry=self.registry)
        self.collecting = Gauge("earshot_sources_collecting", "Sources that answer in time", registry=self.registry)
        self.spool_mentions = Gauge("earshot_spool_mentions", "Mentions that wait on disk", registry=self.registry)
        self.spool_bytes = Gauge("earshot_spool_bytes", "What they take there", registry=self.registry)

    def count_poll(self, poll: Poll) -> None:
        """Count what one poll did."""
        self._polls.labels(poll.source, poll.outcome).inc()
        self._new.labels(poll.source).inc(poll.new)
        self._updated.labels(poll.source).inc(poll.updated)
        self._left_out.labels(poll.source).inc(poll.left_out)

    def count_notices(self, accepted: int, failed: int, dead: int) -> None:
        """Count what one delivery round did."""
        for outcome, count in (("accepted", accepted), ("failed", failed), ("dead", dead)):
            if count:
                self._notices.labels(outcome).inc(count)

    def count_fault(self, kind: str) -> None:
        """Count a tick that broke, was missed, or found the last one still running."""
        self._jobs.labels(kind).inc()


def _server_class(host: str) -> type[ThreadingHTTPServer]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return type("Server", (ThreadingHTTPServer,), {"address_family": family})


class HealthServer:
    """Answers /healthz (200, or 503 when red) and /metrics until closed."""

    def __init__(self, host: str, port: int, report: Callable[[], tuple[Health, dict[str, object]]], metrics: Metrics):
        self._report, self._metrics = report, metrics
        try:
            self._server = _server_class(host)((host, port), self._answerer())
        except OSError as error:
            raise UserError(
                f"health endpoint: cannot listen on {host}:{port} ({error.strerror or error}): "
                "stop what uses that port, or set another under [health] port"
            ) from None
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="health", daemon=True)
        self._thread.start()

    def _answerer(self) -> type[BaseHTTPRequestHandler]:
        report, metrics = self._report, self._metrics

        class Answerer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/healthz":
                    health, detail = report()
                    body = json.dumps({"status": health.status, "reason": health.reason, **detail}).encode()
                    self._send(503 if health.status == "red" else 200, "application/json", body)
                elif self.path == "/metrics":
                    report()  # refreshes the gauges
                    self._send(200, "text/plain; version=0.0.4", generate_latest(metrics.registry))
                else:
                    self._send(404, "text/plain", b"try /healthz or /metrics\n")

            def _send(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                log.debug("health %s", format % args)

        return Answerer

    def close(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
