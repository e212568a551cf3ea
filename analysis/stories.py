"""Stories: who told it first, how it spread, how many voices it really has, and whether somebody organised it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analysis.joining import group_copies, join_tellings
from analysis.story_score import Score, score_story
from analysis.telling import Telling, Tellings
from mentions.mention import Assessed, Mention, Mood, Rag, Reach, Voice

CAMPAIGN_ACCOUNTS, CAMPAIGN_WITHIN = 5, timedelta(hours=6)
BRIGADE_ACCOUNTS, BRIGADE_WITHIN = 5, timedelta(hours=1)
HOUR = timedelta(hours=1)
COLOURS = (Rag.NONE, Rag.GREEN, Rag.AMBER, Rag.RED)  # the worst last
REACHES = (Reach.UNKNOWN, Reach.LOCAL, Reach.MEDIUM, Reach.WIDE)

Counts = tuple[tuple[str, int], ...]  # most first


@dataclass(frozen=True, slots=True)
class Feeling:
    """How many posts take which attitude towards the police; the force's own are not among them."""

    negative: int = 0
    neutral: int = 0
    positive: int = 0
    uncertain: int = 0

    @property
    def negative_share(self) -> float:
        """The negative ones among those that take a side or none; 0 where there are none of these."""
        sure = self.negative + self.neutral + self.positive
        return self.negative / sure if sure else 0.0


@dataclass(frozen=True, slots=True)
class Story:
    """One matter, as everybody told it. No text: `origin`, the mention published first, says what it is about.

    `members` are mention ids, earliest first. `independent` counts the voices (publishers, authors) that told it in
    words of their own; copies of one text count as one. `campaign` are the posts of copy-paste campaigns, `brigade`
    those of bursts of strangers (see `find_stories`). `feeling` is that of all posts, `public` that with each text of a
    campaign counted once; `score` rests on the latter. `hours` are the mentions by hour of publishing, oldest first.
    """

    id: str
    origin: str
    began_at: datetime
    last_at: datetime
    members: tuple[str, ...]
    platforms: Counts
    sources: Counts
    hours: tuple[tuple[datetime, int], ...]
    independent: int
    campaign: tuple[str, ...]
    brigade: tuple[str, ...]
    feeling: Feeling
    public: Feeling
    score: Score

    @property
    def count(self) -> int:
        """How many mentions tell it."""
        return len(self.members)


def find_stories(held: Sequence[Assessed], now: datetime, tellings: Tellings | None = None) -> list[Story]:
    """The stories these mentions tell as of `now`, each mention in one; highest score first. The order given makes no
    difference. Speed is counted up to `now`, so that a burst that is over loses it.

    A copy-paste campaign is one text (small edits aside) posted as their own, not passed on, by at least 5 accounts of
    the public within 6 hours; a text that press, officials or the force published themselves is none, since people
    share it from there. A brigade is one text, hostile to the police, posted as their own within an hour by at least 5
    accounts to one thread in which none of them is seen before; "before" is what is held here, and no longer ago. Both
    say how posts look, not who stands behind them.
    """
    ordered = sorted(held, key=lambda each: (each.mention.published_at, each.mention.id))
    mentions = [each.mention for each in ordered]
    told = (tellings or Tellings()).of(mentions)
    groups = group_copies(mentions, told)
    firsts = [group[0] for group in groups]
    joined = join_tellings([mentions[at] for at in firsts], [told[at] for at in firsts])
    arrivals = _arrivals(mentions)
    found = [_tell_story([groups[place] for place in places], ordered, told, arrivals, now) for places in joined]
    return sorted(found, key=lambda story: (-story.score.value, -story.count, story.began_at, story.id))


def _tell_story(
    texts: Sequence[Sequence[int]],
    held: Sequence[Assessed],
    tellings: Sequence[Telling],
    arrivals: dict[tuple[str, str], datetime],
    now: datetime,
) -> Story:
    """The story that these groups of copies make together."""
    members = [held[at] for at in sorted(at for text in texts for at in text)]
    campaigns = [_campaign([(held[at], tellings[at]) for at in text]) for text in texts]
    campaign = {each.mention.id for posts in campaigns for each in posts}
    repeats = {each.mention.id for posts in campaigns for each in posts[1:]}
    public = [each for each in members if each.mention.id not in repeats]
    brigade = {id_ for text in texts for id_ in _brigade([(held[at], tellings[at]) for at in text], arrivals)}
    mentions = [each.mention for each in members]
    first, last = mentions[0].published_at, mentions[-1].published_at
    feeling = _feel(public)
    return Story(
        id=f"story:{mentions[0].id}",
        origin=mentions[0].id,
        began_at=first,
        last_at=last,
        members=tuple(each.id for each in mentions),
        platforms=_count(each.platform for each in mentions),
        sources=_count(each.source for each in mentions),
        hours=_by_hour(mentions),
        independent=len({held[text[0]].mention.speaker for text in texts}),
        campaign=tuple(each.id for each in mentions if each.id in campaign),
        brigade=tuple(each.id for each in mentions if each.id in brigade),
        feeling=_feel(members),
        public=feeling,
        score=score_story(
            max((each.assessment.rag for each in members), key=COLOURS.index),
            max((each.reach for each in mentions), key=REACHES.index),
            len(public) / max(1.0, (max(now, last) - first) / HOUR),
            feeling.negative_share,
        ),
    )


def _campaign(copies: Sequence[tuple[Assessed, Telling]]) -> list[Assessed]:
    """The posts of one text that look organised, earliest first."""
    if any(each.mention.voice is not Voice.PUBLIC for each, _ in copies):
        return []
    own = [each for each, telling in copies if not telling.reposts and each.mention.author_key]
    return _burst(own, CAMPAIGN_ACCOUNTS, CAMPAIGN_WITHIN)


def _brigade(copies: Sequence[tuple[Assessed, Telling]], arrivals: dict[tuple[str, str], datetime]) -> list[str]:
    """The ids of posts of one text that descended on one thread."""
    by_thread: dict[str, list[Assessed]] = defaultdict(list)
    for each, telling in copies:
        mention = each.mention
        is_new = arrivals.get((mention.thread, mention.author_key)) == mention.published_at
        is_own = mention.voice is Voice.PUBLIC and not telling.reposts
        if is_new and is_own and each.assessment.sentiment.label is Mood.NEGATIVE:
            by_thread[mention.thread].append(each)
    bursts = (_burst(posts, BRIGADE_ACCOUNTS, BRIGADE_WITHIN) for posts in by_thread.values())
    return [each.mention.id for burst in bursts for each in burst]


def _arrivals(mentions: Iterable[Mention]) -> dict[tuple[str, str], datetime]:
    """When each account is first seen in each thread; mentions in the order of time."""
    first: dict[tuple[str, str], datetime] = {}
    for mention in mentions:
        if mention.author_key and mention.thread:
            first.setdefault((mention.thread, mention.author_key), mention.published_at)
    return first


def _burst(posts: Sequence[Assessed], accounts: int, within: timedelta) -> list[Assessed]:
    """Those of the posts (earliest first) that lie in a span of time in which so many accounts posted."""
    found: list[Assessed] = []
    together: Counter[str] = Counter()
    start = taken = 0
    for end, last in enumerate(posts):
        together[last.mention.author_key] += 1
        while last.mention.published_at - posts[start].mention.published_at > within:
            _take_out(together, posts[start].mention.author_key)
            start += 1
        if len(together) >= accounts:
            found += posts[max(start, taken) : end + 1]
            taken = end + 1
    return found


def _take_out(counted: Counter[str], name: str) -> None:
    counted[name] -= 1
    if not counted[name]:
        del counted[name]


def _feel(held: Iterable[Assessed]) -> Feeling:
    moods = Counter(each.assessment.sentiment.label for each in held if each.mention.voice is not Voice.OWN)
    return Feeling(moods[Mood.NEGATIVE], moods[Mood.NEUTRAL], moods[Mood.POSITIVE], moods[Mood.UNCERTAIN])


def _count(names: Iterable[str]) -> Counts:
    return tuple(sorted(Counter(names).items(), key=lambda item: (-item[1], item[0])))


def _by_hour(mentions: Iterable[Mention]) -> tuple[tuple[datetime, int], ...]:
    hours: Counter[datetime] = Counter(
        each.published_at.replace(minute=0, second=0, microsecond=0) for each in mentions
    )
    return tuple(sorted(hours.items()))
