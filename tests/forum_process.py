"""A real forum in a process of its own, told line by line what happens there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class ForumProcess:
    """Runs `tests/<site>` over a folder; `url` is where the forum answers."""

    def __init__(self, site: str, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / site), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = self._hear()
        assert said[:1] == ["ready"], "the forum did not start"
        self.url = said[1]

    def act(self, words: str) -> str:
        """Do it; returns the number of what was made, where the site tells one."""
        assert self._process.stdin is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        done, *number = self._hear()
        assert done == "done"
        return "".join(number)

    def end(self) -> None:
        """Let it go."""
        self._process.communicate(timeout=20)

    def _hear(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()
