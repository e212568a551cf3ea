"""What becomes of a mention that is heard again, and of what no store can hold: the same in every store."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from mentions.corrections import corrected
from mentions.mention import DELETED, Assessed, Mention
from mentions.times import micros
from mentions.tombstones import entombed, may_rise

MOST_SIGHTINGS = 20
_MENTION_TEXTS = (
    *("id", "platform", "source", "text", "title", "link", "native_id"),
    *("author_key", "publisher", "thread", "lang", "buried_because"),
)
_mention_texts = attrgetter(*_MENTION_TEXTS)
_OPINION_LISTS = ("boroughs", "watchlists", "made_by", "pending")
_CORRECTION_TEXTS = ("field", "value", "was", "by", "because")


def merged(ours: Assessed, fetched: int, theirs: Assessed) -> Assessed | None:
    """Our copy, last changed by one that was fetched at `fetched` (microseconds), with what is newer in theirs; None
    where that changes nothing. The opinion is theirs where the words are; what people corrected in either stays, also
    where theirs is the older copy."""
    held, heard = ours.mention, theirs.mention
    known, incoming = ours.assessment, theirs.assessment
    if held.buried_at is not None or heard.buried_at is not None:
        return _merged_tombstone(ours, theirs)
    sightings = held.sightings if heard.source == held.source else _seen_by(held, heard)
    if micros(theirs.fetched) < fetched:
        opinion = corrected(known, incoming.corrections)
        mention = held if sightings == held.sightings else replace(held, sightings=sightings)
        return None if opinion == known and mention is held else Assessed(mention, opinion)
    mention = replace(
        held,
        sightings=sightings,
        title=heard.title,
        text=heard.text,
        link=heard.link or held.link,
        likes=held.likes if heard.likes is None else heard.likes,
        shares=held.shares if heard.shares is None else heard.shares,
        replies=held.replies if heard.replies is None else heard.replies,
    )
    if said(mention) != said(held):
        return Assessed(mention, corrected(incoming, known.corrections))
    opinion = corrected(known, incoming.corrections)
    return None if mention == held and opinion == known else Assessed(mention, opinion)


def _seen_by(held: Mention, heard: Mention) -> tuple[str, ...]:
    """The other sources that brought it, in the order in which they did."""
    names = dict.fromkeys((*held.sightings, heard.source, *heard.sightings))
    names.pop(held.source, None)
    return tuple(names)[:MOST_SIGHTINGS]


def _merged_tombstone(ours: Assessed, theirs: Assessed) -> Assessed | None:
    """A tombstone among the two stays one, or becomes one, unless `may_rise`. What people corrected is taken over."""
    held, heard = ours.mention, theirs.mention
    if heard.buried_at is not None:
        now = entombed(ours, heard.buried_at, heard.buried_because)
    elif may_rise(ours, theirs.fetched):
        return Assessed(
            replace(heard, source=held.source, first_seen_at=held.first_seen_at, history=held.history,
                    published_at=held.published_at, sightings=_seen_by(held, heard)),
            corrected(theirs.assessment, ours.assessment.corrections),
        )  # fmt: skip
    else:
        now = ours
    said_why = entombed(theirs, now.mention.buried_at or theirs.fetched, DELETED).assessment.corrections
    now = Assessed(now.mention, corrected(now.assessment, said_why))
    return None if now == ours else now


def rejudged(held: Assessed, judged: Assessed) -> Assessed:
    """The held mention with a newer opinion of its words, as corrected by people; itself where the words have changed
    since. Nobody can judge a tombstone anew, only correct it."""
    if held.mention.buried_at is not None:
        opinion = corrected(held.assessment, judged.assessment.corrections)
        return held if opinion == held.assessment else Assessed(held.mention, opinion)
    if said(judged.mention) != said(held.mention):
        return held
    return Assessed(held.mention, corrected(judged.assessment, held.assessment.corrections))


def said(mention: Mention) -> tuple[str, str]:
    """What a verdict rests on."""
    return mention.title, mention.text


def cleaned(assessed: Assessed) -> Assessed:
    """The same without what no file can hold: NULs go, halves of surrogate pairs become question marks."""
    mention, opinion = assessed.mention, assessed.assessment
    says = [reason.says for reason in opinion.reasons]
    says += [getattr(each, name) for each in opinion.corrections for name in _CORRECTION_TEXTS]
    lists = (*mention.sightings, *opinion.boroughs, *opinion.watchlists, *opinion.made_by, *opinion.pending)
    if _is_clean("".join((*_mention_texts(mention), opinion.topic, opinion.lang, *lists, *says))):
        return assessed
    facts = {name: clean(getattr(mention, name)) for name in _MENTION_TEXTS}
    views = {name: clean(getattr(opinion, name)) for name in ("topic", "lang")}
    tuples = {name: tuple(map(clean, getattr(opinion, name))) for name in _OPINION_LISTS}
    reasons = tuple(replace(reason, says=clean(reason.says)) for reason in opinion.reasons)
    sightings = tuple(map(clean, mention.sightings))
    said_clean = replace(mention, sightings=sightings, **facts)  # type: ignore[arg-type]
    corrections = tuple(
        replace(each, **{name: clean(getattr(each, name)) for name in _CORRECTION_TEXTS})  # type: ignore[arg-type]
        for each in opinion.corrections
    )
    held_clean = replace(opinion, **views, **tuples, reasons=reasons, corrections=corrections)  # type: ignore[arg-type]
    return Assessed(said_clean, held_clean, fetched_at=assessed.fetched_at)


def _is_clean(text: str) -> bool:
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def clean(text: str) -> str:
    """The text without what no file can hold: NULs go, halves of surrogate pairs become question marks."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
