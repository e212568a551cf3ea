"""Debates as the store has them: the threads of the patch, and the rows that the command prints and the page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analysis.debates import WITHIN, Debate, Point, find_debates
from analysis.vocabulary import read_toml
from config.settings import Settings
from mentions.mention import Assessed
from mentions.order import order_key
from mentions.query import parse
from mentions.store import MentionStore

PAGE = 1000
MOST = 20_000  # posts read for one look; beyond it the oldest are left out
_MOST_SHOWN = 200  # debates on the board


def read_debates(store: MentionStore, settings: Settings, at: datetime) -> list[Debate]:
    """The threads worth joining as of `at`, best first: of all forums, and of other sources where somebody asks."""
    since, until = at - WITHIN, at + timedelta(microseconds=1)
    held = list(_read(store, "platform:forum OR debate:yes", since, until))
    others = sorted({each.mention.source for each in held if each.mention.platform != "forum"})
    for source in others:
        held += _read(store, f'NOT platform:forum source:"{source}"', since, until)
    return find_debates(held, at, patches=known_patches(settings))


def _read(store: MentionStore, query: str, since: datetime, until: datetime) -> Iterator[Assessed]:
    before, left = None, MOST
    while left > 0:
        page = store.search(parse(query), since=since, until=until, limit=min(PAGE, left), before=before)
        yield from page
        if len(page) < PAGE:
            return
        before, left = order_key(page[-1].mention), left - len(page)


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
