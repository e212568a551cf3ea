"""A source tried out: polled a few times, nothing of it stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from listener.connector import Connector
from listener.polling import MAX_PAGES
from mentions.failures import Failure, NeedsAttention, NotConfigured, RateLimited
from mentions.mention import Mention


@dataclass(slots=True)
class Tried:
    """What the polls gave. `state` is ok, not_configured, temporary, rate_limited or needs_attention; `polls` counts
    what each found new, edited and gone; `mentions` are all of them as they stood last, in the order they came."""

    state: str = "ok"
    reason: str = ""
    left_out: int = 0
    sample: str = ""
    polls: list[dict[str, int]] = field(default_factory=list)
    mentions: dict[str, Mention] = field(default_factory=dict)


def try_source(connector: Connector, polls: int) -> Tried:
    """Poll so many times, each from where the last one ended; a failure ends it, since a site that fails is not asked
    again at once."""
    tried, cursor = Tried(), None
    for _ in range(polls):
        count = dict.fromkeys(("new", "edited", "gone"), 0)
        tried.polls.append(count)
        try:
            for _ in range(MAX_PAGES):
                page = connector.poll(cursor)
                cursor = page.cursor
                tried.left_out += page.left_out
                tried.sample = page.sample or tried.sample
                for mention in page.mentions:
                    _count(tried, count, mention)
                for gone in page.gone:
                    count["gone"] += tried.mentions.pop(gone, None) is not None
                if not page.more:
                    break
        except Failure as failure:
            tried.state, tried.reason = state_of(failure), str(failure)
            break
    return tried


def _count(tried: Tried, count: dict[str, int], mention: Mention) -> None:
    known = tried.mentions.get(mention.id)
    if known is None:
        count["new"] += 1
    elif known.words != mention.words:
        count["edited"] += 1
    tried.mentions[mention.id] = mention


def state_of(failure: Failure) -> str:
    """The word for what ended it."""
    if isinstance(failure, NotConfigured):
        return "not_configured"
    if isinstance(failure, NeedsAttention):
        return "needs_attention"
    return "rate_limited" if isinstance(failure, RateLimited) else "temporary"
