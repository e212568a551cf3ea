"""The promises of the one tokeniser."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mentions.normalise import normalise, tokens, tokens_with_spans

POSTS = st.text(max_size=80) | st.text("aS'’_ 👮🏽\u200d♀️é.é-ßﬁ", max_size=30)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("café", "cafe"),
        ("don't", "don’t"),
        ("Straße", "STRASSE"),
        ("ﬁne", "fine"),
        ("👏🏽👏🏽", "👏 👏"),
        ("👮‍♀️", "👮♀"),
        ("the Met's", "the met"),
        ("#riot", "riot"),
        ("@metpolice", "MetPolice"),
        ("po\u00adlice", "police"),
        ("po\u200blice", "police"),
        ("#po\u200blice", "police"),
        ("Ｐｏｌｉｃｅ", "police"),
    ],
)
def test_spellings_of_one_word_are_one_word(one: str, other: str) -> None:
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("met_police isn't here", ["met_police", "isn't", "here"]),
        ("don't-stop", ["don't", "stop"]),
        ("'quoted' _loose_ a__b a'_b", ["quoted", "loose", "a", "b", "a", "b"]),
        ("at 12:30, £5.50 & more...", ["at", "12", "30", "5", "50", "more"]),
        ("it's's", ["it"]),
        ("s' 's", ["s", "s"]),
        ("go👮go", ["go", "👮", "go"]),
        ("https://www.example.org/a?b=1", ["https", "www", "example", "org", "a", "b", "1"]),
        ("", []),
        (" \n\t…—!", []),
        ("a\ud800b\0c", ["a", "b", "c"]),
    ],
)
def test_words_are_cut_as_promised(text: str, words: list[str]) -> None:
    assert tokens(text) == words


@given(POSTS)
@example("\u1fb3")
def test_what_is_normalised_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(POSTS)
def test_words_are_joined_by_one_blank_and_hold_none(text: str) -> None:
    assert normalise(text).split(" ") == (tokens(text) or [""])


@given(POSTS)
@example("x's's 👮🏽's")
def test_spans_are_of_the_same_words(text: str) -> None:
    assert [word for word, _, _ in tokens_with_spans(text)] == tokens(text)


@given(POSTS)
def test_a_span_is_where_its_word_was_read(text: str) -> None:
    last = 0
    for word, start, end in tokens_with_spans(text):
        assert last <= start < end <= len(text)
        assert word in normalise(text[start:end])
        last = start


def test_a_span_leaves_a_cut_off_s_out() -> None:
    text = "Café’s 👮🏽 said ﬁne"
    assert [(word, text[start:end]) for word, start, end in tokens_with_spans(text)] == [
        ("cafe", "Café"),
        ("👮", "👮"),
        ("said", "said"),
        ("fine", "ﬁne"),
    ]
