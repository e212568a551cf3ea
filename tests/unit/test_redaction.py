"""Taking words out of what quotes them."""

from __future__ import annotations

import json

import pytest

from mentions.redaction import Redaction

SAID = 'Two officers "crouched" behind\nthe laundrette at noon, why?'


@pytest.mark.parametrize(
    ("quoting", "left"),
    [
        (f"He wrote: {SAID} And more.", "He wrote: [deleted] And more."),
        (f"He wrote: {' '.join(SAID.split())}", "He wrote: [deleted]"),
        (json.dumps({"text": SAID}), '{"text": "[deleted]"}'),
        (f'1,"{SAID.replace(chr(34), chr(34) * 2)}",2', '1,"[deleted]",2'),
        ("so TWO OFFICERS crouched, behind the laundrette - I ask", "so [deleted] - I ask"),
        ("officers crouched behind the laundrette", "officers crouched behind the laundrette"),
        ("two officers were seen at noon", "two officers were seen at noon"),
        ("", ""),
    ],
)
def test_a_text_goes_however_it_is_spelt_and_so_does_a_run_of_six_of_its_words(quoting: str, left: str) -> None:
    assert Redaction([SAID]).apply(quoting) == left


def test_texts_too_short_to_tell_from_common_talk_are_left_alone() -> None:
    redaction = Redaction(["", "Police!", "stop and search in Camden"[:15], "why not me"])
    assert not redaction
    assert redaction.apply("Police! stop and search, why not me") == "Police! stop and search, why not me"


def test_a_short_text_of_five_words_is_taken_out_whole() -> None:
    assert Redaction(["who let the dogs out"]).apply("Who let the dogs out? Who?") == "[deleted]? Who?"


def test_words_in_a_script_without_blanks_are_found_as_they_stand_and_as_json_spells_them() -> None:
    said = "警察官が洗濯屋の後ろでしゃがんでいるのを見ました、なぜでしょうか"
    redaction = Redaction([said])
    assert redaction.apply(f"「{said}」") == "「[deleted]」"
    assert redaction.apply(json.dumps(said)) == '"[deleted]"'


def test_of_json_only_what_stands_in_its_strings_changes() -> None:
    told = {"a": [SAID, 1, None, {"b": True}], "crouched behind the laundrette at": "noon"}
    assert Redaction([SAID]).apply_within(told) == {
        "a": ["[deleted]", 1, None, {"b": True}], "crouched behind the laundrette at": "noon"
    }  # fmt: skip
