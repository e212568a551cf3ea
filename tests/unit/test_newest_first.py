"""A listing walked newest first: what a look brings, where it ends, and that nothing is lost when it is broken off."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from listener.newest_first import LONGEST_LOOK, Entry, LeftOut, Listing, Taken, Walk, read_entries
from mentions.mention import Mention
from tests.faulty_server import NOON

SIZE = 3


def mention(key: str, text: str = "") -> Mention:
    return Mention(f"x:{key}", "x", "s", NOON, NOON, text or f"Post {key}", native_id=key)


def entries(*keys: object, text: str = "") -> tuple[Entry, ...]:
    return tuple(Entry(str(key), mention(str(key), text)) for key in keys)


def page(all_keys: Sequence[int], mark: str) -> Listing:
    """A page of a listing that shows the highest numbers first."""
    start = int(mark or 0)
    rest = sorted(all_keys, reverse=True)[start : start + SIZE]
    return Listing(entries(*rest), str(start + SIZE) if len(all_keys) > start + SIZE else "")


def look(walk: Walk, all_keys: Sequence[int], pages: int = 1) -> tuple[Walk, list[int], list[Taken]]:
    """Pages until the look ends; what it brought."""
    brought, taken = [], []
    for _ in range(LONGEST_LOOK + 1):
        walk = Walk.from_note(json.loads(json.dumps(walk.note())), walk.of)
        walk, new = walk.take(page(all_keys, walk.next), pages)
        taken.append(new)
        brought += [int(each.native_id) for each in new.mentions]
        if not walk.next:
            return walk, brought, taken
    raise AssertionError("never came to an end")


@given(st.integers(0, 12), st.integers(1, 4), st.lists(st.integers(0, 8), max_size=5))
def test_every_post_after_the_first_look_is_brought_once(before: int, pages: int, grown: list[int]) -> None:
    keys = list(range(before))
    walk, brought, _ = look(Walk("l"), keys, pages)
    assert brought == sorted(keys, reverse=True)[: SIZE * pages]
    for more in grown:
        new = list(range(len(keys), len(keys) + more))
        keys += new
        walk, brought, _ = look(walk, keys, pages)
        assert set(brought) >= set(new) if before else True
        assert len(set(brought)) == len(brought)
    assert look(walk, keys, pages)[1] == [] or not before


def test_a_first_look_ends_after_so_many_pages_and_later_ones_at_what_is_known() -> None:
    walk, brought, _ = look(Walk("l"), range(100), pages=2)
    assert brought == [99, 98, 97, 96, 95, 94]
    _, brought, taken = look(walk, range(110), pages=2)
    assert sorted(brought) == list(range(100, 110))
    assert len(taken) == 4


def test_a_look_that_is_broken_off_goes_on_where_it_was_even_if_more_was_posted_meanwhile() -> None:
    walk, _, _ = look(Walk("l"), range(10))
    walk, first = walk.take(page(range(20), ""), 1)  # 19, 18, 17; then the server fails
    _, brought, _ = look(walk, range(22))  # two more came: the page after shows 18, 17 and 16
    assert {*brought, *(int(each.native_id) for each in first.mentions)} >= set(range(10, 20))


def test_a_page_that_the_platform_forgot_costs_no_post() -> None:
    walk, _, _ = look(Walk("l"), range(10))
    walk, _ = walk.take(page(range(20), ""), 1)
    _, brought, _ = look(walk.restart(), range(20))
    assert sorted(brought) == list(range(10, 20))


def test_a_page_with_nothing_new_ends_the_look() -> None:
    walk, taken = Walk("l").take(Listing(entries(1, 2), "again"), 5)
    assert (len(taken.mentions), walk.next) == (2, "again")
    walk, taken = walk.take(Listing(entries(1, 2), "again"), 5)
    assert (taken.mentions, walk.next) == ((), "")


def test_an_edit_comes_again_and_a_copy_does_not() -> None:
    walk, _ = Walk("l").take(Listing(entries(1, 2)), 1)
    walk, taken = walk.take(Listing((*entries(1, text="Edited"), *entries(2))), 1)
    assert [each.text for each in taken.mentions] == ["Edited"]
    assert walk.take(Listing((*entries(1, text="Edited"), *entries(2))), 1)[1] == Taken()


def test_what_closes_after_we_read_it_is_gone_once() -> None:
    closed = Listing((Entry("1", odd="not public", closed=True),))
    walk, taken = Walk("l").take(closed, 1)
    assert (taken.gone, taken.left_out) == ((), 1)  # we never had it
    walk, _ = Walk("l").take(Listing(entries(1)), 1)
    walk, taken = walk.take(closed, 1)
    assert (taken.gone, taken.left_out, taken.sample) == (("1",), 1, "not public")
    assert walk.take(closed, 1)[1] == Taken()


def test_what_is_missing_from_a_whole_listing_is_gone() -> None:
    walk, _ = Walk("l").take(Listing((*entries(1, 2), Entry("odd", odd="why")), whole=True), 1)
    walk, taken = walk.take(Listing(entries(2, 3), whole=True), 1)
    assert ([each.native_id for each in taken.mentions], taken.gone) == (["3"], ("1",))
    assert walk.take(Listing(entries(2, 3), whole=True), 1)[1] == Taken()


def test_a_whole_listing_that_is_empty_once_takes_nothing_away_and_twice_it_does() -> None:
    several, nothing = Listing(entries(1, 2), whole=True), Listing(whole=True)
    walk, _ = Walk("l").take(several, 1)
    walk, taken = walk.take(nothing, 1)
    assert taken == Taken()
    walk, taken = Walk.from_note(walk.note(), "l").take(several, 1)
    assert taken == Taken()
    walk, taken = walk.take(nothing, 1)
    assert taken == Taken()
    assert Walk.from_note(walk.note(), "l").take(nothing, 1)[1].gone == ("1", "2")


def test_a_gap_is_told_where_a_look_ends_before_what_is_known() -> None:
    walk, _, _ = look(Walk("l"), [1])
    _, _, taken = look(walk, range(100, 100 + SIZE * 4))
    assert [bool(each.gap) for each in taken] == [False, False, False, True]
    walk, _, _ = look(Walk("l"), [1])
    _, brought, taken = look(walk, range(100, 10_000))
    assert (len(brought), taken[-1].gap) == (SIZE * LONGEST_LOOK, "more than 100 pages since the last look")


def test_a_first_look_at_nothing_is_still_the_first() -> None:
    walk, _ = Walk("l").take(Listing(), 1)
    assert look(walk, range(50))[1] == [49, 48, 47]


def test_what_stands_beside_the_listing_is_remembered_like_it() -> None:
    walk, _ = Walk("l").take(Listing(entries(9), "2"), 2)
    walk, taken = walk.add(entries("reply"))
    assert len(taken.mentions) == 1
    walk = walk.mark({"9/replies": "7"})
    walk, _ = walk.take(Listing(entries(8)), 2)
    assert walk.marked("9/replies") == "7"
    assert walk.add(entries("reply"))[1] == Taken()


def test_the_oldest_are_forgotten_first() -> None:
    walk, _ = Walk("l").take(Listing(entries(*range(600, 300, -1)), "2"), 2)
    walk, _ = walk.take(Listing(entries(*range(300, 0, -1))), 2)
    walk, _ = walk.take(Listing(entries(601, 600)), 2)  # a short page: only 500 are kept
    assert walk.take(Listing(entries(*range(601, 101, -1))), 2)[1] == Taken()
    assert [each.native_id for each in walk.take(Listing(entries(102, 101)), 2)[1].mentions] == ["101"]


def test_another_listing_starts_afresh() -> None:
    walk, _, _ = look(Walk("search a"), range(5))
    assert Walk.from_note(walk.note(), "search b") == Walk("search b")
    assert Walk.from_note({"v": 99}, "search a") == Walk("search a")


def test_a_row_that_cannot_be_read_costs_its_neighbours_nothing() -> None:
    def build(row: object) -> Mention:
        if row == "closed":
            raise LeftOut("not for us", "7", closed=True)
        assert isinstance(row, dict)
        return mention(row["id"])

    found = read_entries([{"id": "1"}, "closed", {"no": "id"}, {"id": "1"}, {"id": "2"}], build)
    assert [each.mention.native_id if each.mention else each.odd for each in found] == [
        "1",
        "not for us",
        "an entry that cannot be read (KeyError)",
        "2",
    ]
    assert found[1].closed
