"""JSON Feed into the raw entries that the other feeds come as."""

from __future__ import annotations

import html
import json
from typing import Any


def json_entries(text: str) -> list[dict[str, str]] | None:
    """The entries of a JSON Feed (jsonfeed.org, versions 1 and 1.1); None where it is something else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or "jsonfeed.org" not in str(document.get("version")):
        return None
    found = document.get("items")
    return [entry(item, document) for item in found if isinstance(item, dict)] if isinstance(found, list) else None


def entry(item: dict[str, Any], feed: dict[str, Any]) -> dict[str, str]:
    """One item under the names of the other feeds."""
    plain = text_of(item, "content_text") or text_of(item, "summary")
    authors = item.get("authors") or [item.get("author")]
    first = authors[0] if isinstance(authors, list) and authors and isinstance(authors[0], dict) else {}
    return {
        "id": text_of(item, "id"),
        "link": text_of(item, "url") or text_of(item, "external_url"),
        "title": html.escape(text_of(item, "title")),
        "html": text_of(item, "content_html") or html.escape(plain),
        "author": text_of(first, "name"),
        "date": text_of(item, "date_published") or text_of(item, "date_modified"),
        "lang": text_of(item, "language") or text_of(feed, "language"),
        "rest": "more" if any(item.get(key) for key in ("image", "banner_image", "attachments")) else "",
    }


def text_of(item: dict[str, Any], key: str) -> str:
    """A field as text; ids are numbers in the wild."""
    value = item.get(key)
    return str(value) if isinstance(value, str | int | float) else ""
