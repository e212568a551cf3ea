"""A `[[sources]]` table put at the end of the settings file, whose every other byte stays as it is."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from config.problems import Problem, SettingsError


class CannotAppend(Exception):
    """The file cannot be changed; the message says why in one line, and the file is as it was."""


def append_table(path: Path, section: str, table: Mapping[str, object], check: Callable[[Path], None]) -> None:
    """Write it, all or nothing. `check` is given the file as it is, and then as it would be, and raises SettingsError
    where either cannot be used. Raises CannotAppend where the file cannot be read or written."""
    real = path.resolve()
    check(real)
    try:
        before = real.read_bytes()
    except OSError as error:
        raise CannotAppend(f"{path}: cannot be read ({error.strerror})") from None
    after = before + _as_block(before, section, table)
    _write(path, real, before, after, check)


def _write(path: Path, real: Path, before: bytes, after: bytes, check: Callable[[Path], None]) -> None:
    trial: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{real.name}-", suffix=".toml", dir=real.parent)
        trial = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        _check_as(path, trial, check)
        shutil.copymode(real, trial)
        owner = real.stat()
        with suppress(OSError):  # who may not give it away is, as a rule, its owner
            os.chown(trial, owner.st_uid, owner.st_gid)
        if not os.access(real, os.W_OK):
            raise CannotAppend(
                f"{path}: cannot be written (Permission denied): mend its permissions, or add the table by hand"
            )
        if real.read_bytes() != before:
            raise CannotAppend(f"{path}: somebody changed it meanwhile: do it again")
        trial.replace(real)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CannotAppend(
            f"{path}: cannot be written ({reason}): mend its permissions, or add the table by hand"
        ) from None
    finally:
        if trial is not None:
            trial.unlink(missing_ok=True)


def _check_as(path: Path, trial: Path, check: Callable[[Path], None]) -> None:
    """Problems of the trial are told as those of the file that it would become."""
    try:
        check(trial)
    except SettingsError as error:
        told = [Problem(str(path), each.key, each.found, each.expected) for each in error.problems]
        raise SettingsError(told) from None


def _as_block(before: bytes, section: str, table: Mapping[str, object]) -> bytes:
    line = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before else line if before.endswith(b"\n") else line * 2
    return (gap + line.join(table_lines(section, table)) + line).encode()


def table_lines(section: str, table: Mapping[str, object]) -> list[str]:
    """The table in TOML, a line for each key; keys without a value are left out."""
    keys = [f"{key} = {as_toml(value)}" for key, value in table.items() if value not in ("", (), [], None)]
    return [f"[[{section}]]", *keys]


def as_toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        if tomllib.loads(f"a = {text}")["a"] != value:
            raise ValueError("text that TOML cannot hold")
        return text
    if isinstance(value, Sequence):
        return f"[{', '.join(map(as_toml, value))}]"
    return str(value)
