"""How the Elasticsearch store reaches its server: the address, who we are there, and errors by what to do next."""

from __future__ import annotations

import ipaddress
import logging
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from elastic_transport import Transport, TransportApiResponse
from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError
from elasticsearch import ConnectionTimeout as Timeout
from elasticsearch import SSLError as TlsError

from mentions.failures import NeedsAttention, TemporaryFailure, UserError

EXAMPLE = "elasticsearch:http://127.0.0.1:9200"
INDEX = "mentions"
REQUEST_SECONDS = 20
LONG_SECONDS = 600  # for merging, snapshots and the like
RETRIES = 5
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")  # no "-": `mentions-*` must not take in the indices of another store
_BUSY = (429, 502, 503, 504)
_MAJOR = "media_type_header_exception"  # the client is of another major than the server takes
_MOMENTS = (0.05, 0.1, 0.2, 0.4, 0.8)  # seconds
CLIENT = version("elasticsearch")

# Every failed node of every request, with its trace: what comes of it is told by whoever asked.
logging.getLogger("elastic_transport").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is: its nodes, and the name that its indices, alias and template begin with."""

    url: str
    hosts: tuple[str, ...]
    index: str = INDEX


class _PatientTransport(Transport):
    """Asks again after a moment where a month has just been made, or a copy is just taking over (503): the client's own
    retries do not wait."""

    def perform_request(self, *asked: Any, **how: Any) -> TransportApiResponse:
        for moment in _MOMENTS:
            answer = super().perform_request(*asked, **how)
            if answer.meta.status != 503:
                return answer
            time.sleep(moment)
        return super().perform_request(*asked, **how)


def read_address(url: str) -> Address:
    """The address in `elasticsearch:http://HOST:PORT[,http://HOST:PORT...][?index=NAME]`. Raises UserError naming what
    is wrong; what it names never shows a password."""
    listed, _, options = url.removeprefix("elasticsearch:").partition("?")
    hosts = tuple(_read_host(host.strip()) for host in listed.split(","))
    index = INDEX
    for name, value in parse_qsl(options, keep_blank_values=True):
        if name != "index":
            raise UserError(f"store: {name!r} is no option of an Elasticsearch store: only ?index=NAME is")
        if not _NAME.fullmatch(value):
            raise UserError(f"store: {value!r} names no index: write small letters, digits and _, a letter first")
        index = value
    shown = f"elasticsearch:{','.join(hosts)}"
    return Address(shown if index == INDEX else f"{shown}?index={index}", hosts, index)


def _read_host(host: str) -> str:
    try:
        parts = urlsplit(host)
        port = parts.port
    except ValueError:
        raise UserError(f"store: a host of Elasticsearch is not written like that: write it as in {EXAMPLE}") from None
    if parts.username is not None or parts.password is not None or "@" in host:
        raise UserError(
            "store: no user or password in the address: put them in EARSHOT_ELASTIC_USER and EARSHOT_ELASTIC_PASSWORD"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"store: {host!r} is no host of Elasticsearch: write http:// or https://, as in {EXAMPLE}")
    if port is None:
        raise UserError(f"store: {host!r} names no port: Elasticsearch's is usually {host.rstrip('/')}:9200")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UserError(f"store: {host!r} has more than a host and a port: write it as in {EXAMPLE}")
    return f"{parts.scheme}://{parts.netloc}"


def connect(address: Address, env: Mapping[str, str]) -> Elasticsearch:
    """A client for the address, with what the EARSHOT_ELASTIC_ variables say; reaches nothing yet. Raises UserError."""
    for host in address.hosts:
        if host.startswith("http://") and not _is_loopback(host) and env.get("EARSHOT_ELASTIC_PLAIN_HTTP") != "yes":
            raise UserError(
                f"store: {host} would carry posts and passwords unencrypted over the network: write https://, or set "
                "EARSHOT_ELASTIC_PLAIN_HTTP=yes where the network itself is private"
            )
    return Elasticsearch(
        list(address.hosts),
        **_identity(env),
        **_trust(address, env),
        request_timeout=REQUEST_SECONDS,
        max_retries=RETRIES,
        transport_class=_PatientTransport,
        retry_on_timeout=len(address.hosts) > 1,  # another node may answer; the same one is as busy as before
        retry_on_status=(429, 502, 504),
    )


def _is_loopback(host: str) -> bool:
    name = urlsplit(host).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _identity(env: Mapping[str, str]) -> dict[str, Any]:
    key, user, password = (_secret(env, f"EARSHOT_ELASTIC_{name}") for name in ("API_KEY", "USER", "PASSWORD"))
    if key and (user or password):
        raise UserError("store: EARSHOT_ELASTIC_API_KEY and EARSHOT_ELASTIC_USER are both set: take one of them away")
    if bool(user) != bool(password):
        raise UserError("store: EARSHOT_ELASTIC_USER and EARSHOT_ELASTIC_PASSWORD go together: one of them is missing")
    if key:
        return {"api_key": key}
    return {"basic_auth": (user, password)} if user else {}


def _secret(env: Mapping[str, str], name: str) -> str:
    """The variable, or what the file holds that NAME_FILE names, as containers give secrets."""
    if name in env:
        return env[name].strip()
    path = env.get(f"{name}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"store: {name}_FILE={path} cannot be read ({type(error).__name__}): check the file") from None


def _trust(address: Address, env: Mapping[str, str]) -> dict[str, Any]:
    authority, fingerprint = env.get("EARSHOT_ELASTIC_CA"), env.get("EARSHOT_ELASTIC_FINGERPRINT")
    if not any(host.startswith("https://") for host in address.hosts):
        return {}
    if fingerprint and authority:
        raise UserError("store: EARSHOT_ELASTIC_CA and EARSHOT_ELASTIC_FINGERPRINT are both set: take one of them away")
    if fingerprint:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", fingerprint.replace(":", "")):
            raise UserError("store: EARSHOT_ELASTIC_FINGERPRINT is no SHA-256 fingerprint: 64 hexadecimal digits")
        return {"ssl_assert_fingerprint": fingerprint, "verify_certs": False, "ssl_show_warn": False}
    if authority:
        try:
            ssl.create_default_context(cafile=authority)
        except (OSError, ssl.SSLError):
            raise UserError(f"store: EARSHOT_ELASTIC_CA={authority} is no file of PEM certificates") from None
        return {"ca_certs": authority}
    return {}


# -- errors -----------------------------------------------------------------------------------------------------------


@contextmanager
def translated(address: Address) -> Iterator[None]:
    """The one place where the client's errors become ours, by what to do next."""
    try:
        yield
    except UnsupportedProductError:
        raise NeedsAttention(
            f"{address.url} is no Elasticsearch that this client ({CLIENT}) speaks to: OpenSearch and servers before 8 "
            "are not served; check the address"
        ) from None
    except ApiError as error:
        raise failure_of(address, error.meta.status, *_told(error.body)) from None
    except TlsError as error:
        raise NeedsAttention(
            f"{address.url} cannot be trusted ({_cause(error)}): give its authority's file in EARSHOT_ELASTIC_CA, or "
            "its certificate's SHA-256 in EARSHOT_ELASTIC_FINGERPRINT"
        ) from None
    except Timeout:
        raise TemporaryFailure(
            f"{address.url} did not answer in time ({REQUEST_SECONDS} s each): it is busy or cut off"
        ) from None
    except TransportError as error:
        raise TemporaryFailure(
            f"{address.url} cannot be reached ({_cause(error)}): is Elasticsearch running?"
        ) from None


def failure_of(address: Address, status: int, kind: str, reason: str) -> TemporaryFailure | NeedsAttention:
    """What to do about a refused request, or about one refused document of many. The server's own words are shown only
    where no post can be in them."""
    if kind == _MAJOR:
        return _wrong_major(address, reason)
    if status == 404:
        return TemporaryFailure(f"{address.url} has lost what was asked for (404 {kind}): it is tried again")
    if status in _BUSY or "cluster_block" in kind or kind == "no_shard_available_action_exception":
        shown = reason if "cluster_block" in kind else kind
        return TemporaryFailure(f"{address.url} cannot do that now ({status} {shown}): it is tried again")
    if status == 401:
        return NeedsAttention(
            f"{address.url} does not take our credentials (401): check EARSHOT_ELASTIC_USER and "
            "EARSHOT_ELASTIC_PASSWORD, or EARSHOT_ELASTIC_API_KEY"
        )
    if status == 403:
        return NeedsAttention(
            f"{address.url}: we lack a right there (403): {reason or kind}; grant it, as in operations.md"
        )
    if status >= 500:
        return TemporaryFailure(f"{address.url} failed ({status} {kind}): it is tried again; its log says why")
    return NeedsAttention(
        f"{address.url} refused a request ({status} {kind}): its log says why; is it the right server?"
    )


def _told(body: Any) -> tuple[str, str]:
    """(kind, reason) of an error as the server tells it; a proxy in between may tell anything."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    kind, reason = str(error.get("type", "")), str(error.get("reason", ""))
    cause = error.get("caused_by")
    if kind == _MAJOR and isinstance(cause, dict):
        reason += f" {cause.get('reason', '')}"
    return kind, reason


def _wrong_major(address: Address, reason: str) -> NeedsAttention:
    """`Accept version must be either version 8 or 7, but found 9`: the server names the newest client it speaks to."""
    found = re.search(r"either version (\d+)", reason)
    major = int(found[1]) if found else 0
    if major >= 8:
        return NeedsAttention(
            f'server {major}.x: install "elasticsearch<{major + 1}" '
            f'(pip install "elasticsearch<{major + 1}"); the client here is {CLIENT}, the server {address.url}'
        )
    return NeedsAttention(f"{address.url} is a server of version {major or 7}: Earshot needs 8.19 or newer; upgrade it")


def _cause(error: TransportError) -> str:
    """The innermost plain reason; the address is named already."""
    text = str(error.errors[0]) if error.errors else str(error.message)
    line = text.splitlines()[0][:300] if text else type(error).__name__
    if found := re.search(r"\[Errno -?\d+\] ([^()'\"]+)", line):
        return found[1].strip()
    return re.sub(r"^.*?: ", "", line)
