"""What becomes of a mention that is heard again, and of what no store can hold: the same in every store."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter

from mentions.corrections import corrected
from mentions.mention import Assessed, Mention
from mentions.times import micros

_MENTION_TEXTS = (
    *("id", "platform", "source", "text", "title", "link", "native_id"),
    *("author_key", "publisher", "thread", "lang"),
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
    if micros(theirs.fetched) < fetched:
        opinion = corrected(known, incoming.corrections)
        return None if opinion == known else Assessed(held, opinion)
    mention = replace(
        held,
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


def rejudged(held: Assessed, judged: Assessed) -> Assessed:
    """The held mention with a newer opinion of its words, as corrected by people; itself where the words have changed
    since."""
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
    lists = (*opinion.boroughs, *opinion.watchlists, *opinion.made_by, *opinion.pending)
    if _is_clean("".join((*_mention_texts(mention), opinion.topic, opinion.lang, *lists, *says))):
        return assessed
    facts = {name: clean(getattr(mention, name)) for name in _MENTION_TEXTS}
    views = {name: clean(getattr(opinion, name)) for name in ("topic", "lang")}
    tuples = {name: tuple(map(clean, getattr(opinion, name))) for name in _OPINION_LISTS}
    reasons = tuple(replace(reason, says=clean(reason.says)) for reason in opinion.reasons)
    said_clean = replace(mention, **facts)  # type: ignore[arg-type]
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
