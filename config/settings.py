"""Every setting with its default, its unit and what it is for; docs/settings.md has a row for each."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

SETTINGS_FILE = "earshot.toml"
SHORTEST_POLL = timedelta(seconds=30)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST_NAME = 60
_NOT_IN_NAMES = frozenset(':"|<>\\')  # names become parts of keys and of lines
_NODE = r"https?://[^/,?\s]+:\d{1,5}/?"
FOLDER_STARTS = ("/", "./", "../", "~")  # what tells a folder from a model's name
_A_DURATION = 'a duration such as "15m", "2h" or "30s"'


def parse_duration(value: object) -> timedelta:
    """`"90s"`, `"15m"`, `"2h"`, `"3d"` as a timedelta; raises ValueError saying what was expected."""
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)\s*([smhd])", value) if isinstance(value, str) else None
    if not found:
        raise ValueError(_A_DURATION)
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as this duration."""
    seconds = value.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError(_A_DURATION)
    return value


def _not_nought(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError('"1s" or longer')
    return value


def _long_enough(value: timedelta) -> timedelta:
    if value < SHORTEST_POLL:
        raise ValueError(f'"{format_duration(SHORTEST_POLL)}" or longer')
    return value


def _as_path(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if isinstance(value, str) and value and "\0" not in value:
        return Path(value).expanduser()
    raise ValueError('a path such as "earshot-data"')


def _a_model(value: str) -> str:
    if value and not value.startswith(FOLDER_STARTS) and not is_model_name(value):
        raise ValueError('"" for the shipped one, a name such as "owner/model", or a folder such as "./models/ours"')
    return value


def is_model_name(value: str) -> bool:
    """Whether a model on a Hugging Face hub may be called so."""
    return bool(re.fullmatch(r"(?!.*(--|\.\.))\w[\w.-]{0,95}/\w[\w.-]{0,95}", value, re.ASCII))


def _a_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('a time zone such as "Europe/London"') from None
    return value


def _a_store(value: str) -> str:
    if value.startswith("elasticsearch:") and "@" in value:
        raise ValueError("no password here: put it into the variable EARSHOT_ELASTIC_PASSWORD")
    if not re.fullmatch(rf"sqlite:(?!//).+|elasticsearch:{_NODE}(,{_NODE})*(\?index=\w+)?", value):
        raise ValueError('"sqlite:mentions.db" or "elasticsearch:http://host:9200"')
    return value


def _a_state(value: str) -> str:
    if re.match(r"postgresql://[^/@]*:[^/@]*@", value):
        raise ValueError('no password here: put the whole URL in a variable and name it, state_env = "EARSHOT_STATE"')
    if not re.fullmatch(r"(sqlite:(?!//)|postgresql://).+", value):
        raise ValueError('"sqlite:state.db" or "postgresql://host/database"')
    return value


def _an_address(value: str) -> str:
    name, _, port = value.rpartition(":")
    if not name or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError('a host and a port, such as "intranet.example:8080"')
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("text that is not blank")
    return value.strip()


def _a_name(value: str) -> str:
    if (
        not 0 < len(value) <= _LONGEST_NAME
        or value != value.strip()
        or not value.isprintable()
        or set(value) & _NOT_IN_NAMES
    ):
        raise ValueError(f'a name of up to {_LONGEST_NAME} characters, without : " | < > and \\')
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_not_negative)]
Span = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_not_nought)]
PollEvery = Annotated[timedelta, BeforeValidator(parse_duration), AfterValidator(_long_enough)]
FilePath = Annotated[Path, BeforeValidator(_as_path)]
EnvName = Annotated[str, Field(pattern=r"^EARSHOT_[A-Z0-9_]+$")]
Name = Annotated[str, AfterValidator(_a_name)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
Allowed = Annotated[int, Field(ge=0)] | None
Dollars = Annotated[float, Field(ge=0, le=1_000_000)] | None
Share = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, AfterValidator(_not_blank)]
Address = Annotated[str, AfterValidator(_an_address)]
FROM_LIST = Strict(False)  # TOML has lists only; ours are tuples, since settings never change
Names = Annotated[tuple[Text, ...], FROM_LIST]


class Table(BaseModel):
    """A table of the settings file: unknown keys are refused, values are not converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


class DashboardSettings(Table):
    """Where the dashboard listens, and how it behaves."""

    host: Text = Field(
        default="127.0.0.1", description="Address the dashboard listens on; it has no log-in of its own yet"
    )
    port: Port = Field(default=8501, description="Port of the dashboard")
    refresh: Span = Field(default=timedelta(seconds=30), description="How often an open page asks for news")
    hosts: Names = Field(default=(), description="Further names browsers may call it by; others are refused")


class HealthSettings(Table):
    """Where the daemon tells how it is."""

    host: Text = Field(default="127.0.0.1", description="Address of the health endpoint")
    port: Port = Field(default=8502, description="Port of /healthz (JSON) and /metrics (Prometheus)")


class FetchSettings(Table):
    """How politely and how carefully other people's servers are asked."""

    user_agent: Text = Field(default="Earshot/0.1", description="What we call ourselves; never a browser's name")
    contact: str = Field(default="", description="URL or mailbox added to the user agent, so that a site can reach you")
    connect_timeout: Span = Field(default=timedelta(seconds=10), description="Longest wait for a connection")
    total_timeout: Span = Field(default=timedelta(seconds=30), description="Longest time one answer may take in all")
    max_bytes: int = Field(default=10_000_000, ge=1000, description="Largest answer taken, in bytes after unpacking")
    host_gap: Duration = Field(
        default=timedelta(seconds=2), description="Shortest time between two requests to one host"
    )
    allow: Annotated[tuple[Address, ...], FROM_LIST] = Field(
        default=(), description="host:port pairs on private networks that may be fetched (an intranet forum, a test)"
    )
    respect_robots: bool = Field(
        default=True,
        description="Whether robots.txt is obeyed for pages and feeds; only ever false on your own servers",
    )


class SpoolSettings(Table):
    """What waits on disk while the store takes no mentions."""

    max_bytes: int = Field(
        default=500_000_000, ge=100_000, description="Most that may wait, in bytes; beyond it no source is polled"
    )
    free_bytes: int = Field(default=200_000_000, ge=0, description="Free disk that is left to others, in bytes")


class RetentionSettings(Table):
    """How long what is kept is kept."""

    locators: Duration = Field(
        default=timedelta(days=90),
        description="How long after collecting a native id and link that name a person are kept (Mastodon, Bluesky); "
        "then deletions there are mirrored no more. 0s: for as long as the mention",
    )


class SourceSettings(Table):
    """One source. Keys beside these are the connector's own; docs/connectors.md lists them."""

    name: Name = Field(description="What people call it; shown on every mention it brings")
    kind: Text = Field(description="Which connector reads it: one of the kinds of connectors.md")
    every: PollEvery = Field(
        default=timedelta(minutes=15), description="The usual wait between two polls; 30 seconds at the least"
    )
    voice: Literal["public", "press", "official"] = Field(default="public", description="Who speaks there")
    publisher: str = Field(
        default="", description="Registrable domain its items count for; empty: taken from their links"
    )
    boroughs: Names = Field(default=(), description="The boroughs it is about, if it is local: its patch")
    verified: bool = Field(default=False, description="Whether somebody saw it live; for people, nothing depends on it")
    options: dict[str, Any] = Field(default_factory=dict, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _set_options_apart(cls, table: object) -> object:
        return _set_apart(table, cls.model_fields)


class BudgetSettings(Table):
    """What one kind of source may cost. What is left out is the kind's own; docs/connectors.md tells it."""

    calls_per_day: Allowed = Field(default=None, description="Most calls (YouTube: units) a day; none: the kind's own")
    calls_per_month: Allowed = Field(default=None, description="Most calls a calendar month; none: the kind's own")
    dollars_per_day: Dollars = Field(default=None, description="Most US dollars a day; none: the kind's own")
    dollars_per_month: Dollars = Field(
        default=None, description="Most US dollars a calendar month; none: the kind's own"
    )
    searches_per_day: Allowed = Field(
        default=None, description="Most searches a day, where a platform counts them apart, as YouTube does"
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Share of calls and dollars kept for re-checks of what is held; none: 0.2"
    )


class ChannelSettings(Table):
    """One way to reach people. Keys beside these are the channel's own; docs/channels.md lists them."""

    name: Name = Field(description="What people call it; part of every notice's key, so do not rename it lightly")
    kind: Text = Field(description="How notices travel: email or webhook")
    level: Literal["crisis", "warning"] = Field(
        default="crisis", description="crisis: only these; warning: these as well"
    )
    options: dict[str, Any] = Field(default_factory=dict, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _set_options_apart(cls, table: object) -> object:
        return _set_apart(table, cls.model_fields)


class SurgeSettings(Table):
    """When many posts are too many; docs/rules.md tells how it works."""

    posts: Count = Field(default=5, description="Fewest posts in the horizon that stands out")
    voices: Count = Field(default=3, description="Fewest authors or publishers behind them")
    crisis_posts: Count = Field(default=10, description="Fewest posts for a crisis without a watchlist")
    crisis_voices: Count = Field(default=5, description="Fewest voices for a crisis without a watchlist")
    hostile: Share = Field(default=0.5, description="Share of red posts, or of posts against the police, it then takes")
    settle: Duration = Field(
        default=timedelta(hours=3), description="How long ago the past begins that says what is usual"
    )
    quiet: Span = Field(default=timedelta(minutes=30), description="It holds no longer once nothing came for so long")


class SingleSettings(Table):
    """When words alone are enough; docs/rules.md tells how it works."""

    holds: Span = Field(default=timedelta(hours=1), description="How long an item keeps its warning up")
    together: Duration = Field(default=timedelta(minutes=30), description="Items further apart do not make a crisis")
    publishers: Count = Field(default=3, description="Independent publishers of one matter that make a crisis")
    tellers: Count = Field(
        default=2, description="Voices that tell of a risk to life, none of wide reach, for a crisis"
    )


class AlertSettings(Table):
    """When an incident is over, and how often is told of it."""

    quiet_crisis: Duration = Field(
        default=timedelta(hours=3), description="A crisis is over after so long without news"
    )
    quiet_red: Duration = Field(
        default=timedelta(hours=1), description="A red warning is over after so long without news"
    )
    quiet_amber: Duration = Field(default=timedelta(minutes=30), description="An amber one is over after so long")
    reopen_within: Duration = Field(
        default=timedelta(hours=24), description="The same matter within so long reopens its incident"
    )
    update_gap: Duration = Field(
        default=timedelta(hours=1), description="Shortest time between two updates of one incident"
    )
    surge: SurgeSettings = Field(default_factory=SurgeSettings, description="The rule for volume")
    single: SingleSettings = Field(default_factory=SingleSettings, description="The rule for content")


class AnalysisSettings(Table):
    """What judges; docs/models.md tells more."""

    mood_model: Annotated[str, AfterValidator(_a_model)] = Field(
        default="", description="Whose mood counts: the shipped model's (empty), a fetched one's by name, or a folder's"
    )
    models: FilePath = Field(
        default=Path("models"), description="Folder of fetched models, in `data`; `earshot models fetch` fills it"
    )


class WatchlistSettings(Table):
    """A named query: a topic, a place, an organisation or an account of our own, never a private person."""

    name: Name = Field(description="What people call it; alerts and charts carry it")
    query: Text = Field(description="What to look for; docs/commands.md has the words")
    purpose: Text = Field(description="Why it is lawful and needed; shown wherever the watchlist is")
    owner: str = Field(default="", description="The role that answers for it")
    expires: date | None = Field(
        default=None, description="The day from which it no longer runs; none: until taken out"
    )


class Settings(Table):
    """Everything that can be set. Paths are absolute once `load` has returned."""

    force: Text = Field(default="Metropolitan Police", description="The force, as pages and notices name it")
    timezone: Annotated[Text, AfterValidator(_a_zone)] = Field(
        default="Europe/London", description="The zone of times shown to people, and of sources that name none"
    )
    data: FilePath = Field(
        default=Path("earshot-data"), description="Directory of everything kept, beside the settings file"
    )
    store: Annotated[Text, AfterValidator(_a_store)] = Field(
        default="sqlite:mentions.db",
        description="Where mentions are kept: sqlite:PATH (inside `data`) or elasticsearch:http://HOST:PORT",
    )
    state: Annotated[Text, AfterValidator(_a_state)] = Field(
        default="sqlite:state.db",
        description="Where cursors, incidents and notices are kept: sqlite:PATH or postgresql://…",
    )
    state_env: EnvName | None = Field(default=None, description="Variable holding `state` where that needs a password")
    author_key: FilePath = Field(
        default=Path("author.key"), description="File with the key authors are hashed with, in `data`"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged"
    )
    own_handles: Names = Field(
        default=(),
        description="Accounts of the force: @metpoliceuk, @name@server on Mastodon; never counted as the public",
    )
    borough_accounts: dict[str, Text] = Field(
        default_factory=dict,
        description='The account that answers for a borough, such as Southwark = "@MPSSouthwark"',
    )
    public_names: Names = Field(
        default=(),
        description="Organisations, office-holders and their @accounts that a watchlist may name, beside those shipped",
    )
    watchlist_approvers: Names = Field(
        default=(),
        description="Who may approve a watchlist that names a private person; none named: anybody but who made it",
    )
    dashboard: DashboardSettings = Field(default_factory=DashboardSettings, description="The pages")
    health: HealthSettings = Field(default_factory=HealthSettings, description="The daemon's own state")
    fetch: FetchSettings = Field(default_factory=FetchSettings, description="How sources are fetched")
    spool: SpoolSettings = Field(default_factory=SpoolSettings, description="Where mentions wait for the store")
    retention: RetentionSettings = Field(default_factory=RetentionSettings, description="What is kept how long")
    analysis: AnalysisSettings = Field(default_factory=AnalysisSettings, description="What judges")
    alerts: AlertSettings = Field(default_factory=AlertSettings, description="When to alert, and when it is over")
    sources: Annotated[tuple[SourceSettings, ...], FROM_LIST] = Field(default=(), description="What is listened to")
    budgets: dict[str, BudgetSettings] = Field(
        default_factory=dict, description="What kinds of sources may cost, as in [budgets.x]"
    )
    channels: Annotated[tuple[ChannelSettings, ...], FROM_LIST] = Field(default=(), description="Who is told")
    watchlists: Annotated[tuple[WatchlistSettings, ...], FROM_LIST] = Field(
        default=(), description="What is watched for"
    )
    places: dict[str, Names] = Field(
        default_factory=dict,
        description='Further place names with their boroughs, such as "Lordship Rec" = ["Haringey"]',
    )


def _set_apart(table: object, own: dict[str, Any]) -> object:
    if not isinstance(table, dict) or "options" in table:
        return table
    return {key: value for key, value in table.items() if key in own} | {
        "options": {key: value for key, value in table.items() if key not in own}
    }
