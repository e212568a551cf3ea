"""Where we may connect to: addresses are vetted at the moment of dialling, so no name can be turned inward."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterable
from ssl import SSLContext

import httpcore

from mentions.failures import NeedsAttention

OPEN_PORTS = (80, 443)
MOST_ADDRESSES = 3  # tried in turn when a name has several
CLOSED = tuple(map(ipaddress.ip_network, ("fec0::/10", "192.0.0.0/24", "192.88.99.0/24")))  # sites, protocols, relays
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SocketOptions = Iterable[tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]]


def address_behind(address: Address) -> Address:
    """The IPv4 address an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def is_public(address: Address) -> bool:
    """True for an address of the open internet: not private, loopback, link-local, shared, reserved or multicast."""
    inner = address_behind(address)
    closed = inner.is_multicast or inner.is_reserved or inner.is_unspecified or any(inner in each for each in CLOSED)
    return inner.is_global and not closed


def look_up(host: str, port: int, timeout: float | None) -> list[str]:
    """The addresses of a host, in the resolver's order. Raises httpcore's ConnectError or ConnectTimeout.

    The resolver has no timeout of its own, so it runs on a thread that is left behind when it takes too long.
    """
    answers: list[list[str] | OSError] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.append(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=ask, daemon=True, name="look-up")
    thread.start()
    thread.join(timeout)
    if not answers:
        raise httpcore.ConnectTimeout(f"no answer about the name {host}")
    if isinstance(answers[0], OSError):
        raise httpcore.ConnectError(f"the name {host} is not known")
    return answers[0]


def addresses_of(host: str, port: int, timeout: float | None) -> list[str]:
    """A literal address as it stands, anything else looked up."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return look_up(host, port, timeout)


class Deadline:
    """The moment by which the request of this thread must be over; every socket wait is cut to it."""

    def __init__(self) -> None:
        self._local = threading.local()

    def set(self, seconds: float) -> None:
        """Start the time of this thread's request."""
        self._local.at = time.monotonic() + seconds

    def cut(self, timeout: float | None) -> float:
        """The wait that is left: at most `timeout` seconds. Raises httpcore's ReadTimeout where none is."""
        left: float = getattr(self._local, "at", time.monotonic() + 30) - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole request took too long")
        return left if timeout is None else min(timeout, left)


class TimedStream(httpcore.NetworkStream):
    """A connection that keeps to the deadline, however slowly the other side drips."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.cut(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, self._deadline.cut(timeout))
        return TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.NetworkBackend):
    """Dials public addresses on ports 80 and 443, and whatever `host:port` is listed; nothing else.

    Raises `NeedsAttention` for a refused address; the name is looked up once and that very address is dialled.
    """

    def __init__(self, allow: Iterable[str], deadline: Deadline) -> None:
        self._allow = frozenset(allow)
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        addresses = addresses_of(host, port, self._deadline.cut(timeout))
        vetted = [address for address in addresses if self._may_dial(host, address, port)]
        if not vetted:
            raise NeedsAttention(refusal(host, port))
        for position, address in enumerate(vetted[:MOST_ADDRESSES], start=1):
            try:
                wait = self._deadline.cut(timeout)
                stream = self._sockets.connect_tcp(address, port, wait, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if position == min(len(vetted), MOST_ADDRESSES):
                    raise
            else:
                return TimedStream(stream, self._deadline)
        raise AssertionError("unreachable: the last address either answers or raises")

    def _may_dial(self, host: str, address: str, port: int) -> bool:
        if joined(host, port) in self._allow or joined(address, port) in self._allow:
            return True
        return port in OPEN_PORTS and is_public(ipaddress.ip_address(address))


def refusal(host: str, port: int) -> str:
    """Why a connection was refused, and how to permit it."""
    what = "is at a private address" if port in OPEN_PORTS else f"is asked for at the unusual port {port}"
    return f"{host} {what}; if that is meant, list {joined(host, port)} under the allowed addresses of the settings"


def joined(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
