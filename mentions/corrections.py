"""What people say otherwise: how a correction is spelt, and how it is laid over an opinion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mentions.failures import UserError
from mentions.mention import Assessment, Correction, Mood, PublicDomain, Rag, Verdict

FIELDS = ("relevant", "sentiment", "rag", "topic", "boroughs", "debate", "public_domain", "risk_to_life")
NO_VALUE = "none"  # what people write for no topic, or no borough; kept as ""
_ALIASES = {"borough": "boroughs"}
_FLAGS = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}
_WORDS: dict[str, dict[str, str]] = {
    **dict.fromkeys(("relevant", "debate", "risk_to_life"), _FLAGS),
    "sentiment": {str(mood): str(mood) for mood in Mood},
    "rag": {str(rag): str(rag) for rag in Rag},
    "public_domain": {str(each): str(each) for each in PublicDomain},
}
_STRENGTH = {Mood.NEGATIVE: -1.0, Mood.POSITIVE: 1.0}


@dataclass(frozen=True, slots=True)
class Choices:
    """What this force's strategy and city allow: names of topics and of boroughs; and why a name, normalised, can be
    taught as no place ("" where it can)."""

    topics: Sequence[str]
    boroughs: Sequence[str]
    place_fault: Callable[[str], str] = lambda name: ""

    def of(self, field: str) -> tuple[str, ...]:
        """What a field can be set to; boroughs are several of these with commas between them."""
        if field == "topic":
            return (NO_VALUE, *self.topics)
        return (NO_VALUE, *self.boroughs) if field == "boroughs" else tuple(dict.fromkeys(_WORDS[field].values()))


# -- spelling ---------------------------------------------------------------------------------------------------------


def read_field(name: str) -> str:
    """The field of that name. Raises UserError with all names."""
    field = _ALIASES.get(name.strip().lower(), name.strip().lower())
    if field not in FIELDS:
        raise UserError(f'"{name}" is no field of the judgement: expected one of {", ".join(FIELDS)}')
    return field


def read_value(field: str, text: str, choices: Choices) -> str:
    """A value as it is kept. Raises UserError with the field and what it can be."""
    allowed = _WORDS.get(field) or {choice.casefold(): choice for choice in choices.of(field)}
    parts = text.split(",") if field == "boroughs" else [text]
    values = [allowed.get(part.strip().casefold()) for part in parts]
    if None in values or (len(values) > 1 and NO_VALUE in values):
        several = " (several with commas between them)" if field == "boroughs" else ""
        raise UserError(f'{field} cannot be "{text.strip()}": expected one of {", ".join(choices.of(field))}{several}')
    found = ", ".join(dict.fromkeys(filter(None, values)))
    return "" if found == NO_VALUE and field in ("topic", "boroughs") else found


def value_of(opinion: Assessment, field: str) -> str:
    """What an opinion says there, spelt as a correction is."""
    said = opinion.sentiment.label if field == "sentiment" else getattr(opinion, field)
    if isinstance(said, bool):
        return "yes" if said else "no"
    return ", ".join(said) if isinstance(said, tuple) else str(said)


def _exactly(opinion: Assessment, field: str) -> str:
    """The same, and of a sentiment its strength too, so that it can be given back: "neg -0.6"."""
    said = value_of(opinion, field)
    return f"{said} {opinion.sentiment.score!r}" if field == "sentiment" else said


def was_of(correction: Correction) -> str:
    """What the judgement says without the person, spelt as a value."""
    return correction.was.partition(" ")[0] if correction.field == "sentiment" else correction.was


def _read_verdict(text: str) -> Verdict:
    label, _, score = text.partition(" ")
    return Verdict(Mood(label), float(score) if score else _STRENGTH.get(Mood(label), 0.0))


def _set(opinion: Assessment, field: str, value: str) -> Assessment:
    rich: dict[str, Callable[[str], Any]] = {
        "sentiment": _read_verdict,
        "rag": Rag,
        "public_domain": PublicDomain,
        "topic": str,
        "boroughs": lambda names: tuple(filter(None, names.split(", "))),
    }
    changed = {field: rich[field](value) if field in rich else value == "yes"}
    return replace(opinion, **changed)  # type: ignore[arg-type]


def is_spelt(correction: Correction) -> bool:
    """Whether a correction from elsewhere says something that its field can hold."""
    field, value = correction.field, correction.value
    try:
        return field in FIELDS and (correction.undone or value_of(_set(Assessment(), field, value), field) == value)
    except ValueError:
        return False


# -- laying over ------------------------------------------------------------------------------------------------------


def corrected(opinion: Assessment, corrections: Iterable[Correction]) -> Assessment:
    """The opinion with these corrections and its own laid over it: of two of one field the later stands, whatever the
    order in which they come together. Laying them over again changes nothing. A sentiment that the person agrees with
    keeps its strength, another one has full strength."""
    own = {each.field: each for each in opinion.corrections}
    latest = dict(own)
    for each in corrections:
        if each.field not in latest or _rank(each) > _rank(latest[each.field]):
            latest[each.field] = each
    if latest == own:
        return opinion
    kept = []
    for field in sorted(latest):
        before = own.get(field)
        stands = replace(latest[field], was=before.was if before else _exactly(opinion, field))
        agree = stands.undone or stands.value == was_of(stands)
        opinion = _set(opinion, field, stands.was if agree else stands.value)
        kept.append(stands)
    return replace(opinion, corrections=tuple(kept))


def _rank(each: Correction) -> tuple[object, ...]:
    """The later stands; of two of one moment always the same one, whichever came first."""
    return each.at, each.by, each.value, each.undone, each.because


def standing(opinion: Assessment) -> dict[str, Correction]:
    """The corrections that hold, by field: all but those that were taken back."""
    return {each.field: each for each in opinion.corrections if not each.undone}


def tell_change(correction: Correction) -> str:
    """ "red -> green"; of one that was taken back, what holds again."""
    was = was_of(correction) or NO_VALUE
    return f"{was} again" if correction.undone else f"{was} -> {correction.value or NO_VALUE}"
