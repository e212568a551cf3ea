"""What must never be shown: which keys and texts hold a secret, and how they look when printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"
PREFIX = "EARSHOT_"
PLAIN_VARIABLES = frozenset(
    PREFIX + name
    for name in (
        *("DATA", "HOST", "PORT", "HOSTS", "OWN_HANDLES", "STORE", "SHARED", "EXPECT", "REFRESH", "CONFIG"),
        *("ELASTIC_USER", "ELASTIC_CA", "ELASTIC_FINGERPRINT", "ELASTIC_PLAIN_HTTP", "ELASTIC_ZIPS"),
        *("ELASTIC_PASSWORD_FILE", "ELASTIC_API_KEY_FILE"),
    )
)
_SECRET_KEY = re.compile(r"(pass(word|wd|phrase)?|token|secret|credentials?|(^|_)key)$", re.I)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_USER_INFO = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_USER_PASSWORD = re.compile(r"://[^/\s@:]*:([^/\s@]+)@")
_SHORTEST_SECRET = 4  # anything shorter would black out ordinary words


def names_variable(value: object) -> bool:
    """Whether this can be the name of an environment variable."""
    return isinstance(value, str) and bool(_VARIABLE.fullmatch(value))


def looks_secret(key: str, value: object) -> bool:
    """Whether the value under this key may be a secret. A `*_env` key that holds something other than a variable's
    name counts too: somebody pasted the secret where its variable's name belongs."""
    return not names_variable(value) if key.endswith("_env") else bool(_SECRET_KEY.search(key))


def hide_user_info(text: str) -> str:
    """The text with the `user:password` of every URL in it replaced by ***."""
    return _USER_INFO.sub(HIDDEN, text)


def secret_values(env: Mapping[str, str]) -> tuple[str, ...]:
    """What the environment keeps secret, longest first: the values (of URLs the password) of EARSHOT_ variables that do
    not only say where things are, and of any variable whose name looks secret; none too short to hide."""
    values: set[str] = set()
    for name, value in env.items():
        ours = name.startswith(PREFIX) and name not in PLAIN_VARIABLES
        if ours or _SECRET_KEY.search(name):
            values.update(_USER_PASSWORD.findall(value) or (value,))
    return tuple(sorted((v for v in values if len(v) >= _SHORTEST_SECRET), key=lambda value: (-len(value), value)))


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text without any of these secrets and without any URL's user and password."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return hide_user_info(text)
