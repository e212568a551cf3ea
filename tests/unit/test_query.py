"""The promises of the query language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentions.query import And, Everything, Not, Or, Phrase, Query, QueryError, Word, matches, parse, predicate
from tests.contracts.store_cases import judged, said

A, B, C = Word("a"), Word("b"), Word("c")
PIECES = st.sampled_from(["a", "b", "AND", "OR", "NOT", *"()~*'&", '"', "a b", "x:y", "NEAR/3", "👮"])


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", Everything()),
        ("  \n", Everything()),
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("a NOT b", And((A, Not(B)))),
        ("NOT b a", And((Not(B), A))),
        ("a AND NOT (b OR c)", And((A, Not(Or((B, C)))))),
        ("a (NOT b NOT c)", And((A, Not(B), Not(C)))),
        ("NOT NOT a", A),
        ("and or not", And((Word("and"), Word("or"), Word("not")))),
        ('"a b"', Phrase(("a", "b"))),
        ("“a b”", Phrase(("a", "b"))),
        ('"AND"', Word("and")),
        ('a"b c"', And((A, Phrase(("b", "c"))))),
        ("don't-stop", Phrase(("don't", "stop"))),
        ("#riot @met_police Café", And((Word("riot"), Word("met_police"), Word("cafe")))),
        ("a & b ...", And((A, B))),
        ("what? 12:30", And((Word("what"), Phrase(("12", "30"))))),
        ("👮", Word("👮")),
    ],
)
def test_a_search_is_read_as_promised(text: str, tree: Query) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("NOT a", 0, "police NOT music"),
        ("a OR NOT b", 5, "police NOT music"),
        ("(NOT a) OR b", 0, "police NOT music"),
        ("a AND", 5, "last operator"),
        ("OR a", 0, "quote it"),
        ("a NOT", 5, "last operator"),
        ("a ()", 3, "parentheses"),
        ("(a", 0, "end it with )"),
        ("a)", 1, "take it out"),
        ('a "b', 2, 'another "'),
        ('a "!"', 2, "put words between"),
        ("...", 0, "at least one word"),
        ("rag:red", 0, "quotes"),
        ("https://example.org/a", 0, "quotes"),
        ("pol*", 0, "not part of the language yet"),
        ("wom?n", 0, "not part of the language yet"),
        ("*lice", 0, "not part of the language yet"),
        ("polise~", 0, "not part of the language yet"),
        ('"a b"~5', 5, "not part of the language yet"),
        ("a^2", 0, "not part of the language yet"),
        ("/a.b/", 0, "not part of the language yet"),
        ("[1 TO 2]", 0, "not part of the language yet"),
        ("a NEAR/5 b", 2, "quotes"),
        ("a -b", 2, "NOT before the word"),
        ("+a", 0, "must be there"),
        ("a && b", 2, "capitals"),
        ("a !b", 2, "capitals"),
    ],
)
def test_what_is_outside_the_language_is_refused_with_place_and_hint(text: str, position: int, hint: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)
    assert refused.value.position == position
    assert hint in refused.value.hint
    assert f"character {position + 1}:" in str(refused.value)


@pytest.mark.parametrize("text", ["(" * 5000 + "a", "NOT " * 2000 + "a", "a " * 6000, '"' * 101])
def test_monstrous_searches_are_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text)


@given(st.text(max_size=60) | st.lists(PIECES, max_size=14).map(" ".join))
def test_no_input_does_anything_but_parse_or_be_refused(text: str) -> None:
    query: Query = Everything()
    position = 0
    try:
        query = parse(text)
    except QueryError as refused:
        position = refused.position
    assert 0 <= position <= len(text)
    assert matches(query, judged(said(1, "a b"))) in (True, False)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("police", True),
        ("poli", False),
        ("police van", True),
        ('"police van"', False),
        ('"rye lane"', True),
        ("helicopter OR van", True),
        ("police NOT van", False),
        ("police NOT helicopter", True),
        ("helicopter", False),
        ("", True),
    ],
)
def test_a_search_holds_of_text_or_not(text: str, holds: bool) -> None:
    held = judged(said(1, "Police on Rye Lane again, and a van"))
    assert matches(parse(text), held) is predicate(parse(text))(held) is holds
