"""The promise of a connector, what it is given to work with, and what some of them can do beside polling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from listener.homes import same_host
from listener.sessions import Sessions
from mentions.clock import Clock
from mentions.mention import Mention, Voice
from mentions.pseudonyms import voice_of

if TYPE_CHECKING:
    from listener.fetch import Fetcher

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Volume:
    """How many posts a platform counted in [begin, end) without showing them: a measure of what is out there, to hold
    against what was read. It never becomes a mention."""

    begin: datetime
    end: datetime
    posts: int


@dataclass(frozen=True, slots=True)
class Page:
    """What one poll returned. `left_out` counts odd posts; `sample` says why the last one was odd, never its text.

    `gone` are ids of mentions that the platform says are deleted or no longer public: their text is to go here too.
    `gap` says why posts before this page may have been missed, in a few words ("window full"); "" where none were.
    `expected_rhythm` is the source's own usual gap between posts, where it tells one (ttl, sy:updatePeriod).
    `moved_to` is where its server has sent us on for good, once that is believed.
    `volume` is what the platform counted, hour by hour; an hour told again replaces what was told of it before.
    """

    mentions: tuple[Mention, ...] = ()
    cursor: str | None = None
    more: bool = False
    left_out: int = 0
    sample: str = ""
    gone: tuple[str, ...] = ()
    gap: str = ""
    not_before: datetime | None = None
    expected_rhythm: timedelta | None = None
    moved_to: str = ""
    volume: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a platform asks of those who read it: the page that says so, and why a named person must record a
    permission before we do ("" where nobody need). `home` is its own api_root ("" where every site is its own),
    `domains` are all that it answers under: what lies there is the platform, however the settings spell it.
    `counted` where what it is asked is counted under [budgets.KIND]."""

    link: str = ""
    approval: str = ""
    home: str = ""
    domains: tuple[str, ...] = ()
    counted: bool = False


class Budget(Protocol):
    """What a platform may cost. Safe from many threads and from several processes."""

    def take(self, calls: int = 1, cost: float = 0.0, *, bucket: str = "", recheck: bool = False) -> None:
        """Count calls and money (US dollars) as spent, before they are. Raises `RateLimited` until the next day or
        month, and counts nothing, where that would pass the budget; all but re-checks stop short of the reserve that
        is kept for them. `bucket` names an allowance of its own, as YouTube has for searches."""

    def give_back(self, cost: float, when: datetime) -> None:
        """Of what was taken, this much money was not spent after all: it goes back to the day and month of `when`, the
        time just before it was taken, never to a day that has begun since."""


class Unbounded:
    """No budget: a stand-in for a platform costs nothing."""

    def take(self, calls: int = 1, cost: float = 0.0, *, bucket: str = "", recheck: bool = False) -> None:
        """Nothing is counted."""

    def give_back(self, cost: float, when: datetime) -> None:
        """Nothing is counted."""


UNBOUNDED = Unbounded()


def _unbounded(kind: str) -> Budget:
    return UNBOUNDED


def _not_permitted(source: str) -> bool:
    return False


class DoesApart(Protocol):
    """Does work on what strangers sent where it can do no harm."""

    def __call__(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work`, a function of a module, returns or raises; `TemporaryFailure` where it takes too long or too
        much memory."""


def do_here(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do it here and now, without limits."""
    return work(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class Tools:
    """What every connector is built with. `pseudonym(platform, author)` is the keyed hash of an author's id.

    `budget(kind)` is what a kind may still cost; `permitted(source)` whether a named person recorded the permission to
    read a source that its site or its platform's terms would otherwise close to us. `sessions` keeps log-ins.
    """

    fetch: Fetcher
    clock: Clock
    pseudonym: Callable[[str, str], str]
    secret: Callable[[str], str | None]  # the environment, by name
    zone: str = "Europe/London"
    own_handles: frozenset[str] = frozenset()  # lower-case, without @
    budget: Callable[[str], Budget] = _unbounded
    permitted: Callable[[str], bool] = _not_permitted
    source: str = ""  # whom they are for, where a connector hands them on
    site: str = ""  # the address that this source was given
    apart: DoesApart = do_here  # the commands and the daemon give a process of its own
    sessions: Sessions = field(default_factory=Sessions)

    def may_read(self, url: str) -> bool:
        """Whether the leave recorded for this source covers an address: what lies on another host it does not."""
        return same_host(url, self.site) and self.permitted(self.source)

    def voice(self, source: SourceInfo, *names: str) -> Voice:
        """Who speaks where an author goes by these names: we ourselves, or whoever the source stands for."""
        return voice_of(self.own_handles, source.voice, *names)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What the settings say of a source, apart from the connector's own options."""

    name: str
    voice: Voice
    publisher: str = ""


class Connector(Protocol):
    """One way of reading one kind of source."""

    kind: ClassVar[str]
    Options: ClassVar[type[BaseModel]]  # the keys its `[[sources]]` table may hold, beside name, kind, every, voice
    terms: ClassVar[Terms]

    def __init__(self, source: SourceInfo, options: Any, tools: Tools) -> None: ...

    def poll(self, cursor: str | None) -> Page:
        """Return the next page of what is new or changed since `cursor`.

        A cursor is this connector's own note to itself: nobody else reads it. The caller saves a page before it asks
        for the next, so a page may be asked for twice and must then carry the same mention ids. Undated, late and
        edited posts are returned again rather than missed; the store drops the copies.

        Raises `TemporaryFailure`, `RateLimited`, `NeedsAttention` or, where credentials are missing, `NotConfigured`,
        and nothing else that the platform's own library can raise. A single unreadable post is left out and counted;
        it never costs us its neighbours.
        """

    def close(self) -> None:
        """Give back sockets."""


@runtime_checkable
class KeepsRhythm(Protocol):
    """A connector that reads what one site publishes, so that the site's own rhythm says how often to ask. A search is
    none: where nothing was found for weeks, the next hour may bring the crisis."""

    keeps_rhythm: ClassVar[bool]


@dataclass(frozen=True, slots=True)
class Locator:
    """Where a mention stands at its platform: what is needed to look at it again, and no more."""

    id: str  # the mention's
    native_id: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What became of mentions: `found` as they stand now (words, engagement), `gone` the ids of those that are deleted
    or no longer public, `there` the ids of those that stand where they stood, though their words were not seen;
    `missing` those whose own page was not found, which a second look a day later has to confirm. One that is in none
    could not be told; it stays due."""

    found: tuple[Mention, ...] = ()
    gone: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@runtime_checkable
class Rechecks(Protocol):
    """A connector that can look again at what it brought."""

    most_at_once: ClassVar[int]

    def recheck(self, locators: Sequence[Locator]) -> Rechecked:
        """Look at up to `most_at_once` mentions again. Raises as `poll` does."""


@runtime_checkable
class OwnPosts(Protocol):
    """A connector that can list what the account it is configured with has posted."""

    def own_posts(self) -> Page:
        """Its newest posts, with engagement as it stands now; `mentions` carry `Voice.OWN`. Raises as `poll` does."""


@runtime_checkable
class Threads(Protocol):
    """A connector that can fetch the conversation a mention stands in."""

    def thread(self, locator: Locator) -> Page:
        """The posts of that conversation, oldest first. Raises as `poll` does."""


@runtime_checkable
class Backfills(Protocol):
    """A connector that can fetch what was posted in a past span."""

    def backfill(self, since: datetime, until: datetime, cursor: str | None) -> Page:
        """A page of what was published in [since, until); ask again with its cursor while `more`. A page may be asked
        for twice, so that a backfill goes on where it was broken off. `gap` says where the platform reaches back less
        far than asked. Raises as `poll` does."""
