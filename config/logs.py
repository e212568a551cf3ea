"""Sets up logging: one line per event, key=value, on stderr, without a secret in it."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from config.secrets import hide, secret_values

# Libraries that tell of every request: URLs may name what people search for, so they speak only when all is wanted.
TALKATIVE = ("httpx", "httpcore", "urllib3", "apscheduler", "mastodon", "watchdog", "asyncio", "streamlit")


class KeyValueFormatter(logging.Formatter):
    """`at=2026-11-24T02:10:00.123Z level=info from=listener.polling msg…`, always one line: a trace follows as
    `trace="…"` with its newlines written `\\n`. Secrets and URLs' passwords become ***."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = f"at={at} level={record.levelname.lower()} from={record.name} {record.getMessage()}"
        if record.exc_info and record.exc_info[0] is not None:
            line += f' trace="{"".join(traceback.format_exception(*record.exc_info)).rstrip()}"'
        return hide(line, self._secrets).replace("\r", "\\r").replace("\n", "\\n")


def set_up_logs(level: str, env: Mapping[str, str], *, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send every log record of `level` (debug, info, warning, error) and above to `stream`, stderr by default;
    `verbose` means debug. What the EARSHOT_ variables hold is hidden. May be called again: the last call counts."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(KeyValueFormatter(secret_values(env)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else level.upper())
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET if verbose else logging.WARNING)
    logging.captureWarnings(True)
