"""What the dashboard process is told from outside, through the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.load import load

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERY_ADDRESS = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Options:
    """Where the data lies and under which names the page may be asked for.

    `hosts` are the names a browser may put in its Host header; anything else is refused, so that a foreign web page
    cannot talk to a dashboard on somebody's own machine. `own_handles` are the force's accounts: never masked.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8501
    hosts: tuple[str, ...] = LOOPBACK
    own_handles: tuple[str, ...] = ()
    store: str = ""
    state: str = ""
    refresh: float = 30.0  # seconds between two looks at the databases

    @property
    def store_url(self) -> str:
        """Where the mentions are."""
        return self.store or f"sqlite:{self.data / 'mentions.db'}"

    @property
    def state_url(self) -> str:
        """Where incidents and sources are."""
        return self.state or f"sqlite:{self.data / 'state.db'}"

    def to_env(self) -> dict[str, str]:
        """The environment variables that `read_options` makes these options from."""
        return {
            "EARSHOT_DATA": str(self.data),
            "EARSHOT_HOST": self.host,
            "EARSHOT_PORT": str(self.port),
            "EARSHOT_HOSTS": ",".join(self.hosts),
            "EARSHOT_OWN_HANDLES": ",".join(self.own_handles),
            "EARSHOT_STORE": self.store,
            "EARSHOT_STATE": self.state,
            "EARSHOT_REFRESH": str(self.refresh),
        }


def read_options(env: Mapping[str, str]) -> Options:
    """The options of this process: EARSHOT_CONFIG names a settings file, the other variables override it, and
    everything has a default, so `uvicorn dashboard.asgi:app` alone works. Raises SettingsError."""
    config, data = env.get("EARSHOT_CONFIG"), env.get("EARSHOT_DATA")
    settings = load(Path(config) if config else None, env, Path(data) if data else None)
    host = env.get("EARSHOT_HOST") or settings.dashboard.host
    own = (host,) if host not in EVERY_ADDRESS else ()
    return Options(
        data=settings.data,
        host=host,
        port=int(env.get("EARSHOT_PORT") or settings.dashboard.port),
        hosts=tuple(
            dict.fromkeys((*LOOPBACK, *own, *(split_names(env.get("EARSHOT_HOSTS", "")) or settings.dashboard.hosts)))
        ),
        own_handles=split_names(env.get("EARSHOT_OWN_HANDLES", "")) or settings.own_handles,
        store=env.get("EARSHOT_STORE") or settings.store,
        state=env.get("EARSHOT_STATE") or settings.state,
        refresh=float(env.get("EARSHOT_REFRESH") or settings.dashboard.refresh.total_seconds()),
    )


def split_names(text: str) -> tuple[str, ...]:
    """The names in a comma list."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
