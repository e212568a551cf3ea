"""What every mention store promises of tombstones, of sightings, and of what is to be looked at again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from inspect import signature
from pathlib import Path

import httpx
import pytest

from mentions.mention import DELETED, LAPSED, Assessed, Assessment, Correction, Mention, Mood, Rag, Reason, Verdict
from mentions.query import Everything, parse
from mentions.store import MentionStore, ToCheck
from mentions.stores import open_store
from tests.contracts.store_cases import (
    ALWAYS,
    DAY,
    HOUR,
    MINUTE,
    T0,
    clear_away,
    elastic_address,
    ids,
    judged,
    opened,
    said,
    server_of,
)
from tests.elastic_server import ElasticServer

WORDS = "qzjxkvbwpt saw the officers crouch behind the laundrette at noon"
LATER = T0 + 2 * HOUR


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MentionStore]:
    with opened(request, "sqlite", tmp_path) as held:
        yield held


def told(number: int | str = 1, text: str = WORDS, **facts: object) -> Mention:
    located = {"title": "Zwyxvu laundrette", "link": "https://forum.example/t/zwyxvu", "native_id": f"n{number}"}
    known = {"author_key": "ab" * 8, "thread": "https://forum.example/t/zwyxvu", "likes": 4, "replies": 2}
    return said(number, text, **{**located, **known, **facts})  # type: ignore[arg-type]


OPINION = Assessment(
    relevant=True,
    sentiment=Verdict(Mood.NEGATIVE, -0.5),
    rag=Rag.RED,
    topic="conduct",
    boroughs=("Camden",),
    lang="en",
    watchlists=("laundrettes",),
    reasons=(Reason("says 'crouch' near 'officers'", 28, 34),),
    made_by=("rating/1",),
    pending=("model",),
    corrections=(
        Correction("topic", "conduct", "", "A. Person", T0, "qzjxkvbwpt saw the officers crouch behind it, so"),
    ),
)
HELD = Assessed(told(), OPINION)


def counts_of(store: MentionStore) -> list[object]:
    return [
        store.tallies_by_borough(*ALWAYS),
        store.tallies_by_source(*ALWAYS),
        [store.series(name, *ALWAYS) for name in store.series_names()],
        store.histogram(Everything(), timedelta(hours=1)),
        ids(store.members("red", *ALWAYS)),
        ids(store.search(parse("rag:red topic:conduct borough:Camden"))),
    ]


def test_a_tombstone_keeps_what_is_counted_and_thought_and_nothing_of_the_words(store: MentionStore) -> None:
    store.save([HELD, judged(told(2, "another laundrette"))])
    before = counts_of(store)
    assert store.bury(["forum:1", "forum:unknown"], LATER, DELETED) == 1
    assert counts_of(store) == before
    held = store.get(["forum:1"])["forum:1"]
    mention, opinion = held.mention, held.assessment
    assert (mention.title, mention.text, mention.link, mention.native_id) == ("", "", "", "")
    assert (mention.author_key, mention.thread) == ("", "")
    assert (mention.likes, mention.replies, mention.source) == (4, 2, "Corner")
    assert (mention.buried_at, mention.buried_because) == (LATER, DELETED)
    assert mention.shown == "[deleted at its source, seen on 1 Mar 2026]"
    assert (opinion.rag, opinion.topic, opinion.sentiment.score, opinion.boroughs) == (
        Rag.RED, "conduct", -0.5, ("Camden",)
    )  # fmt: skip
    assert (opinion.reasons, opinion.pending) == ((), ())
    assert opinion.corrections[0].because == "[deleted] it, so"
    assert store.search(parse("qzjxkvbwpt")) == store.search(parse("crouch")) == []
    assert ids(store.search(parse("deleted:yes"))) == ["1"]
    assert ids(store.search(parse("deleted:no"))) == ["2"]
    assert store.pending("model", 10) == []
    assert store.check() == []
    assert store.bury(["forum:1"], LATER + HOUR, DELETED) == 0
    assert store.get(["forum:1"])["forum:1"] == held


def test_no_copy_brings_deleted_words_back(store: MentionStore) -> None:
    store.save([HELD])
    store.bury(["forum:1"], LATER, DELETED)
    held = store.get(["forum:1"])
    for fetched in (T0, LATER + DAY):  # an older copy, and what a cache still shows
        copy = replace(HELD.mention, first_seen_at=fetched, source="Elsewhere", likes=9)
        assert store.save([Assessed(copy, OPINION)]).updated == ()
        assert store.get(["forum:1"]) == held
    assert store.search(parse("crouch")) == []


def test_words_that_lapsed_come_back_with_a_later_copy_and_no_earlier_one(store: MentionStore) -> None:
    store.save([HELD])
    assert store.bury(["forum:1"], LATER, LAPSED) == 1
    store.save([Assessed(replace(HELD.mention, first_seen_at=LATER - MINUTE), OPINION)])
    assert store.get(["forum:1"])["forum:1"].mention.buried_because == LAPSED
    assert store.to_check(LATER + 900 * DAY) == []
    later = replace(HELD.mention, first_seen_at=LATER + MINUTE)
    assert store.save([Assessed(later, OPINION)]).updated == ("forum:1",)
    risen = store.get(["forum:1"])["forum:1"]
    assert risen.mention == replace(HELD.mention, first_seen_at=HELD.mention.first_seen_at)
    assert ids(store.search(parse("crouch"))) == ["1"]
    assert store.to_check(T0 + 900 * DAY)[0].due == 1
    assert store.check() == []


def test_a_deletion_outweighs_a_lapse(store: MentionStore) -> None:
    store.save([HELD])
    store.bury(["forum:1"], LATER, LAPSED)
    store.bury(["forum:1"], LATER + HOUR, DELETED)
    assert store.get(["forum:1"])["forum:1"].mention.buried_because == DELETED
    store.bury(["forum:1"], LATER + DAY, LAPSED)
    assert store.get(["forum:1"])["forum:1"].mention.buried_because == DELETED


def test_a_tombstone_is_not_judged_anew_but_can_be_corrected(store: MentionStore) -> None:
    store.save([HELD])
    store.bury(["forum:1"], LATER, DELETED)
    held = store.get(["forum:1"])["forum:1"]
    store.judge([Assessed(held.mention, Assessment(lang="fr"))])
    assert store.get(["forum:1"])["forum:1"] == held
    said_so = Correction("rag", "green", "", "A. Person", LATER, "it was about another force")
    store.judge([Assessed(held.mention, replace(held.assessment, corrections=(said_so,)))])
    assert store.get(["forum:1"])["forum:1"].assessment.rag is Rag.GREEN
    assert store.check() == []


def test_a_copy_that_is_a_tombstone_makes_one_of_what_is_held(store: MentionStore) -> None:
    store.save([HELD])
    store.save([Assessed(Mention("forum:1", "forum", "Corner", T0, T0, "", buried_at=LATER, buried_because=DELETED),
                         Assessment())])  # fmt: skip
    held = store.get(["forum:1"])["forum:1"]
    assert (held.mention.text, held.mention.buried_at, held.assessment.rag) == ("", LATER, Rag.RED)
    assert store.to_check(T0 + 900 * DAY) == []
    assert store.check() == []


def test_a_tombstone_that_is_new_is_kept_as_one(store: MentionStore) -> None:
    gone = judged(Mention("forum:7", "forum", "Corner", T0, T0, "", buried_at=LATER, buried_because=DELETED))
    store.save([gone])
    assert store.get(["forum:7"]) == {"forum:7": gone}
    assert store.check() == []


def test_one_mention_of_several_sources_is_found_by_each_and_counted_once(store: MentionStore) -> None:
    store.save([HELD])
    for name, at in (("Met search", T0 + HOUR), ("Corner", T0 + 2 * HOUR), ("An older one", T0)):
        store.save([Assessed(replace(HELD.mention, source=name, first_seen_at=at), OPINION)])
    held = store.get(["forum:1"])["forum:1"]
    assert (held.mention.source, held.mention.sightings) == ("Corner", ("Met search", "An older one"))
    for name in ("Corner", '"Met search"', '"An older one"'):
        assert ids(store.search(parse(f"source:{name}"))) == ["1"]
    assert [(each.key, each.count) for each in store.tallies_by_source(*ALWAYS)] == [("Corner", 1)]
    assert store.check() == []


def test_sightings_of_one_batch_are_kept(store: MentionStore) -> None:
    other = Assessed(replace(HELD.mention, source="Met search"), OPINION)
    store.save([HELD, other])
    assert store.get(["forum:1"])["forum:1"].mention.sightings == ("Met search",)


def on(platform: str, number: int, seen_at: object = T0, **facts: object) -> Assessed:
    return judged(said(number, platform=platform, native_id=str(number), first_seen_at=seen_at, **facts))


def test_what_is_due_follows_from_the_platform_and_from_when_it_was_looked_at(store: MentionStore) -> None:
    store.save([on("x", 1), on("x", 2, T0 + HOUR), on("youtube", 3), on("mastodon", 4), on("telegram", 5)])
    store.save([judged(said(6, platform="x"))])  # nothing to ask for it by
    assert store.to_check(T0 + DAY) == [
        ToCheck("mastodon", "Corner", 1, 1, T0 + DAY, T0),
        ToCheck("x", "Corner", 2, 2, T0 + 20 * HOUR, T0),
        ToCheck("youtube", "Corner", 1, 0),
    ]
    assert [each.id for each in store.due("x", "Corner", T0 + 20 * HOUR, 10)] == ["forum:1"]
    assert [each.id for each in store.due("x", "Corner", T0 + DAY, 10)] == ["forum:1", "forum:2"]
    assert [each.id for each in store.due("x", "Corner", T0 + DAY, 1)] == ["forum:1"]
    late = store.due("x", "Corner", T0 + DAY, 10, checked_before=T0 + MINUTE)
    assert [(each.id, each.native_id, each.checked_at) for each in late] == [("forum:1", "1", T0)]
    assert store.due("x", "Elsewhere", T0 + DAY, 10) == []


def test_what_was_looked_at_is_due_again_and_what_told_nothing_soon(store: MentionStore) -> None:
    store.save([on("x", 1), on("x", 2), on("mastodon", 3)])
    store.note_checked(["forum:1", "forum:3", "forum:unknown"], T0 + 8 * DAY)
    store.postpone(["forum:2", "forum:unknown"], T0 + 8 * DAY + HOUR)
    at = T0 + 8 * DAY + HOUR
    assert [(each.id, each.checked_at) for each in store.due("x", "Corner", at, 9)] == [("forum:2", T0)]
    assert store.due("mastodon", "Corner", T0 + 15 * DAY - MINUTE, 9) == []
    assert [each.id for each in store.due("mastodon", "Corner", T0 + 15 * DAY, 9)] == ["forum:3"]
    assert store.check() == []


def test_nobody_looks_for_what_is_gone(store: MentionStore) -> None:
    store.save([on("x", 1)])
    store.bury(["forum:1"], LATER, DELETED)
    store.note_checked(["forum:1"], LATER)
    assert store.to_check(T0 + DAY) == store.due("x", "Corner", T0 + DAY, 9) == []


def test_nobody_looks_for_what_was_forgotten(store: MentionStore) -> None:
    store.save([on("x", 1)])
    store.forget(["forum:1"])
    store.note_checked(["forum:1"], LATER)
    assert store.to_check(T0 + DAY) == store.due("x", "Corner", T0 + DAY, 9) == []


def test_locators_of_platforms_can_be_dropped_and_the_words_stay(store: MentionStore) -> None:
    store.save([on("mastodon", 1, link="https://social.example/@zwyxvu/1"), on("mastodon", 2, T0 + DAY), on("x", 3)])
    assert store.drop_locators(["mastodon", "bluesky"], T0 + HOUR) == 1
    held = store.get(["forum:1", "forum:2", "forum:3"])
    assert [(each.mention.native_id, each.mention.link) for each in held.values()] == [("", ""), ("2", ""), ("3", "")]
    assert held["forum:1"].mention.text == "a quiet street"
    assert {each.platform: each.held for each in store.to_check(T0)} == {"mastodon": 1, "x": 1}
    assert store.drop_locators(["mastodon", "bluesky"], T0 + HOUR) == 0
    assert store.check() == []


def bytes_there(folder: Path, *words: bytes) -> list[bytes]:
    files = [file.read_bytes().lower() for file in folder.rglob("*") if file.is_file()]
    return [word for word in words if any(word in content for content in files)]


QUOTED = (b"qzjxkvbwpt", b"crouch", b"zwyxvu")


def test_a_buried_mention_leaves_no_byte_of_its_words_in_the_file(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:{tmp_path}/mentions.db")) as store:
        store.save([judged(said(f"o{n}", f"words {n}")) for n in range(300)])
        store.save([HELD])
        store.save([Assessed(replace(HELD.mention, text=f"{WORDS} edited", first_seen_at=T0 + HOUR), OPINION)])
        assert bytes_there(tmp_path, *QUOTED) == list(QUOTED)
        store.bury(["forum:1"], LATER, DELETED)
        assert bytes_there(tmp_path, *QUOTED) == []
        assert store.check() == []


# A server lets go of what was deleted every half minute only: so it is asked for all its promises at once.
@pytest.mark.slow
def test_elasticsearch_keeps_every_one_of_these_promises(elastic_server: ElasticServer) -> None:
    promises = {
        name: each
        for name, each in globals().items()
        if name.startswith("test_") and list(signature(each).parameters) == ["store"]
    }
    assert len(promises) >= 13
    with ExitStack() as stack:
        promises["bytes"] = partial(leaves_no_byte, elastic_server.folder)
        stores = {name: stack.enter_context(ready(elastic_address(elastic_server.url))) for name in promises}
        with ThreadPoolExecutor(9) as pool:
            asked = {name: pool.submit(promise, stores[name]) for name, promise in promises.items()}
        faults = [told_of(name, fault) for name, each in asked.items() if (fault := each.exception()) is not None]
    if faults:
        raise BaseExceptionGroup("promises that Elasticsearch breaks", faults)


@contextmanager
def ready(url: str) -> Iterator[MentionStore]:
    """A store with its month made: making all of them at the same moment would be too much for a busy machine."""
    host, index = server_of(url)
    with closing(open_store(url)) as store:
        store.note_checked([], T0)  # lays down what a month is made by
        httpx.put(f"{host}/{index}-2026.03", timeout=60).raise_for_status()
        yield store
    clear_away(url)


def told_of(name: str, fault: BaseException) -> BaseException:
    fault.add_note(name)
    return fault


def leaves_no_byte(folder: Path, store: MentionStore) -> None:
    """On a server where others say WORDS at the same time."""
    rare = (b"vxqjwzk", b"crouched", b"jqxvzkwpty")
    text = "jqxvzkwpty crouched behind the town hall at noon today"
    facts = {"title": "Vxqjwzk hall", "link": "https://forum.example/t/vxqjwzk"}
    store.save([judged(said(f"o{n}", f"words {n}")) for n in range(200)])
    store.save([Assessed(told(1, text, **facts), replace(OPINION, corrections=()))])
    assert bytes_there(folder, *rare) == list(rare)
    store.bury(["forum:1"], LATER, DELETED)
    assert bytes_there(folder, *rare) == []
    assert store.check() == []


def test_a_file_from_before_there_were_tombstones_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "mentions.db"
    with closing(open_store(f"sqlite:{path}")) as store:
        store.save([HELD, on("x", 2), on("telegram", 3), judged(said(4, platform="x"))])
        rows, due = list(store.everything()), store.to_check(T0 + DAY)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE recheck")
        for column in ("sightings", "buried", "because"):
            connection.execute(f"ALTER TABLE mention DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
    with closing(open_store(f"sqlite:{path}")) as store:
        assert (list(store.everything()), store.to_check(T0 + DAY)) == (rows, due)
        assert store.bury(["forum:1"], LATER, DELETED) == 1
        assert store.check() == []
