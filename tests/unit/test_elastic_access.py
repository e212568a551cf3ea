"""Where an Elasticsearch store may be, who we are there, and what is said when that does not do."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from mentions.failures import NeedsAttention, TemporaryFailure, UserError
from mentions.query_tree import Everything
from mentions.stores import elastic_access as access
from mentions.stores import elastic_writing
from mentions.stores.elastic import ElasticStore
from mentions.stores.elastic_access import connect, failure_of, read_address

HERE = read_address("elasticsearch:http://127.0.0.1:9200")


def test_an_address_names_its_hosts_and_the_index() -> None:
    address = read_address("elasticsearch:https://one.example:9200, https://two.example:9200/?index=trial_2")
    assert address.hosts == ("https://one.example:9200", "https://two.example:9200")
    assert address.index == "trial_2"
    assert address.url == "elasticsearch:https://one.example:9200,https://two.example:9200?index=trial_2"
    assert HERE.index == "mentions"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("elasticsearch:127.0.0.1:9200", "write http:// or https://"),
        ("elasticsearch:ftp://127.0.0.1:9200", "write http:// or https://"),
        ("elasticsearch:http://127.0.0.1", "names no port"),
        ("elasticsearch:http://127.0.0.1:notaport", "not written like that"),
        ("elasticsearch:http://[::1:9200", "not written like that"),
        ("elasticsearch:http://127.0.0.1:9200/mentions", "more than a host and a port"),
        ("elasticsearch:http://127.0.0.1:9200,", "write http:// or https://"),
        ("elasticsearch:http://127.0.0.1:9200?size=3", "no option"),
        ("elasticsearch:http://127.0.0.1:9200?index=Mentions-*", "names no index"),
        ("elasticsearch:http://127.0.0.1:9200?index=", "names no index"),
    ],
)
def test_an_address_that_cannot_be_read_says_what_is_wrong(url: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_address(url)


@pytest.mark.parametrize("host", ["http://earshot:s3cret@127.0.0.1:9200", "http://s3cret@127.0.0.1:9200"])
def test_a_password_in_the_address_is_refused_and_not_repeated(host: str) -> None:
    with pytest.raises(UserError, match="EARSHOT_ELASTIC_PASSWORD") as refused:
        read_address(f"elasticsearch:{host}")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("host", ["http://192.0.2.1:9200", "http://search.example:9200", "http://127.0.0.1.example:1"])
def test_plain_http_leaves_this_machine_only_where_that_is_said(host: str) -> None:
    address = read_address(f"elasticsearch:{host}")
    with pytest.raises(UserError, match="EARSHOT_ELASTIC_PLAIN_HTTP=yes"):
        connect(address, {})
    connect(address, {"EARSHOT_ELASTIC_PLAIN_HTTP": "yes"}).close()


@pytest.mark.parametrize("host", ["http://127.0.0.1:9200", "http://[::1]:9200", "http://localhost:9200"])
def test_plain_http_on_this_machine_needs_no_saying(host: str) -> None:
    connect(read_address(f"elasticsearch:{host}"), {}).close()


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"EARSHOT_ELASTIC_USER": "me"}, "go together"),
        ({"EARSHOT_ELASTIC_PASSWORD": "s3cret"}, "go together"),
        (
            {"EARSHOT_ELASTIC_USER": "me", "EARSHOT_ELASTIC_PASSWORD": "s3cret", "EARSHOT_ELASTIC_API_KEY": "s3cret"},
            "both set",
        ),
        ({"EARSHOT_ELASTIC_API_KEY_FILE": "/nowhere/key"}, "cannot be read"),
    ],
)
def test_credentials_that_do_not_fit_together_are_refused_and_not_repeated(env: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        connect(HERE, env)
    assert "s3cret" not in str(refused.value)


def test_credentials_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a2V5OnMzY3JldA==\n")
    client = connect(HERE, {"EARSHOT_ELASTIC_API_KEY_FILE": str(tmp_path / "key")})
    assert client._headers["Authorization"] == "ApiKey a2V5OnMzY3JldA=="
    client.close()
    (tmp_path / "password").write_text("s3cret\n")
    env = {"EARSHOT_ELASTIC_USER": "me", "EARSHOT_ELASTIC_PASSWORD_FILE": str(tmp_path / "password")}
    client = connect(HERE, env)
    assert client._headers["Authorization"] == "Basic bWU6czNjcmV0"
    client.close()


def test_what_is_to_be_trusted_is_looked_at_before_anything_is_reached(tmp_path: Path) -> None:
    address = read_address("elasticsearch:https://127.0.0.1:9200")
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(UserError, match="no file of PEM certificates"):
        connect(address, {"EARSHOT_ELASTIC_CA": str(tmp_path / "ca.pem")})
    with pytest.raises(UserError, match="64 hexadecimal digits"):
        connect(address, {"EARSHOT_ELASTIC_FINGERPRINT": "12:34"})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, "es_rejected_execution_exception"),
        (503, "no_shard_available_action_exception"),
        (503, "unavailable_shards_exception"),
        (502, ""),
        (504, ""),
        (500, "something_new"),
        (403, "cluster_block_exception"),
    ],
)
def test_what_may_pass_is_tried_again(status: int, kind: str) -> None:
    assert isinstance(failure_of(HERE, status, kind, "disk usage exceeded flood-stage watermark"), TemporaryFailure)


def test_a_full_disk_is_named() -> None:
    told = failure_of(HERE, 429, "cluster_block_exception", "disk usage exceeded flood-stage watermark")
    assert "flood-stage" in str(told)


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (401, "security_exception", "EARSHOT_ELASTIC_PASSWORD"),
        (403, "security_exception", "the privileges"),
        (400, "document_parsing_exception", "document_parsing_exception"),
    ],
)
def test_what_will_not_pass_says_what_to_do(status: int, kind: str, says: str) -> None:
    told = failure_of(HERE, status, kind, "this action is granted by the privileges [create_index]")
    assert isinstance(told, NeedsAttention)
    assert says in str(told)


def test_the_words_of_a_post_that_does_not_fit_are_not_repeated() -> None:
    reason = "failed to parse field [fact.likes]: Preview of field's value: 'a quiet street'"
    assert "street" not in str(failure_of(HERE, 400, "document_parsing_exception", reason))


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("Accept version must be either version 8 or 7, but found 9.", 'server 8.x: install "elasticsearch<9"'),
        ("Accept version must be either version 9 or 8, but found 10.", 'server 9.x: install "elasticsearch<10"'),
        ("Accept version must be either version 7 or 6, but found 8.", "needs 8.19 or newer"),
    ],
)
def test_a_client_of_another_major_says_what_to_install(reason: str, says: str) -> None:
    told = str(failure_of(HERE, 400, "media_type_header_exception", reason))
    assert says in told
    assert access.CLIENT in told or "upgrade" in told


def test_two_ways_to_trust_one_server_are_refused() -> None:
    env = {"EARSHOT_ELASTIC_CA": "/some.pem", "EARSHOT_ELASTIC_FINGERPRINT": "0" * 64}
    with pytest.raises(UserError, match="both set"):
        ElasticStore("elasticsearch:https://127.0.0.1:9200", env=env)


def test_whoever_waits_for_a_server_that_hangs_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "REQUEST_SECONDS", 2)
    took: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        with pytest.raises(TemporaryFailure, match="in time"):
            store.count(Everything())
        took.append(time.monotonic() - began)

    with socket.create_server(("127.0.0.1", 0)) as deaf:  # accepts, and never answers
        store = ElasticStore(f"elasticsearch:http://127.0.0.1:{deaf.getsockname()[1]}", env={})
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.close()
    assert len(took) == 4
    assert max(took) < 4


class Unreachable:
    """A server whose copy of a document is away for a moment, as between the loss of a node and its replacement."""

    def mget(self, docs: list[dict[str, str]]) -> dict[str, object]:
        return {"docs": [{**each, "error": {"type": "no_shard_available_action_exception"}} for each in docs]}


def test_what_cannot_be_reached_is_not_taken_for_missing() -> None:
    with pytest.raises(TemporaryFailure, match="cannot be reached"):
        elastic_writing._find_now(Unreachable(), {"forum:1": "mentions-2026.03"})  # type: ignore[arg-type]
