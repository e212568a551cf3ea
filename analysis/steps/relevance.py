"""Whether a mention is ours: the Met, policing in London, or UK policing as a whole."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar

from analysis.draft import Draft, is_press
from analysis.reading import Reading
from analysis.steps.rating import find_risk, is_red_by_rule, may_be_a_force, share_of_red
from analysis.vocabulary import Hits, Span, read_toml
from mentions.mention import Voice

_AWAY = re.compile(
    r"/(?:world|us-news|australia-news|global-development|"
    r"sport|football|travel|food|fashion|lifeandstyle|science|technology|environment|business|money|"
    r"tvshowbiz|femail|wellness|sciencetech|health|world-[a-z-]+|news/world-[a-z-]+|"
    r"uk-scotland[a-z-]*|uk-wales[a-z-]*|uk-northern-ireland[a-z-]*|entertainment-arts|news/entertainment-arts|"
    r"news/(?:uk-(?:scotland|wales|northern-ireland)|world|entertainment-arts|science-environment|business|technology|"
    r"health|newsbeat|in-pictures|sport)[a-z0-9-]*)(?:[/-]|$)"
)
_ARTS = re.compile(r"/(?:film|books|music|stage|artanddesign|tv-and-radio|culture|games|crosswords)[/-]")
_ELSEWHERE_UK = re.compile(r"uk-england-(?!london)[a-z]|uk-(?:scotland|wales|northern-ireland)")
_NATIONAL = re.compile(r"bbc\.co\.uk/news/(?:uk|articles)-\d")
_LONDON = re.compile(r"uk-england-london|/london[/-]|standard\.co\.uk|mylondon|london-news")
_LAST_CENTURY = re.compile(r"\b1[89]\d\d\b")


# In points: how much either witness may say, what the model's word weighs, the benefit of the doubt where the police
# are named, less of it in talk and more where that reads as red, since what is missed costs more (the press tells red
# deeds of everywhere): these chosen on rows held out. Then what it costs to be another force's own post; and from which
# log-odds of the model, and how many words, no listed word is needed: chosen so that of a thousand public tweets
# without one no more than two or three pass; a place in London takes some from it, words for other matters give that
# back.
_MOST = 4.0
_MODEL = 0.5
_BENEFIT, _IN_TALK, _RED = 1.2, 0.8, 1.0
_OWN_VOICE = 2.0  # more than "police" alone is worth
_SURE, _HERE, _LEAST = 2.0, 1.0, 8


class Relevance:
    """Inline: adds up what speaks for and against; the press must name London or the force, the public only police, or
    nobody where a model is sure of it."""

    name: ClassVar[str] = "relevance"
    version: ClassVar[int] = 7

    def judge(self, draft: Draft) -> None:
        """Say whether the mention is ours, and by which words."""
        if not has_a_word_for_it(draft):
            _ask_the_model_alone(draft)
            return
        over = _weigh(draft) - _threshold(draft)
        draft.relevant = over >= 0 or _is_risk_here(draft)
        if draft.reading:
            both = _clip(over) + _MODEL * _clip(draft.reading.relevant)
            both += _benefit(draft, draft.reading)
            kept = draft.relevant and (is_red_by_rule(draft) or find_risk(draft) is not None)
            draft.relevant = both >= 0 or kept
        if draft.relevant:
            draft.because("is about the police or a danger in London", _main_word(draft))


def _benefit(draft: Draft, reading: Reading) -> float:
    """What a doubtful mention is given, in points."""
    named = not _POLICE.isdisjoint(draft.hits.by_tag)
    return _BENEFIT * named if is_press(draft) else _IN_TALK * named + _RED * share_of_red(reading)


def _ask_the_model_alone(draft: Draft) -> None:
    """Without a word for it an English post by the public of some length is ours, and unsure, where the model is sure:
    less so where it names a place in London, and only then although words tell of other matters (`against` in
    police.toml)."""
    if draft.reading is None or draft.lang != "en" or len(draft.tokens) < _LEAST or is_press(draft):
        return
    placed = bool(draft.hits.places)
    other = any(tag.startswith("against.") for tag in draft.hits.by_tag)
    sure = draft.reading.relevant >= _SURE + _HERE * (other - placed) and (placed or not other)
    if sure and draft.mention.voice is Voice.PUBLIC:
        draft.relevant = draft.unsure = True
        draft.because("reads as ours, though no listed word says so")


def has_a_word_for_it(draft: Draft) -> bool:
    """Whether any word speaks for its being ours. Adds to the draft where "Met" stands for the force, and accounts of
    local teams: the model, which has not learnt these as targets, reads before this is asked."""
    hits = draft.hits
    if "met" in hits and (span := _the_met(draft)):
        hits.by_tag["the met"] = [span]
    named = _has_force_handle(draft)
    return named or not hits.by_tag.keys().isdisjoint(_OURS | _telling_topics()) or find_risk(draft) is not None


def _is_risk_here(draft: Draft) -> bool:
    """Whether somebody's life may be at risk in London, or the police are told of it: lives go before all else."""
    tags = draft.hits.by_tag.keys()
    if is_press(draft) or find_risk(draft) is None or tags & {"against.fiction", "against.titles", "against.abroad"}:
        return False
    return bool(draft.hits.places) or bool(tags & {"london", "police", "officer", "force", "the met"})


def _clip(points: float) -> float:
    return max(min(points, _MOST), -_MOST)


_POLICE = frozenset(("force", "force handle", "the met", "institution", "police", "policing", "officer"))
_OURS = _POLICE | {"crime", "danger", "trouble", "blamed"}


def _main_word(draft: Draft) -> Span | None:
    first = draft.hits.first
    police = first("force", "force handle", "the met") or first("institution", "police", "policing", "officer")
    return police or first("danger", "crime", "trouble")


def _threshold(draft: Draft) -> float:
    return 2.5 if is_press(draft) else 1.5


def _has_force_handle(draft: Draft) -> bool:
    """Whether a local team's account is named, such as mpscamden."""
    at = f" {draft.norm}".find(" mps")
    if at < 0:
        return False
    token = draft.norm[at:].split(None, 1)[0]
    if token not in _force_handles():
        return False
    draft.hits.by_tag["force handle"] = [(at + 1, at + 1 + len(token))]
    return True


@cache
def _telling_topics() -> frozenset[str]:
    """Topics whose own words, together with a London place, show a police matter by themselves."""
    return frozenset(f"topic.{table['name']}" for table in read_toml("policy.toml")["topics"] if table.get("telling"))


@cache
def _force_handles() -> frozenset[str]:
    return frozenset(f"mps{area}" for area in read_toml("police.toml")["handles"]["areas"])


@cache
def _met_words(name: str) -> frozenset[str]:
    return frozenset(read_toml("police.toml")["the_met"][name])


def _the_met(draft: Draft) -> Span | None:
    """Where "Met" stands for the force and not for the verb, the opera, the weather or the line."""
    padded = f" {draft.norm} "
    for start, end in draft.hits.of("met"):
        before = padded[:start].rsplit(None, 1)[-1] if padded[:start].strip() else ""
        after = padded[end:].split(None, 1)[0] if padded[end:].strip() else ""
        if after in _met_words("never"):
            continue
        if before == "the" and (draft.quote((start, end))[:1] == "M" or after not in _met_words("after_the_verb")):
            return start, end
        if draft.quote((start, end))[:4].rstrip("'’s") != "Met":
            continue
        if after in _met_words("after_the_force") or after not in _met_words("after_the_verb"):
            return start, end
    return None


def _weigh(draft: Draft) -> float:
    """How much speaks for it, in points: the force alone is enough, a London crime is, a police word nearly."""
    hits = draft.hits
    force = "force" in hits or "force handle" in hits
    met = "the met" in hits and not _met_means_other(draft)
    institution = 2.0 * ("institution" in hits)
    by_link = _by_link(draft)
    where = min(1.0 * ("london" in hits) + 1.5 * bool(hits.places) + 0.75 * draft.on_local_site, 2.0)
    if is_press(draft) and not (force or met or institution or where or by_link > 0):
        return 0.0  # crime somewhere in the country, or nowhere we know of
    police = 4.0 * force + 3.5 * met + institution + _police_words(draft)
    crime = _crime(draft)
    telling = not _telling_topics().isdisjoint(hits.by_tag)
    matter = 1.0 * (telling and (bool(hits.places) or not is_press(draft)))
    if police and not where:
        crime = 0.0
    score = police + crime + (where if police or crime or matter else 0.0) + matter * (1.0 if where else 0.5)
    score += 0.5 * ("uk" in hits) + 0.5 * ("politics" in hits)
    if is_press(draft):
        score -= _retold(draft, strong=force or met)
    return score - _against(draft, strong=force or met) + by_link


def _crime(draft: Draft) -> float:
    """Crime and danger in points. A noise is no police matter by itself, nor is a death or a protest to the press."""
    hits = draft.hits
    sure = 1.0 * hits.count("crime") + 0.75 * ("danger" in hits)
    trouble = hits.count("trouble")
    told = "police" in hits or "officer" in hits or not _telling_topics().isdisjoint(hits.by_tag)
    if not (sure or told) and (is_press(draft) or trouble == 1):
        return 0.0
    return min(sure + 0.5 * trouble, 2.0)


def _retold(draft: Draft, *, strong: bool) -> float:
    """What a paper's pages of arts, and its tales of the last century, lose: fiction and history are not ours."""
    if strong and _in_title(draft, "force", "force handle", "the met"):
        return 0.0
    arts = 6.0 * bool(draft.mention.link and _ARTS.search(draft.mention.link))
    return arts + 1.5 * (not strong and bool(_LAST_CENTURY.search(draft.norm)))


def _in_title(draft: Draft, *tags: str) -> bool:
    first = draft.hits.first(*tags)
    return first is not None and draft.original(first)[0] < len(draft.mention.title)


def _police_words(draft: Draft) -> float:
    hits = draft.hits
    if "police" in hits:
        return 1.0 + 0.5 * min(hits.count("police"), 2) + 0.5 * ("officer" in hits or "policing" in hits)
    if "policing" in hits:
        company = ("officer", "crime", "blamed", "blame", "praise")
        return 1.1 + 0.4 * sum(tag in hits for tag in company[:3]) + 0.2 * sum(tag in hits for tag in company[3:])
    return 1.0 * ("officer" in hits) + 1.5 * ("blamed" in hits)


def _met_means_other(draft: Draft) -> bool:
    hits = draft.hits
    if hits.by_tag.keys() & {"police", "officer", "crime", "institution"} - _weak_company(draft):
        return False
    return bool(hits.by_tag.keys() & {"against.arts", "against.weather", "against.line", "against.university"})


def _weak_company(draft: Draft) -> set[str]:
    """Tags that do not tell the force from the weather office when they stand alone."""
    return {"officer"} if "against.weather" in draft.hits else set()


def _against(draft: Draft, *, strong: bool) -> float:
    hits = draft.hits
    weight = 0.5 if strong else 1.0
    abroad = min(hits.count("against.abroad"), 4) * 1.5 + 0.75 * ("against.abroad" in hits and is_press(draft))
    other_force = 4.0 * ("against.elsewhere_force" in hits)
    other_place = min(hits.count("against.elsewhere_place"), 3) * (0.4 if hits.places or "london" in hits else 1.2)
    fiction = min(_tales(hits), 3) * 0.9 + min(hits.count("against.titles"), 2) * 2.5
    clubs = 1.2 * ("against.clubs" in hits) + (0.7 * hits.count("against.arts") if "met" in hits else 0.0)
    discourse = min(hits.count("against.discourse"), 3) * 0.8
    other_force += _OWN_VOICE * _speaks_for_another(draft, strong=strong)
    return weight * (abroad + other_place + fiction + clubs + discourse) + other_force * (0.6 if strong else 1.0)


def _tales(hits: Hits) -> int:
    """Words for tales and shows, save those within a phrase of blame: a "root and branch review" is none of a play."""
    blamed = hits.of("blamed")
    return sum(not any(a <= start and end <= b for a, b in blamed) for start, end in hits.of("against.fiction"))


def _speaks_for_another(draft: Draft, *, strong: bool) -> bool:
    """Whether a force speaks for itself and names neither London nor the Met, nor is its account known to be ours."""
    hits = draft.hits
    if strong or hits.places or "london" in hits or draft.on_local_site or not may_be_a_force(draft):
        return False
    return "against.own_voice" in hits or "against.own_appeal" in hits or hits.count("against.own_manner") >= 2


def _by_link(draft: Draft) -> float:
    link = draft.mention.link
    if not link or not is_press(draft):
        return 0.0
    if _LONDON.search(link):
        return 2.0
    if _NATIONAL.search(link):
        return 0.5
    if _ELSEWHERE_UK.search(link):
        return -3.0
    if _AWAY.search(link):
        return -2.0
    return 0.0
