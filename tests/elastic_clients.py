"""Another major of the Elasticsearch client beside our own, fetched by pip into a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class NoClient(Exception):
    """pip could not fetch it; the message says why and names Elasticsearch."""


def fetch_client(wanted: str, folder: Path) -> Path:
    """The folder to put first on the path for a client such as "elasticsearch<9". Raises NoClient."""
    options = ["--quiet", "--disable-pip-version-check", "--target", str(folder), "--retries", "1"]
    told = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, wanted], capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise NoClient(f"pip could not fetch {wanted}, another client of Elasticsearch, from its index")
    return folder
