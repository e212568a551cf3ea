"""What a site's robots.txt lets us read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from protego import Protego

from mentions.clock import Clock
from mentions.failures import NotConfigured, NotItsTurn, RateLimited, TemporaryFailure

KEPT_FOR = timedelta(hours=24)  # RFC 9309, 2.4
MOST_READ = 500 * 1024  # RFC 9309, 2.5: what is longer may be cut
MOST_SITES = 2000

Load = Callable[[str], tuple[int, bytes]]


class Robots:
    """The rules of each site, kept for a day. `load` fetches an address and gives its status and body."""

    def __init__(self, load: Load, agent: str, clock: Clock) -> None:
        self._load = load
        self._agent = agent
        self._clock = clock
        self._rules: dict[str, tuple[datetime, Protego]] = {}
        self._lock = threading.Lock()

    def check(self, site: str, url: str, *, permitted: bool = False) -> float:
        """The pause in seconds the site asks for between requests (0 for none).

        Raises `NotConfigured` where robots.txt forbids the address: off until a named person records the site's leave
        (`permitted`); then it may be read, and its pauses hold all the same. An unreachable robots.txt means that
        nothing may be read for now (`TemporaryFailure`); one that is not there (4xx, or
        behind a sign-in) means that everything may.
        """
        rules = self._rules_of(site)
        if not permitted and not rules.can_fetch(url, self._agent):
            raise NotConfigured(
                f"{site}: not configured; robots.txt does not allow reading this address: ask the site, and record its "
                "leave with `earshot sources permit`, or drop it"
            )
        rate = rules.request_rate(self._agent)
        return max(float(rules.crawl_delay(self._agent) or 0), rate.seconds / rate.requests if rate else 0.0)

    def _rules_of(self, site: str) -> Protego:
        with self._lock:
            kept_at, rules = self._rules.get(site, (None, None))
        if rules is not None and kept_at is not None and timedelta(0) <= self._clock() - kept_at < KEPT_FOR:
            return rules
        rules = self._read(site)
        with self._lock:
            if len(self._rules) >= MOST_SITES:
                self._rules.pop(next(iter(self._rules)))
            self._rules[site] = (self._clock(), rules)
        return rules

    def _read(self, site: str) -> Protego:
        try:
            status, body = self._load(f"{site}/robots.txt")
        except (RateLimited, NotItsTurn):
            raise
        except TemporaryFailure as failure:
            raise TemporaryFailure(f"{site}: robots.txt cannot be read, so nothing is ({failure})") from failure
        if 400 <= status < 500:
            return Protego.parse("")
        if status != 200:
            raise TemporaryFailure(f"{site}: robots.txt answered {status}, so nothing is read for now")
        return Protego.parse(body[:MOST_READ].decode("utf-8", "replace"))
