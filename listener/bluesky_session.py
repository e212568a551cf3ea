"""Asking Bluesky as one account: logged in once, renewed when worn out, through the atproto client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from listener.connector import Tools
from listener.fetch import Answer
from listener.fetch_libraries import FetcherTransport
from listener.fetch_status import place
from listener.platform_fetch import PlatformFetch, credential, read_json, translated
from mentions.failures import NeedsAttention, TemporaryFailure

HOME = "https://bsky.social"
HANDLE = "EARSHOT_BLUESKY_HANDLE"
CREATE = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"
WORN = ("ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired")
NOT_THERE = ("NotFound", "RecordNotFound")
NOT_SERVED = ("MethodNotImplemented", "XRPCNotSupported")


class WornOut(TemporaryFailure):
    """The session is not taken any more."""


class NotThere(TemporaryFailure):
    """There is no such post: it is deleted."""


class Refused(TemporaryFailure):
    """A request that the server will not take as it is, an old cursor for one."""


class NoLogIn(TemporaryFailure):
    """A server that nobody can log in at, as the public view of Bluesky."""


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in. `base` is the server that the account's data lies on; without `access` nobody is logged in."""

    did: str = ""
    handle: str = ""
    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)
    base: str = ""

    @staticmethod
    def read(text: str) -> Session | None:
        """From what `asdict` wrote as JSON; None for anything else."""
        kept = read_json(text.encode())
        if not isinstance(kept, dict) or not kept.get("access") or not set(kept) <= set(Session.__slots__):
            return None
        return Session(**{name: str(value) for name, value in kept.items()})


@dataclass(frozen=True, slots=True)
class LogIn:
    """What a session is made with, and the name that it is kept under."""

    name: str
    handle: str
    password: str = field(repr=False)


class BlueskyAccount:
    """Asks Bluesky's questions as the account of the settings.

    There is at most one log-in and one renewal to a question, and none while the session that `tools.sessions` keeps is
    taken: all sources of one account share it, over polls and restarts. Its text is a secret.
    """

    def __init__(self, tools: Tools, api_root: str, password_env: str) -> None:
        self._tools = tools
        self._password_env = password_env
        self._platform = PlatformFetch(tools, HOME, api_root, judge=judge_answer)
        self._where = self._platform.root.partition("://")[2]
        self._client: Any = None
        self._session: Session | None = None

    @property
    def did(self) -> str:
        """Whose account it is; "" before the first question."""
        return self._session.did if self._session else ""

    def ask(self, method: str, model: str, **asked: Any) -> Mapping[str, Any]:
        """The answer to a question, as the JSON object it is. `model` names its parameters in the library's models.

        Raises `NotThere` and `Refused` beside what `Connector.poll` raises.
        """
        login = self._configured()
        session, fresh = self._enter(login)
        others = [self._replace, self._renew]
        while True:
            try:
                return self._read(session, method, model, asked)
            except WornOut as failure:
                if fresh:
                    raise NeedsAttention(f"{failure}; check {HANDLE} and {self._password_env}") from failure
            session, fresh = others.pop()(login, session)

    def log_in(self) -> str:
        """The DID of the account, which takes a log-in where none is kept; "" where nobody can log in."""
        return self._enter(self._configured())[0].did

    def close(self) -> None:
        """Give back the client."""
        if self._client is not None:
            self._client.request.close()

    def _configured(self) -> LogIn:
        handle, password = credential(self._tools, "bluesky", HANDLE, self._password_env)
        return LogIn(f"bluesky {self._platform.root} {handle.casefold()}", handle, password)

    def _enter(self, login: LogIn) -> tuple[Session, bool]:
        """The kept session, else a new one, and whether nothing better is to be had."""
        with self._tools.sessions.turn(login.name):
            kept = Session.read(self._tools.sessions.read(login.name))
            if kept is None and self._session is not None and not self._session.access:
                return self._session, True  # nobody can log in there, as we know
            if kept is None:
                return self._replace(login, Session(base=self._platform.root))
            self._session = kept
            return kept, False

    def _renew(self, login: LogIn, worn: Session) -> tuple[Session, bool]:
        """Another session than the worn one: somebody else's newer, else renewed, else a new log-in."""
        with self._tools.sessions.turn(login.name):
            kept = Session.read(self._tools.sessions.read(login.name))
            if kept is not None and kept.access != worn.access:
                self._session = kept
                return kept, False
            try:
                content = self._post(worn, REFRESH, None, worn.refresh)
            except WornOut:
                return self._replace(login, worn)
            return self._keep(login, self._session_of(content, worn)), False

    def _replace(self, login: LogIn, worn: Session) -> tuple[Session, bool]:
        """A new log-in, or nobody's session where nobody can log in."""
        with self._tools.sessions.turn(login.name):
            self._tools.sessions.write(login.name, "")
            start = Session(base=self._platform.root)
            try:
                content = self._post(start, CREATE, {"identifier": login.handle, "password": login.password}, "")
            except NoLogIn:
                self._session = start
                return start, True
            return self._keep(login, self._session_of(content, start)), True

    def _keep(self, login: LogIn, session: Session) -> Session:
        self._session = session
        self._tools.sessions.write(login.name, json.dumps(asdict(session)))
        return session

    def _session_of(self, content: Mapping[str, Any], before: Session) -> Session:
        found = [str(content.get(key) or "") for key in ("did", "handle", "accessJwt", "refreshJwt")]
        if not (found[0] and found[2]):
            raise TemporaryFailure(f"{self._where}: answered a log-in with something that is no session")
        moved = pds_of(content.get("didDoc")) if self._platform.is_home else ""
        did, handle, access, refresh = found
        return Session(did, handle, access, refresh, moved or before.base)

    def _read(self, session: Session, method: str, model: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        from atproto_client import models

        client = self._at(session)
        headers = {"Authorization": f"Bearer {session.access}"} if session.access else {}
        with translated(self._where):
            params = getattr(models, model).Params(**asked)
            answer = client.invoke_query(method, params=params, headers=headers, output_encoding="application/json")
        return self._object(answer.content)

    def _post(self, session: Session, method: str, given: Mapping[str, str] | None, token: str) -> Mapping[str, Any]:
        from atproto_client import models

        client = self._at(session)
        sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}} if token else {}
        if given is not None:
            sent |= {
                "data": models.ComAtprotoServerCreateSession.Data(**given),
                "input_encoding": "application/json",
            }
        with translated(self._where):
            answer = client.invoke_procedure(method, output_encoding="application/json", **sent)
        return self._object(answer.content)

    def _at(self, session: Session) -> Any:
        """The client, made at the first question: it takes the better part of a second and 40 MB to load."""
        if self._client is None:
            from atproto_client import Client
            from atproto_client.request import Request

            request = Request(transport=FetcherTransport(self._platform), trust_env=False)
            self._client = Client(self._platform.root, request=request)
        self._client.update_base_url(session.base)
        return self._client

    def _object(self, content: Any) -> Mapping[str, Any]:
        found = read_json(content) if isinstance(content, bytes) else content
        if not isinstance(found, dict):
            raise TemporaryFailure(f"{self._where}: answered with something else than was asked for")
        return found


def judge_answer(answer: Answer, content: Any) -> bool:
    """What an error means on Bluesky; its name stands in the body."""
    error = str(content.get("error") or "") if isinstance(content, dict) else ""
    where, method = place(httpx.URL(answer.url)), httpx.URL(answer.url).path.rpartition("/")[2]
    if answer.status < 400 or answer.status == 429:
        return False
    if method == CREATE:
        if error in NOT_SERVED:
            raise NoLogIn(f"{where}: nobody can log in there")
        if answer.status in (400, 401):
            raise NeedsAttention(f"{where}: does not take the handle and the app password ({error or answer.status})")
    elif method == REFRESH:
        if answer.status < 500:
            raise WornOut(f"{where}: the session cannot be renewed ({error or answer.status})")
    elif error in WORN and answer.status in (400, 401):
        raise WornOut(f"{where}: asks for a sign-in ({error})")
    elif answer.status == 400:
        if error in NOT_THERE:
            raise NotThere(f"{where}: there is no such post")
        raise Refused(f"{where}: does not take what was asked ({error or 400}); it will be tried again")
    return False


def pds_of(document: Any) -> str:
    """The server that an account's own document names for its data: https and a host, else "". The fetch layer vets
    its address like any other."""
    services = document.get("service") if isinstance(document, dict) else None
    for service in services if isinstance(services, list) else ():
        if not isinstance(service, dict) or not str(service.get("id")).endswith("#atproto_pds"):
            continue
        try:
            parts = urlsplit(str(service.get("serviceEndpoint")))
            good = parts.scheme == "https" and bool(parts.hostname) and parts.port in (None, 443)
        except ValueError:
            continue
        if good and "@" not in parts.netloc and parts.path in ("", "/") and not parts.query:
            return f"https://{parts.netloc}"
    return ""
