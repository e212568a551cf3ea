import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mentions.failures import UserError
from mentions.pseudonyms import AuthorKey


def test_one_author_keeps_one_pseudonym_over_restarts(tmp_path: Path) -> None:
    first = AuthorKey.load_or_create(tmp_path / "authors.key").pseudonym("x", "wex_anna")
    assert AuthorKey.load_or_create(tmp_path / "authors.key").pseudonym("x", "@Wex_Anna ") == first
    assert len(first) == 16
    assert "anna" not in first


def test_platforms_and_keys_give_different_pseudonyms(tmp_path: Path) -> None:
    key, other = AuthorKey.load_or_create(tmp_path / "a"), AuthorKey.load_or_create(tmp_path / "b")
    assert len({key.pseudonym("x", "anna"), key.pseudonym("forum", "anna"), other.pseudonym("x", "anna")}) == 3


def test_nobody_has_no_pseudonym() -> None:
    assert AuthorKey(b"k" * 32).pseudonym("x", " @ ") == ""


def test_only_the_owner_may_read_the_key(tmp_path: Path) -> None:
    AuthorKey.load_or_create(tmp_path / "deep" / "authors.key")
    assert stat.S_IMODE((tmp_path / "deep" / "authors.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["authors.key"]


def test_those_who_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: AuthorKey.load_or_create(tmp_path / "key").secret, range(16)))
    assert len(keys) == 1


def test_a_damaged_key_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(UserError, match="not an author key"):
        AuthorKey.load_or_create(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == b"short"


def test_the_key_is_not_printed() -> None:
    assert "kkkk" not in repr(AuthorKey(b"k" * 32))
