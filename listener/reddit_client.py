"""praw, asked once at a time: no retries, no pauses, no settings files of its own; and what Reddit's answers mean."""

from __future__ import annotations

import configparser
import logging
from datetime import datetime
from importlib.resources import files
from typing import Any, cast

import requests

from listener.connector import Tools
from listener.fetch import Answer
from listener.fetch_libraries import FetcherAdapter, open_session
from listener.fetch_status import retry_after
from listener.platform_fetch import PlatformFetch, credential, translated
from mentions.failures import NeedsAttention

HOME = "https://oauth.reddit.com"
DOMAINS = ("reddit.com", "redd.it")
LOG_IN_AT = "https://www.reddit.com"
TOKEN_PATH = "/api/v1/access_token"
ID, SECRET = "EARSHOT_REDDIT_CLIENT_ID", "EARSHOT_REDDIT_CLIENT_SECRET"

logging.getLogger("prawcore").setLevel(logging.WARNING)  # at DEBUG it writes down the refresh token


class TokenRefused(NeedsAttention):
    """Reddit does not take the token it gave us: it has run out, or the permission was taken back."""


class RedditClient:
    """Reads Reddit for one source: as an app, or as the account behind a refresh token where one is asked for."""

    def __init__(self, tools: Tools, api_root: str, token_env: str) -> None:
        self._tools = tools
        self._token_env = token_env
        self._platform = PlatformFetch(tools, HOME, api_root, domains=DOMAINS, judge=self._judge)
        self.where = self._platform.root.partition("://")[2]
        self.is_home = self._platform.is_home
        self.pause: datetime | None = None  # until when nothing is left of the allowance
        self._session = open_session(FetcherAdapter(self._platform))
        self._clients: dict[bool, tuple[tuple[str, ...], Any]] = {}

    def close(self) -> None:
        """Give back the session."""
        self._session.close()

    def ask(self, path: str, *, as_account: bool = False, **params: Any) -> Any:
        """The JSON of one path. A token that is not taken any more is renewed once; a new one that is not taken needs
        attention."""
        client = self._client(as_account)
        core = client._authorized_core if as_account else client._read_only_core
        was_valid = core.authorizer.is_valid()
        try:
            return self._once(client, path, params)
        except TokenRefused:
            core.authorizer._clear_access_token()
            if not was_valid:
                raise
        return self._once(client, path, params)

    def _once(self, client: Any, path: str, params: dict[str, Any]) -> Any:
        self.pause = None
        with translated(self.where):
            return client.request(method="GET", path=path, params=params)

    def _client(self, as_account: bool) -> Any:
        values = credential(self._tools, "reddit", ID, SECRET, *([self._token_env] if as_account else []))
        known = self._clients.get(as_account)
        if known is None or known[0] != values:
            root = "" if self.is_home else self._platform.root
            known = self._clients[as_account] = (values, open_praw(self._session, *values, root=root))
        return known[1]

    def _judge(self, answer: Answer, content: Any) -> bool:
        now = self._tools.clock()
        path = answer.url.partition("?")[0]
        if path.endswith(TOKEN_PATH):
            told = content.get("error") if isinstance(content, dict) else None
            if answer.status in (200, 400) and isinstance(told, str):
                raise NeedsAttention(
                    f"{self.where}: refuses our log-in ({told[:40]}); check {ID} and what goes with it"
                )
            return False
        if answer.status == 401:
            raise TokenRefused(f"{self.where}: does not take our token (401); check {ID} and what goes with it")
        reason = content.get("reason") if isinstance(content, dict) else None
        if answer.status == 403 and isinstance(reason, str):
            raise NeedsAttention(f"{self.where}: Reddit does not show this to us ({reason[:40]}); check the subreddit")
        self.pause = retry_after(answer.headers, now)
        left = answer.headers.get("x-ratelimit-remaining", "")
        if left.replace(".", "", 1).isdecimal() and float(left) < 1:
            self.pause = self.pause or retry_after(answer.headers, now, refused=True)
        return False


class Once:
    """Stands in for prawcore's strategy of retries: one try, at once."""

    def sleep(self) -> None:
        """Go on."""

    def should_retry_on_failure(self) -> bool:
        """Never: the schedule is the retry."""
        return False


class Unpaced:
    """Stands in for prawcore's limiter, which sleeps by Reddit's headers and breaks where some of them are missing."""

    def call(
        self, *, method: str, request_function: Any, set_header_callback: Any, url: str, **given: Any
    ) -> requests.Response:
        """Ask at once."""
        return cast("requests.Response", request_function(method, url, **{**given, "headers": set_header_callback()}))


def open_praw(session: Any, client_id: str, client_secret: str, refresh_token: str | None = None, *, root: str) -> Any:
    """praw without retries and pauses: the schedule is the retry, and it knows what Reddit allows."""
    import praw  # a third of a second, which only those who have such a source shall pay

    read_only_packaged_settings()
    client = praw.Reddit(
        "DEFAULT",
        client_id=client_id,
        client_secret=client_secret,
        refresh_token=refresh_token,
        username=None,
        password=None,
        redirect_uri=None,
        user_agent="Earshot through praw",  # what is sent is the fetch layer's own
        oauth_url=root or HOME,
        reddit_url=root or LOG_IN_AT,
        check_for_updates=False,
        check_for_async=False,
        requestor_kwargs={"session": session},
    )
    for core in (client._read_only_core, client._authorized_core):
        if core is not None:
            core._retry_strategy_class = Once
            core._rate_limiter = Unpaced()
    client.read_only = refresh_token is None
    return client


def read_only_packaged_settings() -> None:
    """Let praw read no `praw.ini` but the one that comes with it: one in the working directory or in the home could
    send our credentials elsewhere."""
    from praw.config import Config

    with Config.LOCK:
        if Config.CONFIG is None:
            parser = configparser.ConfigParser()
            parser.read_string(files("praw").joinpath("praw.ini").read_text("utf-8"))
            Config.CONFIG = parser
