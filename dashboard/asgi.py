"""The dashboard as an ASGI application: `uvicorn dashboard.asgi:app`, told what to read by the environment."""

from __future__ import annotations

import gc
import importlib
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import config as streamlit_config

from dashboard.guard import Headers
from dashboard.holding import hold_books, release_books
from dashboard.options import Options, read_options
from dashboard.overview import read_overview
from dashboard.reading import Standing, Word, read_moment, read_standing
from mentions.clock import utc_now
from mentions.failures import Failure, UserError

HERE = Path(__file__).parent
WARMED = ("pandas", "pyarrow", "streamlit.dataframe_util", "streamlit.elements.vega_charts", "streamlit.elements.arrow")
log = logging.getLogger(__name__)


def make_settings(options: Options) -> dict[str, object]:
    """Streamlit's settings, set here rather than in a file so that the installed package behaves the same anywhere."""
    settings: dict[str, object] = {
        "server.address": options.host,
        "server.port": options.port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.allowedHosts": list(options.hosts),
        "server.disconnectedSessionTTL": 120,
        "server.enableAgentApi": False,
        "server.maxUploadSize": 1,
        "client.allowedOrigins": [],
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.disableDataExport": True,
        "browser.gatherUsageStats": False,
        "runner.magicEnabled": False,
        "theme.light.textColor": "#0b0c0c",
        "theme.light.primaryColor": "#1d70b8",
        "theme.light.linkColor": "#1d70b8",
        "theme.dark.primaryColor": "#5694ca",
        "theme.dark.linkColor": "#8ab8e6",
        "theme.baseRadius": "small",
    }
    return settings


@asynccontextmanager
async def warm(_app: st.App) -> AsyncIterator[dict[str, object] | None]:
    """Import what the first page would, then take it all out of the garbage collector's sight: Streamlit collects
    after every run, and going through pandas' objects each time costs more than drawing the page."""
    for name in WARMED:
        importlib.import_module(name)
    await run_in_threadpool(read_ahead)
    gc.collect()
    gc.freeze()
    yield None
    release_books()


async def tell_health(_request: Request) -> JSONResponse:
    """Whether this process can read the databases; 503 where it cannot."""
    standing = await run_in_threadpool(read_now)
    if isinstance(standing, str):
        return JSONResponse({"ok": False, "problem": standing}, status_code=503)
    return JSONResponse({"ok": True, "daemon": standing.daemon_alive})


async def tell_state(_request: Request) -> JSONResponse:
    """The state line for machines; never a post's text."""
    standing = await run_in_threadpool(read_now)
    if isinstance(standing, str):
        return JSONResponse({"word": Word.UNKNOWN, "since": None, "open": 0, "problem": standing}, status_code=503)
    moment = read_moment(hold_books().state, utc_now())
    return JSONResponse(
        {
            "word": standing.word,
            "since": standing.since.isoformat() if standing.since else None,
            "open": len(standing.open_incidents),
            "sources": len(standing.sources),
            "sources_on_time": standing.alive,
            "daemon": standing.daemon_alive,
            "exercise": moment.rehearsed,
            "updated_at": moment.now.isoformat(),
        }
    )


def read_ahead() -> None:
    """Weigh the past before the first visitor waits for it; where there is nothing to read yet, a page will say so."""
    try:
        books = hold_books()
        read_overview(books, read_moment(books.state, utc_now()))
    except (Failure, UserError) as error:
        log.info("dashboard=waiting problem=%r", str(error))


def read_now() -> Standing | str:
    """How things stand, or in a sentence why that cannot be told."""
    try:
        state = hold_books().state
        return read_standing(state, read_moment(state, utc_now()))
    except (Failure, UserError) as error:
        log.warning("dashboard=blind problem=%r", str(error))
        return str(error)


def make_app(options: Options) -> st.App:
    """The application; one per process."""
    streamlit_config.get_config_options(force_reparse=True, options_from_flags=make_settings(options))
    return st.App(
        HERE / "app.py",
        lifespan=warm,
        routes=[Route("/api/healthz", tell_health), Route("/api/v1/state", tell_state)],
        middleware=[
            Middleware(Headers),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(options.hosts), www_redirect=False),
        ],
    )


app = make_app(read_options(os.environ))
