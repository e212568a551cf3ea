"""Pages tell a tombstone as such: in lists, on its own, behind an alert, and in the spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.export import write_csv
from dashboard.holding import release_books
from mentions.mention import DELETED, Rag
from tests import seeding
from tests.conftest import ROOT
from tests.seeding import Seeded

TOLD = "[deleted at its source, seen on 9 Jun 2026]"
SEEN = datetime(2026, 6, 9, 12, tzinfo=UTC)


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    release_books()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EARSHOT_DATA", str(tmp_path / "data"))
    made = seeding.open_seeded(tmp_path / "data")
    made.store.save([seeding.make_row(7, made.now, Rag.RED)])
    made.store.bury(["test:7"], SEEN, DELETED)
    yield made
    release_books()
    made.close()


def visit(page: str, **params: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=15).run()
    at.switch_page(f"views/{page}.py")
    for key, value in params.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception
    return at


def texts(at: AppTest) -> str:
    return "\n".join(str(block.value) for block in at.text)


def test_the_list_and_the_post_itself_say_that_it_was_deleted(seeded: Seeded) -> None:
    page = visit("mentions", id="test:7")
    assert TOLD in texts(page)
    assert TOLD in str(page.dataframe[0].value.to_csv(index=False))


def test_the_evidence_of_an_alert_says_so_too(seeded: Seeded) -> None:
    opened = seeding.seed_warning(seeded, evidence=("test:7",))
    tables = visit("alerts", id=str(opened.id)).dataframe
    assert any(TOLD in str(each.value.to_csv(index=False)) for each in tables)


def test_so_does_the_spreadsheet(seeded: Seeded) -> None:
    content, _ = write_csv(seeded.store.get(["test:7"]).values(), ())
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert (row["text"], row["title"], row["link"], row["colour"]) == (TOLD, "", "", "red")
