"""Debates as the store has them: the threads of the patch, and the rows that the command prints and the page shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analysis.debates import WITHIN, Debate, Point, find_debates, is_of_the_time
from analysis.threads import thread_names
from analysis.vocabulary import read_toml
from config.settings import Settings
from mentions.facets import facet
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import And, Field, Not, Or, Query
from mentions.store import MentionStore

PAGE = 1000
# A store is asked by the time a post claims, and debates go by `counts_at`: what claims another time may count as well.
_CLAIMS_EARLIER, _CLAIMS_LATER = timedelta(days=30), timedelta(days=1)
MOST_POSTS = 10_000  # held at once for one look, over all sources; beyond it the oldest are left out
MOST_LOOKED_AT = 20_000  # rows looked through to find them
_MOST_SOURCES = 100  # other than forums, those with the newest questions
_MOST_SHOWN = 200  # debates on the board
_FORUM, _ASKED = Field("platform", "forum"), Field("debate", "yes")


def read_debates(
    store: MentionStore, settings: Settings, at: datetime, *, posts: int = MOST_POSTS, looks: int = MOST_LOOKED_AT
) -> list[Debate]:
    """The threads worth joining as of `at`, best first: of all forums, and of other sources where somebody asks. Holds
    at most `posts` at once, over all sources, of at most `looks` rows."""
    reading = _Reading(store, at - WITHIN - _CLAIMS_EARLIER, at + _CLAIMS_LATER, posts, looks)
    held = reading.read(Or((_FORUM, _ASKED)), lambda each: is_of_the_time(each.mention, at))
    asked = [each.mention for each in held if each.mention.platform != "forum"]
    if asked:
        names = {name for mention in asked for name in thread_names(mention)}
        sources = list(dict.fromkeys(facet("source", mention.source).partition(":")[2] for mention in asked))
        others = Or(tuple(Field("source", source) for source in sources[:_MOST_SOURCES]))
        held += reading.read(
            And((others, Not(_FORUM), Not(_ASKED))),
            lambda each: is_of_the_time(each.mention, at) and not names.isdisjoint(thread_names(each.mention)),
        )
    return find_debates(held, at, patches=known_patches(settings))


@dataclass(slots=True)
class _Reading:
    """Reads posts of a time, newest first, within one allowance over all that is asked of it."""

    store: MentionStore
    since: datetime
    until: datetime
    posts: int
    looks: int

    def read(self, query: Query, wanted: Callable[[Assessed], bool]) -> list[Assessed]:
        """The posts of that query that are wanted, as far as the allowance goes."""
        found: list[Assessed] = []
        before: int | None = None
        while (limit := min(PAGE, self.looks)) and len(found) < self.posts:
            page = self.store.search(query, since=self.since, until=self.until, limit=limit, before=before)
            self.looks -= len(page)
            found += (each for each in page if each.mention.buried_at is None and wanted(each))
            if len(page) < limit:
                break
            before = order_key(page[-1].mention)
        del found[self.posts :]
        self.posts -= len(found)
        return found


def known_patches(settings: Settings) -> dict[str, Sequence[str]]:
    """Which boroughs a site or source writes about: those shipped, and the settings' own."""
    shipped: Mapping[str, Sequence[str]] = read_toml("forums.toml")["patches"]
    return {**shipped, **{source.name: source.boroughs for source in settings.sources if source.boroughs}}


def debate_row(debate: Debate, settings: Settings) -> dict[str, object]:
    """A debate for machines. `account` answers for its surest borough; "" where the settings name none."""
    told = {"title": debate.title, "link": debate.link, "source": debate.source}
    reasons = [{"points": reason.points, "says": in_words(reason)} for reason in debate.reasons]
    return {"boroughs": list(debate.boroughs), **told, **_figures(debate, settings), "reasons": reasons}


def in_words(reason: Point) -> str:
    """A reason with the sentence it rests on."""
    return f'{reason.says}: "{reason.quote}"' if reason.quote else reason.says


@dataclass(frozen=True, slots=True)
class DebatesMaker:
    """The board `debates`: the best of them. It names posts and places in them, and holds none of their words, so that
    what is erased is gone from it as well. The settings tell of patches and of accounts that answer."""

    settings: Settings

    def make(self, store: MentionStore, now: datetime) -> Mapping[str, object]:
        """The board as of `now`, as JSON can hold it."""
        found = read_debates(store, self.settings, now)
        return {"found": len(found), "debates": [_board_row(debate, self.settings) for debate in found[:_MOST_SHOWN]]}


def _board_row(debate: Debate, settings: Settings) -> dict[str, object]:
    kept = ("points", "says", "post", "start", "end")
    reasons = [{name: getattr(reason, name) for name in kept} for reason in debate.reasons]
    return {"boroughs": list(debate.boroughs), **_figures(debate, settings), "reasons": reasons}


def _figures(debate: Debate, settings: Settings) -> dict[str, object]:
    accounts = settings.borough_accounts
    return {
        "score": debate.score,
        "clearance": debate.clearance.value,
        "posts": debate.posts,
        "voices": debate.voices,
        "last_at": debate.last_at.isoformat(),
        "force_in_it": debate.force_in_it,
        "account": next((accounts[borough] for borough in debate.boroughs[:1] if borough in accounts), ""),
        "ids": list(debate.ids),
    }
