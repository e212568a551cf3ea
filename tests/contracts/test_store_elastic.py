"""What the Elasticsearch store promises beyond the contract: about its server, and about what can go wrong with one."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from mentions.failures import NeedsAttention, TemporaryFailure, UserError
from mentions.mention import Assessed, Assessment, Rag
from mentions.normalise import normalise
from mentions.query import Everything, parse
from mentions.store import Saved
from mentions.stores import elastic_erasing as erasing
from mentions.stores import elastic_writing as writing
from mentions.stores import open_store
from mentions.stores.elastic import ElasticStore
from mentions.stores.elastic_holdings import doubt_of
from tests.contracts.store_cases import DAY, HOUR, T0, ids, judged, said
from tests.elastic_clients import NoClient, fetch_client
from tests.elastic_found import OLD_VERSION, Lacking
from tests.elastic_server import PASSWORD, USER, ElasticServer

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def store(elastic_url: str) -> Iterator[ElasticStore]:
    with closing(ElasticStore(elastic_url)) as opened:
        yield opened


def server_of(url: str) -> tuple[str, str]:
    """(http://HOST:PORT, index name)."""
    host, _, index = url.removeprefix("elasticsearch:").partition("?index=")
    return host.split(",")[0], index


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


def test_the_template_of_something_else_is_refused_and_unharmed(elastic_url: str) -> None:
    host, index = server_of(elastic_url)
    httpx.put(f"{host}/_index_template/{index}", json={"index_patterns": [f"{index}-*"]}).raise_for_status()
    with closing(open_store(elastic_url)) as store, pytest.raises(UserError, match="something else"):
        store.save([judged(said(1))])
    held = httpx.get(f"{host}/_index_template/{index}").json()["index_templates"][0]["index_template"]
    assert "mappings" not in held.get("template", {})


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
    httpx.put(f"{host}/{index}-2026.03/_settings", json=block).raise_for_status()
    with pytest.raises(TemporaryFailure, match="flood-stage"):
        store.save([judged(said(2))])
    assert ids(store.search(Everything())) == ["1"]
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


# -- letting go -------------------------------------------------------------------------------------------------------


def bytes_there(folder: Path, word: bytes) -> bool:
    return any(word in file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.slow
def test_what_is_forgotten_is_gone_from_the_files_and_from_the_journal() -> None:
    with served() as server, closing(ElasticStore(server.url)) as store:
        store.save([judged(said(n, f"words {n}")) for n in range(200)])
        store.save([judged(said("x", "qzjxkvbwpt in the street"))])
        store.save([judged(said("x", "qzjxkvbwpt edited", first_seen_at=T0 + HOUR))])
        assert bytes_there(server.folder, b"qzjxkvbwpt")
        assert store.forget(["forum:x", "forum:unknown"]) == 1
        assert not bytes_there(server.folder, b"qzjxkvbwpt")
        assert store.status().mentions == 200
        assert store.forget(["forum:x"]) == 0


def test_a_month_of_which_all_is_old_is_dropped_whole(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said(n, at=T0 + n * 20 * DAY)) for n in range(4)])
    assert store.count(Everything()) == 4
    host, index = server_of(elastic_url)
    assert store.purge(T0 + 25 * DAY) == 2
    assert f"{index}-2026.03" not in httpx.get(f"{host}/{index}").json()
    assert sorted(ids(store.search(Everything()))) == ["2", "3"]


def test_a_month_with_something_newer_loses_only_what_is_old(store: ElasticStore) -> None:
    late = said("late", at=T0, first_seen_at=T0 + 30 * DAY)
    store.save([judged(said("old", at=T0)), judged(late)])
    assert store.purge(T0 + DAY) == 1
    assert store.search(Everything()) == [judged(late)]
    assert store.save([judged(said("next"))]) == Saved(new=("forum:next",))


def test_what_comes_into_a_month_as_it_is_dropped_is_kept(
    store: ElasticStore, elastic_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save([judged(said("old"))])
    late = judged(said("late", first_seen_at=T0 + 30 * DAY))
    drop = erasing._drop

    def drop_late(*asked: object) -> int:
        with closing(ElasticStore(elastic_url)) as other:
            other.save([late])
        return drop(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "_drop", drop_late)
    assert store.purge(T0 + DAY) == 1
    assert store.search(Everything()) == [late]


def test_a_purge_that_was_killed_half_way_is_finished_by_the_next(store: ElasticStore, elastic_url: str) -> None:
    store.save([judged(said("old")), judged(said("new", first_seen_at=T0 + 30 * DAY))])
    host, index = server_of(elastic_url)
    httpx.put(f"{host}/{index}-2026.03/_block/write").raise_for_status()
    with pytest.raises(TemporaryFailure):
        store.save([judged(said("waits"))])
    assert store.purge(T0 + DAY) == 1
    assert store.save([judged(said("waits"))]) == Saved(new=("forum:waits",))


def test_a_store_that_was_emptied_can_still_be_read(store: ElasticStore) -> None:
    store.save([judged(said(1))])
    assert store.purge(T0 + DAY) == 1
    assert store.status().mentions == 0
    assert store.search(Everything()) == []


# -- its server -------------------------------------------------------------------------------------------------------


def served(**how: object) -> ElasticServer:
    try:
        return ElasticServer(**how)  # type: ignore[arg-type]
    except Lacking as lack:
        pytest.skip(str(lack))


@pytest.mark.parametrize(
    ("status", "nodes", "unassigned", "expected", "says"),
    [
        ("green", 1, 0, 1, ""),
        ("green", 3, 0, 3, ""),
        ("yellow", 2, 4, 3, "one node missing (2 of 3 answer): nothing is lost"),
        ("green", 2, 0, 3, "one node missing (2 of 3 answer): nothing is lost"),
        ("yellow", 1, 4, 3, "2 nodes missing (1 of 3 answer): nothing is lost"),
        ("yellow", 3, 4, 3, "second copies are being made (4 to go): nothing is lost"),
        ("red", 2, 4, 3, "some mentions cannot be reached (2 of 3 nodes answer): bring the missing nodes back"),
    ],
)
def test_what_weakens_a_cluster_is_said_in_words(
    status: str, nodes: int, unassigned: int, expected: int, says: str
) -> None:
    health = {"status": status, "number_of_nodes": nodes, "unassigned_shards": unassigned}
    assert doubt_of(health, expected) == says


@pytest.mark.slow
def test_only_the_right_password_is_let_in() -> None:
    with served(security=True) as server:
        with closing(ElasticStore(server.url, env={})) as store, pytest.raises(UserError, match="credentials"):
            store.status()
        wrong = {"EARSHOT_ELASTIC_USER": USER, "EARSHOT_ELASTIC_PASSWORD": "guessed"}
        with closing(ElasticStore(server.url, env=wrong)) as store:
            with pytest.raises(UserError, match="EARSHOT_ELASTIC_PASSWORD") as refused:
                store.save([judged(said(1))])
            assert "guessed" not in str(refused.value)
        key = {"EARSHOT_ELASTIC_API_KEY": "bm90OmFrZXk="}
        with closing(ElasticStore(server.url, env=key)) as store, pytest.raises(UserError, match="API_KEY"):
            store.status()
        right = {"EARSHOT_ELASTIC_USER": USER, "EARSHOT_ELASTIC_PASSWORD": PASSWORD}
        with closing(ElasticStore(server.url, env=right)) as store:
            assert store.save([judged(said(1))]) == Saved(new=("forum:1",))
            assert store.status().mentions == 1


@pytest.mark.slow
def test_the_roles_of_the_documents_let_each_part_do_its_work_and_no_more() -> None:
    words = (ROOT / "docs" / "operations.md").read_text("utf-8")
    roles = json.loads(words.partition("```json")[2].partition("```")[0])
    who = {name: {"EARSHOT_ELASTIC_USER": name, "EARSHOT_ELASTIC_PASSWORD": PASSWORD} for name in roles}
    with served(security=True, roles=roles) as server:
        early = ElasticStore(server.url, env=who["earshot_writer"])
        with closing(early) as store, pytest.raises(UserError, match="we lack a right there"):
            store.save([judged(said(1))])
        with closing(ElasticStore(server.url, env=who["earshot_setup"])) as store:
            store.save([judged(said(1))])
        with closing(ElasticStore(server.url, env=who["earshot_writer"])) as store:
            assert store.save([judged(said(2)), judged(said(3, at=T0 + 40 * DAY))]).unchanged == 0
            store.judge([judged(said(2), rag=Rag.RED)])
            assert store.purge(T0 + DAY) == 2
            assert store.save([judged(said(4))]) == Saved(new=("forum:4",))
            assert store.forget(["forum:4"]) == 1
            assert store.check() == []
        with closing(ElasticStore(server.url, readonly=True, env=who["earshot_dashboard"])) as store:
            assert store.status().mentions == store.count(Everything()) == len(list(store.everything())) == 1
            assert store.series_names() == []
        clerk = ElasticStore(server.url, env=who["earshot_dashboard"])
        with closing(clerk) as store:
            store.status()
            with pytest.raises(NeedsAttention, match=r"403.*granted by the index privileges"):
                store.save([judged(said(5))])


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """(certificate, key) of a server on 127.0.0.1 that vouches for itself."""
    made = [tmp_path / "http.crt", tmp_path / "http.key"]
    options = ["-subj", "/CN=earshot", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-out",
        made[0],
        "-keyout",
        made[1],
        *options,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here to make a certificate for Elasticsearch with")
    return made[0], made[1]


@pytest.mark.slow
def test_only_a_server_that_is_vouched_for_is_spoken_to(certificate: tuple[Path, Path]) -> None:
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate[0].read_text())).hexdigest()
    who = {"EARSHOT_ELASTIC_USER": USER, "EARSHOT_ELASTIC_PASSWORD": PASSWORD}
    with served(security=True, tls=certificate) as server:
        for trust in ({}, {"EARSHOT_ELASTIC_FINGERPRINT": "0" * 64}):
            wary = ElasticStore(server.url, env={**who, **trust})
            with closing(wary) as store, pytest.raises(UserError, match="cannot be trusted"):
                store.status()
        for trust in ({"EARSHOT_ELASTIC_CA": str(certificate[0])}, {"EARSHOT_ELASTIC_FINGERPRINT": fingerprint}):
            with closing(ElasticStore(server.url, env={**who, **trust})) as store:
                store.save([judged(said(1))])
                assert store.status().mentions == 1


@pytest.mark.slow
def test_a_client_newer_than_its_server_says_what_to_install() -> None:
    with (
        served(version=OLD_VERSION) as server,
        closing(ElasticStore(server.url)) as store,
        pytest.raises(UserError) as refused,
    ):
        store.save([judged(said(1))])
    assert str(refused.value).startswith('server 8.x: install "elasticsearch<9" (pip install "elasticsearch<9")')
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_a_server_that_comes_back_is_used_again() -> None:
    with served() as server, closing(ElasticStore(server.url)) as store:
        store.save([judged(said(1))])
        server.kill()
        with pytest.raises(TemporaryFailure):
            store.save([judged(said(2))])
        server.start()
        assert store.save([judged(said(2))]) == Saved(new=("forum:2",))
        assert store.get(["forum:1"]) == {"forum:1": judged(said(1))}
        newer = replace(said(2), likes=4, first_seen_at=T0 + HOUR)
        store.save([Assessed(newer, Assessment())])
        assert store.check() == []


OLDER_CLIENT = """
import sys
from importlib.metadata import version
from mentions.query import parse
from mentions.stores import open_store
from tests.contracts.store_cases import judged, said
assert version("elasticsearch").startswith("8."), version("elasticsearch")
store = open_store(sys.argv[1])
assert store.save([judged(said(n)) for n in range(1200)]).unchanged == 0
store.save([judged(said(1, "a loud street"))])
assert [each.mention.id for each in store.search(parse("loud"))] == ["forum:1"]
assert store.count(parse("street")) == store.status().mentions == len(list(store.everything())) == 1200
assert store.forget(["forum:1"]) == 1
assert store.check() == []
print("all done")
"""


@pytest.mark.slow
def test_the_client_of_the_major_before_works_with_this_server(elastic_url: str, tmp_path: Path) -> None:
    try:
        client = fetch_client("elasticsearch>=8.19,<9", tmp_path / "client")
    except NoClient as lack:
        pytest.skip(str(lack))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(client), str(ROOT)))}
    command = [sys.executable, "-W", "error", "-c", OLDER_CLIENT, elastic_url]
    told = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert told.stdout == "all done\n", told.stderr
