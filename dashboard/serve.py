"""Runs the dashboard in this process until it is told to stop."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import uvicorn

from dashboard.options import Options
from mentions.failures import UserError

LAST_WORDS_S = 3  # open pages hold a websocket; they come back by themselves


def serve(
    host: str,
    port: int,
    data: Path,
    *,
    hosts: tuple[str, ...] = (),
    own_handles: tuple[str, ...] = (),
    store: str = "",
    state: str = "",
    refresh: float = 30.0,
) -> None:
    """Serve the pages until SIGTERM or SIGINT. `hosts` are further names browsers may ask for, `store` and `state` the
    databases where they are not in `data`, `refresh` the seconds between two looks at them. Raises UserError where the
    address cannot be had."""
    options = Options(data.absolute(), host, port, hosts, own_handles, store, state, refresh)
    listening = bind(host, port)
    os.environ.update(options.to_env())
    from dashboard.asgi import app  # reads the environment when imported

    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=LAST_WORDS_S
    )
    try:
        uvicorn.Server(settings).run(sockets=[listening])
    finally:
        listening.close()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises UserError in one line where the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol spelt out asyncio turns Nagle's delay off; without, each burst of messages waits some 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        raise UserError(
            f"the dashboard cannot listen on {host}:{port} ({reason}): "
            "stop what uses that port, or set another under [dashboard] port"
        ) from None
    return listening
