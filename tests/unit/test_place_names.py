"""Which names a correction may teach as places."""

from __future__ import annotations

import pytest

from config.place_names import place_fault


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("over", "everyday"),
        ("police", "everyday"),
        ("the met police", "everyday"),
        ("tower hamlets", "borough"),
        ("lbbd", "borough"),
        ("siobhan okonkwo", "person"),
        ("okonkwo", "person"),
        ("pc okonkwo", "person"),
    ],
)
def test_what_means_something_else_is_no_lesson(name: str, says: str) -> None:
    assert says in place_fault(name)


@pytest.mark.parametrize("name", ["quillmere parade", "ravensbury", "the zyx arms"])
def test_a_name_of_its_own_is_one(name: str) -> None:
    assert place_fault(name) == ""
