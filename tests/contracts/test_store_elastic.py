"""What the Elasticsearch store promises beyond the contract: about its server, and about what can go wrong with one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from datetime import timedelta

import httpx
import pytest

from mentions.failures import NeedsAttention, TemporaryFailure, UserError
from mentions.mention import Correction, Rag
from mentions.normalise import normalise
from mentions.query import Everything, parse
from mentions.store import Saved
from mentions.stores import elastic_writing as writing
from mentions.stores import open_store
from mentions.stores.elastic import ElasticStore
from mentions.stores.elastic_access import read_address
from mentions.stores.elastic_rows import document_id, new, to_body
from mentions.stores.elastic_schema import SCHEMA, template
from tests.contracts.store_cases import DAY, HOUR, T0, ids, judged, said, server_of


@pytest.fixture
def store(elastic_url: str) -> Iterator[ElasticStore]:
    with closing(ElasticStore(elastic_url)) as opened:
        yield opened


def nobody() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"elasticsearch:http://127.0.0.1:{taken.getsockname()[1]}"


# -- opening ----------------------------------------------------------------------------------------------------------


def test_opening_needs_no_server_and_a_call_without_one_may_be_done_again() -> None:
    with closing(open_store(nobody())) as store:
        for call in (lambda: store.save([judged(said(1))]), store.status, lambda: store.search(Everything())):
            with pytest.raises(TemporaryFailure, match="cannot be reached"):
                call()


def test_a_reader_needs_a_store_and_makes_none(elastic_url: str) -> None:
    host, index = server_of(elastic_url)
    reading = open_store(elastic_url, readonly=True)
    with closing(reading) as reader, pytest.raises(UserError, match="start the daemon first"):
        reader.status()
    assert httpx.get(f"{host}/_index_template/{index}").status_code == 404
    assert httpx.get(f"{host}/{index}-*").json() == {}


def test_a_reader_sees_what_the_writer_saves_and_can_write_nothing(elastic_url: str) -> None:
    with closing(open_store(elastic_url)) as writer, closing(open_store(elastic_url, readonly=True)) as reader:
        writer.save([judged(said(1), relevant=True)])
        assert ids(reader.search(Everything())) == ["1"]
        assert reader.check() == []
        for call in (
            lambda: reader.save([judged(said(2))]),
            lambda: reader.judge([judged(said(1))]),
            lambda: reader.forget(["forum:1"]),
            lambda: reader.purge(T0),
        ):
            with pytest.raises(NeedsAttention, match="read only"):
                call()
        writer.save([judged(said(3))])
        assert reader.status().mentions == 2


@pytest.mark.parametrize("readonly", [False, True])
def test_a_store_of_a_newer_version_is_left_alone(elastic_url: str, readonly: bool) -> None:
    host, index = server_of(elastic_url)
    newer = {"made_by": "earshot", "schema": 99}
    template = {"index_patterns": [f"{index}-*"], "_meta": newer, "template": {"mappings": {"_meta": newer}}}
    httpx.put(f"{host}/_index_template/{index}", json=template).raise_for_status()
    httpx.put(f"{host}/{index}-2026.03", json={"aliases": {index: {}}}).raise_for_status()
    says = r"written by a newer Earshot \(schema 99, this one knows \d+\): upgrade"
    with closing(open_store(elastic_url, readonly=readonly)) as store, pytest.raises(UserError, match=says):
        store.status()
    held = httpx.get(f"{host}/_index_template/{index}").json()["index_templates"][0]["index_template"]
    assert held["_meta"] == newer


def test_a_store_of_an_older_schema_is_brought_up_to_date(elastic_url: str) -> None:
    host, index = server_of(elastic_url)
    older = deepcopy(template(read_address(elastic_url)))
    for meta in (older["_meta"], older["template"]["mappings"]["_meta"]):
        meta["schema"] = 1
    properties = older["template"]["mappings"]["properties"]
    del properties["opinion"]["properties"]["corrections"]
    for name in ("round", "due", "checked"):
        del properties[name]
    httpx.put(f"{host}/_index_template/{index}", json=older).raise_for_status()
    old = to_body(new(judged(said("old", platform="x", native_id="7")), ""))
    kept = {name: value for name, value in old.items() if name not in ("round", "due", "checked")}
    where = f"{host}/{index}-2026.03/_doc/{document_id('forum:old')}?refresh=true"
    httpx.put(where, json=kept).raise_for_status()
    made = judged(said(1), corrections=(Correction("debate", "yes", "no", "Sam", T0, "read it"),), debate=True)
    with closing(ElasticStore(elastic_url)) as store:
        store.save([made])
        assert store.get(["forum:1"])["forum:1"] == made
        assert [(each.platform, each.held) for each in store.to_check(T0)] == [("x", 1)]
        assert store.check() == []
    found = httpx.get(f"{host}/{index}-2026.03/_mapping").json()[f"{index}-2026.03"]["mappings"]["_meta"]
    assert found["schema"] == SCHEMA


def test_the_template_of_something_else_is_refused_and_unharmed(elastic_url: str) -> None:
    host, index = server_of(elastic_url)
    httpx.put(f"{host}/_index_template/{index}", json={"index_patterns": [f"{index}-*"]}).raise_for_status()
    with closing(open_store(elastic_url)) as store, pytest.raises(UserError, match="something else"):
        store.save([judged(said(1))])
    held = httpx.get(f"{host}/_index_template/{index}").json()["index_templates"][0]["index_template"]
    assert "mappings" not in held.get("template", {})


def test_an_index_of_somebody_else_that_has_our_name_is_refused_and_unharmed(elastic_url: str) -> None:
    host, index = server_of(elastic_url)
    httpx.put(f"{host}/{index}").raise_for_status()
    httpx.post(f"{host}/{index}/_doc/1?refresh=true", json={"theirs": 1}).raise_for_status()
    with closing(ElasticStore(elastic_url)) as store, pytest.raises(UserError, match="belongs to something else"):
        store.save([judged(said(1))])
    assert httpx.get(f"{host}/{index}/_count").json()["count"] == 1
    httpx.delete(f"{host}/{index}").raise_for_status()


def test_a_document_with_a_field_of_its_own_is_refused_by_the_server(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(1))])
    host, index = server_of(elastic_url)
    for document in ({"surprise": 1}, {"fact": {"surprise": 1}}, {"opinion": {"surprise": 1}}):
        answer = httpx.post(f"{host}/{index}-2026.03/_doc", json=document)
        assert answer.json()["error"]["type"] == "strict_dynamic_mapping_exception"


def test_a_server_that_lost_everything_gets_its_template_again(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(1))])
    host, index = server_of(elastic_url)
    httpx.delete(f"{host}/{','.join(httpx.get(f'{host}/{index}-*').json())}").raise_for_status()
    httpx.delete(f"{host}/_index_template/{index}").raise_for_status()
    with pytest.raises(TemporaryFailure):
        store.search(Everything())
    assert store.save([judged(said(1))]) == Saved(new=("forum:1",))
    assert store.search(parse("street")) == [judged(said(1))]


# -- writing ----------------------------------------------------------------------------------------------------------


def test_mentions_lie_in_the_month_they_were_published_in(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(n, at=T0 + n * 20 * DAY)) for n in range(4)])
    assert store.count(Everything()) == 4
    host, index = server_of(elastic_url)
    held = {
        each["index"]: int(each["docs.count"]) for each in httpx.get(f"{host}/_cat/indices/{index}?format=json").json()
    }
    assert {name: count for name, count in held.items() if count} == {
        f"{index}-2026.03": 2,
        f"{index}-2026.04": 2,
    }


def test_one_heard_again_with_the_date_of_another_month_stays_one(store: ElasticStore) -> None:
    store.save([judged(said(1))])
    moved = said(1, "a loud street", at=T0 + 40 * DAY, first_seen_at=T0 + 41 * DAY)
    assert store.save([judged(moved)]) == Saved(updated=("forum:1",))
    assert store.status().mentions == 1
    (held,) = store.search(parse("loud"))
    assert (held.mention.published_at, held.mention.text) == (T0, "a loud street")
    assert store.check() == []


def test_a_save_whose_answer_was_lost_counts_as_new_when_it_is_sent_again(
    store: ElasticStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [judged(said(n)) for n in range(3)]
    store.save(batch)
    assert store.count(Everything()) == 3
    # What the client does by itself after a lost answer: the same create once more, and a conflict this time.
    monkeypatch.setattr(writing, "find", lambda *_: {})
    assert store.save(batch) == Saved(new=("forum:0", "forum:1", "forum:2"))
    assert store.save([judged(said(1, "other words"))]) == Saved(updated=("forum:1",))


def test_what_another_writer_changes_in_between_is_read_and_merged_again(
    elastic_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = writing.find
    with closing(ElasticStore(elastic_url)) as one, closing(ElasticStore(elastic_url)) as other:
        one.save([judged(said(1))])
        turns = iter([lambda: other.judge([judged(said(1), rag=Rag.RED)]), lambda: None])

        def find_slowly(*asked: object) -> object:
            held = find(*asked)  # type: ignore[arg-type]
            monkeypatch.setattr(writing, "find", find)
            next(turns)()
            return held

        monkeypatch.setattr(writing, "find", find_slowly)
        newer = said(1, likes=9, first_seen_at=T0 + HOUR)
        assert one.save([judged(newer)]) == Saved(updated=("forum:1",))
        assert one.get(["forum:1"])["forum:1"] == judged(said(1, likes=9), rag=Rag.RED)
        assert one.check() == []


def test_what_was_saved_a_moment_ago_is_known_before_anybody_reads(store: ElasticStore) -> None:
    first = [judged(said(n)) for n in range(3)]
    store.save(first)
    assert store.save(first) == Saved(unchanged=3)
    moved = said(1, at=T0 + 40 * DAY, likes=5, first_seen_at=T0 + 41 * DAY)
    assert store.save([judged(moved), judged(said(9))]) == Saved(new=("forum:9",), updated=("forum:1",))
    assert store.count(Everything()) == 4
    assert store.save(first) == Saved(unchanged=3)


def test_what_one_store_saves_another_sees_at_once(elastic_url: str) -> None:
    with closing(ElasticStore(elastic_url)) as one, closing(ElasticStore(elastic_url)) as other:
        for number in range(1, 4):
            one.save([judged(said(number))])
            assert other.count(Everything()) == number
            assert len(other.search(Everything())) == number


def test_two_stores_that_save_the_same_at_once_keep_it_once(elastic_url: str) -> None:
    def work(number: int) -> None:
        with closing(ElasticStore(elastic_url)) as store:
            for n in range(5):
                facts = {"likes": number, "first_seen_at": T0 + timedelta(seconds=number)}
                told.append(store.save([judged(said(f"{n}-{k}", **facts)) for k in range(50)]))

    told: list[Saved] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    new = [each for saved in told for each in saved.new]
    assert len(new) == len(set(new)) == 250
    with closing(ElasticStore(elastic_url)) as store:
        assert store.status().mentions == 250
        assert {each.mention.likes for each in store.everything()} == {3}
        assert store.check() == []


def test_a_full_disk_is_a_temporary_failure_and_reading_goes_on(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(1))])
    host, index = server_of(elastic_url)
    block = {"index.blocks.read_only_allow_delete": True}  # what the server sets itself when its disk is full

    def fill() -> None:
        """As the server does itself; where it finds its disk half empty it lifts that again, twice a minute."""
        for number in range(5):
            httpx.put(f"{host}/{index}-2026.03/_settings", json=block).raise_for_status()
            store.save([judged(said(f"lifted {number}"))])

    with pytest.raises(TemporaryFailure, match="flood-stage"):
        fill()
    assert "1" in ids(store.search(Everything()))
    httpx.put(
        f"{host}/{index}-2026.03/_settings", json={"index.blocks.read_only_allow_delete": None}
    ).raise_for_status()
    assert store.save([judged(said(2))]) == Saved(new=("forum:2",))


def test_a_word_index_or_a_facet_that_does_not_fit_the_mention_is_found(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(n)) for n in range(3)])
    host, index = server_of(elastic_url)
    name = writing.document_id("forum:1")
    for change in ({"indexed": "other words"}, {"facets": ["rag:red"]}, {"score": 0.5}, {"series": ["red"]}):
        (field,) = change
        where = f"{host}/{index}-2026.03/_update/{name}?refresh=true"
        before = httpx.get(f"{host}/{index}-2026.03/_doc/{name}").json()["_source"][field]
        httpx.post(where, json={"doc": change}).raise_for_status()
        assert store.check() == [f"{field}: wrong in 1 mentions"]
        httpx.post(where, json={"doc": {field: before}}).raise_for_status()
    assert store.check() == []


def test_every_character_is_found_by_the_word_it_stands_in(store: ElasticStore) -> None:
    points = [*range(0x12000), *range(0x12000, 0x110000, 61)]
    words = [f"x{chr(point)}y" for point in points if normalise(chr(point))]
    store.save([judged(said(at, " ".join(words[at : at + 500]))) for at in range(0, len(words), 500)])
    missed = [word for word in words[::230] if not store.count(parse(f'"{word}"'))]
    assert missed == []
