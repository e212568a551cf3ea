"""What one process works out and another shows: a named board of plain values, the newest alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mentions.failures import UserError

EVALUATION = "evaluation"


def keep_board(folder: Path, name: str, board: dict[str, Any]) -> None:
    """Keep it in the data directory, whole or not at all. Raises UserError where that cannot be written."""
    path = folder / f"{name}.json"
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(json.dumps(board, ensure_ascii=False), "utf-8")
        draft.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}): check the rights and the space left") from None


def read_board(folder: Path, name: str) -> dict[str, Any] | None:
    """The board of that name; None where none is kept, or what is there is no board."""
    try:
        found = json.loads((folder / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
