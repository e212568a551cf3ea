"""The promises of alerts.channel.Channel, over the whole registry and real servers on loopback."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.channels import CHANNELS, build_channel
from mentions.clock import utc_now
from mentions.failures import Failure, NeedsAttention, RateLimited, TemporaryFailure, UserError
from mentions.records import Notice, NoticeKind
from tests.receivers import SECRET, HookServer, MailServer, Server, drip

NOTICE = Notice(
    key="a1b2c3d4-7:opened@1768212000:mail",
    incident_id=7,
    channel="mail",
    kind=NoticeKind.OPENED,
    subject="EXERCISE CRISIS RED: caf\u00e9 march - 142 posts in 15 min, 9 usual, since 09:40 GMT",
    body="EXERCISE - this is a rehearsal.\nCaf\u00e9 march.\n.\nA line with a dot alone came before.\n",
    queued_at=datetime(2026, 1, 12, 10, 0, tzinfo=UTC),
    due_at=datetime(2026, 1, 12, 10, 0, tzinfo=UTC),
    payload={"id": 7, "exercise": True, "title": "caf\u00e9 march"},
)


SERVERS: dict[str, Callable[[], Any]] = {"email": MailServer, "webhook": HookServer}


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", SECRET)


@pytest.fixture(params=sorted(CHANNELS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with SERVERS[request.param]().running() as running:
        yield running


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with HookServer().running() as running:
        yield running


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer().running() as running:
        yield running


def failure_of(call: Callable[[], object]) -> Failure:
    """What the call raises, once it is sure that it tells no secret, not even in its chain."""
    with pytest.raises(Failure) as caught:
        call()
    told: BaseException | None = caught.value
    while told is not None:
        assert SECRET not in str(told)
        assert SECRET not in repr(told)
        told = told.__cause__
    return caught.value


# -- every channel ----------------------------------------------------------------------------------------------------


def test_every_kind_has_a_server_to_be_tested_with() -> None:
    assert set(SERVERS) == set(CHANNELS)


def test_an_accepted_notice_arrives_whole_and_with_its_key(server: Server) -> None:
    server.channel().send(NOTICE)
    (got,) = server.received
    assert got.key == NOTICE.key
    assert "EXERCISE" in got.words
    assert "caf\u00e9 march" in got.words


def test_a_server_in_trouble_is_tried_again_with_the_same_key(server: Server) -> None:
    server.answers = ["broken", "full", "ok"]
    channel = server.channel()
    for _ in range(2):
        assert isinstance(failure_of(lambda: channel.send(NOTICE)), TemporaryFailure)
    channel.send(NOTICE)
    channel.send(NOTICE)  # we died before we could note the first: the key tells that it is a repeat
    assert [got.key for got in server.received] == [NOTICE.key, NOTICE.key]


def test_a_refusal_needs_a_person(server: Server) -> None:
    server.answers = ["refused"]
    assert isinstance(failure_of(lambda: server.channel().send(NOTICE)), NeedsAttention)


def test_a_server_that_hangs_is_given_up_in_time(server: Server) -> None:
    server.answers = ["hang"]
    started = time.monotonic()
    failure = failure_of(lambda: server.channel(timeout=1.0).send(NOTICE))
    assert isinstance(failure, TemporaryFailure)
    assert "did not answer within 1 s" in str(failure)
    assert time.monotonic() - started < 5


def test_nobody_there_is_a_temporary_failure(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = {"port": port} if isinstance(server, MailServer) else {"url": f"http://127.0.0.1:{port}/{SECRET}"}
    channel = server.channel(**nowhere)
    for call in (lambda: channel.send(NOTICE), channel.check):
        failure = failure_of(call)
        assert isinstance(failure, TemporaryFailure)
        assert f"127.0.0.1:{port}" in str(failure)


def test_something_else_that_listens_there_is_no_success(server: Server) -> None:
    """A port that takes the connection and says nothing, then one that says nonsense."""
    for words in (b"", b"what do you want?\r\n" * 3):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            answering = threading.Thread(target=_answer_once, args=(other, words))
            answering.start()
            wrong = {"port": port} if isinstance(server, MailServer) else {"url": f"http://127.0.0.1:{port}/"}
            failure_of(lambda wrong=wrong: server.channel(**wrong, timeout=1.0).send(NOTICE))  # type: ignore[misc]
            answering.join()


def _answer_once(listening: socket.socket, words: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.sendall(words)
        time.sleep(1.5 if not words else 0.1)


def test_wrong_credentials_need_a_person_and_are_never_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", "wrong-" + SECRET)
    failure = failure_of(lambda: server.channel().send(NOTICE))
    assert isinstance(failure, NeedsAttention)
    assert "TEST_SECRET" in str(failure)


def test_a_missing_secret_needs_a_person_and_names_the_variable(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_SECRET")
    channel = server.channel()
    for call in (lambda: channel.send(NOTICE), channel.check):
        failure = failure_of(call)
        assert isinstance(failure, NeedsAttention)
        assert "environment variable TEST_SECRET" in str(failure)
    assert server.received == []


def test_a_server_that_asks_us_to_slow_down_is_waited_for(server: Server) -> None:
    server.answers = ["limited"]
    assert isinstance(failure_of(lambda: server.channel().send(NOTICE)), RateLimited | TemporaryFailure)


def test_a_check_says_what_it_found_and_sends_nothing(server: Server) -> None:
    assert "answers" in server.channel().check()
    assert server.received == []


def test_a_notice_can_be_sent_by_many_threads_at_once(server: Server) -> None:
    channel = server.channel()
    threads = [
        threading.Thread(target=channel.send, args=(replace(NOTICE, key=f"key-{number}"),)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got.key for got in server.received) == [f"key-{number}" for number in range(8)]


@pytest.mark.parametrize("kind", sorted(CHANNELS))
def test_every_option_says_what_it_is_for(kind: str) -> None:
    for name, option in CHANNELS[kind].Options.model_fields.items():
        assert option.description, f"{kind}.{name}"


@pytest.mark.parametrize(
    ("kind", "options", "complaint"),
    [
        ("pigeon", {}, "only email, webhook"),
        ("webhook", {}, "url: Field required"),
        ("webhook", {"url": f"http://desk.example/{SECRET}"}, "allow_http"),
        ("webhook", {"url": SECRET}, "expected an address"),
        ("webhook", {"url": "https://desk.example", "secert_env": SECRET}, "secert_env"),
        ("email", {"host": "mail.example", "sender": SECRET, "to": ["a@b.example"]}, "sender: Value error, expected"),
        ("email", {"host": "mail.example", "sender": "a@b.example", "to": []}, "to: "),
        ("email", {"host": "m", "sender": "a@b.example", "to": ["a@b.example"], "username": "u"}, "password_env"),
        (
            "email",
            {
                "host": "mail.example",
                "sender": "a@b.example",
                "to": ["a@b.example"],
                "username": "u",
                "password_env": "X",
                "security": "none",
            },
            "does not travel unencrypted",
        ),
    ],
)
def test_wrong_options_are_refused_with_the_key_and_without_the_value(
    kind: str, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(UserError) as refusal:
        build_channel(kind, "desk", options)
    assert complaint in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


# -- webhook ----------------------------------------------------------------------------------------------------------


def test_what_was_accepted_before_counts_as_accepted(hook: HookServer) -> None:
    hook.answers = ["before"]
    hook.channel().send(NOTICE)


def test_the_webhook_body_tells_the_incident(hook: HookServer) -> None:
    hook.channel().send(NOTICE)
    content = hook.received[0].raw
    assert (content["key"], content["kind"], content["exercise"]) == (NOTICE.key, "opened", True)
    assert content["incident"] == NOTICE.payload
    assert content["queued_at"] == "2026-01-12T10:00:00Z"


@pytest.mark.parametrize(
    ("told", "seconds"), [("120", 120), ("", 60), ("nonsense", 60), ("999999999", 3600), ("DATE", 90)]
)
def test_retry_after_is_honoured_within_reason(hook: HookServer, told: str, seconds: int) -> None:
    in_a_while = utc_now() + timedelta(seconds=90)
    hook.retry_after = f"{in_a_while:%a, %d %b %Y %H:%M:%S GMT}" if told == "DATE" else told
    hook.answers = ["limited"]
    failure = failure_of(lambda: hook.channel().send(NOTICE))
    assert isinstance(failure, RateLimited)
    assert abs((failure.until - utc_now()).total_seconds() - seconds) < 10


def test_a_redirect_is_not_followed(hook: HookServer) -> None:
    hook.answers = ["moved", "ok"]
    failure = failure_of(lambda: hook.channel().send(NOTICE))
    assert isinstance(failure, NeedsAttention)
    assert "points elsewhere" in str(failure)
    assert hook.received == []


@pytest.mark.parametrize("answer", ["drip", "close"])
def test_an_answer_that_never_ends_or_never_comes_is_a_temporary_failure(hook: HookServer, answer: str) -> None:
    hook.answers = [answer]
    started = time.monotonic()
    assert isinstance(failure_of(lambda: hook.channel(timeout=1.0).send(NOTICE)), TemporaryFailure)
    assert time.monotonic() - started < 5


def test_a_webhook_without_a_secret_is_not_signed(hook: HookServer) -> None:
    channel = build_channel("webhook", "hook", {"url": f"http://127.0.0.1:{hook.port}/"})
    assert "X-Earshot-Signature" not in channel._signature(b"")  # type: ignore[attr-defined]


# -- e-mail -----------------------------------------------------------------------------------------------------------


def test_a_retried_mail_carries_the_same_message_id_and_another_notice_another(mail: MailServer) -> None:
    channel = mail.channel()
    for notice in (NOTICE, NOTICE, replace(NOTICE, key="other")):
        channel.send(notice)
    first, again, other = (got.raw["Message-ID"] for got in mail.received)
    assert first == again != other
    assert first.endswith("@desk.example>")


def test_a_mail_says_that_a_machine_wrote_it_and_arrives_as_written(mail: MailServer) -> None:
    mail.channel().send(NOTICE)
    message = mail.received[0].raw
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == NOTICE.subject
    assert message["To"] == "duty@desk.example, head@desk.example"
    assert message.get_content().replace("\r\n", "\n") == NOTICE.body


def test_a_mail_server_that_drips_its_greeting_is_given_up_in_time() -> None:
    def greet(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            drip(connection, b"220-")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=greet, args=(listening,))
        thread.start()
        started = time.monotonic()
        server = MailServer(port=listening.getsockname()[1])
        assert isinstance(failure_of(lambda: server.channel(timeout=1.0).send(NOTICE)), TemporaryFailure)
        assert time.monotonic() - started < 5
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that no public authority has signed, with its key beside it."""
    folder = tmp_path_factory.mktemp("certificate")
    try:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("no openssl here: install the Debian package openssl")
    return folder / "cert.pem"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_to_a_server_whose_certificate_is_trusted(certificate: Path, security: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = MailServer(context=context)
    options = {"tls_context": context, "require_starttls": True} if security == "starttls" else {}
    with server.running(**options):
        server.channel(security=security, ca_file=str(certificate)).send(NOTICE)
        assert [got.key for got in server.received] == [NOTICE.key]
        failure = failure_of(lambda: server.channel(security=security).send(NOTICE))
        assert isinstance(failure, NeedsAttention)
        assert "not trusted" in str(failure)
        assert len(server.received) == 1


def test_a_server_without_starttls_never_gets_the_password(mail: MailServer) -> None:
    failure = failure_of(lambda: mail.channel(security="starttls").send(NOTICE))
    assert isinstance(failure, NeedsAttention)
    assert "security" in str(failure)
