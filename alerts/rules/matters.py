"""Whether two items are about the same matter: judged by the words that set them apart from other police news."""

from __future__ import annotations

from functools import lru_cache

from mentions.mention import Assessed, Mention
from mentions.normalise import tokens

OPENING = 300  # characters of the text that are read beside the title
SHARED_ON_TOPIC = 3  # distinctive words that make two items of one topic one matter
SHARED_ANYHOW = 4  # and two items of different topics

_PLAIN = """
    a about above after again against ago all almost along already also although always am amid among an and another any
    anyone are around as ask asked asks at away back be became because become been before began behind being below
    between both but by call called calls came can cannot case cases claim claimed claims come comes could day days did
    do does doing done down during each early else end ends even ever every face faced faces facing far few find finds
    first five following for former found four from full further gave get gets getting give given gives go goes going
    got had half has have having he head held her here him himself his hit hits home hour hours how however i if in
    inside into is it items its itself just keep know known last late later latest least led left less let life like
    likely live long look made main make makes making man many may me men might minute minutes monday month months more
    morning most much must my near need needs never new news next night no nor not nothing now of off old on once one
    only or other others our out outside over own part people place plan plans put put read ready really report
    reported reportedly reports revealed reveals review run said same saturday saw say saying says second see seen set
    seven shall she should show showed shows since six so some soon still stop such sunday take taken takes telling tell
    tells ten than that the their them themselves then there these they thing things third this those three through
    thursday time times to today told tomorrow tonight too took top toward tuesday two under until up update upon us use
    used using very want wants was watch way we wednesday week weeks well went were what when where whether which while
    who whole whom whose why will with within without woman women would year years yes yesterday yet you young your
    friday eight nine how to live video exclusive breaking analysis opinion editorial comment
"""
_OF_EVERY_POLICE_STORY = """
    police policing policeman policewoman officer officers constable sergeant inspector detective superintendent chief
    commissioner force forces met metropolitan scotland yard cop cops pc dc ds di dci supt london britain british uk
    england english bbc guardian mail sky telegraph crime criminal investigation investigate investigated investigating
    inquiry probe arrest arrested arrests charge charged court trial jail jailed prison victim victims incident suspect
    murder murdered murders killed killing dead death died shot stabbed stabbing attack sir dame lord baroness mark
    rowley
"""
STOP_WORDS = frozenset((_PLAIN + _OF_EVERY_POLICE_STORY).split())


def distinctive_words(mention: Mention) -> frozenset[str]:
    """The words of the title and of how the text begins that not every police story has; plurals folded."""
    return _distinctive(mention.words[: len(mention.title) + OPENING])


@lru_cache(maxsize=1024)
def _distinctive(opening: str) -> frozenset[str]:
    kept = (word for word in tokens(opening) if len(word) > 2 and word not in STOP_WORDS and not word.isdigit())
    return frozenset(word[:-1] if word.endswith("s") and len(word) > 4 else word for word in kept)


def is_same_matter(one: Assessed, other: Assessed) -> bool:
    """Whether two items tell of one matter: same topic and three distinctive words in common, or any four."""
    shared = len(distinctive_words(one.mention) & distinctive_words(other.mention))
    on_topic = bool(one.assessment.topic) and one.assessment.topic == other.assessment.topic
    return shared >= (SHARED_ON_TOPIC if on_topic else SHARED_ANYHOW)
