"""How a text is written for the model, and where its targets are then."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analysis.wording import marked, written

WORDS = st.text(st.sampled_from("ab C.@#'&;<🙄👏🏽\u200b\u202e\n\t é€"), max_size=12)


def test_handles_links_entities_and_emoji_are_written_as_the_model_learnt_them() -> None:
    text = "RT @someone: great 🙄👏🏽 job &amp; done https://t.co/x1 \u200b❤️"
    assert written(text) == "RT @user: great face with rolling eyes clapping hands job & done http red heart"


def test_a_target_that_is_a_handle_keeps_its_name() -> None:
    text, spans = marked("@someone well done @metpoliceuk !", [(19, 31)])
    assert text == "@user well done metpoliceuk !"
    assert [text[start:end] for start, end in spans] == ["metpoliceuk"]


def test_the_sign_before_a_target_is_left_out_and_a_link_holds_no_target() -> None:
    text = "@metpoliceuk why? https://www.met.police.uk/report"
    assert marked(text, [(1, 12), (text.index("police.uk"), text.index("police.uk") + 6)]) == (
        "metpoliceuk why? http",
        [(0, 11)],
    )


def test_what_cannot_be_seen_is_not_read() -> None:
    assert written("po\u200blice\u202e\x07") == "police"


@given(WORDS, WORDS, WORDS, WORDS, WORDS)
def test_each_target_is_found_again_in_the_written_text(a: str, first: str, b: str, second: str, c: str) -> None:
    text = a + first + b + second + c
    one, two = len(a), len(a + first + b)
    made, spans = marked(text, [(one, one + len(first)), (two, two + len(second))])
    said = [written(target.lstrip("@#")) for target in (first, second)]
    assert [made[start:end] for start, end in spans] == [each for each in said if each]
    assert made == made.strip()


@given(WORDS)
def test_without_targets_the_text_is_simply_written(text: str) -> None:
    assert marked(text, []) == (written(text), [])
