"""The judgement by the settings: which watchlists run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from config.load import load
from listener.watching import running_watchlists

LISTS = """
[[watchlists]]
name = "old"
query = "bridge"
purpose = "a test"
expires = 2026-07-01
[[watchlists]]
name = "lasting"
query = "bridge"
purpose = "a test"
"""


def test_a_watchlist_ends_with_the_day_it_expires_in_the_force_s_own_zone(tmp_path: Path) -> None:
    (tmp_path / "earshot.toml").write_text(LISTS)
    settings = load(tmp_path / "earshot.toml", {})

    def names(at: datetime) -> list[str]:
        return [each.name for each in running_watchlists(settings, (), at)]

    assert names(datetime(2026, 6, 30, 22, 59, tzinfo=UTC)) == ["lasting", "old"]
    assert names(datetime(2026, 6, 30, 23, 1, tzinfo=UTC)) == ["lasting"]  # midnight in London's summer
