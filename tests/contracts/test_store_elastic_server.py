"""What the Elasticsearch store makes of its server: who is let in, versions, certificates, nodes that are missing."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mentions.failures import NeedsAttention, TemporaryFailure, UserError
from mentions.mention import Assessed, Assessment, Rag
from mentions.query import Everything
from mentions.store import Saved
from mentions.stores.elastic import ElasticStore
from mentions.stores.elastic_holdings import doubt_of
from tests.contracts.store_cases import DAY, HOUR, T0, judged, said, served
from tests.elastic_clients import NoClient, fetch_client
from tests.elastic_found import OLD_VERSION
from tests.elastic_server import PASSWORD, USER

ROOT = Path(__file__).parent.parent.parent


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
