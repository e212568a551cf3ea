"""Names of authors, made unreadable at intake: a keyed hash whose key never leaves this installation."""

from __future__ import annotations

import hmac
import os
import secrets
import tempfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mentions.failures import UserError
from mentions.mention import Voice

KEY_BYTES = 32
DIGITS = 16


@dataclass(frozen=True, slots=True)
class AuthorKey:
    """The secret that pseudonyms are made with. Who holds it can test a guess, so its file is mode 0600."""

    secret: bytes = field(repr=False)

    @staticmethod
    def load_or_create(path: Path) -> AuthorKey:
        """Read the key of this installation, or make one; two processes that start at once get the same key.

        Raises `UserError` where the file cannot be read or made, or is not such a key: guessing a new one would
        turn every known author into a stranger.
        """
        try:
            if not path.exists():
                _create(path)
            secret = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path}: cannot keep the author key here ({error.strerror}): check the rights") from error
        if len(secret) != KEY_BYTES:
            raise UserError(f"{path}: not an author key (expected {KEY_BYTES} bytes, found {len(secret)}): restore it")
        return AuthorKey(secret)

    @staticmethod
    def for_now() -> AuthorKey:
        """A key that nobody keeps: its pseudonyms mean nothing afterwards."""
        return AuthorKey(secrets.token_bytes(KEY_BYTES))

    def pseudonym(self, platform: str, author: str) -> str:
        """16 hex digits, the same for one author on one platform for as long as the key lives; "" for no author.

        A leading @, blanks around it and capitals make no difference, as they make none to the platforms.
        """
        name = plain_name(author)
        if not name:
            return ""
        words = f"{platform}\0{name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.secret, words, "sha256").hex()[:DIGITS]


def plain_name(author: str) -> str:
    """The name without blanks around it, a leading @ and capitals."""
    return author.strip().removeprefix("@").casefold()


def voice_of(own_handles: Collection[str], otherwise: Voice, *names: str) -> Voice:
    """Who speaks where an author goes by these names: we ourselves, where one is among our plain names."""
    return Voice.OWN if any(plain_name(name) in own_handles for name in names) else otherwise


def _create(path: Path) -> None:
    """Write a whole key under another name, then link it into place: nobody ever reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
