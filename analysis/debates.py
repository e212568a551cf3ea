"""Threads worth joining: what makes each so, in points and words, and who must be asked before an officer answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from analysis.questions import sentence_at
from analysis.steps.debates import INVITATIONS
from analysis.threads import group_threads, strip_reply
from config.strategy import CLEARANCES
from mentions.mention import PRESS_PLATFORMS, Assessed, Mention, Mood, Rag, Voice

WITHIN = timedelta(days=14)  # a thread that nobody touched for longer is over
_QUOTED = 120  # characters
_FORCE = (Voice.OWN, Voice.OFFICIAL)
_WORST_FIRST = (Rag.RED, Rag.AMBER, Rag.GREEN)
_FRESH = ((timedelta(hours=6), 12), (timedelta(days=1), 10), (timedelta(days=3), 7), (timedelta(days=7), 3))
_FEWEST_ARGUING = 3  # voices


@dataclass(frozen=True, slots=True)
class Point:
    """One term of a score, in points and in words. Where it rests on a sentence, `quote` is that, of post `post` from
    `start` to `end` of its words."""

    points: int
    says: str
    quote: str = ""
    post: str = ""
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Debate:
    """A thread worth joining. `score` is the sum of its reasons' points, 0 to 100. `clearance` is the colour an answer
    falls under: green, an officer may; amber, tell the Borough Communicator or the press office; red, the press office
    first. `boroughs` come surest first, `ids` are its posts, oldest first.
    """

    title: str
    link: str
    source: str
    boroughs: tuple[str, ...]
    score: int
    clearance: Rag
    reasons: tuple[Point, ...]
    posts: int
    voices: int
    last_at: datetime
    force_in_it: bool
    ids: tuple[str, ...] = field(default=())


def find_debates(
    held: Iterable[Assessed],
    at: datetime,
    *,
    patches: Mapping[str, Sequence[str]] | None = None,
    within: timedelta = WITHIN,
) -> list[Debate]:
    """The threads worth joining as of `at`, best first, from what was said by then and since `within` before.

    `patches` says which boroughs a source writes about. The same posts give the same answer, whatever their order. A
    thread nobody asks or argues in, or that has nothing to do with the police, is none.
    """
    talk = (each for each in held if is_of_the_time(each.mention, at, within))
    by_source = {name.lower(): tuple(boroughs) for name, boroughs in (patches or {}).items()}
    found = (_weigh(thread, at, by_source) for thread in group_threads(talk))
    return sorted(filter(None, found), key=lambda debate: (-debate.score, -debate.last_at.timestamp(), debate.ids))


def is_of_the_time(mention: Mention, at: datetime, within: timedelta = WITHIN) -> bool:
    """Whether it is part of a conversation, and was said by `at` and since `within` before."""
    return at - within <= mention.counts_at <= at and _is_talk(mention)


def _is_talk(mention: Mention) -> bool:
    newsroom = mention.voice is Voice.PRESS or mention.platform in PRESS_PLATFORMS
    return not newsroom and bool(mention.thread or mention.platform == "forum")


def _weigh(thread: Sequence[Assessed], at: datetime, patches: Mapping[str, tuple[str, ...]]) -> Debate | None:
    ours = [post for post in thread if post.assessment.relevant]
    asked = _asks(thread) or _argues(ours)
    if not ours or not asked:
        return None
    boroughs = _boroughs(thread, patches)
    clearance, cleared = _clear(ours)
    joined = any(post.mention.voice in _FORCE for post in thread)
    reasons = [_is_about(thread, ours), asked, _is_local(boroughs), *_lives(thread, at), cleared]
    if joined:
        reasons.append(Point(-20, "the force or another authority is in it already"))
    opening, last = thread[0].mention, thread[-1].mention
    return Debate(
        title=strip_reply(opening.title) or _shorten(opening.text),
        link=opening.link,
        source=opening.source,
        boroughs=boroughs,
        score=max(sum(reason.points for reason in reasons), 0),
        clearance=clearance,
        reasons=tuple(sorted(reasons, key=lambda reason: -reason.points)),
        posts=_posts(thread, at),
        voices=_voices(thread),
        last_at=last.counts_at,
        force_in_it=joined,
        ids=tuple(post.mention.id for post in thread),
    )


def _is_about(thread: Sequence[Assessed], ours: Sequence[Assessed]) -> Point:
    """Up to 25: how much of the thread is about the police or their business."""
    named = next((post.assessment.topic for post in ours if post.assessment.topic), "")
    topic = f" ({named.replace('_', ' ')})" if named else ""
    whole = 2 * len(ours) >= len(thread) or thread[0].assessment.relevant
    says = "is about the police or their business" if whole else "comes to speak of the police or their business"
    return Point((18 if whole else 9) + 7 * bool(named), says + topic)


def _asks(thread: Sequence[Assessed]) -> Point | None:
    """Up to 30: a question weighs more than an opinion, and more where the thread opens with it."""
    told = [invited for post in thread if (invited := _invitation(post))]
    best = max(told, key=lambda point: point.points, default=None)
    if best is None or best.post == thread[0].mention.id:
        return best
    return replace(best, points=best.points * 2 // 3)


def _invitation(post: Assessed) -> Point | None:
    """What invites an answer in this post, with the sentence it does so in."""
    if not post.assessment.debate:
        return None
    reason = next((reason for reason in post.assessment.reasons if reason.says in INVITATIONS), None)
    if reason is None:
        return Point(max(INVITATIONS.values()), "is marked as a debate", post=post.mention.id)
    start, end = sentence_at(post.mention.words, reason.start) if reason.start >= 0 else (0, 0)
    quote = _shorten(post.mention.words[start:end])
    return Point(INVITATIONS[reason.says], reason.says, quote, post.mention.id, start, end)


def _argues(ours: Sequence[Assessed]) -> Point | None:
    """15 where several voices judge the police, though nobody asks."""
    judging = [post for post in ours if post.assessment.sentiment.label in (Mood.NEGATIVE, Mood.POSITIVE)]
    voices = _voices(judging)
    return Point(15, f"{voices} voices judge the police in it") if voices >= _FEWEST_ARGUING else None


def _boroughs(thread: Sequence[Assessed], patches: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Those the posts name, the most named first; where none does, what the site writes about."""
    named = Counter(borough for post in thread for borough in post.assessment.boroughs)
    if named:
        return tuple(sorted(named, key=lambda borough: (-named[borough], borough)))
    mention = thread[0].mention
    return patches.get(mention.source.lower()) or patches.get(mention.publisher.lower()) or ()


def _is_local(boroughs: Sequence[str]) -> Point:
    if not boroughs:
        return Point(0, "names no borough")
    return Point(15 if len(boroughs) == 1 else 9, f"is about {' or '.join(boroughs)}")


def _lives(thread: Sequence[Assessed], at: datetime) -> Iterator[Point]:
    """Up to 25: how long ago the last post, how many posts and voices."""
    since = at - thread[-1].mention.counts_at
    yield Point(next((points for age, points in _FRESH if since <= age), 0), f"last post {_tell(since)} ago")
    posts, voices = _posts(thread, at), _voices(thread)
    yield Point(min(posts - 1, 7), f"{posts} post{'s' * (posts != 1)}")
    yield Point(min(2 * (voices - 1), 6), f"{voices} voice{'s' * (voices != 1)}")


def _tell(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return "under an hour" if hours < 1 else f"{hours} h" if hours < 48 else f"{hours // 24} days"


def _posts(thread: Sequence[Assessed], at: datetime) -> int:
    """How many posts there are, at least: those held, or those the platform counted by then behind one of them."""
    return max((len(thread), *(1 + (post.mention.replies or 0) for post in thread if post.fetched <= at)))


def _voices(thread: Sequence[Assessed]) -> int:
    """How many people speak, at least: a site that names nobody counts as one."""
    keys = {post.mention.author_key for post in thread}
    return max(len(keys - {""}), 1) if thread else 0


def _clear(ours: Sequence[Assessed]) -> tuple[Rag, Point]:
    """The worst colour in the thread; a thread without a topic is amber, since nothing says that it is green."""
    if any(post.assessment.risk_to_life for post in ours):
        return Rag.RED, Point(0, "tells of a risk to life: the control room first, then the press office")
    colours = {post.assessment.rag for post in ours}
    worst = next((colour for colour in _WORST_FIRST if colour in colours), Rag.NONE)
    if worst is Rag.GREEN and Rag.NONE not in colours:
        return Rag.GREEN, Point(5, f"green: {CLEARANCES[Rag.GREEN]}")
    if worst is Rag.RED:
        topic = next(post.assessment.topic for post in ours if post.assessment.rag is Rag.RED)
        return Rag.RED, Point(0, f"red ({topic.replace('_', ' ')}): {CLEARANCES[Rag.RED]}")
    if worst is Rag.AMBER:
        return Rag.AMBER, Point(3, f"amber: {CLEARANCES[Rag.AMBER]}")
    return Rag.AMBER, Point(2, "of no known topic: ask the Borough Communicator or the press office")


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else line[: _QUOTED - 1].rstrip() + "…"
