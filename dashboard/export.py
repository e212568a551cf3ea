"""Mentions as a spreadsheet: masked, no cell that starts a formula, London times with their offset."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from dashboard.safe import check_link, mask_text, neutralise_cell
from dashboard.wording import LONDON, plain_words
from mentions.mention import Assessed

COLUMNS = (
    "id",
    "published (London)",
    "source",
    "platform",
    "colour",
    "topic",
    "towards the police",
    "boroughs",
    "title",
    "text",
    "link",
    "made by",
)
MOST = 50_000


def write_csv(rows: Iterable[Assessed], own_handles: tuple[str, ...]) -> tuple[bytes, int]:
    """The file (UTF-8 with a mark, so that spreadsheets read it right) and how many rows are in it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow([neutralise_cell(cell) for cell in _cells(row, own_handles)])
        count += 1
    return out.getvalue().encode("utf-8-sig"), count


def _cells(row: Assessed, own_handles: tuple[str, ...]) -> list[str]:
    mention, judged = row.mention, row.assessment
    link = check_link(mention.link)
    return [
        mention.id,
        mention.published_at.astimezone(LONDON).isoformat(timespec="seconds"),
        mention.source,
        mention.platform,
        judged.rag.value,
        plain_words(judged.topic),
        judged.sentiment.label.value,
        "; ".join(judged.boroughs),
        mask_text(mention.title, own_handles),
        mask_text(mention.text, own_handles) if mention.buried_at is None else mention.shown,
        mask_text(link[0], own_handles) if link else "",
        "; ".join(judged.made_by),
    ]
