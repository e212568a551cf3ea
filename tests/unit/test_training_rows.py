"""What there is to learn from: labelled rows are not ours to invent, unlabelled ones are found in the corpora."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from analysis.train.police import PoliceRow, chatter_rows, to_mention, unlabelled_rows
from analysis.train.texts import UNKNOWN, Example


def corpus(data: Path, name: str, *texts: str) -> None:
    path = data / "corpora" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": f"{name}:{at}", "platform": "forum", "text": text} for at, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_each_unlabelled_text_comes_once_and_none_that_is_labelled(tmp_path: Path) -> None:
    corpus(tmp_path, "b/forum.jsonl", "A bus was late again", "The police came to our road", "So?")
    corpus(tmp_path, "a/news.jsonl", "A bus was late, again!", "Officers praised for a rescue")
    corpus(tmp_path, "a/news_volume.jsonl", "One of very many tweets")
    labelled = PoliceRow(
        to_mention({"id": "1", "platform": "forum", "text": "the police came to our road"}), {}, "b", ()
    )
    rows = unlabelled_rows(tmp_path, [labelled])
    assert [row.mention.text for row in rows] == ["A bus was late, again!", "Officers praised for a rescue"]
    assert [row.source for row in rows] == ["a/news.jsonl", "a/news.jsonl"]
    assert {(row.attitude, row.relevant, row.topic) for row in rows} == {(UNKNOWN, UNKNOWN, UNKNOWN)}
    assert rows[1].targets == ((0, 8),)


def test_chatter_is_what_no_word_takes_for_ours_each_once_and_no_more_than_asked_for() -> None:
    plain = [f"Song number {at} is on, again!" for at in range(4)]
    ours = ["The police came to our road", "Burgled twice this year", "all officers look alike"]
    public = [Example(text) for text in (*plain, *ours, plain[0])]
    every = chatter_rows(public, 99, Random(1))
    assert sorted(row.mention.text.lower().replace(",", "").replace("!", "") for row in every) == [
        f"song number {at} is on again" for at in range(4)
    ]
    assert sum(row.mention.text.islower() for row in every) == 2  # written carelessly
    assert {(row.relevant, row.topic, row.attitude) for row in every} == {(0, UNKNOWN, UNKNOWN)}
    assert len(chatter_rows(public, 3, Random(1))) == 3
