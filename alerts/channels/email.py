"""Notices by e-mail, over SMTP."""

from __future__ import annotations

import hashlib
import logging
import os
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from alerts.channels.deadline import Leash, within
from mentions.failures import NeedsAttention, TemporaryFailure
from mentions.records import Notice

log = logging.getLogger(__name__)


class Security(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailOptions(BaseModel):
    """The keys of a `[[channels]]` table of kind `email`, beside name, kind and level."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(min_length=1, description="Mail server that takes our messages.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587 for starttls, 465 for tls, 25 for a relay.")
    security: Security = Field(Security.STARTTLS, description="starttls, tls, or none (a relay on a trusted network).")
    ca_file: str = Field("", description="PEM file of the authority behind the server's certificate, if not public.")
    username: str = Field("", description="Account to sign in with; empty where the server asks for none.")
    password_env: str = Field("", description="Environment variable that holds the password.")
    sender: str = Field(description="Address the messages come from.")
    to: tuple[str, ...] = Field(min_length=1, description="Addresses that get every notice of this channel.")
    timeout: float = Field(15, gt=0, le=19, description="Seconds for the whole conversation with the server.")

    @field_validator("sender", "to")
    @classmethod
    def _are_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in (value,) if isinstance(value, str) else value:
            if "@" not in address or not address.isprintable() or " " in address:
                raise ValueError("expected an address such as desk@example.org")
        return value

    @model_validator(mode="after")
    def _keeps_the_password_safe(self) -> EmailOptions:
        if self.username and not self.password_env:
            raise ValueError("username needs password_env, the environment variable that holds the password")
        if self.username and self.security is Security.NONE and not is_loopback(self.host):
            raise ValueError("a password does not travel unencrypted: set security to starttls or tls")
        return self


class EmailChannel:
    """Hands each notice to one mail server. A retry carries the same Message-ID, so that mailboxes can drop repeats."""

    kind: ClassVar[str] = "email"
    Options: ClassVar[type[BaseModel]] = EmailOptions

    def __init__(self, name: str, options: EmailOptions) -> None:
        self.name = name
        self._options = options
        self._where = f"mail server {options.host}:{options.port}"

    def send(self, notice: Notice) -> None:
        """Accepted means: the server took it for at least one of the addresses."""
        with self._talk() as server:
            refused = server.send_message(self._write(notice))
        if refused:
            log.warning("channel=%s refused_addresses=%d of=%d", self.name, len(refused), len(self._options.to))

    def check(self) -> str:
        """Connect and sign in, send nothing."""
        with self._talk() as server:
            server.noop()
        signed_in = f", signed in as {self._options.username}" if self._options.username else ""
        return f"{self._where} answers{signed_in}"

    def _write(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = notice.subject
        message["From"] = self._options.sender
        message["To"] = ", ".join(self._options.to)
        message["Date"] = format_datetime(notice.queued_at)
        name = hashlib.sha256(notice.key.encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{name}@{self._options.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Earshot-Key"] = notice.key
        message.set_content(notice.body)
        return message

    @contextmanager
    def _talk(self) -> Iterator[smtplib.SMTP]:
        """A signed-in conversation; whatever goes wrong in it comes out as what to do next."""
        with within(self._options.timeout) as leash, self._translate(leash):
            server = self._connect(leash)
            try:
                self._sign_in(server)
                yield server
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()  # the message is accepted by now, whatever the server makes of this
            finally:
                server.close()

    def _connect(self, leash: Leash) -> smtplib.SMTP:
        options = self._options
        # Half the time for each of the two addresses a name usually has.
        connection = socket.create_connection((options.host, options.port), options.timeout / 2)
        leash.hold(connection)
        if options.security is Security.TLS:
            connection = self._trust().wrap_socket(connection, server_hostname=options.host)
            leash.hold(connection)
        connection.settimeout(options.timeout)
        server = smtplib.SMTP(timeout=options.timeout)
        server.sock = connection  # ours instead of `connect`, whose socket nobody could cut while it waits
        server._host = options.host  # type: ignore[attr-defined]  # the name the certificate must bear
        try:
            self._greet(server, leash)
        except BaseException:
            server.close()
            raise
        return server

    def _greet(self, server: smtplib.SMTP, leash: Leash) -> None:
        code, _ = server.getreply()
        if code != 220:
            raise smtplib.SMTPConnectError(code, "")
        if self._options.security is Security.STARTTLS:
            server.starttls(context=self._trust())
            leash.hold(server.sock)

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self._options.username:
            server.login(self._options.username, self._password())

    def _password(self) -> str:
        password = os.environ.get(self._options.password_env)
        if not password:
            raise NeedsAttention(f"{self._where}: set the environment variable {self._options.password_env}")
        return password

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._options.ca_file or None)

    @contextmanager
    def _translate(self, leash: Leash) -> Iterator[None]:
        """The one place where the mail library's errors become ours. Server texts are left out: they may echo us."""
        where, options = self._where, self._options
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < 500:
                raise TemporaryFailure(f"{where} cannot check sign-ins now ({error.smtp_code})") from None
            raise NeedsAttention(
                f"{where} refused the sign-in ({error.smtp_code}): check username and {options.password_env}"
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise NeedsAttention(f"{where} lacks what the settings ask for: check security and username") from None
        except smtplib.SMTPRecipientsRefused as error:
            raise _by_code(where, "refused every address", min(code for code, _ in error.recipients.values())) from None
        except smtplib.SMTPResponseException as error:
            raise _by_code(where, "refused", error.smtp_code) from None
        except ssl.SSLCertVerificationError:
            raise NeedsAttention(f"{where} shows a certificate that is not trusted: check host and ca_file") from None
        except (smtplib.SMTPException, OSError) as error:
            # smtplib makes a lost connection of a wait that its socket ended a moment before the leash was pulled.
            if leash.cut or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
                raise TemporaryFailure(f"{where} did not answer within {options.timeout:g} s") from None
            raise TemporaryFailure(f"{where} cannot be reached ({type(error).__name__})") from None


def _by_code(where: str, what: str, code: int) -> TemporaryFailure | NeedsAttention:
    if code < 500:
        return TemporaryFailure(f"{where} {what} for now ({code})")
    return NeedsAttention(f"{where} {what} ({code}): check sender, to and what the server allows")


def is_loopback(host: str) -> bool:
    """Whether this host is the machine itself."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
