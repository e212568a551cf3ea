"""Debates as the store has them: the threads of the patch, and the rows that the command prints and the page shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from analysis.debates import WITHIN, Debate, find_debates
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
    accounts = settings.borough_accounts
    return {
        "boroughs": list(debate.boroughs),
        "title": debate.title,
        "link": debate.link,
        "source": debate.source,
        "score": debate.score,
        "clearance": debate.clearance.value,
        "reasons": [{"points": reason.points, "says": reason.says} for reason in debate.reasons],
        "posts": debate.posts,
        "voices": debate.voices,
        "last_at": debate.last_at.isoformat(),
        "force_in_it": debate.force_in_it,
        "account": next((accounts[borough] for borough in debate.boroughs if borough in accounts), ""),
        "ids": list(debate.ids),
    }


def debates_body(store: MentionStore, settings: Settings, at: datetime) -> list[dict[str, object]]:
    """What the board `debates` holds: the best of them, as rows."""
    return [debate_row(debate, settings) for debate in read_debates(store, settings, at)[:_MOST_SHOWN]]
